package setting_test

import (
	"slices"
	"testing"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/setting"
)

// used is an office in which everything rests on something: sales by its bot, its workflow and its macro.
func used(t *testing.T) *setting.Image {
	t.Helper()
	img := defined(t, office(),
		setting.Field{ID: "plan", Name: "Plan", On: "contact", Type: "text"},
		setting.Field{ID: "motivo", Name: "Motivo", On: "conversation", Type: "text"},
		setting.Field{ID: "monto", Name: "Monto", On: "conversation", Type: "number"},
		setting.Field{ID: "zona", Name: "Zona", On: "contact", Type: "text"},
		setting.Tag{ID: "vip", Name: "VIP"}, setting.Tag{ID: "lead", Name: "Lead"}, setting.Tag{ID: "old", Name: "Old"},
		setting.Template{ID: "hola", Name: "Hola", Text: "Hola, {{contact.field.plan}}"},
		setting.Subscription{ID: "crm", URL: "https://crm.example.com", Departments: []string{"sales"}, Channels: []string{"web"}},
		setting.Funnel{ID: "b2b", Name: "B2B", Fields: []string{"motivo"}, Stages: []setting.Stage{{ID: "uno", Name: "Uno", Fields: []string{"monto"}}}},
		setting.Inbox{ID: "theirs", Name: "Theirs", Filter: setting.Conversations{Department: "sales", Channel: "web", Tag: "vip"}},
		setting.Segment{ID: "best", Name: "Best", Filter: setting.Contacts{Tags: []string{"vip"}, Channel: "web"}},
	)
	talk := menu()
	talk.Nodes[1].Choices[0].Tags = []string{"lead"}
	img = defined(t, img, talk,
		setting.Macro{ID: "greet", Name: "Greet", Steps: []setting.Step{
			{Action: "messages", Template: "hola"}, {Action: "tags", Add: []string{"vip"}, Remove: []string{"old"}}, {Action: "transfer", Department: "sales"}}},
		setting.Workflow{ID: "care", Name: "Care", Trigger: setting.Trigger{On: "tagged", Tags: []string{"vip"}},
			Conditions: []setting.Condition{{Any: []setting.Condition{{Field: "channel", Is: []string{"web"}}, {Field: "department", IsNot: []string{"moonbase"}}, {Field: "contact.tags", Is: []string{"lead"}}}},
				{None: []setting.Condition{{Field: "contact.fields.zona", Contains: []string{"sur"}}, {Field: "fields.monto", AtLeast: new(float64)}}}},
			Steps: []setting.WorkflowStep{{Action: "notes", Text: "{{contact.field.plan}}"}, {Action: "tags", Add: []string{"lead"}, Remove: []string{"old"}},
				{Action: "webhook", Subscription: "crm"}, {Action: "transfer", Department: "sales"}}},
		setting.Workflow{ID: "thanks", Name: "Thanks", Trigger: setting.Trigger{On: "opened"}, Steps: []setting.WorkflowStep{{Action: "messages", Template: "hola"}}})
	return img.Apply(
		commit(100, department.Changed{Definition: department.Definition{ID: "sales", Name: "Sales", Close: department.Guards{Fields: []string{"motivo"}, Funnel: "b2b"}}}),
		commit(101, setting.ChannelChanged{Channel: setting.Channel{ID: "web", Type: "generic", Name: "Web", Department: "sales", Menu: "main"}}),
	)
}

// What others rest on is not retired, and the refusal names them all.
func TestWhatIsInUseIsNamedByWhatRestsOnIt(t *testing.T) {
	img := used(t)
	for name, want := range map[setting.Name][]string{
		{Kind: "department", ID: "sales"}:    {"channel:web", "macro:greet", "menu:main", "operator:ana", "operator:beto", "workflow:care"},
		{Kind: "department", ID: "moonbase"}: {"workflow:care"},
		{Kind: "channel", ID: "web"}:         {"workflow:care"},
		{Kind: "menu", ID: "main"}:           {"channel:web"},
		{Kind: "tag", ID: "vip"}:             {"macro:greet", "workflow:care"},
		{Kind: "tag", ID: "lead"}:            {"menu:main", "workflow:care"},
		{Kind: "tag", ID: "old"}:             nil, // it is only taken away
		{Kind: "template", ID: "hola"}:       {"macro:greet", "workflow:thanks"},
		{Kind: "subscription", ID: "crm"}:    {"workflow:care"},
		{Kind: "funnel", ID: "b2b"}:          {"department:sales"},
		{Kind: "field", ID: "motivo"}:        {"department:sales", "funnel:b2b"},
		{Kind: "field", ID: "monto"}:         {"funnel:b2b", "workflow:care"},
		{Kind: "field", ID: "zona"}:          {"workflow:care"},
		{Kind: "field", ID: "plan"}:          {"template:hola", "workflow:care"},
		{Kind: "macro", ID: "greet"}:         nil,
		{Kind: "inbox", ID: "theirs"}:        nil,
		{Kind: "segment", ID: "best"}:        nil,
		{Kind: "workflow", ID: "care"}:       nil,
	} {
		if got := img.InUse(name.Kind, name.ID); !slices.Equal(got, want) {
			t.Errorf("%v is in use by %v, want %v", name, got, want)
		}
		d, ok := img.Definitions[name]
		if !ok {
			continue
		}
		switch events, r := setting.DecideRetire(d, img); {
		case len(want) == 0 && (r != nil || len(events) != 1):
			t.Errorf("%v, which nothing rests on: %v, %v", name, events, r)
		case len(want) > 0 && (r == nil || r.Code != domain.CodeInUse || !r.OnSettings || !slices.Equal(r.Missing, want) || len(events) > 0):
			t.Errorf("%v, which others rest on: %v, %v", name, events, r)
		}
	}
	if _, r := setting.DecideRetireChannel(img.Channels["web"], img); r == nil || r.Code != domain.CodeInUse || !slices.Equal(r.Missing, []string{"workflow:care"}) {
		t.Errorf("a channel that a workflow asks for: %v", r)
	}
}

func TestWhatIsOutOfUseItselfIsInNobodysWay(t *testing.T) {
	img := used(t)
	retire := func(kind setting.Kind, id string) {
		t.Helper()
		events, r := setting.DecideRetire(img.Definitions[setting.Name{Kind: kind, ID: id}], img)
		if r != nil {
			t.Fatal(r)
		}
		img = img.Apply(commit(img.Position+1, events[0]))
	}
	retire(setting.KindWorkflow, "care") // was in the way of the channel, and of the tag
	events, r := setting.DecideRetireChannel(img.Channels["web"], img)
	if r != nil {
		t.Fatal(r)
	}
	img = img.Apply(commit(img.Position+1, events[0]))
	retire(setting.KindMenu, "main") // the channel was in its way
	retire(setting.KindTag, "lead")
	if got := img.InUse(setting.KindDepartment, "sales"); !slices.Equal(got, []string{"macro:greet", "operator:ana", "operator:beto"}) {
		t.Errorf("sales is used by %v", got)
	}
}

func TestNothingNewRestsOnWhatIsOutOfUse(t *testing.T) {
	img := used(t)
	img = img.Apply(
		commit(200, setting.TagRetired{Tag: setting.Tag{ID: "vip", Retired: true}}),
		commit(201, setting.FieldRetired{Field: setting.Field{ID: "plan", On: "contact", Retired: true}}),
		commit(202, setting.FieldRetired{Field: setting.Field{ID: "motivo", On: "conversation", Retired: true}}),
	)
	for name, c := range map[string]struct {
		when    setting.Definition
		missing []string
	}{
		"a template of a field":           {setting.Template{ID: "t", Name: "T", Text: "{{contact.field.plan}}"}, []string{"field:plan"}},
		"a macro to a department":         {setting.Macro{ID: "m", Name: "M", Steps: []setting.Step{{Action: "transfer", Department: "fax"}}}, []string{"department:fax"}},
		"a workflow by a tag":             {setting.Workflow{ID: "w", Name: "W", Trigger: setting.Trigger{On: "tagged", Tags: []string{"vip"}}, Steps: []setting.WorkflowStep{{Action: "release"}}}, []string{"tag:vip"}},
		"a workflow to a department":      {setting.Workflow{ID: "w", Name: "W", Trigger: setting.Trigger{On: "opened"}, Steps: []setting.WorkflowStep{{Action: "transfer", Department: "fax"}}}, []string{"department:fax"}},
		"a funnel that demands a field":   {setting.Funnel{ID: "f", Name: "F", Fields: []string{"motivo"}, Stages: []setting.Stage{{ID: "a", Name: "A"}}}, []string{"field:motivo"}},
		"a macro that takes a tag away":   {setting.Macro{ID: "m", Name: "M", Steps: []setting.Step{{Action: "tags", Remove: []string{"vip"}}}}, nil},
		"a tag that nobody defined":       {setting.Macro{ID: "m", Name: "M", Steps: []setting.Step{{Action: "tags", Add: []string{"nadie"}}}}, nil},
		"an inbox that looks at the past": {setting.Inbox{ID: "x", Name: "X", Filter: setting.Conversations{Department: "fax", Tag: "vip"}}, nil},
	} {
		_, r := setting.DecideDefine(nil, c.when, img)
		if (r != nil) != (c.missing != nil) || r != nil && (r.Code != domain.CodeInvalid || !slices.Equal(r.Missing, c.missing)) {
			t.Errorf("%s: %v, want %v", name, r, c.missing)
		}
	}
	r := img.CheckGuards(department.Guards{Fields: []string{"motivo", "plan"}, Funnel: "b2b"})
	if r == nil || r.Code != domain.CodeUnknownSetting || !slices.Equal(r.Missing, []string{"field:motivo", "field:plan"}) {
		t.Errorf("guards that demand what is out of use: %v", r)
	}
}

// What was put before those whom it names went is no change when it is put again; anything else in it is judged.
func TestTheSameAgainIsNothingThoughWhatItNamesHasGone(t *testing.T) {
	img := used(t).Apply(
		commit(200, setting.TagRetired{Tag: setting.Tag{ID: "vip", Retired: true}}),
		commit(201, setting.TagRetired{Tag: setting.Tag{ID: "lead", Retired: true}}),
		commit(202, setting.FieldRetired{Field: setting.Field{ID: "motivo", On: "conversation", Retired: true}}),
		commit(203, setting.FieldRetired{Field: setting.Field{ID: "plan", On: "contact", Retired: true}}),
		commit(204, setting.TemplateRetired{Template: setting.Template{ID: "hola", Retired: true}}),
	)
	for _, name := range []setting.Name{{Kind: "funnel", ID: "b2b"}, {Kind: "template", ID: "hola"}, {Kind: "macro", ID: "greet"}, {Kind: "menu", ID: "main"},
		{Kind: "workflow", ID: "care"}, {Kind: "workflow", ID: "thanks"}} {
		is := used(t).Definitions[name]
		if events, r := setting.DecideDefine(is, is, img); len(events) > 0 || r != nil {
			t.Errorf("%v again makes %v, %v", name, events, r)
		}
		if _, r := setting.DecideDefine(nil, is, img); r == nil {
			t.Errorf("%v is new and rests on what has gone", name)
		}
	}
	sales := img.Departments["sales"]
	put := department.Put{ID: "sales", Name: sales.Name, Close: sales.Close}
	if events, r := setting.DecidePutDepartment(sales, put, img); len(events) > 0 || r != nil {
		t.Errorf("the department again makes %v, %v", events, r)
	}
	put.Capacity = 3
	if events, r := setting.DecidePutDepartment(sales, put, img); len(events) > 0 || r == nil || !slices.Equal(r.Missing, []string{"field:motivo"}) {
		t.Errorf("a change of the department makes %v, %v", events, r)
	}
}
