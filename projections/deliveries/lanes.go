package deliveries

import (
	"container/heap"
	"time"

	"github.com/turno-desk/turno/domain"
)

// item is one delivery that is pending.
type item struct {
	position domain.Position
	index    int
	run      string // the redelivery that it belongs to; empty: none
	commit   string
	attempts int
	made     time.Time
}

// lane is what is pending of one aggregate, in order.
type lane struct {
	name  string
	items []item
	next  time.Time // when its first may be tried
}

// lanes knows which delivery may be tried when. It is arithmetic: the caller has the lock and the clock.
type lanes struct {
	by    map[string]*lane
	idle  idle
	count int
	rests time.Time // the receiver is left alone until then
}

func newLanes() *lanes { return &lanes{by: map[string]*lane{}} }

// add appends a delivery to its lane. next counts for the first of a lane.
func (l *lanes) add(name string, i item, next time.Time) {
	l.count++
	if at := l.by[name]; at != nil {
		at.items = append(at.items, i)
		return
	}
	at := &lane{name: name, items: []item{i}, next: next}
	l.by[name] = at
	heap.Push(&l.idle, at)
}

// due takes out a lane whose first delivery may be tried now; nil when there is none. It is given back by done or retry.
func (l *lanes) due(now time.Time) *lane {
	if len(l.idle) == 0 || l.idle[0].next.After(now) || l.rests.After(now) {
		return nil
	}
	at, _ := heap.Pop(&l.idle).(*lane)
	return at
}

// next is when a lane is due; false when none waits.
func (l *lanes) next() (time.Time, bool) {
	if len(l.idle) == 0 {
		return time.Time{}, false
	}
	if at := l.idle[0].next; at.After(l.rests) {
		return at, true
	}
	return l.rests, true
}

// done ends a lane's first delivery: the next may be tried, behind those of other lanes that are due already.
func (l *lanes) done(at *lane, now time.Time) {
	l.count--
	at.items = at.items[1:]
	if len(at.items) == 0 {
		delete(l.by, at.name)
		return
	}
	at.next = now
	heap.Push(&l.idle, at)
}

// retry gives a lane back, to be tried again at a time. counted says whether the attempt was one.
func (l *lanes) retry(at *lane, next time.Time, counted bool) {
	if counted {
		at.items[0].attempts++
	}
	at.next = next
	heap.Push(&l.idle, at)
}

// rest leaves the receiver alone until then.
func (l *lanes) rest(until time.Time) {
	if until.After(l.rests) {
		l.rests = until
	}
}

// oldest is since when the oldest delivery is pending; the zero time when there is none.
func (l *lanes) oldest() (oldest time.Time) {
	for _, at := range l.by {
		if made := at.items[0].made; oldest.IsZero() || made.Before(oldest) {
			oldest = made
		}
	}
	return oldest
}

// idle is a heap of the lanes that nobody is trying, the next one first.
type idle []*lane

func (h idle) Len() int           { return len(h) }
func (h idle) Less(i, j int) bool { return h[i].next.Before(h[j].next) }
func (h idle) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

func (h *idle) Push(x any) {
	at, _ := x.(*lane)
	*h = append(*h, at)
}

func (h *idle) Pop() any {
	all := *h
	at := all[len(all)-1]
	all[len(all)-1] = nil
	*h = all[:len(all)-1]
	return at
}
