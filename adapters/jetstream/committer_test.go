package jetstream_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/adapters/storetest"
	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

// batched counts the messages of the log that came in an atomic batch.
func batched(t *testing.T, b *embedded) int {
	t.Helper()
	nc, err := jetstream.Join(b.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := natsjs.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), jetstream.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for seq := uint64(1); seq <= stream.CachedInfo().State.LastSeq; seq++ {
		m, err := stream.GetMsg(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		if m.Header.Get("Nats-Batch-Id") != "" {
			n++
		}
	}
	return n
}

func TestWhatWaitsTogetherIsCommittedTogether(t *testing.T) {
	const callers = 200
	b := newEmbedded(t, jetstream.SyncAlways)
	s := b.Store(t)
	outside := b.join(t)
	// Somebody else moves every seventh on; the host has not seen it.
	for n := 0; n < callers; n += 7 {
		if _, _, err := outside.Append(t.Context(), storetest.Note(n, "outside"), 0); err != nil {
			t.Fatal(err)
		}
	}
	var g sync.WaitGroup
	start := make(chan struct{})
	for n := range callers {
		g.Go(func() {
			<-start
			_, _, err := s.Append(t.Context(), storetest.Note(n, "inside"), 0)
			if stale := n%7 == 0; stale != errors.Is(err, command.ErrConflict) || !stale && err != nil {
				t.Errorf("caller %d: %v", n, err)
			}
		})
	}
	close(start)
	g.Wait()
	for n := range callers {
		if got, _, err := outside.Load(t.Context(), storetest.Note(n, "").Aggregate, 0, nil); err != nil || len(got) != 1 {
			t.Errorf("thread %d has %d commits, %v", n, len(got), err)
		}
	}

	// Without anybody in between, groups are what is stored.
	before := batched(t, b)
	for n := range callers {
		g.Go(func() {
			if _, _, err := s.Append(t.Context(), storetest.Note(1000+n, "together"), 0); err != nil {
				t.Error(err)
			}
		})
	}
	g.Wait()
	if n := batched(t, b) - before; n < callers/2 {
		t.Errorf("%d of %d commits came in a batch", n, callers)
	}
}

func TestOneAfterTheOtherIsNotCommittedInBatches(t *testing.T) {
	b := newEmbedded(t, jetstream.SyncAlways)
	s := b.Store(t)
	var v domain.Version
	for i := range 20 {
		var err error
		if _, v, err = s.Append(t.Context(), storetest.Note(1, strconv.Itoa(i)), v); err != nil {
			t.Fatal(err)
		}
	}
	if n := batched(t, b); n != 0 {
		t.Errorf("%d commits came in a batch", n)
	}
}

func TestACallerWhoGivesUpIsToldTheTruth(t *testing.T) {
	const callers, rounds = 60, 5
	b := newEmbedded(t, jetstream.SyncAlways)
	s := b.Store(t)
	var done, gone, unknown atomic.Int32
	for round := range rounds {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(round)*time.Millisecond)
		var g sync.WaitGroup
		for n := range callers {
			g.Go(func() {
				no := round*callers + n
				_, _, err := s.Append(ctx, storetest.Note(no, "x"), 0)
				got, _, lost := s.Load(t.Context(), storetest.Note(no, "").Aggregate, 0, nil)
				switch {
				case lost != nil:
					t.Error(lost)
				case err == nil:
					done.Add(1)
					if len(got) != 1 {
						t.Errorf("acknowledged, and not there")
					}
				case errors.Is(err, command.ErrUncertain):
					unknown.Add(1)
				default:
					gone.Add(1)
					if len(got) != 0 {
						t.Errorf("%v, and it is there", err)
					}
				}
			})
		}
		g.Wait()
		cancel()
	}
	t.Logf("%d done, %d gone, %d unknown", done.Load(), gone.Load(), unknown.Load())
	if done.Load()+unknown.Load() == 0 || gone.Load() == 0 {
		t.Error("all callers met the same fate: this test proves nothing")
	}
}

func TestWhoeverWaitsWhenTheLogIsClosedIsAnswered(t *testing.T) {
	b := newEmbedded(t, jetstream.SyncAlways)
	nc, err := b.server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	s, err := jetstream.Open(t.Context(), nc, storetest.Codec(), jetstream.Options{Host: b.server})
	if err != nil {
		t.Fatal(err)
	}
	var g sync.WaitGroup
	stored := make([]bool, 300)
	for n := range stored {
		g.Go(func() {
			_, _, err := s.Append(t.Context(), storetest.Note(n, "x"), 0)
			stored[n] = err == nil
			if err != nil && !errors.Is(err, command.ErrUnavailable) && !errors.Is(err, command.ErrUncertain) {
				t.Error(err)
			}
		})
	}
	s.Close()
	g.Wait()
	outside := b.join(t)
	for n, acknowledged := range stored {
		got, _, err := outside.Load(t.Context(), storetest.Note(n, "").Aggregate, 0, nil)
		if err != nil || acknowledged && len(got) != 1 {
			t.Errorf("thread %d was acknowledged and has %d commits, %v", n, len(got), err)
		}
	}
	if _, _, err := s.Append(t.Context(), storetest.Note(1, "x"), 0); !errors.Is(err, command.ErrUnavailable) {
		t.Errorf("append to a closed log: %v", err)
	}
}

func TestAReadOnAConnectionThatIsClosedForGoodEnds(t *testing.T) {
	b := newEmbedded(t, jetstream.SyncAlways)
	nc, err := jetstream.Join(b.dir)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, nc, jetstream.Options{})
	err = s.Read(t.Context(), 0, projections.ReadOptions{}, func([]domain.Commit) error {
		nc.Close()
		return nil
	})
	if !errors.Is(err, command.ErrUnavailable) {
		t.Errorf("it ended with %v, want ErrUnavailable", err)
	}
}
