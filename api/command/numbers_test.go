package command_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/turno-desk/turno/adapters/codec"
	"github.com/turno-desk/turno/adapters/memory"
	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/sequence"
)

func reservations(t *testing.T, log *memory.Store) []domain.Commit {
	t.Helper()
	commits, _, err := log.Load(t.Context(), domain.Aggregate{Workspace: "default", Category: domain.CategorySequence, ID: "conversation"}, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	return commits
}

// D14: numbers are unique over all processes and grow in each.
func TestNumbersAreUniqueAcrossProcessesAndGrowInEach(t *testing.T) {
	log := memory.New(codec.New(&keys{}))
	var mu sync.Mutex
	seen := map[int64]bool{}
	var wg sync.WaitGroup
	for range 3 {
		n := command.NewNumbers(log, "default", nil)
		n.SetBlock(10)
		for range 4 {
			wg.Go(func() {
				last := int64(0)
				for range 100 {
					number, err := n.Next(context.Background())
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					if seen[number] || number <= last {
						t.Errorf("%d after %d, seen before: %t", number, last, seen[number])
					}
					seen[number], last = true, number
					mu.Unlock()
				}
			})
		}
	}
	wg.Wait()
	if len(seen) != 1200 {
		t.Errorf("%d numbers", len(seen))
	}
	last := int64(0)
	for _, c := range reservations(t, log) {
		r := c.Events[0].(sequence.Reserved)
		if r.From != last+1 || r.To != r.From+9 {
			t.Fatalf("%+v was reserved after %d", r, last)
		}
		last = r.To
	}
}

// D14: gaps are allowed.
func TestNumbersBeginAtOneAndANewProcessBeginsANewBlock(t *testing.T) {
	log := memory.New(codec.New(&keys{}))
	for _, want := range []int64{1, 1001} {
		n := command.NewNumbers(log, "default", nil)
		if got, err := n.Next(t.Context()); err != nil || got != want {
			t.Errorf("got %d, %v, want %d", got, err, want)
		}
	}
}

func TestTheNextBlockIsThereBeforeTheLastNumberIsGone(t *testing.T) {
	store := memory.New(codec.New(&keys{}))
	reserved := make(chan struct{}, 8)
	var closed atomic.Bool
	log := &troubled{Store: store, fault: func(_ int, do appending) (domain.Position, domain.Version, error) {
		if closed.Load() {
			return 0, 0, command.ErrUnavailable
		}
		defer func() { reserved <- struct{}{} }()
		return do()
	}}
	n := command.NewNumbers(log, "default", nil)
	n.SetBlock(10)
	next := func() int64 {
		t.Helper()
		number, err := n.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return number
	}
	for range 6 { // half the block is gone
		next()
	}
	for range 2 {
		select {
		case <-reserved:
		case <-time.After(5 * time.Second):
			t.Fatal("the next block was not reserved ahead")
		}
	}
	closed.Store(true)
	for want := int64(7); want <= 20; want++ {
		if got := next(); got != want {
			t.Errorf("got %d, want %d", got, want)
		}
	}
	if _, err := n.Next(t.Context()); !errors.Is(err, command.ErrUnavailable) {
		t.Errorf("with the log gone and both blocks used up: %v", err)
	}
	closed.Store(false)
	if got := next(); got != 21 {
		t.Errorf("after the log came back: %d", got)
	}
	<-reserved
}

func TestWaitingForANumberEndsWithTheContext(t *testing.T) {
	hold := make(chan struct{})
	log := &troubled{Store: memory.New(codec.New(&keys{})), fault: func(_ int, do appending) (domain.Position, domain.Version, error) { <-hold; return do() }}
	n := command.NewNumbers(log, "default", nil)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := n.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	close(hold)
	if got, err := n.Next(t.Context()); err != nil || got != 1 {
		t.Errorf("whoever waits longer gets %d, %v", got, err)
	}
}
