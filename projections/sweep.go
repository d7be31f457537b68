package projections

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/turno-desk/turno/domain"
)

// buildAlive is how old the lease of a version that is being built may be. Whoever builds renews it every second.
const buildAlive = 15 * time.Second

// sweep follows an erasure: versions that are kept for going back, and that nobody keeps up with the log, still hold what
// was erased, so they are dropped. One that is being built meets the erasure in the log by itself; should it be given up
// before, its turn comes at a later heartbeat.
func (r *Runner) sweep(ctx context.Context) error {
	upTo := domain.Position(r.toSweep.Load())
	if upTo == 0 {
		return nil
	}
	all, err := r.store.Versions(ctx, r.projection.Name())
	if err != nil {
		return err
	}
	building := false
	for _, v := range all {
		if v.Number == r.version {
			if !v.Active {
				return nil // what is beside is the active version's affair
			}
			continue
		}
		position, leased, err := r.standing(ctx, v)
		switch {
		case err != nil:
			return err
		case position >= upTo:
			continue
		case time.Since(leased) < buildAlive:
			building = true
			continue
		}
		if err := r.store.Drop(ctx, r.projection.Name(), v.Number); err != nil {
			return err
		}
		r.log.Info("an old version is dropped, for it holds what was erased", zap.Int("version", v.Number), zap.Uint64("erased_at", uint64(upTo)))
	}
	if building {
		return nil
	}
	short, cancel := r.soon(ctx)
	defer cancel()
	if _, err := r.db.ExecContext(short, `UPDATE runner_checkpoint SET wall_sweep = 0 WHERE wall_sweep = ?`, int64(upTo)); err != nil {
		return fmt.Errorf("note that old versions are dropped: %w", err)
	}
	r.toSweep.CompareAndSwap(uint64(upTo), 0)
	return nil
}

// standing is how far a version has come, and when somebody was last at work on it.
func (r *Runner) standing(ctx context.Context, v VersionInfo) (p domain.Position, leased time.Time, err error) {
	if v.Size == 0 {
		return 0, v.Created, nil // entered, and not written to yet: as good as a lease
	}
	db, err := r.store.ReaderOf(ctx, r.projection.Name(), v.Number)
	if errors.Is(err, ErrNoVersion) {
		return 0, v.Created, nil
	}
	if err != nil {
		return 0, leased, err
	}
	defer db.Close()
	if cp, found, err := readCheckpoint(ctx, db); err == nil {
		if !found {
			return 0, v.Created, nil
		}
		return cp.position, cp.leased, nil
	}
	p, err = PositionOf(ctx, db) // a file of before leases were
	return p, leased, err
}
