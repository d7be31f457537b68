package effects_test

import (
	"slices"
	"testing"
	"time"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/hours"
	"github.com/turno-desk/turno/domain/thread"
)

// office makes a department that is open on weekdays from nine to six, UTC.
func (d *desk) office(s department.Settings) {
	d.t.Helper()
	work := []hours.Interval{{From: "09:00", To: "18:00"}}
	ok[command.SettingResult](d.t)(d.settings.PutCalendar(d.t.Context(), admin, hours.Put{ID: "office", Name: "Office", Zone: "UTC",
		Week: hours.Week{Monday: work, Tuesday: work, Wednesday: work, Thursday: work, Friday: work}}))
	s.Calendar = "office"
	d.department("soporte", s, 0)
	d.operator("ana", "soporte")
}

// drained are the conversations that left the out-of-hours list, in the log's order.
func (d *desk) drained() (ids []string, cause string) {
	for _, c := range d.commits() {
		if q, ok := event[thread.Queued](c); ok && (q.Cause == "hours" || q.Cause == "staffed") {
			ids, cause = append(ids, c.Conversation), q.Cause
		}
	}
	return ids, cause
}

// TestTheListDrainsInOrder is D1: at the opening, and when somebody connects.
func TestTheListDrainsInOrder(t *testing.T) {
	for _, c := range []struct{ cause, why string }{{"hours", "the hours begin"}, {"staffed", "somebody connects"}} {
		t.Run(c.why, func(t *testing.T) {
			d := newDesk(t)
			d.office(department.Settings{})
			d.leads(d.work())
			d.clock.advance(10 * time.Hour) // 19:00
			var want []string
			for _, address := range []string{"1", "2", "3", "4", "5"} {
				want = append(want, d.writes("soporte", address))
				d.clock.advance(time.Second)
			}
			if c.cause == "staffed" {
				d.connect("ana")
			} else {
				d.clock.advance(14 * time.Hour)
				d.operator("beto") // the log moves, so the clock is looked at
			}
			d.happens("the last one waits", 0, func(k domain.Commit) bool {
				q, ok := event[thread.Queued](k)
				return ok && q.Cause == c.cause && k.Conversation == want[4]
			})
			if got, cause := d.drained(); !slices.Equal(got, want) || cause != c.cause {
				t.Errorf("drained %v because of %s, want %v", got, cause, want)
			}
		})
	}
}

func TestAnOpeningThatNobodyWorkedAtDrainsTheListAtTheStart(t *testing.T) {
	d := newDesk(t)
	d.office(department.Settings{})
	w := d.work()
	d.leads(w)
	w.stop()
	d.clock.advance(10 * time.Hour)
	id := d.writes("soporte", "1")
	d.clock.advance(20 * time.Hour)
	d.project()
	d.work()
	d.happens("it waits", 0, func(c domain.Commit) bool {
		q, ok := event[thread.Queued](c)
		return ok && q.Cause == "hours" && c.Conversation == id
	})
}

// TestContactsAreToldOnceWhyNobodyAnswers is D1's two messages.
func TestContactsAreToldOnceWhyNobodyAnswers(t *testing.T) {
	d := newDesk(t)
	d.office(department.Settings{AwayMessage: "Cerrado", NobodyMessage: "Un momento"})
	d.leads(d.work())
	unstaffed := d.writes("soporte", "1")
	d.writes("soporte", "1")
	d.connect("ana")
	staffed := d.writes("soporte", "2")
	d.disconnect("ana")
	d.clock.advance(10 * time.Hour)
	away := d.writes("soporte", "3")
	d.writes("soporte", "3")
	last := d.writes("soporte", "4")
	told := func() map[string][]string {
		said := map[string][]string{}
		for _, c := range d.commits() {
			if m, ok := event[thread.MessageSent](c); ok {
				said[c.Conversation] = append(said[c.Conversation], string(m.Text))
				if m.Sender != thread.SenderMachine || c.Actor.Via != "effect:away" {
					t.Errorf("%s says %q via %s", c.Actor, m.Text, c.Actor.Via)
				}
			}
		}
		return said
	}
	d.until("the last one is told", func() bool { return len(told()[last]) > 0 })
	got := told()
	if !slices.Equal(got[unstaffed], []string{"Un momento"}) || !slices.Equal(got[away], []string{"Cerrado"}) || len(got[staffed]) != 0 {
		t.Errorf("told %v", got)
	}
}
