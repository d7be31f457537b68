package eventstoredb_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/turno-desk/turno/adapters/eventstoredb"
	"github.com/turno-desk/turno/adapters/eventstoredb/esdbtest"
	"github.com/turno-desk/turno/adapters/memory"
	"github.com/turno-desk/turno/adapters/storetest"
	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/projections"
)

// quick are options under which failures show soon.
var quick = eventstoredb.Options{Timeout: time.Second, AckWait: 200 * time.Millisecond}

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// fill appends notes to one thread and returns where they are.
func fill(t *testing.T, s *eventstoredb.Store, thread, from, to int) (positions []domain.Position) {
	t.Helper()
	for i := from; i < to; i++ {
		p, _, err := s.Append(t.Context(), storetest.Note(thread, strconv.Itoa(i)), domain.Version(i))
		if err != nil {
			t.Fatal(err)
		}
		positions = append(positions, p)
	}
	return positions
}

// read collects the positions after one, up to the head.
func read(t *testing.T, s *eventstoredb.Store, after domain.Position) (positions []domain.Position) {
	t.Helper()
	err := s.Read(t.Context(), after, projections.ReadOptions{ToHead: true}, func(chunk []domain.Commit) error {
		for _, c := range chunk {
			positions = append(positions, c.Position)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return positions
}

func TestAReaderOutlivesDroppedSubscriptionsAndMissesNothing(t *testing.T) {
	t.Parallel()
	const n = 300
	b := newDouble(t)
	s := b.open(t, b.server.URL(), quick)
	ctx, cancel := context.WithCancel(t.Context())
	var got []domain.Position
	all, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- s.Read(ctx, 0, projections.ReadOptions{Max: 7}, func(chunk []domain.Commit) error {
			for _, c := range chunk {
				got = append(got, c.Position)
			}
			if len(got) == n+1 {
				close(all)
			}
			return nil
		})
	}()
	for i := range n {
		fill(t, s, 1, i, i+1)
		if i%50 == 25 {
			b.server.Drop()
		}
	}
	select {
	case <-all:
	case err := <-ended:
		t.Fatal(err)
	case <-time.After(patience):
		t.Fatal("not everything was read")
	}
	cancel()
	<-ended
	want := read(t, s, 0)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("read %v\nwant %v", got, want)
	}
}

func TestOnlyCommitsHavePositions(t *testing.T) {
	t.Parallel()
	b := newDouble(t)
	s := b.open(t, b.server.URL(), quick)
	var mine []domain.Position
	for i := range 5 {
		mine = append(mine, fill(t, s, 1, i, i+1)...)
		b.server.Foreign(700) // more than a window: the subscription sends checkpoints
	}
	if head, err := s.Head(t.Context()); err != nil || head != mine[4] {
		t.Errorf("the head is %d, %v; the newest commit is at %d", head, err, mine[4])
	}
	if again := b.open(t, b.server.URL(), quick); true {
		if head, err := again.Head(t.Context()); err != nil || head != mine[4] {
			t.Errorf("to another process the head is %d, %v", head, err)
		}
	}
	got := read(t, s, 0)[1:]
	if fmt.Sprint(got) != fmt.Sprint(mine) {
		t.Errorf("read %v, want %v", got, mine)
	}
	// A number between two commits is the place behind the first of them.
	for i, p := range mine[:4] {
		for _, between := range []domain.Position{p + 1, p + 200, mine[i+1] - 1} {
			if got := read(t, s, between); fmt.Sprint(got) != fmt.Sprint(mine[i+1:]) {
				t.Errorf("after %d: read %v, want %v", between, got, mine[i+1:])
			}
			if _, err := s.At(t.Context(), between); !errors.Is(err, projections.ErrNoCommit) {
				t.Errorf("at %d: %v, want ErrNoCommit", between, err)
			}
		}
	}
	if s.Between(mine[0], mine[0]) != 0 || s.Between(mine[0], mine[1]) == 0 {
		t.Error("the distance of two positions is 0 without being none")
	}
}

func TestADeadServerIsUnavailableInTime(t *testing.T) {
	t.Parallel()
	b := newDouble(t)
	s := b.open(t, b.server.URL(), quick)
	fill(t, s, 1, 0, 3)
	b.server.Dead(true)
	for name, do := range map[string]func() error{
		"append": func() error {
			_, _, err := s.Append(t.Context(), storetest.Note(1, "x"), 3)
			if errors.Is(err, command.ErrUncertain) { // it was sent, and what became of it nobody says
				return fmt.Errorf("%w: %w", command.ErrUnavailable, err)
			}
			return err
		},
		"load": func() error {
			_, _, err := s.Load(t.Context(), storetest.Note(1, "").Aggregate, 0, nil)
			return err
		},
		"head": func() error { _, err := s.Head(t.Context()); return err },
		"at":   func() error { _, err := s.At(t.Context(), 300); return err },
		"newest": func() error {
			_, _, err := s.Newest(t.Context(), "default", setting.Categories()...)
			return err
		},
		"latest": func() error {
			_, _, err := s.Latest(t.Context(), "default", setting.Categories()...)
			return err
		},
		"open": func() error {
			_, err := eventstoredb.Open(t.Context(), b.server.URL(), storetest.Codec(), b.air, quick)
			return err
		},
	} {
		began := time.Now()
		if err := do(); !errors.Is(err, command.ErrUnavailable) {
			t.Errorf("%s: %v, want ErrUnavailable", name, err)
		}
		if took := time.Since(began); took > 2*quick.Timeout {
			t.Errorf("%s took %s", name, took)
		}
	}
	b.server.Dead(false)
	for deadline := time.Now().Add(patience); ; {
		if _, err := s.Head(t.Context()); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func TestASlowServerIsWaitedFor(t *testing.T) {
	t.Parallel()
	b := newDouble(t)
	b.server.Slow(30 * time.Millisecond)
	s := b.open(t, b.server.URL(), quick)
	fill(t, s, 1, 0, 5)
	if got := len(read(t, s, 0)); got != 6 {
		t.Errorf("read %d commits, want 6", got)
	}
}

func TestACallerThatGivesUpIsLetGoAtOnce(t *testing.T) {
	t.Parallel()
	b := newDouble(t)
	s := b.open(t, b.server.URL(), eventstoredb.Options{})
	b.server.Dead(true)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := s.Head(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want the caller's own deadline", err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestAFollowerSendsEveryCallToItsLeader(t *testing.T) {
	t.Parallel()
	b := newDouble(t)
	follower := esdbtest.New(t)
	follower.Follow(b.server)
	for i, url := range []string{
		follower.URL(), // the call is sent on
		fmt.Sprintf("esdb://%s,%s?tls=false", follower.Address(), b.server.Address()), // gossip tells
	} {
		s := b.open(t, url, eventstoredb.Options{})
		fill(t, s, i, 0, 3)
		if got := read(t, s, 0); len(got) < 4 {
			t.Errorf("%s: read %d commits, want at least 4", url, len(got))
		}
	}
	if follower.Moved() == 0 {
		t.Error("no call asked for the leader")
	}
}

// Two engines may decide the same command at the same moment, each with a ticket and a time of its own: the second's append
// must not pass for the first's.
func TestAnotherAttemptAtTheSameCommandIsAConflict(t *testing.T) {
	t.Parallel()
	b := newDouble(t)
	b.server.Old(true)
	first, second := b.open(t, b.server.URL(), quick), b.open(t, b.server.URL(), quick)
	c := storetest.Note(1, "once")
	p, v, err := first.Append(t.Context(), c, 0)
	if err != nil {
		t.Fatal(err)
	}
	if p2, v2, err := second.Append(t.Context(), c, 0); !errors.Is(err, command.ErrConflict) {
		t.Errorf("another attempt was appended at %d, %d, %v: want a conflict", p2, v2, err)
	}
	if p2, v2, err := second.Append(t.Context(), c, v); err != nil || p2 != p || v2 != v {
		t.Errorf("the same command behind itself: %d, %d, %v; want %d, %d", p2, v2, err, p, v)
	}
}

func TestARestoredCopyIsNoticed(t *testing.T) {
	t.Parallel()
	b := newDouble(t)
	s := b.open(t, b.server.URL(), quick)
	fill(t, s, 1, 0, 5)
	b.server.Copy()
	lost := fill(t, s, 1, 5, 10)
	failed := make(chan error, 1)
	reading := make(chan struct{}, 1)
	go func() {
		failed <- s.Read(t.Context(), 0, projections.ReadOptions{}, func(chunk []domain.Commit) error {
			if chunk[len(chunk)-1].Position == lost[4] {
				reading <- struct{}{}
			}
			return nil
		})
	}()
	<-reading
	b.server.Stop()
	b.server.Restore()
	b.server.Start(t)
	select {
	case err := <-failed:
		if !errors.Is(err, projections.ErrAhead) {
			t.Errorf("the reader ended with %v, want ErrAhead", err)
		}
	case <-time.After(patience):
		t.Fatal("the reader did not notice")
	}
	never := func([]domain.Commit) error { t.Error("something was delivered"); return nil }
	if err := s.Read(t.Context(), lost[4], projections.ReadOptions{}, never); !errors.Is(err, projections.ErrAhead) {
		t.Errorf("read after %d: %v, want ErrAhead", lost[4], err)
	}
	if _, err := s.At(t.Context(), lost[0]); !errors.Is(err, projections.ErrNoCommit) {
		t.Errorf("at %d: %v, want ErrNoCommit", lost[0], err)
	}
	if _, _, err := s.Load(t.Context(), storetest.Note(1, "").Aggregate, 10, nil); err == nil || errors.Is(err, command.ErrUnavailable) {
		t.Errorf("load since a version that is gone: %v", err)
	}
}

func TestAnotherLogInItsPlaceIsRefused(t *testing.T) {
	t.Parallel()
	b := newDouble(t)
	s := b.open(t, b.server.URL(), quick)
	fill(t, s, 1, 0, 3)
	b.server.Stop()
	b.server.Wipe()
	b.server.Start(t)
	other := b.open(t, b.server.URL(), quick)
	if other.ID() == s.ID() {
		t.Fatal("the new log has the identity of the old one")
	}
	for deadline := time.Now().Add(2 * time.Second); ; {
		if _, err := s.Head(t.Context()); err != nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatal("the store goes on in another log")
		}
	}
	if _, _, err := s.Append(t.Context(), storetest.Note(1, "x"), 0); !errors.Is(err, command.ErrUnavailable) && !errors.Is(err, command.ErrUncertain) {
		t.Errorf("append: %v, want it refused", err)
	}
	if _, err := s.Head(t.Context()); !errors.Is(err, command.ErrUnavailable) {
		t.Errorf("head: %v, want ErrUnavailable", err)
	}
	if got := len(read(t, other, 0)); got != 1 {
		t.Errorf("the new log holds %d commits, want its creation alone", got)
	}
}

func TestManyRestartsLeaveNothingBehind(t *testing.T) {
	b := newDouble(t)
	s := b.open(t, b.server.URL(), quick)
	var before int
	for i := range 12 {
		b.Restart(t)
		var busy sync.WaitGroup
		for w := range 8 {
			busy.Go(func() { _, _, _ = s.Load(t.Context(), storetest.Note(w, "").Aggregate, 0, nil) })
		}
		busy.Wait()
		fill(t, s, 1, i, i+1)
		if i == 3 {
			before = runtime.NumGoroutine()
		}
	}
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > before+10; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d after four restarts", runtime.NumGoroutine(), before)
		}
	}
	if got := len(read(t, s, 0)); got != 13 {
		t.Errorf("read %d commits, want 13", got)
	}
}

func TestALogThatIsOnlyLookedAtIsNeitherMadeNorChanged(t *testing.T) {
	t.Parallel()
	b := newDouble(t)
	o := quick
	o.ReadOnly = true
	if _, err := eventstoredb.Open(t.Context(), b.server.URL(), storetest.Codec(), b.air, o); !errors.Is(err, eventstoredb.ErrNoLog) {
		t.Fatalf("%v, want ErrNoLog", err)
	}
	fill(t, b.open(t, b.server.URL(), quick), 1, 0, 3)
	s := b.open(t, b.server.URL(), o)
	if _, _, err := s.Append(t.Context(), storetest.Note(1, "x"), 3); !errors.Is(err, command.ErrUnavailable) {
		t.Errorf("append: %v, want ErrUnavailable", err)
	}
	if got := len(read(t, s, 0)); got != 4 {
		t.Errorf("read %d commits, want 4", got)
	}
}

func TestAConnectionStringNeverShowsInAnError(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"esdb://ana:secret@host:port", "http://ana:secret@host", "esdb://ana:secret@host/path"} {
		_, err := eventstoredb.Open(t.Context(), bad, storetest.Codec(), memory.New(storetest.Codec()), quick)
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v", err)
		}
	}
}

func TestATimeIsFoundFromPlacesThatWereMetBefore(t *testing.T) {
	t.Parallel()
	b := newDouble(t)
	s := b.open(t, b.server.URL(), quick)
	long := strings.Repeat("x", 150<<10)
	for i := range 16 {
		if _, _, err := s.Append(t.Context(), storetest.Note(1, long), domain.Version(i)); err != nil {
			t.Fatal(err)
		}
	}
	all := read(t, s, 0)
	c, err := s.At(t.Context(), all[1])
	if err != nil {
		t.Fatal(err)
	}
	if p := s.Before(c.Recorded); p > all[0] && p != all[0] {
		t.Errorf("before the first note there is a mark at %d", p)
	}
	p := s.Before(c.Recorded.Add(time.Second)) // all notes were recorded in the same moment
	if p <= all[0] || p > all[len(all)-1] {
		t.Errorf("the last mark is at %d of a log from %d to %d", p, all[0], all[len(all)-1])
	}
	if got := read(t, s, p); len(got) == 0 || len(got) >= 16 {
		t.Errorf("behind the mark at %d there are %d commits", p, len(got))
	}
}
