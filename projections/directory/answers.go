package directory

import (
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/hours"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/survey"
	"github.com/turno-desk/turno/projections"
)

// Contact is a customer's record: what is told of the contact itself and of those that were merged into it.
type Contact struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	Email       string            `json:"email,omitempty"`
	Phone       string            `json:"phone,omitempty"`
	Sex         string            `json:"sex,omitempty"`
	Company     string            `json:"company,omitempty"`
	Title       string            `json:"title,omitempty"`
	Document    string            `json:"document,omitempty"`
	ExternalID  string            `json:"external_id,omitempty"`
	Address     *contact.Address  `json:"address,omitempty"`
	Fields      map[string]string `json:"fields,omitempty"`
	Tags        []string          `json:"tags"`
	Known       bool              `json:"known"` // somebody has entered a profile (F009)
	Assignee    string            `json:"assignee,omitempty"`
	Blocked     bool              `json:"blocked"`
	Erased      bool              `json:"erased,omitempty"`
	FirstAt     *projections.Time `json:"first_at,omitempty"` // of the first communication (F120)
	Identities  []Identity        `json:"identities"`
	Merged      []Merged          `json:"merged,omitempty"`
	Annotations []Annotation      `json:"annotations,omitempty"` // only where one contact is asked for
	Revision    domain.Position   `json:"revision"`              // of the last commit about it
}

// Lines are the lines of the profile by their names.
func (c *Contact) Lines() map[string]string {
	lines := map[string]string{"name": c.Name, "email": c.Email, "phone": c.Phone, "sex": c.Sex, "company": c.Company, "title": c.Title,
		"document": c.Document, "external_id": c.ExternalID}
	if a := c.Address; a != nil {
		p := contact.ProfileChanged{Address: *a}
		for _, name := range contact.Lines() {
			if strings.HasPrefix(name, "address.") {
				lines[name] = string(*p.Line(name))
			}
		}
	}
	return lines
}

// Merged is a contact that was merged into another, and what of its own is not shown because the survivor has another value.
type Merged struct {
	Contact   string            `json:"contact"`
	Conflicts map[string]string `json:"conflicts,omitempty"` // its value by the field's name: "email", "fields.plan"
}

// Identity is an address of a contact on a channel.
type Identity struct {
	ID         string `json:"id"`
	Contact    string `json:"contact,omitempty"` // whose it is, where that is a merged one
	Channel    string `json:"channel"`
	Address    string `json:"address"`
	ExternalID string `json:"external_id,omitempty"`
	Thread     string `json:"thread"`
}

// Annotation is a note on a contact.
type Annotation struct {
	ID      string           `json:"id"`
	Contact string           `json:"contact,omitempty"` // on which it was made, where that is a merged one
	Text    string           `json:"text"`
	Author  string           `json:"author"` // an actor: "operator:ana"
	At      projections.Time `json:"at"`
}

// Operator is a person who answers, with presence.
type Operator struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Email       string          `json:"email,omitempty"`
	Role        string          `json:"role"`
	Departments []string        `json:"departments"`
	Capacity    int             `json:"capacity,omitempty"`
	Extension   string          `json:"extension,omitempty"`
	Active      bool            `json:"active"`
	Presence    Presence        `json:"presence"`
	Revision    domain.Position `json:"revision"`
}

// Presence is whether an operator is there, and takes new conversations.
type Presence struct {
	Connected bool              `json:"connected"`
	Available bool              `json:"available"`
	Reason    string            `json:"reason,omitempty"`
	Since     *projections.Time `json:"since,omitempty"` // of the last change
}

// Department is a queue's definition.
type Department struct {
	ID       string          `json:"id"`
	Name     string          `json:"name"`
	Retired  bool            `json:"retired"`
	Capacity int             `json:"capacity,omitempty"`
	Close    Guards          `json:"close"`
	Settings Settings        `json:"settings"`
	Revision domain.Position `json:"revision"`
}

// Guards are what a close there demands.
type Guards struct {
	Fields         []string `json:"fields,omitempty"`
	Classification bool     `json:"classification"`
	Parts          []string `json:"parts,omitempty"`
	Funnel         string   `json:"funnel,omitempty"`
	Category       bool     `json:"category"`
	Summary        bool     `json:"summary"`
	TicketLink     string   `json:"ticket_link"` // auto, required, optional
}

// Settings are the department's choices.
type Settings struct {
	ResumeOnInbound bool  `json:"resume_on_inbound"`
	KeepOnClose     bool  `json:"keep_on_close"`
	ReopenWithin    int64 `json:"reopen_within_s"`
	ReassignAfter   int64 `json:"reassign_after_s"`

	Calendar       string `json:"calendar,omitempty"`
	StrictCalendar bool   `json:"strict_calendar"`

	Distribution string `json:"distribution,omitempty"`
	Rule         string `json:"rule,omitempty"`
	PausedFree   bool   `json:"paused_free"`

	OfferTo        int   `json:"offer_to"`
	OfferTimeout   int64 `json:"offer_timeout_s"`
	TransferAccept bool  `json:"transfer_accept"`

	AwayMessage       string `json:"away_message,omitempty"`
	NobodyMessage     string `json:"nobody_message,omitempty"`
	AtCapacityMessage string `json:"at_capacity_message,omitempty"`
	AssignedMessage   string `json:"assigned_message,omitempty"`

	SessionEndedMessage string `json:"session_ended_message,omitempty"`

	Survey survey.Settings `json:"survey,omitzero"`
}

// Calendar is opening hours, with all the versions that were ever in force.
type Calendar struct {
	ID       string          `json:"id"`
	Name     string          `json:"name"`
	Versions []hours.Version `json:"versions"`
	Revision domain.Position `json:"revision"`
}

// Channel is a configured line.
type Channel struct {
	ID         string          `json:"id"`
	Type       string          `json:"type"`
	Name       string          `json:"name"`
	Department string          `json:"department"`
	Extension  string          `json:"extension,omitempty"`
	Retired    bool            `json:"retired"`
	Revision   domain.Position `json:"revision"`

	Menu        string `json:"menu,omitempty"`
	BotStaysOff bool   `json:"bot_stays_off,omitempty"`
}

// Token is the right to use the API, without its secret, which is not in the log either.
type Token struct {
	ID          string           `json:"id"`
	Owner       string           `json:"owner"`
	Name        string           `json:"name,omitempty"`
	Scopes      []string         `json:"scopes,omitempty"`
	Fingerprint string           `json:"fingerprint"`
	Revoked     bool             `json:"revoked"`
	IssuedAt    projections.Time `json:"issued_at"`
	Revision    domain.Position  `json:"revision"`
}

// Page is a part of a list.
type Page[T any] struct {
	Items    []T             `json:"items"`
	Next     string          `json:"next,omitempty"`
	HasMore  bool            `json:"has_more"`
	Position domain.Position `json:"position"`
}

// Range says which part of a list.
type Range struct {
	Cursor string
	Limit  int // 50 when 0, at most 200
}

// Nobody is the Assignee of a filter for contacts that have none.
const Nobody = "none"

// ContactFilter narrows the contacts. Fields that are set must all hold.
type ContactFilter struct {
	Q          string // part of a name, an address, an e-mail or a phone, whatever its case
	Address    string // the whole address
	ExternalID string
	Tag        string
	Assignee   string // operator; Nobody: those without one
	Known      *bool
	Living     bool               // without those that were erased
	All        []setting.Contacts // filters as a segment has them
	Range
}
