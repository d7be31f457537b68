// Package department decides what a queue is: its name, its members' rules and what a close there demands.
package department

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
