package console

import "github.com/turno-desk/turno/projections/queue"

// rail is the column of states with their counts.
type rail struct{ States []railState }

type railState struct {
	State  string
	Count  int
	Chosen bool
	Link   string
}

func railOf(counts queue.Departments, at place) *rail {
	r := &rail{}
	for _, state := range lists() {
		n := 0
		for _, d := range counts.Items {
			n += d.Counts[state]
		}
		r.States = append(r.States, railState{State: state, Count: n, Chosen: state == at.list, Link: at.at(state).link()})
	}
	return r
}

func (r *rail) count(state string) int {
	for _, s := range r.States {
		if s.State == state {
			return s.Count
		}
	}
	return 0
}
