package http

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/queue"
)

// Answer is the success of a command.
type Answer struct {
	Position     domain.Position   `json:"position"`
	Events       []json.RawMessage `json:"events"`             // single structured CloudEvents; none when nothing had to be done
	Message      string            `json:"message,omitempty"`  // id of the message that was received or sent
	Replayed     bool              `json:"replayed,omitempty"` // an earlier call had done it
	Conversation *Conversation     `json:"conversation,omitempty"`
}

// Conversation is one as the log has it right after a command.
type Conversation struct {
	ID             string            `json:"id"`
	Ticket         int64             `json:"ticket"`
	State          string            `json:"state"`
	Direction      string            `json:"direction"`
	Department     string            `json:"department"`
	Operator       string            `json:"operator,omitempty"`
	Channel        string            `json:"channel"`
	Contact        Contact           `json:"contact"`
	Tags           []string          `json:"tags"`
	Mentioned      []string          `json:"mentioned,omitempty"`
	Unread         int               `json:"unread"`
	OpenedAt       projections.Time  `json:"opened_at"`
	Since          projections.Time  `json:"since"` // of the state
	PausedUntil    *projections.Time `json:"paused_until,omitempty"`
	Offered        *queue.Offered    `json:"offered,omitempty"`
	Alerts         []Alert           `json:"alerts,omitempty"`
	ClosedAt       *projections.Time `json:"closed_at,omitempty"`
	CloseReason    string            `json:"close_reason,omitempty"`
	Category       string            `json:"category,omitempty"`
	OperatorAtEnd  string            `json:"owner_at_close,omitempty"`
	Classification *Classification   `json:"classification,omitempty"`
	LinkedTicket   int64             `json:"linked_ticket,omitempty"`
	ProposedTicket int64             `json:"proposed_ticket,omitempty"`
	Archived       bool              `json:"archived"`
	Revision       domain.Position   `json:"revision"`
}

// Contact is whom a conversation is with.
type Contact struct {
	ID      string          `json:"id"`
	Name    domain.Personal `json:"name,omitempty"`
	Address domain.Personal `json:"address,omitempty"`
}

// Classification is what a conversation was said to be about.
type Classification struct {
	Outcome   string                     `json:"outcome,omitempty"`
	Interests []string                   `json:"interests,omitempty"`
	Origin    string                     `json:"origin,omitempty"`
	Stage     string                     `json:"stage,omitempty"`
	Score     int                        `json:"score,omitempty"`
	Fields    map[string]domain.Personal `json:"fields,omitempty"`
}

// Alert is one that stands: whom it is for, an operator or all of the department who have a role, and why.
type Alert struct {
	Cause    thread.AlertCause `json:"cause"`
	Operator string            `json:"operator,omitempty"`
	Role     string            `json:"role,omitempty"`
}

func stampOf(t time.Time) *projections.Time {
	if t.IsZero() {
		return nil
	}
	return &projections.Time{Time: t}
}

// shown is the conversation as an answer shows it.
func shown(s *thread.State, c *thread.Conversation) *Conversation {
	shown := &Conversation{
		ID: c.ID, Ticket: c.Ticket, State: c.State, Direction: string(c.Direction), Department: c.Department, Operator: c.Owner,
		Channel: s.Channel, Contact: Contact{ID: s.Contact, Name: s.Name, Address: s.Address},
		Tags: c.Tags, Mentioned: c.Mentioned, Unread: len(c.Unread), OpenedAt: projections.Time{Time: c.OpenedAt}, Since: projections.Time{Time: c.Since},
		ClosedAt: stampOf(c.ClosedAt), CloseReason: string(c.CloseReason), Category: c.CloseCategory, OperatorAtEnd: c.OwnerAtClose,
		LinkedTicket: c.Linked, ProposedTicket: c.Proposed, Archived: c.Archived, Revision: c.Revision,
	}
	if shown.Tags == nil {
		shown.Tags = []string{}
	}
	if o := c.Offer; o != nil {
		shown.Offered = &queue.Offered{Operators: append([]string{}, o.Operators...), Until: projections.Time{Time: o.Until}}
	}
	for _, a := range c.Alerts {
		shown.Alerts = append(shown.Alerts, Alert{a.Cause, a.Operator, a.Role})
	}
	if c.PausedTill != nil {
		shown.PausedUntil = stampOf(*c.PausedTill)
	}
	if k := c.Classification; k.Outcome != "" || k.Origin != "" || k.Stage != "" || k.Score != 0 || len(k.Interests) > 0 || len(k.Fields) > 0 {
		shown.Classification = &Classification{k.Outcome, k.Interests, k.Origin, k.Stage, k.Score, k.Fields}
	}
	return shown
}

// answer writes the success of a command on a conversation. The conversation is left out when the caller may not see it
// any more, as after a transfer.
func (s *Server) answer(c *call, status int, r command.Result) error {
	a, err := s.answered(c, r)
	if err != nil {
		return err
	}
	if r.Conversation != nil {
		c.Response().Header().Set("ETag", etag(r.Conversation.Revision))
	}
	return c.position(a.Position).JSON(status, a)
}

func (s *Server) answered(c *call, r command.Result) (Answer, error) {
	events, err := s.events(&r.Commit)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Position: r.Position, Events: events, Message: r.Message, Replayed: r.Replayed}
	if r.Conversation != nil && r.State != nil && access.MaySee(c.viewer, r.Conversation.Sight()) {
		a.Conversation = shown(r.State, r.Conversation)
	}
	return a, nil
}

// settled writes the success of a command on anything else.
func (s *Server) settled(c *call, status int, r command.SettingResult) error {
	events, err := s.events(&r.Commit)
	if err != nil {
		return err
	}
	return c.position(r.Position).JSON(status, Answer{Position: r.Position, Events: events})
}

// events are those of a commit as single structured CloudEvents; none when nothing had to be done.
func (s *Server) events(commit *domain.Commit) ([]json.RawMessage, error) {
	if len(commit.Events) == 0 {
		return []json.RawMessage{}, nil
	}
	return s.Structured.Structured(commit)
}

// page is what lists are written as.
type page[T any] struct {
	Items    []T             `json:"items"`
	Next     string          `json:"next,omitempty"`
	HasMore  bool            `json:"has_more"`
	Position domain.Position `json:"position"`
}

func etag(revision domain.Position) string {
	return `"` + strconv.FormatUint(uint64(revision), 10) + `"`
}

// ok writes a query's answer; every one says at which position it was computed.
func (c *call) ok(p domain.Position, body any) error {
	return c.position(p).JSON(http.StatusOK, body)
}

// position puts the position into the answer's header.
func (c *call) position(p domain.Position) *call {
	c.Response().Header().Set("Turno-Position", strconv.FormatUint(uint64(p), 10))
	return c
}
