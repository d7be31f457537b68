package viewtest

import (
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/sequence"
)

// Contacts are the contacts of a desk, as the domain decides about them. Shadow leaves merges out of the log and has a
// commit that says nothing in the place of each of their commits, so that two logs differ by the merges alone.
type Contacts struct {
	Desk   *Desk
	Shadow bool

	states map[string]contact.State
}

// State is a contact's state.
func (c *Contacts) State(id string) contact.State { return c.states[id] }

// Do appends what the domain decides about a contact; false when it was refused or nothing had to be done.
func (c *Contacts) Do(actor, id string, decide func(contact.State) ([]contact.Event, *domain.Refusal)) bool {
	decided, refusal := decide(c.states[id])
	if refusal != nil || len(decided) == 0 {
		return false
	}
	c.append(actor, id, decided)
	return true
}

// Merge merges a contact into another, both steps of it; false when that is refused.
func (c *Contacts) Merge(survivor, id string) bool {
	offered, refusal := contact.DecideOffer(c.states[id], survivor)
	if refusal != nil || len(offered) == 0 {
		return false
	}
	other := c.states[id]
	for _, e := range offered {
		other = other.Evolve(e)
	}
	confirmed, refusal := contact.DecideMerge(c.states[survivor], id, other)
	if refusal != nil {
		return false
	}
	c.append("sara", id, offered)
	c.append("sara", survivor, confirmed)
	return true
}

// Unmerge takes it out again.
func (c *Contacts) Unmerge(survivor, id string) {
	merge := c.states[id].Merges
	c.Do("sara", survivor, func(s contact.State) ([]contact.Event, *domain.Refusal) { return contact.DecideUnmerge(s, id, merge) })
	c.Do("sara", id, func(s contact.State) ([]contact.Event, *domain.Refusal) {
		return contact.DecideSeparate(s, id, survivor, merge, c.states[survivor]), nil
	})
}

func (c *Contacts) append(actor, id string, decided []contact.Event) {
	if c.states == nil {
		c.states = map[string]contact.State{}
	}
	s, merging := c.states[id], false
	var events []domain.Event
	for _, e := range decided {
		s = s.Evolve(e)
		events = append(events, e)
		switch e.(type) {
		case contact.MergeOffered, contact.Merged, contact.Unmerged, contact.Separated:
			merging = true
		}
	}
	c.states[id] = s
	c.Desk.Now = c.Desk.Now.Add(time.Second)
	if merging && c.Shadow {
		c.Desk.Settings(domain.CategorySequence, sequence.Conversation, actor, sequence.Reserved{From: 1, To: 1})
		return
	}
	c.Desk.Settings(domain.CategoryContact, id, actor, events...)
}

// Merging is a history of a few contacts who write, are edited and are merged and taken apart again, all in the end. What is
// edited while a contact is merged away is its survivor.
func Merging(seed uint64, n int, shadow bool) (*Log, *Contacts, []string) {
	log := NewLog("merging")
	d := NewDesk(log, seed)
	c := &Contacts{Desk: d, Shadow: shadow}
	var ids []string
	for i := range 5 {
		id := "t" + "000000000000000000000000"[:24] + string(rune('a'+i))
		d.Now = d.Now.Add(time.Second)
		d.Do("contact", id, 0, d.Receive(id, pickOf(d, "web", "tienda"), "hola"))
		ids = append(ids, contact.ID(id))
	}
	text := func() domain.Personal { return domain.Personal(pickOf(d, "", "Eva", "Ñandú", "600", "x@y.example")) }
	for range n {
		id := pickOf(d, ids...)
		switch d.rand.IntN(10) {
		case 0, 1:
			change := contact.Change{Lines: map[string]domain.Personal{pickOf(d, contact.Lines()...): text()}, Fields: map[string]domain.Personal{pickOf(d, "plan", "dni"): text()}}
			c.Do("ana", id, func(s contact.State) ([]contact.Event, *domain.Refusal) { return contact.DecideChange(s, change) })
		case 2:
			tag, gone := pickOf(d, "vip", "alta", "baja"), pickOf(d, "vip", "alta", "baja")
			c.Do("ana", id, func(s contact.State) ([]contact.Event, *domain.Refusal) {
				return contact.DecideTag(s, []string{tag}, []string{gone})
			})
		case 3:
			note := text() + "."
			c.Do("beto", id, func(s contact.State) ([]contact.Event, *domain.Refusal) { return contact.DecideAnnotate(s, note) })
		case 4:
			operator := pickOf(d, "", "ana", "beto")
			c.Do("sara", id, func(s contact.State) ([]contact.Event, *domain.Refusal) {
				return contact.DecideAssign(s, operator, d.Image)
			})
		case 5:
			c.Do("sara", id, func(s contact.State) ([]contact.Event, *domain.Refusal) {
				if s.Blocked {
					return contact.DecideUnblock(s)
				}
				return contact.DecideBlock(s, "x")
			})
		case 6, 7:
			if survivor := pickOf(d, ids...); survivor != id {
				c.Merge(survivor, id)
			}
		case 8:
			if s := c.State(id); s.Survivor != "" {
				c.Unmerge(s.Survivor, id)
			}
		default:
			t, _ := contact.Thread(id)
			for range 3 {
				actor, cmd := d.any(t)
				d.Now = d.Now.Add(time.Second)
				d.Do(actor, t, 0, cmd)
			}
		}
	}
	return log, c, ids
}

// Apart undoes every merge, and lets somebody write once more, so that both logs end with the same commit.
func (c *Contacts) Apart(ids []string) {
	for _, id := range ids {
		if s := c.State(id); s.Survivor != "" {
			c.Unmerge(s.Survivor, id)
		}
	}
	t, _ := contact.Thread(ids[0])
	c.Desk.Do("contact", t, 0, c.Desk.Receive(t, "web", "adiós"))
}

func pickOf(d *Desk, all ...string) string { return all[d.rand.IntN(len(all))] }
