package bench

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

// Project is a bench of the projections, on SQLite or on PostgreSQL.
type Project struct {
	Views  string  `placeholder:"URL" help:"A PostgreSQL database to build the views in, under a schema of the bench's own that it drops again; SQLite without."`
	Events int     `default:"300000" help:"Events of the log that they catch up with."`
	Rate   float64 `default:"1000" help:"Commands a second while measuring how long until they are visible; 0 leaves that out."`
	Only   string  `help:"One projection alone."`

	Projections func(*jetstream.Store, projections.Dialect) []projections.Projection `kong:"-"`
}

// Run lets each projection catch up with the same log, alone, and inserts the rows that it made once more by bare prepared
// statements (COPY on PostgreSQL) into an empty copy of its tables; then it measures how long a command takes to be visible.
func (b Project) Run(ctx context.Context, out io.Writer) error {
	dir, err := os.MkdirTemp("", "turno-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	w, err := host(ctx, dir, jetstream.SyncOff)
	if err != nil {
		return err
	}
	defer w.close()
	if err := w.desk(ctx, 20); err != nil {
		return err
	}
	began := time.Now()
	if _, err := fill(ctx, w, b.Events*3/4, 8); err != nil { // about 1.3 events a commit
		return fmt.Errorf("fill the log: %w", err)
	}
	commits, events, err := count(ctx, w.store)
	if err != nil {
		return err
	}
	where := place(b.Views)
	engine, err := where.engine(ctx)
	if err != nil {
		return err
	}
	header(out, "project: catching up on "+engine, fmt.Sprintf("%d events in %d commits, written in %s", events, commits, time.Since(began).Round(time.Second)))
	fmt.Fprintf(out, "  %-12s %10s %12s %10s %10s %8s\n", "projection", "took", "events/s", "rows", "bare", "ratio")
	for _, p := range b.Projections(w.store, where.dialect()) {
		if b.Only != "" && p.Name() != b.Only {
			continue
		}
		if err := b.catchUp(ctx, out, filepath.Join(dir, "p-"+p.Name()), w, p, events); err != nil {
			return fmt.Errorf("%s: %w", p.Name(), err)
		}
	}
	if b.Rate > 0 {
		return b.visible(ctx, out, filepath.Join(dir, "live"), w)
	}
	return nil
}

func count(ctx context.Context, log projections.Source) (commits, events int, err error) {
	err = log.Read(ctx, 0, projections.ReadOptions{ToHead: true, Max: 5000}, func(chunk []domain.Commit) error {
		commits += len(chunk)
		for i := range chunk {
			events += len(chunk[i].Events)
		}
		return nil
	})
	return commits, events, err
}

func (b Project) catchUp(ctx context.Context, out io.Writer, dir string, w *world, p projections.Projection, events int) error {
	views, err := place(b.Views).open(ctx, dir, p.Name())
	if err != nil {
		return err
	}
	defer views.Close()
	began := time.Now()
	if err := projections.NewRunner(w.store, views, p, w.store, projections.Options{}).RunToHead(ctx); err != nil {
		return err
	}
	took := time.Since(began)
	rows, bare, err := views.copyBare(ctx, p.Name())
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "  %-12s %10s %12.0f %10d %10s %8.2f\n",
		p.Name(), took.Round(time.Millisecond), float64(events)/took.Seconds(), rows, bare.Round(time.Millisecond), bare.Seconds()/took.Seconds())
	return nil
}

// copyBare inserts all rows of a view into empty tables of the same shape and indexes, one prepared statement a row, 5,000
// rows a transaction: what the sink costs without any of our work. Full-text tables are left out.
func copyBare(ctx context.Context, from *sql.DB, path string) (rows int, took time.Duration, err error) {
	to, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=cache_size(-65536)&_pragma=secure_delete(ON)")
	if err != nil {
		return 0, 0, err
	}
	defer to.Close()
	to.SetMaxOpenConns(1)
	objects, err := query(ctx, from, `SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type DESC, name`, 3)
	if err != nil {
		return 0, 0, err
	}
	var tables, fullText []string
	for _, o := range objects {
		if strings.Contains(o[2].(string), "VIRTUAL TABLE") {
			fullText = append(fullText, o[1].(string))
		}
	}
	for _, o := range objects {
		kind, name, ddl := o[0].(string), o[1].(string), o[2].(string)
		if kind == "trigger" || slices.ContainsFunc(fullText, func(t string) bool { return name == t || strings.HasPrefix(name, t+"_") }) {
			continue
		}
		if _, err := to.ExecContext(ctx, ddl); err != nil {
			return 0, 0, fmt.Errorf("%s: %w", name, err)
		}
		if kind == "table" {
			tables = append(tables, name)
		}
	}
	for _, table := range tables {
		columns, err := query(ctx, from, `SELECT name FROM pragma_table_info('`+table+`')`, 1)
		if err != nil {
			return 0, 0, err
		}
		all, err := query(ctx, from, `SELECT * FROM `+table, len(columns))
		if err != nil {
			return 0, 0, err
		}
		began := time.Now()
		insert := `INSERT INTO ` + table + ` VALUES (?` + strings.Repeat(",?", len(columns)-1) + `)`
		for chunk := range slices.Chunk(all, 5000) {
			if err := insertAll(ctx, to, insert, chunk); err != nil {
				return 0, 0, fmt.Errorf("%s: %w", table, err)
			}
		}
		took += time.Since(began)
		rows += len(all)
	}
	return rows, took, nil
}

func query(ctx context.Context, db *sql.DB, q string, width int) ([][]any, error) {
	rows, err := db.QueryContext(ctx, q)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all [][]any
	for rows.Next() {
		row, into := make([]any, width), make([]any, width)
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

func insertAll(ctx context.Context, db *sql.DB, insert string, rows [][]any) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it has nothing to do
	stmt, err := tx.PrepareContext(ctx, insert)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if _, err := stmt.ExecContext(ctx, row...); err != nil {
			return err
		}
	}
	if err := stmt.Close(); err != nil {
		return err
	}
	return tx.Commit()
}

// visible measures how long after its append a command can be seen by a query of each projection, all of them running.
func (b Project) visible(ctx context.Context, out io.Writer, dir string, w *world) error {
	where := place(b.Views)
	views, err := where.open(ctx, dir, "live")
	if err != nil {
		return err
	}
	defer views.Close()
	running, stop := context.WithCancel(ctx)
	var ended []chan error
	defer func() {
		stop()
		for _, e := range ended {
			<-e
		}
	}()
	tracker, err := projections.NewTracker(w.store, views.Reader)
	if err != nil {
		return err
	}
	defer tracker.Close()
	head, err := w.store.Head(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, p := range b.Projections(w.store, where.dialect()) {
		if err := projections.NewRunner(w.store, views, p, w.store, projections.Options{}).RunToHead(ctx); err != nil {
			return err
		}
	}
	for _, p := range b.Projections(w.store, where.dialect()) {
		e := make(chan error, 1)
		ended = append(ended, e)
		names = append(names, p.Name())
		go func() { e <- projections.NewRunner(w.store, views, p, w.store, projections.Options{}).Run(running) }()
		if err := waitFor(ctx, tracker, p.Name(), head); err != nil {
			return err
		}
	}
	opened, err := w.engine.Receive(ctx, byContact(), inbound("visible", "m", 0))
	if err != nil {
		return err
	}
	if _, err := w.engine.Do(ctx, byOperator(0), opened.Conversation.ID, thread.Take{}); err != nil {
		return err
	}
	var notes sync.WaitGroup
	seen, workers := map[string]*sample{}, 16
	for _, name := range names {
		seen[name] = newSample()
	}
	pace := time.NewTicker(time.Duration(float64(time.Second) / b.Rate))
	defer pace.Stop()
	_, err = hammer(workers, 5*time.Second, func(worker, call int) error {
		<-pace.C
		r, err := w.engine.Receive(ctx, byContact(), inbound(fmt.Sprintf("v-%d", worker), fmt.Sprintf("m%d", call), call))
		if err != nil {
			return err
		}
		began := time.Now()
		for _, name := range names {
			notes.Go(func() {
				if waitFor(ctx, tracker, name, r.Position) == nil {
					seen[name].add([]time.Duration{time.Since(began)})
				}
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	notes.Wait()
	fmt.Fprintf(out, "appended to visible, %d projections running, %.0f commands a second\n", len(names), b.Rate)
	for _, name := range names {
		s := seen[name]
		fmt.Fprintf(out, "  %-12s n %d, p50 %s, p99 %s\n", name, len(s.took), short(s.quantile(0.5)), short(s.quantile(0.99)))
	}
	return nil
}

func waitFor(ctx context.Context, t *projections.Tracker, name string, p domain.Position) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return t.Wait(ctx, name, p)
}
