package projections

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/thread"
	"go.uber.org/zap"
)

// poison is a commit that the projection can't digest, as far as its reason is known.
type poison struct {
	commit *domain.Commit
	err    error
}

func (p *poison) Error() string {
	return fmt.Sprintf("commit %d on %s: %v", p.commit.Position, p.commit.Aggregate, p.err)
}

func (p *poison) Unwrap() error { return p.err }

// errIndigestible is a Flush that failed for the rows' sake, of a batch of more than one commit.
var errIndigestible = errors.New("some commit of the batch makes rows that can't be written")

// apply writes the chunk, in one transaction when all goes well. What can't be digested is found and parked.
func (r *Runner) apply(ctx context.Context, chunk []domain.Commit) error {
	// A transaction is finished once begun. An ended context would also cost a goroutine for every statement.
	ctx = context.WithoutCancel(ctx)
	fresh := map[string]parked{}
	for {
		next, err := r.try(ctx, chunk, fresh)
		var bad *poison
		switch {
		case err == nil:
			if next.sweep > 0 {
				r.erased.Store(true)
			}
			r.use(next)
			if r.announcer != nil {
				r.announcer.Announce(r.projection.Name(), next.position)
			}
			return nil
		case errors.As(err, &bad):
			if r.o.Strict {
				return fmt.Errorf("projection %s: %w: %w", r.projection.Name(), ErrPoison, err)
			}
			r.log.Error("an aggregate is parked", zap.String("aggregate", bad.commit.Aggregate.String()),
				zap.Uint64("position", uint64(bad.commit.Position)), zap.String("reason", reason(bad.err)), stack(bad.err))
			fresh[bad.commit.Aggregate.String()] = parked{
				position: bad.commit.Position, reason: reason(bad.err), since: r.o.Now(),
			}
		case errors.Is(err, errIndigestible):
			half := len(chunk) / 2
			if err := r.apply(ctx, chunk[:half]); err != nil {
				return err
			}
			return r.apply(ctx, chunk[half:])
		default:
			return err
		}
	}
}

// lastErasure is the position of the last commit that erases; 0 when none does.
func lastErasure(chunk []domain.Commit) domain.Position {
	for i := len(chunk) - 1; i >= 0; i-- {
		if erases(&chunk[i]) {
			return chunk[i].Position
		}
	}
	return 0
}

// erases reports whether the commit makes holders of personal texts blank them.
func erases(c *domain.Commit) bool {
	for _, e := range c.Events {
		switch e.(type) {
		case thread.Erased, contact.Erased, operator.Erased:
			return true
		}
	}
	return false
}

// try writes the chunk without what is parked already and what `fresh` parks with it. It returns where the view stands then.
func (r *Runner) try(ctx context.Context, chunk []domain.Commit, fresh map[string]parked) (next checkpoint, err error) {
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return next, fmt.Errorf("begin a batch: %w", err)
	}
	defer func() {
		if err != nil {
			r.projection.Forget()
			tx.Rollback() //nolint:errcheck // the first error is the one to tell
		}
	}()
	last, erasure := &chunk[len(chunk)-1], lastErasure(chunk)
	if err := advance(ctx, tx, r.at, last, erasure); err != nil {
		return next, err
	}
	skipped, err := r.fold(ctx, tx, chunk, fresh)
	if err != nil {
		return next, err
	}
	next = checkpoint{
		log: r.at.log, definition: r.at.definition, revision: r.at.revision, position: last.Position, commit: last.ID, sweep: erasure,
	}
	if next.recorded, err = tick(ctx, tx, r.at.recorded, chunk); err != nil {
		return next, err
	}
	if next.parked, err = park(ctx, tx, r.at.parked, fresh, skipped); err != nil {
		return next, err
	}
	if err := tx.Commit(); err != nil {
		return next, fmt.Errorf("commit a batch: %w", err)
	}
	return next, nil
}

// fold lets the projection apply the chunk. It returns how many commits of which aggregates were passed by.
func (r *Runner) fold(ctx context.Context, tx *sql.Tx, chunk []domain.Commit, fresh map[string]parked) (map[string]int, error) {
	batch, err := r.projection.Begin(ctx, tx)
	if err != nil {
		return nil, fmt.Errorf("begin a batch: %w", err)
	}
	var skipped map[string]int
	anyParked := len(r.at.parked)+len(fresh) > 0
	before := r.at.position
	for i := range chunk {
		c := &chunk[i]
		if c.Position <= before {
			return nil, fmt.Errorf("the log delivered position %d after %d", c.Position, before)
		}
		before = c.Position
		if anyParked {
			a := c.Aggregate.String()
			if _, is := r.at.parked[a]; is || fresh[a].position != 0 && c.Position >= fresh[a].position {
				if skipped == nil {
					skipped = map[string]int{}
				}
				skipped[a]++
				continue
			}
		}
		if err := applied(batch, c); err != nil {
			if r.interrupted(err) {
				return nil, err
			}
			return nil, &poison{commit: c, err: err}
		}
	}
	if err := flushed(ctx, batch); err != nil {
		switch {
		case r.interrupted(err):
			return nil, err
		case len(chunk) == 1:
			return nil, &poison{commit: &chunk[0], err: err}
		default:
			return nil, fmt.Errorf("%w: %w", errIndigestible, err)
		}
	}
	return skipped, nil
}

// interrupted reports whether err is not the commits' fault.
func (r *Runner) interrupted(err error) bool {
	return errors.Is(err, ErrInterrupted) || r.store.Transient(err)
}

// panicked is what a projection's panic becomes.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// stack is where a panic came from, for the log.
func stack(err error) zap.Field {
	var p *panicked
	if !errors.As(err, &p) {
		return zap.Skip()
	}
	return zap.ByteString("stack", p.stack)
}

func applied(b Batch, c *domain.Commit) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicked{value: v, stack: debug.Stack()}
		}
	}()
	return b.Apply(c)
}

func flushed(ctx context.Context, b Batch) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicked{value: v, stack: debug.Stack()}
		}
	}()
	return b.Flush(ctx)
}

// reason is what is kept of an error: projections put nothing personal into theirs.
func reason(err error) string {
	const most = 500
	s := err.Error()
	if len(s) > most {
		s = s[:most]
	}
	return s
}

// tick writes the view's clock: a row for the first commit of every second of the running maximum of `recorded`.
func tick(ctx context.Context, tx *sql.Tx, last time.Time, chunk []domain.Commit) (time.Time, error) {
	for i := range chunk {
		at := chunk[i].Recorded
		if at.Unix() <= last.Unix() {
			continue
		}
		last = at
		if _, err := tx.ExecContext(ctx, `INSERT INTO runner_clock (position, recorded) VALUES (?, ?)`,
			int64(chunk[i].Position), at.UnixMilli()); err != nil {
			return last, fmt.Errorf("write the view's clock: %w", err)
		}
	}
	return last, nil
}
