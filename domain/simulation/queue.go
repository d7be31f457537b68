package simulation

import (
	"slices"
	"time"

	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/routing"
)

// queue is a department while it is simulated.
type queue struct {
	id         string
	rule       routing.Rule
	capacity   int  // of its operators who have none of their own
	forced     bool // the plan's, which everybody has
	pausedFree bool
	replaced   bool // its operators are the plan's
	staff      []*agent
	list       []*entry // what waits, in its order
	usual      time.Duration
}

// agent is an operator while they are simulated.
type agent struct {
	id                   string
	capacity             int
	connected, available bool
	load                 int // conversations that take room
	promised             int // those that they are about to take by hand
	hand
	gauge
}

func (a *agent) there() bool { return a.connected && a.available }

// entry is a conversation on a list.
type entry struct {
	c       *Case
	k       int // which of its stays
	since   time.Time
	former  string
	promise *agent // who is about to take it by hand
	due     time.Time
}

func (e *entry) stay() *Stay { return &e.c.Stays[e.k] }

// room is the candidate as the rule sees the operator in the department.
func (q *queue) candidate(a *agent) routing.Candidate {
	c := routing.Candidate{Operator: a.id, Load: a.load + a.promised, Capacity: q.capacity, Assigned: a.assigned, Idle: a.idle}
	if a.capacity > 0 && !q.forced {
		c.Capacity = a.capacity
	}
	return c
}

// present are the department's operators who are connected and available, by id.
func (q *queue) present() ([]*agent, []routing.Candidate) {
	var staff []*agent
	var candidates []routing.Candidate
	for _, a := range q.staff {
		if a.there() {
			staff = append(staff, a)
			candidates = append(candidates, q.candidate(a))
		}
	}
	return staff, candidates
}

func roomy(candidates []routing.Candidate) bool {
	return slices.ContainsFunc(candidates, routing.Candidate.Room)
}

// first is who comes before the rule: who had it before, then the contact's assignee.
func first(e *entry, candidates []routing.Candidate) int {
	for _, id := range []string{e.former, e.stay().Assignee} {
		for i, c := range candidates {
			if c.Operator == id && c.Room() {
				return i
			}
		}
	}
	return -1
}

// add puts it behind what waits already.
func (q *queue) add(e *entry) {
	i := len(q.list)
	for i > 0 && !q.list[i-1].since.Before(e.since) && q.list[i-1].stay().Entry > e.stay().Entry {
		i--
	}
	q.list = slices.Insert(q.list, i, e)
}

func (q *queue) remove(e *entry) {
	if i := slices.Index(q.list, e); i >= 0 {
		q.list = slices.Delete(q.list, i, i+1)
	}
}

// newQueues makes the departments and their operators as a plan has them.
func newQueues(r *Recording, p Plan) (queues []*queue, agents map[string]*agent) {
	agents = map[string]*agent{}
	for id, op := range r.image.Operators {
		if op.Active && op.Role != operator.RoleAuditor {
			a := &agent{id: id, capacity: op.Capacity}
			if h := r.hands[id]; h != nil {
				a.hand = *h
			}
			agents[id] = a
		}
	}
	usual := r.usual()
	for _, id := range r.Departments() {
		d, change := r.image.Departments[id], p.Departments[id]
		q := &queue{id: id, rule: r.rule(p, id), capacity: d.Capacity, pausedFree: d.Settings.PausedFree, usual: usual[id]}
		if change.Capacity > 0 {
			q.capacity, q.forced = change.Capacity, true
		}
		queues = append(queues, q)
		if change.Operators == 0 {
			for _, op := range r.image.MembersOf(id) {
				if a := agents[op.ID]; a != nil {
					q.staff = append(q.staff, a)
				}
			}
			continue
		}
		q.replaced = true
		for n := range change.Operators {
			a := &agent{id: stand(id, n+1), connected: true, available: true}
			agents[a.id] = a
			q.staff = append(q.staff, a)
		}
		slices.SortFunc(q.staff, func(a, b *agent) int {
			if a.id < b.id {
				return -1
			}
			return 1
		})
	}
	return queues, agents
}

// usual is how long a conversation is attended in each department, the median: what one takes that nobody handled.
func (r *Recording) usual() map[string]time.Duration {
	seen := map[string][]time.Duration{}
	for _, c := range r.cases {
		for i := range c.Stays {
			if s := &c.Stays[i]; !s.At.Before(r.From) && s.At.Before(r.To) {
				if d, ok := s.handling(); ok {
					seen[s.Department] = append(seen[s.Department], d)
				}
			}
		}
	}
	usual := map[string]time.Duration{}
	for id, all := range seen {
		slices.Sort(all)
		usual[id] = nearest(all, 50)
	}
	return usual
}

// nearest is the percentile of sorted values by the nearest rank.
func nearest(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, (len(sorted)*percent+99)/100-1)]
}
