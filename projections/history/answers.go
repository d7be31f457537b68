package history

import (
	"encoding/json"
	"errors"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

// Errors of the queries.
var (
	// ErrNotFound: there is none, or the viewer may not see it. Nobody can tell which.
	ErrNotFound = errors.New("not found")
	// ErrCursor: the cursor is none that an answer of this query gave.
	ErrCursor = errors.New("malformed cursor")
	// ErrSearch: the words asked for are too many, or too long.
	ErrSearch = errors.New("the search asks for too much")
)

// Limits of a page.
const (
	DefaultLimit = 50
	MaxLimit     = 200
)

// Page is a part of a list. Next is the cursor of what follows, empty when nothing does.
type Page[T any] struct {
	Items    []T             `json:"items"`
	Next     string          `json:"next,omitempty"`
	HasMore  bool            `json:"has_more"`
	Position domain.Position `json:"position"` // of the checkpoint that it was read at
}

// Contact is whom a conversation is with, under the name that the channel gave.
type Contact struct {
	ID         string `json:"id"`
	Name       string `json:"name,omitempty"`
	Address    string `json:"address,omitempty"`
	ExternalID string `json:"external_id,omitempty"`
	Known      *bool  `json:"known,omitempty"` // somebody has entered a profile (F009); only where one conversation is asked for
}

// Conversation is one conversation. With Restricted set the viewer serves its contact and may only know that it is open:
// then ID is empty and nothing but ticket, channel, department and operator is filled.
type Conversation struct {
	ID               string   `json:"id,omitempty"`
	Ticket           int64    `json:"ticket"`
	State            string   `json:"state,omitempty"`
	Restricted       bool     `json:"restricted,omitempty"`
	Direction        string   `json:"direction,omitempty"`
	Channel          string   `json:"channel"`
	Department       string   `json:"department"`
	OpenedDepartment string   `json:"opened_department,omitempty"`
	Operator         string   `json:"operator,omitempty"` // its owner, while attending or paused
	OwnerAtClose     string   `json:"owner_at_close,omitempty"`
	Contact          *Contact `json:"contact,omitempty"`

	Offered *Offered `json:"offered,omitempty"` // while it is offered
	Alerts  []Alert  `json:"alerts,omitempty"`  // that stand

	Mentioned []string        `json:"mentioned,omitempty"`
	Operators []string        `json:"operators,omitempty"` // all who ever owned it, in order of first taking
	Hidden    bool            `json:"hidden,omitempty"`
	Revision  domain.Position `json:"revision,omitempty"`

	OpenedAt *projections.Time `json:"opened_at,omitempty"`
	ClosedAt *projections.Time `json:"closed_at,omitempty"`
	Episodes int               `json:"episodes,omitempty"` // 1 more than it was reopened

	Reason     string   `json:"reason,omitempty"` // of the close
	Closer     string   `json:"closer,omitempty"` // actor of the close
	Category   string   `json:"category,omitempty"`
	Summary    string   `json:"summary,omitempty"`
	Comment    string   `json:"comment,omitempty"`
	Incomplete []string `json:"incomplete,omitempty"`

	LinkedTicket   int64 `json:"linked_ticket,omitempty"`   // that it was put into; its own number is an alias of it
	ProposedTicket int64 `json:"proposed_ticket,omitempty"` // by the contact, and not judged yet

	Outcome   string            `json:"outcome,omitempty"`
	Interests []string          `json:"interests,omitempty"`
	Origin    string            `json:"origin,omitempty"`
	Stage     string            `json:"stage,omitempty"`
	Score     int               `json:"score,omitempty"`
	Fields    map[string]string `json:"fields,omitempty"`
	Rating    *Rating           `json:"rating,omitempty"`

	*Details // nil with Restricted
}

// Offered is to whom alone a conversation is offered, and until when.
type Offered struct {
	Operators []string         `json:"operators"`
	Until     projections.Time `json:"until"`
}

// Alert is one that stands: whom it is for, an operator or all of the department who have a role, and why.
type Alert struct {
	Cause    string           `json:"cause"`
	Operator string           `json:"operator,omitempty"`
	Role     string           `json:"role,omitempty"`
	At       projections.Time `json:"at"`
}

// Details are what a list shows of a conversation even when it is nothing.
type Details struct {
	Tags     []string `json:"tags"`
	Archived bool     `json:"archived"`

	// Of the latest episode, in seconds. Null when there is no such sample.
	FirstResponse *float64 `json:"first_response_s"`
	Resolution    *float64 `json:"resolution_s"`
	ResolutionNet *float64 `json:"resolution_net_s"` // less paused time

	MessagesIn      int `json:"messages_in"`
	MessagesOut     int `json:"messages_out"`     // by people, other devices included
	MessagesMachine int `json:"messages_machine"` // by machines
	Notes           int `json:"notes"`
	Transfers       int `json:"transfers"`
}

// Rating is the contact's judgement that stands.
type Rating struct {
	Score     int              `json:"score,omitempty"` // 1–5
	Satisfied *bool            `json:"satisfied,omitempty"`
	Comment   string           `json:"comment,omitempty"`
	Operator  string           `json:"operator,omitempty"` // whom it credits
	At        projections.Time `json:"at"`
}

// ConversationAnswer is one conversation, and the position that it was read at.
type ConversationAnswer struct {
	Conversation
	Position domain.Position `json:"position"`
}

// Message is one message of a conversation, in either direction.
type Message struct {
	ID           string            `json:"id"`
	Conversation string            `json:"conversation"`
	Direction    string            `json:"direction"` // inbound, outbound; internal for a note
	Sender       string            `json:"sender"`    // contact, human, other_device, machine
	Actor        string            `json:"actor"`     // "contact", "operator:ana" …
	Via          string            `json:"via,omitempty"`
	Kind         string            `json:"kind"`
	Text         string            `json:"text,omitempty"`
	Attachments  []Attachment      `json:"attachments,omitempty"`
	Location     *Location         `json:"location,omitempty"`
	ContactCard  *ContactCard      `json:"contact_card,omitempty"`
	ReplyTo      string            `json:"reply_to,omitempty"`
	Choices      []Choice          `json:"choices,omitempty"` // of ours: what the contact may press
	Choice       string            `json:"choice,omitempty"`  // of the contact: id of the one that was pressed
	At           projections.Time  `json:"at"`
	SentAt       *projections.Time `json:"sent_at,omitempty"` // the channel's own timestamp
	Position     domain.Position   `json:"position"`
	Note         bool              `json:"note,omitempty"` // internal; direction and kind are "note"
	Mentions     []string          `json:"mentions,omitempty"`
}

// Choice is a button of a message.
type Choice struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// Attachment is a file of a message.
type Attachment struct {
	URL  string `json:"url"`
	Name string `json:"name,omitempty"`
	Type string `json:"type"`
	Size int64  `json:"size"`
}

// Location is a point that somebody shared.
type Location struct {
	Latitude  string `json:"latitude"`
	Longitude string `json:"longitude"`
	Label     string `json:"label,omitempty"`
}

// ContactCard is a contact that somebody shared.
type ContactCard struct {
	Name  string `json:"name"`
	Phone string `json:"phone"`
}

// Entry is one event of a timeline.
type Entry struct {
	Position     domain.Position  `json:"position"`
	Index        int              `json:"index"`                  // within its commit
	Conversation string           `json:"conversation,omitempty"` // absent for what was done to the ticket itself
	Ticket       int64            `json:"ticket"`
	Type         string           `json:"type"` // "taken", "message_received" …
	Actor        string           `json:"actor"`
	Via          string           `json:"via,omitempty"`
	Time         projections.Time `json:"time"`
	Recorded     projections.Time `json:"recorded"`
	Data         json.RawMessage  `json:"data"` // the event's own fields
}

// Timeline is every event of a conversation, or of all conversations of a ticket, in the log's order.
type Timeline struct {
	Ticket   int64           `json:"ticket"`
	Entries  []Entry         `json:"items"`
	Position domain.Position `json:"position"`
}

// Ticket is the case: what was said of it, and its conversations, oldest first.
type Ticket struct {
	Number        int64             `json:"number"`              // never an alias
	Aliases       []int64           `json:"aliases,omitempty"`   // numbers of linked conversations: each is found, for ever
	Requester     string            `json:"requester,omitempty"` // contact id
	Subject       string            `json:"subject,omitempty"`
	Status        string            `json:"status"` // as it was set; else open while a conversation is, then closed
	Fields        map[string]string `json:"fields,omitempty"`
	Contact       *Contact          `json:"contact,omitempty"` // of the first conversation that the viewer sees
	Conversations []Conversation    `json:"conversations"`
	OpenedAt      projections.Time  `json:"opened_at"`           // of the ticket, or the first opening
	ClosedAt      *projections.Time `json:"closed_at,omitempty"` // the last close, when no conversation is open
	Revision      domain.Position   `json:"revision,omitempty"`  // of the ticket's own record
	Position      domain.Position   `json:"position"`
}

// Match is a conversation that a search found, and where. For a ticket without conversations nothing but ticket and match is
// filled.
type Match struct {
	Conversation
	Match *Found `json:"match,omitempty"` // nil when no words were asked for
}

// Found is the newest text of the conversation in which all the words stand.
type Found struct {
	In       string          `json:"in"` // ticket, subject, message, note, summary, rating, contact
	Text     string          `json:"text"`
	Position domain.Position `json:"position"`
}
