package simulation_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/presence"
	"github.com/turno-desk/turno/domain/routing"
	"github.com/turno-desk/turno/domain/simulation"
	"github.com/turno-desk/turno/domain/thread"
)

var nine = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// past writes a log, one commit a line of its story.
type past struct {
	commits []domain.Commit
	now     time.Time
	status  map[string]presence.Status
}

func newPast(departments ...department.Definition) *past {
	p := &past{now: nine.Add(-time.Hour), status: map[string]presence.Status{}}
	for _, d := range departments {
		p.add(domain.CategoryDepartment, d.ID, department.Created{Definition: d})
	}
	return p
}

func (p *past) add(category domain.Category, id string, events ...domain.Event) *domain.Commit {
	p.commits = append(p.commits, domain.Commit{
		Aggregate: domain.Aggregate{Workspace: "default", Category: category, ID: id},
		Position:  domain.Position(len(p.commits) + 1), Time: p.now, Events: events,
	})
	return &p.commits[len(p.commits)-1]
}

func (p *past) at(after time.Duration) *past { p.now = nine.Add(after); return p }

func (p *past) operator(id string, capacity int, departments ...string) {
	p.add(domain.CategoryOperator, id, operator.Registered{Definition: operator.Definition{
		ID: id, Role: operator.RoleOperator, Departments: departments, Capacity: capacity, Active: true,
	}})
}

func (p *past) connect(id string, yes bool) {
	s := presence.Status{Operator: id, Connected: yes, Available: true}
	if yes {
		p.add(domain.CategoryPresence, id, presence.Connected{Status: s})
		return
	}
	p.add(domain.CategoryPresence, id, presence.Disconnected{Status: s})
}

func (p *past) thread(id string, events ...domain.Event) {
	c := p.add(domain.CategoryThread, id, events...)
	c.Conversation, c.Contact, c.After = id+"-1", contact.ID(id), &domain.Sight{}
}

func (p *past) comes(id, department string) {
	p.thread(id, thread.Opened{Number: 1, Direction: thread.Inbound, Department: department},
		thread.Queued{Department: department, List: thread.StateWaiting, Cause: "opened"})
}

func (p *past) taken(id, op, department string) {
	p.thread(id, thread.Taken{Operator: op, Department: department, How: thread.TakenByRule, Assignment: &routing.Assignment{Rule: routing.LongestIdle}})
}

func (p *past) closes(id string) { p.thread(id, thread.Closed{Reason: thread.ClosedResolved}) }

func (p *past) record(from, to time.Time) *simulation.Recording {
	r := simulation.NewRecording("default", from, to)
	for i := range p.commits {
		r.Apply(&p.commits[i])
	}
	return r
}

func automatic(id string, capacity int) department.Definition {
	return department.Definition{ID: id, Capacity: capacity, Settings: department.Settings{Distribution: department.Automatic}}
}

// minutes are the waits in minutes, in the order of arrival, each with who answered.
func minutes(o simulation.Outcomes) string {
	var all []string
	for _, w := range o.Waits {
		who := w.Operator
		if who == "" {
			who = string(w.Outcome)
		}
		all = append(all, fmt.Sprintf("%s %g %s", strings.TrimSuffix(w.Conversation, "-1"), w.Waited.Minutes(), who))
	}
	return strings.Join(all, ", ")
}

// morning is four contacts and one operator, ana, who takes one at a time for ten minutes each. The third gives up after
// twelve minutes.
//
//	9:00 a comes, ana has it until 9:10
//	9:02 b comes, waits 8 min, until 9:20
//	9:04 c comes, gives up at 9:16
//	9:06 d comes, waits 14 min, until 9:30
func morning() *past {
	p := newPast(automatic("soporte", 1))
	p.operator("ana", 0, "soporte")
	p.at(-time.Minute).connect("ana", true)
	m := time.Minute
	p.at(0).comes("a", "soporte")
	p.taken("a", "ana", "soporte")
	p.at(2*m).comes("b", "soporte")
	p.at(4*m).comes("c", "soporte")
	p.at(6*m).comes("d", "soporte")
	p.at(10 * m).closes("a")
	p.taken("b", "ana", "soporte")
	p.at(16 * m).closes("c")
	p.at(20 * m).closes("b")
	p.taken("d", "ana", "soporte")
	p.at(30 * m).closes("d")
	p.at(time.Hour).connect("ana", false)
	return p
}

// TestAMorningReplayedWithAnotherStaffing is N16, by hand: as it was ana alone, b waits 8 minutes, d 14, c leaves after 12.
// With two, b has nobody until a's end at 9:10? No: the second takes b at once; c waits for a's end at 9:10, 6 minutes, and is
// attended the usual 10 minutes; d waits for b's end at 9:12, 6 minutes. With three nobody waits but d, for a's end, 4 minutes.
func TestAMorningReplayedWithAnotherStaffing(t *testing.T) {
	r := morning().record(nine, nine.Add(time.Hour))
	if got, want := minutes(r.AsItWas()), "a 0 ana, b 8 ana, c 12 abandoned, d 14 ana"; got != want {
		t.Errorf("it was %s, want %s", got, want)
	}
	for n, want := range map[int]string{
		0: "a 0 ana, b 8 ana, c 12 abandoned, d 14 ana",
		1: "a 0 soporte#1, b 8 soporte#1, c 12 abandoned, d 14 soporte#1",
		2: "a 0 soporte#1, b 0 soporte#2, c 6 soporte#1, d 6 soporte#2",
		3: "a 0 soporte#1, b 0 soporte#2, c 0 soporte#3, d 4 soporte#1",
	} {
		p := simulation.Plan{Departments: map[string]simulation.Change{"soporte": {Operators: n}}}
		if err := r.Check(p); err != nil {
			t.Fatal(err)
		}
		if got := minutes(r.Run(p)); got != want {
			t.Errorf("with %d it would have been %s, want %s", n, got, want)
		}
	}
	// A capacity of two is a second place, with the same operator.
	p := simulation.Plan{Departments: map[string]simulation.Change{"soporte": {Capacity: 2}}}
	if got, want := minutes(r.Run(p)), "a 0 ana, b 0 ana, c 6 ana, d 6 ana"; got != want {
		t.Errorf("with two at once it would have been %s, want %s", got, want)
	}
	// Who takes by hand needs three minutes each time: a at 9:03, b at 9:16, c gives up at that very minute, d at 9:29.
	p = simulation.Plan{Departments: map[string]simulation.Change{"soporte": {Rule: simulation.Manual}}, Pickup: 3 * time.Minute}
	if got, want := minutes(r.Run(p)), "a 3 ana, b 14 ana, c 12 abandoned, d 23 ana"; got != want {
		t.Errorf("by hand it would have been %s, want %s", got, want)
	}
}

// TestTheFiguresOfAMorning is N16: its numbers, by hand. Waits 0, 8, 12, 14 min: mean 8.5; three answered, one within 20 s and
// within 5 min; ana is there for an hour and busy for 30 minutes of it.
func TestTheFiguresOfAMorning(t *testing.T) {
	half := 0.5
	want := simulation.Figures{
		N: 4, Answered: 3, Abandoned: 1, Mean: 8*time.Minute + 30*time.Second, P50: 8 * time.Minute, P90: 14 * time.Minute,
		P95: 14 * time.Minute, Max: 14 * time.Minute, Levels: []float64{0.25, 0.25, 0.25}, Occupancy: &half,
	}
	r := morning().record(nine, nine.Add(time.Hour))
	for _, o := range []simulation.Outcomes{r.AsItWas(), r.Run(simulation.Plan{})} {
		for _, department := range []string{"", "soporte"} {
			if diff := cmp.Diff(want, o.Figures(department)); diff != "" {
				t.Errorf("%q differs (-want +got):\n%s", department, diff)
			}
		}
	}
	if got := r.AsItWas().Figures("ventas"); !reflect.DeepEqual(got, simulation.Figures{}) {
		t.Errorf("nothing came there: %+v", got)
	}
}

// TestWhatAConversationDoesAfterItsFirstWaitFollows: a transfer begins when the handling before it ends, whenever that is.
func TestWhatAConversationDoesAfterItsFirstWaitFollows(t *testing.T) {
	m := time.Minute
	p := newPast(automatic("soporte", 1), automatic("ventas", 1))
	p.operator("ana", 0, "soporte")
	p.operator("beto", 0, "ventas")
	p.at(-m).connect("ana", true)
	p.connect("beto", true)
	p.at(0).comes("a", "soporte")
	p.taken("a", "ana", "soporte")
	p.at(m).comes("b", "soporte")
	p.at(10*m).thread("a", thread.Transferred{FromDepartment: "soporte", FromOperator: "ana", Department: "ventas"},
		thread.Queued{Department: "ventas", List: thread.StateWaiting, Cause: "transferred"})
	p.taken("a", "beto", "ventas")
	p.taken("b", "ana", "soporte")
	p.at(15*m).thread("b", thread.Paused{Operator: "ana"})
	p.at(20*m).thread("b", thread.Resumed{Operator: "ana"})
	p.at(25*m).thread("b", thread.Transferred{FromDepartment: "soporte", FromOperator: "ana", Department: "ventas", Operator: "beto"},
		thread.Taken{Operator: "beto", Department: "ventas", How: thread.TakenTransfer})
	p.at(40 * m).closes("b")
	p.at(50 * m).closes("a")
	r := p.record(nine, nine.Add(time.Hour))
	if got, want := minutes(r.Run(simulation.Plan{})), "a 0 ana, b 9 ana, a 0 beto"; got != want || minutes(r.AsItWas()) != want {
		t.Errorf("%s, and it was %s, want %s", got, minutes(r.AsItWas()), want)
	}
	// With two in soporte b is attended from 9:01 and handed over at 9:16, past beto's capacity, for he was named; a comes to ventas
	// at 9:10 as before.
	plan := simulation.Plan{Departments: map[string]simulation.Change{"soporte": {Operators: 2}}}
	if got, want := minutes(r.Run(plan)), "a 0 soporte#1, b 0 soporte#2, a 0 beto"; got != want {
		t.Errorf("with two it would have been %s, want %s", got, want)
	}
	// From 9:12 on: b is with ana then, a with beto, and neither counts as a wait.
	if got := minutes(p.record(nine.Add(12*m), nine.Add(time.Hour)).Run(simulation.Plan{})); got != "" {
		t.Errorf("from the middle on it is %s", got)
	}
}

func TestWhatHadNotEndedCountsWithWhatItHasWaited(t *testing.T) {
	p := newPast(automatic("soporte", 1))
	p.operator("ana", 0, "soporte")
	p.at(-time.Minute).connect("ana", true)
	p.at(0).comes("a", "soporte")
	p.taken("a", "ana", "soporte")
	p.at(2*time.Minute).comes("b", "soporte")
	p.at(30*time.Minute).comes("c", "otra")
	r := p.record(nine, nine.Add(time.Hour))
	for _, o := range []simulation.Outcomes{r.AsItWas(), r.Run(simulation.Plan{})} {
		f := o.Figures("soporte")
		if f.N != 2 || f.Waiting != 1 || f.Max != 28*time.Minute || f.Levels[2] != 0.5 {
			t.Errorf("%+v", f)
		}
	}
}

func TestAPlanForNobodyIsRefused(t *testing.T) {
	r := morning().record(nine, nine.Add(time.Hour))
	for want, c := range map[string]simulation.Plan{
		"department":  {Departments: map[string]simulation.Change{"ventas": {}}},
		"rule":        {Departments: map[string]simulation.Change{"soporte": {Rule: "fastest"}}},
		"operators":   {Departments: map[string]simulation.Change{"soporte": {Operators: -1}}},
		"capacity":    {Departments: map[string]simulation.Change{"soporte": {Capacity: -1}}},
		"before they": {Pickup: -1},
	} {
		if err := r.Check(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestMoreOperatorsNeverLetAnybodyWaitLonger is a law of N16: in a single department without abandonment, first come first
// served, one operator more makes no wait longer, whatever the rule and the capacity, so no percentile worse either.
func TestMoreOperatorsNeverLetAnybodyWaitLonger(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newPast(automatic("soporte", rapid.IntRange(1, 3).Draw(t, "capacity")))
		type end struct {
			id string
			at int
		}
		var ends []end
		second := 0
		for i := range rapid.IntRange(1, 30).Draw(t, "arrivals") {
			second += rapid.IntRange(1, 300).Draw(t, "gap")
			id := fmt.Sprintf("c%02d", i)
			ends = append(ends, end{id, second})
		}
		for _, e := range ends { // each is answered at once and takes as long as it takes: by whom does not matter
			p.at(time.Duration(e.at)*time.Second).comes(e.id, "soporte")
			p.taken(e.id, "ana", "soporte")
			p.at(time.Duration(e.at+rapid.IntRange(1, 2000).Draw(t, "handling")) * time.Second).closes(e.id)
		}
		p.at(20*time.Hour).comes("last", "soporte")
		r := p.record(nine, nine.Add(19*time.Hour))
		rule := rapid.SampledFrom(simulation.Rules()).Draw(t, "rule")
		run := func(n int) simulation.Outcomes {
			return r.Run(simulation.Plan{Departments: map[string]simulation.Change{"soporte": {Operators: n, Rule: rule}}})
		}
		n := rapid.IntRange(1, 4).Draw(t, "operators")
		fewer, more := run(n), run(n+1)
		if len(fewer.Waits) != len(ends) || len(more.Waits) != len(ends) {
			t.Fatalf("%d and %d waits of %d", len(fewer.Waits), len(more.Waits), len(ends))
		}
		for i := range fewer.Waits {
			if more.Waits[i].Waited > fewer.Waits[i].Waited {
				t.Fatalf("%s waits %s with %d, %s with %d", more.Waits[i].Conversation, fewer.Waits[i].Waited, n, more.Waits[i].Waited, n+1)
			}
		}
		if a, b := fewer.Figures(""), more.Figures(""); b.P50 > a.P50 || b.Max > a.Max {
			t.Fatalf("worse with more: %+v, %+v", a, b)
		}
		if again := run(n); !reflect.DeepEqual(again, fewer) {
			t.Fatal("the same plan gave something else")
		}
	})
}

// TestNobodyHasMoreThanTheCapacity and nothing is lost: every wait ends once.
func TestNobodyHasMoreThanTheCapacity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newPast(automatic("a", 1), automatic("b", 2))
		p.operator("ana", 0, "a", "b")
		p.operator("beto", 0, "b")
		second, came := 0, 0
		capacity, handling := map[string]int{"a": 1, "b": 2}, map[string]time.Duration{}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			second += rapid.IntRange(1, 200).Draw(t, "gap")
			p.at(time.Duration(second) * time.Second)
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				op := rapid.SampledFrom([]string{"ana", "beto"}).Draw(t, "operator")
				p.connect(op, !p.status[op].Connected)
				p.status[op] = presence.Status{Connected: !p.status[op].Connected}
			default:
				d := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "department")
				id := fmt.Sprintf("c%02d", came)
				came++
				p.comes(id, d)
				p.taken(id, "nobody", d)
				now := p.now
				handling[id+"-1"] = time.Duration(rapid.IntRange(1, 900).Draw(t, "handling")) * time.Second
				p.now = now.Add(handling[id+"-1"])
				p.closes(id)
				p.now = now
			}
		}
		p.at(100*time.Hour).comes("last", "a")
		o := p.record(nine, nine.Add(99*time.Hour)).Run(simulation.Plan{})
		if len(o.Waits) != came {
			t.Fatalf("%d of %d waits", len(o.Waits), came)
		}
		ids := map[string]bool{}
		for _, w := range o.Waits {
			if ids[w.Conversation] || w.Waited < 0 || (w.Outcome == simulation.Answered) != (w.Operator != "") {
				t.Fatalf("%+v", w)
			}
			ids[w.Conversation] = true
			held, taken := 0, w.At.Add(w.Waited)
			for _, v := range o.Waits {
				begun := v.At.Add(v.Waited)
				if v != w && v.Operator == w.Operator && begun.Before(taken) && begun.Add(handling[v.Conversation]).After(taken) {
					held++
				}
			}
			if w.Operator != "" && held >= capacity[w.Department] {
				t.Fatalf("%s has %d already when %+v comes", w.Operator, held, w)
			}
		}
		for id, b := range o.Busy {
			if b.Busy > b.Available {
				t.Fatalf("%s is busy for %s of %s", id, b.Busy, b.Available)
			}
		}
		if !slices.IsSortedFunc(o.Waits, func(x, y simulation.Wait) int { return x.At.Compare(y.At) }) {
			t.Fatal("not in order")
		}
	})
}
