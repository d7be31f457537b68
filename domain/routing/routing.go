// Package routing decides who gets a conversation: a rule over candidates with their loads. The candidates and the rule
// are kept in the event of the assignment, so that the decision can be shown, and taken again.
package routing

import (
	"cmp"
	"slices"
	"time"

	"github.com/turno-desk/turno/domain"
)

// Rule says who of several candidates with room comes first.
type Rule string

// The rules. Ties go to the longest idle, then to the smaller id.
const (
	LongestIdle Rule = "longest_idle" // who has nothing, longest first; then whose last assignment lies furthest back
	LeastBusy   Rule = "least_busy"   // the smallest load
	RoundRobin  Rule = "round_robin"  // whose last assignment lies furthest back
	Dedicated   Rule = "dedicated"    // the contact's own assignee
	Sticky      Rule = "sticky"       // who had it before, and did not give it back
	Direct      Rule = "direct"       // the operator to whose extension its channel leads
)

// Rules are those that a department can have.
func Rules() []Rule { return []Rule{LongestIdle, LeastBusy, RoundRobin} }

// Candidate is an operator who is connected and available, as they were when it was decided.
type Candidate struct {
	Operator string    `json:"operator"`
	Load     int       `json:"load"`
	Capacity int       `json:"capacity,omitempty"`  // 0: none
	Assigned time.Time `json:"assigned,omitzero"`   // the last assignment by a rule, of an offer's candidates also the last offer; zero: none ever
	Idle     time.Time `json:"idle_since,omitzero"` // when a conversation left them last, or they connected; zero: longer than anybody knows
}

// Room reports whether the candidate may get another conversation.
func (c Candidate) Room() bool { return c.Capacity == 0 || c.Load < c.Capacity }

// Assignment is how an operator was chosen: what the event keeps.
type Assignment struct {
	Rule       Rule            `json:"rule"`
	Read       domain.Position `json:"read"`  // the position at which loads were read
	Entry      domain.Position `json:"entry"` // of the commit that put the conversation on its list
	Candidates []Candidate     `json:"candidates"`
	Omitted    int             `json:"omitted,omitempty"` // further candidates, all of them behind these by the rule
}

// MaxCandidates is how many candidates an event keeps.
const MaxCandidates = 400

// Choose decides by the rule who gets the conversation; false when nobody has room.
func Choose(rule Rule, candidates []Candidate) (operator string, ok bool) {
	first := -1
	for i, c := range candidates {
		if c.Room() && (first < 0 || rule.compare(c, candidates[first]) < 0) {
			first = i
		}
	}
	if first < 0 {
		return "", false
	}
	return candidates[first].Operator, true
}

// Explained is an assignment as an event keeps it.
func Explained(rule Rule, read, entry domain.Position, candidates []Candidate) Assignment {
	a := Assignment{Rule: rule, Read: read, Entry: entry, Candidates: slices.Clone(candidates)}
	slices.SortFunc(a.Candidates, func(x, y Candidate) int {
		return cmp.Or(compareBool(!x.Room(), !y.Room()), rule.compare(x, y))
	})
	if extra := len(a.Candidates) - MaxCandidates; extra > 0 {
		a.Candidates, a.Omitted = a.Candidates[:MaxCandidates], extra
	}
	return a
}

// Again decides once more by what the event keeps.
func (a Assignment) Again() (operator string, ok bool) { return Choose(a.Rule, a.Candidates) }

// compare says which of two candidates comes first. It never says that two are equal but for one and the same.
func (r Rule) compare(a, b Candidate) int {
	byRule := 0
	switch r {
	case LeastBusy:
		byRule = cmp.Compare(a.Load, b.Load)
	case RoundRobin:
		byRule = a.Assigned.Compare(b.Assigned)
	default:
		byRule = compareBool(a.Load > 0, b.Load > 0)
		if byRule == 0 && a.Load > 0 {
			byRule = a.Assigned.Compare(b.Assigned)
		}
	}
	return cmp.Or(byRule, a.Idle.Compare(b.Idle), cmp.Compare(a.Operator, b.Operator))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
