package thread

import (
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/routing"
)

// distribute makes the chosen operator the owner, if it still waits there and they are still there for it (F002, D22).
func (d decision) distribute(c Distribute) ([]Event, *domain.Refusal) {
	if d.f.Actor.Kind != domain.ActorSystem {
		return nil, forbidden("Conversations are distributed by the department's rule alone.")
	}
	if d.c.State != StateWaiting || d.c.Department != c.Department || d.f.Now.After(c.Expires) {
		return nil, notAllowed(d.c)
	}
	if _, r := d.assignee(c.Operator, c.Department); r != nil {
		return nil, r
	}
	if !d.f.Image.Reachable(c.Operator) {
		return nil, &domain.Refusal{
			Code: CodeOperatorAway, Detail: "The operator is not connected or not available.", Missing: []string{"operator"}, OnSettings: true,
		}
	}
	if d.c.Offer != nil {
		return nil, notOffered(d.c)
	}
	how := TakenByRule
	switch c.Assignment.Rule {
	case routing.Dedicated:
		how = TakenDedicated
	case routing.Sticky:
		how = TakenSticky
	case routing.Direct:
		how = TakenDirect
	}
	assignment := c.Assignment
	return []Event{Taken{Operator: c.Operator, Department: c.Department, How: how, Assignment: &assignment}}, nil
}
