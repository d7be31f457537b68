package thread

import (
	"slices"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/operator"
)

// Offering is an offer that stands.
type Offering struct {
	Operators []string // to whom, those who declined left out
	Until     time.Time
	Round     int
	Cause     string // rule, transfer
}

// The causes of offers.
const (
	OfferedByRule     = "rule"     // the department offers what waits
	OfferedByTransfer = "transfer" // a transfer that named the operator, where they must accept it (D4)
)

// offerSlack is how long an offer holds beyond its time, so that the next are asked before somebody else is faster. Where
// nobody asks them, because no worker runs, everybody may take it from then on.
const offerSlack = 5 * time.Second

// To reports whether it is the operator's.
func (o *Offering) To(operator string) bool {
	return o != nil && slices.Contains(o.Operators, operator)
}

func (o *Offering) without(operator string) *Offering {
	if o == nil {
		return nil
	}
	rest := *o
	rest.Operators = without(o.Operators, []string{operator})
	return &rest
}

// offeredToOthers reports whether the actor may not have the conversation because it is offered to others (D8).
func (d decision) offeredToOthers() bool {
	o := d.c.Offer
	return o != nil && !o.To(d.operator()) && !d.f.Now.After(o.Until.Add(offerSlack)) && !d.supervises()
}

// offer asks further operators: all of them or, where one is not there any more, none, so that the next look decides anew.
func (d decision) offer(c Offer) ([]Event, *domain.Refusal) {
	if d.f.Actor.Kind != domain.ActorSystem {
		return nil, forbidden("Conversations are offered by the department's rule alone.")
	}
	if d.f.Import && c.Department == "" {
		c.Department = d.c.Department
	}
	if d.c.State != StateWaiting || d.c.Department != c.Department || d.c.Rounds != c.Round-1 || len(c.Operators) == 0 {
		return nil, notAllowed(d.c)
	}
	if d.f.Import {
		if r := checkOffer(c); r != nil {
			return nil, r
		}
	}
	var before []string
	if d.c.Offer != nil {
		before = d.c.Offer.Operators
	}
	for _, id := range c.Operators {
		if _, r := d.assignee(id, c.Department); r != nil || !d.f.Import && !d.f.Image.Reachable(id) || slices.Contains(before, id) {
			return nil, &domain.Refusal{
				Code: CodeOperatorAway, Detail: "One of the operators is not connected or not available, or is asked already.",
				Missing: []string{"operators"}, OnSettings: true,
			}
		}
	}
	assignment := c.Assignment
	return []Event{Offered{
		Operators: slices.Concat(before, c.Operators), Joined: c.Operators, Round: c.Round, Until: d.f.Now.Add(c.For), Cause: OfferedByRule,
		Assignment: &assignment,
	}}, nil
}

// checkOffer refuses an offer that a history tells of and that the rule does not make of its candidates.
func checkOffer(c Offer) *domain.Refusal {
	if c.For <= 0 || c.For > 24*time.Hour {
		return invalid("An offer stands for up to a day.", "for_s")
	}
	if r := checkAssignment(c.Assignment); r != nil {
		return r
	}
	if !slices.Equal(c.Assignment.NextAgain(len(c.Operators)), c.Operators) {
		return invalid("The rule does not ask these operators of these candidates.", "operators", "candidates")
	}
	return nil
}

// withdraw ends the offer.
func (d decision) withdraw(c Withdraw) ([]Event, *domain.Refusal) {
	if d.f.Actor.Kind != domain.ActorSystem {
		return nil, forbidden("Offers end by themselves.")
	}
	if d.c.Offer == nil || d.c.Offer.Round != c.Round {
		return nil, nil
	}
	return []Event{OfferEnded{Cause: c.Cause}}, nil
}

// accept takes what is offered to the actor.
func (d decision) accept() ([]Event, *domain.Refusal) {
	switch {
	case d.owns():
		return nil, nil
	case d.c.Owner != "":
		return nil, takenByAnother(d.c)
	case !d.c.Open():
		return nil, notAllowed(d.c)
	case !d.c.Offer.To(d.operator()):
		return nil, notOffered(d.c)
	}
	return d.take()
}

// decline takes the actor out of those to whom it is offered.
func (d decision) decline() ([]Event, *domain.Refusal) {
	switch {
	case d.c.Owner != "":
		return nil, takenByAnother(d.c)
	case !d.c.Open():
		return nil, notAllowed(d.c)
	case !d.c.Offer.To(d.operator()):
		return nil, notOffered(d.c)
	}
	return []Event{OfferDeclined{Operator: d.operator()}}, nil
}

// asks reports whether a transfer to the operator is only an offer to them (D4). Whoever names themselves has answered.
func (d decision) asks(op, department string) bool {
	return !d.f.Import && d.f.Image.Departments[department].Settings.TransferAccept && op != d.operator()
}

// asked reports whether a transfer has offered it to the operator already, who has not answered.
func (d decision) asked(op string) bool {
	return d.c.Offer.To(op) && d.c.Offer.Cause == OfferedByTransfer
}

// offerTo is the offer to the one operator whom a transfer names.
func (d decision) offerTo(op, department string) Offered {
	return Offered{
		Operators: []string{op}, Joined: []string{op}, Round: 1, Until: d.f.Now.Add(d.f.Image.Departments[department].Settings.OfferFor()),
		Cause: OfferedByTransfer,
	}
}

// alert tells the owner that their pause is over, or supervisors that nobody is there for a contact who waits. Nothing resumes
// by itself.
func (d decision) alert(c Alert) ([]Event, *domain.Refusal) {
	if d.f.Actor.Kind != domain.ActorSystem {
		return nil, forbidden("Alerts come by themselves.")
	}
	if d.c.State != StatePaused {
		return nil, nil
	}
	switch c.Cause {
	case AlertPauseOver:
		if d.c.PausedTill == nil || d.f.Now.Before(*d.c.PausedTill) || d.alerted(c.Cause) {
			return nil, nil
		}
		return []Event{Alerted{Cause: c.Cause, Operator: d.c.Owner}}, nil
	case AlertUnattended:
		if d.f.Image.Presence[d.c.Owner].Connected {
			return nil, nil
		}
		return []Event{Alerted{Cause: c.Cause, Role: string(operator.RoleSupervisor)}}, nil
	}
	return nil, invalid("An alert's cause is pause_over or unattended.", "cause")
}

func (d decision) alerted(cause AlertCause) bool {
	return slices.ContainsFunc(d.c.Alerts, func(a Alerted) bool { return a.Cause == cause })
}
