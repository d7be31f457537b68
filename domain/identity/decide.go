package identity

import (
	"slices"

	"github.com/turno-desk/turno/domain"
)

// The causes of a claim, and of a release.
const (
	CauseFirst    = "first"
	CauseRecycled = "recycled"
	CauseErased   = "erased"
)

// State is which thread the address belongs to now; empty for none. The newest commit of the aggregate gives it.
type State struct {
	Thread  string
	Contact string
	Used    bool // somebody had the address before or has it now

	Barred []string // contacts on whose account a network address is blocked
}

// Evolve is the state after an event.
func (State) Evolve(e Event) State {
	switch e := e.(type) {
	case Claimed:
		return State{Thread: e.Thread, Contact: e.Contact, Used: true}
	case Barred:
		return State{Barred: e.Contacts}
	case Unbarred:
		return State{Barred: e.Contacts}
	}
	return State{Used: true}
}

// MaxBars is on how many contacts' account one network address may be blocked; that many are enough to block it.
const MaxBars = 100

// DecideBar blocks a network address on account of a contact; again is nothing.
func DecideBar(s State, channel, contact string) []Event {
	if slices.Contains(s.Barred, contact) || len(s.Barred) >= MaxBars {
		return nil
	}
	return []Event{Barred{Channel: channel, Contacts: slices.Sorted(slices.Values(append(slices.Clone(s.Barred), contact)))}}
}

// DecideUnbar takes that back; on another's account it may stay blocked.
func DecideUnbar(s State, channel, contact string) []Event {
	if !slices.Contains(s.Barred, contact) {
		return nil
	}
	return []Event{Unbarred{Channel: channel, Contacts: slices.DeleteFunc(slices.Clone(s.Barred), func(c string) bool { return c == contact })}}
}

// Claim ties an address to a thread.
type Claim struct {
	Thread  string
	Contact string
	Channel string
	Address domain.Personal
}

// DecideClaim makes nothing when a thread has the address already: whoever claims then uses that one.
func DecideClaim(s State, c Claim) []Event {
	if s.Thread != "" {
		return nil
	}
	cause := CauseFirst
	if s.Used {
		cause = CauseRecycled
	}
	return []Event{Claimed{Thread: c.Thread, Contact: c.Contact, Channel: c.Channel, Kind: "address", Address: c.Address, Cause: cause}}
}

// DecideRelease unties the address from an erased thread, if it is still that one's.
func DecideRelease(s State, thread string) []Event {
	if s.Thread != thread || thread == "" {
		return nil
	}
	return []Event{Released{Thread: thread, Cause: CauseErased}}
}
