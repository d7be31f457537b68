package metric

import (
	"math"
	"sort"
)

// measure computes the figures of spans, those that are still running included.
func (t *Tabulator) measure(spans []Sample) Row {
	switch t.q.shape {
	case touched:
		return t.touched(spans)
	case stocked:
		return t.stock(spans)
	case together:
		return t.together(spans)
	}
	return t.presence(spans)
}

// within calls fn with the buckets that a span reaches into: those that hold a part of it, or its instant when it has no
// length.
func (t *Tabulator) within(s *Sample, fn func(bucket int)) {
	b := t.q.Bounds
	first := max(sort.Search(len(b), func(i int) bool { return b[i] > s.From })-1, 0)
	for i := first; i < len(b)-1 && b[i] <= max(s.From, s.At-1); i++ {
		if max(s.From, b[i]) < s.At || s.From >= b[i] {
			fn(i)
		}
	}
}

func (t *Tabulator) touched(spans []Sample) Row {
	n := len(t.q.Bounds) - 1
	total, sets := map[string]struct{}{}, make([]map[string]struct{}, n)
	for i := range spans {
		t.within(&spans[i], func(b int) {
			if sets[b] == nil {
				sets[b] = map[string]struct{}{}
			}
			sets[b][spans[i].Conversation] = struct{}{}
			total[spans[i].Conversation] = struct{}{}
		})
	}
	r := Row{Total: even(Figure{N: len(total)}), Buckets: make([]Pair, n)}
	for i := range r.Buckets {
		r.Buckets[i] = even(Figure{N: len(sets[i])})
	}
	return r
}

// stock counts at the instants at which the buckets end, after all that came before and before what comes with it: so a
// period's flow is exactly the difference of two stocks.
func (t *Tabulator) stock(spans []Sample) Row {
	s := make([]stretch, 0, len(spans))
	for i := range spans {
		x := stretch{spans[i].From, spans[i].At}
		if spans[i].Ref == 0 {
			x.to = math.MaxInt64
		}
		s = append(s, x)
	}
	changes := turns(s)
	r := Row{Buckets: make([]Pair, len(t.q.Bounds)-1)}
	i, n := 0, 0
	for b := range r.Buckets {
		for ; i < len(changes) && changes[i].at < t.q.Bounds[b+1]; i++ {
			n += changes[i].by
		}
		r.Buckets[b] = even(Figure{N: n})
	}
	r.Total = r.Buckets[len(r.Buckets)-1]
	return r
}

// crowd is how many there were at once: time-weighted, and at most.
type crowd struct {
	area, busy int64
	most       int
}

func (c crowd) figure(n int) Figure {
	f := Figure{N: n, Has: HasMean | HasMax}
	if c.busy > 0 {
		f.Mean, f.Max = number(round(float64(c.area)/float64(c.busy))), number(float64(c.most))
	}
	return f
}

func (t *Tabulator) together(spans []Sample) Row {
	s := make([]stretch, 0, len(spans))
	for i := range spans {
		s = append(s, stretch{spans[i].From, spans[i].At})
	}
	changes := turns(s)
	r := t.touched(spans)
	var total crowd
	i, n := 0, 0
	for b := range r.Buckets {
		var c crowd
		for at := t.q.Bounds[b]; at < t.q.Bounds[b+1]; {
			for ; i < len(changes) && changes[i].at <= at; i++ {
				n += changes[i].by
			}
			next := t.q.Bounds[b+1]
			if i < len(changes) {
				next = min(next, changes[i].at)
			}
			if n > 0 {
				c.area, c.busy, c.most = c.area+int64(n)*(next-at), c.busy+next-at, max(c.most, n)
			}
			at = next
		}
		total = crowd{total.area + c.area, total.busy + c.busy, max(total.most, c.most)}
		r.Buckets[b] = even(c.figure(r.Buckets[b].With.N))
	}
	r.Total = even(total.figure(r.Total.With.N))
	return r
}

// Shift is one operator's time: available and away in it, and attending, each merged.
type shift struct{ available, away, attending []stretch }

func (t *Tabulator) presence(spans []Sample) Row {
	shifts := map[string]*shift{}
	for i := range spans {
		s := &spans[i]
		o := shifts[s.Operator]
		if o == nil {
			o = &shift{}
			shifts[s.Operator] = o
		}
		x := stretch{s.From, s.At}
		switch s.Kind {
		case Available:
			o.available = append(o.available, x)
		case Away:
			o.away = append(o.away, x)
		case Attending:
			o.attending = append(o.attending, x)
		}
	}
	n := len(t.q.Bounds) - 1
	parts, wholes, people := make([]int64, n), make([]int64, n), make([]int, n)
	everybody := 0
	for _, o := range shifts {
		part, whole := t.clocked(o)
		there := 0
		for b := range part {
			parts[b], wholes[b] = parts[b]+part[b], wholes[b]+whole[b]
			if whole[b] > 0 {
				people[b]++
				there = 1
			}
		}
		everybody += there
	}
	r := Row{Buckets: make([]Pair, n)}
	var part, whole int64
	for b := range r.Buckets {
		r.Buckets[b] = even(t.share(parts[b], wholes[b], people[b]))
		part, whole = part+parts[b], whole+wholes[b]
	}
	r.Total = even(t.share(part, whole, everybody))
	return r
}

// clocked is, per bucket, what is measured of one operator, and the time that they must have had for it to count.
func (t *Tabulator) clocked(o *shift) (part, whole []int64) {
	b := t.q.Bounds
	free := union(o.available)
	there := union(append(append([]stretch(nil), o.available...), o.away...))
	busy := union(o.attending)
	whole = lengths(there, b)
	switch t.q.shape {
	case connected:
		return whole, whole
	case available:
		return lengths(free, b), whole
	case away:
		return lengths(union(o.away), b), whole
	case occupied:
		return lengths(both(there, busy), b), whole
	case idle:
		part = lengths(both(there, busy), b)
		for i := range part {
			part[i] = whole[i] - part[i]
		}
		return part, whole
	}
	return lengths(both(free, busy), b), lengths(free, b)
}

func (t *Tabulator) share(part, whole int64, people int) Figure {
	if t.q.shape == occupancied {
		f := Figure{N: people, Has: HasMean}
		if whole > 0 {
			f.Mean = number(round(float64(part) / float64(whole)))
		}
		return f
	}
	f := Figure{N: people, Has: HasSum | HasMean}
	if people > 0 {
		f.Sum, f.Mean = number(float64(part)/1000), number(round(float64(part)/float64(people)/1000))
	}
	return f
}
