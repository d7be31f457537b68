// Package ticket decides what is known of a case apart from its conversations: who requests it, what about, how it stands.
// A conversation is a ticket under its own number; the ticket's aggregate begins with its first edit, or with a ticket that
// is opened apart. Which conversations belong to it is said in their threads.
package ticket

import "github.com/turno-desk/turno/domain"

// Status is how a case stands.
type Status string

// The statuses.
const (
	Open    Status = "open"
	Pending Status = "pending" // on somebody else's answer
	Solved  Status = "solved"
	Closed  Status = "closed"
)

// Definition is the whole of a ticket; every event carries it. Its texts are sealed under its requester's key.
type Definition struct {
	Number    int64                      `json:"number"`
	Requester string                     `json:"requester"` // contact id
	Subject   domain.Personal            `json:"subject,omitempty"`
	Status    Status                     `json:"status"`
	Fields    map[string]domain.Personal `json:"fields,omitempty"`
}

// Event is one fact about a ticket.
type Event interface{ event() }

// Opened begins a ticket's own record. Aggregate ticket/<number>.
type Opened struct{ Definition }

// Changed replaces it.
type Changed struct{ Definition }

// Numbered keeps a number for a ticket that is about to be opened, so that the same command opens the same one. Aggregate
// ticket/key.<hash of the command>.
type Numbered struct {
	Number int64 `json:"number"`
}

func (Opened) event()   {}
func (Changed) event()  {}
func (Numbered) event() {}

// DefinitionOf is what an event says the ticket is.
func DefinitionOf(e Event) Definition {
	switch e := e.(type) {
	case Opened:
		return e.Definition
	case Changed:
		return e.Definition
	}
	return Definition{}
}
