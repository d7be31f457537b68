package simulation

import (
	"slices"
	"time"
)

// Figures sum up the waits of a department, or of all.
type Figures struct {
	N         int // waits that began in the period
	Answered  int
	Abandoned int
	Left      int
	Waiting   int // had not ended with the simulation: they count with what they have waited so far

	Mean, P50, P90, P95, Max time.Duration
	Levels                   []float64 // for each of Thresholds, the share of those answered within it; nil: none was answered, abandoned or waits
	Occupancy                *float64  // nil: nobody was available
}

// Thresholds are those of the service levels.
var thresholds = [...]time.Duration{20 * time.Second, time.Minute, 5 * time.Minute}

// Thresholds are how soon an answer has to come for each of the service levels.
func Thresholds() []time.Duration { return thresholds[:] }

// Figures are those of a department; of all when it is empty. A percentile is the nearest rank.
func (o Outcomes) Figures(department string) Figures {
	var f Figures
	var waits []time.Duration
	var sum time.Duration
	within := make([]int, len(thresholds))
	for _, w := range o.Waits {
		if department != "" && w.Department != department {
			continue
		}
		f.N++
		waits, sum = append(waits, w.Waited), sum+w.Waited
		switch w.Outcome {
		case Answered:
			f.Answered++
			for i, t := range thresholds {
				if w.Waited <= t {
					within[i]++
				}
			}
		case Abandoned:
			f.Abandoned++
		case Left:
			f.Left++
		case Waiting:
			f.Waiting++
		}
	}
	if f.N > 0 {
		slices.Sort(waits)
		f.Mean, f.P50, f.P90 = sum/time.Duration(f.N), nearest(waits, 50), nearest(waits, 90)
		f.P95, f.Max = nearest(waits, 95), waits[f.N-1]
	}
	if of := f.Answered + f.Abandoned + f.Waiting; of > 0 {
		for _, n := range within {
			f.Levels = append(f.Levels, float64(n)/float64(of))
		}
	}
	f.Occupancy = o.occupancy(department)
	return f
}

// occupancy is the time with something to attend to over the time available; of everybody when the department is empty.
func (o Outcomes) occupancy(department string) *float64 {
	var available, busy time.Duration
	seen := map[string]bool{}
	for id, staff := range o.Staff {
		if department != "" && id != department {
			continue
		}
		for _, op := range staff {
			if !seen[op] {
				seen[op] = true
				available, busy = available+o.Busy[op].Available, busy+o.Busy[op].Busy
			}
		}
	}
	if available == 0 {
		return nil
	}
	share := float64(busy) / float64(available)
	return &share
}
