package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/ledger"
	"github.com/turno-desk/turno/projections"
)

// Restarter is a backend whose server can be stopped and started again.
type Restarter interface {
	// Join opens the log as a process that outlives the server.
	Join(t *testing.T) Store
	Restart(t *testing.T)
}

// Restorer is a backend that can be put back to an older copy of itself. Stores must be opened anew then.
type Restorer interface {
	Copy(t *testing.T)
	Restore(t *testing.T)
}

// Lossy is a backend that a store can reach over a bad line.
type Lossy interface {
	// Far opens the log over a line that can fail. Its calls end within Patience.
	Far(t *testing.T) (Store, Line)
	Patience() time.Duration
}

// Line is what lies between a store and its server. Each of its failures ends the connection, which can be made again when
// it is over.
type Line interface {
	LoseAnswers(time.Duration)    // what the store sends arrives, and nothing comes back
	LoseEverything(time.Duration) // nothing arrives
	Cut() (mend func())           // nothing can be connected until it is mended
}

// Filler is a backend that can be opened as if its disk were full.
type Filler interface {
	Full(t *testing.T) Store
}

// faults are the tests for backends that can be made to suffer.
func faults(t *testing.T, open func(t *testing.T) Backend) {
	b := open(t)
	run := func(can bool, name string, test func(*testing.T, Backend)) {
		if can {
			t.Run(name, func(t *testing.T) { test(t, open(t)) })
		}
	}
	_, restarts := b.(Restarter)
	run(restarts, "after a restart everything that was acknowledged is there", restart)
	run(restarts, "readers and followers outlive a restart", readOverRestart)
	run(restarts, "writers are told the truth over a restart", appendOverRestart)
	_, restores := b.(Restorer)
	run(restores, "a reader that is ahead of a restored copy is told so", restored)
	_, lossy := b.(Lossy)
	run(lossy, "a lost acknowledgement is found", lostAck)
	run(lossy, "a lost acknowledgement is found behind a later commit", lostAckBehind)
	run(lossy, "an append that never arrived is sent again", lostAppend)
	run(lossy, "an append that never arrived and came too late is a conflict", lostAppendConflict)
	run(lossy, "an outcome that can't be found out is called unknown", unknownOutcome)
	run(lossy, "an append without a connection is unavailable and never stored", noConnection)
	_, fills := b.(Filler)
	run(fills, "a full disk refuses appends and goes on reading", full)
}

func restart(t *testing.T, b Backend) {
	r := b.(Restarter)
	s := r.Join(t)
	v := fill(t, s, 1, 20)
	c := Note(2, "once")
	p, _ := must(t, s, c, 0)
	r.Restart(t)
	for _, s := range []Store{s, r.Join(t)} {
		if got, at := load(t, s, 1, 0); len(got) != 20 || at != v {
			t.Errorf("there are %d commits at version %d, want 20 at %d", len(got), at, v)
		}
		again, _, err := s.Append(t.Context(), c, 0)
		if err == nil && again != p || err != nil && !errors.Is(err, command.ErrConflict) {
			t.Errorf("the same command again: %d, %v; want %d or a conflict", again, err, p)
		}
	}
	if got, _ := load(t, s, 2, 0); len(got) != 1 {
		t.Errorf("the same command was appended %d times", len(got))
	}
	must(t, s, Note(1, "after"), v)
}

func readOverRestart(t *testing.T, b Backend) {
	r := b.(Restarter)
	s := r.Join(t)
	begin := head(t, s)
	fill(t, s, 1, 10)
	ctx, cancel := context.WithCancel(t.Context())
	var g sync.WaitGroup
	defer g.Wait()
	defer cancel()
	read, names, fresh := make(chan domain.Commit, 100), make(chan string, 100), make(chan struct{}, 1)
	g.Go(func() {
		err := s.Read(ctx, 0, projections.ReadOptions{Max: 4}, func(chunk []domain.Commit) error {
			for _, c := range chunk {
				read <- c
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the read ended with %v", err)
		}
	})
	g.Go(func() {
		err := s.Follow(ctx, workspace, begin, []domain.Category{domain.CategoryOperator}, func(c domain.Commit) { names <- name(c) },
			func() {
				select {
				case fresh <- struct{}{}:
				default:
				}
			})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("following ended with %v", err)
		}
	})
	at := order{sparse: sparse(b)}
	expect := func(n int) {
		t.Helper()
		for at.n < n {
			select {
			case c := <-read:
				if err := at.next(c); err != nil {
					t.Fatal(err)
				}
			case <-time.After(patience):
				t.Fatalf("commit %d did not come", at.n+1)
			}
		}
	}
	expect(11)
	r.Restart(t)
	fill(t, s, 2, 10)
	must(t, s, registered("ana", "after"), 0)
	expect(22)
	select {
	case got := <-names:
		if got != "after" {
			t.Errorf("followed %q", got)
		}
	case <-time.After(patience):
		t.Fatal("the setting was not followed")
	}
	for range 2 { // one may be from before
		soon(t, "a sign that the settings are fresh", fresh)
	}
}

func appendOverRestart(t *testing.T, b Backend) {
	const writers = 8
	r := b.(Restarter)
	s := r.Join(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var g sync.WaitGroup
	acknowledged, unknown := make([][]string, writers), make([]map[string]bool, writers)
	busy := make(chan struct{}, 1000)
	for w := range writers {
		unknown[w] = map[string]bool{}
		g.Go(func() {
			var v domain.Version
			for i := 0; ctx.Err() == nil; i++ {
				c := Note(w, strconv.Itoa(i))
				_, at, err := s.Append(context.WithoutCancel(ctx), c, v)
				switch {
				case err == nil:
					acknowledged[w] = append(acknowledged[w], c.ID)
					v = at
					select {
					case busy <- struct{}{}:
					default:
					}
				case errors.Is(err, command.ErrUncertain):
					unknown[w][c.ID] = true
					fallthrough
				case errors.Is(err, command.ErrUnavailable), errors.Is(err, command.ErrConflict):
					if _, now, err := s.Load(context.WithoutCancel(ctx), threadNo(w), v, nil); err == nil {
						v = now
					}
				default:
					t.Errorf("append: %v", err)
					return
				}
			}
		})
	}
	wait := func(n int) {
		t.Helper()
		for range n {
			soon(t, "an acknowledged append", busy)
		}
	}
	wait(50)
	r.Restart(t)
	for len(busy) > 0 {
		<-busy
	}
	wait(100)
	cancel()
	g.Wait()
	s = r.Join(t)
	for w := range writers {
		got, _ := load(t, s, w, 0)
		i := 0
		for _, c := range got {
			if i < len(acknowledged[w]) && c.ID == acknowledged[w][i] {
				i++
			} else if !unknown[w][c.ID] {
				t.Errorf("thread %d holds %s, which was neither acknowledged nor unknown", w, c.ID)
			}
		}
		if i != len(acknowledged[w]) {
			t.Errorf("thread %d holds %d of %d acknowledged commits", w, i, len(acknowledged[w]))
		}
	}
}

func restored(t *testing.T, b Backend) {
	r := b.(Restorer)
	s := b.Store(t)
	v := fill(t, s, 1, 10)
	id := s.ID()
	r.Copy(t)
	s = b.Store(t)
	for range 10 {
		_, v = must(t, s, Note(1, "lost"), v)
	}
	checkpoint := head(t, s)
	r.Restore(t)

	s = b.Store(t)
	never := func([]domain.Commit) error { t.Error("something was delivered"); return nil }
	if s.ID() != id {
		t.Errorf("the copy is log %s, was %s", s.ID(), id)
	}
	if err := s.Read(t.Context(), checkpoint, projections.ReadOptions{}, never); !errors.Is(err, projections.ErrAhead) {
		t.Errorf("read after %d: %v, want ErrAhead", checkpoint, err)
	}
	if _, err := s.At(t.Context(), checkpoint); !errors.Is(err, projections.ErrNoCommit) {
		t.Errorf("at %d: %v, want ErrNoCommit", checkpoint, err)
	}
	if _, _, err := s.Load(t.Context(), threadNo(1), v, nil); err == nil {
		t.Error("a version that is gone was loaded since")
	}

	// What `turno restore` does: from here on positions carry an epoch.
	from := head(t, s)
	c := Note(0, "")
	c.Aggregate, c.Conversation, c.Contact, c.Channel, c.Before, c.After, c.Ticket, c.Key =
		domain.Aggregate{Workspace: "_", Category: domain.CategoryLog, ID: "self"}, "", "", "", nil, nil, 0, ""
	c.Events = []domain.Event{ledger.Restored{Epoch: 1, From: uint64(from), To: uint64(checkpoint), At: moment}}
	p, _ := must(t, s, c, 1)
	if want := domain.Position(1<<domain.EpochBits) | (from + 1); p != want {
		t.Errorf("the restore is at %d, want %d", p, want)
	}
	_, v = load(t, s, 1, 0)
	for range 20 {
		must(t, s, Note(1, "new"), v)
		_, v = load(t, s, 1, v)
	}
	for _, s := range []Store{s, b.Store(t)} {
		if err := s.Read(t.Context(), checkpoint, projections.ReadOptions{}, never); !errors.Is(err, projections.ErrAhead) {
			t.Errorf("read after %d, which another commit has now: %v, want ErrAhead", checkpoint, err)
		}
		if _, err := s.At(t.Context(), checkpoint); !errors.Is(err, projections.ErrNoCommit) {
			t.Errorf("at %d: %v, want ErrNoCommit", checkpoint, err)
		}
		var last domain.Position
		n := 0
		for _, chunk := range collect(t, s, from, projections.ReadOptions{}) {
			for _, c := range chunk {
				if c.Position <= last || c.Position>>domain.EpochBits != 1 {
					t.Errorf("position %d after %d", c.Position, last)
				}
				if c.Prev >= c.Position {
					t.Errorf("position %d says that %d came before it", c.Position, c.Prev)
				}
				last = c.Position
				n++
			}
		}
		if n != 21 || last != head(t, s) {
			t.Errorf("read %d commits after the copy up to %d, want 21 up to %d", n, last, head(t, s))
		}
	}
}

// blip is how long a line fails when it comes back in time.
const blip = 400 * time.Millisecond

func lostAck(t *testing.T, b Backend) {
	far, line := b.(Lossy).Far(t)
	v := fill(t, far, 1, 3)
	line.LoseAnswers(blip)
	p, at, err := far.Append(t.Context(), Note(1, "was stored"), v)
	if err != nil {
		t.Fatal(err)
	}
	got, now := load(t, b.Store(t), 1, v)
	if len(got) != 1 || got[0].Position != p || now != at {
		t.Errorf("told %d (version %d); there are %d commits at version %d", p, at, len(got), now)
	}
}

func lostAckBehind(t *testing.T, b Backend) {
	near := b.Store(t)
	far, line := b.(Lossy).Far(t)
	v := fill(t, far, 1, 3)
	line.LoseAnswers(blip)
	c := Note(1, "was stored")
	done := make(chan error, 1)
	var p domain.Position
	go func() {
		var err error
		p, _, err = far.Append(t.Context(), c, v)
		done <- err
	}()
	var first []domain.Commit
	now := v
	for deadline := time.Now().Add(patience); len(first) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("the append did not arrive")
		}
		first, now = load(t, near, 1, v)
	}
	must(t, near, Note(1, "on top"), now)
	if err := <-done; err != nil || p != first[0].Position {
		t.Errorf("told %d, %v; want %d", p, err, first[0].Position)
	}
	if got, _ := load(t, near, 1, v); len(got) != 2 {
		t.Errorf("there are %d commits since, want 2", len(got))
	}
}

func lostAppend(t *testing.T, b Backend) {
	far, line := b.(Lossy).Far(t)
	v := fill(t, far, 1, 3)
	line.LoseEverything(blip)
	if _, _, err := far.Append(t.Context(), Note(1, "sent twice"), v); err != nil {
		t.Fatal(err)
	}
	if got, _ := load(t, b.Store(t), 1, v); len(got) != 1 {
		t.Errorf("there are %d commits since, want 1", len(got))
	}
}

func lostAppendConflict(t *testing.T, b Backend) {
	near := b.Store(t)
	far, line := b.(Lossy).Far(t)
	v := fill(t, far, 1, 3)
	line.LoseEverything(blip)
	must(t, near, Note(1, "faster"), v)
	if _, _, err := far.Append(t.Context(), Note(1, "too late"), v); !errors.Is(err, command.ErrConflict) {
		t.Errorf("%v, want a conflict", err)
	}
	if got, _ := load(t, near, 1, v); len(got) != 1 {
		t.Errorf("there are %d commits since, want 1", len(got))
	}
}

func unknownOutcome(t *testing.T, b Backend) {
	l := b.(Lossy)
	far, line := l.Far(t)
	v := fill(t, far, 1, 3)
	line.LoseAnswers(3 * l.Patience())
	began := time.Now()
	_, _, err := far.Append(t.Context(), Note(1, "who knows"), v)
	if !errors.Is(err, command.ErrUncertain) {
		t.Errorf("%v, want ErrUncertain", err)
	}
	if took := time.Since(began); took > 2*l.Patience() {
		t.Errorf("the answer took %s", took)
	}
	if got, _ := load(t, b.Store(t), 1, v); len(got) != 1 {
		t.Errorf("there are %d commits since, want 1: it was stored", len(got))
	}
}

func noConnection(t *testing.T, b Backend) {
	l := b.(Lossy)
	far, line := l.Far(t)
	v := fill(t, far, 1, 3)
	mend := line.Cut()
	deadline := time.Now().Add(patience)
	for n := 0; ; n++ {
		_, _, err := far.Append(t.Context(), Note(1, fmt.Sprint("attempt ", n)), v)
		if errors.Is(err, command.ErrUnavailable) {
			break
		}
		// Until the store has noticed it may have sent something.
		if !errors.Is(err, command.ErrUncertain) || time.Now().After(deadline) {
			t.Fatalf("%v, want ErrUnavailable", err)
		}
	}
	mend()
	var got []domain.Commit
	for {
		var err error
		if got, _, err = far.Load(t.Context(), threadNo(1), v, nil); err == nil {
			break
		}
		if !errors.Is(err, command.ErrUnavailable) || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	if len(got) != 0 {
		t.Errorf("%d commits were stored that nobody was told of", len(got))
	}
	must(t, far, Note(1, "back again"), v)
}

func full(t *testing.T, b Backend) {
	roomy := b.Store(t)
	v := fill(t, roomy, 1, 10)
	s := b.(Filler).Full(t)
	if _, _, err := s.Append(t.Context(), Note(1, "no room"), v); !errors.Is(err, command.ErrFull) {
		t.Errorf("%v, want ErrFull", err)
	}
	if got, at := load(t, s, 1, 0); len(got) != 10 || at != v {
		t.Errorf("loaded %d commits at version %d", len(got), at)
	}
	if chunks := collect(t, s, 0, projections.ReadOptions{}); len(chunks) == 0 {
		t.Error("nothing was read")
	}
}
