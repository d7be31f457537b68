package metric

import (
	"cmp"
	"slices"
)

// closing is a close, or the reopening that undoes it.
type closing struct {
	conversation, key string
	at                int64
	ref               Ref
	bucket            int
	closed            bool
}

// settle puts every conversation that a bucket's last word left closed into the group of that close.
func (t *Tabulator) settle() {
	slices.SortFunc(t.closes, func(a, b closing) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.ref, b.ref))
	})
	type place struct {
		bucket       int
		conversation string
	}
	last := map[place]closing{}
	for _, c := range t.closes {
		last[place{c.bucket, c.conversation}] = c
	}
	for _, c := range last {
		if c.closed {
			t.column(c.key).buckets[c.bucket].n++
		}
	}
}

// settled is the figure of the whole period: a conversation closed in one bucket may be reopened in a later one.
func (t *Tabulator) settled(groups []*column) Pair {
	last := map[string]closing{}
	for _, c := range t.closes {
		last[c.conversation] = c
	}
	n := 0
	for _, c := range last {
		if c.closed && slices.Contains(groups, t.groups[c.key]) {
			n++
		}
	}
	return even(Figure{N: n})
}
