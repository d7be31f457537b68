package contact

import (
	"slices"
	"time"

	"github.com/turno-desk/turno/domain"
)

// The refusals of survey reservations.
const (
	CodeSurveyCap domain.Code = "survey_cap"      // the contact was asked too short a time ago
	CodeBlocked   domain.Code = "contact_blocked" // nobody blocked is asked
	CodeNotHeld   domain.Code = "not_held"        // the other contact is not merged into this one any more: it is the one to ask
)

// ReservedFor is how long a survey may be sent on a reservation. A later attempt has to renew it.
const ReservedFor = time.Minute

// mostAsked is how many reservations are remembered of one contact whose outcome nobody has told; there is one, or none.
const mostAsked = 10

// Asked is a survey that a contact was sent, or is about to be sent. The contact is the one whose thread it is: the one
// that remembers it, or another that is or was merged into that.
type Asked struct {
	Contact string    `json:"contact"`
	Survey  string    `json:"survey"`
	At      time.Time `json:"at"` // when it was accepted or, before that is known, reserved
	Sent    bool      `json:"sent,omitempty"`
}

// quiet reports whether nobody else may ask at t, so soon after this: what is only reserved may be sent until the
// reservation ends.
func (a Asked) quiet(cap time.Duration, t time.Time) bool {
	end := a.At.Add(cap)
	if !a.Sent {
		end = end.Add(ReservedFor)
	}
	return t.Before(end)
}

// SurveyReserved makes room for one survey: nobody else asks the contact within the cap.
type SurveyReserved struct{ Asked }

// SurveyConfirmed says that it was accepted, and when: from there the cap counts.
type SurveyConfirmed struct{ Asked }

// SurveyReleased says that it never will be sent.
type SurveyReleased struct {
	Contact string `json:"contact"`
	Survey  string `json:"survey"`
}

func (SurveyReserved) event()  {}
func (SurveyConfirmed) event() {}
func (SurveyReleased) event()  {}

// Reserve asks for room for a survey of a contact: of self, or of one that self holds.
type Reserve struct {
	Self    string
	Contact string
	Survey  string
	Cap     time.Duration
}

// DecideReserve makes room when nobody of the group was asked within the cap (D7). Asking again for the same survey makes nothing
// while the reservation is fresh, and renews it later. It is for the survivor of a merge to decide: whoever was merged away refuses, and names
// that one.
func DecideReserve(s State, r Reserve, now time.Time) ([]Event, *domain.Refusal) {
	if refusal := s.askable(r.Self, r.Contact); refusal != nil {
		return nil, refusal
	}
	if s.Blocked {
		return nil, &domain.Refusal{Code: CodeBlocked, Detail: "A blocked contact is not asked."}
	}
	for _, a := range s.Asked {
		switch {
		case a.Contact == r.Contact && a.Survey == r.Survey:
			if a.Sent || now.Before(a.At.Add(ReservedFor/2)) {
				return nil, nil
			}
		case s.of(r.Self, a.Contact) && a.quiet(r.Cap, now):
			return nil, &domain.Refusal{Code: CodeSurveyCap, Detail: "The contact was asked, or is about to be, within the cap."}
		}
	}
	return []Event{SurveyReserved{Asked{Contact: r.Contact, Survey: r.Survey, At: now.UTC()}}}, nil
}

// DecideConfirm notes when a survey was accepted; again is nothing, and so is one older than the last that is remembered, unless
// its reservation waits for the outcome.
func DecideConfirm(s State, self string, asked Asked) ([]Event, *domain.Refusal) {
	if refusal := s.askable(self, asked.Contact); refusal != nil {
		return nil, refusal
	}
	asked.Sent, asked.At = true, asked.At.UTC()
	known := false
	for _, a := range s.AskedOf(asked.Contact) {
		switch {
		case a.Survey == asked.Survey && !a.Sent:
			return []Event{SurveyConfirmed{asked}}, nil
		case a.Sent && (a.Survey == asked.Survey || a.At.After(asked.At)):
			known = true
		}
	}
	if known {
		return nil, nil
	}
	return []Event{SurveyConfirmed{asked}}, nil
}

// DecideRelease gives the room back; again, or after it was accepted, is nothing.
func DecideRelease(s State, self, contact, survey string) ([]Event, *domain.Refusal) {
	if refusal := s.askable(self, contact); refusal != nil {
		return nil, refusal
	}
	for _, a := range s.Asked {
		if a.Contact == contact && a.Survey == survey && !a.Sent {
			return []Event{SurveyReleased{Contact: contact, Survey: survey}}, nil
		}
	}
	return nil, nil
}

// AskedOf is what is remembered of one contact's surveys.
func (s State) AskedOf(contact string) []Asked {
	var all []Asked
	for _, a := range s.Asked {
		if a.Contact == contact {
			all = append(all, a)
		}
	}
	return all
}

// of reports whether a contact is self, or merged into it.
func (s State) of(self, contact string) bool { return contact == self || s.Holds[contact].Held }

// askable refuses what is not for this contact to decide about another's surveys.
func (s State) askable(self, contact string) *domain.Refusal {
	switch {
	case s.closed() != nil:
		return s.closed()
	case !s.of(self, contact):
		return &domain.Refusal{Code: CodeNotHeld, Detail: "The other contact is not merged into this one."}
	}
	return nil
}

// ask notes a survey of a contact. Of those that were sent the newest is remembered, and each takes the place of its own
// reservation. The slice of the state before stays as it was.
func (s *State) ask(asked Asked) {
	kept := slices.DeleteFunc(slices.Clone(s.Asked), func(a Asked) bool {
		return a.Contact == asked.Contact && (a.Survey == asked.Survey || a.Sent && asked.Sent && !a.At.After(asked.At))
	})
	if asked.Sent && slices.ContainsFunc(kept, func(a Asked) bool { return a.Contact == asked.Contact && a.Sent }) {
		s.Asked = kept
		return
	}
	kept = append(kept, asked)
	if open := slices.DeleteFunc(slices.Clone(kept), func(a Asked) bool { return a.Sent || a.Contact != asked.Contact }); len(open) > mostAsked {
		kept = slices.DeleteFunc(kept, func(a Asked) bool { return a == open[0] })
	}
	s.Asked = kept
}

func (s *State) askAll(all []Asked) {
	for _, a := range all {
		s.ask(a)
	}
}

func (s *State) unask(contact, survey string) {
	s.Asked = slices.DeleteFunc(slices.Clone(s.Asked), func(a Asked) bool { return a.Contact == contact && a.Survey == survey && !a.Sent })
}
