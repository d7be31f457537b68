package workload_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/workload"
)

var nine = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func reserve(conversation string, capacity int, held ...string) workload.Reserve {
	return workload.Reserve{Operator: "ana", Conversation: conversation, Entry: 7, Capacity: capacity, Held: held, Read: 9, Expires: nine.Add(10 * time.Second)}
}

// become folds what was decided; it fails the test on a refusal.
func become(t *testing.T, is *workload.State, events []workload.Event, r *domain.Refusal) {
	t.Helper()
	if r != nil {
		t.Fatal(r)
	}
	for _, e := range events {
		*is = workload.StateOf(e)
	}
}

func TestASlotIsGivenWhileThereIsRoom(t *testing.T) {
	var is workload.State
	events, r := workload.DecideReserve(is, reserve("a", 3, "mine"), nine)
	become(t, &is, events, r)
	if again, r := workload.DecideReserve(is, reserve("a", 3, "mine"), nine); r != nil || len(again) != 0 {
		t.Errorf("asked again: %v, %v", again, r)
	}
	events, r = workload.DecideReserve(is, reserve("b", 3, "mine"), nine)
	become(t, &is, events, r)
	if _, r := workload.DecideReserve(is, reserve("c", 3, "mine"), nine); r == nil || r.Code != workload.CodeAtCapacity {
		t.Errorf("beyond the capacity: %v", r)
	}
	if _, r := workload.DecideReserve(is, reserve("c", 3, "a", "b"), nine); r != nil {
		t.Errorf("a slot whose conversation came counts twice: %v", r)
	}
	events, r = workload.DecideFree(is, workload.Free{Operator: "ana", Conversation: "a", Entry: 8, Cause: "left"})
	become(t, &is, events, r)
	if again, _ := workload.DecideFree(is, workload.Free{Operator: "ana", Conversation: "a", Entry: 8}); len(again) != 0 {
		t.Errorf("freed again: %v", again)
	}
	if _, r := workload.DecideReserve(is, reserve("c", 3, "mine"), nine); r != nil {
		t.Errorf("after a slot was freed: %v", r)
	}
}

func TestASlotCountsUntilItCantBeTakenAnyMore(t *testing.T) {
	var is workload.State
	events, r := workload.DecideReserve(is, reserve("a", 1), nine)
	become(t, &is, events, r)
	for after, want := range map[time.Duration]bool{0: false, 10 * time.Second: false, 19 * time.Second: false, 20 * time.Second: true} {
		_, r := workload.DecideReserve(is, reserve("b", 1), nine.Add(after))
		if (r == nil) != want {
			t.Errorf("%s later: %v", after, r)
		}
		if _, r := workload.DecideReserve(is, reserve("b", 1, "a"), nine.Add(after)); r == nil {
			t.Errorf("%s later what was taken does not count any more", after)
		}
	}
	if early, _ := workload.DecideFree(is, workload.Free{Operator: "ana", Conversation: "a", Entry: 6}); len(early) != 0 {
		t.Error("what left before the entry frees the slot of a later one")
	}
}

// TestSlotsAndConversationsNeverExceedTheCapacity draws reservations, takes, ends and frees in any order.
func TestSlotsAndConversationsNeverExceedTheCapacity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		capacity := rapid.IntRange(1, 4).Draw(t, "capacity")
		var is workload.State
		var held []string
		now := nine
		for n := range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 8).Draw(t, "seconds")) * time.Second)
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0, 1:
				c := reserve(fmt.Sprint("c", n), capacity, held...)
				c.Expires = now.Add(10 * time.Second)
				events, _ := workload.DecideReserve(is, c, now)
				for _, e := range events {
					is = workload.StateOf(e)
				}
			case 2: // what has a good slot is taken
				for _, s := range is.Slots {
					if now.Before(s.Expires) && !slices.Contains(held, s.Conversation) {
						held = append(held, s.Conversation)
						break
					}
				}
			case 3: // a conversation ends
				if len(held) > 0 {
					events, _ := workload.DecideFree(is, workload.Free{Operator: "ana", Conversation: held[0], Entry: 100})
					for _, e := range events {
						is = workload.StateOf(e)
					}
					held = held[1:]
				}
			}
			if len(held) > capacity {
				t.Fatalf("%d conversations for a capacity of %d", len(held), capacity)
			}
		}
	})
}
