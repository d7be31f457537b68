package thread

import (
	"slices"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/routing"
)

// distribute makes the chosen operator the owner, if it still waits there and they are still there for it (F002, D22).
func (d decision) distribute(c Distribute) ([]Event, *domain.Refusal) {
	if d.f.Actor.Kind != domain.ActorSystem {
		return nil, forbidden("Conversations are distributed by the department's rule alone.")
	}
	if d.f.Import {
		return d.distributed(c)
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
	return []Event{givenBy(c)}, nil
}

// distributed is an assignment that a history says a rule has made elsewhere. Nobody reserved anything, but its rule, applied
// to its candidates, must give the operator who got it.
func (d decision) distributed(c Distribute) ([]Event, *domain.Refusal) {
	if c.Department == "" {
		c.Department = d.c.Department
	}
	if d.c.State != StateWaiting || d.c.Department != c.Department {
		return nil, notAllowed(d.c)
	}
	if r := checkAssignment(c.Assignment); r != nil {
		return nil, r
	}
	if chosen, _ := c.Assignment.Again(); chosen != c.Operator {
		return nil, invalid("The rule does not choose this operator of these candidates.", "operator", "candidates")
	}
	if _, r := d.assignee(c.Operator, c.Department); r != nil {
		return nil, r
	}
	return []Event{givenBy(c)}, nil
}

// checkAssignment refuses what no rule can have decided.
func checkAssignment(a routing.Assignment) *domain.Refusal {
	if !slices.Contains(append(routing.Rules(), routing.Dedicated, routing.Sticky), a.Rule) {
		return invalid("A rule is longest_idle, least_busy, round_robin, dedicated or sticky.", "rule")
	}
	if len(a.Candidates) == 0 || len(a.Candidates) > routing.MaxCandidates || a.Omitted < 0 {
		return invalid("An assignment has 1 to 400 candidates.", "candidates")
	}
	seen := map[string]bool{}
	for _, c := range a.Candidates {
		if !domain.ValidID(c.Operator) || seen[c.Operator] || c.Load < 0 || c.Capacity < 0 {
			return invalid("A candidate is an operator's id, each once, with a load and a capacity from 0 on.", "candidates")
		}
		seen[c.Operator] = true
	}
	return nil
}

// givenBy is the event of an assignment.
func givenBy(c Distribute) Taken {
	how := TakenByRule
	switch c.Assignment.Rule {
	case routing.Dedicated:
		how = TakenDedicated
	case routing.Sticky:
		how = TakenSticky
	case routing.Direct:
		how = TakenDirect
	}
	return Taken{Operator: c.Operator, Department: c.Department, How: how, Assignment: &c.Assignment}
}
