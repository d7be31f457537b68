package projections_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/viewtest"
)

// deaf hears nothing: every announcement is missed.
type deaf struct{}

func (deaf) Announce(string, domain.Position) {}
func (deaf) OnAnnounce(func(string, domain.Position)) (func(), error) {
	return func() {}, nil
}

func TestAWaiterIsServedAlsoWhenItHearsNothing(t *testing.T) {
	log, store := viewtest.NewLog("one"), open(t, t.TempDir())
	tracker, err := projections.NewTracker(deaf{}, store.Reader)
	if err != nil {
		t.Fatal(err)
	}
	defer tracker.Close()
	start(t, projections.NewRunner(log, store, newTally(), nil, quick))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- tracker.Wait(ctx, "tally", 7) }()
	note(log, 7, "a")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if p := tracker.Position("tally"); p != 7 {
		t.Errorf("the position is %d", p)
	}
}

func TestAWaitEndsWithItsContext(t *testing.T) {
	log, store := viewtest.NewLog("one"), open(t, t.TempDir())
	note(log, 3, "a")
	if err := projections.NewRunner(log, store, newTally(), nil, quick).RunToHead(context.Background()); err != nil {
		t.Fatal(err)
	}
	tracker, err := projections.NewTracker(log, store.Reader)
	if err != nil {
		t.Fatal(err)
	}
	defer tracker.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := tracker.Wait(ctx, "tally", 4); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Wait said %v", err)
	}
	if err := tracker.Wait(context.Background(), "tally", 3); err != nil {
		t.Errorf("Wait for what is there said %v", err)
	}
}

func TestATimeIsThePositionThatTheLogHadThen(t *testing.T) {
	log, store := viewtest.NewLog("one"), open(t, t.TempDir())
	note(log, 50, "a", "b") // 300 ms apart
	late := log.Commits()[49]
	late.Aggregate.ID, late.ID = "c", "late"
	late.Recorded = late.Recorded.Add(-5 * time.Second) // another engine's clock
	log.Append(late, false)
	note(log, 5, "a")
	if err := projections.NewRunner(log, store, newTally(), nil, quick).RunToHead(context.Background()); err != nil {
		t.Fatal(err)
	}
	view := store.Reader("tally")
	commits := log.Commits()
	for at := commits[0].Recorded.Add(-time.Second); at.Before(commits[len(commits)-1].Recorded.Add(2 * time.Second)); at = at.Add(70 * time.Millisecond) {
		want := domain.Position(0)
		for _, c := range commits {
			if c.Recorded.After(at) {
				break
			}
			want = c.Position
		}
		got, err := projections.PositionAt(context.Background(), view, log, at)
		if err != nil || got != want {
			t.Fatalf("at %s the log was at %d, not %d (%v)", at, want, got, err)
		}
		now, err := projections.Now(context.Background(), view, want)
		if err != nil || want > 0 && (now.After(at) || at.Sub(now) > 2*time.Second && want < 50) {
			t.Fatalf("now at %d is %s, at %s (%v)", want, now, at, err)
		}
	}
}
