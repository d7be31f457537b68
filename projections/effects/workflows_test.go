package effects_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	people "github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/domain/ticket"
	"github.com/turno-desk/turno/domain/workflow/rehearsal"
	"github.com/turno-desk/turno/projections/effects"
)

func (d *desk) workflow(w setting.Workflow) {
	d.t.Helper()
	if w.Name == "" {
		w.Name = w.ID
	}
	ok[command.SettingResult](d.t)(d.settings.Define(d.t.Context(), admin, w))
}

// ended waits for the end of a workflow's run.
func (d *desk) ended(workflow string) thread.WorkflowEnded {
	d.t.Helper()
	var end thread.WorkflowEnded
	d.happens("the run of "+workflow+" ends", 0, func(c domain.Commit) bool {
		e, found := event[thread.WorkflowEnded](c)
		end = e
		return found && e.Workflow == workflow
	})
	return end
}

// runs counts what the runs of a workflow did, by "started", "advanced", "waited" and "ended".
func (d *desk) runs(workflow string) map[string]int {
	counts := map[string]int{}
	for _, c := range d.commits() {
		for _, e := range c.Events {
			switch e := e.(type) {
			case thread.WorkflowStarted:
				if e.Workflow == workflow {
					counts["started"]++
				}
			case thread.WorkflowAdvanced:
				if e.Workflow == workflow {
					counts["advanced"]++
				}
			case thread.WorkflowEnded:
				if e.Workflow == workflow {
					counts["ended"]++
				}
			}
		}
	}
	return counts
}

// F136: what the contact wrote and what is on record of it and its ticket decide, as the log has them by then; no event says what was found.
func TestConditionsAskAboutTheMessageTheContactAndTheTicket(t *testing.T) {
	d := newDesk(t)
	d.department("soporte", department.Settings{}, 0)
	w := setting.Workflow{ID: "baja", Enabled: true, Trigger: setting.Trigger{On: setting.OnReceived},
		Conditions: []setting.Condition{
			{Field: setting.CondMessage, Words: []string{"dar de baja"}},
			{Any: []setting.Condition{
				{Field: setting.CondContactFields + "plan", Is: []string{"fibra"}},
				{All: []setting.Condition{{Field: "contact.company", Contains: []string{"acme"}}, {Field: setting.CondTicketStatus, Is: []string{"pending"}}}}}}},
		Steps: []setting.WorkflowStep{{Action: setting.StepTags, Add: []string{"baja"}}}}
	d.workflow(w)
	says := func(address, text string) command.Result {
		return ok[command.Result](t)(d.engine.Receive(t.Context(), contact, command.Inbound{
			Channel: "soporte", Address: address, Content: thread.Content{Kind: thread.KindText, Text: domain.Personal(text)},
		}))
	}
	known := func(conversation string, c people.Change) {
		ok[command.SettingResult](t)(d.contacts.ChangeProfile(t.Context(), admin, contactOf(conversation), c))
	}
	fibra := says("1", "Hola").Conversation.ID
	acme := says("2", "Hola")
	other := says("3", "Quiero dar de baja la línea").Conversation.ID
	known(fibra, people.Change{Fields: map[string]domain.Personal{"plan": "FIBRA"}})
	known(acme.Conversation.ID, people.Change{Lines: map[string]domain.Personal{"company": "ACME S.L."}})
	pending, number := ticket.Pending, acme.Conversation.Ticket
	tickets := command.NewTickets(command.TicketsOptions{Log: d.log, Image: d.image, Numbers: command.NewNumbers(d.log, "default", nil), Now: d.clock.now})
	ok[command.SettingResult](t)(tickets.Change(t.Context(), admin, ticket.Definition{Number: number, Requester: contactOf(acme.Conversation.ID)}, ticket.Change{Status: &pending}))
	d.leads(d.work())
	says("1", "¿Puedo DAR  de bája?")
	says("2", "Dar de baja, por favor")
	says("3", "¡Dar de baja!")
	says("1", "Gracias")
	d.until("two runs have ended", func() bool { return d.runs("baja")["ended"] == 2 })
	known(other, people.Change{Fields: map[string]domain.Personal{"plan": "Fibra"}})
	says("3", "dar de baja, digo") // by now it is so
	d.until("three runs have ended", func() bool { return d.runs("baja")["ended"] == 3 })
	for _, id := range []string{fibra, acme.Conversation.ID, other} {
		_, conv, err := d.engine.Conversation(t.Context(), "default", id)
		if err != nil || !slices.Equal(conv.Tags, []string{"baja"}) {
			t.Errorf("%s has the tags %v, %v", id, conv.Tags, err)
		}
	}
	for _, c := range d.commits() {
		if e, found := event[thread.WorkflowStarted](c); found {
			if said := fmt.Sprintf("%+v", e); strings.Contains(strings.ToLower(said), "fibra") || strings.Contains(said, "ACME") || strings.Contains(said, "dar") {
				t.Errorf("a run says what it found: %s", said)
			}
		}
	}
	d.rehearsed(w)
}

func contactOf(conversation string) string {
	id, _, _ := thread.SplitConversationID(conversation)
	return people.ID(id)
}

// rehearsed checks that a dry run over the log tells of the runs that there were, neither more nor fewer.
func (d *desk) rehearsed(w setting.Workflow) {
	d.t.Helper()
	r := rehearsal.New("default", []setting.Workflow{w}, d.clock.now().Add(-1000*time.Hour), d.clock.now().Add(time.Second))
	var ran, would []string
	for _, c := range d.commits() {
		r.Apply(&c)
		if e, found := event[thread.WorkflowStarted](c); found && e.Workflow == w.ID {
			ran = append(ran, c.Conversation)
		}
	}
	for _, run := range r.Runs(d.clock.now().Add(time.Second)) {
		would = append(would, run.Conversation)
	}
	slices.Sort(ran)
	slices.Sort(would)
	if len(ran) == 0 || !slices.Equal(ran, would) {
		d.t.Errorf("%s ran in %v, and a dry run says %v", w.ID, ran, would)
	}
}

var free = setting.Workflow{
	ID: "libre", Enabled: true, Trigger: setting.Trigger{On: setting.OnClosed, Source: []string{setting.SourceUser}},
	Steps: []setting.WorkflowStep{{Action: setting.StepUnassignContact}},
}

// F101 D23: what a person closes frees the contact from its assignee; what a workflow or the contact closes leaves it.
func TestAContactIsFreeOnceAPersonHasClosed(t *testing.T) {
	d := newDesk(t)
	d.department("soporte", department.Settings{}, 0)
	d.operator("ana", "soporte")
	d.workflow(free)
	d.workflow(setting.Workflow{ID: "cierra", Enabled: true, Trigger: setting.Trigger{On: setting.OnTagged, Tags: []string{"fin"}},
		Steps: []setting.WorkflowStep{{Action: setting.StepClose, Reason: "other"}}})
	byHer, byItself, byContact := d.writes("soporte", "1"), d.writes("soporte", "2"), d.writes("soporte", "3")
	for _, id := range []string{byHer, byItself, byContact} {
		d.assignee(id, "ana")
	}
	d.leads(d.work())
	d.do(contact, byContact, thread.Close{})
	d.do(admin, byItself, thread.Tag{Add: []string{"fin"}})
	d.ended("cierra")
	d.do(as("ana"), byHer, thread.Take{})
	d.do(as("ana"), byHer, thread.Close{})
	if end := d.ended("libre"); end.Outcome != thread.RunDone {
		t.Errorf("it ends %+v", end)
	}
	for id, want := range map[string]string{byHer: "", byItself: "ana", byContact: "ana"} {
		s := ok[people.State](t)(d.contacts.State(t.Context(), contactOf(id)))
		if s.Assignee != want {
			t.Errorf("%s is %q's, want %q", id, s.Assignee, want)
		}
	}
	if n := d.runs("libre")["started"]; n != 1 {
		t.Errorf("it ran %d times\n%s", n, d.story())
	}
	d.rehearsed(free)
}

// F136: answers are lost and the leader changes: every run begins once and does each step once.
func TestRunsAreDoneOnceThoughAnswersAreLostAndLeadersChange(t *testing.T) {
	d := newDesk(t)
	d.department("soporte", department.Settings{}, 0)
	d.workflow(setting.Workflow{ID: "saluda", Enabled: true, Trigger: setting.Trigger{On: setting.OnOpened}, Steps: []setting.WorkflowStep{
		{Action: setting.StepMessages, Text: "Hola, su número es {{ticket.number}}"}, {Action: setting.StepTags, Add: []string{"nuevo"}}, {Action: setting.StepNotes, Text: "Saludado"}}})
	d.fail.Store(30)
	first := d.work(effects.Workflows{})
	d.leads(first)
	const each = 12
	for i := range each {
		d.writes("soporte", "a"+string(rune('a'+i)))
	}
	second := d.work(effects.Workflows{})
	first.stop()
	for i := range each {
		d.writes("soporte", "b"+string(rune('a'+i)))
	}
	d.leads(second)
	d.until("all runs have ended", func() bool { return d.runs("saluda")["ended"] == 2*each })
	if n := d.runs("saluda"); n["started"] != 2*each || n["advanced"] != 6*each {
		t.Errorf("%d runs did %v", 2*each, n)
	}
	sent := 0
	for _, c := range d.commits() {
		if e, found := event[thread.MessageSent](c); found {
			sent++
			if e.Text != domain.Personal("Hola, su número es ")+domain.Personal(itoa(c.Ticket)) || c.Actor.Via != "workflow:saluda" {
				t.Errorf("%s says %q", c.Actor.Via, e.Text)
			}
		}
	}
	if sent != 2*each {
		t.Errorf("%d messages", sent)
	}
}

func itoa(n int64) string {
	var b []byte
	for ; n > 0; n /= 10 {
		b = append(b, byte('0'+n%10))
	}
	slices.Reverse(b)
	return string(b)
}

var remind = setting.Workflow{
	ID: "recuerda", Enabled: true, Trigger: setting.Trigger{On: setting.OnSilent, After: 20 * 3600},
	Conditions: []setting.Condition{{Field: setting.CondState, IsNot: []string{"paused"}}},
	Steps: []setting.WorkflowStep{
		{Action: setting.StepMessages, Text: "¿Sigue ahí?"}, {Action: setting.StepWait, For: 4 * 3600, Unless: setting.OnReceived},
		{Action: setting.StepClose, Reason: "inactive"}},
}

// D24 D10 F136: after 20 hours of silence the contact is reminded, after 24 the conversation is closed as inactive, with nobody asked; who
// answers keeps it open.
func TestSilenceIsRemindedAndThenClosed(t *testing.T) {
	d := newDesk(t)
	d.department("soporte", department.Settings{}, 0)
	d.operator("ana", "soporte")
	d.workflow(remind)
	d.leads(d.work())
	silent, answers, paused := d.writes("soporte", "1"), d.writes("soporte", "2"), d.writes("soporte", "3")
	for _, id := range []string{silent, answers, paused} {
		d.do(as("ana"), id, thread.Send{Content: thread.Content{Kind: thread.KindText, Text: "¿Qué factura?"}})
	}
	d.do(as("ana"), paused, thread.Pause{})
	d.clock.advance(20 * time.Hour)
	d.do(as("ana"), silent, thread.Note{Text: "sin respuesta"}) // whatever else happens: it is noticed with the next commit at the latest
	d.until("both wait", func() bool {
		n := 0
		for _, c := range d.commits() {
			if has[thread.WorkflowWaited](c) {
				n++
			}
		}
		return n == 2
	})
	d.clock.advance(time.Hour)
	d.writes("soporte", "2")
	if end := d.ended("recuerda"); end.Outcome != thread.RunCancelled || end.Reason != "answered" {
		t.Errorf("who answers ends it with %+v", end)
	}
	d.clock.advance(3 * time.Hour)
	d.do(as("ana"), answers, thread.Note{Text: "tick"})
	c := d.happens("the silent one is closed", 0, func(c domain.Commit) bool { return has[thread.Closed](c) })
	if e, _ := event[thread.Closed](c); c.Conversation != silent || e.Reason != thread.ClosedInactive || c.Actor.Via != "workflow:recuerda" {
		t.Errorf("%s is closed %+v by %s", c.Conversation, e, c.Actor.Via)
	}
	if n := d.runs("recuerda"); n["started"] != 2 {
		t.Errorf("it ran %v", n)
	}
	d.rehearsed(remind)
}

// F136: what was due while nobody was at work is done at the start, with the version that the run began with; and only once.
func TestWhatWasDueWhileEverythingWasDownIsDoneAtTheStart(t *testing.T) {
	d := newDesk(t)
	d.department("soporte", department.Settings{}, 0)
	d.operator("ana", "soporte")
	d.workflow(remind)
	first := d.work()
	d.leads(first)
	old, young := d.writes("soporte", "1"), d.writes("soporte", "2")
	d.do(as("ana"), old, thread.Send{Content: thread.Content{Kind: thread.KindText, Text: "¿Qué factura?"}})
	d.clock.advance(20 * time.Hour)
	d.do(as("ana"), young, thread.Send{Content: thread.Content{Kind: thread.KindText, Text: "¿Y usted?"}})
	d.happens("the old one waits", 0, func(c domain.Commit) bool { return has[thread.WorkflowWaited](c) })
	first.stop()
	changed := remind
	changed.Steps = []setting.WorkflowStep{{Action: setting.StepTags, Add: []string{"callado"}}}
	d.workflow(changed)
	d.clock.advance(21 * time.Hour)
	d.project()
	second := d.work()
	d.leads(second)
	c := d.happens("the old one is closed", 0, func(c domain.Commit) bool { return has[thread.Closed](c) })
	if c.Conversation != old {
		t.Errorf("%s is closed", c.Conversation)
	}
	c = d.happens("the young one is tagged", 0, func(c domain.Commit) bool { return has[thread.Tagged](c) })
	if c.Conversation != young {
		t.Errorf("%s is tagged", c.Conversation)
	}
	d.until("all have ended", func() bool { return d.runs("recuerda")["ended"] == 2 })
	second.stop()
	d.leads(d.work())
	if n := d.runs("recuerda"); n["started"] != 2 || n["ended"] != 2 {
		t.Errorf("it ran %v\n%s", n, d.story())
	}
}

// F015 F016 F136: a step has a conversation given by a rule in a department whose people take theirs by hand; where nobody has room it
// waits until somebody has.
func TestAWorkflowHasAConversationGivenByARule(t *testing.T) {
	d := newDesk(t)
	d.department("ventas", department.Settings{}, 1)
	d.operator("ana", "ventas")
	d.operator("beto", "ventas")
	d.workflow(setting.Workflow{ID: "reparte", Enabled: true, Trigger: setting.Trigger{On: setting.OnOpened},
		Conditions: []setting.Condition{{Field: setting.CondChannel, Is: []string{"ventas"}}},
		Steps:      []setting.WorkflowStep{{Action: setting.StepAssign, Rule: "least_busy"}}})
	d.connect("ana")
	d.leads(d.work())
	one, two := d.writes("ventas", "1"), d.writes("ventas", "2")
	got := d.happens("somebody gets one", 0, func(c domain.Commit) bool { return has[thread.Taken](c) })
	e, _ := event[thread.Taken](got)
	if e.Operator != "ana" || e.How != thread.TakenByRule || e.Assignment == nil || e.Assignment.Rule != "least_busy" {
		t.Errorf("%s: %+v", got.Conversation, e)
	}
	d.connect("beto")
	other := d.happens("the other one is given too", got.Position, func(c domain.Commit) bool { return has[thread.Taken](c) })
	if e, _ := event[thread.Taken](other); e.Operator != "beto" || other.Conversation == got.Conversation || !slices.Contains([]string{one, two}, other.Conversation) {
		t.Errorf("%s: %+v", other.Conversation, e)
	}
}

// F128 D23 F136: conditions ask about the contact, and a step makes the owner its assignee.
func TestAVIPStaysWithWhomeverItGot(t *testing.T) {
	d := newDesk(t)
	d.department("soporte", department.Settings{}, 0)
	d.operator("ana", "soporte")
	keeps := setting.Workflow{ID: "vip", Enabled: true, Trigger: setting.Trigger{On: setting.OnAssigned},
		Conditions: []setting.Condition{{Field: setting.CondContactTags, Is: []string{"vip"}}, {Field: setting.CondContactOwner, Set: new(bool)}},
		Steps:      []setting.WorkflowStep{{Action: setting.StepAssignContact, Owner: true}}}
	d.workflow(keeps)
	d.leads(d.work())
	vip, other := d.writes("soporte", "1"), d.writes("soporte", "2")
	ok[command.SettingResult](t)(d.contacts.Tag(t.Context(), admin, contactOf(vip), []string{"vip"}, nil))
	d.do(as("ana"), other, thread.Take{})
	d.do(as("ana"), vip, thread.Take{})
	d.ended("vip")
	for id, want := range map[string]string{vip: "ana", other: ""} {
		if s := ok[people.State](t)(d.contacts.State(t.Context(), contactOf(id))); s.Assignee != want {
			t.Errorf("%s is %q's, want %q", id, s.Assignee, want)
		}
	}
	d.rehearsed(keeps)
}

// F136: a step that can't be done ends the run and says why; one that starts itself over others is stopped.
func TestARunThatCantGoOnSaysWhy(t *testing.T) {
	d := newDesk(t)
	d.department("soporte", department.Settings{}, 0)
	d.operator("ana", "soporte")
	for _, w := range []setting.Workflow{
		{ID: "correo", Trigger: setting.Trigger{On: setting.OnOpened}, Steps: []setting.WorkflowStep{{Action: setting.StepMessages, Text: "A {{contact.email}}"}}},
		{ID: "cierra", Trigger: setting.Trigger{On: setting.OnTagged, Tags: []string{"fin"}}, Steps: []setting.WorkflowStep{
			{Action: setting.StepWait, For: 60}, {Action: setting.StepClose}}},
		{ID: "pone", Trigger: setting.Trigger{On: setting.OnTagged, Tags: []string{"b"}}, Steps: []setting.WorkflowStep{
			{Action: setting.StepTags, Add: []string{"a"}, Remove: []string{"b"}}}},
		{ID: "saca", Trigger: setting.Trigger{On: setting.OnTagged, Tags: []string{"a"}}, Steps: []setting.WorkflowStep{
			{Action: setting.StepTags, Add: []string{"b"}, Remove: []string{"a"}}}},
	} {
		w.Enabled = true
		d.workflow(w)
	}
	d.leads(d.work())
	id := d.writes("soporte", "1")
	if end := d.ended("correo"); end.Outcome != thread.RunFailed || end.Reason != string(command.CodeVariable) || end.Step != 1 {
		t.Errorf("without an address it ends %+v", end)
	}
	d.do(admin, id, thread.Tag{Add: []string{"fin"}})
	d.happens("it waits", 0, func(c domain.Commit) bool { return has[thread.WorkflowWaited](c) })
	d.do(admin, id, thread.Tag{Add: []string{"b"}})
	d.happens("the loop ends", 0, func(c domain.Commit) bool {
		e, found := event[thread.WorkflowEnded](c)
		return found && e.Reason == "loop"
	})
	d.do(admin, id, thread.Close{})
	if end := d.ended("cierra"); end.Outcome != thread.RunCancelled || end.Reason != "closed" || end.Step != 2 {
		t.Errorf("a close ends it with %+v", end)
	}
}

// F136: an import starts no workflow.
func TestAnImportStartsNoWorkflow(t *testing.T) {
	d := newDesk(t)
	d.department("soporte", department.Settings{}, 0)
	d.workflow(setting.Workflow{ID: "saluda", Enabled: true, Trigger: setting.Trigger{On: setting.OnOpened}, Steps: []setting.WorkflowStep{{Action: setting.StepNotes, Text: "Hola"}}})
	d.leads(d.work())
	imported := contact
	imported.Import, imported.At, imported.Key = true, d.clock.now().Add(-time.Hour), "k"
	ok[command.Result](t)(d.engine.Receive(t.Context(), imported, inbound("soporte", "old", "m")))
	live := d.writes("soporte", "live")
	d.ended("saluda")
	for _, c := range d.commits() {
		if has[thread.WorkflowStarted](c) && c.Conversation != live {
			t.Errorf("it ran in %s", c.Conversation)
		}
	}
}
