package projections

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/turno-desk/turno/domain"
)

// The lease says which of several runners of one version is at work: it is renewed with every batch and, at the head, with
// every heartbeat. It spares the others the work and tells them when to take over; that a batch is written once is the
// checkpoint's compare-and-set alone. Who stands by measures on its own clock how long the lease was not renewed, so that
// clocks of two machines may differ.

// awaitTurn returns when there is a version for this runner to work on: while the active one is of a newer definition,
// there is none.
func (r *Runner) awaitTurn(ctx context.Context) error {
	if r.fixed != 0 {
		return nil
	}
	for told := false; ; {
		active, err := r.newer(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			r.log.Warn("look up the view's versions", zap.Error(err))
		case active.Number == 0:
			return nil
		case !told:
			told = true
			r.log.Warn("the view is of a newer definition than this program's, standing by; to go back: turno projections switch "+r.projection.Name()+" VERSION",
				zap.Int("active", active.Number), zap.Int("active_definition", active.Definition))
		}
		if !pause(ctx, max(r.o.Retry, r.o.StandBy/4)) {
			return nil
		}
	}
}

// newer is the active version when it is of a newer definition than this runner's; otherwise its Number is 0.
func (r *Runner) newer(ctx context.Context) (VersionInfo, error) {
	all, err := r.store.Versions(ctx, r.projection.Name())
	if err != nil {
		return VersionInfo{}, err
	}
	for _, v := range all {
		if v.Active && v.Definition > r.projection.Version() {
			return v, nil
		}
	}
	return VersionInfo{}, nil
}

// check fails with errElse when the open version is no longer the one to work on: another of this definition or a newer
// one is active, or it was dropped.
func (r *Runner) check(ctx context.Context) error {
	active, found, err := r.store.Active(ctx, r.projection.Name())
	if err != nil || found && active == r.version {
		return err
	}
	all, err := r.store.Versions(ctx, r.projection.Name())
	if err != nil {
		return err
	}
	there := false
	for _, v := range all {
		there = there || v.Number == r.version
		if v.Active && v.Number != r.version && v.Definition >= r.projection.Version() && r.fixed == 0 {
			return errElse
		}
	}
	if !there {
		return errElse
	}
	return nil
}

// atWork reports whether another runner seems to be at work on the open version.
func (r *Runner) atWork(ctx context.Context) bool {
	cp, found, err := readCheckpoint(ctx, r.db)
	if err != nil || !found {
		return false
	}
	age := time.Since(cp.leased)
	return age < r.o.StandBy && age > -r.o.StandBy
}

// standBy returns nil when no other runner is at work any more, and errElse when another version is to be worked on.
func (r *Runner) standBy(ctx context.Context) error {
	r.projection.Forget()
	var last checkpoint
	since := time.Now()
	for pause(ctx, r.o.StandBy/8) {
		if err := r.check(ctx); err != nil {
			return err
		}
		cp, found, err := readCheckpoint(ctx, r.db)
		if err != nil {
			return err
		}
		if !found || cp.leased.UnixMilli() == 0 {
			return nil // who was at work has stopped
		}
		if !cp.leased.Equal(last.leased) || cp.position != last.position {
			last, since = cp, time.Now()
			continue
		}
		if time.Since(since) >= r.o.StandBy {
			r.log.Info("taking over, the other runner does not get on", zap.Uint64("position", uint64(cp.position)))
			return nil
		}
	}
	return ctx.Err()
}

// fenceLook is how often a runner that was fenced off looks whether it may go on, and where.
const fenceLook = 5 * time.Millisecond

// awaitFence returns errElse when the fence was put up to make another version the active one, and nil when it is down.
func (r *Runner) awaitFence(ctx context.Context) error {
	r.projection.Forget()
	for pause(ctx, fenceLook) {
		if err := r.check(ctx); err != nil {
			return err
		}
		cp, found, err := readCheckpoint(ctx, r.db)
		if err != nil || !found || time.Now().After(cp.fenced) {
			return err
		}
	}
	return ctx.Err()
}

// renew renews the lease when the runner gets on: a batch was written since `before`, or there was nothing to write.
func (r *Runner) renew(ctx context.Context, before domain.Position, s Status) error {
	if s.LagEvents > 0 && s.Position == before {
		return nil
	}
	_, err := r.db.ExecContext(ctx, `UPDATE runner_checkpoint SET wall_leased = ?`, time.Now().UnixMilli())
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("renew the lease: %w", err)
	}
	return nil
}

// endLease lets those who stand by take over at once.
func (r *Runner) endLease(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if _, err := r.db.ExecContext(ctx, `UPDATE runner_checkpoint SET wall_leased = 0`); err != nil {
		r.log.Debug("end the lease", zap.Error(err))
	}
}
