package setting_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/turno-desk/turno/domain/setting"
)

// F136: a condition asks about a field that there is, by a test that the field takes and values that it could have.
func TestAConditionIsTakenOrRefusedByWhatIsWrong(t *testing.T) {
	bare := office()
	full := defined(t, bare, setting.Field{ID: "plan", Name: "Plan", On: "contact", Type: "choice", Options: []string{"Fibra", "Móvil"}})
	full = defined(t, full, setting.Field{ID: "gasto", Name: "Gasto", On: "contact", Type: "number"})
	full = defined(t, full, setting.Field{ID: "lugar", Name: "Lugar", On: "contact", Type: "text"})
	full = defined(t, full, setting.Field{ID: "motivo", Name: "Motivo", On: "conversation", Type: "text"})
	yes, half, six := true, 0.5, 6.0
	is := func(field string, values ...string) setting.Condition {
		return setting.Condition{Field: field, Is: values}
	}
	contains := func(field, text string) setting.Condition {
		return setting.Condition{Field: field, Contains: []string{text}}
	}
	at, field, none := []string{"conditions.1"}, []string{"conditions.1.field"}, []string(nil)
	unknown := func(id string) []string { return []string{"conditions.1.field", "field:" + id} }
	for name, c := range map[string]struct {
		on   string
		img  *setting.Image
		when setting.Condition
		want []string
	}{
		"a choice that there is":                 {"opened", full, is("contact.fields.plan", "Fibra"), none},
		"a choice that there isn't":              {"opened", full, is("contact.fields.plan", "Cable"), at},
		"a part of a choice":                     {"opened", full, contains("contact.fields.plan", "Fib"), at},
		"a field that there isn't":               {"opened", full, is("contact.fields.planta", "x"), unknown("planta")},
		"a conversation's field of a contact":    {"opened", full, is("contact.fields.motivo", "x"), unknown("motivo")},
		"any field where none is defined":        {"opened", bare, contains("contact.fields.loquesea", "x"), none},
		"any field of tickets, which have none":  {"opened", full, is("ticket.fields.pedido", "x"), none},
		"a field without a name":                 {"opened", bare, is("fields.", "x"), field},
		"a number":                               {"opened", full, setting.Condition{Field: "contact.fields.gasto", AtLeast: &half}, none},
		"a text by a number":                     {"opened", full, setting.Condition{Field: "contact.fields.lugar", AtLeast: &half}, at},
		"a number that is none":                  {"opened", full, is("contact.fields.gasto", "mucho"), at},
		"a conversation's field":                 {"closed", full, contains("fields.motivo", "factura"), none},
		"a company":                              {"opened", full, is("contact.company", "ACME"), none},
		"whether there is a name":                {"opened", full, setting.Condition{Field: "contact.name", Set: &yes}, none},
		"a name":                                 {"opened", full, is("contact.name", "Ana"), at},
		"a part of a number":                     {"opened", full, contains("contact.phone", "34"), at},
		"the domain of an address":               {"opened", full, setting.Condition{Field: "contact.email", EndsWith: []string{"@acme.com"}}, none},
		"a whole address":                        {"opened", full, setting.Condition{Field: "contact.email", EndsWith: []string{"ana@acme.com"}}, at},
		"an address":                             {"opened", full, is("contact.email", "ana@acme.com"), at},
		"a message that starts it":               {"message_received", full, setting.Condition{Field: "message", Words: []string{"dar de baja"}}, none},
		"the message that opens":                 {"opened", full, contains("message", "baja"), none},
		"no message starts a close":              {"closed", full, contains("message", "baja"), field},
		"no message starts what time does":       {"silent", full, is("message.kind", "audio"), field},
		"a kind of message":                      {"opened", full, is("message.kind", "audio"), none},
		"no kind of message":                     {"opened", full, is("message.kind", "fax"), at},
		"words without a letter":                 {"opened", full, setting.Condition{Field: "message", Words: []string{"?!"}}, at},
		"signs are text":                         {"opened", full, contains("message", "?!"), none},
		"nothing is no text":                     {"opened", full, contains("message", "  "), at},
		"a long text":                            {"opened", full, contains("message", strings.Repeat("a", setting.MaxAsked+1)), at},
		"a text that contains":                   {"opened", full, setting.Condition{Field: "channel", Contains: []string{"a"}}, at},
		"two tests":                              {"opened", full, setting.Condition{Field: "message", Contains: []string{"a"}, Words: []string{"a"}}, at},
		"a rating past its scale":                {"rated", full, setting.Condition{Field: "rating", AtMost: &six}, at},
		"a comment":                              {"rated", full, contains("comment", "lento"), none},
		"a ticket's status":                      {"closed", full, is("ticket.status", "solved"), none},
		"a status that there isn't":              {"closed", full, is("ticket.status", "lost"), at},
		"a line that there isn't":                {"opened", full, is("contact.shoe", "42"), field},
		"two kinds of group":                     {"opened", full, setting.Condition{Any: []setting.Condition{is("state", "bot")}, None: []setting.Condition{is("state", "bot")}}, at},
		"what is wrong in a group of none of it": {"opened", full, setting.Condition{None: []setting.Condition{is("state", "bot"), is("state", "gone")}}, []string{"conditions.1.2"}},
		"a condition of nothing at all":          {"opened", full, setting.Condition{}, at},
		"a field that is of tickets now":         {"opened", defined(t, full, setting.Field{ID: "lugar", Name: "Lugar", On: "ticket", Type: "text"}), is("contact.fields.lugar", "x"), unknown("lugar")},
		"a field that was retired": {"opened", full.Apply(commit(full.Position+1, setting.FieldRetired{Field: setting.Field{
			ID: "lugar", Name: "Lugar", On: "contact", Type: "text", Retired: true,
		}})), is("contact.fields.lugar", "x"), unknown("lugar")},
	} {
		t.Run(name, func(t *testing.T) {
			w := setting.Workflow{ID: "w", Name: "W", Trigger: setting.Trigger{On: c.on}, Conditions: []setting.Condition{c.when},
				Steps: []setting.WorkflowStep{{Action: setting.StepTags, Add: []string{"a"}}}}
			if c.on == setting.OnSilent {
				w.Trigger.After = 60
			}
			_, r := setting.DecideDefine(nil, w, c.img)
			var missing []string
			if r != nil {
				missing = r.Missing
			}
			if d := cmp.Diff(c.want, missing); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

func TestTextsAreFolded(t *testing.T) {
	for text, want := range map[string]string{
		" ¿DÓNDE  está\nmi pedido? ": "¿donde esta mi pedido?", "Ñandú": "nandu", "n\u0303": "n", "ŁÓDŹ": "lodz", "İstanbul": "istanbul", "１２": "12", "": "", "日本": "日本",
	} {
		if got := setting.Folded(text); got != want {
			t.Errorf("%q is folded to %q, want %q", text, got, want)
		}
	}
	if got := setting.FoldedWords("¡Quiero darme de-baja, YA!"); got != " quiero darme de baja ya " {
		t.Errorf("its words are %q", got)
	}
}

// What was folded stays as it is, in upper case too for the letters of most languages here, and is valid text.
func TestFoldingIsDoneOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-zA-ZáéíóúñÑÁÜüçãõ ,.!?0-9]{0,40}`)).Draw(t, "text")
		once := setting.Folded(s)
		if twice := setting.Folded(once); twice != once {
			t.Fatalf("%q, folded again %q", once, twice)
		}
		if !utf8.ValidString(once) {
			t.Fatalf("%q is no text", once)
		}
		if words := setting.FoldedWords(s); words != setting.FoldedWords(once) {
			t.Fatalf("%q has the words %q, folded %q", s, words, setting.FoldedWords(once))
		}
	})
}
