package presence_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/presence"
)

func TestAnOperatorIsAvailableFromTheFirstConnectionOn(t *testing.T) {
	is := presence.New("ana")
	got := presence.DecideConnect(is)
	want := []presence.Event{presence.Connected{Status: presence.Status{Operator: "ana", Connected: true, Available: true}}}
	if !cmp.Equal(got, want) {
		t.Fatalf("got %+v", got)
	}
	if again := presence.DecideConnect(presence.StatusOf(got[0])); again != nil {
		t.Errorf("connected again: %+v", again)
	}
}

func TestAvailabilityOutlivesTheConnection(t *testing.T) {
	is := presence.New("ana")
	away, r := presence.DecideAvailability(is, false, " lunch ", "sara")
	if r != nil || !cmp.Equal(away, []presence.Event{presence.BecameUnavailable{Status: presence.Status{Operator: "ana", Reason: "lunch"}, By: "sara"}}) {
		t.Fatalf("away: %+v, %v", away, r)
	}
	is = presence.StatusOf(presence.DecideConnect(presence.StatusOf(away[0]))[0])
	left := presence.DecideDisconnect(is, presence.CauseLost)
	want := []presence.Event{presence.Disconnected{Status: presence.Status{Operator: "ana", Reason: "lunch"}, Cause: "lost"}}
	if !cmp.Equal(left, want) {
		t.Errorf("left: %+v", left)
	}
	if again := presence.DecideDisconnect(presence.StatusOf(left[0]), presence.CauseLeft); again != nil {
		t.Errorf("left again: %+v", again)
	}
}

func TestAnotherReasonForBeingAwayIsAChange(t *testing.T) {
	is := presence.Status{Operator: "ana", Connected: true, Reason: "lunch"}
	if got, r := presence.DecideAvailability(is, false, "lunch", ""); got != nil || r != nil {
		t.Errorf("the same reason: %+v, %v", got, r)
	}
	got, _ := presence.DecideAvailability(is, false, "training", "")
	if !cmp.Equal(got, []presence.Event{presence.BecameUnavailable{Status: presence.Status{Operator: "ana", Connected: true, Reason: "training"}}}) {
		t.Errorf("another reason: %+v", got)
	}
	got, _ = presence.DecideAvailability(is, true, "ignored", "")
	if !cmp.Equal(got, []presence.Event{presence.BecameAvailable{Status: presence.Status{Operator: "ana", Connected: true, Available: true}}}) {
		t.Errorf("back: %+v", got)
	}
}

func TestAReasonIsShort(t *testing.T) {
	if _, r := presence.DecideAvailability(presence.New("ana"), false, domain.Personal(strings.Repeat("x", 501)), ""); r == nil || r.Code != domain.CodeInvalid {
		t.Errorf("accepted: %v", r)
	}
}

func TestEveryEventIsAChangeAndSaysTheWholeStatus(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		is := presence.New("ana")
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			var decided []presence.Event
			step := rapid.SampledFrom([]string{"connect", "disconnect", "available", "away"}).Draw(t, "step")
			reason := domain.Personal(rapid.SampledFrom([]string{"", "lunch", "call"}).Draw(t, "reason"))
			decide := func(is presence.Status) []presence.Event {
				switch step {
				case "connect":
					return presence.DecideConnect(is)
				case "disconnect":
					return presence.DecideDisconnect(is, presence.CauseLeft)
				}
				e, _ := presence.DecideAvailability(is, step == "available", reason, "")
				return e
			}
			if decided = decide(is); len(decided) == 0 {
				continue
			}
			next := presence.StatusOf(decided[0])
			if next == is || next.Operator != "ana" || next.Available && next.Reason != "" {
				t.Fatalf("%s made %+v of %+v", step, next, is)
			}
			if is = next; len(decide(is)) > 0 {
				t.Fatalf("%s again made %+v", step, decide(is))
			}
		}
	})
}
