package projections

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/turno-desk/turno/domain"
	"go.uber.org/zap"
)

// checkpoint is how far a view has come: the last commit that is in it, and what the runner knows besides.
type checkpoint struct {
	log        string
	definition int
	revision   int64
	position   domain.Position
	commit     string

	recorded time.Time         // running maximum of `recorded`, to the second
	parked   map[string]parked // by aggregate

	// Of this world: see schema. Only as they were when it was read.
	leased time.Time
	fenced time.Time
	sweep  domain.Position
}

// same reports whether it is the same place in the same building of the view.
func (c *checkpoint) same(d *checkpoint) bool {
	return c.log == d.log && c.definition == d.definition && c.position == d.position && c.commit == d.commit
}

// Querier reads from a view: a *sql.DB, *sql.Tx or *sql.Conn.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// PositionOf is the position that the view behind q has come to. A query reads it in the transaction that it reads its
// rows in, and says it in its answer. 0 when the view has not begun.
func PositionOf(ctx context.Context, q Querier) (domain.Position, error) {
	var p int64
	err := q.QueryRowContext(ctx, `SELECT position FROM runner_checkpoint`).Scan(&p)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("read the view's checkpoint: %w", err)
	}
	return domain.Position(p), nil
}

// verify loads the checkpoint, makes sure that it is one of this log, and begins the view anew when it is not: after a
// power cut a view may hold what the log has lost.
func (r *Runner) verify(ctx context.Context) error {
	r.projection.Forget()
	cp, found, err := loadCheckpoint(ctx, r.db)
	if err != nil {
		return err
	}
	log := r.source.ID()
	if !found {
		return r.begin(ctx, log, nil)
	}
	if cp.log != log {
		return fmt.Errorf("projection %s: %w: it was built from log %s, this is log %s; give it another folder, or remove its files",
			r.projection.Name(), ErrForeignLog, cp.log, log)
	}
	why, err := r.strayed(ctx, cp)
	if err != nil {
		return err
	}
	if why != "" {
		r.log.Warn("the view is rebuilt from the beginning", zap.String("reason", why), zap.Uint64("position", uint64(cp.position)))
		return r.begin(ctx, log, &cp)
	}
	r.use(cp)
	return nil
}

// strayed says why the view does not lie on the log, or "".
func (r *Runner) strayed(ctx context.Context, cp checkpoint) (string, error) {
	if cp.definition != r.projection.Version() {
		return fmt.Sprintf("it was built by definition %d", cp.definition), nil
	}
	if cp.position == 0 {
		return "", nil
	}
	head, err := r.source.Head(ctx)
	if err != nil {
		return "", fmt.Errorf("head of the log: %w", err)
	}
	if cp.position > head {
		return fmt.Sprintf("it is ahead of the log, which ends at %d", head), nil
	}
	c, err := r.source.At(ctx, cp.position)
	if errors.Is(err, ErrNoCommit) || errors.Is(err, ErrAhead) {
		return "the log has no commit at its position", nil
	}
	if err != nil {
		return "", fmt.Errorf("commit at the checkpoint: %w", err)
	}
	if c.ID != cp.commit {
		return "the log has another commit at its position", nil
	}
	return "", nil
}

// begin empties the view and puts its checkpoint before the first commit. seen is what was found wrong with it, nil when
// there was nothing; errLost when another runner has been faster.
func (r *Runner) begin(ctx context.Context, log string, seen *checkpoint) error {
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin the view: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	is, found, err := readCheckpoint(ctx, tx)
	if err != nil {
		return err
	}
	if found != (seen != nil) || found && !is.same(seen) {
		return errLost
	}
	if err := r.store.Wipe(ctx, tx); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, schema+r.projection.Schema()); err != nil {
		return fmt.Errorf("create the view's tables: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO runner_checkpoint (one, log, version, position, commit_id, wall_leased) VALUES (1, ?, ?, 0, '', ?)`,
		log, r.projection.Version(), time.Now().UnixMilli()); err != nil {
		return fmt.Errorf("begin the view: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("begin the view: %w", err)
	}
	r.use(checkpoint{log: log, definition: r.projection.Version(), parked: map[string]parked{}})
	return nil
}

func (r *Runner) use(cp checkpoint) {
	r.at = cp
	if cp.sweep > 0 {
		r.toSweep.Store(uint64(cp.sweep))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.Position, r.status.Parked = cp.position, len(cp.parked)
}

func loadCheckpoint(ctx context.Context, db *sql.DB) (cp checkpoint, found bool, err error) {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return cp, false, fmt.Errorf("read the view's checkpoint: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // reading only
	if cp, found, err = readCheckpoint(ctx, tx); err != nil || !found {
		return cp, found, err
	}
	var recorded int64
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(recorded), 0) FROM runner_clock`).Scan(&recorded); err != nil {
		return cp, false, fmt.Errorf("read the view's clock: %w", err)
	}
	cp.recorded = time.UnixMilli(recorded)
	cp.parked, err = loadParked(ctx, tx)
	return cp, true, err
}

// readCheckpoint reads the row alone.
func readCheckpoint(ctx context.Context, q Querier) (cp checkpoint, found bool, err error) {
	var position, leased, fenced, sweep int64
	err = q.QueryRowContext(ctx, `SELECT log, version, revision, position, commit_id, wall_leased, wall_fenced, wall_sweep FROM runner_checkpoint`).
		Scan(&cp.log, &cp.definition, &cp.revision, &position, &cp.commit, &leased, &fenced, &sweep)
	if errors.Is(err, sql.ErrNoRows) {
		return cp, false, nil
	}
	if err != nil {
		return cp, false, fmt.Errorf("read the view's checkpoint: %w", err)
	}
	cp.position, cp.sweep = domain.Position(position), domain.Position(sweep)
	cp.leased, cp.fenced = time.UnixMilli(leased), time.UnixMilli(fenced)
	return cp, true, nil
}

// advance moves the checkpoint by compare-and-set, which renews the lease too. sweep is the position of the last erasure
// in the batch; 0 for none. Where the checkpoint is not as it was, the error tells why: errFenced, errRevised, or errLost
// to another runner.
func advance(ctx context.Context, tx *sql.Tx, from checkpoint, to *domain.Commit, sweep domain.Position) error {
	now := time.Now().UnixMilli()
	done, err := tx.ExecContext(ctx, `UPDATE runner_checkpoint SET position = ?1, commit_id = ?2, wall_leased = ?3,
			wall_sweep = CASE WHEN wall_sweep < ?4 THEN ?4 ELSE wall_sweep END
		WHERE log = ?5 AND version = ?6 AND revision = ?7 AND position = ?8 AND commit_id = ?9 AND wall_fenced <= ?3`,
		int64(to.Position), to.ID, now, int64(sweep), from.log, from.definition, from.revision, int64(from.position), from.commit)
	if err != nil {
		return fmt.Errorf("move the checkpoint: %w", err)
	}
	n, err := done.RowsAffected()
	if err != nil {
		return fmt.Errorf("move the checkpoint: %w", err)
	}
	if n == 1 {
		return nil
	}
	is, found, err := readCheckpoint(ctx, tx)
	switch {
	case err != nil:
		return err
	case found && is.fenced.UnixMilli() > now:
		return errFenced
	case found && is.same(&from) && is.revision != from.revision:
		return errRevised
	}
	return errLost
}
