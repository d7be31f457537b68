package simulation

import (
	"fmt"
	"slices"
	"time"

	"github.com/turno-desk/turno/domain/routing"
)

// Manual is the rule by which nothing is given: people take what waits.
const Manual routing.Rule = "manual"

// Rules are those that a plan can have.
func Rules() []routing.Rule { return append(routing.Rules(), Manual) }

// Plan is what would be different. The zero value changes nothing.
type Plan struct {
	Departments map[string]Change // by id; of the others nothing changes
	Pickup      time.Duration     // how long after it could somebody takes what waits, where people take
}

// Change is what would be different in one department.
type Change struct {
	Rule      routing.Rule // empty: the department's own
	Operators int          // so many, who are there all the time, instead of its members; 0: its members as they were
	Capacity  int          // of everybody there; 0: as it is set
}

// MaxOperators is the most that a plan puts into one department.
const MaxOperators = 10_000

// Check refuses a plan for departments that the recording does not know, and rules that nobody knows.
func (r *Recording) Check(p Plan) error {
	if p.Pickup < 0 {
		return fmt.Errorf("people can't take what waits %s before they could", -p.Pickup)
	}
	for id, c := range p.Departments {
		switch _, known := r.image.Departments[id]; {
		case !known:
			return fmt.Errorf("there is no department %q in this period", id)
		case c.Rule != "" && !slices.Contains(Rules(), c.Rule):
			return fmt.Errorf("there is no rule %q: it is one of %v", c.Rule, Rules())
		case c.Operators < 0 || c.Operators > MaxOperators:
			return fmt.Errorf("%d operators: it must be 1 to %d", c.Operators, MaxOperators)
		case c.Capacity < 0:
			return fmt.Errorf("a capacity of %d: it must be 1 or more", c.Capacity)
		}
	}
	return nil
}

// rule is what decides in a department.
func (r *Recording) rule(p Plan, department string) routing.Rule {
	if rule := p.Departments[department].Rule; rule != "" {
		return rule
	}
	settings := r.image.Departments[department].Settings
	switch {
	case !settings.Automatic():
		return Manual
	case settings.Rule == "":
		return routing.LongestIdle
	}
	return routing.Rule(settings.Rule)
}

// stand is the id of the n-th operator whom a plan puts into a department. No operator of a desk can have it.
func stand(department string, n int) string { return fmt.Sprintf("%s#%d", department, n) }
