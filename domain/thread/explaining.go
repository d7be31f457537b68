package thread

import (
	"slices"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/routing"
)

// Explanation is how a rule decided who gets a conversation, or who is asked (N15).
type Explanation struct {
	How    How // HowOffered where operators are asked
	Chosen []string
	Round  int       // of an offer
	Until  time.Time // of an offer
	routing.Assignment
}

// HowOffered is the How of an explanation of an offer.
const HowOffered How = "offered"

// Explain gives the explanation of an event; false when no rule decided it.
func Explain(event domain.Event) (Explanation, bool) {
	switch e := event.(type) {
	case Taken:
		if e.Assignment != nil {
			return Explanation{How: e.How, Chosen: []string{e.Operator}, Assignment: *e.Assignment}, true
		}
	case Offered:
		if e.Assignment != nil {
			return Explanation{How: HowOffered, Chosen: e.Joined, Round: e.Round, Until: e.Until, Assignment: *e.Assignment}, true
		}
	}
	return Explanation{}, false
}

// Again decides once more by what the event keeps.
func (x Explanation) Again() (chosen []string, same bool) {
	if x.How == HowOffered {
		chosen = x.NextAgain(len(x.Chosen))
	} else if op, ok := x.Assignment.Again(); ok {
		chosen = []string{op}
	}
	return chosen, slices.Equal(chosen, x.Chosen)
}
