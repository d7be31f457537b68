package metric

import (
	"cmp"
	"slices"
)

// stretch is a half-open stretch of time.
type stretch struct{ from, to int64 }

// union sorts and merges stretches; those of no length vanish.
func union(s []stretch) []stretch {
	slices.SortFunc(s, func(a, b stretch) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	var merged []stretch
	for _, x := range s {
		switch n := len(merged); {
		case x.to <= x.from:
		case n > 0 && x.from <= merged[n-1].to:
			merged[n-1].to = max(merged[n-1].to, x.to)
		default:
			merged = append(merged, x)
		}
	}
	return merged
}

// both is where two unions overlap.
func both(a, b []stretch) []stretch {
	var out []stretch
	for i, j := 0, 0; i < len(a) && j < len(b); {
		from, to := max(a[i].from, b[j].from), min(a[i].to, b[j].to)
		if from < to {
			out = append(out, stretch{from, to})
		}
		if a[i].to < b[j].to {
			i++
		} else {
			j++
		}
	}
	return out
}

// lengths is how much of a union lies in each bucket.
func lengths(u []stretch, bounds []int64) []int64 {
	out := make([]int64, len(bounds)-1)
	i := 0
	for b := range out {
		for i < len(u) && u[i].to <= bounds[b] {
			i++
		}
		for j := i; j < len(u) && u[j].from < bounds[b+1]; j++ {
			out[b] += min(u[j].to, bounds[b+1]) - max(u[j].from, bounds[b])
		}
	}
	return out
}

// turn is a change of how many there are at once.
type turn struct {
	at int64
	by int
}

// turns is every change, ends before beginnings; stretches of no length cover nothing.
func turns(s []stretch) []turn {
	out := make([]turn, 0, 2*len(s))
	for _, x := range s {
		if x.to > x.from {
			out = append(out, turn{x.from, 1}, turn{x.to, -1})
		}
	}
	slices.SortFunc(out, func(a, b turn) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.by, b.by)) })
	return out
}
