package simulation

import (
	"cmp"
	"slices"
	"time"

	"github.com/turno-desk/turno/domain"
)

// Outcomes is how a period went, or would have gone.
type Outcomes struct {
	Waits []Wait              // those that began in the period, in their order
	Busy  map[string]Busy     // by operator
	Staff map[string][]string // operators, by department
}

// Wait is one wait on a list.
type Wait struct {
	Conversation string
	Department   string
	At           time.Time
	Entry        domain.Position // of the commit that put it onto the list, as it was
	Outcome      Outcome
	Waited       time.Duration // of one that has not ended: so far
	Operator     string        // who answered
}

func inOrder(a, b Wait) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Entry, b.Entry)) }

// Busy is how long an operator was connected and available in the period, and how much of that with something to attend to.
type Busy struct{ Available, Busy time.Duration }

func (o *Outcomes) members(department, operator string) {
	if o.Staff == nil {
		o.Staff = map[string][]string{}
	}
	o.Staff[department] = append(o.Staff[department], operator)
}

// counts reports whether a stay is one of the period's waits.
func (r *Recording) counts(s *Stay) bool {
	return !s.Direct && !s.At.Before(r.From) && s.At.Before(r.To)
}

// AsItWas is how the period went.
func (r *Recording) AsItWas() Outcomes {
	horizon := r.horizon()
	o := Outcomes{Busy: map[string]Busy{}}
	type change struct {
		at        time.Time
		attending int
		shift     *shift
	}
	changes := map[string][]change{}
	for i := range r.shifts {
		s := &r.shifts[i]
		changes[s.operator] = append(changes[s.operator], change{at: s.at, shift: s})
	}
	for _, c := range r.all() {
		for k := range c.Stays {
			s := &c.Stays[k]
			if r.counts(s) {
				w := Wait{Conversation: c.ID, Department: s.Department, At: s.At, Entry: s.Entry, Outcome: s.Outcome, Waited: s.Waited, Operator: s.Operator}
				if s.Outcome == Waiting || s.At.Add(s.Waited).After(horizon) {
					w.Outcome, w.Waited, w.Operator = Waiting, horizon.Sub(s.At), ""
				}
				o.Waits = append(o.Waits, w)
			}
			at := s.At.Add(s.Waited)
			for _, sp := range s.Spells {
				end := horizon
				if sp.Length != Endless {
					end = at.Add(sp.Length)
				}
				if !sp.Paused {
					changes[s.Operator] = append(changes[s.Operator], change{at: at, attending: 1}, change{at: end, attending: -1})
				}
				at = end
			}
		}
	}
	slices.SortFunc(o.Waits, inOrder)
	for _, id := range r.Departments() {
		for _, op := range r.image.MembersOf(id) {
			o.members(id, op.ID)
		}
	}
	for id, all := range changes {
		slices.SortStableFunc(all, func(a, b change) int { return a.at.Compare(b.at) })
		g := gauge{from: r.From, to: r.To}
		for _, c := range all {
			if c.shift == nil {
				g.attend(c.at, c.attending)
				continue
			}
			g.move(c.at)
			g.reachable = c.shift.connected && c.shift.available
		}
		g.move(horizon)
		o.Busy[id] = Busy{g.present, g.busy}
	}
	return o
}

// gauge measures how long an operator is available within a period, and how much of that with something to attend to.
type gauge struct {
	from, to      time.Time
	at            time.Time
	reachable     bool
	attending     int
	present, busy time.Duration
}

// move brings it to an instant.
func (g *gauge) move(t time.Time) {
	since, until := latest(g.at, g.from), t
	if until.After(g.to) {
		until = g.to
	}
	if d := until.Sub(since); d > 0 && g.reachable {
		g.present += d
		if g.attending > 0 {
			g.busy += d
		}
	}
	g.at = latest(g.at, t)
}

// attend is one conversation more, or less.
func (g *gauge) attend(t time.Time, n int) {
	g.move(t)
	g.attending += n
}
