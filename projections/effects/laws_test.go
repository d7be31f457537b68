package effects_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/routing"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/domain/workload"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/effects"
	"github.com/turno-desk/turno/projections/floor"
)

// faulty is a worker that goes step by step, hears no answer now and then, and dies now and then in the middle of what it does, or
// only seems to: then it goes on with what it had decided, later than it should.
type faulty struct {
	*rapid.T
	*desk
	floor  *floor.State
	asked  domain.Position // up to here all reactors were asked
	faults bool
	late   []effects.Command // of a leader who was deposed and does not know it yet
}

// look folds what the log has got, and asks what follows from it.
func (w *faulty) look() (wanted []effects.Command) {
	commits := w.since(0)
	for i := range commits {
		c := &commits[i]
		if c.Position > w.floor.Position {
			w.floor.Apply(c)
		}
		if c.Position <= w.asked {
			continue
		}
		for _, e := range effects.All() {
			if r, ok := e.(effects.Reactor); ok {
				wanted = append(wanted, by(e, r.React(w.floor, c))...)
			}
		}
	}
	return wanted
}

func (w *faulty) since(p domain.Position) (commits []domain.Commit) {
	err := w.log.Read(w.desk.t.Context(), p, projections.ReadOptions{Open: true, ToHead: true}, func(chunk []domain.Commit) error {
		commits = append(commits, chunk...)
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	return commits
}

func by(e effects.Effect, commands []effects.Command) []effects.Command {
	for i := range commands {
		commands[i].Effect = e.Name()
	}
	return commands
}

// works does one round, as the runner does: what follows, what is due, and what the floor calls for once all of that is in it. It
// reports whether anything came of it.
func (w *faulty) works() bool {
	before := w.desk.head()
	if n := len(w.late); n > 0 && rapid.Bool().Draw(w.T, "is late") {
		for _, c := range w.late {
			w.refresh()
			_, err := w.command(w.desk.t.Context(), c)
			w.expected(err)
		}
		w.late = nil
	}
	if !w.does(w.look()) {
		return true
	}
	w.asked = before
	var due []effects.Command
	for _, timer := range w.floor.Timers.Due(w.clock.now()) {
		for _, e := range effects.All() {
			if f, ok := e.(effects.Timed); ok {
				due = append(due, by(e, f.Fire(w.floor, timer, w.clock.now()))...)
			}
		}
	}
	if !w.does(due) || w.floor.Position < w.desk.head() {
		return true
	}
	var wanted []effects.Command
	for _, e := range effects.All() {
		if s, ok := e.(effects.Settler); ok {
			wanted = append(wanted, by(e, s.Settle(w.floor, w.clock.now()))...)
		}
	}
	w.does(wanted)
	return w.desk.head() > before
}

// does has commands done, in any order. false: the worker has died, and another one begins from the log.
func (w *faulty) does(commands []effects.Command) bool {
	if len(commands) > 1 {
		commands = rapid.Permutation(commands).Draw(w.T, "order")
	}
	for _, c := range commands {
		if w.faults && rapid.IntRange(0, 9).Draw(w.T, "dies") == 0 {
			w.floor, w.late = floor.New("default"), commands
			w.asked = domain.Position(rapid.IntRange(0, int(w.asked)).Draw(w.T, "remembers"))
			return false
		}
		w.refresh()
		_, err := w.command(w.desk.t.Context(), c)
		w.expected(err)
		if done := w.desk.head(); err == nil && w.faults && rapid.IntRange(0, 3).Draw(w.T, "hears nothing") == 0 {
			again, err := w.command(w.desk.t.Context(), c)
			w.expected(err)
			if w.desk.head() != done {
				w.Fatalf("said twice, %+v was done twice, at %d", c, again)
			}
		}
	}
	return true
}

func (w *faulty) refresh() {
	if err := w.image.Refresh(w.desk.t.Context()); err != nil {
		w.Fatal(err)
	}
}

// expected passes refusals by.
func (w *faulty) expected(err error) {
	var refused *domain.Refusal
	if err != nil && !errors.As(err, &refused) {
		w.Fatal(err)
	}
}

// happens is something that a contact, an operator or the clock does.
func (w *faulty) happens(operators []string, open []string) []string {
	ctx := w.desk.t.Context()
	w.refresh()
	who := rapid.SampledFrom(operators).Draw(w.T, "who")
	id := ""
	if len(open) > 0 {
		id = rapid.SampledFrom(open).Draw(w.T, "which")
	}
	do := func(req command.Request, cmd thread.Command) {
		if id != "" {
			_, err := w.engine.Do(ctx, req, id, cmd)
			w.expected(err)
		}
	}
	switch rapid.IntRange(0, 14).Draw(w.T, "what") {
	default:
		n := fmt.Sprint(len(open))
		r, err := w.engine.Receive(ctx, contact, inbound(rapid.SampledFrom([]string{"soporte", "linea"}).Draw(w.T, "channel"), n, n))
		w.expected(err)
		open = append(open, r.Conversation.ID)
	case 0:
		do(as(who), thread.Take{})
	case 1, 2:
		do(admin, thread.Close{})
	case 3:
		do(admin, thread.Release{})
	case 4:
		do(as(who), thread.Pause{})
	case 5:
		do(as(who), thread.Accept{})
	case 6:
		do(as(who), thread.Decline{})
	case 7:
		do(admin, thread.Transfer{Department: "soporte", Operator: who, Force: true})
	case 8:
		_, err := w.settings.SetAvailability(ctx, as(who), who, rapid.Bool().Draw(w.T, "available"), "")
		w.expected(err)
	case 9:
		_, err := w.settings.Heartbeat(ctx, as(who), who)
		w.expected(err)
	case 10:
		_, err := w.settings.Disconnect(ctx, as(who), who)
		w.expected(err)
	case 11:
		w.clock.advance(time.Duration(rapid.IntRange(1, 40).Draw(w.T, "seconds")) * time.Second)
	}
	return open
}

// TestWhateverFailsNobodyHasTooMuchAndNobodyWaitsWhoNeedNot draws desks and what happens at them, while workers hear no answer
// and die; then it leaves a good one alone. F002, F007, F011, F016, F021, D4, D8, D22, N15: no conversation has two owners;
// no rule takes anybody past their capacity, by the load at the position that a reservation names and the other reservations; what
// is offered is taken by who was asked, or by supervisors; every decision can be taken again; and in the end nobody waits while
// somebody who is there has room, or may be asked.
func TestWhateverFailsNobodyHasTooMuchAndNobodyWaitsWhoNeedNot(t *testing.T) {
	assigned, asked := 0, 0
	rapid.Check(t, func(r *rapid.T) {
		d, stop := bareDesk(t)
		defer stop()
		w := &faulty{T: r, desk: d, floor: floor.New("default"), faults: true}
		s := department.Settings{
			Rule: string(rapid.SampledFrom(routing.Rules()).Draw(r, "rule")), PausedFree: rapid.Bool().Draw(r, "paused free"), TransferAccept: rapid.Bool().Draw(r, "accept"),
		}
		if s.OfferTo = rapid.IntRange(0, 2).Draw(r, "offer to"); s.OfferTo == 0 {
			s.Distribution = department.Automatic
		}
		capacity := rapid.IntRange(1, 3).Draw(r, "capacity")
		operators := []string{"ana", "beto", "carla"}
		set := func(ups ...func()) {
			for _, up := range ups {
				w.refresh()
				up()
			}
		}
		set(func() { w.place("soporte", s, capacity) }, func() { w.line("soporte", "soporte", "") })
		for _, id := range operators {
			set(func() { w.operator(id, "soporte") }, func() { w.connect(id) })
		}
		set(func() { w.answers("ana", "204", "soporte") }, func() { w.line("linea", "soporte", "204") })
		var open []string
		for range rapid.IntRange(5, 40).Draw(r, "length") {
			open = w.happens(operators, open)
			if rapid.Bool().Draw(r, "works") {
				w.works()
			}
		}
		w.faults = false
		for quiet := 0; quiet < 4; {
			if w.works() {
				quiet = 0
				continue
			}
			quiet++
			w.clock.advance(time.Minute) // whatever is promised or offered comes to its end
		}
		n, m := w.kept(s, capacity)
		assigned, asked = assigned+n, asked+m
		w.settled(s)
	})
	if assigned < 20 || asked < 20 { // some 120 and 200 as a rule
		t.Errorf("%d were assigned, %d asked: this shows nothing", assigned, asked)
	}
}

// settled holds the floor to the last law.
func (w *faulty) settled(s department.Settings) {
	room := false
	for _, op := range w.floor.Image.MembersOf("soporte") {
		limit := w.floor.Capacity(op, "soporte")
		room = room || w.floor.Image.Reachable(op.ID) && w.floor.Load(op.ID, w.clock.now()) < limit
	}
	for _, conv := range w.floor.List("soporte", thread.StateWaiting) {
		if room && (s.Automatic() || conv.Rounds == 0) {
			w.Fatalf("%s waits while somebody has room: %+v\n%s", conv.ID, conv, w.story())
		}
		if conv.Offer != nil {
			w.Fatalf("%s is offered for ever: %+v\n%s", conv.ID, conv.Offer, w.story())
		}
	}
}

// kept holds the log to the others.
func (w *faulty) kept(s department.Settings, capacity int) (assigned, asked int) {
	type held struct {
		owner, state string
		rule         bool
	}
	now := map[string]held{}
	counts := func(h held) bool { return h.owner != "" && (h.state == thread.StateAttending || !s.PausedFree) }
	load := []map[string]int{{}} // by position
	offers := map[string]thread.Offered{}
	for _, c := range w.since(0) {
		if c.Aggregate.Category == domain.CategoryThread && c.After != nil {
			was := now[c.Conversation]
			if c.Before != nil && c.Before.Owner != was.owner {
				w.Fatalf("at %d it was %s's, and before that %q's", c.Position, c.Before.Owner, was.owner)
			}
			is := held{c.After.Owner, c.After.State, was.rule && was.owner == c.After.Owner}
			for _, e := range c.Events {
				switch e := e.(type) {
				case thread.Offered:
					asked += len(e.Joined)
					offers[c.Conversation] = e
					if x, ok := thread.Explain(e); ok {
						if again, same := x.Again(); !same {
							w.Fatalf("at %d asked again it is %v: %+v", c.Position, again, e)
						}
					}
				case thread.Released:
					if e.Cause == "deactivated" || e.Cause == "left_department" {
						w.Fatalf("at %d it is taken from %s, who has every right to it\n%s", c.Position, e.Operator, w.story())
					}
				case thread.OfferDeclined:
					o := offers[c.Conversation]
					o.Operators = slices.DeleteFunc(slices.Clone(o.Operators), func(id string) bool { return id == e.Operator })
					offers[c.Conversation] = o
				case thread.OfferEnded, thread.Queued, thread.Closed:
					delete(offers, c.Conversation)
				case thread.Taken:
					o, offered := offers[c.Conversation]
					if offered && c.Actor.Kind != domain.ActorAdmin && !slices.Contains(o.Operators, e.Operator) && c.Time.Before(o.Until) {
						w.Fatalf("at %d %s took what was offered to %v\n%s", c.Position, e.Operator, o.Operators, w.story())
					}
					delete(offers, c.Conversation)
					if e.Assignment == nil {
						continue
					}
					assigned++
					is.rule = true
					if again, ok := e.Assignment.Again(); !ok || again != e.Operator || was.owner != "" {
						w.Fatalf("at %d it is given to %s, from %q, and decided again to %q", c.Position, e.Operator, was.owner, again)
					}
				}
			}
			now[c.Conversation] = is
			if is.rule && !was.rule {
				n := 0
				for _, h := range now {
					if h.owner == is.owner && h.rule && counts(h) {
						n++
					}
				}
				if n > capacity {
					w.Fatalf("at %d %s has %d by a rule, past %d\n%s", c.Position, is.owner, n, capacity, w.story())
				}
			}
		}
		if e, ok := event[workload.Reserved](c); ok && (e.Load >= capacity || e.Held != load[e.Read][e.Operator]) {
			w.Fatalf("at %d a slot is reserved past %d, or for another load than %d: %+v", c.Position, capacity, load[e.Read][e.Operator], e)
		}
		by := map[string]int{}
		for _, h := range now {
			if counts(h) {
				by[h.owner]++
			}
		}
		load = append(load, by)
	}
	return assigned, asked
}
