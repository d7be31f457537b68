package workflow_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/workflow"
)

// F136: texts are asked whatever their case, accents and spaces; whole words are no parts of words; what is erased has no value.
func TestTextsAreAskedAsPeopleWriteThem(t *testing.T) {
	yes, half := true, 0.5
	s := workflow.Subject{
		"message": {"¿Cómo puedo darme de BAJA?  Ya no quiero\nel servicio"}, "contact.email": {"Ana@ACME.com"}, "contact.fields.plan": {"Móvil"},
		"contact.fields.gasto": {"12.5"}, "comment": workflow.Text(domain.Erased), "contact.company": workflow.Text(""), "channel": {"Web"},
	}
	on := func(field string, c setting.Condition) setting.Condition { c.Field = field; return c }
	none := func(of ...setting.Condition) setting.Condition { return setting.Condition{None: of} }
	for name, c := range map[string]struct {
		when setting.Condition
		want workflow.Truth
	}{
		"a part":                      {on("message", setting.Condition{Contains: []string{"no está", "como PUEDO"}}), workflow.Yes},
		"a part of a word":            {on("message", setting.Condition{Contains: []string{"bajar"}}), workflow.No},
		"its beginning":               {on("message", setting.Condition{StartsWith: []string{"¿como"}}), workflow.Yes},
		"not its beginning":           {on("message", setting.Condition{StartsWith: []string{"como"}}), workflow.No},
		"its end":                     {on("message", setting.Condition{EndsWith: []string{"EL  servicio"}}), workflow.Yes},
		"a word before a sign":        {on("message", setting.Condition{Words: []string{"baja"}}), workflow.Yes},
		"words in a row":              {on("message", setting.Condition{Words: []string{"quiero el"}}), workflow.Yes},
		"words that are apart":        {on("message", setting.Condition{Words: []string{"quiero servicio"}}), workflow.No},
		"the beginning of a word":     {on("message", setting.Condition{Words: []string{"serv"}}), workflow.No},
		"not in it":                   {none(on("message", setting.Condition{Words: []string{"gracias"}})), workflow.Yes},
		"in it":                       {none(on("message", setting.Condition{Words: []string{"baja"}})), workflow.No},
		"one of two is in it":         {none(on("message", setting.Condition{Words: []string{"gracias"}}), on("message", setting.Condition{Contains: []string{"baja"}})), workflow.No},
		"none of what nobody knows":   {none(is("stage", "firma")), workflow.Unknown},
		"a domain":                    {on("contact.email", setting.Condition{EndsWith: []string{"@acme.com"}}), workflow.Yes},
		"a choice":                    {is("contact.fields.plan", "Fibra", "movil"), workflow.Yes},
		"not that choice":             {on("contact.fields.plan", setting.Condition{IsNot: []string{"MÓVIL"}}), workflow.No},
		"a number":                    {on("contact.fields.gasto", setting.Condition{AtLeast: &half}), workflow.Yes},
		"too much":                    {on("contact.fields.gasto", setting.Condition{AtMost: &half}), workflow.No},
		"what is no text is as it is": {is("channel", "web"), workflow.No},
		"an erased comment":           {on("comment", setting.Condition{Contains: []string{"erased"}}), workflow.No},
		"whether it is there":         {on("comment", setting.Condition{Set: &yes}), workflow.No},
		"not what it never was":       {on("contact.company", setting.Condition{IsNot: []string{"ACME"}}), workflow.Yes},
	} {
		if got := workflow.Holds([]setting.Condition{c.when}, s); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	long := workflow.Subject{"message": {strings.Repeat("á", workflow.MaxRead/2) + " baja"}}
	if workflow.Holds([]setting.Condition{on("message", setting.Condition{Contains: []string{"baja"}})}, long) != workflow.No {
		t.Error("more of a text is read than the limit says")
	}
}

func TestWhatIsAskedIsKnown(t *testing.T) {
	asks := []setting.Condition{is("tags", "a"), {None: []setting.Condition{is("contact.fields.plan", "Fibra"), {All: []setting.Condition{is("contact.tags", "a"), is("tags", "b")}}}}}
	if got := workflow.Asked(asks); !slices.Equal(got, []string{"tags", "contact.fields.plan", "contact.tags"}) {
		t.Errorf("they ask about %v", got)
	}
	if got := workflow.AskedOf(asks, "contact.fields."); !slices.Equal(got, []string{"plan"}) {
		t.Errorf("of the contact's fields about %v", got)
	}
	if workflow.Personal(asks[:1]) || !workflow.Personal(asks) {
		t.Error("it is not known whether they ask about what is sealed")
	}
}

var fields = []string{"channel", "tags", "rating", "message", "contact.fields.plan"}

func anyCondition(t *rapid.T, depth int) setting.Condition {
	if depth > 0 && rapid.Bool().Draw(t, "group") {
		var of []setting.Condition
		for range rapid.IntRange(1, 3).Draw(t, "of") {
			of = append(of, anyCondition(t, depth-1))
		}
		return rapid.SampledFrom([]setting.Condition{{All: of}, {Any: of}, {None: of}}).Draw(t, "kind")
	}
	c := setting.Condition{Field: rapid.SampledFrom(fields).Draw(t, "field")}
	values := []string{rapid.SampledFrom([]string{"a", "b", "1", "4"}).Draw(t, "value")}
	set, two := rapid.Bool().Draw(t, "set"), 2.0
	switch rapid.IntRange(0, 6).Draw(t, "test") {
	case 0:
		c.Is = values
	case 1:
		c.IsNot = values
	case 2:
		c.Set = &set
	case 3:
		c.AtLeast = &two
	case 4:
		c.Contains = values
	case 5:
		c.Words = values
	case 6:
		c.EndsWith = values
	}
	return c
}

// F136: what is answered while something is not known yet stays the answer whatever that turns out to be; once all is known there is one.
func TestAnAnswerStandsWhateverElseBecomesKnown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		conditions := []setting.Condition{anyCondition(t, 2), anyCondition(t, 2)}
		all, some := workflow.Subject{}, workflow.Subject{}
		for _, f := range fields {
			all[f] = rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "a b", "1", "4"}), 0, 2).Draw(t, f)
			if rapid.Bool().Draw(t, "known "+f) {
				some[f] = all[f]
			}
		}
		early, late := workflow.Holds(conditions, some), workflow.Holds(conditions, all)
		if late == workflow.Unknown || early != workflow.Unknown && early != late {
			t.Fatalf("it is %v of %v, and %v of %v", early, some, late, all)
		}
	})
}

// F136: whatever a contact writes, asking about it ends with an answer, and what stands in it as words stands in it.
func FuzzTextsOfConditions(f *testing.F) {
	f.Add("Quiero darme de baja", "dar de baja")
	f.Add("\xff\xfe İ", "i")
	f.Fuzz(func(t *testing.T, message, wanted string) {
		s := workflow.Subject{"message": {message}}
		ask := func(c setting.Condition) workflow.Truth {
			c.Field = "message"
			return workflow.Holds([]setting.Condition{c}, s)
		}
		contains := ask(setting.Condition{Contains: []string{wanted}})
		if contains == workflow.Unknown {
			t.Fatal("it has no answer")
		}
		for name, c := range map[string]setting.Condition{"is": {Is: []string{wanted}}, "starts": {StartsWith: []string{wanted}}, "ends": {EndsWith: []string{wanted}}} {
			if len(message) <= workflow.MaxRead && utf8.ValidString(message) && ask(c) == workflow.Yes && contains != workflow.Yes {
				t.Fatalf("%q %s %q, and does not contain it", message, name, wanted)
			}
		}
		if len(message) <= workflow.MaxRead && ask(setting.Condition{Words: []string{message}}) != workflow.Yes {
			t.Fatalf("%q has not its own words", message)
		}
	})
}
