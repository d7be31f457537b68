package setting_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/setting"
)

func defined(t *testing.T, img *setting.Image, all ...setting.Definition) *setting.Image {
	t.Helper()
	for _, d := range all {
		events, r := setting.DecideDefine(nil, d, img)
		if r != nil || len(events) != 1 {
			t.Fatalf("%v makes %v, %v", d, events, r)
		}
		img = img.Apply(commit(img.Position+1, events[0]))
	}
	return img
}

func TestEveryKindOfDefinitionIsMadeOnceAndRetiredOnce(t *testing.T) {
	img := defined(t, office(), setting.Field{ID: "motivo", Name: "Motivo", On: "conversation", Type: "text"}, setting.Template{ID: "hola", Name: "Hola", Text: "Hola"})
	kinds := map[setting.Kind]bool{}
	for _, d := range []setting.Definition{
		setting.Field{ID: "plan", Name: " Plan ", On: "contact", Type: "choice", Options: []string{"Fibra"}},
		setting.Funnel{ID: "b2b", Name: "B2B", Stages: []setting.Stage{{ID: "uno", Name: "Uno", Fields: []string{"motivo"}}}},
		setting.Catalog{ID: "origins", Items: []setting.Item{{ID: "feria", Name: "Feria"}}},
		setting.Tag{ID: "vip", Name: "VIP", On: []string{"contact", "contact"}},
		setting.Template{ID: "adios", Name: "Adiós", Language: "PT-br", Text: "Adeus {{contact.name}}"},
		setting.Macro{ID: "fin", Name: "Fin", Steps: []setting.Step{{Action: "messages", Template: "hola"}, {Action: "close", Summary: "listo"}}},
		setting.Segment{ID: "nuevos", Name: "Nuevos", Filter: setting.Contacts{Tags: []string{"vip"}}},
		setting.Inbox{ID: "mias", Name: " Mías ", Filter: setting.Conversations{States: []string{"paused", "attending", "paused"}, Operator: setting.Myself}},
		setting.Subscription{ID: "crm", Name: " CRM ", URL: "https://crm.example.com", Types: []string{"ticket.*", "conversation.*"}, Enabled: true},
		setting.Workflow{ID: "libre", Name: " Libre ", Enabled: true, Trigger: setting.Trigger{On: "closed", Source: []string{}}, Steps: []setting.WorkflowStep{{Action: "unassign_contact", Add: []string{}}}},
		menu(),
	} {
		kinds[d.Kind()] = true
		after := defined(t, img, d)
		is := after.Definitions[setting.Name{Kind: d.Kind(), ID: d.Ident()}]
		if again, r := setting.DecideDefine(is, d, after); len(again) > 0 || r != nil {
			t.Errorf("%s again makes %v, %v", d.Kind(), again, r)
		}
		gone, r := setting.DecideRetire(is, after)
		if r != nil || len(gone) != 1 || !setting.DefinitionOf(gone[0]).OutOfUse() {
			t.Fatalf("retiring %s makes %v, %v", d.Kind(), gone, r)
		}
		if again, r := setting.DecideRetire(setting.DefinitionOf(gone[0]), after); len(again) > 0 || r != nil {
			t.Errorf("retiring %s again makes %v, %v", d.Kind(), again, r)
		}
		if back, r := setting.DecideDefine(setting.DefinitionOf(gone[0]), d, after); len(back) != 1 || r != nil {
			t.Errorf("a retired %s that is defined again makes %v, %v", d.Kind(), back, r)
		}
	}
	for _, k := range setting.Kinds() {
		if !kinds[k] {
			t.Errorf("%s is not tried", k)
		}
	}
	if _, r := setting.DecideRetire(nil, img); r == nil || r.Code != domain.CodeNotFound {
		t.Errorf("what there isn't is retired: %v", r)
	}
}

func TestADefinitionThatIsWrongIsRefusedByWhatIsWrong(t *testing.T) {
	img := defined(t, office(), setting.Field{ID: "plan", Name: "Plan", On: "contact", Type: "text"})
	two := 2.0
	for name, c := range map[string]struct {
		when    setting.Definition
		missing []string
	}{
		"a field on nothing":                {setting.Field{ID: "x", Name: "X", Type: "text"}, []string{"on"}},
		"a choice without options":          {setting.Field{ID: "x", Name: "X", On: "contact", Type: "choice"}, []string{"options"}},
		"a text with options":               {setting.Field{ID: "x", Name: "X", On: "contact", Type: "text", Options: []string{"a"}}, []string{"options"}},
		"an id that is none":                {setting.Tag{ID: "No", Name: "X"}, []string{"id"}},
		"a funnel without stages":           {setting.Funnel{ID: "f", Name: "F"}, []string{"stages"}},
		"a stage twice":                     {setting.Funnel{ID: "f", Name: "F", Stages: []setting.Stage{{ID: "a", Name: "A"}, {ID: "a", Name: "B"}}}, []string{"stages"}},
		"a funnel that demands a contact's": {setting.Funnel{ID: "f", Name: "F", Fields: []string{"plan"}, Stages: []setting.Stage{{ID: "a", Name: "A"}}}, []string{"fields"}},
		"a list that there isn't":           {setting.Catalog{ID: "colores", Items: []setting.Item{{ID: "a", Name: "A"}}}, []string{"id"}},
		"a text without a word":             {setting.Template{ID: "t", Name: "T", Text: " "}, []string{"text"}},
		"variables that there aren't":       {setting.Template{ID: "t", Name: "T", Text: "{{b}}{{a}}{{b}}"}, []string{"variable:a", "variable:b"}},
		"a macro with an unknown template":  {setting.Macro{ID: "m", Name: "M", Steps: []setting.Step{{Action: "notes", Template: "nada"}}}, []string{"template:nada"}},
		"a step that does nothing":          {setting.Macro{ID: "m", Name: "M", Steps: []setting.Step{{Action: "tags"}}}, []string{"steps.tags"}},
		"an inbox of odd things":            {setting.Inbox{ID: "x", Filter: setting.Conversations{States: []string{"asleep"}, Tag: "A B"}}, []string{"name", "filter.states", "filter.tag"}},
		"a segment with odd fields":         {setting.Segment{ID: "s", Name: "S", Filter: setting.Contacts{Fields: map[string]string{"A B": "x"}}}, []string{"filter.fields"}},
		"a subscription with a password":    {setting.Subscription{ID: "s", URL: "https://me:secret@example.com/"}, []string{"url"}},
		"a subscription to a file":          {setting.Subscription{ID: "s", URL: "file:///etc/passwd"}, []string{"url"}},
		"a subscription to nowhere":         {setting.Subscription{ID: "s", URL: "https:///x"}, []string{"url"}},
		"a subscription with a fragment":    {setting.Subscription{ID: "s", URL: "https://example.com/#"}, []string{"url"}},
		"a pattern with a star in it":       {setting.Subscription{ID: "s", URL: "https://example.com", Types: []string{"a*b"}}, []string{"types"}},
		"a place that can't be":             {setting.Subscription{ID: "s", URL: "https://example.com", Departments: []string{"A"}, Channels: []string{""}}, []string{"departments", "channels"}},
		"a workflow of nothing":             {setting.Workflow{ID: "templates"}, []string{"id", "name", "trigger.on", "steps"}},
		"a workflow that is wrong all over": {setting.Workflow{ID: "w", Name: "W",
			Trigger: setting.Trigger{On: "silent", Source: []string{"user"}, How: []string{"manual"}, Tags: []string{"a"}},
			Conditions: []setting.Condition{
				{Field: "text", Is: []string{"a"}}, {Field: "state", Is: []string{"gone"}}, {Field: "tags"}, {Field: "owner", AtLeast: &two},
				{All: []setting.Condition{{Any: []setting.Condition{{All: []setting.Condition{{Field: "tags", Is: []string{"a"}}}}}}, {Field: "hours", Is: []string{"late"}}}},
				{Any: []setting.Condition{{Field: "tags", Is: []string{"a"}}}, Field: "tags", Is: []string{"a"}},
			},
			Steps: []setting.WorkflowStep{
				{Action: "explode"}, {Action: "assign", Operator: "nadie", Rule: "best"}, {Action: "messages", Text: "{{who}}", Template: ""}, {Action: "notes", Template: "nada"},
				{Action: "tags", Text: "a"}, {Action: "close", Reason: "superseded"}, {Action: "messages", Text: "Hola"}, {Action: "transfer", Department: "nada"}, {Action: "wait"},
			}}, []string{
			"trigger.source", "trigger.how", "trigger.tags", "trigger.after_s", "conditions.1.field", "conditions.2", "conditions.3", "conditions.4",
			"conditions.5.1.1", "conditions.5.2", "conditions.6", "steps.1.action", "steps.2.operator", "steps.2.rule", "operator:nadie", "variable:who", "template:nada",
			"steps.5.text", "steps.5.add", "steps.6.reason", "steps.7.action", "steps.8.action", "department:nada", "steps.9.for_s", "steps.9.action"}},
		"a workflow that answers what is closed": {setting.Workflow{ID: "w", Name: "W", Trigger: setting.Trigger{On: "closed"},
			Steps: []setting.WorkflowStep{{Action: "messages", Text: "Adiós"}}}, []string{"steps.1.action"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, r := setting.DecideDefine(nil, c.when, img)
			if r == nil {
				t.Fatal("it is taken")
			}
			if d := cmp.Diff(c.missing, r.Missing); d != "" || r.Code != domain.CodeInvalid {
				t.Errorf("%s (-want +got)\n%s", r.Code, d)
			}
		})
	}
}

func TestAListThatNobodyLoadedBindsNobodySaveTheOrigins(t *testing.T) {
	img := office()
	if r := img.CheckChoice(setting.CatalogInterests, "interests", "lo-que-sea"); r != nil {
		t.Error(r)
	}
	if r := img.CheckChoice(setting.CatalogOrigins, "origin", "feria"); r == nil {
		t.Error("an origin that is not in the default list is taken")
	}
	if r := img.CheckChoice(setting.CatalogOrigins, "origin", "google", ""); r != nil {
		t.Error(r)
	}
	own := defined(t, img, setting.Catalog{ID: "origins", Items: []setting.Item{{ID: "feria", Name: "Feria"}}})
	if r := own.CheckChoice(setting.CatalogOrigins, "origin", "feria"); r != nil {
		t.Error(r)
	}
	if r := own.CheckChoice(setting.CatalogOrigins, "origin", "google"); r == nil {
		t.Error("what the company's own list leaves out is taken")
	}
}

func TestFieldsTakeTheirValues(t *testing.T) {
	for _, c := range []struct {
		kind, value string
		takes       bool
	}{
		{"number", "12.5", true}, {"number", "1e999", false}, {"number", "NaN", false}, {"number", "doce", false}, {"number", "", true},
		{"date", "2026-02-28", true}, {"date", "2026-02-30", false}, {"yes_no", "yes", true}, {"yes_no", "sí", false},
		{"choice", "Fibra", true}, {"choice", "fibra", false}, {"text", "lo que sea", true},
	} {
		f := setting.Field{ID: "x", Type: c.kind, Options: []string{"Fibra"}}
		if f.Takes(domain.Personal(c.value)) != c.takes {
			t.Errorf("a %s takes %q: %v", c.kind, c.value, !c.takes)
		}
	}
}

func TestGuardsNameWhatThereIs(t *testing.T) {
	img := defined(t, office(), setting.Field{ID: "plan", Name: "Plan", On: "contact", Type: "text"})
	r := img.CheckGuards(department.Guards{Funnel: "nada", Fields: []string{"plan", "libre"}})
	if r == nil {
		t.Fatal("they are taken")
	}
	if d := cmp.Diff([]string{"funnel:nada", "field:plan"}, r.Missing); d != "" {
		t.Error(d)
	}
}

// F062: what stands in a text and is no variable stays as it was written.
func TestVariablesAreFilledAndOpenOnesNamed(t *testing.T) {
	value := func(name string) string { return map[string]string{"contact.name": "Ana"}[name] }
	for text, want := range map[string]string{
		"Hola {{contact.name}}, {{ contact.name }}": "Hola Ana, Ana",
		"{{contact.email}} {{contact.email}}":       "{{contact.email}} {{contact.email}}",
		"{{contact.name":                            "{{contact.name",
		"}} {{":                                     "}} {{",
		"{{{{contact.name}}}}":                      "{{{{contact.name}}}}",
	} {
		if got, _ := domain.Fill(text, value); got != want {
			t.Errorf("%q is filled as %q, want %q", text, got, want)
		}
	}
	if _, open := domain.Fill("{{a}}{{contact.name}}{{b}}{{a}}", value); cmp.Diff([]string{"a", "b"}, open) != "" {
		t.Errorf("open are %v", open)
	}
}

func FuzzATextWithoutValuesStaysAsItIs(f *testing.F) {
	f.Add("Hola {{contact.name}} {{ x }} }} {{")
	f.Fuzz(func(t *testing.T, text string) {
		if got, _ := domain.Fill(text, func(string) string { return "" }); got != text {
			t.Errorf("%q became %q", text, got)
		}
	})
}
