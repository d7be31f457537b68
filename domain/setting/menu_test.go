package setting_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
)

// menu is one that nothing is wrong with.
func menu() setting.Menu {
	return setting.Menu{
		ID: "main", Name: "Main", Person: setting.Person{Title: "A person"},
		Nodes: []setting.Node{
			{ID: "start", Text: "Hello {{contact.name}}", Choices: []setting.Choice{
				{ID: "more", Title: "More", Action: setting.ActionOpen, Node: "deep"},
				{ID: "bye", Title: "Bye", Action: setting.ActionClose},
			}},
			{ID: "deep", Text: "Well?", Choices: []setting.Choice{
				{ID: "people", Title: "People", Action: setting.ActionHandOff, Department: "sales", Tags: []string{"b", "a", "b"}},
				{ID: "hours", Title: "Hours", Action: setting.ActionAnswer, Text: "Always."},
				{ID: "back", Title: "Back", Action: setting.ActionStart},
			}},
		},
	}
}

// F013: a menu is taken whole or refused by all that is wrong with it.
func TestAMenuIsRefusedByEveryFault(t *testing.T) {
	long := strings.Repeat("a", setting.MaxBotText)
	for name, c := range map[string]struct {
		change  func(*setting.Menu)
		missing []string
	}{
		"nothing in it":              {func(m *setting.Menu) { *m = setting.Menu{ID: "main"} }, []string{"name", "nodes", "person.title"}},
		"no way to a person":         {func(m *setting.Menu) { m.Person.Title = " " }, []string{"person.title"}},
		"the person's own id":        {func(m *setting.Menu) { m.Nodes[0].Choices[0].ID = "person" }, []string{"nodes.start.choices.person.id"}},
		"a node twice":               {func(m *setting.Menu) { m.Nodes[1].ID = "start" }, []string{"nodes.1.id", "nodes.start.choices.more.node"}},
		"a choice's id in two nodes": {func(m *setting.Menu) { m.Nodes[1].Choices[0].ID = "bye" }, []string{"nodes.deep.choices.bye.id"}},
		"a node without choices":     {func(m *setting.Menu) { m.Nodes[1].Choices = nil }, []string{"nodes.deep.choices"}},
		"an id that is none":         {func(m *setting.Menu) { m.Nodes[0].Choices[1].ID = "No!" }, []string{"nodes.start.choices.1.id"}},
		"two titles that read alike": {func(m *setting.Menu) { m.Nodes[0].Choices[1].Title = "¡MÓRE!" }, []string{"nodes.start.choices.bye.title"}},
		"a title like the person's":  {func(m *setting.Menu) { m.Nodes[0].Choices[1].Title = "a person" }, []string{"nodes.start.choices.bye.title"}},
		"a title that is a number":   {func(m *setting.Menu) { m.Nodes[0].Choices[1].Title = "1." }, []string{"nodes.start.choices.bye.title"}},
		"a title of 25 characters":   {func(m *setting.Menu) { m.Nodes[0].Choices[1].Title = strings.Repeat("ñ", 25) }, []string{"nodes.start.choices.bye.title"}},
		"a title of two lines":       {func(m *setting.Menu) { m.Nodes[0].Choices[1].Title = "a\nb" }, []string{"nodes.start.choices.bye.title"}},
		"no such action":             {func(m *setting.Menu) { m.Nodes[0].Choices[1].Action = "fly" }, []string{"nodes.start.choices.bye.action"}},
		"what an action can't take": {func(m *setting.Menu) {
			m.Nodes[0].Choices[1] = setting.Choice{ID: "bye", Title: "Bye", Action: setting.ActionStart, Node: "deep", Text: "x", Department: "sales", Tags: []string{"x"}}
		}, []string{"nodes.start.choices.bye.node", "nodes.start.choices.bye.text", "nodes.start.choices.bye.department", "nodes.start.choices.bye.tags"}},
		"an answer without a text": {func(m *setting.Menu) { m.Nodes[1].Choices[1].Text = "" }, []string{"nodes.deep.choices.hours.text"}},
		"a hand-off to nobody":     {func(m *setting.Menu) { m.Nodes[1].Choices[0].Department = "" }, []string{"nodes.deep.choices.people.department"}},
		"departments there aren't": {func(m *setting.Menu) { m.Nodes[1].Choices[0].Department, m.Person.Department = "nada", "fax" }, []string{"department:nada", "department:fax"}},
		"a node there isn't":       {func(m *setting.Menu) { m.Nodes[0].Choices[0].Node = "nada" }, []string{"nodes.start.choices.more.node"}},
		"variables of nobody":      {func(m *setting.Menu) { m.Nodes[0].Text, m.Fallback.Text = "{{operator.name}}", "{{x}}" }, []string{"variable:operator.name", "variable:x"}},
		"a tag that is none":       {func(m *setting.Menu) { m.Nodes[1].Choices[0].Tags = []string{"A B"} }, []string{"nodes.deep.choices.people.tags"}},
		"a text too long":          {func(m *setting.Menu) { m.Nodes[1].Text = long + "a" }, []string{"nodes.deep.text"}},
		"too many wrong answers":   {func(m *setting.Menu) { m.Fallback.After = 11 }, []string{"fallback.after"}},
		"a silence too short":      {func(m *setting.Menu) { m.CloseAfter = 59 }, []string{"close_after_s"}},
		"a word that says nothing": {func(m *setting.Menu) { m.Person.Words = []string{"?!"} }, []string{"person.words"}},
		"a circle": {func(m *setting.Menu) {
			m.Nodes[1].Choices[2] = setting.Choice{ID: "back", Title: "Back", Action: setting.ActionOpen, Node: "start"}
		}, []string{"circle:start"}},
		"a node that nothing opens": {func(m *setting.Menu) { m.Nodes[0].Choices = m.Nodes[0].Choices[1:] }, []string{"unreached:deep"}},
		"six levels": {func(m *setting.Menu) {
			m.Nodes = nil
			for i := range 6 {
				c := setting.Choice{ID: fmt.Sprint("c", i), Title: "Down", Action: setting.ActionOpen, Node: fmt.Sprint("n", i+1)}
				if i == 5 {
					c.Action, c.Node = setting.ActionClose, ""
				}
				m.Nodes = append(m.Nodes, setting.Node{ID: fmt.Sprint("n", i), Text: "x", Choices: []setting.Choice{c}})
			}
		}, []string{"depth:n5", "unreached:n5"}},
		"more text than fits": {func(m *setting.Menu) {
			for k := range 8 {
				n := setting.Node{ID: fmt.Sprint("n", k), Text: long}
				for i := range 8 {
					n.Choices = append(n.Choices, setting.Choice{ID: fmt.Sprint("c", k, "-", i), Title: fmt.Sprint("t", i), Action: setting.ActionAnswer, Text: long})
				}
				m.Nodes = append(m.Nodes, n)
			}
		}, []string{"texts"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := menu()
			c.change(&m)
			_, r := setting.DecideDefine(nil, m, office())
			if r == nil {
				t.Fatal("it is taken")
			}
			if d := cmp.Diff(c.missing, r.Missing); d != "" || r.Code != domain.CodeInvalid {
				t.Errorf("%s (-want +got)\n%s", r.Code, d)
			}
		})
	}
}

// F013: a channel names a menu that is in use.
func TestAChannelTakesAMenuThatIsInUse(t *testing.T) {
	img := defined(t, office(), menu())
	put := setting.PutChannel{ID: "bot", Type: setting.Generic, Name: "Bot", Department: "sales", Menu: "main", BotStaysOff: true}
	events, r := setting.DecidePutChannel(setting.Channel{}, put, img)
	if r != nil || len(events) != 1 || setting.ChannelOf(events[0]).Menu != "main" || !setting.ChannelOf(events[0]).BotStaysOff {
		t.Fatalf("it makes %v, %v", events, r)
	}
	img = img.Apply(commit(img.Position+1, events[0]))
	if m, ok := img.MenuOf("bot"); !ok || m.Wrong() != 3 {
		t.Errorf("the channel talks by %v, %v", m, ok)
	}
	gone := menu()
	gone.Retired = true
	img = img.Apply(commit(img.Position+1, setting.MenuRetired{Menu: gone})) // at the same instant: nothing keeps the two apart
	if _, ok := img.MenuOf("bot"); ok {
		t.Error("the channel talks by a menu that was retired")
	}
	for menu, code := range map[string]domain.Code{"main": domain.CodeRetired, "nada": domain.CodeUnknownSetting, "No!": domain.CodeInvalid} {
		put.Menu = menu
		if _, r := setting.DecidePutChannel(setting.Channel{}, put, img); r == nil || r.Code != code {
			t.Errorf("the menu %q is answered with %v, want %s", menu, r, code)
		}
	}
}

// F013: what an answer means.
func TestAnAnswerIsReadByItsButtonNumberTitleOrTheWishForAPerson(t *testing.T) {
	m := menu()
	m.Nodes[0].Choices[0].Title = "Más información"
	choices := m.Offered(m.Nodes[0])
	for _, c := range []struct{ text, button, means string }{
		{"1", "", "more"}, {" 1. ", "", "more"}, {"1)", "", "more"}, {"#2", "", "bye"}, {"2️⃣", "", "bye"}, {"２", "", "bye"}, {"0", "", "person"},
		{"01", "", ""}, {"3", "", ""}, {"12", "", ""}, {"1 2", "", ""}, {"", "", ""}, {"…", "", ""},
		{"mas informacion", "", "more"}, {"MÁS   INFORMACIÓN!!", "", "more"}, {"Mas informacio\u0301n", "", "more"}, {"bye", "", "bye"}, {"goodbye", "", ""},
		{"agente", "", "person"}, {"Quiero hablar con una persona.", "", "person"}, {"HUMANO", "", "person"}, {"a person", "", "person"},
		{"eu quero um atendente", "", "person"}, {"ajuda", "", "person"}, {"la persona que me vendió el equipo no contesta hace días", "", ""},
		{"whatever", "bye", "bye"}, {"bye", "hours", ""}, {"agente", "hours", ""},
	} {
		got, ok := setting.ReadAnswer(c.text, c.button, choices, []string{"Ajuda"})
		if ok != (c.means != "") || got.ID != c.means {
			t.Errorf("%q (%s) means %q, want %q", c.text, c.button, got.ID, c.means)
		}
	}
}

func FuzzAnAnswerMeansOneOfTheChoicesOrNothing(f *testing.F) {
	for _, seed := range []string{"1", "0", "más", "\xff", "2️⃣", "agente\u0301", strings.Repeat("a ", 3000)} {
		f.Add(seed, "")
	}
	f.Add("x", "bye")
	m := menu()
	choices := m.Offered(m.Nodes[0])
	f.Fuzz(func(t *testing.T, text, button string) {
		got, ok := setting.ReadAnswer(text, button, choices, nil)
		if !ok {
			if got.ID != "" {
				t.Errorf("%q means nothing and %q", text, got.ID)
			}
			return
		}
		if button != "" && got.ID != button {
			t.Errorf("the button %q means %q", button, got.ID)
		}
		// Spaces and case around it change nothing.
		if utf8.ValidString(text) {
			if again, _ := setting.ReadAnswer("  "+strings.ToUpper(strings.ToLower(text))+"\n", button, choices, nil); again.ID != got.ID && strings.EqualFold(strings.ToUpper(text), text) {
				t.Errorf("%q means %q, and with spaces %q", text, got.ID, again.ID)
			}
		}
	})
}

func FuzzATextOfTheBotHoldsNoVariableInTheEnd(f *testing.F) {
	f.Add("Hola {{contact.name}}, {{ x }} }} {{")
	f.Fuzz(func(t *testing.T, text string) {
		filled := setting.FillWhole(text, func(string) string { return "" })
		for _, name := range domain.Variables(text) {
			if setting.ValidVariable(name) && strings.Count(filled, "{{"+name+"}}") > strings.Count(text, "{{{{") {
				t.Errorf("%q reads %q", text, filled)
			}
		}
	})
}
