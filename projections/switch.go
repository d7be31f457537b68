package projections

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/turno-desk/turno/domain"
)

// A switch makes another version of a view the active one, and no query ever reads a position that is lower than one that
// was announced before:
//
//  1. The active version is fenced: no batch is written to it for fenceFor. The fence is a time in its checkpoint, which
//     every batch's compare-and-set looks at, so that it falls by itself when its process dies.
//  2. The new version, near the head by now, is brought to where the old one stopped, or further.
//  3. The catalogue names the new one. Readers follow within a quarter of a second; until then they see where the old one
//     stopped.
//  4. Whoever worked on the old one was fenced off, looks at the catalogue and goes over.
//
// A Tracker believes no announcement before it reads the position itself, so that a waiter who was told of a position by
// the new version is never answered from the old one.

// fenceFor is how long a fence stands. Half of it is for what is done behind it, the other half for clocks that differ.
const fenceFor = 5 * time.Second

// takeOver makes the open version the active one when it is not, and has caught up but for a few commits. errElse when
// there is no reason to, ErrNewer when the active one is of a newer definition.
func (r *Runner) takeOver(ctx context.Context) error {
	active, found, err := r.store.Active(ctx, r.projection.Name())
	if err != nil || found && active == r.version {
		return err
	}
	if !found {
		return r.store.Activate(ctx, r.projection.Name(), r.version)
	}
	newer, err := r.newer(ctx)
	if err != nil {
		return err
	}
	if newer.Number != 0 {
		return fmt.Errorf("%w: %w: version %d has definition %d, this is %d", errElse, ErrNewer, newer.Number, newer.Definition, r.projection.Version())
	}
	if err := r.check(ctx); err != nil {
		return err
	}
	if err := r.sound(ctx); err != nil {
		return err
	}
	_, err = r.switchFrom(ctx, active)
	return err
}

// switchFrom makes the open version the active one instead of another. It returns how long no batch could be written.
func (r *Runner) switchFrom(ctx context.Context, active int) (took time.Duration, err error) {
	old, err := writer(ctx, r.store, r.projection.Name(), active, "")
	if err != nil {
		return 0, err
	}
	defer old.Close()
	began := time.Now()
	until, stopped, err := fence(ctx, old, r.source.ID())
	if err != nil {
		return 0, fmt.Errorf("fence version %d of %s: %w", active, r.projection.Name(), err)
	}
	if err := r.behindTheFence(ctx, until, stopped); err != nil {
		// What was fenced goes on; should that fail too, it goes on when the fence falls.
		if _, again := old.ExecContext(context.WithoutCancel(ctx), `UPDATE runner_checkpoint SET wall_fenced = 0 WHERE wall_fenced = ?`, until.UnixMilli()); again != nil {
			r.log.Warn("take a fence down", zap.Error(again))
		}
		return 0, err
	}
	took = time.Since(began)
	if r.announcer != nil {
		r.announcer.Announce(r.projection.Name(), r.at.position)
	}
	r.log.Info("another version is the active one", zap.Int("version", r.version), zap.Int("before", active),
		zap.Uint64("position", uint64(r.at.position)), zap.Duration("took", took))
	return took, nil
}

// behindTheFence brings the open version to where the active one was stopped, and makes it the active one.
func (r *Runner) behindTheFence(ctx context.Context, until time.Time, stopped domain.Position) error {
	if r.at.position < stopped {
		if err := r.read(ctx, r.o.CatchUp, true); err != nil {
			return err
		}
	}
	if time.Until(until) < fenceFor/2 {
		return fmt.Errorf("version %d of %s is too far behind to be made the active one at once", r.version, r.projection.Name())
	}
	return r.store.Activate(ctx, r.projection.Name(), r.version)
}

// fence stops the writing of batches until a time, and returns where it stopped. errFenced when somebody else does so.
func fence(ctx context.Context, db *sql.DB, log string) (until time.Time, stopped domain.Position, err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return until, 0, err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	now := time.Now()
	until = now.Add(fenceFor)
	done, err := tx.ExecContext(ctx, `UPDATE runner_checkpoint SET wall_fenced = ?1 WHERE wall_fenced <= ?2`, until.UnixMilli(), now.UnixMilli())
	if err != nil {
		return until, 0, err
	}
	is, found, err := readCheckpoint(ctx, tx)
	switch {
	case err != nil:
		return until, 0, err
	case !found:
		return until, 0, nil // it has not begun
	case is.log != log:
		return until, 0, fmt.Errorf("%w: it was built from log %s, this is log %s", ErrForeignLog, is.log, log)
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		return until, 0, errors.Join(errFenced, err)
	}
	return until, is.position, tx.Commit()
}
