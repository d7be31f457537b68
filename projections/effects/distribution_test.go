package effects_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/routing"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/domain/workload"
)

var automatic = department.Settings{Distribution: department.Automatic}

// given is an assignment by a rule; an empty operator is any.
func given(conversation, to string) func(domain.Commit) bool {
	return func(c domain.Commit) bool {
		e, ok := event[thread.Taken](c)
		return ok && c.Conversation == conversation && e.Assignment != nil && (to == "" || e.Operator == to)
	}
}

// staffed makes a department with operators who are connected, and a worker that leads.
func (d *desk) staffed(s department.Settings, capacity int, operators ...string) *worker {
	d.t.Helper()
	d.department("soporte", s, capacity)
	for _, id := range operators {
		d.operator(id, "soporte")
		d.connect(id)
		d.clock.advance(time.Second)
	}
	w := d.work()
	d.leads(w)
	return w
}

func (d *desk) available(id string, yes bool) {
	d.t.Helper()
	ok[command.SettingResult](d.t)(d.settings.SetAvailability(d.t.Context(), as(id), id, yes, ""))
}

func TestWhatWaitsIsGivenToWhoHasBeenIdleLongestAndTheEventSaysWhy(t *testing.T) {
	d := newDesk(t)
	d.staffed(automatic, 0, "ana", "beto")
	first, second, third := d.writes("soporte", "1"), "", ""
	d.happens("ana has the first", 0, given(first, "ana"))
	d.clock.advance(time.Second)
	second = d.writes("soporte", "2")
	d.happens("beto the second", 0, given(second, "beto"))
	d.clock.advance(time.Second)
	third = d.writes("soporte", "3")
	c := d.happens("ana the third: her last is older", 0, given(third, "ana"))
	e, _ := event[thread.Taken](c)
	if e.How != thread.TakenByRule || e.Assignment.Rule != routing.LongestIdle || len(e.Assignment.Candidates) != 2 || c.Actor.Via != "effect:distribution" {
		t.Errorf("taken as %+v via %s", e, c.Actor.Via)
	}
	if again, _ := e.Assignment.Again(); again != "ana" {
		t.Errorf("decided again it is %s", again)
	}
	if e.Assignment.Candidates[0].Load != 1 || e.Assignment.Read == 0 || e.Assignment.Entry == 0 {
		t.Errorf("the candidates are %+v", e.Assignment)
	}
}

// TestEverythingThatMakesRoomGivesWhatWaits is N17: the triggers are events, and nothing is polled.
func TestEverythingThatMakesRoomGivesWhatWaits(t *testing.T) {
	text := thread.Content{Kind: thread.KindText, Text: "Listo"}
	for name, c := range map[string]struct {
		settings department.Settings
		capacity int
		before   func(d *desk, busy string)
		makes    func(d *desk, busy string)
	}{
		"a close": {automatic, 1, nil, func(d *desk, busy string) { d.do(as("ana"), busy, thread.Close{}) }},
		"a release by hand of what a supervisor then takes": {automatic, 1, nil, func(d *desk, busy string) {
			d.do(admin, busy, thread.Transfer{Department: "otra"})
		}},
		"a pause where paused ones are free": {department.Settings{Distribution: "automatic", PausedFree: true}, 1, nil, func(d *desk, busy string) {
			d.do(as("ana"), busy, thread.Send{Content: text})
			d.do(as("ana"), busy, thread.Pause{})
		}},
		"a capacity":      {automatic, 1, nil, func(d *desk, _ string) { d.department("soporte", automatic, 2) }},
		"an availability": {automatic, 9, func(d *desk, _ string) { d.available("ana", false) }, func(d *desk, _ string) { d.available("ana", true) }},
		"a connection":    {automatic, 9, func(d *desk, _ string) { d.disconnect("ana") }, func(d *desk, _ string) { d.connect("ana") }},
		"a setting": {automatic, 9, func(d *desk, _ string) { d.department("soporte", department.Settings{}, 9) },
			func(d *desk, _ string) { d.department("soporte", automatic, 9) }},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.department("otra", department.Settings{}, 0)
			d.staffed(c.settings, c.capacity, "ana")
			busy := d.writes("soporte", "1")
			d.happens("ana has one", 0, given(busy, "ana"))
			if c.before != nil {
				c.before(d, busy)
			}
			id := d.writes("soporte", "2")
			marker := d.writes("soporte", "3") // still waits in the end where there is room for one more
			d.until("the worker has seen it", func() bool {
				_, conv, err := d.engine.Conversation(t.Context(), "default", id)
				return err == nil && conv.State == thread.StateWaiting
			})
			c.makes(d, busy)
			d.happens("the second is given", 0, given(id, "ana"))
			_ = marker
		})
	}
}

func TestAvailabilityKeepsNewOnesAwayAndTheOthersWhereTheyAre(t *testing.T) { // F019
	d := newDesk(t)
	d.staffed(automatic, 0, "ana", "beto")
	mine := d.writes("soporte", "1")
	d.happens("ana has one", 0, given(mine, "ana"))
	d.available("ana", false)
	for i := range 3 {
		d.happens("beto gets it", 0, given(d.writes("soporte", fmt.Sprint("n", i)), "beto"))
	}
	if _, conv, err := d.engine.Conversation(t.Context(), "default", mine); err != nil || conv.Owner != "ana" {
		t.Errorf("ana's is %+v, %v", conv, err)
	}
}

func TestAManualDepartmentWaits(t *testing.T) { // F003, F020
	d := newDesk(t)
	d.department("otra", automatic, 0)
	d.staffed(department.Settings{}, 0, "ana")
	d.operator("beto", "otra")
	d.connect("beto")
	waits := d.writes("soporte", "1")
	d.happens("what comes later elsewhere is given", 0, given(d.writes("otra", "2"), "beto"))
	if _, conv, err := d.engine.Conversation(t.Context(), "default", waits); err != nil || conv.State != thread.StateWaiting {
		t.Errorf("it is %+v, %v", conv, err)
	}
}

// TestContactsAreToldOnceAQueueEntryThatAllHaveEnough is F015 and D22.
func TestContactsAreToldOnceAQueueEntryThatAllHaveEnough(t *testing.T) {
	d := newDesk(t)
	s := automatic
	s.AtCapacityMessage, s.AssignedMessage = "Hay mucha gente", "Te atiende alguien"
	d.staffed(s, 1, "ana")
	first := d.writes("soporte", "1")
	d.happens("the first is told who", 0, says(first, "Te atiende alguien"))
	second, third := d.writes("soporte", "2"), d.writes("soporte", "3")
	for _, id := range []string{second, third} {
		d.happens("it is told to wait", 0, says(id, "Hay mucha gente"))
	}
	d.writes("soporte", "2")
	d.writes("soporte", "3")
	d.do(as("ana"), first, thread.Close{})
	c := d.happens("the second is given", 0, given(second, "ana"))
	d.happens("and told so", c.Position, says(second, "Te atiende alguien"))
	d.do(as("ana"), second, thread.Release{}) // a new entry, behind the third
	d.happens("it is told again", c.Position, says(second, "Hay mucha gente"))
	count := map[string]int{}
	for _, c := range d.commits() {
		if m, ok := event[thread.MessageSent](c); ok {
			count[c.Conversation+" "+string(m.Text)]++
		}
	}
	if count[second+" Hay mucha gente"] != 2 || count[third+" Hay mucha gente"] != 1 || count[first+" Hay mucha gente"] != 0 {
		t.Errorf("told %v", count)
	}
}

func says(conversation, text string) func(domain.Commit) bool {
	return func(c domain.Commit) bool {
		m, ok := event[thread.MessageSent](c)
		return ok && c.Conversation == conversation && string(m.Text) == text
	}
}

// TestTheContactsOwnAssigneeComesBeforeTheRule is F017, F128 and D23: kept over closes, and only for somebody who is there.
func TestTheContactsOwnAssigneeComesBeforeTheRule(t *testing.T) {
	for _, s := range []department.Settings{automatic, {}} {
		t.Run(s.Distribution, func(t *testing.T) {
			d := newDesk(t)
			d.staffed(s, 0, "ana", "beto")
			first := d.writes("soporte", "vip")
			d.do(admin, first, thread.Assign{Operator: "ana"})
			d.do(as("ana"), first, thread.Close{})
			d.assignee(first, "beto")
			second := d.writes("soporte", "vip")
			c := d.happens("beto has it", 0, given(second, "beto"))
			if e, _ := event[thread.Taken](c); e.How != thread.TakenDedicated || e.Assignment.Rule != routing.Dedicated {
				t.Errorf("taken as %+v", e)
			}
			d.do(as("beto"), second, thread.Close{})
			d.available("beto", false)
			third := d.writes("soporte", "vip")
			if s.Automatic() {
				d.happens("ana has it, for beto is away", 0, given(third, "ana"))
			}
		})
	}
}

// TestWhoComesBackGetsWhatLayUnattendedFirst is F045 in the case of D13.
func TestWhoComesBackGetsWhatLayUnattendedFirst(t *testing.T) {
	d := newDesk(t)
	s := automatic
	s.ReassignAfter = 60
	d.staffed(s, 1, "ana")
	id := d.writes("soporte", "1")
	d.happens("ana has it", 0, given(id, "ana"))
	d.disconnect("ana")
	d.clock.advance(time.Minute)
	d.operator("zoe", "soporte")
	d.happens("it waits again", 0, released(id, thread.CauseUnattended))
	d.connect("ana")
	c := d.happens("ana has it again", d.head()-2, given(id, "ana"))
	if e, _ := event[thread.Taken](c); e.How != thread.TakenSticky {
		t.Errorf("taken as %+v", e)
	}
}

// TestASlotThatNobodyUsedIsFreeAgain is a worker that died between the reservation and the assignment.
func TestASlotThatNobodyUsedIsFreeAgain(t *testing.T) {
	d := newDesk(t)
	d.department("soporte", automatic, 1)
	d.operator("ana", "soporte")
	w := d.work()
	d.leads(w)
	id := d.writes("soporte", "1")
	w.stop()
	entry := d.head()
	ok[command.SettingResult](t)(d.workloads.Reserve(t.Context(), admin, workload.Reserve{
		Operator: "ana", Conversation: id, Entry: entry, Capacity: 1, Read: entry, Expires: d.clock.now().Add(10 * time.Second)}))
	d.connect("ana")
	d.work()
	other := d.writes("soporte", "2")
	d.clock.advance(time.Minute)
	d.operator("zoe")
	d.happens("the slot is free", 0, func(c domain.Commit) bool { e, ok := event[workload.Freed](c); return ok && e.Cause == "expired" })
	d.happens("the first is given after all", 0, given(id, "ana"))
	if _, conv, err := d.engine.Conversation(t.Context(), "default", other); err != nil || conv.State != thread.StateWaiting {
		t.Errorf("the other is %+v, %v", conv, err)
	}
}

// TestNoAssignmentTakesAnybodyPastTheirCapacity lets contacts write and operators take, pause, release, close, come and go at
// random while two workers distribute, one of which is replaced again and again; then it reads the whole log.
func TestNoAssignmentTakesAnybodyPastTheirCapacity(t *testing.T) {
	const capacity = 3
	d := newDesk(t)
	operators := []string{"ana", "beto", "carla"}
	w := d.staffed(automatic, capacity, operators...)
	d.work()
	var mu sync.Mutex
	var open []string
	for round := 0; round == 0 || d.assigned() < 20 && round < 30; round++ { // until the workers have come to enough
		var wg sync.WaitGroup
		for k := range 4 {
			r := rand.New(rand.NewPCG(uint64(k), uint64(3+round)))
			wg.Go(func() {
				for n := range 250 {
					time.Sleep(time.Duration(r.IntN(400)) * time.Microsecond) // as customers do, and the workers come to something
					mu.Lock()
					id := ""
					if len(open) > 0 {
						id = open[max(0, len(open)-1-r.IntN(30))]
					}
					mu.Unlock()
					op := operators[r.IntN(len(operators))]
					var err error
					switch r.IntN(12) {
					case 0, 1, 2:
						res, rerr := d.engine.Receive(t.Context(), contact, inbound("soporte", fmt.Sprint(round, "-", k, "-", n), fmt.Sprint(round, "-", k, "-", n)))
						if err = rerr; err == nil {
							mu.Lock()
							open = append(open, res.Conversation.ID)
							mu.Unlock()
						}
					case 3:
						_, err = d.engine.Do(t.Context(), as(op), id, thread.Take{})
					case 4, 5, 9, 10, 11:
						_, err = d.engine.Do(t.Context(), admin, id, thread.Close{})
					case 6:
						_, err = d.engine.Do(t.Context(), admin, id, thread.Release{})
					case 7:
						_, err = d.settings.SetAvailability(t.Context(), as(op), op, r.IntN(3) > 0, "")
					case 8:
						_, err = d.engine.Do(t.Context(), as(op), id, thread.Pause{})
					}
					var refusal *domain.Refusal
					if err != nil && !errors.As(err, &refusal) && !errors.Is(err, command.ErrUnavailable) {
						t.Error(err)
					}
				}
			})
		}
		for range 5 {
			time.Sleep(20 * time.Millisecond) // the workers change in the middle of it
			w.stop()
			w = d.work()
		}
		wg.Wait()
		for _, op := range operators {
			d.available(op, true)
		}
		for _, id := range open { // room for the next round
			_, err := d.engine.Do(t.Context(), admin, id, thread.Close{})
			var refusal *domain.Refusal
			if err != nil && !errors.As(err, &refusal) {
				t.Fatal(err)
			}
		}
	}
	marker := d.writes("soporte", "the last")
	d.do(admin, marker, thread.Assign{Operator: "ana"})
	d.keptCapacity(capacity)
}

// assigned is how often a rule has given a conversation to somebody.
func (d *desk) assigned() (n int) {
	d.t.Helper()
	for _, c := range d.commits() {
		if e, ok := event[thread.Taken](c); ok && e.Assignment != nil {
			n++
		}
	}
	return n
}

// keptCapacity reads the log: whenever a rule assigned somebody, their open conversations that a rule gave them were no more
// than the capacity, what was reserved had room at the position it names, and every decision can be taken again.
func (d *desk) keptCapacity(capacity int) {
	d.t.Helper()
	owner := map[string]string{} // by conversation
	byRule := map[string]bool{}
	ownedAt := []map[string]int{{}} // by position
	assigned := 0
	for _, c := range d.commits() {
		if c.Aggregate.Category == domain.CategoryThread && c.After != nil {
			if c.After.Owner == "" {
				delete(owner, c.Conversation)
				delete(byRule, c.Conversation)
			} else {
				if owner[c.Conversation] != c.After.Owner {
					delete(byRule, c.Conversation)
				}
				owner[c.Conversation] = c.After.Owner
			}
			if e, ok := event[thread.Taken](c); ok && e.Assignment != nil {
				assigned++
				byRule[c.Conversation] = true
				n := 0
				for id, op := range owner {
					if op == e.Operator && byRule[id] {
						n++
					}
				}
				if n > capacity {
					d.t.Errorf("at %d %s has %d by a rule, past %d", c.Position, e.Operator, n, capacity)
				}
				if again, ok := e.Assignment.Again(); !ok || again != e.Operator {
					d.t.Errorf("at %d decided again it is %q, not %s", c.Position, again, e.Operator)
				}
				if c.Before == nil || c.Before.Owner != "" {
					d.t.Errorf("at %d it was given while %+v", c.Position, c.Before)
				}
			}
		}
		if e, ok := event[workload.Reserved](c); ok {
			if e.Load >= capacity {
				d.t.Errorf("at %d a slot beyond %d was reserved: %+v", c.Position, capacity, e)
			}
			if held := ownedAt[e.Read][e.Operator]; e.Held != held {
				d.t.Errorf("at %d %d are said to be held at %d, they were %d", c.Position, e.Held, e.Read, held)
			}
		}
		count := map[string]int{}
		for _, op := range owner {
			count[op]++
		}
		ownedAt = append(ownedAt, count)
	}
	if assigned < 10 {
		d.t.Errorf("only %d were assigned: this shows nothing", assigned)
	}
	d.t.Logf("%d assigned, %d commits", assigned, len(ownedAt))
}
