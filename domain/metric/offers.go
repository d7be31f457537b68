package metric

import (
	"slices"

	"github.com/turno-desk/turno/domain/thread"
)

// offered counts an offer for each operator who joins. Those of the round before have had their time.
func (s *step) offered(e thread.Offered) {
	s.missed()
	for i, op := range e.Joined {
		s.add(&Sample{Kind: Offered, Nth: i, Value: 1, Operator: op, Machine: s.machine()})
		s.Offers = append(s.Offers, Offer{Operator: op, Mark: s.mark()})
	}
}

// missed counts the offers whose time is over.
func (s *step) missed() {
	s.answered(OfferMissed, s.Offers)
	s.Offers = nil
}

// declined counts the offer that its operator refused. One whose time was over before was missed.
func (s *step) declined(operator string) {
	i := slices.IndexFunc(s.Offers, func(o Offer) bool { return o.Operator == operator })
	if i < 0 {
		return
	}
	s.answered(OfferDeclined, s.Offers[i:i+1])
	s.Offers = slices.Delete(slices.Clone(s.Offers), i, i+1)
}

// lost counts the offers of those who were still asked when another got the conversation.
func (s *step) lost(to string) {
	s.answered(OfferLost, slices.DeleteFunc(slices.Clone(s.Offers), func(o Offer) bool { return o.Operator == to }))
	s.Offers = nil
}

// answered adds a stretch from each offer up to now.
func (s *step) answered(k Kind, offers []Offer) {
	for i, o := range offers {
		value := s.t - o.At
		s.add(&Sample{Kind: k, Nth: i, Start: o.Ref, From: o.At, Value: value, Net: value - (s.paused(s.t) - o.Paused), Operator: o.Operator})
	}
}
