package queue

import (
	"context"
	"fmt"
)

// ended is an interval of the table that is current no longer.
type ended struct{ from, to int64 }

// write brings the tables up to what was folded.
func (b *batch) write(ctx context.Context) error {
	for _, c := range b.touched {
		b.p.intervals.Add(c.now.values(c, nil)...)
		c.touched, c.written = false, true
	}
	b.touched = b.touched[:0]
	if err := b.p.conversations.Flush(ctx, b.tx); err != nil {
		return err
	}
	if err := b.end(ctx); err != nil {
		return err
	}
	if err := b.p.intervals.Flush(ctx, b.tx); err != nil {
		return err
	}
	return b.p.moments.Flush(ctx, b.tx)
}

func (b *batch) end(ctx context.Context) error {
	if len(b.ended) == 0 {
		return nil
	}
	stmt, err := b.tx.PrepareContext(ctx, `UPDATE interval SET to_position = ? WHERE from_position = ?`)
	if err != nil {
		return fmt.Errorf("end intervals: %w", err)
	}
	defer stmt.Close()
	for _, e := range b.ended {
		if _, err := stmt.ExecContext(ctx, e.to, e.from); err != nil {
			return fmt.Errorf("end an interval: %w", err)
		}
	}
	b.ended = b.ended[:0]
	return nil
}
