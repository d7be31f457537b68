package thread_test

import (
	"slices"
	"testing"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/routing"
	"github.com/turno-desk/turno/domain/thread"
)

// history says commands of an import, each at its time, and answers with the state that they lead to.
type history struct {
	t     *testing.T
	state thread.State
	n     int
}

var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

func (h *history) says(at time.Duration, kind domain.ActorKind, list string, cmd thread.Command) *domain.Refusal {
	h.t.Helper()
	f := thread.Facts{Image: desk(), Actor: domain.Actor{Kind: kind}, Thread: "t1", Now: monday.Add(at), Import: true, List: list}
	events, r := thread.Decide(&h.state, h.state.Current(), cmd, f)
	if r != nil || len(events) == 0 {
		return r
	}
	h.n++
	c := domain.Commit{Position: domain.Position(h.n), Time: f.Now, Actor: f.Actor, Origin: domain.OriginImport, Conversation: "t1-1"}
	for _, e := range events {
		c.Events = append(c.Events, e)
	}
	h.state.Apply(&c)
	return nil
}

func (h *history) is(state, owner string) {
	h.t.Helper()
	if conv := h.state.Current(); conv == nil || conv.State != state || conv.Owner != owner {
		h.t.Errorf("it is %+v, want %s %q", conv, state, owner)
	}
}

// TestAHistorySaysWhichListItWas is D1 for imports: the history knows who was there, and the calendar has the last word on when
// it was open.
func TestAHistorySaysWhichListItWas(t *testing.T) {
	hello := thread.Receive{Channel: "ofiweb", IDHash: "a", Content: thread.Content{Kind: thread.KindText, Text: "Hola"}, Ticket: 1}
	h := &history{t: t}
	for list, at := range map[string]time.Duration{"out_of_hours": 10 * time.Hour, "bot": 20 * time.Hour} {
		if r := h.says(at, domain.ActorContact, list, hello); r == nil || r.Code != domain.CodeInvalid || !slices.Equal(r.Missing, []string{"list"}) {
			t.Errorf("%s at %s: %v", list, at, r)
		}
	}
	if r := h.says(20*time.Hour, domain.ActorContact, "out_of_hours", hello); r != nil {
		t.Fatal(r)
	}
	h.is(thread.StateOutOfHours, "")
	if r := h.says(21*time.Hour, domain.ActorAdmin, "", thread.Drain{}); r == nil || r.Code != domain.CodeForbidden {
		t.Errorf("drained by an administrator: %v", r)
	}
	if r := h.says(33*time.Hour, domain.ActorSystem, "", thread.Drain{}); r != nil {
		t.Fatal(r)
	}
	h.is(thread.StateWaiting, "")
	if r := h.says(34*time.Hour, domain.ActorAdmin, "out_of_hours", thread.Transfer{Department: "rigida"}); r == nil || !slices.Equal(r.Missing, []string{"list"}) {
		t.Errorf("out of hours while it was open: %v", r)
	}
	if r := h.says(44*time.Hour, domain.ActorAdmin, "out_of_hours", thread.Transfer{Department: "soporte"}); r != nil {
		t.Errorf("without a calendar the history alone knows: %v", r)
	}
	h.is(thread.StateOutOfHours, "")
}

// TestAnImportedAssignmentIsTheRulesOwn is N15 and D8 for imports: nobody has to be there any more, but the rule, applied to the candidates
// that the history gives, must choose whom it says it chose, and ask whom it says were asked.
func TestAnImportedAssignmentIsTheRulesOwn(t *testing.T) {
	candidates := []routing.Candidate{{Operator: "eva", Load: 1, Capacity: 3}, {Operator: "ana", Load: 2, Capacity: 3}, {Operator: "beto", Load: 3, Capacity: 3}}
	assigned := func(op string, change func(*thread.Distribute)) thread.Distribute {
		d := thread.Distribute{Operator: op, Assignment: routing.Assignment{Rule: routing.LeastBusy, Candidates: slices.Clone(candidates)}}
		if change != nil {
			change(&d)
		}
		return d
	}
	offered := func(change func(*thread.Offer), ops ...string) thread.Offer {
		o := thread.Offer{Operators: ops, Round: 1, For: time.Minute,
			Assignment: routing.Assignment{Rule: routing.LongestIdle, Candidates: slices.Clone(candidates)}}
		if change != nil {
			change(&o)
		}
		return o
	}
	h := &history{t: t}
	hello := thread.Receive{Channel: "web", IDHash: "a", Content: thread.Content{Kind: thread.KindText, Text: "Hola"}, Ticket: 1}
	if r := h.says(9*time.Hour, domain.ActorContact, "", hello); r != nil {
		t.Fatal(r)
	}
	for name, cmd := range map[string]thread.Command{
		"another operator":     assigned("ana", nil),
		"one without room":     assigned("beto", nil),
		"no candidates":        assigned("eva", func(d *thread.Distribute) { d.Assignment.Candidates = nil }),
		"no rule":              assigned("eva", func(d *thread.Distribute) { d.Assignment.Rule = "fastest" }),
		"a candidate twice":    assigned("eva", func(d *thread.Distribute) { d.Assignment.Candidates = append(candidates, candidates[0]) }),
		"a load below nothing": assigned("eva", func(d *thread.Distribute) { d.Assignment.Candidates[0].Load = -1 }),
		"another list":         assigned("eva", func(d *thread.Distribute) { d.Department = "ventas" }),
		"no member": assigned("carla", func(d *thread.Distribute) {
			d.Assignment.Candidates = []routing.Candidate{{Operator: "carla"}}
		}),
		"an offer to others":        offered(nil, "ana", "beto"),
		"an offer of a later round": offered(func(o *thread.Offer) { o.Round = 2 }, "eva", "ana"),
		"an offer without end":      offered(func(o *thread.Offer) { o.For = 0 }, "eva", "ana"),
		"an offer of no candidates": offered(func(o *thread.Offer) { o.Assignment.Candidates = nil }, "eva"),
	} {
		if r := h.says(10*time.Hour, domain.ActorSystem, "", cmd); r == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	h.is(thread.StateWaiting, "")
	if r := h.says(10*time.Hour, domain.ActorAdmin, "", assigned("eva", nil)); r == nil || r.Code != domain.CodeForbidden {
		t.Errorf("assigned by an administrator: %v", r)
	}
	if r := h.says(10*time.Hour, domain.ActorSystem, "", offered(nil, "ana", "eva")); r != nil { // both have something: the ids decide
		t.Fatal(r)
	}
	if r := h.says(11*time.Hour, domain.ActorSystem, "", assigned("eva", nil)); r != nil { // eva is not connected
		t.Fatal(r)
	}
	h.is(thread.StateAttending, "eva")
}
