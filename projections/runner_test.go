package projections_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/viewtest"
)

func TestARunnerFollowsTheLogAndLeavesNothingRunning(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	log, store := viewtest.NewLog("one"), open(t, t.TempDir())
	note(log, 1200, "a", "b", "c")
	p := newTally()
	stop := start(t, projections.NewRunner(log, store, p, log, quick))
	reach(t, store, log)
	for range 20 {
		note(log, 3, "c", "d")
		reach(t, store, log)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	sameAsFresh(t, store, log)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestABatchThatDidNotCommitIsWrittenOnce(t *testing.T) {
	log, store := viewtest.NewLog("one"), open(t, t.TempDir())
	note(log, 40, "a", "b")
	p := newTally()
	failures := 3
	p.flush = func() error {
		if failures--; failures >= 0 {
			return fmt.Errorf("the disk is away: %w", projections.ErrInterrupted)
		}
		return nil
	}
	start(t, projections.NewRunner(log, store, p, log, quick))
	reach(t, store, log)
	sameAsFresh(t, store, log)
}

// TestAProcessKilledInTheMiddleOfABatchLeavesARightView runs this test's program again and again; each of these processes
// kills itself after it wrote rows and before it committed them.
func TestAProcessKilledInTheMiddleOfABatchLeavesARightView(t *testing.T) {
	log := viewtest.NewLog("one")
	note(log, 300, "a", "b", "c")
	if dir := os.Getenv("TURNO_TEST_KILLED"); dir != "" {
		store, p := open(t, dir), newTally()
		p.flush = func() error {
			if p.batches.Load() == 3 {
				if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
					return err
				}
				select {}
			}
			return nil
		}
		o := quick
		o.Batch, o.CatchUp = 20, 20
		t.Fatalf("it lived: %v", projections.NewRunner(log, store, p, nil, o).RunToHead(context.Background()))
	}
	dir := t.TempDir()
	for i := range 4 {
		cmd := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), "TURNO_TEST_KILLED="+dir)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Success() || !strings.Contains(err.Error(), "killed") {
			t.Fatalf("round %d was not killed: %v\n%s", i, err, out)
		}
	}
	store := open(t, dir)
	at, err := projections.PositionOf(context.Background(), store.Reader("tally"))
	if err != nil || at != 4*2*20 {
		t.Fatalf("after four processes that wrote two batches of 20 each, the view is at %d (%v)", at, err)
	}
	start(t, projections.NewRunner(log, store, newTally(), log, quick))
	reach(t, store, log)
	sameAsFresh(t, store, log)
}

func TestOfTwoRunnersExactlyOneWritesEachBatch(t *testing.T) {
	log, dir := viewtest.NewLog("one"), t.TempDir()
	note(log, 2000, "a", "b")
	a, b := open(t, dir), open(t, dir)
	pa, pb := newTally(), newTally()
	start(t, projections.NewRunner(log, a, pa, log, quick))
	start(t, projections.NewRunner(log, b, pb, log, quick))
	for range 100 {
		note(log, 2, "b", "c")
	}
	reach(t, a, log)
	sameAsFresh(t, a, log)
	sameAsFresh(t, b, log)
}

// TestALateRunnerDoesNotBeginAViewAgain lets a second runner look at an empty view, and act on that when the first has
// built it.
func TestALateRunnerDoesNotBeginAViewAgain(t *testing.T) {
	log, dir := viewtest.NewLog("one"), t.TempDir()
	note(log, 50, "a", "b")
	a, b := open(t, dir), open(t, dir)
	slow := &slowID{Log: log, looked: make(chan struct{}), pass: make(chan struct{})}
	late := newTally()
	var applied atomic.Int64
	late.apply = func(*domain.Commit) error { applied.Add(1); return nil }
	start(t, projections.NewRunner(slow, b, late, nil, quick))
	<-slow.looked
	if err := projections.NewRunner(log, a, newTally(), nil, quick).RunToHead(context.Background()); err != nil {
		t.Fatal(err)
	}
	close(slow.pass)
	note(log, 1, "a")
	reach(t, a, log)
	sameAsFresh(t, a, log)
	if n := applied.Load(); n != 1 {
		t.Errorf("the late runner applied %d commits, want the one that was left", n)
	}
}

// slowID is a log whose ID is told only once somebody lets it: the first thing that a runner asks after it looked at
// an empty view.
type slowID struct {
	*viewtest.Log
	once   sync.Once
	looked chan struct{}
	pass   chan struct{}
}

func (l *slowID) ID() string {
	l.once.Do(func() { close(l.looked); <-l.pass })
	return l.Log.ID()
}

func TestAStandByTakesOverWhenTheOtherStandsStill(t *testing.T) {
	log, dir := viewtest.NewLog("one"), t.TempDir()
	note(log, 10, "a")
	a, b := open(t, dir), open(t, dir)
	stopA := start(t, projections.NewRunner(log, a, newTally(), log, quick))
	reach(t, a, log)
	pb := newTally()
	start(t, projections.NewRunner(log, b, pb, log, quick))
	for range 50 {
		note(log, 1, "a")
		reach(t, a, log)
	}
	if err := stopA(); err != nil {
		t.Fatal(err)
	}
	before := pb.batches.Load()
	note(log, 5, "a", "b")
	reach(t, b, log)
	if pb.batches.Load() == before {
		t.Error("nobody took over, and still the view went on")
	}
	sameAsFresh(t, b, log)
}

func TestAnotherLogIsRefused(t *testing.T) {
	log, store := viewtest.NewLog("one"), open(t, t.TempDir())
	note(log, 5, "a")
	if err := projections.NewRunner(log, store, newTally(), nil, quick).RunToHead(context.Background()); err != nil {
		t.Fatal(err)
	}
	before := digest(t, store)
	other := viewtest.NewLog("two")
	note(other, 9, "a")
	err := projections.NewRunner(other, store, newTally(), nil, quick).Run(context.Background())
	if !errors.Is(err, projections.ErrForeignLog) || !strings.Contains(err.Error(), "one") || !strings.Contains(err.Error(), "two") {
		t.Errorf("Run said %v", err)
	}
	if digest(t, store) != before {
		t.Error("and changed the view")
	}
}

func TestAViewThatTheLogDoesNotBearOutIsRebuilt(t *testing.T) {
	for name, happened := range map[string]struct {
		to   func(*viewtest.Log)
		says string
	}{
		"ahead of the log": {func(l *viewtest.Log) { l.Truncate(6) }, "ahead"},
		"off the log":      {func(l *viewtest.Log) { l.Truncate(6); note(l, 30, "x", "y") }, "another commit"},
		"log ends with it": {func(l *viewtest.Log) { l.Truncate(6); note(l, 4, "x", "y") }, "another commit"},
	} {
		t.Run(name, func(t *testing.T) {
			log, store := viewtest.NewLog("one"), open(t, t.TempDir())
			note(log, 10, "a", "b")
			if err := projections.NewRunner(log, store, newTally(), nil, quick).RunToHead(context.Background()); err != nil {
				t.Fatal(err)
			}
			happened.to(log)
			core, logged := observer.New(zap.WarnLevel)
			o := quick
			o.Logger = zap.New(core)
			r := projections.NewRunner(log, store, newTally(), log, o)
			if err := r.RunToHead(context.Background()); err != nil {
				t.Fatal(err)
			}
			sameAsFresh(t, store, log)
			if n := logged.FilterMessageSnippet("rebuilt").Len(); n != 1 {
				t.Errorf("it was said %d times", n)
			}
			if all := logged.All(); len(all) > 0 && !strings.Contains(fmt.Sprint(all[0].ContextMap()["reason"]), happened.says) {
				t.Errorf("the reason is %v", all[0].ContextMap())
			}
		})
	}
}

func TestANewVersionIsServedOnceItHasCaughtUp(t *testing.T) {
	log, store := viewtest.NewLog("one"), open(t, t.TempDir())
	note(log, 20, "a", "b")
	if err := projections.NewRunner(log, store, newTally(), nil, quick).RunToHead(context.Background()); err != nil {
		t.Fatal(err)
	}
	second := newTally()
	second.version = 2
	reached, pass := make(chan struct{}), make(chan struct{})
	second.apply = func(c *domain.Commit) error {
		if c.Position == 15 {
			close(reached)
			<-pass
		}
		return nil
	}
	o := quick
	o.Batch, o.CatchUp = 5, 5
	start(t, projections.NewRunner(log, store, second, nil, o))
	<-reached
	if version, _, err := store.Active(context.Background(), "tally"); err != nil || version != 1 {
		t.Errorf("half built, version %d is served (%v)", version, err)
	}
	reach(t, store, log)
	close(pass)
	await(t, func() bool {
		version, _, err := store.Active(context.Background(), "tally")
		return err == nil && version == 2
	})
	reach(t, store, log)
}

func TestAPoisonousCommitParksItsAggregateAlone(t *testing.T) {
	for name, poisoned := range map[string]func(p *tally){
		"an error": func(p *tally) {
			p.apply = func(c *domain.Commit) error {
				if c.Aggregate.ID == "bad" && c.Position > 10 {
					return errors.New("no such thing")
				}
				return nil
			}
		},
		"a panic": func(p *tally) {
			p.apply = func(c *domain.Commit) error {
				if c.Aggregate.ID == "bad" && c.Position > 10 {
					panic("it was not expected")
				}
				return nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			log, store := viewtest.NewLog("one"), open(t, t.TempDir())
			note(log, 30, "a", "bad", "c")
			p := newTally()
			poisoned(p)
			start(t, projections.NewRunner(log, store, p, log, quick))
			reach(t, store, log)
			note(log, 4, "bad", "c")
			reach(t, store, log)
			checkParked(t, store.Reader("tally"), log, "turno.default.department.bad", 11, 9)
			if err := projections.NewRunner(log, store, p, nil, quick).RunToHead(context.Background()); err != nil {
				t.Errorf("what is parked already stops a strict run: %v", err)
			}
		})
	}
}

func TestRowsThatCanNotBeWrittenParkTheirAggregateAlone(t *testing.T) {
	log, store := viewtest.NewLog("one"), open(t, t.TempDir())
	note(log, 30, "a", "b")
	note(log, 33, "a", "unwritable", "c")
	start(t, projections.NewRunner(log, store, newTally(), log, quick))
	reach(t, store, log)
	checkParked(t, store.Reader("tally"), log, "turno.default.department.unwritable", 32, 11)
}

func checkParked(t *testing.T, q projections.Querier, log *viewtest.Log, aggregate string, first domain.Position, skipped int) {
	t.Helper()
	all, err := projections.ListParked(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 || all[0].Aggregate != aggregate || all[0].Position != first || all[0].Skipped != skipped || all[0].Reason == "" {
		t.Errorf("parked is %+v, want %s from %d, %d commits", all, aggregate, first, skipped)
	}
	var seen, wrong, miscounted int
	if err := q.QueryRowContext(context.Background(), `SELECT count(*), count(CASE WHEN aggregate = ? AND position >= ? THEN 1 END) FROM seen`,
		aggregate, int64(first)).Scan(&seen, &wrong); err != nil {
		t.Fatal(err)
	}
	if err := q.QueryRowContext(context.Background(), `SELECT count(*) FROM tally t
		WHERE n <> (SELECT count(*) FROM seen s WHERE s.aggregate = t.aggregate)`).Scan(&miscounted); err != nil {
		t.Fatal(err)
	}
	if miscounted != 0 {
		t.Errorf("%d aggregates are counted wrong", miscounted)
	}
	if seen != len(log.Commits())-skipped || wrong != 0 {
		t.Errorf("the view has %d commits of %d, %d of them of what is parked", seen, len(log.Commits()), wrong)
	}
}

func TestAStrictRunFailsOnPoison(t *testing.T) {
	log, store := viewtest.NewLog("one"), open(t, t.TempDir())
	note(log, 9, "a", "bad")
	p := newTally()
	p.apply = func(c *domain.Commit) error {
		if c.Aggregate.ID == "bad" {
			return errors.New("no such thing")
		}
		return nil
	}
	err := projections.NewRunner(log, store, p, nil, quick).RunToHead(context.Background())
	if !errors.Is(err, projections.ErrPoison) || !strings.Contains(err.Error(), "department.bad") {
		t.Errorf("RunToHead said %v", err)
	}
	if at, err := projections.PositionOf(context.Background(), store.Reader("tally")); err != nil || at != 0 {
		t.Errorf("the view is at %d (%v)", at, err)
	}
}

func TestTheStatusSaysHowFarBehindAViewIs(t *testing.T) {
	log, store := viewtest.NewLog("one"), open(t, t.TempDir())
	note(log, 10, "a")
	p := newTally()
	gate := make(chan struct{})
	pass := sync.OnceFunc(func() { close(gate) })
	var once sync.Once
	p.apply = func(c *domain.Commit) error {
		if c.Position == 11 {
			once.Do(func() { <-gate })
		}
		return nil
	}
	o := quick
	o.Now = func() time.Time { return log.Commits()[10].Recorded.Add(90 * time.Second) }
	note(log, 1, "a")
	o.Batch, o.CatchUp = 10, 10
	r := projections.NewRunner(log, store, p, log, o)
	start(t, r)
	t.Cleanup(pass)
	reachPosition(t, store, log, 10)
	note(log, 4, "a")
	await(t, func() bool {
		s := r.Status()
		return s.LagEvents == 5 && s.LagSeconds == 90 && s.Position == 10 && s.Head == 15
	})
	pass()
	reach(t, store, log)
	await(t, func() bool {
		s, found, err := projections.ReadStatus(context.Background(), store.Reader("tally"))
		return err == nil && found && s.LagEvents == 0 && s.LagSeconds == 0 && s.Position == 15 && s.Head == 15 && !s.Heartbeat.IsZero()
	})
}

// await waits for what no position tells.
func await(t *testing.T, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); {
		if time.Now().After(end) {
			t.Fatal("it never came true")
		}
		time.Sleep(time.Millisecond)
	}
}
