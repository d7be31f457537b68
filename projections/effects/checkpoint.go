package effects

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

// Name is that of the effects' own tables in the store of views. No projection builds them, and no rebuild touches them.
const Name = "effects"

const definition = 1

// schema: lease says who leads, by workspace. checkpoint says up to where each effect has acted, and since where it is there.
const schema = `
CREATE TABLE IF NOT EXISTS lease (
	workspace TEXT PRIMARY KEY,
	holder TEXT NOT NULL,
	term INTEGER NOT NULL,
	beat INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS checkpoint (
	workspace TEXT NOT NULL,
	effect TEXT NOT NULL,
	log TEXT NOT NULL,
	position INTEGER NOT NULL,
	commit_id TEXT NOT NULL,
	since INTEGER NOT NULL,
	PRIMARY KEY (workspace, effect)
) WITHOUT ROWID;
`

// ErrForeignLog says that the effects have acted on another log than the one at hand. A person sorts out which belongs here.
var ErrForeignLog = errors.New("the effects have acted on another log")

// checkpoint is up to where an effect has acted.
type checkpoint struct {
	effect   string
	position domain.Position
	commit   string
	since    domain.Position
}

// again is how many commits an effect acts on once more when its checkpoint is not on the log: a power cut took the log's
// end away, perhaps with commands of the effect in it. What was done already is found again by its id.
const again = 10_000

// checkpoints loads those of the effects, and begins the missing ones at the head.
func (r *Runner) checkpoints(ctx context.Context) ([]checkpoint, error) {
	head, err := r.source.Head(ctx)
	if err != nil {
		return nil, fmt.Errorf("head of the log: %w", err)
	}
	all := make([]checkpoint, 0, len(r.effects))
	for _, e := range r.effects {
		cp, err := r.checkpoint(ctx, e.Name(), head)
		if err != nil {
			return nil, fmt.Errorf("checkpoint of the effect %s: %w", e.Name(), err)
		}
		all = append(all, cp)
	}
	return all, nil
}

func (r *Runner) checkpoint(ctx context.Context, effect string, head domain.Position) (checkpoint, error) {
	var log string
	var position, since int64
	cp := checkpoint{effect: effect}
	err := r.db.QueryRowContext(ctx, `SELECT log, position, commit_id, since FROM checkpoint WHERE workspace = ? AND effect = ?`,
		r.workspace, effect).Scan(&log, &position, &cp.commit, &since)
	cp.position, cp.since = domain.Position(position), domain.Position(since)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		cp.position, cp.since = head, head
		_, err := r.db.ExecContext(ctx, `INSERT INTO checkpoint (workspace, effect, log, position, commit_id, since) VALUES (?, ?, ?, ?, '', ?)`,
			r.workspace, effect, r.source.ID(), int64(head), int64(head))
		return cp, err
	case err != nil:
		return cp, err
	case log != r.source.ID():
		return cp, fmt.Errorf("%w: %s, and this is %s", ErrForeignLog, log, r.source.ID())
	}
	ok, err := r.onLog(ctx, cp, head)
	if err != nil || ok {
		return cp, err
	}
	back := checkpoint{effect: effect}
	if back.since, err = r.onto(ctx, min(cp.since, head), head); err != nil {
		return cp, err
	}
	if sequence := head & sequenceMask; sequence > again {
		if back.position, err = r.onto(ctx, sequence-again, head); err != nil {
			return cp, err
		}
	}
	back.position = max(back.position, back.since)
	r.log.Warn("an effect had come further than the log: it acts on the last commits again", zapEffect(effect),
		zapPosition("was", cp.position), zapPosition("from", back.position))
	return back, r.save(ctx, cp, back)
}

const sequenceMask = 1<<domain.EpochBits - 1

// onto is the position that the log has now at the sequence of p, up to its head: from somewhere on a log that was restored from an
// older copy counts in another epoch.
func (r *Runner) onto(ctx context.Context, p, head domain.Position) (domain.Position, error) {
	sequence := p & sequenceMask
	if _, sparse := r.source.(projections.Sparse); sparse || sequence == 0 || head <= sequenceMask {
		return p, nil
	}
	if sequence >= head&sequenceMask {
		return head, nil
	}
	for epoch := head >> domain.EpochBits; ; epoch-- {
		at := epoch<<domain.EpochBits | sequence
		_, err := r.source.At(ctx, at)
		switch {
		case err == nil:
			return at, nil
		case !errors.Is(err, projections.ErrNoCommit) && !errors.Is(err, projections.ErrAhead):
			return 0, err
		case epoch == 0:
			return head, nil // never: every sequence up to the head has a position
		}
	}
}

// onLog reports whether the log has the checkpoint's commit at its position.
func (r *Runner) onLog(ctx context.Context, cp checkpoint, head domain.Position) (bool, error) {
	switch {
	case cp.position > head:
		return false, nil
	case cp.commit == "" && cp.position>>domain.EpochBits == head>>domain.EpochBits:
		return true, nil
	}
	c, err := r.source.At(ctx, cp.position)
	if errors.Is(err, projections.ErrNoCommit) || errors.Is(err, projections.ErrAhead) {
		return false, nil
	}
	return err == nil && (cp.commit == "" || c.ID == cp.commit), err
}

// save moves a checkpoint by compare-and-set; errDeposed when it is not where it was.
func (r *Runner) save(ctx context.Context, from, to checkpoint) error {
	done, err := r.db.ExecContext(ctx, `UPDATE checkpoint SET position = ?, commit_id = ?, since = ?
		WHERE workspace = ? AND effect = ? AND position = ? AND commit_id = ?`,
		int64(to.position), to.commit, int64(to.since), r.workspace, to.effect, int64(from.position), from.commit)
	if err != nil {
		return fmt.Errorf("move the checkpoint of the effect %s: %w", to.effect, err)
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		return errors.Join(errDeposed, err)
	}
	return nil
}
