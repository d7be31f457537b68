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
	log      string
	version  int
	position domain.Position
	commit   string

	recorded time.Time         // running maximum of `recorded`, to the second
	parked   map[string]parked // by aggregate
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

// released reports whether somebody asked for the view to be built anew.
func (r *Runner) released(ctx context.Context) (bool, error) {
	var version int
	err := r.db.QueryRowContext(ctx, `SELECT version FROM runner_checkpoint`).Scan(&version)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, fmt.Errorf("read the view's checkpoint: %w", err)
	}
	return err == nil && version == 0, nil
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
	if cp.version == 0 {
		return "it was asked for, to release what is parked", nil
	}
	if cp.version != r.projection.Version() {
		return fmt.Sprintf("it is of version %d", cp.version), nil
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
	if found != (seen != nil) || found && (is.log != seen.log || is.version != seen.version || is.position != seen.position || is.commit != seen.commit) {
		return errLost
	}
	if err := r.store.Wipe(ctx, tx); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, schema+r.projection.Schema()); err != nil {
		return fmt.Errorf("create the view's tables: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO runner_checkpoint (one, log, version, position, commit_id) VALUES (1, ?, ?, 0, '')`,
		log, r.projection.Version()); err != nil {
		return fmt.Errorf("begin the view: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("begin the view: %w", err)
	}
	r.use(checkpoint{log: log, version: r.projection.Version(), parked: map[string]parked{}})
	return nil
}

func (r *Runner) use(cp checkpoint) {
	r.at = cp
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
func readCheckpoint(ctx context.Context, tx *sql.Tx) (cp checkpoint, found bool, err error) {
	var position int64
	err = tx.QueryRowContext(ctx, `SELECT log, version, position, commit_id FROM runner_checkpoint`).
		Scan(&cp.log, &cp.version, &position, &cp.commit)
	if errors.Is(err, sql.ErrNoRows) {
		return cp, false, nil
	}
	if err != nil {
		return cp, false, fmt.Errorf("read the view's checkpoint: %w", err)
	}
	cp.position = domain.Position(position)
	return cp, true, nil
}

// advance moves the checkpoint by compare-and-set; errLost when it is not where it was.
func advance(ctx context.Context, tx *sql.Tx, from checkpoint, to domain.Position, commit string) error {
	done, err := tx.ExecContext(ctx, `UPDATE runner_checkpoint SET position = ?, commit_id = ?
		WHERE log = ? AND version = ? AND position = ? AND commit_id = ?`,
		int64(to), commit, from.log, from.version, int64(from.position), from.commit)
	if err != nil {
		return fmt.Errorf("move the checkpoint: %w", err)
	}
	n, err := done.RowsAffected()
	if err != nil {
		return fmt.Errorf("move the checkpoint: %w", err)
	}
	if n != 1 {
		return errLost
	}
	return nil
}
