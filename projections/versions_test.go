package projections_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/viewtest"
)

// active is the version that queries read.
func active(t *testing.T, store projections.Store) int {
	t.Helper()
	n, _, err := store.Active(context.Background(), "tally")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func numbers(t *testing.T, store projections.Store) (all []int) {
	t.Helper()
	versions, err := store.Versions(context.Background(), "tally")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range versions {
		all = append(all, v.Number)
	}
	return all
}

func defined(version int) *tally {
	p := newTally()
	p.version = version
	return p
}

func rebuild(t *testing.T, log *viewtest.Log, store projections.Store, p projections.Projection) projections.Rebuilt {
	t.Helper()
	done, err := projections.Rebuild(context.Background(), log, store, p, log, projections.RebuildOptions{Options: quick})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func TestAChangedDefinitionGoesOverByItselfAndTheOldProgramStandsBy(t *testing.T) {
	log, dir := viewtest.NewLog("one"), t.TempDir()
	note(log, 3000, "a", "b")
	store := open(t, dir)
	core, logged := observer.New(zap.WarnLevel)
	o := quick
	o.Logger = zap.New(core)
	var old atomic.Int64
	first := defined(1)
	first.flush = func() error { old.Add(1); return nil }
	start(t, projections.NewRunner(log, store, first, log, o))
	reach(t, store, log)
	one := active(t, store)

	stop := start(t, projections.NewRunner(log, open(t, dir), defined(2), log, quick))
	await(t, func() bool { return active(t, store) != one })
	two := active(t, store)
	await(t, func() bool { return logged.FilterMessageSnippet("turno projections switch tally").Len() == 1 })
	before := old.Load()
	note(log, 50, "b", "c")
	reach(t, store, log)
	sameRowsAsFresh(t, store, log, 2)
	if n := old.Load(); n != before {
		t.Errorf("the program of definition 1 wrote %d batches more", n-before)
	}

	// Going back, by the old program, is refused while the new one is at work.
	ctx := context.Background()
	if _, err := projections.SwitchTo(ctx, log, store, defined(1), log, one, projections.Options{}); !errors.Is(err, projections.ErrNewer) {
		t.Errorf("going back beside the new program: %v", err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := projections.SwitchTo(ctx, log, store, defined(2), log, one, quick); err == nil {
		t.Error("a program switched to a version whose definition it does not have")
	}
	if _, err := projections.SwitchTo(ctx, log, store, defined(1), log, one, quick); err != nil {
		t.Fatal(err)
	}
	if n := active(t, store); n != one {
		t.Errorf("version %d is active, not %d", n, one)
	}
	note(log, 10, "a", "c") // the old program works again
	reach(t, store, log)
	sameRowsAsFresh(t, store, log, 1)
	if all := numbers(t, store); !slices.Equal(all, []int{one, two}) {
		t.Errorf("the versions are %v", all)
	}
}

// sameRowsAsFresh compares the view with a fresh one of that definition.
func sameRowsAsFresh(t *testing.T, store projections.Store, log *viewtest.Log, definition int) {
	t.Helper()
	want, err := viewtest.Rebuild(log, defined(definition), projections.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := store.Digest(context.Background(), store.Reader("tally"))
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Error("the view differs from a fresh one")
	}
}

// TestWaitersNeverReadLessThanTheyWaitedFor hammers reads after a position, in two processes' place, across many switches.
func TestWaitersNeverReadLessThanTheyWaitedFor(t *testing.T) {
	log, dir := viewtest.NewLog("one"), t.TempDir()
	note(log, 1000, "a", "b", "c")
	store, other := open(t, dir), open(t, dir)
	start(t, projections.NewRunner(log, store, newTally(), log, quick))
	reach(t, store, log)

	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	var reads, heads atomic.Int64
	all.Go(func() {
		for ctx.Err() == nil {
			note(log, 3, "a", "c", "d")
			head, _ := log.Head(ctx)
			heads.Store(int64(head))
			time.Sleep(5 * time.Millisecond) // the pace of the load
		}
	})
	for _, s := range []viewtest.Store{store, other} {
		tracker, err := projections.NewTracker(log, s.Reader)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(tracker.Close)
		for range 3 {
			all.Go(func() {
				var last domain.Position
				for ctx.Err() == nil {
					p := domain.Position(heads.Load())
					if err := tracker.Wait(context.Background(), "tally", p); err != nil {
						t.Errorf("waiting for %d: %v", p, err)
						return
					}
					at, err := projections.PositionOf(context.Background(), s.Reader("tally"))
					if err != nil {
						t.Errorf("a query during a switch: %v", err)
						return
					}
					if at < p || at < last {
						t.Errorf("after %d, and %d before, a waiter reads %d", p, last, at)
						return
					}
					last = at
					reads.Add(1)
				}
			})
		}
	}
	var longest time.Duration
	for range 8 {
		done := rebuild(t, log, other, newTally())
		if !done.Switched || done.Compared.Digests[0] == "" || done.Compared.Digests[0] != done.Compared.Digests[1] {
			t.Errorf("a rebuild says %+v", done)
		}
		longest = max(longest, done.Fenced)
	}
	cancel()
	all.Wait()
	reach(t, store, log)
	sameAsFresh(t, store, log)
	if longest > time.Second {
		t.Errorf("a switch took %s", longest)
	}
	t.Logf("%d reads over 8 switches; the longest switch took %s", reads.Load(), longest)
}

// deadly is a store whose process dies at a switch.
type deadly struct {
	projections.Store
	before, after bool
}

func (d *deadly) Activate(ctx context.Context, projection string, version int) error {
	if d.before {
		die()
	}
	err := d.Store.Activate(ctx, projection, version)
	if d.after {
		die()
	}
	return err
}

func die() {
	if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err == nil {
		select {}
	}
}

func TestARebuildMayBeKilledAtAnyStep(t *testing.T) {
	log := viewtest.NewLog("one")
	note(log, 1500, "a", "b", "c")
	if dir := os.Getenv("TURNO_TEST_KILLED"); dir != "" {
		when := os.Getenv("TURNO_TEST_KILLED_WHEN")
		p := newTally()
		p.flush = func() error {
			if when == "while it builds" && p.batches.Load() == 3 {
				die()
			}
			return nil
		}
		store := &deadly{open(t, dir), when == "behind the fence", when == "after the switch"}
		o := quick
		o.Batch, o.CatchUp = 200, 200
		_, err := projections.Rebuild(context.Background(), log, store, p, nil, projections.RebuildOptions{Options: o})
		t.Fatalf("it lived: %v", err)
	}
	for _, when := range []string{"while it builds", "behind the fence", "after the switch"} {
		t.Run(when, func(t *testing.T) {
			dir, own := t.TempDir(), viewtest.NewLog("one")
			note(own, 1500, "a", "b", "c")
			store := open(t, dir)
			start(t, projections.NewRunner(own, store, newTally(), own, quick))
			reach(t, store, own)
			one := active(t, store)
			cmd := exec.Command(os.Args[0], "-test.run", "^TestARebuildMayBeKilledAtAnyStep$")
			cmd.Env = append(os.Environ(), "TURNO_TEST_KILLED="+dir, "TURNO_TEST_KILLED_WHEN="+when)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(err.Error(), "killed") {
				t.Fatalf("it was not killed: %v\n%s", err, out)
			}
			if n := active(t, store); (n == one) == (when == "after the switch") {
				t.Errorf("version %d is active, before it was %d", n, one)
			}
			killed := time.Now()
			note(own, 20, "b", "d")
			reach(t, store, own)
			t.Logf("written again %s after the kill", time.Since(killed).Round(time.Millisecond))
			sameAsFresh(t, store, own)
			if done := rebuild(t, own, store, newTally()); !done.Switched {
				t.Errorf("a rebuild says %+v", done)
			}
			note(own, 5, "a")
			reach(t, store, own)
			sameAsFresh(t, store, own)
		})
	}
}

// A view is rebuilt before it has read anything too, as right after the start of its projector.
func TestAViewThatHasNotBegunToReadIsRebuilt(t *testing.T) {
	log, store := viewtest.NewLog("one"), open(t, t.TempDir())
	if err := projections.NewRunner(log, store, newTally(), nil, quick).RunToHead(context.Background()); err != nil {
		t.Fatal(err)
	}
	one := active(t, store)
	note(log, 100, "a", "b")
	if done := rebuild(t, log, store, newTally()); !done.Switched || done.Before != one || done.Compared.Position != 0 {
		t.Errorf("a rebuild says %+v", done)
	}
	start(t, projections.NewRunner(log, store, newTally(), log, quick))
	reach(t, store, log)
	sameAsFresh(t, store, log)
}

func TestARebuildThatDiffersIsNotSwitchedTo(t *testing.T) {
	log, dir := viewtest.NewLog("one"), t.TempDir()
	note(log, 100, "a", "b")
	store := open(t, dir)
	if err := projections.NewRunner(log, store, newTally(), nil, quick).RunToHead(context.Background()); err != nil {
		t.Fatal(err)
	}
	one := active(t, store)
	db, err := store.Writer(context.Background(), "tally", one, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`DELETE FROM seen WHERE position = 50`); err != nil {
		t.Fatal(err)
	}
	_, err = projections.Rebuild(context.Background(), log, store, newTally(), nil, projections.RebuildOptions{Options: quick})
	if !errors.Is(err, projections.ErrDiffers) || !strings.Contains(err.Error(), "table seen had 99 rows and has 100") {
		t.Errorf("it says %v", err)
	}
	if n := active(t, store); n != one {
		t.Errorf("version %d is active", n)
	}
	all := numbers(t, store)
	if len(all) != 2 {
		t.Fatalf("the versions are %v, want both for a look", all)
	}
	if _, err := projections.SwitchTo(context.Background(), log, store, newTally(), nil, all[1], quick); err != nil {
		t.Errorf("switching all the same: %v", err)
	}
	sameAsFresh(t, store, log)
	if err := projections.Drop(context.Background(), store, "tally", all[1]); !errors.Is(err, projections.ErrActive) {
		t.Errorf("dropping the active version: %v", err)
	}
	if err := projections.Drop(context.Background(), store, "tally", one); err != nil {
		t.Error(err)
	}
	if err := projections.Drop(context.Background(), store, "tally", one); !errors.Is(err, projections.ErrNoVersion) {
		t.Errorf("dropping what is gone: %v", err)
	}
}

func TestARebuildFailsOnWhatItCanNotDigestAndLeavesNothing(t *testing.T) {
	log, store := viewtest.NewLog("one"), open(t, t.TempDir())
	note(log, 30, "a", "bad", "c")
	p := newTally()
	poisoned(p)
	start(t, projections.NewRunner(log, store, p, log, quick))
	reach(t, store, log)
	one := active(t, store)
	again := newTally()
	poisoned(again)
	_, err := projections.Rebuild(context.Background(), log, store, again, log, projections.RebuildOptions{Options: quick})
	if !errors.Is(err, projections.ErrPoison) || !strings.Contains(err.Error(), "commit 11 on turno.default.department.bad") {
		t.Errorf("it says %v", err)
	}
	if all := numbers(t, store); !slices.Equal(all, []int{one}) {
		t.Errorf("the versions are %v", all)
	}
	// Mended, the rebuild is the release: the active one lacks what is parked, so it is compared by counts.
	done := rebuild(t, log, store, newTally())
	if done.Compared.Digests[0] != "" || len(done.Compared.Counts) != 2 {
		t.Errorf("it was compared by %+v", done.Compared)
	}
	parked, err := projections.ListParked(context.Background(), store.Reader("tally"))
	await(t, func() bool {
		parked, err = projections.ListParked(context.Background(), store.Reader("tally"))
		return err == nil && len(parked) == 0
	})
	sameAsFresh(t, store, log)
}

// poisoned makes the projection refuse what department bad does from position 11 on.
func poisoned(p *tally) {
	p.apply = func(c *domain.Commit) error {
		if c.Aggregate.ID == "bad" && c.Position > 10 {
			return errors.New("no such thing")
		}
		return nil
	}
}

func TestWhatIsParkedByHandIsPassedByFromThenOn(t *testing.T) {
	log, dir := viewtest.NewLog("one"), t.TempDir()
	note(log, 30, "a", "b")
	store := open(t, dir)
	start(t, projections.NewRunner(log, store, newTally(), log, quick))
	reach(t, store, log)
	const aggregate = "turno.default.department.b"
	for i, want := range []bool{true, false} {
		fresh, err := projections.Park(context.Background(), open(t, dir), "tally", aggregate)
		if err != nil || fresh != want {
			t.Errorf("parking it for time %d: %t (%v)", i+1, fresh, err)
		}
	}
	note(log, 20, "b", "a")
	reach(t, store, log)
	checkParked(t, store.Reader("tally"), log, aggregate, 31, 10)
	rebuild(t, log, store, newTally())
	note(log, 2, "b")
	reach(t, store, log)
	sameAsFresh(t, store, log)
}

func TestAfterAnErasureNoVersionKeepsWhatWasErased(t *testing.T) {
	log, dir := viewtest.NewLog("one"), t.TempDir()
	d := viewtest.NewDesk(log, 1)
	d.Do("contact", "t0000000000000000000000001", 0, d.Receive("t0000000000000000000000001", "web", "hola"))
	store := open(t, dir)
	core, logged := observer.New(zap.InfoLevel)
	o := quick
	o.Logger = zap.New(core)
	stop := start(t, projections.NewRunner(log, store, newTally(), log, o))
	reach(t, store, log)
	one := active(t, store)
	two := rebuild(t, log, store, newTally()).Version
	idle, err := store.NewVersion(context.Background(), "tally", 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Writer(context.Background(), "tally", idle, newTally().Schema()); err != nil { // given up long ago
		t.Fatal(err)
	}
	building, pass := make(chan struct{}), make(chan struct{})
	slow := newTally()
	slow.apply = func(*domain.Commit) error {
		if slow.batches.Load() == 0 {
			select {
			case <-building:
			default:
				close(building)
				<-pass
			}
		}
		return nil
	}
	rebuilt := make(chan error, 1)
	go func() {
		_, err := projections.Rebuild(context.Background(), log, store, slow, log, projections.RebuildOptions{Options: quick, Keep: true})
		rebuilt <- err
	}()
	<-building
	if all := numbers(t, store); len(all) != 4 {
		t.Fatalf("the versions are %v", all)
	}
	if err := stop(); err != nil { // it is erased while nobody projects, and a program is started then
		t.Fatal(err)
	}
	if _, ok := d.Do("adela", "t0000000000000000000000001", 0, thread.Erase{}); !ok {
		t.Fatal("the thread was not erased")
	}
	start(t, projections.NewRunner(log, store, newTally(), log, o))
	await(t, func() bool {
		return !slices.Contains(numbers(t, store), one) && logged.FilterMessageSnippet("holds what was erased").Len() > 0
	})
	close(pass)
	if err := <-rebuilt; err != nil {
		t.Errorf("the build beside: %v", err)
	}
	all := numbers(t, store)
	if !slices.Contains(all, two) || !slices.Contains(all, idle+1) {
		t.Errorf("the versions are %v: want the active %d, and %d, which met the erasure by itself", all, two, idle+1)
	}
}

func TestAFolderOfBeforeIsWorkedOnAsItIs(t *testing.T) {
	log, dir := viewtest.NewLog("one"), t.TempDir()
	note(log, 40, "a", "b")
	store := open(t, dir)
	if err := projections.NewRunner(log, store, newTally(), nil, quick).RunToHead(context.Background()); err != nil {
		t.Fatal(err)
	}
	one := active(t, store)
	db, err := store.Writer(context.Background(), "tally", one, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, column := range []string{"revision", "wall_leased", "wall_fenced", "wall_sweep"} {
		if _, err := db.Exec(`ALTER TABLE runner_checkpoint DROP COLUMN ` + column); err != nil {
			t.Fatal(err)
		}
	}
	p := newTally()
	start(t, projections.NewRunner(log, store, p, log, quick))
	note(log, 3, "a")
	reach(t, store, log)
	sameAsFresh(t, store, log)
	if n := active(t, store); n != one {
		t.Errorf("version %d is active", n)
	}
	if n := p.batches.Load(); n > 3 {
		t.Errorf("it took %d batches to write three commits: it began anew", n)
	}
}

// unsound is a projection whose rows break a rule of its own.
type unsound struct{ *tally }

func (unsound) Check(context.Context, projections.Querier) error {
	return fmt.Errorf("two and two is five")
}

func TestAVersionThatBreaksItsOwnRulesIsNotSwitchedTo(t *testing.T) {
	log, store := viewtest.NewLog("one"), open(t, t.TempDir())
	note(log, 100, "a", "b")
	if err := projections.NewRunner(log, store, newTally(), nil, quick).RunToHead(context.Background()); err != nil {
		t.Fatal(err)
	}
	one := active(t, store)
	_, err := projections.Rebuild(context.Background(), log, store, unsound{newTally()}, nil, projections.RebuildOptions{Options: quick})
	if !errors.Is(err, projections.ErrBroken) || !strings.Contains(err.Error(), "two and two is five") {
		t.Errorf("it says %v", err)
	}
	core, logged := observer.New(zap.ErrorLevel)
	o := quick
	o.Logger = zap.New(core)
	start(t, projections.NewRunner(log, store, unsound{defined(2)}, log, o))
	await(t, func() bool { return logged.FilterMessageSnippet("turno projections switch tally").Len() == 1 })
	if n := active(t, store); n != one {
		t.Errorf("version %d is active", n)
	}
}
