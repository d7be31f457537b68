// Package department decides what a queue is: its name, its members' rules and what a close there demands.
package department

import "time"

// Definition is the whole of a department; every event carries it.
type Definition struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Retired  bool     `json:"retired,omitempty"`
	Capacity int      `json:"capacity,omitempty"` // per operator, for those without one of their own; 0: none
	Close    Guards   `json:"close"`
	Settings Settings `json:"settings"`
}

// Guards are what a person must give before a close; each is independent of the others (D10).
type Guards struct {
	Fields         []string `json:"fields,omitempty"`         // ids of classification fields
	Classification bool     `json:"classification,omitempty"` // an outcome
	Category       bool     `json:"category,omitempty"`
	Summary        bool     `json:"summary,omitempty"`
}

// Settings are the department's choices where the rules leave one; the zero value is the default.
type Settings struct {
	ResumeOnInbound bool  `json:"resume_on_inbound,omitempty"` // D2
	KeepOnClose     bool  `json:"keep_on_close,omitempty"`     // D6: archive_on_close is on unless this is set
	ReopenWithin    int64 `json:"reopen_within_s,omitempty"`   // D5, seconds
	ReassignAfter   int64 `json:"reassign_after_s,omitempty"`  // D13, seconds; 0: 10 min; -1: never
}

// defaultReassign is how long a conversation may lie unattended where the department says nothing else (D13).
const defaultReassign = 10 * time.Minute

// Reassign is how long a contact may wait for an answer from an owner who is not connected; false: for ever.
func (s Settings) Reassign() (after time.Duration, ever bool) {
	switch {
	case s.ReassignAfter < 0:
		return 0, false
	case s.ReassignAfter == 0:
		return defaultReassign, true
	}
	return time.Duration(s.ReassignAfter) * time.Second, true
}

// Event is one fact about a department.
type Event interface{ event() }

// Created adds a department.
type Created struct{ Definition }

// Changed replaces its definition.
type Changed struct{ Definition }

// Retired takes it out of use; Definition.Retired is true.
type Retired struct{ Definition }

func (Created) event() {}
func (Changed) event() {}
func (Retired) event() {}

// DefinitionOf is what an event says the department is.
func DefinitionOf(e Event) Definition {
	switch e := e.(type) {
	case Created:
		return e.Definition
	case Changed:
		return e.Definition
	case Retired:
		return e.Definition
	}
	return Definition{}
}
