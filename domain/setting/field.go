package setting

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/turno-desk/turno/domain"
)

// What a field is of.
const (
	OnConversation = "conversation" // said when it is classified
	OnContact      = "contact"      // part of the profile
	OnTicket       = "ticket"
)

// The types of a field's values.
const (
	FieldText   = "text"
	FieldNumber = "number" // with a point for the fraction
	FieldDate   = "date"   // YYYY-MM-DD
	FieldChoice = "choice" // one of the options
	FieldYesNo  = "yes_no" // yes or no
)

const (
	maxOptions = 200
	maxOption  = 200 // bytes
)

// Field is something more that a company wants to know of its conversations, contacts or tickets (F093, F121, F126). Values are
// personal, whatever their type.
type Field struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	On      string   `json:"on"`   // conversation, contact, ticket
	Type    string   `json:"type"` // text, number, date, choice, yes_no
	Options []string `json:"options,omitempty"`
	Retired bool     `json:"retired,omitempty"`
}

// FieldDefined makes a field, or replaces its definition. Aggregate setting/field.<id>.
type FieldDefined struct{ Field }

// FieldRetired takes it out of use. What was entered stays.
type FieldRetired struct{ Field }

func (FieldDefined) event() {}
func (FieldRetired) event() {}

// Kind is field.
func (Field) Kind() Kind { return KindField }

// Ident is its id.
func (f Field) Ident() string { return f.ID }

// OutOfUse reports whether it was retired.
func (f Field) OutOfUse() bool { return f.Retired }

func (f Field) settled(*Image) (Definition, []string) {
	f.Name, f.Retired = strings.TrimSpace(f.Name), false
	var bad []string
	if !line(f.Name, MaxName) {
		bad = append(bad, "name")
	}
	if f.On != OnConversation && f.On != OnContact && f.On != OnTicket {
		bad = append(bad, "on")
	}
	if !slices.Contains([]string{FieldText, FieldNumber, FieldDate, FieldChoice, FieldYesNo}, f.Type) {
		bad = append(bad, "type")
	}
	wrong := func(o string) bool { return !line(o, maxOption) }
	if (f.Type == FieldChoice) != (len(f.Options) > 0) || len(f.Options) > maxOptions || slices.ContainsFunc(f.Options, wrong) {
		bad = append(bad, "options")
	}
	if len(f.Options) == 0 {
		f.Options = nil
	}
	return f, bad
}

func (Field) wants() string {
	return "A field takes a name, what it is on (conversation, contact or ticket), a type (text, number, date, choice or yes_no) and, for a choice, its options."
}

func (f Field) defined() Event { return FieldDefined{f} }
func (f Field) retired() Event { f.Retired = true; return FieldRetired{f} }

// Takes reports whether a text is a value of the field. The empty one is: it takes the value away.
func (f Field) Takes(value domain.Personal) bool {
	s := string(value)
	switch {
	case s == "":
		return true
	case f.Type == FieldNumber:
		n, err := strconv.ParseFloat(s, 64)
		return err == nil && !math.IsInf(n, 0) && !math.IsNaN(n)
	case f.Type == FieldDate:
		_, err := time.Parse(time.DateOnly, s)
		return err == nil
	case f.Type == FieldChoice:
		return slices.Contains(f.Options, s)
	case f.Type == FieldYesNo:
		return s == "yes" || s == "no"
	}
	return true
}

// Field finds a field, retired or not.
func (i *Image) Field(id string) (Field, bool) { return find[Field](i, KindField, id) }

// hasFields reports whether the company has defined a field of that sort.
func (i *Image) hasFields(on string) bool {
	for _, d := range i.Definitions {
		if f, ok := d.(Field); ok && f.On == on {
			return true
		}
	}
	return false
}

// CheckFields refuses values of fields that don't exist on conversations, contacts or tickets, that were retired, or that don't take
// them. A company that has defined no field of that sort takes any.
func (i *Image) CheckFields(on string, values map[string]domain.Personal) *domain.Refusal {
	if !i.hasFields(on) {
		return nil
	}
	var unknown, wrong []string
	for id, v := range values {
		f, ok := i.Field(id)
		switch {
		case v == "" && ok: // taking away is always possible
		case !ok || f.On != on || f.Retired:
			unknown = append(unknown, "field:"+id)
		case !f.Takes(v):
			wrong = append(wrong, "field:"+id)
		}
	}
	slices.Sort(unknown)
	slices.Sort(wrong)
	switch {
	case len(unknown) > 0:
		return &domain.Refusal{Code: domain.CodeUnknownSetting, Missing: unknown, OnSettings: true, Detail: "There are no such fields, or they are no longer in use."}
	case len(wrong) > 0:
		return &domain.Refusal{Code: domain.CodeInvalid, Missing: wrong, OnSettings: true, Detail: "These fields take another kind of value."}
	}
	return nil
}
