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

// Variables are the names of the variables in a text, in order, also of those that there are none of.
func Variables(text string) []string {
	var all []string
	_, _ = Fill(text, func(name string) string { all = append(all, name); return "" })
	return all
}

// Fill puts values in the place of the variables. One without a value stays as it was written, and is named in open, once.
func Fill(text string, value func(name string) string) (filled string, open []string) {
	var b strings.Builder
	for {
		before, rest, begun := strings.Cut(text, "{{")
		name, after, ended := strings.Cut(rest, "}}")
		if !begun || !ended {
			b.WriteString(text)
			return b.String(), open
		}
		b.WriteString(before)
		written := name
		name = strings.TrimSpace(name)
		if v := value(name); v != "" {
			b.WriteString(v)
		} else {
			b.WriteString("{{" + written + "}}")
			if !slices.Contains(open, name) {
				open = append(open, name)
			}
		}
		text = after
	}
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
