package effects_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/routing"
	"github.com/turno-desk/turno/domain/simulation"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/effects"
	"github.com/turno-desk/turno/projections/floor"
)

// acted has the effects do all that is to be done now, one thing after the other: a worker without its haste.
func (d *desk) acted(f *floor.State) {
	d.t.Helper()
	list := effects.All()
	do := func(e effects.Effect, commands []effects.Command) {
		for _, c := range commands {
			c.Effect = e.Name()
			var refused *domain.Refusal
			if _, err := d.command(d.t.Context(), c); err != nil && !errors.As(err, &refused) {
				d.t.Fatal(err)
			}
		}
	}
	for range 1000 {
		before := f.Position
		err := d.log.Read(d.t.Context(), before, projections.ReadOptions{ToHead: true}, func(chunk []domain.Commit) error {
			for i := range chunk {
				f.Apply(&chunk[i])
				for _, e := range list {
					if r, ok := e.(effects.Reactor); ok {
						do(e, r.React(f, &chunk[i]))
					}
				}
			}
			return nil
		})
		if err != nil {
			d.t.Fatal(err)
		}
		if f.Position != before {
			continue
		}
		for _, timer := range f.Timers.Due(d.clock.now()) {
			for _, e := range list {
				if fires, ok := e.(effects.Timed); ok {
					do(e, fires.Fire(f, timer, d.clock.now()))
				}
			}
		}
		for _, e := range list {
			if s, ok := e.(effects.Settler); ok {
				do(e, s.Settle(f, d.clock.now()))
				if d.head() != f.Position {
					break // the next effect sees what this one did
				}
			}
		}
		if d.head() == f.Position {
			return
		}
	}
	d.t.Fatal("the effects never come to rest")
}

// TestASimulationByTheActualRuleAndPresenceGivesWhatTheEffectsDid is the law of N16: over a desk that the real effects ran, with
// everything going on there that the log can hold, each wait is as long, ends the same way and with the same operator.
func TestASimulationByTheActualRuleAndPresenceGivesWhatTheEffectsDid(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			d := newDesk(t)
			random := rand.New(rand.NewPCG(seed, 16))
			rules := routing.Rules()
			for i, id := range []string{"soporte", "ventas"} {
				d.department(id, department.Settings{
					Distribution: department.Automatic, Rule: string(rules[(int(seed)+i)%len(rules)]), PausedFree: seed%2 == 1, ReassignAfter: 120,
				}, 1+i)
			}
			staff := map[string][]string{"ana": {"soporte"}, "beto": {"soporte", "ventas"}, "carla": {"ventas"}}
			people := []string{"ana", "beto", "carla"}
			for _, id := range people {
				d.operator(id, staff[id]...)
				d.clock.advance(time.Second)
				d.connect(id)
			}
			f := floor.New("default")
			from := d.clock.now()
			there := map[string]bool{"ana": true, "beto": true, "carla": true}
			for step := range 90 {
				d.clock.advance(time.Duration(1+random.IntN(40)) * time.Second)
				d.acted(f)
				d.clock.advance(time.Millisecond)
				d.anything(random, f, staff, people[random.IntN(3)], there, step)
				d.acted(f)
			}
			d.clock.advance(time.Second)
			d.writes("soporte", "the last")
			recording := simulation.NewRecording("default", from, d.clock.now())
			for _, c := range d.commits() {
				recording.Apply(&c)
			}
			was, would := recording.AsItWas(), recording.Run(simulation.Plan{})
			if len(was.Waits) < 20 {
				t.Fatalf("only %d waits: nothing is shown", len(was.Waits))
			}
			if diff := cmp.Diff(was, would); diff != "" {
				t.Errorf("(-as it was +simulated):\n%s", diff)
			}
			queued := 0
			for _, w := range was.Waits {
				if w.Waited > 0 {
					queued++
				}
			}
			if queued < 5 {
				t.Errorf("only %d had to wait at all", queued)
			}
		})
	}
}

// anything is one step of a desk's day.
func (d *desk) anything(random *rand.Rand, f *floor.State, staff map[string][]string, who string, there map[string]bool, step int) {
	d.t.Helper()
	departments := []string{"soporte", "ventas"}
	owned := f.Owned(who)
	var mine *floor.Conversation
	if len(owned) > 0 {
		mine = owned[random.IntN(len(owned))]
	}
	switch roll := random.IntN(100); {
	case roll < 40:
		d.writes(departments[random.IntN(2)], fmt.Sprint("contact ", step%17))
	case roll < 60 && mine != nil:
		d.do(as(who), mine.ID, thread.Close{})
	case roll < 66 && mine != nil:
		d.do(as(who), mine.ID, thread.Transfer{Department: departments[random.IntN(2)]})
	case roll < 70 && mine != nil:
		d.do(admin, mine.ID, thread.Release{})
	case roll < 74 && mine != nil && mine.State == thread.StateAttending:
		d.do(as(who), mine.ID, thread.Pause{})
	case roll < 78 && mine != nil && mine.State == thread.StatePaused:
		d.do(as(who), mine.ID, thread.Resume{})
	case roll < 81 && mine != nil:
		d.assignee(mine.ID, who)
	case roll < 84 && mine != nil:
		if to := "beto"; mine.Owner != to {
			d.do(admin, mine.ID, thread.Assign{Operator: to})
		}
	case roll < 90:
		if there[who] = !there[who]; there[who] {
			d.connect(who)
		} else {
			d.disconnect(who)
		}
	case roll < 95:
		d.available(who, random.IntN(2) == 0)
	default:
		for _, department := range departments {
			for _, conv := range slices.Backward(f.List(department, thread.StateWaiting)) {
				req := command.Request{Workspace: "default", Principal: "service:web", Actor: domain.Actor{Kind: domain.ActorContact}}
				d.do(req, conv.ID, thread.Close{})
				return
			}
		}
	}
}
