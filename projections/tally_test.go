package projections_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/viewtest"
)

// tally is a projection that notes every commit once and counts the commits of each aggregate. It remembers its counts
// between batches, so a runner that does not make it forget after a lost batch makes wrong rows.
type tally struct {
	version int
	counts  map[string]int
	apply   func(*domain.Commit) error // before each Apply; may be nil
	flush   func() error               // after each Flush wrote its rows; may be nil
	batches atomic.Int64               // flushed so far
}

func newTally() *tally { return &tally{version: 1, counts: map[string]int{}} }

func (p *tally) Name() string { return "tally" }
func (p *tally) Version() int { return p.version }
func (p *tally) Schema() string {
	return `CREATE TABLE IF NOT EXISTS seen (position INTEGER PRIMARY KEY, aggregate TEXT NOT NULL CHECK (aggregate <> 'turno.default.department.unwritable'));
		CREATE TABLE IF NOT EXISTS tally (aggregate TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;`
}
func (p *tally) Opens() bool { return false }
func (p *tally) Forget()     { p.counts = map[string]int{} }
func (p *tally) Begin(_ context.Context, tx *sql.Tx) (projections.Batch, error) {
	return &tallyBatch{p: p, tx: tx, touched: map[string]bool{}}, nil
}

type tallyBatch struct {
	p       *tally
	tx      *sql.Tx
	seen    []*domain.Commit
	touched map[string]bool
}

func (b *tallyBatch) Apply(c *domain.Commit) error {
	if b.p.apply != nil {
		if err := b.p.apply(c); err != nil {
			return err
		}
	}
	a := c.Aggregate.String()
	n, known := b.p.counts[a]
	if !known {
		if err := b.tx.QueryRow(`SELECT n FROM tally WHERE aggregate = ?`, a).Scan(&n); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
	}
	b.p.counts[a] = n + 1
	b.touched[a] = true
	b.seen = append(b.seen, c)
	return nil
}

func (b *tallyBatch) Flush(ctx context.Context) error {
	for _, c := range b.seen {
		if _, err := b.tx.ExecContext(ctx, `INSERT INTO seen VALUES (?, ?)`, int64(c.Position), c.Aggregate.String()); err != nil {
			return err
		}
	}
	for a := range b.touched {
		if _, err := b.tx.ExecContext(ctx, `INSERT INTO tally VALUES (?, ?) ON CONFLICT (aggregate) DO UPDATE SET n = excluded.n`, a, b.p.counts[a]); err != nil {
			return err
		}
	}
	b.p.batches.Add(1)
	if b.p.flush != nil {
		return b.p.flush()
	}
	return nil
}

// note appends n commits, by turns on the aggregates named.
func note(log *viewtest.Log, n int, ids ...string) {
	d := viewtest.NewDesk(log, 1)
	d.Now = d.Now.Add(time.Duration(len(log.Commits())) * 300 * time.Millisecond)
	for i := range n {
		d.Now = d.Now.Add(300 * time.Millisecond)
		d.Settings(domain.CategoryDepartment, ids[i%len(ids)], "admin", department.Changed{Definition: department.Definition{ID: ids[i%len(ids)]}})
	}
}

func TestMain(m *testing.M) { os.Exit(viewtest.Main(m)) }

func open(t *testing.T, dir string) viewtest.Store {
	t.Helper()
	s, err := viewtest.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// quick makes the waits of a runner short.
var quick = projections.Options{
	Linger: -1, Heartbeat: 5 * time.Millisecond, StandBy: 40 * time.Millisecond, Retry: time.Millisecond,
}

// start runs r until the test ends, or stop is called. stop gives Run's error.
func start(t *testing.T, r *projections.Runner) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stopped := false
	stop = func() error {
		cancel()
		if stopped {
			return nil
		}
		stopped = true
		return <-done
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return stop
}

// reach waits until the view has come to the log's head.
func reach(t *testing.T, store viewtest.Store, log *viewtest.Log) {
	t.Helper()
	head, _ := log.Head(context.Background())
	reachPosition(t, store, log, head)
}

func reachPosition(t *testing.T, store viewtest.Store, log *viewtest.Log, p domain.Position) {
	t.Helper()
	tracker, err := projections.NewTracker(log, store.Reader)
	if err != nil {
		t.Fatal(err)
	}
	defer tracker.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := tracker.Wait(ctx, "tally", p); err != nil {
		t.Fatal(err)
	}
}

func digest(t *testing.T, store viewtest.Store) string {
	t.Helper()
	d, err := viewtest.Digest(store, store.Reader("tally"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// sameAsFresh compares a view with one that is built anew from the log.
func sameAsFresh(t *testing.T, store viewtest.Store, log *viewtest.Log) {
	t.Helper()
	want, err := viewtest.Rebuild(log, newTally(), projections.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if digest(t, store) != want {
		t.Error("the view differs from a fresh rebuild")
	}
}
