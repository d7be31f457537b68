package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

// collect reads to the head and returns the chunks.
func collect(t *testing.T, s Store, after domain.Position, o projections.ReadOptions) [][]domain.Commit {
	t.Helper()
	var chunks [][]domain.Commit
	o.ToHead = true
	err := s.Read(t.Context(), after, o, func(c []domain.Commit) error {
		chunks = append(chunks, c)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return chunks
}

func contiguous(t *testing.T, b Backend) {
	s := b.Store(t)
	fill(t, s, 1, 30)
	fill(t, s, 2, 30)
	all := positions(t, s)
	if len(all) != 61 {
		t.Fatalf("the log holds %d commits, want 61", len(all))
	}
	for _, limit := range []int{0, 1, 7} {
		for _, n := range []int{0, 1, 31, 60, 61} {
			after, at := domain.Position(0), order{sparse: sparse(b)}
			if n > 0 {
				after = all[n-1]
				at.last = after
			}
			for _, chunk := range collect(t, s, after, projections.ReadOptions{Max: limit}) {
				if len(chunk) == 0 || limit > 0 && len(chunk) > limit {
					t.Fatalf("a chunk of %d, at most %d was asked for", len(chunk), limit)
				}
				for _, c := range chunk {
					if err := at.next(c); err != nil {
						t.Fatalf("after %d: %v", after, err)
					}
				}
			}
			if at.n != 61-n || at.last != all[60] {
				t.Errorf("after %d, chunks of %d: read %d commits up to %d, want %d up to %d", after, limit, at.n, at.last, 61-n, all[60])
			}
		}
	}
}

func readWhileAppending(t *testing.T, b Backend) {
	const writers, each = 8, 40
	writer, reader := b.Store(t), b.Store(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	at := order{sparse: sparse(b)}
	count := map[string]int{}
	read := make(chan error, 1)
	all := make(chan struct{})
	go func() {
		read <- reader.Read(ctx, 0, projections.ReadOptions{Open: true, Max: 16}, func(chunk []domain.Commit) error {
			for _, c := range chunk {
				if err := at.next(c); err != nil {
					return err
				}
				if c.Aggregate.Category == domain.CategoryThread {
					if got, want := text(t, c), strconv.Itoa(count[c.Aggregate.ID]); got != want {
						return fmt.Errorf("%s: %s came where %s was due", c.Aggregate, got, want)
					}
					count[c.Aggregate.ID]++
				}
			}
			if at.n == 1+writers*each {
				close(all)
			}
			return nil
		})
	}()
	var g sync.WaitGroup
	for w := range writers {
		g.Go(func() {
			var v domain.Version
			var err error
			for i := range each {
				if _, v, err = writer.Append(t.Context(), Note(w, strconv.Itoa(i)), v); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	g.Wait()
	select {
	case <-all:
	case err := <-read:
		t.Fatal(err)
	case <-time.After(patience):
		t.Fatal("the reader did not reach the head")
	}
	cancel()
	if err := <-read; !errors.Is(err, context.Canceled) {
		t.Errorf("the read ended with %v", err)
	}
}

func slowReader(t *testing.T, b Backend) {
	const n = 400
	s := b.Store(t)
	fill(t, s, 1, 5)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	gate, entered := make(chan struct{}), make(chan struct{}, 1)
	read, all := make(chan error, 1), make(chan struct{})
	at := order{sparse: sparse(b)}
	go func() {
		read <- s.Read(ctx, 0, projections.ReadOptions{Max: 3}, func(chunk []domain.Commit) error {
			select {
			case entered <- struct{}{}:
			default:
			}
			<-gate
			for _, c := range chunk {
				if err := at.next(c); err != nil {
					return err
				}
			}
			if at.n == 1+5+n {
				close(all)
			}
			return nil
		})
	}()
	soon(t, "the reader", entered)
	var g sync.WaitGroup
	for w := range 20 {
		g.Go(func() {
			var v domain.Version
			for range n / 20 {
				var err error
				if _, v, err = s.Append(t.Context(), Note(10+w, strings.Repeat("x", 8000)), v); err != nil {
					t.Error(err)
				}
			}
		})
	}
	g.Wait()
	close(gate)
	select {
	case <-all:
	case err := <-read:
		t.Fatal(err)
	case <-time.After(patience):
		t.Fatal("the slow reader did not reach the head")
	}
}

func readerError(t *testing.T, b Backend) {
	s := b.Store(t)
	fill(t, s, 1, 20)
	mine := errors.New("mine")
	calls := 0
	err := s.Read(t.Context(), 0, projections.ReadOptions{Max: 2}, func([]domain.Commit) error {
		calls++
		if calls == 3 {
			return mine
		}
		return nil
	})
	if err != mine || calls != 3 {
		t.Errorf("after %d calls the read returned %v", calls, err)
	}
}

func ahead(t *testing.T, b Backend) {
	s := b.Store(t)
	fill(t, s, 1, 3)
	never := func([]domain.Commit) error { t.Error("something was delivered"); return nil }
	last := head(t, s)
	for _, p := range []domain.Position{last + 1, last + 1000, 1<<domain.EpochBits | 2} {
		if err := s.Read(t.Context(), p, projections.ReadOptions{}, never); !errors.Is(err, projections.ErrAhead) {
			t.Errorf("read after %d: %v, want ErrAhead", p, err)
		}
	}
	if err := s.Read(t.Context(), last, projections.ReadOptions{ToHead: true}, never); err != nil {
		t.Errorf("read after the head to the head: %v", err)
	}
}

func sealed(t *testing.T, b Backend) {
	s := b.Store(t)
	begin := head(t, s)
	p, _ := must(t, s, Note(1, "said in confidence"), 0)
	for _, open := range []bool{false, true} {
		chunks := collect(t, s, begin, projections.ReadOptions{Open: open})
		if got := text(t, chunks[0][0]); (got == "said in confidence") != open || got == "" {
			t.Errorf("open %t: the text reads %q", open, got)
		}
	}
	if c, err := s.At(t.Context(), p); err != nil || text(t, c) == "said in confidence" {
		t.Errorf("the commit at %d is open: %v", p, err)
	}
}

func at(t *testing.T, b Backend) {
	s := b.Store(t)
	p, _ := must(t, s, Note(1, "x"), 0)
	if c, err := s.At(t.Context(), p); err != nil || c.Position != p || c.Aggregate != threadNo(1) {
		t.Errorf("at %d: %v, %v", p, c.Aggregate, err)
	}
	for _, p := range []domain.Position{0, p + 1, 1 << 50, 1<<domain.EpochBits | p} {
		if _, err := s.At(t.Context(), p); !errors.Is(err, projections.ErrNoCommit) {
			t.Errorf("at %d: %v, want ErrNoCommit", p, err)
		}
	}
}

func latest(t *testing.T, b Backend) {
	writer, reader := b.Store(t), b.Store(t)
	none, p, err := reader.Latest(t.Context(), workspace, domain.CategoryOperator)
	if err != nil || len(none) != 0 || p != head(t, writer) {
		t.Fatalf("a new log: %d commits up to %d, %v", len(none), p, err)
	}
	want := map[string]string{}
	versions := map[string]domain.Version{}
	for round := range 4 {
		for i := range 30 {
			id := "op" + strconv.Itoa(i)
			want[id] = fmt.Sprint(id, " in round ", round)
			_, versions[id] = must(t, writer, registered(id, want[id]), versions[id])
		}
		other := registered("op1", "of another workspace")
		other.Aggregate.Workspace = "other"
		_, versions["other"] = must(t, writer, other, versions["other"])
		fill(t, writer, 100+round, 5)

		got, p, err := reader.Latest(t.Context(), workspace, domain.CategoryOperator, domain.CategoryDepartment)
		if err != nil {
			t.Fatal(err)
		}
		if p != head(t, writer) {
			t.Errorf("complete up to %d, the head is %d", p, head(t, writer))
		}
		newest, upTo, err := reader.Newest(t.Context(), workspace, domain.CategoryOperator, domain.CategoryDepartment)
		if err != nil || upTo != p || newest != got[len(got)-1].Position {
			t.Errorf("the newest is said to be %d up to %d, %v; it is %d", newest, upTo, err, got[len(got)-1].Position)
		}
		if len(got) != len(want) {
			t.Errorf("%d commits, want %d", len(got), len(want))
		}
		for _, c := range got {
			if name(c) != want[c.Aggregate.ID] {
				t.Errorf("%s reads %q, want %q", c.Aggregate, name(c), want[c.Aggregate.ID])
			}
		}
		if !slices.IsSortedFunc(got, func(a, b domain.Commit) int { return int(a.Position) - int(b.Position) }) {
			t.Error("they are not in order")
		}
	}
}

func follow(t *testing.T, b Backend) {
	writer, reader := b.Store(t), b.Store(t)
	_, first := must(t, writer, registered("ana", "before"), 0)
	start := head(t, writer)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	heard, fresh := make(chan string, 100), make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		ended <- reader.Follow(ctx, workspace, start, []domain.Category{domain.CategoryOperator, domain.CategoryPresence},
			func(c domain.Commit) { heard <- name(c) },
			func() {
				select {
				case fresh <- struct{}{}:
				case <-ctx.Done():
				}
			})
	}()
	soon(t, "the first sign that it is fresh", fresh)
	for i := range 3 {
		fill(t, writer, 10+i, 3)
		want := "after " + strconv.Itoa(i)
		_, first = must(t, writer, registered("ana", want), first)
		// Freshness that was found before the append may still be told once; the second was found after it.
		soon(t, "a sign that it is fresh", fresh)
		soon(t, "a sign that it is fresh", fresh)
		select {
		case got := <-heard:
			if got != want {
				t.Errorf("heard %q, want %q", got, want)
			}
		default:
			t.Fatalf("said to be fresh, and %q was not delivered", want)
		}
	}
	began := time.Now()
	for range 4 {
		soon(t, "a sign that it is fresh", fresh)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("four signs of freshness took %s, want about one second", took)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
}

// echo repeats what is said on the air until done: in a cluster it takes a moment until every server knows who listens, and
// what was said before is lost.
func echo(t *testing.T, say func(), done func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for say(); !done(); {
		select {
		case <-tick.C:
			say()
		case <-deadline:
			t.Fatal("it was not heard")
		}
	}
}

func announce(t *testing.T, b Backend) {
	type announcement struct {
		store      int
		projection string
		p          domain.Position
	}
	here, there := b.Store(t), b.Store(t)
	var mu sync.Mutex
	heard := map[announcement]bool{}
	for i, s := range []Store{here, there} {
		cancel, err := s.OnAnnounce(func(projection string, p domain.Position) {
			mu.Lock()
			defer mu.Unlock()
			heard[announcement{i, projection, p}] = true
		})
		if err != nil {
			t.Fatal(err)
		}
		defer cancel()
	}
	const p = 1<<domain.EpochBits | 7
	echo(t, func() { here.Announce("queue", p) }, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return heard[announcement{0, "queue", p}] && heard[announcement{1, "queue", p}]
	})
	mu.Lock()
	defer mu.Unlock()
	if len(heard) != 2 {
		t.Errorf("heard %v", heard)
	}
}

func topics(t *testing.T, b Backend) {
	here, there := b.Store(t), b.Store(t)
	var mu sync.Mutex
	heard := map[string]bool{}
	cancel, err := there.Subscribe("presence.default", func(data []byte) {
		mu.Lock()
		defer mu.Unlock()
		heard[string(data)] = true
	})
	if err != nil {
		t.Fatal(err)
	}
	defer cancel()
	echo(t, func() {
		for _, said := range [][2]string{{"presence.other", "not for us"}, {"presence.default", "ana"}} {
			if err := here.Publish(said[0], []byte(said[1])); err != nil {
				t.Error(err)
			}
		}
	}, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return heard["ana"]
	})
	mu.Lock()
	defer mu.Unlock()
	if len(heard) != 1 {
		t.Errorf("heard %v", heard)
	}
}
