package metric

import (
	"slices"
	"sort"
)

// Question is one metric over a period, cut into buckets and broken down.
type Question struct {
	*Definition
	Bounds    []int64              // ascending milliseconds: the period's start, where each bucket ends and the next begins, the period's end
	Group     func(*Sample) string // nil: not broken down
	ByOpening bool                 // a sample belongs to the period in which its episode opened
}

// Pair is a figure with and without paused time; both are the same where the metric knows no pauses.
type Pair struct{ With, Without Figure }

// Row is one group, or the total of all.
type Row struct {
	Key     string
	Total   Pair
	Buckets []Pair // one for each bucket, empty ones too
}

// Table is the answer. The total is computed from all samples, never from the groups' figures.
type Table struct {
	Total  Row
	Groups []Row // by key
}

// Tabulator turns samples, in any order, into a table. It is for one use.
type Tabulator struct {
	q      Question
	groups map[string]*column
	closes []closing // lastClosed only
}

// column holds what one group's figures are computed from.
type column struct {
	buckets []cell
	spans   []Sample
}

// NewTabulator begins a table. Bounds has at least two elements.
func NewTabulator(q Question) *Tabulator {
	return &Tabulator{q: q, groups: map[string]*column{}}
}

func (t *Tabulator) column(key string) *column {
	g := t.groups[key]
	if g == nil {
		g = &column{buckets: make([]cell, len(t.q.Bounds)-1)}
		t.groups[key] = g
	}
	return g
}

func (t *Tabulator) key(s *Sample) string {
	if t.q.Group == nil {
		return ""
	}
	return t.q.Group(s)
}

// bucket is the index of the bucket that holds an instant, or -1.
func (t *Tabulator) bucket(at int64) int {
	b := t.q.Bounds
	if at < b[0] || at >= b[len(b)-1] {
		return -1
	}
	return sort.Search(len(b), func(i int) bool { return b[i] > at }) - 1
}

// Add counts a sample that the caller found to be kept by the definition and its filters. It may be reused afterwards.
func (t *Tabulator) Add(s *Sample) {
	if t.q.Spans() {
		if s.From < t.q.Bounds[len(t.q.Bounds)-1] && s.At >= t.q.Bounds[0] {
			g := t.column(t.key(s))
			g.spans = append(g.spans, *s)
		}
		return
	}
	at := s.At
	if t.q.ByOpening {
		at = s.Opened
	}
	i := t.bucket(at)
	if i < 0 {
		return
	}
	if t.q.shape == lastClosed {
		t.closes = append(t.closes, closing{s.Conversation, t.key(s), s.At, s.Ref, i, s.Kind == Episode})
		return
	}
	t.column(t.key(s)).buckets[i].add(t.q.Definition, s)
}

// Table computes the figures.
func (t *Tabulator) Table() Table {
	if t.q.shape == lastClosed {
		t.settle()
	}
	keys := make([]string, 0, len(t.groups))
	for k := range t.groups {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	var table Table
	all := make([]*column, 0, len(keys))
	for _, k := range keys {
		g := t.groups[k]
		all = append(all, g)
		if t.q.Group != nil {
			row := t.row([]*column{g})
			row.Key = k
			table.Groups = append(table.Groups, row)
		}
	}
	table.Total = t.row(all)
	return table
}

// row computes the figures of some groups together.
func (t *Tabulator) row(groups []*column) Row {
	if t.q.Spans() {
		var spans []Sample
		for _, g := range groups {
			spans = append(spans, g.spans...)
		}
		return t.measure(spans)
	}
	r := Row{Buckets: make([]Pair, len(t.q.Bounds)-1)}
	var total cell
	for i := range r.Buckets {
		var c cell
		for _, g := range groups {
			c.merge(&g.buckets[i])
		}
		r.Buckets[i] = c.pair(t.q.Definition)
		total.merge(&c)
	}
	r.Total = total.pair(t.q.Definition)
	if t.q.shape == lastClosed {
		r.Total = t.settled(groups)
	}
	return r
}
