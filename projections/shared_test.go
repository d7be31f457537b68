package projections_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/viewtest"
)

// breaking is a log that counts who reads it and breaks off when told.
type breaking struct {
	*viewtest.Log
	readers atomic.Int32
	most    atomic.Int32
	broken  chan error
}

func (b *breaking) Read(ctx context.Context, after domain.Position, o projections.ReadOptions, fn func([]domain.Commit) error) error {
	if !o.ToHead {
		n := b.readers.Add(1)
		b.most.Store(max(n, b.most.Load()))
		defer b.readers.Add(-1)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if !o.ToHead {
		go func() {
			select {
			case err := <-b.broken:
				cancel(err)
			case <-ctx.Done():
			}
		}()
	}
	err := b.Log.Read(ctx, after, o, fn)
	if ctx.Err() != nil && context.Cause(ctx) != nil {
		return context.Cause(ctx)
	}
	return err
}

func TestManyReadersOfAProcessReadTheLogOnceAndMissNothing(t *testing.T) {
	log := &breaking{Log: viewtest.NewLog("one"), broken: make(chan error)}
	note(log.Log, 500, "a", "b")
	shared := projections.NewShared(log)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = shared.Run(ctx) })
	defer func() { stop(); wg.Wait() }()

	const last = 20_500
	starts := []domain.Position{0, 0, 250, 499, 500}
	done := make(chan error, len(starts))
	for _, from := range starts {
		wg.Go(func() {
			at, slow := from, from == 250
			enough := errors.New("enough")
			err := shared.Read(ctx, from, projections.ReadOptions{Max: 100}, func(chunk []domain.Commit) error {
				if len(chunk) == 0 || len(chunk) > 100 {
					return errors.New("a chunk of the wrong size")
				}
				for _, c := range chunk {
					if at++; c.Position != at {
						return errors.New("a commit is missing or out of order")
					}
				}
				if slow && at < 10_000 {
					time.Sleep(time.Millisecond) // this one falls behind what is kept
				}
				if at >= last {
					return enough
				}
				return nil
			})
			if errors.Is(err, enough) {
				err = nil
			}
			done <- err
		})
	}
	for range 200 {
		note(log.Log, 100, "a", "b", "c")
	}
	for range starts {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if n := log.most.Load(); n != 1 {
		t.Fatalf("the log was read by %d at once", n)
	}
}

func TestWhatBreaksTheSharedReadingBreaksItsReaders(t *testing.T) {
	log := &breaking{Log: viewtest.NewLog("one"), broken: make(chan error)}
	note(log.Log, 10, "a")
	shared := projections.NewShared(log)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = shared.Run(ctx) })
	defer func() { stop(); wg.Wait() }()

	got, err := make(chan domain.Position, 100), make(chan error, 1)
	read := func(after domain.Position) {
		err <- shared.Read(ctx, after, projections.ReadOptions{}, func(chunk []domain.Commit) error {
			got <- chunk[len(chunk)-1].Position
			return nil
		})
	}
	wg.Go(func() { read(10) })
	for log.readers.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(20 * time.Millisecond) // it has joined
	note(log.Log, 1, "a")
	if p := <-got; p != 11 {
		t.Fatalf("the first commit is at %d", p)
	}
	log.broken <- projections.ErrAhead
	if e := <-err; !errors.Is(e, projections.ErrAhead) {
		t.Fatalf("the reader was told %v", e)
	}
	wg.Go(func() { read(11) }) // as a runner does, once it has looked at the log again
	note(log.Log, 1, "a")
	if p := <-got; p != 12 {
		t.Fatalf("the next commit is at %d", p)
	}
}
