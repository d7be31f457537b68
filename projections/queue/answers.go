package queue

import (
	"slices"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

// Department is what the state lists of one department hold for one viewer.
type Department struct {
	Department string         `json:"department"`
	Counts     map[string]int `json:"counts"` // by state, closed left out; every state is named
	// LongestWait is how long the first in waiting or out of hours has been there; null while nobody waits.
	LongestWait  *float64          `json:"longest_wait_s"`
	WaitingSince *projections.Time `json:"waiting_since,omitempty"` // when that one entered
}

// Departments is the answer of Queues.
type Departments struct {
	Items    []Department    `json:"items"`
	Position domain.Position `json:"position"`
}

// Row is one conversation as a list shows it.
type Row struct {
	ID           string            `json:"id"`
	Ticket       int64             `json:"ticket"`
	State        string            `json:"state"`
	Department   string            `json:"department"`
	Operator     string            `json:"operator,omitempty"`       // owner; only while attending or paused
	OwnerAtClose string            `json:"owner_at_close,omitempty"` // only while closed
	Channel      string            `json:"channel"`
	Direction    string            `json:"direction"`
	Contact      Contact           `json:"contact"`
	Tags         []string          `json:"tags"`
	Mentioned    []string          `json:"mentioned,omitempty"`
	Archived     bool              `json:"archived"`
	Hidden       bool              `json:"hidden,omitempty"`
	Unread       int               `json:"unread"`
	OpenedAt     projections.Time  `json:"opened_at"`
	Since        projections.Time  `json:"since"` // when it entered the state
	PausedUntil  *projections.Time `json:"paused_until,omitempty"`
	Offered      *Offered          `json:"offered,omitempty"` // while it is offered
	Alerts       []Alert           `json:"alerts,omitempty"`  // that stand
	// WaitingSince is the time of the contact's first message that nobody has answered.
	WaitingSince *projections.Time `json:"waiting_since,omitempty"`
	LastLine     *Line             `json:"last_line,omitempty"`
	Revision     domain.Position   `json:"revision"`
}

// Offered is to whom alone a conversation is offered, and until when the offer stands.
type Offered struct {
	Operators []string         `json:"operators"` // those who declined left out
	Until     projections.Time `json:"until"`
}

// To reports whether it is the operator's.
func (o *Offered) To(operator string) bool { return o != nil && slices.Contains(o.Operators, operator) }

// Alert says that the conversation needs somebody: an operator, or all of the department who have a role.
type Alert struct {
	Cause    string           `json:"cause"` // pause_over, unattended
	Operator string           `json:"operator,omitempty"`
	Role     string           `json:"role,omitempty"`
	At       projections.Time `json:"at"`
}

// Contact is whom the conversation is with.
type Contact struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Address string `json:"address"`
}

// Line is the newest message.
type Line struct {
	Message   string           `json:"message"`
	Direction string           `json:"direction"` // in, out
	Kind      string           `json:"kind"`
	Text      string           `json:"text"` // at most 200 characters; empty for a message without text
	At        projections.Time `json:"at"`
}

// Page is a part of a list.
type Page struct {
	Items    []Row           `json:"items"`
	Next     string          `json:"next,omitempty"`
	HasMore  bool            `json:"has_more"`
	Position domain.Position `json:"position"`
}

// Filter narrows a list. The zero value: every open conversation of the workspace but those that their owners archived.
type Filter struct {
	Department string
	States     []string // of States; none: all of them
	Operator   string   // owner
	Contact    string
	OfferedTo  string // one of the operators to whom it is offered
	Archived   bool   // include those that their owners archived
	Cursor     string
	Limit      int             // 50 when 0, at most 200
	AsOf       domain.Position // 0: now
}
