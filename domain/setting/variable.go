package setting

import (
	"slices"
	"strings"

	"github.com/turno-desk/turno/domain"
)

// The variables that a text may hold, between {{ and }} (F062). A contact's own fields are contact.field.<id>.
const (
	VarContactName    = "contact.name"
	VarContactEmail   = "contact.email"
	VarContactPhone   = "contact.phone"
	VarContactCompany = "contact.company"
	VarContactField   = "contact.field." // with an id behind it
	VarOperatorName   = "operator.name"
	VarDepartmentName = "department.name"
	VarChannelName    = "channel.name"
	VarTicketNumber   = "ticket.number"
)

// ValidVariable reports whether there is such a variable.
func ValidVariable(name string) bool {
	if id, ok := strings.CutPrefix(name, VarContactField); ok {
		return domain.ValidID(id)
	}
	return slices.Contains([]string{
		VarContactName, VarContactEmail, VarContactPhone, VarContactCompany, VarOperatorName, VarDepartmentName, VarChannelName, VarTicketNumber,
	}, name)
}

// FillWhole puts values in the place of the variables. One without a value vanishes with the space before it: a contact must
// never read what was meant for a machine.
func FillWhole(text string, value func(name string) string) string {
	var b strings.Builder
	for {
		before, rest, begun := strings.Cut(text, "{{")
		name, after, ended := strings.Cut(rest, "}}")
		if !begun || !ended {
			b.WriteString(text)
			return b.String()
		}
		v := value(strings.TrimSpace(name))
		if v == "" {
			before = strings.TrimSuffix(before, " ")
		}
		b.WriteString(before + v)
		text = after
	}
}
