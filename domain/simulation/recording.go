package simulation

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/presence"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
)

// Tail is how long after the period what goes on is still simulated, so that what waits at its end is served as it was.
const Tail = 24 * time.Hour

// Recording is the log as far as a simulation of the period [From, To) needs it. Commits are applied in the order of the log;
// those of an import may be out of order over threads and operators.
type Recording struct {
	From, To time.Time

	image     *setting.Image // operators and departments as they are at To
	end       time.Time      // of the last commit
	cases     []*Case        // those that have anything after From, finished or not
	open      map[string]*track
	shifts    []shift
	hands     map[string]*hand // as they are at From
	assignees map[string]string
}

// shift is a change of an operator's presence.
type shift struct {
	at                   time.Time
	operator             string
	connected, available bool
	moved                bool // connected or disconnected: their idle time begins
}

// hand is what a rule knows of an operator besides their load.
type hand struct {
	assigned, idle time.Time
}

// track is an open conversation while it is recorded.
type track struct {
	c       *Case
	contact string
	owner   string
	since   time.Time // of the spell that goes on
	paused  bool
	fresh   bool // never had an owner since its opening, and was not transferred
	former  bool // who had it did not give it back
}

// NewRecording begins a recording of a workspace's log for a period.
func NewRecording(workspace string, from, to time.Time) *Recording {
	return &Recording{
		From: from.UTC(), To: to.UTC(), image: &setting.Image{Workspace: workspace}, open: map[string]*track{},
		hands: map[string]*hand{}, assignees: map[string]string{},
	}
}

// Apply takes in one more commit.
func (r *Recording) Apply(c *domain.Commit) {
	if c.Aggregate.Workspace != r.image.Workspace {
		return
	}
	switch c.Aggregate.Category {
	case domain.CategoryThread:
		if c.After == nil || c.Conversation == "" {
			return
		}
		r.note(c.Time)
		r.converse(c)
	case domain.CategoryPresence:
		r.note(c.Time)
		r.attend(c)
	case domain.CategoryOperator, domain.CategoryDepartment:
		if c.Time.Before(r.To) {
			r.image = r.image.Apply(*c)
		}
	case domain.CategoryContact:
		for _, e := range c.Events {
			switch e := e.(type) {
			case contact.Assigned:
				r.assignees[c.Aggregate.ID] = e.Operator
			case contact.Unassigned:
				delete(r.assignees, c.Aggregate.ID)
			}
		}
	}
}

func (r *Recording) note(at time.Time) {
	if at.After(r.end) {
		r.end = at
	}
}

// attend records presence.
func (r *Recording) attend(c *domain.Commit) {
	for _, e := range c.Events {
		e, ok := e.(presence.Event)
		if !ok {
			continue
		}
		s := presence.StatusOf(e)
		change := shift{at: c.Time, operator: s.Operator, connected: s.Connected, available: s.Available}
		switch e.(type) {
		case presence.Connected, presence.Disconnected:
			change.moved = true
		}
		if n := len(r.shifts); c.Time.Before(r.From) {
			if change.moved {
				r.hand(s.Operator).idle = latest(r.hand(s.Operator).idle, c.Time)
			}
			change.moved = false
			if n > 0 && r.shifts[n-1].operator == s.Operator && r.shifts[n-1].at.Before(r.From) {
				r.shifts = r.shifts[:n-1]
			}
		}
		r.shifts = append(r.shifts, change)
	}
}

func (r *Recording) hand(id string) *hand {
	h := r.hands[id]
	if h == nil {
		h = &hand{}
		r.hands[id] = h
	}
	return h
}

// converse records what a commit makes of a conversation's stays.
func (r *Recording) converse(c *domain.Commit) {
	t := r.open[c.Conversation]
	if t == nil {
		t = &track{c: &Case{ID: c.Conversation}}
		r.open[c.Conversation] = t
	}
	t.contact = c.Contact
	for _, e := range c.Events {
		switch e := e.(type) {
		case thread.Opened:
			t.fresh = true
		case thread.Released:
			t.former = e.Cause == thread.CauseUnattended
		case thread.Transferred:
			t.fresh, t.former = false, false
		case thread.Queued:
			r.queued(t, c, e)
		case thread.Taken:
			r.taken(t, c, e)
		case thread.Paused:
			t.spell(c.Time, true)
		case thread.Resumed:
			t.spell(c.Time, false)
		case thread.Closed:
			r.closed(t, c, e)
		}
	}
}

func (r *Recording) queued(t *track, c *domain.Commit, e thread.Queued) {
	follows := t.owner != ""
	if s := t.waiting(); s != nil {
		s.Outcome, s.Waited, follows = Left, c.Time.Sub(s.At), true
	}
	r.leave(t, c)
	if e.List != thread.StateWaiting {
		return
	}
	s := Stay{Department: e.Department, At: c.Time, Entry: c.Position, Follows: follows, Former: t.former}
	if t.fresh {
		s.Assignee = r.assignees[t.contact]
	}
	t.c.Stays = append(t.c.Stays, s)
}

func (r *Recording) taken(t *track, c *domain.Commit, e thread.Taken) {
	follows := t.owner != ""
	r.leave(t, c)
	if s := t.waiting(); s != nil {
		s.Outcome, s.Waited, s.Operator = Answered, c.Time.Sub(s.At), e.Operator
	} else {
		t.c.Stays = append(t.c.Stays, Stay{
			Department: e.Department, At: c.Time, Entry: c.Position, Follows: follows, Direct: true, Outcome: Answered, Operator: e.Operator,
		})
	}
	t.owner, t.since, t.paused, t.fresh, t.former = e.Operator, c.Time, false, false, false
	if e.Assignment != nil && c.Time.Before(r.From) {
		h := r.hand(e.Operator)
		h.assigned = latest(h.assigned, c.Time)
	}
}

func (r *Recording) closed(t *track, c *domain.Commit, e thread.Closed) {
	if s := t.waiting(); s != nil {
		s.Outcome, s.Waited = Abandoned, c.Time.Sub(s.At)
		if e.Reason == thread.ClosedIgnored || e.Reason == thread.ClosedSuperseded {
			s.Outcome = Left
		}
	}
	r.leave(t, c)
	delete(r.open, c.Conversation)
	r.keep(t.c)
}

// keep holds on to a case that has anything after From.
func (r *Recording) keep(c *Case) {
	if len(c.Stays) > 0 && !c.Stays[len(c.Stays)-1].end().Before(r.From) {
		r.cases = append(r.cases, c)
	}
}

// leave ends the stay with an owner.
func (r *Recording) leave(t *track, c *domain.Commit) {
	if t.owner == "" {
		return
	}
	t.spell(c.Time, false)
	if c.Time.Before(r.From) {
		h := r.hand(t.owner)
		h.idle = latest(h.idle, c.Time)
	}
	t.owner = ""
}

// spell ends the spell that goes on, and begins one that is paused or not.
func (t *track) spell(at time.Time, paused bool) {
	s := t.last()
	if s == nil || t.owner == "" {
		return
	}
	if length := at.Sub(t.since); length > 0 || len(s.Spells) == 0 {
		s.Spells = append(s.Spells, Spell{Length: length, Paused: t.paused})
	}
	t.since, t.paused = at, paused
}

func (t *track) last() *Stay {
	if len(t.c.Stays) == 0 {
		return nil
	}
	return &t.c.Stays[len(t.c.Stays)-1]
}

// waiting is the stay on a list that has not ended.
func (t *track) waiting() *Stay {
	if s := t.last(); s != nil && s.Outcome == Waiting {
		return s
	}
	return nil
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// Departments are those of the desk, by id.
func (r *Recording) Departments() []string {
	var ids []string
	for id := range r.image.Departments {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// horizon is when a simulation ends.
func (r *Recording) horizon() time.Time {
	if last := r.To.Add(Tail); last.Before(r.end) {
		return last
	}
	return r.end
}

// all is every case up to the horizon, in the order in which they came; open conversations as far as they have come.
func (r *Recording) all() []*Case {
	cases := slices.Clone(r.cases)
	for _, id := range slices.Sorted(maps.Keys(r.open)) {
		t := r.open[id]
		c := &Case{ID: id, Stays: slices.Clone(t.c.Stays)}
		if n := len(c.Stays); n > 0 && t.owner != "" {
			s := &c.Stays[n-1]
			s.Spells = append(slices.Clone(s.Spells), Spell{Length: Endless, Paused: t.paused, since: t.since})
		}
		if len(c.Stays) > 0 {
			cases = append(cases, c)
		}
	}
	cases = slices.DeleteFunc(cases, func(c *Case) bool { return !c.Stays[0].At.Before(r.horizon()) })
	slices.SortFunc(cases, func(a, b *Case) int {
		return cmp.Or(a.Stays[0].At.Compare(b.Stays[0].At), cmp.Compare(a.Stays[0].Entry, b.Stays[0].Entry))
	})
	return cases
}
