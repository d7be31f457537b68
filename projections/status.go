package projections

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/turno-desk/turno/domain"
	"go.uber.org/zap"
)

// Status is how a view stands against the head of the log.
type Status struct {
	Projection string          `json:"projection"`
	Version    int             `json:"version"`
	Position   domain.Position `json:"position"`
	Head       domain.Position `json:"head"`
	LagEvents  uint64          `json:"lag_events"` // commits of the log that are not in the view; an estimate where positions are not contiguous
	LagSeconds float64         `json:"lag_s"`      // age of the oldest of them
	Parked     int             `json:"parked"`     // aggregates that the view lacks
	Heartbeat  Time            `json:"heartbeat"`  // when this was so; old when no runner is alive
}

// ReadStatus is the status that the active runner of a view wrote last, in whatever process it is. found is false when
// none has written one yet. Status.Projection and Version are the caller's to know.
func ReadStatus(ctx context.Context, q Querier) (s Status, found bool, err error) {
	var position, head, lag, lagMS, beat int64
	err = q.QueryRowContext(ctx, `SELECT position, head, lag_events, lag_ms, parked, heartbeat FROM runner_status`).
		Scan(&position, &head, &lag, &lagMS, &s.Parked, &beat)
	if errors.Is(err, sql.ErrNoRows) {
		return s, false, nil
	}
	if err != nil {
		return s, false, fmt.Errorf("read the view's status: %w", err)
	}
	s.Position, s.Head, s.LagEvents = domain.Position(position), domain.Position(head), uint64(lag)
	s.LagSeconds, s.Heartbeat = float64(lagMS)/1000, Millis(beat)
	return s, true, nil
}

// Status is the runner's own view of itself, as of the last heartbeat, with the position of now.
func (r *Runner) Status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status
}

// Writing reports whether this runner is the one that builds the view: not while it stands by for another.
func (r *Runner) Writing() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.leave != nil
}

func (r *Runner) setActive(leave context.CancelCauseFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leave = leave
}

// beat starts the heartbeats of the open version; the caller calls what it returns before closing that.
func (r *Runner) beat(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var beside sync.WaitGroup
	beside.Go(func() { r.heartbeats(ctx) })
	beside.Go(func() { r.cleanings(ctx) })
	return func() { cancel(); beside.Wait() }
}

// heartbeats measures and writes the status until ctx ends. Only the runner at work writes.
func (r *Runner) heartbeats(ctx context.Context) {
	var before domain.Position
	for {
		r.mu.Lock()
		leave := r.leave
		r.mu.Unlock()
		if leave != nil {
			var err error
			if before, err = r.heartbeat(ctx, leave, before); err != nil && ctx.Err() == nil {
				r.log.Warn("heartbeat", zap.Error(err))
			}
		}
		if !pause(ctx, r.o.Heartbeat) {
			return
		}
	}
}

// cleanings follow erasures until ctx ends. They may take their time, which no heartbeat should wait for.
func (r *Runner) cleanings(ctx context.Context) {
	for pause(ctx, r.o.Heartbeat) {
		r.mu.Lock()
		atWork := r.leave != nil
		r.mu.Unlock()
		if !atWork {
			continue
		}
		r.scrub(ctx)
		if err := r.sweep(ctx); err != nil && ctx.Err() == nil {
			r.log.Warn("drop old versions after an erasure", zap.Error(err))
		}
	}
}

// heartbeat also ends the reading when another version is to be worked on. before is the position at the last heartbeat; it
// returns that of this one.
func (r *Runner) heartbeat(ctx context.Context, leave context.CancelCauseFunc, before domain.Position) (domain.Position, error) {
	head, err := r.source.Head(ctx)
	if err != nil {
		return before, fmt.Errorf("head of the log: %w", err)
	}
	s := r.Status()
	s.Head, s.LagEvents, s.LagSeconds = head, distance(r.source, s.Position, head), 0
	if s.LagEvents > 0 {
		if s.LagSeconds, err = r.age(ctx, s.Position); err != nil {
			return before, err
		}
	}
	s.Heartbeat = Time{r.o.Now().UTC()}
	r.mu.Lock()
	r.status.Head, r.status.LagEvents, r.status.LagSeconds, r.status.Heartbeat = s.Head, s.LagEvents, s.LagSeconds, s.Heartbeat
	r.mu.Unlock()
	ctx, cancel := r.soon(ctx)
	defer cancel()
	_, err = r.db.ExecContext(ctx, `INSERT INTO runner_status (one, position, head, lag_events, lag_ms, parked, heartbeat)
		VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (one) DO UPDATE
		SET position = ?1, head = ?2, lag_events = ?3, lag_ms = ?4, parked = ?5, heartbeat = ?6`,
		int64(s.Position), int64(s.Head), int64(s.LagEvents), int64(s.LagSeconds*1000), s.Parked, s.Heartbeat.UnixMilli())
	if err == nil {
		err = r.renew(ctx, before, s)
	}
	if err == nil {
		if err = r.check(ctx); errors.Is(err, errElse) {
			leave(errElse)
			err = nil
		}
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return before, fmt.Errorf("write the status: %w", err)
	}
	return s.Position, nil
}

// soon bounds what a heartbeat does with the view: a long batch holds the handle, and the next heartbeat must not wait for it.
func (r *Runner) soon(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, max(r.o.Heartbeat, 100*time.Millisecond))
}

// scrub follows an erasure: blanked rows are not enough while the store's own log still has the old ones. Until it has
// succeeded once it is tried again, also after a restart.
func (r *Runner) scrub(ctx context.Context) {
	if !r.erased.Load() {
		return
	}
	r.erased.Store(false) // before: what is erased meanwhile counts anew
	done, err := r.store.Scrub(ctx, r.db)
	if err != nil && ctx.Err() == nil {
		r.log.Warn("scrub the view", zap.Error(err))
	}
	if !done {
		r.erased.Store(true)
	}
}

// age is how long the first commit after p has been in the log, in seconds.
func (r *Runner) age(ctx context.Context, p domain.Position) (float64, error) {
	var recorded time.Time
	enough := errors.New("one is enough")
	err := r.source.Read(ctx, p, ReadOptions{Max: 1, ToHead: true}, func(chunk []domain.Commit) error {
		recorded = chunk[0].Recorded
		return enough
	})
	if err != nil && !errors.Is(err, enough) {
		return 0, fmt.Errorf("first commit that the view lacks: %w", err)
	}
	if recorded.IsZero() {
		return 0, nil
	}
	return max(0, r.o.Now().Sub(recorded).Seconds()), nil
}
