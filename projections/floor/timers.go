package floor

import (
	"cmp"
	"container/heap"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

// TimerKind says what is due.
type TimerKind string

// TimerReassign gives a conversation back whose owner has left it unattended (D13). Its target is the conversation.
const TimerReassign TimerKind = "reassign"

// TimerOpening is when the hours of a department begin, while somebody is on its out-of-hours list. Its target is the department.
const TimerOpening TimerKind = "opening"

// TimerOffer is when further operators are asked who would take a conversation, or its offer ends (D8). Its target is the
// conversation.
const TimerOffer TimerKind = "offer"

// TimerPause is the time until which a conversation was paused (D2). Its target is the conversation.
const TimerPause TimerKind = "pause"

// TimerSilence is when a contact has been silent for too long after a bot's words. Its target is the conversation.
const TimerSilence TimerKind = "silence"

// TimerKey names a timer: there is one of a kind for a target.
type TimerKey struct {
	Kind   TimerKind
	Target string
}

// String is "kind target".
func (k TimerKey) String() string { return string(k.Kind) + " " + k.Target }

func timerKeyOf(s string) TimerKey {
	kind, target, _ := strings.Cut(s, " ")
	return TimerKey{TimerKind(kind), target}
}

// Timer is one thing that is due at a time, unless the log says otherwise before.
type Timer struct {
	TimerKey
	Due   time.Time
	Cause string // id of the commit that set it: the firing's command id is made of it
}

// Timers are the due times of a floor.
type Timers struct {
	set  map[TimerKey]Timer
	heap *dueHeap // may hold stopped and changed ones: set decides
}

func newTimers() Timers { return Timers{set: map[TimerKey]Timer{}, heap: &dueHeap{}} }

// Next is when the next timer is due; false when there is none.
func (t Timers) Next() (time.Time, bool) {
	for t.heap.Len() > 0 {
		if first := (*t.heap)[0]; t.set[first.TimerKey] == first {
			return first.Due, true
		}
		heap.Pop(t.heap)
	}
	return time.Time{}, false
}

// Due takes the timers that are due at now off the heap, in their order. They stay set until the log stops them, and Again
// puts one back.
func (t Timers) Due(now time.Time) []Timer {
	var due []Timer
	for {
		next, ok := t.Next()
		if !ok || next.After(now) {
			return due
		}
		due = append(due, heap.Pop(t.heap).(Timer))
	}
}

// Again makes a timer due again that could not be fired, unless it was stopped or changed meanwhile.
func (t Timers) Again(timer Timer) {
	if t.set[timer.TimerKey] == timer {
		heap.Push(t.heap, timer)
	}
}

// Len is how many are set.
func (t Timers) Len() int { return len(t.set) }

// Get finds a timer.
func (t Timers) Get(k TimerKey) (Timer, bool) {
	timer, ok := t.set[k]
	return timer, ok
}

// All are the timers that are set, by due time.
func (t Timers) All() []Timer {
	return slices.SortedFunc(maps.Values(t.set), func(a, b Timer) int {
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.TimerKey.String(), b.TimerKey.String()))
	})
}

// start sets the timer, and reports whether that changed anything.
func (t Timers) start(timer Timer) bool {
	timer.Due = timer.Due.UTC()
	if t.set[timer.TimerKey] == timer {
		return false
	}
	t.set[timer.TimerKey] = timer
	heap.Push(t.heap, timer)
	return true
}

func (t Timers) stop(k TimerKey) bool {
	_, is := t.set[k]
	delete(t.set, k)
	return is
}

// of are the timers with this target.
func (t Timers) of(target string) []TimerKey {
	var keys []TimerKey
	for _, kind := range timerKinds() {
		if _, ok := t.set[TimerKey{kind, target}]; ok {
			keys = append(keys, TimerKey{kind, target})
		}
	}
	return keys
}

func timerKinds() []TimerKind {
	return []TimerKind{TimerReassign, TimerOffer, TimerPause, TimerOpening, TimerSilence}
}

// dueHeap is a heap by due time.
type dueHeap []Timer

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].Due.Before(h[j].Due) }
func (h dueHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *dueHeap) Push(x any)        { *h = append(*h, x.(Timer)) }
func (h *dueHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = slices.Delete(*h, len(*h)-1, len(*h))
	return last
}

// schedule sets, changes or stops the timers of a conversation.
func (s *State) schedule(conv *Conversation) {
	for kind, is := range map[TimerKind]func(*Conversation) (Timer, bool){
		TimerReassign: s.reassign, TimerOffer: offerTimer, TimerPause: pauseTimer, TimerSilence: silenceTimer,
	} {
		k := TimerKey{kind, conv.ID}
		if timer, ok := is(conv); ok {
			s.start(timer)
		} else if s.Timers.stop(k) {
			s.tell(kindTimer, k.String())
		}
	}
}

func offerTimer(conv *Conversation) (Timer, bool) {
	if !conv.Live || conv.Offer == nil {
		return Timer{}, false
	}
	return Timer{TimerKey: TimerKey{TimerOffer, conv.ID}, Due: conv.Offer.Until, Cause: conv.Cause}, true
}

func pauseTimer(conv *Conversation) (Timer, bool) {
	if !conv.Live || conv.Until == nil || conv.Reminded {
		return Timer{}, false
	}
	return Timer{TimerKey: TimerKey{TimerPause, conv.ID}, Due: *conv.Until, Cause: conv.Pause}, true
}

// silenceTimer is the timer of a conversation in which a bot waits for the contact.
func silenceTimer(conv *Conversation) (Timer, bool) {
	if !conv.Live || conv.Silent == nil {
		return Timer{}, false
	}
	return Timer{TimerKey: TimerKey{TimerSilence, conv.ID}, Due: conv.Silent.Until, Cause: conv.Silent.Cause}, true
}

func (s *State) start(timer Timer) {
	if s.Timers.start(timer) {
		s.tell(kindTimer, timer.TimerKey.String())
	}
}

// reassign is the timer of a conversation whose owner is not there while its contact waits for an answer: one that is attended
// is then given back, of a paused one the supervisors hear.
func (s *State) reassign(conv *Conversation) (Timer, bool) {
	hand := s.Hands[conv.Owner]
	after, set := s.Image.Departments[conv.Department].Settings.Reassign()
	owned := conv.State == thread.StateAttending || conv.State == thread.StatePaused
	if !conv.Live || !owned || conv.Clock.Asked.IsZero() || !set || hand == nil || s.Image.Presence[conv.Owner].Connected {
		return Timer{}, false
	}
	if conv.State == thread.StatePaused && conv.AlertedFor == hand.absence() {
		return Timer{}, false
	}
	begun := latest(hand.Since, conv.Clock.Asked, conv.Since)
	return Timer{TimerKey: TimerKey{TimerReassign, conv.ID}, Due: begun.Add(after), Cause: conv.Cause + conv.Pause + hand.Cause}, true
}

// absence names the time since the operator has left last, or since ever.
func (h *Hand) absence() string { return "since " + h.Cause }

func latest(times ...time.Time) time.Time {
	return slices.MaxFunc(times, time.Time.Compare)
}

// expect sets, changes or stops the timer of the department's opening, as of a commit. It is not set anew while one is due:
// what was due is done by the list's draining.
func (s *State) expect(department string, c *domain.Commit) {
	k := TimerKey{TimerOpening, department}
	cal, ok := s.Image.Calendars[s.Image.Departments[department].Settings.Calendar]
	opening, opens := time.Time{}, false
	if ok && s.Anyone(department, thread.StateOutOfHours) {
		opening, opens = cal.Opening(c.Time, cal.Loaded())
	}
	if !opens {
		if s.Timers.stop(k) {
			s.tell(kindTimer, k.String())
		}
		return
	}
	s.start(Timer{TimerKey: k, Due: opening, Cause: string(TimerOpening)})
}
