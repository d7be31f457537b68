package effects

import (
	"slices"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/routing"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/domain/workload"
	"github.com/turno-desk/turno/projections/floor"
)

// Distribution gives what waits to operators who are connected, available and have room (F002, F016, F021): first to who had
// it before, then to whose extension its channel leads to (F007), then to the contact's own assignee, then by the department's
// rule. Whoever gets one has a slot reserved before. Where the department offers instead, it asks the next (D8).
type Distribution struct{}

var (
	_ Settler = Distribution{}
	_ Reactor = Distribution{}
)

// Name is "distribution".
func (Distribution) Name() string { return "distribution" }

// slotFor is how long a reserved slot is good for.
const slotFor = 10 * time.Second

// Settle assigns or offers as many as there is room for, in the order in which they wait.
func (Distribution) Settle(f *floor.State, now time.Time) []Command {
	var commands []Command
	r := round{floor: f, now: now, seen: map[string]*routing.Candidate{}, promised: f.Promised(now)}
	for _, id := range f.Departments() {
		settings := f.Image.Departments[id].Settings
		if !f.Anyone(id, thread.StateWaiting) {
			continue
		}
		staff := r.staff(id)
		for _, conv := range f.List(id, thread.StateWaiting) {
			if !conv.Live || r.promised[conv.ID] == conv.Entry {
				continue
			}
			if conv.Offer != nil {
				if command := r.follow(conv, settings, staff); command != nil {
					commands = append(commands, *command)
				}
				continue
			}
			command, full := r.assign(conv, settings, staff)
			if command == nil && !full && settings.OfferTo > 0 && !conv.Passed {
				command = r.ask(conv, settings, staff)
			}
			switch {
			case command != nil:
				commands = append(commands, *command)
			case full && settings.AtCapacityMessage != "" && !conv.Told:
				commands = append(commands, tells(conv.ID, conv.Cause, 1, settings.AtCapacityMessage))
			}
		}
	}
	return commands
}

// round is one look at the floor: what it assigns counts for what it assigns next.
type round struct {
	floor *floor.State
	now   time.Time
	seen  map[string]*routing.Candidate // by operator

	promised map[string]domain.Position // entries for which somebody has a good slot, by conversation
	offers   map[string]int             // offers that stand, by operator; nil: not counted yet
}

// staff are the members of the department who are connected and available, by id.
func (r *round) staff(department string) []*routing.Candidate {
	var staff []*routing.Candidate
	for _, op := range r.floor.Image.MembersOf(department) {
		if op.Role == operator.RoleAuditor || !r.floor.Image.Reachable(op.ID) {
			continue
		}
		staff = append(staff, r.candidate(op, department))
	}
	return staff
}

// candidate is the operator as they are in this round; the capacity is that of the department at hand.
func (r *round) candidate(op operator.Definition, department string) *routing.Candidate {
	c := r.seen[op.ID]
	if c == nil {
		c = &routing.Candidate{Operator: op.ID, Load: r.floor.Load(op.ID, r.now)}
		if h := r.floor.Hands[op.ID]; h != nil {
			c.Assigned, c.Idle = h.Assigned, h.Idle
		}
		r.seen[op.ID] = c
	}
	c.Capacity = r.floor.Capacity(op, department)
	return c
}

// assign chooses an operator for the conversation. full: somebody is there, and nobody has room.
func (r *round) assign(conv *floor.Conversation, settings department.Settings, staff []*routing.Candidate) (command *Command, full bool) {
	for _, first := range []struct {
		rule routing.Rule
		id   string
	}{{routing.Sticky, conv.Former}, {routing.Direct, r.direct(conv)}, {routing.Dedicated, r.dedicated(conv)}} {
		for _, c := range staff {
			if c.Operator == first.id && c.Room() {
				return r.give(conv, first.rule, c, []routing.Candidate{*c}), false
			}
		}
	}
	if !settings.Automatic() && settings.OfferTo == 0 && conv.Rule == "" || len(staff) == 0 {
		return nil, false
	}
	if !slices.ContainsFunc(staff, func(c *routing.Candidate) bool { return c.Room() }) {
		return nil, true
	}
	rule := conv.Rule
	if rule == "" && settings.Automatic() {
		rule = routing.Rule(settings.Rule)
	}
	if !settings.Automatic() && conv.Rule == "" {
		return nil, false
	}
	if rule == "" {
		rule = routing.LongestIdle
	}
	candidates := make([]routing.Candidate, len(staff))
	for i, c := range staff {
		candidates[i] = *c
	}
	chosen, _ := routing.Choose(rule, candidates)
	return r.give(conv, rule, r.seen[chosen], candidates), false
}

// direct is the operator to whose extension the channel leads, for a conversation that nobody has had yet (F007). Where nobody
// holds it, or who does is away, has no room or does not answer in the department, it waits like any other.
func (r *round) direct(conv *floor.Conversation) string {
	if !conv.Fresh {
		return ""
	}
	holder, _ := r.floor.Image.OperatorByExtension(r.floor.Image.Channels[conv.Channel].Extension)
	return holder.ID
}

// dedicated is the contact's assignee, for a conversation that nobody has had yet (D23).
func (r *round) dedicated(conv *floor.Conversation) string {
	if !conv.Fresh {
		return ""
	}
	return r.floor.Assignees[conv.Contact]
}

func (r *round) give(conv *floor.Conversation, rule routing.Rule, to *routing.Candidate, candidates []routing.Candidate) *Command {
	expires := r.now.Add(slotFor)
	command := &Command{
		Cause: conv.Cause, Conversation: conv.ID, Lane: "to " + to.Operator,
		Reserve: &workload.Reserve{
			Operator: to.Operator, Conversation: conv.ID, Entry: conv.Entry, Capacity: to.Capacity,
			Held: r.floor.Held(to.Operator), Read: r.floor.Position, Expires: expires,
		},
		Do: thread.Distribute{
			Operator: to.Operator, Department: conv.Department, Expires: expires,
			Assignment: routing.Explained(rule, r.floor.Position, conv.Entry, candidates),
		},
	}
	to.Load++
	to.Assigned = r.now
	return command
}

// React tells the contact who was assigned by a rule that somebody was.
func (Distribution) React(f *floor.State, c *domain.Commit) []Command {
	for _, e := range c.Events {
		if e, ok := e.(thread.Taken); ok && e.Assignment != nil {
			if text := f.Image.Departments[e.Department].Settings.AssignedMessage; text != "" {
				return []Command{tells(c.Conversation, c.ID, 2, text)}
			}
		}
	}
	return nil
}

// Slots gives back the room of conversations that have left an operator, and of those that never came.
type Slots struct{}

var (
	_ Reactor = Slots{}
	_ Timed   = Slots{}
)

// Name is "slots".
func (Slots) Name() string { return "slots" }

// React frees the slot of what leaves its owner, or takes no room any more.
func (Slots) React(f *floor.State, c *domain.Commit) []Command {
	if c.Before == nil || c.After == nil || c.Before.Owner == "" {
		return nil
	}
	conv := f.Conversations[c.Conversation]
	stays := c.After.Owner == c.Before.Owner && (conv == nil || conv.Owner != c.Before.Owner || f.Counts(conv))
	if _, held := f.Slot(c.Before.Owner, c.Conversation); stays || !held {
		return nil
	}
	return []Command{frees(c.Before.Owner, c.Conversation, c.ID, "left", c.Position)}
}

// Fire frees a slot that nobody took in time.
func (Slots) Fire(f *floor.State, t floor.Timer, _ time.Time) []Command {
	if t.Kind != floor.TimerSlot {
		return nil
	}
	op, conversation := floor.SlotOf(t.Target)
	return []Command{frees(op, conversation, t.Cause, "expired", f.Position)}
}

func frees(op, conversation, cause, why string, entry domain.Position) Command {
	return Command{Cause: cause, Lane: "to " + op, Free: &workload.Free{Operator: op, Conversation: conversation, Entry: entry, Cause: why}}
}
