package stats

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

// Flush writes all rows of the batch.
func (b *batch) Flush(ctx context.Context) error {
	for _, r := range b.others {
		if _, err := b.tx.ExecContext(ctx, r.query, r.args...); err != nil {
			return fmt.Errorf("%s: %w", r.query, err)
		}
	}
	for _, bulk := range []*projections.Bulk{b.points, b.spans, b.nths} {
		if err := bulk.Flush(ctx, b.tx); err != nil {
			return err
		}
	}
	for _, e := range b.ends {
		if _, err := b.tx.ExecContext(ctx, `UPDATE samples SET until = ? WHERE series = ? AND at = ? AND ref = ? AND nth = ?`,
			int64(e.by), e.series, e.key.At, int64(e.key.Ref), e.key.Nth); err != nil {
			return fmt.Errorf("end a sample: %w", err)
		}
	}
	if err := b.keep(ctx); err != nil {
		return err
	}
	presence := projections.NewUpsert("presence", 2, "workspace", "operator", "heard", "last", "state", "since", "since_ref", "left_at", "absent")
	for _, who := range b.staff {
		p := b.operators[who]
		presence.Add(who.workspace, who.operator, int64(p.Heard), p.Last, p.State, p.Since.At, int64(p.Since.Ref), p.Left, p.Absent)
	}
	if err := presence.Flush(ctx, b.tx); err != nil {
		return err
	}
	return b.clock.write(ctx, b.tx)
}

// keep writes what the folds remember.
func (b *batch) keep(ctx context.Context) error {
	dirty := slices.SortedFunc(maps.Values(b.dirty), func(a, b *conversation) int { return cmp.Compare(a.opened, b.opened) })
	fresh := projections.NewBulk("INSERT INTO conversations", "opened", "workspace", "id", "ticket", "channel")
	folds := projections.NewUpsert("folds", 1, "opened", "state")
	open := projections.NewBulk("INSERT INTO open_conversations", "workspace", "opened")
	for _, v := range dirty {
		if !v.stored {
			fresh.Add(int64(v.opened), v.workspace, v.ID, v.Ticket, v.Channel)
		}
		state, err := v.AppendBinary(nil)
		if err != nil {
			return err
		}
		folds.Add(int64(v.opened), state)
		running := v.State != "" && v.State != thread.StateClosed
		if running && !v.listed {
			open.Add(v.workspace, int64(v.opened))
		}
		if !running && v.listed {
			if _, err := b.tx.ExecContext(ctx, `DELETE FROM open_conversations WHERE workspace = ? AND opened = ?`, v.workspace, int64(v.opened)); err != nil {
				return fmt.Errorf("take a conversation off the open ones: %w", err)
			}
		}
		v.stored, v.listed, v.dirty = true, running, false
	}
	for _, bulk := range []*projections.Bulk{fresh, folds, open} {
		if err := bulk.Flush(ctx, b.tx); err != nil {
			return err
		}
	}
	return nil
}
