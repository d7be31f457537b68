package identity

import "github.com/turno-desk/turno/domain"

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
}

// Evolve is the state after an event.
func (State) Evolve(e Event) State {
	if c, ok := e.(Claimed); ok {
		return State{Thread: c.Thread, Contact: c.Contact, Used: true}
	}
	return State{Used: true}
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
