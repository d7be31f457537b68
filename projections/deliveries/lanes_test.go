package deliveries

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/turno-desk/turno/domain"
)

// TestALaneIsTriedByOneAtATimeAndInOrder: N18, whatever is added, tried, taken and tried again in whatever order.
func TestALaneIsTriedByOneAtATimeAndInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, now := newLanes(), time.Unix(1000, 0)
		added, done := map[string]int{}, map[string]int{}
		var trying []*lane
		pending := 0
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				name := fmt.Sprint("lane", rapid.IntRange(0, 3).Draw(t, "lane"))
				added[name]++
				pending++
				l.add(name, item{position: domain.Position(added[name])}, now)
			},
			"try": func(t *rapid.T) {
				at := l.due(now)
				if at == nil {
					return
				}
				for _, other := range trying {
					if other.name == at.name {
						t.Fatalf("%s is tried twice at once", at.name)
					}
				}
				if at.next.After(now) {
					t.Fatalf("%s is tried %s too early", at.name, at.next.Sub(now))
				}
				if want := done[at.name] + 1; int(at.items[0].position) != want {
					t.Fatalf("%s is at %d, want %d", at.name, at.items[0].position, want)
				}
				trying = append(trying, at)
			},
			"end": func(t *rapid.T) {
				if len(trying) == 0 {
					return
				}
				k := rapid.IntRange(0, len(trying)-1).Draw(t, "which")
				at := trying[k]
				trying = append(trying[:k:k], trying[k+1:]...)
				if rapid.Bool().Draw(t, "taken") {
					done[at.name]++
					pending--
					l.done(at, now)
					return
				}
				l.retry(at, now.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "wait"))*time.Second), true)
			},
			"rest": func(t *rapid.T) { l.rest(now.Add(time.Duration(rapid.IntRange(0, 10).Draw(t, "rest")) * time.Second)) },
			"wait": func(t *rapid.T) { now = now.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "wait")) * time.Second) },
			"": func(t *rapid.T) {
				if l.count != pending {
					t.Fatalf("%d are pending, counted as %d", pending, l.count)
				}
			},
		})
		now = now.Add(time.Hour) // what nobody tries is due now
		for _, at := range trying {
			done[at.name]++
			l.done(at, now)
		}
		for at := l.due(now); at != nil; at = l.due(now) {
			done[at.name]++
			l.done(at, now)
		}
		for name, n := range added {
			if done[name] != n {
				t.Fatalf("of %s %d are done, %d were added", name, done[name], n)
			}
		}
		if _, waits := l.next(); waits || l.count != 0 || !l.oldest().IsZero() {
			t.Fatalf("something is left: %d", l.count)
		}
	})
}

func TestTheScheduleIsOverAfterADayAndMore(t *testing.T) {
	begun := time.Unix(0, 0)
	for _, random := range []float64{0, 0.999} {
		now, n := begun, 1
		for ; ; n++ {
			next, more := again(n, now, 0, random)
			if !more {
				break
			}
			now = next
		}
		if took := now.Sub(begun); took < 27*time.Hour || took > 34*time.Hour || n != Attempts() {
			t.Errorf("%d attempts take %s", n, took)
		}
	}
	if next, _ := again(1, begun, time.Minute, 0); next.Sub(begun) != time.Minute {
		t.Errorf("who asks for a minute gets %s", next.Sub(begun))
	}
	if next, _ := again(1, begun, 99*time.Hour, 0); next.Sub(begun) != maxAfter {
		t.Errorf("who asks for days gets %s", next.Sub(begun))
	}
}
