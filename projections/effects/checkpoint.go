package effects

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/lead"
)

// Name is that of the effects' own tables in the store of views. No projection builds them, and no rebuild touches them.
const Name = "effects"

const definition = 1

// schema: the lease, and up to where each effect has acted, and since where it is there.
const schema = lead.Schema + `
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
	ok, err := projections.OnLog(ctx, r.source, cp.position, cp.commit, head)
	if err != nil || ok {
		return cp, err
	}
	back := checkpoint{effect: effect}
	if back.since, err = projections.Onto(ctx, r.source, min(cp.since, head), head); err != nil {
		return cp, err
	}
	if sequence := projections.Sequence(head); sequence > again {
		if back.position, err = projections.Onto(ctx, r.source, sequence-again, head); err != nil {
			return cp, err
		}
	}
	back.position = max(back.position, back.since)
	r.log.Warn("an effect had come further than the log: it acts on the last commits again", zapEffect(effect),
		zapPosition("was", cp.position), zapPosition("from", back.position))
	return back, r.save(ctx, cp, back)
}

// save moves a checkpoint by compare-and-set; lead.ErrDeposed when it is not where it was.
func (r *Runner) save(ctx context.Context, from, to checkpoint) error {
	done, err := r.db.ExecContext(ctx, `UPDATE checkpoint SET position = ?, commit_id = ?, since = ?
		WHERE workspace = ? AND effect = ? AND position = ? AND commit_id = ?`,
		int64(to.position), to.commit, int64(to.since), r.workspace, to.effect, int64(from.position), from.commit)
	if err != nil {
		return fmt.Errorf("move the checkpoint of the effect %s: %w", to.effect, err)
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		return errors.Join(lead.ErrDeposed, err)
	}
	return nil
}
