// Package workload keeps what an operator was given automatically: a slot is reserved on the operator before a conversation
// is assigned to them, so that two assignments at once never exceed the capacity.
package workload

import (
	"slices"
	"time"

	"github.com/turno-desk/turno/domain"
)

// Slot is room for one conversation.
type Slot struct {
	Conversation string          `json:"conversation"`
	Entry        domain.Position `json:"entry"`   // of the commit that put the conversation on its list
	Expires      time.Time       `json:"expires"` // from then on it can't be taken with this slot any more; what was taken keeps it
}

// State is what an operator holds. Every event carries it, so that the newest commit alone gives it.
type State struct {
	Operator string `json:"operator"`
	Slots    []Slot `json:"slots,omitempty"` // in the order in which they were reserved
}

// Event is one fact about an operator's slots.
type Event interface{ event() }

// Reserved adds a slot. Read is the position of the log at which the operator's conversations were counted: Held were theirs
// then, with a slot or by hand.
type Reserved struct {
	State
	Conversation string          `json:"conversation"`
	Read         domain.Position `json:"read"`
	Held         int             `json:"held"`
	Load         int             `json:"load"`               // before this slot: those held, and slots that are not taken yet
	Capacity     int             `json:"capacity,omitempty"` // 0: none
}

// Freed takes a slot away: the conversation has left the operator, or never came.
type Freed struct {
	State
	Conversation string `json:"conversation"`
	Cause        string `json:"cause"` // left, not_taken, expired
}

func (Reserved) event() {}
func (Freed) event()    {}

// StateOf is what an event says the operator holds.
func StateOf(e Event) State {
	switch e := e.(type) {
	case Reserved:
		return e.State
	case Freed:
		return e.State
	}
	return State{}
}

// CodeAtCapacity refuses a slot to an operator who has no room.
const CodeAtCapacity domain.Code = "at_capacity"

// MaxSlots is the most that anybody holds.
const MaxSlots = 1000

// Reserve asks for a slot.
type Reserve struct {
	Operator     string
	Conversation string
	Entry        domain.Position
	Capacity     int      // 0: none
	Held         []string // the operator's conversations that count, at Read
	Read         domain.Position
	Expires      time.Time
}

// Free gives it back: that of this conversation and of no later entry than this.
type Free struct {
	Operator     string
	Conversation string
	Entry        domain.Position
	Cause        string
}

// Settled is how long after its expiry a slot still counts whose conversation is not the operator's: what was taken with it
// in the last moment is known by then.
const Settled = 10 * time.Second

// DecideReserve adds a slot when there is room. Asking again for the same entry makes nothing while the slot is good.
func DecideReserve(is State, c Reserve, now time.Time) ([]Event, *domain.Refusal) {
	kept := slices.DeleteFunc(slices.Clone(is.Slots), func(s Slot) bool {
		return s.Conversation == c.Conversation && s.Entry != c.Entry || over(s, c.Held, now)
	})
	for i, s := range kept {
		if s.Conversation != c.Conversation {
			continue
		}
		if now.Before(s.Expires) {
			return nil, nil
		}
		kept = slices.Delete(kept, i, i+1)
		break
	}
	load := Load(kept, c.Held, now)
	if c.Capacity > 0 && load >= c.Capacity || len(kept) >= MaxSlots {
		return nil, &domain.Refusal{Code: CodeAtCapacity, Owner: c.Operator, Detail: "The operator has no room for another conversation."}
	}
	kept = append(kept, Slot{Conversation: c.Conversation, Entry: c.Entry, Expires: c.Expires.UTC()})
	return []Event{Reserved{
		State: State{Operator: c.Operator, Slots: kept}, Conversation: c.Conversation,
		Read: c.Read, Held: len(c.Held), Load: load, Capacity: c.Capacity,
	}}, nil
}

// DecideFree takes the slot away; again is nothing.
func DecideFree(is State, c Free) ([]Event, *domain.Refusal) {
	rest := slices.DeleteFunc(slices.Clone(is.Slots), func(s Slot) bool { return s.Conversation == c.Conversation && s.Entry <= c.Entry })
	if len(rest) == len(is.Slots) {
		return nil, nil
	}
	return []Event{Freed{State: State{Operator: c.Operator, Slots: rest}, Conversation: c.Conversation, Cause: c.Cause}}, nil
}

// Load counts the conversations that an operator has or is about to get: those held, and slots of others that may still be
// taken.
func Load(slots []Slot, held []string, now time.Time) int {
	load := len(held)
	for _, s := range slots {
		if !slices.Contains(held, s.Conversation) && !over(s, held, now) {
			load++
		}
	}
	return load
}

// over reports whether a slot has expired without its conversation having come.
func over(s Slot, held []string, now time.Time) bool {
	return !now.Before(s.Expires.Add(Settled)) && !slices.Contains(held, s.Conversation)
}
