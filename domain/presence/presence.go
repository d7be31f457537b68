// Package presence keeps whether an operator is connected, and whether available for new conversations: two different
// things, each with a history.
package presence

import "github.com/turno-desk/turno/domain"

// Status is the whole of it; every event carries it.
type Status struct {
	Operator  string          `json:"operator"`
	Connected bool            `json:"connected"`
	Available bool            `json:"available"`
	Reason    domain.Personal `json:"reason,omitempty"` // why not available, in the operator's words
}

// Event is one fact about an operator's presence.
type Event interface{ event() }

// Connected says that the operator's console is there.
type Connected struct{ Status }

// Disconnected says that it left, or was not heard of for 60 s.
type Disconnected struct {
	Status
	Cause string `json:"cause"` // left, lost, deactivated
}

// BecameAvailable says that the operator takes new conversations.
type BecameAvailable struct {
	Status
	By string `json:"by,omitempty"` // operator id of the supervisor who set it
}

// BecameUnavailable says that the operator takes none; those they have are not affected.
type BecameUnavailable struct {
	Status
	By string `json:"by,omitempty"`
}

func (Connected) event()         {}
func (Disconnected) event()      {}
func (BecameAvailable) event()   {}
func (BecameUnavailable) event() {}

// StatusOf is what an event says the status is.
func StatusOf(e Event) Status {
	switch e := e.(type) {
	case Connected:
		return e.Status
	case Disconnected:
		return e.Status
	case BecameAvailable:
		return e.Status
	case BecameUnavailable:
		return e.Status
	}
	return Status{}
}
