package routing

import "slices"

// MostOffered is to how many operators a department may offer a conversation at once.
const MostOffered = 50

// Next are the operators who are asked next (D8): at most n of the candidates with room, the longest idle first.
func Next(n int, candidates []Candidate) []string {
	ready := slices.DeleteFunc(slices.Clone(candidates), func(c Candidate) bool { return !c.Room() })
	slices.SortFunc(ready, LongestIdle.compare)
	var next []string
	for _, c := range ready[:min(n, len(ready))] {
		next = append(next, c.Operator)
	}
	return next
}

// NextAgain decides once more, by what the event of an offer keeps, who n operators are.
func (a Assignment) NextAgain(n int) []string { return Next(n, a.Candidates) }
