// Package operator decides who answers: people with a role, departments, a capacity and an extension.
package operator

import "github.com/turno-desk/turno/domain"

// Role is what an operator may do beyond answering.
type Role string

// The roles, and the one that integrations have.
const (
	RoleOperator   Role = "operator"
	RoleSupervisor Role = "supervisor"
	RoleAdmin      Role = "admin"
	RoleAuditor    Role = "auditor"
	RoleService    Role = "service" // of a token; no operator has it
)

// Definition is the whole of an operator; every event carries it, so that the newest commit alone gives the state.
type Definition struct {
	ID          string          `json:"id"`
	Name        domain.Personal `json:"name"`
	Email       domain.Personal `json:"email,omitempty"`
	Role        Role            `json:"role"`
	Departments []string        `json:"departments"`         // ids, sorted
	Capacity    int             `json:"capacity,omitempty"`  // conversations at once; 0: no limit of their own
	Extension   string          `json:"extension,omitempty"` // unique in the workspace
	Active      bool            `json:"active"`
}

// Event is one fact about an operator.
type Event interface{ event() }

// Registered adds an operator.
type Registered struct{ Definition }

// Changed replaces the definition.
type Changed struct{ Definition }

// Deactivated ends the operator's access; Definition.Active is false.
type Deactivated struct{ Definition }

// Reactivated gives it back.
type Reactivated struct{ Definition }

// Erased says that the key of the operator's personal fields was destroyed.
type Erased struct{ Definition }

func (Registered) event()  {}
func (Changed) event()     {}
func (Deactivated) event() {}
func (Reactivated) event() {}
func (Erased) event()      {}

// Member reports whether the operator belongs to the department.
func (d Definition) Member(department string) bool {
	for _, m := range d.Departments {
		if m == department {
			return true
		}
	}
	return false
}

// DefinitionOf is what an event says the operator is.
func DefinitionOf(e Event) Definition {
	switch e := e.(type) {
	case Registered:
		return e.Definition
	case Changed:
		return e.Definition
	case Deactivated:
		return e.Definition
	case Reactivated:
		return e.Definition
	case Erased:
		return e.Definition
	}
	return Definition{}
}
