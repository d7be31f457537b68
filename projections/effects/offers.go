package effects

import (
	"slices"
	"time"

	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/routing"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections/floor"
)

// follow goes on with an offer: while it stands nothing, then the next operators (D8). When nobody is left to ask, everybody may
// take the conversation; so they may when a transfer's offer came to nothing (D4), unless the department offers by itself.
func (r *round) follow(conv *floor.Conversation, settings department.Settings, staff []*routing.Candidate) *Command {
	declined := len(conv.Offer.Operators) == 0
	if !declined && r.now.Before(conv.Offer.Until) {
		return nil
	}
	end := thread.OfferExhausted
	switch {
	case conv.Offer.Transfer && declined:
		end = thread.OfferRefused
	case conv.Offer.Transfer:
		end = thread.OfferExpired
	default:
		if next := r.ask(conv, settings, staff); next != nil {
			return next
		}
	}
	return &Command{
		Cause: conv.Cause, Ordinal: ordinalOfOffers + 2*conv.Rounds + 1, Conversation: conv.ID,
		Do: thread.Withdraw{Round: conv.Rounds, Cause: end},
	}
}

// ordinalOfOffers begins the ordinals of offers and their ends: those below it are the assignment's and the messages'.
const ordinalOfOffers = 10

// ask offers the conversation to the next operators; nil when there are none.
func (r *round) ask(conv *floor.Conversation, settings department.Settings, staff []*routing.Candidate) *Command {
	if settings.OfferTo == 0 || settings.Automatic() {
		return nil
	}
	var candidates []routing.Candidate
	for _, c := range staff {
		if !slices.Contains(conv.Asked, c.Operator) {
			candidates = append(candidates, r.offerable(*c))
		}
	}
	next := routing.Next(settings.OfferTo, candidates)
	if len(next) == 0 {
		return nil
	}
	for _, id := range next {
		r.offers[id]++
	}
	return &Command{
		Cause: conv.Cause, Ordinal: ordinalOfOffers + 2*(conv.Rounds+1), Conversation: conv.ID,
		Do: thread.Offer{
			Operators: next, Department: conv.Department, Round: conv.Rounds + 1, For: settings.OfferFor(),
			Assignment: routing.Explained(routing.LongestIdle, r.floor.Position, conv.Entry, candidates),
		},
	}
}

// offerable is a candidate for an offer: what is offered to them already counts as if they had it, so that not all is offered
// to the same few.
func (r *round) offerable(c routing.Candidate) routing.Candidate {
	if r.offers == nil {
		r.offers = r.floor.Offers()
	}
	c.Load += r.offers[c.Operator]
	if h := r.floor.Hands[c.Operator]; h != nil && h.Offered.After(c.Assigned) {
		c.Assigned = h.Offered
	}
	return c
}

// Reminder alerts the owner of a paused conversation when the time has come until which they paused it (D2).
type Reminder struct{}

var _ Timed = Reminder{}

// Name is "reminder".
func (Reminder) Name() string { return "reminder" }

// Fire appends the alert; nothing resumes by itself.
func (Reminder) Fire(f *floor.State, t floor.Timer, _ time.Time) []Command {
	conv := f.Conversations[t.Target]
	if t.Kind != floor.TimerPause || conv == nil {
		return nil
	}
	return []Command{{Cause: t.Cause, Conversation: conv.ID, Do: thread.Alert{Cause: thread.AlertPauseOver}}}
}
