package routing_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/turno-desk/turno/domain/routing"
)

func at(minute int) time.Time {
	if minute < 0 {
		return time.Time{}
	}
	return time.Date(2026, 3, 2, 9, minute, 0, 0, time.UTC)
}

func candidate(id string, load, capacity, assigned, idle int) routing.Candidate {
	return routing.Candidate{Operator: id, Load: load, Capacity: capacity, Assigned: at(assigned), Idle: at(idle)}
}

// TestEachRuleChoosesAsItsNameSays is F016 and D22.
func TestEachRuleChoosesAsItsNameSays(t *testing.T) {
	busy, fresh, full := candidate("ana", 2, 5, 10, 1), candidate("beto", 1, 5, 20, 5), candidate("carla", 3, 3, 0, 0)
	idle, longer := candidate("dora", 0, 0, 30, 9), candidate("eva", 0, 5, 40, 7)
	for _, c := range []struct {
		rule routing.Rule
		of   []routing.Candidate
		want string
	}{
		{routing.LongestIdle, []routing.Candidate{busy, fresh, full}, "ana"},
		{routing.LongestIdle, []routing.Candidate{busy, fresh, idle, longer}, "eva"},
		{routing.LeastBusy, []routing.Candidate{busy, fresh, full}, "beto"},
		{routing.LeastBusy, []routing.Candidate{idle, longer, busy}, "eva"},
		{routing.RoundRobin, []routing.Candidate{fresh, busy, idle}, "ana"},
		{routing.RoundRobin, []routing.Candidate{candidate("zoe", 4, 5, -1, 50), busy}, "zoe"},
		{routing.LeastBusy, []routing.Candidate{candidate("b", 0, 0, -1, 3), candidate("a", 0, 0, -1, 3)}, "a"},
		{routing.LeastBusy, []routing.Candidate{full}, ""},
		{routing.RoundRobin, nil, ""},
	} {
		if got, ok := routing.Choose(c.rule, c.of); got != c.want || ok != (c.want != "") {
			t.Errorf("%s of %v is %q, want %q", c.rule, c.of, got, c.want)
		}
	}
}

func TestADecisionIsTheSameHoweverItsCandidatesStandAndAfterAnEventKeptIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []routing.Candidate
		for i := range rapid.IntRange(0, 12).Draw(t, "candidates") {
			n := func(label string, max int) int { return rapid.IntRange(-1, max).Draw(t, label) }
			all = append(all, candidate(fmt.Sprint("op", i), max(0, n("load", 4)), max(0, n("capacity", 3)), n("assigned", 3), n("idle", 3)))
		}
		rule := rapid.SampledFrom(routing.Rules()).Draw(t, "rule")
		want, ok := routing.Choose(rule, all)
		for _, c := range all {
			if c.Operator == want && !c.Room() {
				t.Fatalf("%+v has no room", c)
			}
		}
		if got, again := routing.Choose(rule, rapid.Permutation(all).Draw(t, "order")); got != want || again != ok {
			t.Fatalf("in another order it is %q, not %q", got, want)
		}
		data, err := json.Marshal(routing.Explained(rule, 2, 1, all))
		if err != nil {
			t.Fatal(err)
		}
		var kept routing.Assignment
		if err := json.Unmarshal(data, &kept); err != nil {
			t.Fatal(err)
		}
		if got, again := kept.Again(); got != want || again != ok {
			t.Fatalf("decided again it is %q, not %q", got, want)
		}
	})
}

func TestAnEventKeepsTheFirstOfTooManyCandidates(t *testing.T) {
	var all []routing.Candidate
	for i := range routing.MaxCandidates + 50 {
		all = append(all, candidate(fmt.Sprintf("op%04d", i), 0, 1, -1, 1000-i))
	}
	want, _ := routing.Choose(routing.LongestIdle, all)
	kept := routing.Explained(routing.LongestIdle, 2, 1, all)
	if got, _ := kept.Again(); got != want || len(kept.Candidates) != routing.MaxCandidates || kept.Omitted != 50 {
		t.Errorf("%d kept, %d omitted, %q chosen, want %q", len(kept.Candidates), kept.Omitted, got, want)
	}
}

// TestWhoIsAskedNext is F011 and D8: at most as many as the department says, the longest idle first, none without room.
func TestWhoIsAskedNext(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []routing.Candidate
		for i := range rapid.IntRange(0, 8).Draw(t, "how many") {
			all = append(all, candidate(fmt.Sprint("op", i), rapid.IntRange(0, 2).Draw(t, "load"), 2, rapid.IntRange(-1, 3).Draw(t, "assigned"), rapid.IntRange(0, 3).Draw(t, "idle")))
		}
		n := rapid.IntRange(1, 5).Draw(t, "n")
		next := routing.Next(n, all)
		left := slices.Clone(all)
		for _, id := range next {
			if first, _ := routing.Choose(routing.LongestIdle, left); first != id {
				t.Fatalf("%s is asked before %s", id, first)
			}
			left = slices.DeleteFunc(left, func(c routing.Candidate) bool { return c.Operator == id })
		}
		if _, more := routing.Choose(routing.LongestIdle, left); more && len(next) < n || len(next) > n {
			t.Fatalf("%d of %d are asked", len(next), n)
		}
		if again := routing.Explained(routing.LongestIdle, 2, 1, rapid.Permutation(all).Draw(t, "order")).NextAgain(len(next)); !slices.Equal(again, next) {
			t.Fatalf("asked again it is %v, not %v", again, next)
		}
	})
}
