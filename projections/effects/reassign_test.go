package effects_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections/effects"
	"github.com/turno-desk/turno/projections/floor"
)

// released is the release of a conversation for a cause.
func released(conversation, cause string) func(domain.Commit) bool {
	return func(c domain.Commit) bool {
		e, ok := event[thread.Released](c)
		return ok && c.Conversation == conversation && e.Cause == cause
	}
}

// TestAnUnansweredConversationWaitsAgainTenMinutesAfterItsOwnerLeft is D13.
func TestAnUnansweredConversationWaitsAgainTenMinutesAfterItsOwnerLeft(t *testing.T) {
	d := newDesk(t)
	d.department("soporte", department.Settings{}, 0)
	d.operator("ana", "soporte")
	d.connect("ana")
	w := d.work()
	d.leads(w)
	unanswered, answered, paused := d.writes("soporte", "1"), d.writes("soporte", "2"), d.writes("soporte", "3")
	for _, id := range []string{unanswered, answered, paused} {
		d.do(as("ana"), id, thread.Take{})
	}
	d.do(as("ana"), answered, thread.Send{Content: thread.Content{Kind: thread.KindText, Text: "Buenas"}})
	d.do(as("ana"), paused, thread.Pause{})
	d.disconnect("ana")
	left := d.clock.now()

	d.clock.advance(10*time.Minute - time.Second)
	last := d.writes("soporte", "4") // wakes the worker, in vain
	if got := d.do(admin, last, thread.Tag{Add: []string{"x"}}); got.Position == 0 {
		t.Fatal("no tag")
	}
	d.clock.advance(time.Second)
	d.writes("soporte", "5")
	c := d.happens("the unanswered one is released", 0, released(unanswered, thread.CauseUnattended))
	if !c.Time.Equal(left.Add(10*time.Minute)) || c.After.State != thread.StateWaiting || c.Actor.Via != "effect:unattended" {
		t.Errorf("released at %s as %+v via %s", c.Time, c.After, c.Actor.Via)
	}
	for _, id := range []string{answered, paused} {
		_, conv, err := d.engine.Conversation(t.Context(), "default", id)
		if err != nil || conv.Owner != "ana" {
			t.Errorf("%s is %+v, %v", id, conv, err)
		}
	}
}

func TestAnOwnerWhoComesBackInTimeKeepsTheConversation(t *testing.T) {
	d := newDesk(t)
	d.department("soporte", department.Settings{ReassignAfter: 60}, 0)
	d.operator("ana", "soporte")
	d.connect("ana")
	kept := d.writes("soporte", "1")
	d.do(as("ana"), kept, thread.Take{})
	d.disconnect("ana")
	d.clock.advance(59 * time.Second)
	d.connect("ana")
	d.clock.advance(time.Hour)
	lost := d.writes("soporte", "2")
	d.do(as("ana"), lost, thread.Take{})
	w := d.work()
	d.leads(w)
	d.disconnect("ana") // both are unanswered, and both due a minute later
	d.clock.advance(time.Minute)
	d.writes("soporte", "3")
	d.happens("the later one is released", 0, released(lost, thread.CauseUnattended))
	d.happens("the earlier one too, and only now", d.head()-10, released(kept, thread.CauseUnattended))
}

func TestWhatWasDueWhileNobodyWorkedIsDoneAtTheStart(t *testing.T) {
	d := newDesk(t)
	d.department("soporte", department.Settings{}, 0)
	d.operator("ana", "soporte")
	d.connect("ana")
	first := d.work() // the effects are there from here on
	d.leads(first)
	first.stop()
	id := d.writes("soporte", "1")
	d.do(as("ana"), id, thread.Take{})
	d.disconnect("ana")
	d.project()
	d.clock.advance(24 * time.Hour)
	d.work()
	d.happens("it is released", 0, released(id, thread.CauseUnattended))
}

func TestWhoIsDeactivatedOrLeavesTheDepartmentOwnsNothingThere(t *testing.T) {
	for name, change := range map[string]func(d *desk){
		"deactivated": func(d *desk) {
			ok[command.SettingResult](d.t)(d.settings.DeactivateOperator(d.t.Context(), admin, "ana"))
		},
		"left_department": func(d *desk) { d.operator("ana", "ventas") },
	} {
		for _, when := range []string{"while a worker works", "before one starts"} {
			t.Run(name+" "+when, func(t *testing.T) {
				d := newDesk(t)
				d.department("soporte", department.Settings{}, 0)
				d.department("ventas", department.Settings{}, 0)
				d.operator("ana", "soporte", "ventas")
				id := d.writes("soporte", "1")
				d.do(as("ana"), id, thread.Take{})
				if when == "before one starts" {
					change(d)
					d.project()
					d.work()
				} else {
					d.leads(d.work())
					change(d)
				}
				d.happens("it is released", 0, released(id, name))
			})
		}
	}
}

func TestAnAuditorOwnsNothing(t *testing.T) {
	d := newDesk(t)
	d.department("soporte", department.Settings{}, 0)
	d.operator("ana", "soporte")
	id := d.writes("soporte", "1")
	d.do(as("ana"), id, thread.Take{})
	ok[command.SettingResult](t)(d.settings.PutOperator(t.Context(), admin, operator.Put{ID: "ana", Name: "Ana", Role: "auditor", Departments: []string{"soporte"}}))
	d.work()
	d.happens("it is released", 0, released(id, "left_department"))
}

// TestWhatNobodyOwnsIsTakenFromNobody: a release of whoever owns it, said of what waits, would hit its next owner.
func TestWhatNobodyOwnsIsTakenFromNobody(t *testing.T) {
	d := newDesk(t)
	d.department("soporte", department.Settings{}, 0)
	d.operator("ana", "soporte")
	id := d.writes("soporte", "1")
	d.do(as("ana"), id, thread.Take{})
	d.do(as("ana"), id, thread.Release{})
	f := floor.New("default")
	for _, c := range d.commits() {
		f.Apply(&c)
	}
	if commands := (effects.Rightful{}).Settle(f, d.clock.now()); len(commands) > 0 {
		t.Errorf("it wants %+v", commands)
	}
}

// TestAnImportIsLeftAlone until somebody says something in it now.
func TestAnImportIsLeftAlone(t *testing.T) {
	d := newDesk(t)
	d.department("soporte", department.Settings{ReassignAfter: 60}, 0)
	d.operator("ana", "soporte")
	d.connect("ana")
	id := d.writes("soporte", "1")
	d.do(as("ana"), id, thread.Take{})
	d.disconnect("ana")
	f := floor.New("default")
	for _, c := range d.commits() {
		if c.Aggregate.Category == domain.CategoryThread {
			c.Origin = domain.OriginImport
		}
		f.Apply(&c)
	}
	if f.Timers.Len() != 0 {
		t.Error("a timer is set for what only an import knows")
	}
	d.writes("soporte", "1")
	commits := d.commits()
	f.Apply(&commits[len(commits)-1])
	if f.Timers.Len() != 1 {
		t.Error("the first live commit does not end that")
	}
}

// TestTheViewOfTheFloorIsTheFloor compares what the rows say with what the log says.
func TestTheViewOfTheFloorIsTheFloor(t *testing.T) {
	d := newDesk(t)
	d.department("soporte", department.Settings{}, 0)
	d.operator("ana", "soporte")
	d.connect("ana")
	for _, address := range []string{"1", "2", "3"} {
		id := d.writes("soporte", address)
		if address != "1" {
			d.do(as("ana"), id, thread.Take{})
		}
		if address == "3" {
			d.do(as("ana"), id, thread.Close{})
		}
	}
	d.disconnect("ana")
	d.project()
	got := ok[*floor.State](t)(floor.Load(t.Context(), d.views.Reader(floor.Name), "default"))
	want := floor.New("default")
	for _, c := range d.commits() {
		want.Apply(&c)
	}
	if got.Position != want.Position {
		t.Errorf("the rows are at %d, the log at %d", got.Position, want.Position)
	}
	for what, diff := range map[string]string{
		"conversations": cmp.Diff(want.Conversations, got.Conversations), "hands": cmp.Diff(want.Hands, got.Hands),
		"departments": cmp.Diff(want.Image.Departments, got.Image.Departments), "operators": cmp.Diff(want.Image.Operators, got.Image.Operators),
		"presence": cmp.Diff(want.Image.Presence, got.Image.Presence), "timers": cmp.Diff(want.Timers.All(), got.Timers.All()),
	} {
		if diff != "" {
			t.Errorf("the %s of rows and log differ:\n%s", what, diff)
		}
	}
	if got.Timers.Len() != 1 || len(got.Conversations) != 2 {
		t.Errorf("%d timers, %d conversations", got.Timers.Len(), len(got.Conversations))
	}
}
