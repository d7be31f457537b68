package simulation

import (
	"cmp"
	"container/heap"
	"slices"
	"time"

	"github.com/turno-desk/turno/domain/routing"
)

// Run serves the recording's arrivals by a plan. What is not on the plan is as it was.
func (r *Recording) Run(p Plan) Outcomes {
	s := &run{r: r, plan: p, from: r.From, horizon: r.horizon(), byID: map[string]*queue{}}
	s.queues, s.agents = newQueues(r, p)
	for _, q := range s.queues {
		s.byID[q.id] = q
	}
	for _, a := range s.agents {
		a.gauge = gauge{from: r.From, to: r.To, at: r.From, reachable: a.there()}
	}
	s.begin()
	for len(s.events) > 0 && !s.events[0].at.After(s.horizon) {
		s.now = s.events[0].at
		for len(s.events) > 0 && s.events[0].at.Equal(s.now) {
			e := heap.Pop(&s.events).(event)
			e.do()
		}
		for _, q := range s.queues {
			s.settle(q)
		}
	}
	return s.outcomes()
}

// run is one simulation under way.
type run struct {
	r       *Recording
	plan    Plan
	from    time.Time
	horizon time.Time
	now     time.Time
	queues  []*queue // by id
	byID    map[string]*queue
	agents  map[string]*agent
	events  events
	said    int // events scheduled so far: those of one instant and kind happen in this order
	waits   []Wait
}

// The kinds of events, in the order in which those of one instant happen.
const (
	endings = iota
	shifts
	leavings
	arrivals
	takings
)

// begin schedules what the recording brings: who comes and goes, and each case from where it is at the beginning.
func (s *run) begin() {
	shiftsOf := slices.Clone(s.r.shifts)
	slices.SortStableFunc(shiftsOf, func(a, b shift) int { return a.at.Compare(b.at) })
	for _, sh := range shiftsOf {
		if a := s.agents[sh.operator]; a != nil {
			s.schedule(sh.at, shifts, func() { s.shift(a, sh) })
		}
	}
	for _, c := range s.r.all() {
		for k := range c.Stays {
			stay := &c.Stays[k]
			if stay.end().Before(s.from) {
				continue
			}
			if handled := stay.At.Add(stay.Waited); stay.Outcome == Answered && handled.Before(s.from) {
				s.schedule(s.from, arrivals, func() { s.hold(c, k, s.direct(stay), rest(stay, s.from)) })
			} else {
				s.schedule(stay.At, arrivals, func() { s.arrive(c, k, "") })
			}
			break
		}
	}
}

// rest is what of the spells of a stay is left at an instant within them.
func rest(s *Stay, at time.Time) []Spell {
	begun := s.At.Add(s.Waited)
	for i, sp := range s.Spells {
		if sp.Length == Endless || begun.Add(sp.Length).After(at) {
			left := slices.Clone(s.Spells[i:])
			if sp.Length != Endless {
				left[0].Length = begun.Add(sp.Length).Sub(at)
			}
			return left
		}
		begun = begun.Add(sp.Length)
	}
	return []Spell{{}}
}

func (s *run) schedule(at time.Time, kind int, do func()) {
	if at.Before(s.from) {
		at = s.from
	}
	s.said++
	heap.Push(&s.events, event{at: at, kind: kind, order: s.said, do: do})
}

// shift is an operator who comes, goes, or becomes available or not.
func (s *run) shift(a *agent, sh shift) {
	a.connected, a.available = sh.connected, sh.available
	if sh.moved {
		a.idle = latest(a.idle, s.now)
	}
	a.move(s.now)
	a.reachable = a.there()
	if a.there() {
		return
	}
	for _, q := range s.queues {
		for _, e := range q.list {
			if e.promise == a {
				s.forgo(e)
			}
		}
	}
}

// arrive puts a conversation onto a list or, where it did not wait, to an operator.
func (s *run) arrive(c *Case, k int, former string) {
	stay := &c.Stays[k]
	if stay.Direct {
		s.hold(c, k, s.direct(stay), stay.Spells)
		return
	}
	q := s.byID[stay.Department]
	if q == nil {
		return
	}
	e := &entry{c: c, k: k, since: s.now}
	if stay.At.Before(s.from) {
		e.since = stay.At
	}
	if stay.Former {
		e.former = former
	}
	q.add(e)
	if stay.Outcome == Abandoned || stay.Outcome == Left {
		s.schedule(e.since.Add(stay.Waited), leavings, func() { s.leave(q, e) })
	}
}

// direct is who gets what does not wait: who got it, or whom the rule puts first, with room or without, where the
// department's operators are the plan's.
func (s *run) direct(stay *Stay) *agent {
	nobody := &agent{}
	q := s.byID[stay.Department]
	if q == nil || !q.replaced {
		return cmp.Or(s.agents[stay.Operator], nobody)
	}
	staff, candidates := q.present()
	for i := range candidates {
		candidates[i].Capacity = 0
	}
	id, _ := routing.Choose(q.chooses(), candidates)
	for _, a := range staff {
		if a.id == id {
			return a
		}
	}
	return nobody
}

// chooses is the rule that says who comes first, also where people take by themselves.
func (q *queue) chooses() routing.Rule {
	if q.rule == Manual {
		return routing.LongestIdle
	}
	return q.rule
}

// leave is a contact who gives up, or a conversation that is moved on, if it still waits.
func (s *run) leave(q *queue, e *entry) {
	if !slices.Contains(q.list, e) {
		return
	}
	s.forgo(e)
	q.remove(e)
	s.ended(e, e.stay().Outcome, "")
	s.next(e.c, e.k, "")
}

// settle gives what waits in a department to who has room, in the order in which it waits.
func (s *run) settle(q *queue) {
	if len(q.list) == 0 {
		return
	}
	staff, candidates := q.present()
	for i := 0; i < len(q.list) && roomy(candidates); {
		e := q.list[i]
		if e.promise != nil {
			i++
			continue
		}
		k := first(e, candidates)
		if k < 0 && q.rule == Manual {
			k = choose(routing.LongestIdle, candidates)
			s.promise(q, e, staff[k])
			candidates[k] = q.candidate(staff[k])
			i++
			continue
		}
		if k < 0 {
			k = choose(q.rule, candidates)
		}
		staff[k].assigned = s.now
		s.give(q, e, staff[k])
		candidates[k] = q.candidate(staff[k])
	}
}

// choose is the index of the candidate whom the rule chooses; one of them has room.
func choose(rule routing.Rule, candidates []routing.Candidate) int {
	id, _ := routing.Choose(rule, candidates)
	return slices.IndexFunc(candidates, func(c routing.Candidate) bool { return c.Operator == id })
}

// promise lets an operator take a conversation by hand after a while.
func (s *run) promise(q *queue, e *entry, a *agent) {
	e.promise, e.due = a, s.now.Add(s.plan.Pickup)
	a.promised++
	s.schedule(e.due, takings, func() {
		if e.promise != a || !e.due.Equal(s.now) {
			return
		}
		s.forgo(e)
		if a.there() && q.candidate(a).Room() {
			s.give(q, e, a)
		}
	})
}

// forgo takes the promise back.
func (s *run) forgo(e *entry) {
	if e.promise != nil {
		e.promise.promised--
		e.promise = nil
	}
}

// give makes an operator the owner of what waits.
func (s *run) give(q *queue, e *entry, a *agent) {
	q.remove(e)
	s.ended(e, Answered, a.id)
	spells := e.stay().Spells
	if e.stay().Outcome != Answered {
		spells = []Spell{{Length: q.usual}}
	}
	s.hold(e.c, e.k, a, spells)
}

// hold is the time of a conversation with an operator, spell by spell.
func (s *run) hold(c *Case, k int, a *agent, spells []Spell) {
	h := holding{run: s, c: c, k: k, a: a, spells: spells}
	if q := s.byID[c.Stays[k].Department]; q != nil {
		h.pausedFree = q.pausedFree
	}
	h.spell(0)
}

// holding is a conversation with its owner.
type holding struct {
	*run
	c          *Case
	k          int
	a          *agent
	spells     []Spell
	pausedFree bool
}

func (h holding) spell(i int) {
	if i == len(h.spells) {
		h.a.idle = h.now
		h.next(h.c, h.k, h.a.id)
		return
	}
	room, attending := 1, 1
	if h.spells[i].Paused {
		attending = 0
		if h.pausedFree {
			room = 0
		}
	}
	h.a.load += room
	h.a.attend(h.now, attending)
	if h.spells[i].Length == Endless {
		return
	}
	h.schedule(h.now.Add(h.spells[i].Length), endings, func() {
		h.a.load -= room
		h.a.attend(h.now, -attending)
		h.spell(i + 1)
	})
}

// next is the stay after one that has ended.
func (s *run) next(c *Case, k int, former string) {
	if k++; k == len(c.Stays) {
		return
	}
	if at := c.Stays[k].At; !c.Stays[k].Follows && at.After(s.now) {
		s.schedule(at, arrivals, func() { s.arrive(c, k, former) })
		return
	}
	s.arrive(c, k, former)
}

// ended notes how a wait ended.
func (s *run) ended(e *entry, outcome Outcome, operator string) {
	stay := e.stay()
	if s.r.counts(stay) {
		s.waits = append(s.waits, Wait{
			Conversation: e.c.ID, Department: stay.Department, At: e.since, Entry: stay.Entry, Outcome: outcome, Waited: s.now.Sub(e.since), Operator: operator,
		})
	}
}

// outcomes are the waits in the order in which they began, and how busy everybody was.
func (s *run) outcomes() Outcomes {
	s.now = s.horizon
	for _, q := range s.queues {
		for _, e := range q.list {
			s.ended(e, Waiting, "")
		}
	}
	slices.SortFunc(s.waits, inOrder)
	o := Outcomes{Waits: s.waits, Busy: map[string]Busy{}}
	for _, q := range s.queues {
		for _, a := range q.staff {
			o.members(q.id, a.id)
			a.move(s.horizon)
			o.Busy[a.id] = Busy{a.present, a.busy}
		}
	}
	return o
}

// event is something that happens in a simulation.
type event struct {
	at    time.Time
	kind  int
	order int
	do    func()
}

type events []event

func (h events) Len() int { return len(h) }
func (h events) Less(i, j int) bool {
	a, b := h[i], h[j]
	return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.kind, b.kind), cmp.Compare(a.order, b.order)) < 0
}
func (h events) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *events) Push(x any)   { *h = append(*h, x.(event)) }
func (h *events) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	*h = (*h)[:last]
	return e
}
