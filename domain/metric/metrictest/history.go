// Package metrictest makes up histories for tests: what may happen to conversations and operators, in any order that the
// rules allow, with awkward times.
package metrictest

import (
	"fmt"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/presence"
	"github.com/turno-desk/turno/domain/thread"
)

// Workspace is where it all happens.
const Workspace = "default"

// Choose returns any of 0 … n−1.
type Choose func(n int) int

// Start is when histories begin: a Saturday before a change of daylight saving in Chile.
var Start = time.Date(2026, 9, 5, 22, 0, 0, 0, time.UTC)

var (
	departments = []string{"soporte", "ventas"}
	operators   = []string{"ana", "beto", "caro"}
	channels    = []string{"web", "whatsapp"}
	steps       = []time.Duration{
		0, 0, time.Millisecond, 250 * time.Millisecond, 7 * time.Second, 90 * time.Second, 11 * time.Minute, 3 * time.Hour,
	}
)

// teller writes the history down.
type teller struct {
	choose    Choose
	now       time.Time
	commits   []domain.Commit
	threads   []*talk
	presences map[string]*presence.Status
	members   map[string]bool
}

// talk is one thread: its newest conversation, as far as the rules need to know it.
type talk struct {
	id                string
	number            int
	ticket            int64
	opened            domain.Position
	channel           string
	state, department string
	owner             string
	asked             []string // to whom it is offered; nil: it is not
	round             int
	rated             bool
	survey            string // the newest one of the conversation
}

// History is a log of n commits at positions 1 … n.
func History(choose Choose, n int) []domain.Commit {
	t := &teller{choose: choose, now: Start, presences: map[string]*presence.Status{}, members: map[string]bool{}}
	for i := range 4 {
		t.threads = append(t.threads, &talk{id: fmt.Sprintf("t%d", i), channel: channels[i%2], state: thread.StateClosed})
	}
	for len(t.commits) < n {
		t.now = t.now.Add(steps[choose(len(steps))])
		switch choose(8) {
		case 0:
			t.attend()
		case 1:
			t.join()
		default:
			t.talk(t.threads[choose(len(t.threads))])
		}
	}
	return t.commits
}

func (t *teller) any(from []string) string { return from[t.choose(len(from))] }

func (t *teller) commit(a domain.Aggregate, v *talk, who domain.Actor, events ...domain.Event) {
	c := domain.Commit{
		ID: fmt.Sprint("c", len(t.commits)+1), Aggregate: a, Position: domain.Position(len(t.commits) + 1),
		Recorded: t.now, Time: t.now, Origin: domain.OriginLive, Actor: who, Events: events,
	}
	if t.choose(10) == 0 {
		c.Origin, c.Time = domain.OriginImport, t.now.Add(-10*time.Minute)
	}
	if v != nil {
		if _, ok := events[0].(thread.Opened); ok {
			v.opened = c.Position
		}
		c.Opened, c.Channel, c.Ticket = v.opened, v.channel, v.ticket
		c.Conversation = thread.ConversationID(v.id, v.number)
		for _, e := range events {
			switch e.(type) {
			case thread.Queued, thread.Taken, thread.Closed:
				v.asked, v.round = nil, 0
			}
		}
	}
	t.commits = append(t.commits, c)
}

// attend changes somebody's presence.
func (t *teller) attend() {
	who := t.any(operators)
	p := t.presences[who]
	if p == nil {
		p = &presence.Status{Operator: who}
		t.presences[who] = p
	}
	var e domain.Event
	switch {
	case !p.Connected:
		p.Connected = true
		e = presence.Connected{Status: *p}
	case t.choose(3) == 0:
		p.Connected = false
		e = presence.Disconnected{Status: *p, Cause: "lost"}
	case p.Available:
		p.Available = false
		e = presence.BecameUnavailable{Status: *p}
	default:
		p.Available = true
		e = presence.BecameAvailable{Status: *p}
	}
	t.commit(domain.Aggregate{Workspace: Workspace, Category: domain.CategoryPresence, ID: who}, nil, by(who), e)
}

// join changes somebody's departments.
func (t *teller) join() {
	who := t.any(operators)
	d := operator.Definition{ID: who, Role: operator.RoleOperator, Active: true, Departments: departments[:1+t.choose(2)]}
	if t.choose(4) == 0 {
		d.Departments = departments[1:]
	}
	var e domain.Event = operator.Changed{Definition: d}
	if !t.members[who] {
		e = operator.Registered{Definition: d}
	}
	t.members[who] = true
	t.commit(domain.Aggregate{Workspace: Workspace, Category: domain.CategoryOperator, ID: who}, nil, domain.Actor{Kind: domain.ActorAdmin}, e)
}

func by(id string) domain.Actor { return domain.Actor{Kind: domain.ActorOperator, ID: id} }

var (
	customer = domain.Actor{Kind: domain.ActorContact}
	machine  = domain.Actor{Kind: domain.ActorSystem}
	bot      = domain.Actor{Kind: domain.ActorBot}
)

func (t *teller) say(v *talk, who domain.Actor, events ...domain.Event) {
	t.commit(domain.Aggregate{Workspace: Workspace, Category: domain.CategoryThread, ID: v.id}, v, who, events...)
}
