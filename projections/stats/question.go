package stats

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/turno-desk/turno/domain/metric"
)

// question is a metric with all that narrows it.
type question struct {
	*metric.Definition
	from, to  int64
	byOpening bool
	scope     Scope
	filter    Filter
	people    bool
	machines  bool
	members   map[string]bool // operators that a metric of presence may count; nil: all
}

// period checks what every request has.
func period(from, to time.Time) error {
	if from.IsZero() {
		return invalid("A report needs a beginning.", "from")
	}
	if !to.After(from) {
		return invalid("A report ends after its beginning.", "to")
	}
	return nil
}

// ask finds the metric and checks that it can be asked so.
func (v *view) ask(ctx context.Context, name string, version int, s Scope, f Filter, c Cohort, a Actors, g GroupBy) (*question, error) {
	d, ok := metric.Find(name, version)
	if !ok {
		return nil, invalid(fmt.Sprintf("There is no metric %q of that version.", name), "metric")
	}
	q := &question{Definition: d, scope: s, filter: f, byOpening: c == CohortOpened && !d.Spans(), people: a != ActorsMachine, machines: a != ActorsHuman}
	if !d.OfPresence() {
		return q, nil
	}
	if f.Channel != "" || f.Detail != "" || g != GroupNone && g != GroupOperator {
		return nil, invalid(fmt.Sprintf("%q is an operator's as a whole: it is given by operator, or for all of a department's.", name), "group_by")
	}
	var err error
	q.members, err = v.members(ctx, s, f.Department)
	return q, err
}

// members are the operators whose presence may be seen, those of one department when it is given; nil for everybody.
func (v *view) members(ctx context.Context, s Scope, department string) (map[string]bool, error) {
	if s.All && department == "" || !s.All && s.Operator != "" && department == "" {
		return nil, nil
	}
	found := map[string]bool{}
	err := each(ctx, v.tx, `SELECT operator, department FROM members WHERE workspace = ? AND ref < ? AND (until = 0 OR until >= ?)`,
		[]any{v.space, int64(v.limit), int64(v.limit)}, func(scan scanner) error {
			var op, dep string
			if err := scan(&op, &dep); err != nil {
				return err
			}
			if (department == "" || dep == department) && (s.All || s.Operator != "" || slices.Contains(s.Departments, dep)) {
				found[op] = true
			}
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("stats: read who belongs where: %w", err)
	}
	return found, nil
}

// sees reports whether the scope covers what is credited so.
func (s Scope) sees(operator, department string) bool {
	switch {
	case s.All:
		return true
	case s.Operator != "":
		return operator == s.Operator
	}
	return slices.Contains(s.Departments, department)
}

// admits reports whether a sample counts.
func (q *question) admits(s *metric.Sample) bool {
	if q.Follows(s.Kind) {
		return true
	}
	if q.OfPresence() {
		if !q.scope.All && q.scope.Operator != "" && s.Operator != q.scope.Operator {
			return false
		}
		return passes(q.filter.Operator, s.Operator) && (q.members == nil || q.members[s.Operator])
	}
	f := q.filter
	return q.scope.sees(s.Operator, s.Department) &&
		passes(f.Operator, s.Operator) && passes(f.Department, s.Department) && passes(f.Channel, s.Channel) && passes(f.Detail, s.Detail) &&
		q.Keeps(s, q.people, q.machines)
}

func passes(filter, value string) bool {
	return filter == "" || filter == value || filter == Nobody && value == ""
}

// grouping is the key of a sample, or nil when there are no groups.
func grouping(g GroupBy) func(*metric.Sample) string {
	switch g {
	case GroupOperator:
		return func(s *metric.Sample) string { return s.Operator }
	case GroupDepartment:
		return func(s *metric.Sample) string { return s.Department }
	case GroupChannel:
		return func(s *metric.Sample) string { return s.Channel }
	case GroupDetail:
		return func(s *metric.Sample) string { return s.Detail }
	}
	return nil
}
