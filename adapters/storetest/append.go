package storetest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/ledger"
	"github.com/turno-desk/turno/domain/thread"
)

func identity(t *testing.T, b Backend) {
	s := b.Store(t)
	at := order{sparse: sparse(b)}
	c, err := s.At(t.Context(), first(t, s))
	if err != nil {
		t.Fatal(err)
	}
	if err := at.next(c); err != nil {
		t.Error(err)
	}
	created, ok := c.Events[0].(ledger.Created)
	if !ok || created.ID == "" || created.ID != s.ID() {
		t.Errorf("the first commit is %#v, the log's id %q", c.Events[0], s.ID())
	}
	if again := b.Store(t); again.ID() != s.ID() {
		t.Errorf("opened again the log is %q, was %q", again.ID(), s.ID())
	}
	if p := head(t, s); p != c.Position {
		t.Errorf("the head of a new log is %d, its first commit is at %d", p, c.Position)
	}
}

func roundTrip(t *testing.T, b Backend) {
	s := b.Store(t)
	want := Note(1, "said in confidence")
	want.BodyHash, want.Trace, want.Image = "abc123", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", 1
	want.Opened = 1
	p, v := must(t, s, want, 0)
	second := Note(1, "more")
	p2, v2 := must(t, s, second, v)
	if p2 != p+1 && !(sparse(b) && p2 > p) || v2 <= v {
		t.Errorf("appended at %d (version %d), then at %d (version %d)", p, v, p2, v2)
	}
	got, at := load(t, b.Store(t), 1, 0)
	if len(got) != 2 || at != v2 {
		t.Fatalf("loaded %d commits at version %d, want 2 at %d", len(got), at, v2)
	}
	want.Position, want.Version = p, v
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Errorf("loaded (+) is not what was appended (-):\n%s", diff)
	}
	if got[1].Prev != p || got[1].Position != p2 || got[1].Version != v2 {
		t.Errorf("the second is at %d after %d, version %d", got[1].Position, got[1].Prev, got[1].Version)
	}
	if got, at := load(t, s, 2, 0); len(got) != 0 || at != 0 {
		t.Errorf("an aggregate without commits has %d, at version %d", len(got), at)
	}
}

func opening(t *testing.T, b Backend) {
	s := b.Store(t)
	fill(t, s, 7, 3)
	p, v := must(t, s, Opening(1), 0)
	c := Note(1, "later")
	c.Opened = p
	_, v = must(t, s, c, v)
	c = Note(1, "still later")
	c.Opened = p
	must(t, s, c, v)
	got, _ := load(t, s, 1, 0)
	for i, c := range got {
		if c.Opened != p {
			t.Errorf("commit %d was opened at %d, want %d", i, c.Opened, p)
		}
	}
}

func stops(t *testing.T, b Backend) {
	s := b.Store(t)
	fill(t, s, 1, 3)
	p, v := must(t, s, Opening(1), func() domain.Version { _, v := load(t, s, 1, 0); return v }())
	for range 4 {
		_, v = must(t, s, Note(1, "after"), v)
	}
	got, at, err := s.Load(t.Context(), threadNo(1), 0, func(c *domain.Commit) bool {
		_, ok := c.Events[0].(thread.Opened)
		return ok
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 5 || got[0].Position != p || at != v {
		t.Errorf("loaded %d commits from %d on at version %d, want 5 from the opening at %d, version %d", len(got), got[0].Position, at, p, v)
	}
	since := got[2].Version
	rest, at := load(t, s, 1, since)
	if len(rest) != 2 || rest[0].Prev != got[2].Position || at != v {
		t.Errorf("since %d there are %d commits, at version %d", since, len(rest), at)
	}
	if rest, at := load(t, s, 1, v); len(rest) != 0 || at != v {
		t.Errorf("since the newest there are %d commits, at version %d, want none at %d", len(rest), at, v)
	}
}

func guard(t *testing.T, b Backend) {
	s := b.Store(t)
	_, v1 := must(t, s, Note(1, "first"), 0)
	_, v2 := must(t, s, Note(1, "second"), v1)
	_, other := must(t, s, Note(2, "elsewhere"), 0)
	for _, v := range []domain.Version{0, v1, other, v2 + 1000} {
		if _, _, err := s.Append(t.Context(), Note(1, "stale"), v); !errors.Is(err, command.ErrConflict) {
			t.Errorf("append at %d to an aggregate at %d: %v, want a conflict", v, v2, err)
		}
	}
	must(t, s, Note(1, "third"), v2)
	if got, _ := load(t, s, 1, 0); len(got) != 3 {
		t.Errorf("there are %d commits, want 3", len(got))
	}
}

func tooLarge(t *testing.T, b Backend) {
	s := b.Store(t)
	before := head(t, s)
	long := Note(1, strings.Repeat("ñ", domain.MaxCommitBytes/2))
	many := Note(1, "x")
	for len(many.Events) <= domain.MaxEvents {
		many.Events = append(many.Events, many.Events[0])
	}
	for _, c := range []domain.Commit{long, many} {
		var refusal *domain.Refusal
		if _, _, err := s.Append(t.Context(), c, 0); !errors.As(err, &refusal) || refusal.Code != domain.CodeTooLarge {
			t.Errorf("%d events: %v, want too_large", len(c.Events), err)
		}
	}
	if p := head(t, s); p != before {
		t.Errorf("the head is %d, was %d: something was appended", p, before)
	}
	must(t, s, Note(1, strings.Repeat("n", domain.MaxCommitBytes/2)), 0)
}

func hostileIDs(t *testing.T, b Backend) {
	s := b.Store(t)
	before := head(t, s)
	for _, id := range []string{"", "*", ">", "a.*", "a b", "a\r\nPUB x 0", "..", ".a", "a.", "Ä", strings.Repeat("a", 200)} {
		c := Note(1, "x")
		c.Aggregate.ID, c.Conversation = id, ""
		if _, _, err := s.Append(t.Context(), c, 0); err == nil || errors.Is(err, command.ErrUncertain) {
			t.Errorf("append to %q: %v, want it refused before it is sent", id, err)
		}
	}
	if p := head(t, s); p != before {
		t.Errorf("the head is %d, was %d: something was appended", p, before)
	}
}

func sameCommand(t *testing.T, b Backend) {
	s := b.Store(t)
	c := Note(1, "once")
	p, v := must(t, s, c, 0)
	for _, at := range []domain.Version{0, v} {
		p2, v2, err := s.Append(t.Context(), c, at)
		if errors.Is(err, command.ErrConflict) && at == 0 {
			continue // true as well: the aggregate has moved, by this command's own hand
		}
		if err != nil || p2 != p || v2 != v {
			t.Errorf("appended again at version %d: position %d, version %d, %v; want %d, %d", at, p2, v2, err, p, v)
		}
	}
	if got, _ := load(t, s, 1, 0); len(got) != 1 {
		t.Errorf("it was appended %d times", len(got))
	}
}

func sameCommandElsewhere(t *testing.T, b Backend) {
	s := b.Store(t)
	c := Note(1, "first")
	must(t, s, c, 0)
	stolen := Note(2, "second")
	stolen.ID = c.ID
	if p, _, err := s.Append(t.Context(), stolen, 0); err == nil || errors.Is(err, command.ErrUncertain) || errors.Is(err, command.ErrConflict) {
		t.Errorf("appended at %d, %v: want a plain error", p, err)
	}
	if got, _ := load(t, s, 2, 0); len(got) != 0 {
		t.Errorf("the other aggregate has %d commits", len(got))
	}
}

// rounds and racers of the race. On three replicas a guard by wildcard let two win in most of so many rounds; by the exact
// subject none may.
const (
	rounds = 500
	racers = 8
)

func race(t *testing.T, b Backend) {
	stores := []Store{b.Store(t), b.Store(t), b.Store(t)}
	var v domain.Version
	for round := range rounds {
		var won atomic.Int32
		var next atomic.Uint64
		var g sync.WaitGroup
		start := make(chan struct{})
		for i := range racers {
			g.Go(func() {
				<-start
				_, at, err := stores[i%len(stores)].Append(t.Context(), Note(1, fmt.Sprint(round, "-", i)), v)
				switch {
				case err == nil:
					won.Add(1)
					next.Store(uint64(at))
				case !errors.Is(err, command.ErrConflict):
					t.Errorf("round %d: %v", round, err)
				}
			})
		}
		close(start)
		g.Wait()
		if won.Load() != 1 {
			t.Fatalf("round %d has %d winners", round, won.Load())
		}
		v = domain.Version(next.Load())
	}
	if got, at := load(t, stores[0], 1, 0); len(got) != rounds || at != v {
		t.Errorf("there are %d commits at version %d, want %d at %d", len(got), at, rounds, v)
	}
}

func readsOwnWrites(t *testing.T, b Backend) {
	const writers, each = 12, 40
	stores := []Store{b.Store(t), b.Store(t), b.Store(t)}
	var g sync.WaitGroup
	for w := range writers {
		g.Go(func() {
			var v domain.Version
			for i := range each {
				var err error
				if _, v, err = stores[w%len(stores)].Append(t.Context(), Note(w, strconv.Itoa(i)), v); err != nil {
					t.Error(err)
					return
				}
				for n, s := range stores {
					_, at, err := s.Load(t.Context(), threadNo(w), v, nil)
					if err != nil || at != v {
						t.Errorf("store %d: after the acknowledgement of version %d a load found %d, %v", n, v, at, err)
						return
					}
				}
			}
		})
	}
	g.Wait()
}

func crowd(t *testing.T, b Backend) {
	const writers, each = 100, 5
	s := b.Store(t)
	var g sync.WaitGroup
	var seen sync.Map
	for w := range writers {
		g.Go(func() {
			var v domain.Version
			for i := range each {
				p, next, err := s.Append(t.Context(), Note(w, strconv.Itoa(i)), v)
				if err != nil {
					t.Error(err)
					return
				}
				if _, twice := seen.LoadOrStore(p, true); twice {
					t.Errorf("position %d was given twice", p)
				}
				v = next
			}
		})
	}
	g.Wait()
	if n := len(positions(t, s)); n != 1+writers*each {
		t.Errorf("the log holds %d commits, want %d", n, 1+writers*each)
	}
	for w := range writers {
		got, _ := load(t, s, w, 0)
		if len(got) != each {
			t.Fatalf("thread %d has %d commits, want %d", w, len(got), each)
		}
		for i, c := range got {
			if text(t, c) != strconv.Itoa(i) {
				t.Errorf("thread %d: commit %d is %q", w, i, text(t, c))
			}
		}
	}
}
