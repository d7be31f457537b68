package simulation

import (
	"math"
	"time"

	"github.com/turno-desk/turno/domain"
)

// Case is one conversation, as far as its waiting and handling go.
type Case struct {
	ID    string
	Stays []Stay
}

// Outcome is how a stay on a list ended.
type Outcome string

// The outcomes.
const (
	Waiting   Outcome = ""          // it has not
	Answered  Outcome = "answered"  // somebody became the owner
	Abandoned Outcome = "abandoned" // closed while it waited, and not because somebody ignored it
	Left      Outcome = "left"      // moved to another list, or was ignored
)

// Stay is one wait of a conversation on a department's list, and the time with the operator who then got it.
type Stay struct {
	Department string
	At         time.Time       // when it came onto the list, or to its operator
	Entry      domain.Position // of the commit that did it: of one instant the earlier is first
	Follows    bool            // it began because the stay before it ended, and would have begun with its end whenever that was
	Direct     bool            // it came to an operator without waiting: outbound, transferred to them, taken from another owner
	Former     bool            // who had it last did not give it back: they come first
	Assignee   string          // who comes first otherwise; empty: nobody

	Outcome  Outcome // as it was, likewise the rest
	Waited   time.Duration
	Operator string
	Spells   []Spell // with the operator, attended and paused in turns
}

// Spell is a part of the time with an operator.
type Spell struct {
	Length time.Duration
	Paused bool
	since  time.Time // of an endless one
}

// Endless is the length of a spell that had not ended when the log did.
const Endless = time.Duration(math.MaxInt64)

// end is when the stay ended as it was, far in the future when it had not.
func (s *Stay) end() time.Time {
	at := s.At.Add(s.Waited)
	if s.Outcome == Waiting {
		return at.AddDate(1000, 0, 0)
	}
	for _, sp := range s.Spells {
		if sp.Length == Endless {
			return at.AddDate(1000, 0, 0)
		}
		at = at.Add(sp.Length)
	}
	return at
}

// handling is how long it was attended; false when that is not known.
func (s *Stay) handling() (time.Duration, bool) {
	if s.Outcome != Answered || len(s.Spells) == 0 {
		return 0, false
	}
	var sum time.Duration
	for _, sp := range s.Spells {
		if sp.Length == Endless {
			return 0, false
		}
		if !sp.Paused {
			sum += sp.Length
		}
	}
	return sum, true
}
