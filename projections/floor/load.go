package floor

import (
	"slices"
	"strings"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/domain/workload"
)

// ViaDistribution is the via of what the distribution does and says.
const ViaDistribution = "effect:distribution"

// Held are the conversations that count for the operator's load (D22), by id: those attended, and the paused ones where the
// department counts them.
func (s *State) Held(id string) []string {
	held := make([]string, 0, len(s.owned[id]))
	for _, conv := range s.owned[id] {
		if s.Counts(conv) {
			held = append(held, conv.ID)
		}
	}
	slices.Sort(held)
	return held
}

// Counts reports whether an owned conversation takes its owner's room.
func (s *State) Counts(conv *Conversation) bool {
	return conv.State == thread.StateAttending || !s.Image.Departments[conv.Department].Settings.PausedFree
}

// Load is how many conversations the operator has, or is about to get.
func (s *State) Load(id string, now time.Time) int {
	h := s.Hands[id]
	if h == nil {
		return len(s.Held(id))
	}
	slots := slices.DeleteFunc(slices.Clone(h.Slots), func(slot workload.Slot) bool {
		conv := s.Conversations[slot.Conversation]
		return conv != nil && conv.Owner == id && !s.Counts(conv)
	})
	return workload.Load(slots, s.Held(id), now)
}

// Capacity is how many the operator may have in the department before nothing is given to them automatically; 0: any number.
func (s *State) Capacity(op operator.Definition, department string) int {
	if op.Capacity > 0 {
		return op.Capacity
	}
	return s.Image.Departments[department].Capacity
}

// Offers counts the offers that stand, by operator.
func (s *State) Offers() map[string]int {
	offers := map[string]int{}
	for _, list := range s.listed {
		for _, conv := range list {
			if conv.Offer == nil {
				continue
			}
			for _, id := range conv.Offer.Operators {
				offers[id]++
			}
		}
	}
	return offers
}

// Slot finds the operator's slot for a conversation.
func (s *State) Slot(id, conversation string) (workload.Slot, bool) {
	if h := s.Hands[id]; h != nil {
		for _, slot := range h.Slots {
			if slot.Conversation == conversation {
				return slot, true
			}
		}
	}
	return workload.Slot{}, false
}

// Promised are the entries onto lists for which somebody has a slot that is good now, by conversation.
func (s *State) Promised(now time.Time) map[string]domain.Position {
	promised := map[string]domain.Position{}
	for _, h := range s.Hands {
		for _, slot := range h.Slots {
			if now.Before(slot.Expires) {
				promised[slot.Conversation] = max(promised[slot.Conversation], slot.Entry)
			}
		}
	}
	return promised
}

// TimerSlot is when a slot is over whose conversation has not come. Its target is "<operator>/<conversation>".
const TimerSlot TimerKind = "slot"

// SlotOf gives what is in the target of a TimerSlot.
func SlotOf(target string) (operator, conversation string) {
	operator, conversation, _ = strings.Cut(target, "/")
	return operator, conversation
}

// await sets the timer of a slot while its conversation is not there, and stops it otherwise.
func (s *State) await(h *Hand, slot workload.Slot, c *domain.Commit) {
	k := TimerKey{TimerSlot, h.ID + "/" + slot.Conversation}
	conv := s.Conversations[slot.Conversation]
	if is, held := s.Slot(h.ID, slot.Conversation); held && is == slot && (conv == nil || conv.Owner != h.ID) {
		s.start(Timer{TimerKey: k, Due: slot.Expires.Add(workload.Settled), Cause: c.ID})
		return
	}
	if is, held := s.Slot(h.ID, slot.Conversation); held && is != slot {
		return // a newer one has its own
	}
	if s.Timers.stop(k) {
		s.tell(kindTimer, k.String())
	}
}
