package projections

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/turno-desk/turno/domain"
)

// Comparison is what became of comparing two versions of a view at one position.
type Comparison struct {
	Position domain.Position
	Digests  [2]string    // of the active one and of the new one; empty where they can't be equal
	Counts   []TableCount // where digests can't be equal
	Took     time.Duration
}

// TableCount is how many rows a table has in the active version and in the new one.
type TableCount struct {
	Table string
	Rows  [2]int64
}

// Same reports whether the comparison finds nothing against the new version: equal digests; where those can't be, no
// table that has fewer rows than before.
func (c *Comparison) Same() bool { return c.Digests[0] == c.Digests[1] && len(c.fewer()) == 0 }

func (c *Comparison) fewer() (all []TableCount) {
	for _, t := range c.Counts {
		if t.Rows[1] < t.Rows[0] {
			all = append(all, t)
		}
	}
	return all
}

// Differences says in words what Same found against it.
func (c *Comparison) Differences() string {
	var all []string
	if c.Digests[0] != c.Digests[1] {
		all = append(all, fmt.Sprintf("digests %.12s… and %.12s…", c.Digests[0], c.Digests[1]))
	}
	for _, t := range c.Counts {
		if t.Rows[0] != t.Rows[1] && (c.Digests[0] != "" || t.Rows[1] < t.Rows[0]) {
			all = append(all, fmt.Sprintf("table %s had %d rows and has %d", t.Table, t.Rows[0], t.Rows[1]))
		}
	}
	return strings.Join(all, "; ")
}

// compare brings the open version to the very position at which it holds on to the active one, and compares the two: by
// digests; by counts where the definitions differ or the active one lacks what is parked. Last it has the projection check
// the new one.
func (r *Runner) compare(ctx context.Context, active int, m *meter, c *Comparison) error {
	began := time.Now()
	defer func() { c.Took = time.Since(began) }()
	db, err := r.store.ReaderOf(ctx, r.projection.Name(), active)
	if err != nil {
		return err
	}
	defer db.Close()
	held, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("hold on to version %d: %w", active, err)
	}
	defer held.Rollback() //nolint:errcheck // reading only
	if c.Position, err = PositionOf(ctx, held); err != nil {
		return err
	}
	var definition int
	if err := held.QueryRowContext(ctx, `SELECT version FROM runner_checkpoint`).Scan(&definition); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read the view's checkpoint: %w", err)
	}
	parked, err := ListParked(ctx, held)
	if err != nil {
		return err
	}
	if c.Position > 0 { // the active one may not have begun to read
		if err := r.readUpTo(ctx, c.Position, m); err != nil {
			return err
		}
	}
	if r.at.position != c.Position {
		return fmt.Errorf("version %d of %s is at %d, where this log has no commit", active, r.projection.Name(), c.Position)
	}
	mine, err := r.store.ReaderOf(ctx, r.projection.Name(), r.version)
	if err != nil {
		return err
	}
	defer mine.Close()
	if definition == r.projection.Version() && len(parked) == 0 {
		if c.Digests, err = r.digests(ctx, held, mine); err != nil {
			return err
		}
	}
	if c.Digests[0] == "" || c.Digests[0] != c.Digests[1] {
		if c.Counts, err = counts(ctx, tables(r.projection.Schema()), held, mine); err != nil {
			return err
		}
	}
	if !c.Same() {
		return fmt.Errorf("view %s, versions %d and %d at position %d: %w: %s", r.projection.Name(), active, r.version, c.Position, ErrDiffers, c.Differences())
	}
	return r.sound(ctx)
}

func (r *Runner) digests(ctx context.Context, held, mine Querier) (d [2]string, err error) {
	var both sync.WaitGroup
	var errs [2]error
	for i, q := range []Querier{held, mine} {
		both.Go(func() { d[i], errs[i] = r.store.Digest(ctx, q) })
	}
	both.Wait()
	return d, errors.Join(errs[:]...)
}

var createTable = regexp.MustCompile(`(?i)CREATE TABLE IF NOT EXISTS (\w+)`)

// tables are the names of the tables that a schema creates.
func tables(schema string) (names []string) {
	for _, m := range createTable.FindAllStringSubmatch(schema, -1) {
		names = append(names, m[1])
	}
	return names
}

// counts counts the rows of the tables that both have. held is a transaction, which must survive a table that is not there.
func counts(ctx context.Context, names []string, held *sql.Tx, mine Querier) ([]TableCount, error) {
	var all []TableCount
	for _, name := range names {
		t := TableCount{Table: name}
		if _, err := held.ExecContext(ctx, `SAVEPOINT counting`); err != nil {
			return nil, fmt.Errorf("count the rows of %s: %w", name, err)
		}
		count := `SELECT count(*) FROM "` + name + `"`
		missing := held.QueryRowContext(ctx, count).Scan(&t.Rows[0])
		if _, err := held.ExecContext(ctx, `ROLLBACK TO SAVEPOINT counting`); err != nil {
			return nil, fmt.Errorf("count the rows of %s: %w", name, errors.Join(missing, err))
		}
		if missing != nil {
			continue // the definition of before had no such table
		}
		if err := mine.QueryRowContext(ctx, count).Scan(&t.Rows[1]); err != nil {
			return nil, fmt.Errorf("count the rows of %s: %w", name, err)
		}
		all = append(all, t)
	}
	return all, nil
}
