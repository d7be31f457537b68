package operator

import (
	"slices"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
)

// Limits of a definition.
const (
	MaxName      = 200 // bytes
	MaxEmail     = 254 // bytes
	MaxCapacity  = 1000
	MaxExtension = 16 // digits
)

// CodeExtensionTaken refuses an extension that another active operator has; Owner says who.
const CodeExtensionTaken domain.Code = "extension_taken"

// Put makes an operator, or replaces its definition. Whether the operator is active stays as it is: a set-up that is said
// again brings nobody back.
type Put struct {
	ID          string
	Name        domain.Personal
	Email       domain.Personal
	Role        Role
	Departments []string
	Capacity    int
	Extension   string
}

// Departments is what a decision needs to know of the departments: those that exist, by id.
type Departments map[string]department.Definition

// DecidePut says what a Put makes of the operator as it is (zero: there is none). Saying the same again makes nothing,
// whatever has become of the departments. That no other operator has the extension is for the caller to make sure of.
func DecidePut(is Definition, p Put, known Departments) ([]Event, *domain.Refusal) {
	p.Name, p.Email = trimmed(p.Name), trimmed(p.Email)
	p.Departments = slices.Compact(slices.Sorted(slices.Values(p.Departments)))
	if r := p.valid(); r != nil {
		return nil, r
	}
	d := Definition{
		ID: p.ID, Name: p.Name, Email: p.Email, Role: p.Role, Departments: p.Departments, Capacity: p.Capacity,
		Extension: p.Extension, Active: is.Active || is.ID == "",
	}
	if is.equal(d) {
		return nil, nil
	}
	if r := p.usable(is, known); r != nil {
		return nil, r
	}
	if is.ID == "" {
		return []Event{Registered{d}}, nil
	}
	return []Event{Changed{d}}, nil
}

func (p Put) valid() *domain.Refusal {
	var bad []string
	if !domain.ValidID(p.ID) {
		bad = append(bad, "id")
	}
	if p.Name == "" || !domain.Fits(p.Name, MaxName) {
		bad = append(bad, "name")
	}
	if p.Email != "" && (!domain.Fits(p.Email, MaxEmail) || strings.Count(string(p.Email), "@") != 1 || strings.ContainsAny(string(p.Email), " \t\n")) {
		bad = append(bad, "email")
	}
	switch p.Role {
	case RoleOperator, RoleSupervisor, RoleAdmin, RoleAuditor:
	default:
		bad = append(bad, "role")
	}
	if slices.ContainsFunc(p.Departments, func(id string) bool { return !domain.ValidID(id) }) {
		bad = append(bad, "departments")
	}
	if p.Capacity < 0 || p.Capacity > MaxCapacity {
		bad = append(bad, "capacity")
	}
	if !ValidExtension(p.Extension) && p.Extension != "" {
		bad = append(bad, "extension")
	}
	if len(bad) == 0 {
		return nil
	}
	return &domain.Refusal{Code: domain.CodeInvalid, Missing: bad,
		Detail: "An operator takes an id, a name, a role (operator, supervisor, admin or auditor), ids of departments, and optionally an e-mail, a capacity of 0 to 1000 and an extension of up to 16 digits."}
}

// usable refuses departments that don't exist and, unless the operator is in them already, retired ones.
func (p Put) usable(is Definition, known Departments) *domain.Refusal {
	var unknown, retired []string
	for _, id := range p.Departments {
		switch d, ok := known[id]; {
		case !ok:
			unknown = append(unknown, "department:"+id)
		case d.Retired && !(is.Member(id) && !is.Active):
			retired = append(retired, "department:"+id)
		}
	}
	if len(unknown) > 0 {
		return &domain.Refusal{Code: domain.CodeUnknownSetting, Missing: unknown, OnSettings: true, Detail: "There is no such department."}
	}
	if len(retired) > 0 {
		return &domain.Refusal{Code: domain.CodeRetired, Missing: retired, OnSettings: true, Detail: "The department was retired."}
	}
	return nil
}

// ValidExtension reports whether s can be an extension: 1 to MaxExtension digits.
func ValidExtension(s string) bool {
	return len(s) > 0 && len(s) <= MaxExtension && strings.Trim(s, "0123456789") == ""
}

// DecideDeactivate ends the operator's access; again is nothing.
func DecideDeactivate(is Definition) ([]Event, *domain.Refusal) {
	if is.ID == "" {
		return nil, unknown()
	}
	if !is.Active {
		return nil, nil
	}
	is.Active = false
	return []Event{Deactivated{is}}, nil
}

// DecideReactivate gives it back. An operator who is in a retired department must be put into others first.
func DecideReactivate(is Definition, known Departments) ([]Event, *domain.Refusal) {
	if is.ID == "" {
		return nil, unknown()
	}
	if is.Active {
		return nil, nil
	}
	is.Active = true
	if r := (Put{Departments: is.Departments}).usable(is, known); r != nil {
		return nil, r
	}
	return []Event{Reactivated{is}}, nil
}

// DecideYield makes the operator give up an extension that another one gets. It makes an event even when the operator
// doesn't show that extension: the event is a fence, behind which nothing that was decided before can be appended.
func DecideYield(is Definition, extension string) ([]Event, *domain.Refusal) {
	if is.ID == "" {
		return nil, nil
	}
	if is.Extension == extension {
		if is.Active {
			return nil, &domain.Refusal{Code: CodeExtensionTaken, Owner: is.ID, OnSettings: true, Missing: []string{"extension"},
				Detail: "Another operator has this extension."}
		}
		is.Extension = ""
	}
	return []Event{Changed{is}}, nil
}

func (d Definition) equal(o Definition) bool {
	return d.ID == o.ID && d.Name == o.Name && d.Email == o.Email && d.Role == o.Role && d.Capacity == o.Capacity &&
		d.Extension == o.Extension && d.Active == o.Active && slices.Equal(d.Departments, o.Departments)
}

func unknown() *domain.Refusal {
	return &domain.Refusal{Code: domain.CodeNotFound, OnSettings: true, Detail: "There is no such operator."}
}

func trimmed(p domain.Personal) domain.Personal { return domain.Personal(strings.TrimSpace(string(p))) }
