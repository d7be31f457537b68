package stats

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

// chunkBits is how many positions a row of the clock covers, as a power of two. Where rows begin depends on positions
// alone, so that a rebuild makes the same ones.
const chunkBits = 8

// clock is the running maximum of `recorded`, by position. The zero value has seen nothing.
type clock struct {
	chunk    int64
	data     []byte
	position domain.Position // the newest
	recorded int64           // the maximum there
}

// tick notes a commit.
func (c *clock) tick(ctx context.Context, tx *sql.Tx, p domain.Position, recorded int64) error {
	if p <= c.position {
		return nil
	}
	recorded = max(recorded, c.recorded)
	if chunk := int64(p >> chunkBits); chunk != c.chunk {
		if err := c.write(ctx, tx); err != nil {
			return err
		}
		c.chunk, c.data = chunk, c.data[:0]
		// Each row stands by itself.
		c.position, c.recorded = domain.Position(chunk<<chunkBits), 0
	}
	c.data = binary.AppendUvarint(c.data, uint64(p-c.position))
	c.data = binary.AppendUvarint(c.data, uint64(max(0, recorded-c.recorded)))
	c.position, c.recorded = p, recorded
	return nil
}

func (c *clock) write(ctx context.Context, tx *sql.Tx) error {
	if len(c.data) == 0 {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO clock (chunk, data) VALUES (?, ?) ON CONFLICT (chunk) DO UPDATE SET data = excluded.data`, c.chunk, c.data); err != nil {
		return fmt.Errorf("write the clock: %w", err)
	}
	return nil
}

func (c *clock) recall(ctx context.Context, tx *sql.Tx) error {
	err := tx.QueryRowContext(ctx, `SELECT chunk, data FROM clock ORDER BY chunk DESC LIMIT 1`).Scan(&c.chunk, &c.data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return ticks(c.chunk, c.data, func(p domain.Position, recorded int64) bool {
		c.position, c.recorded = p, recorded
		return true
	})
}

var errClock = errors.New("a row of the clock is damaged")

// ticks calls fn for every commit of a row, until it returns false.
func ticks(chunk int64, data []byte, fn func(p domain.Position, recorded int64) bool) error {
	p, recorded := domain.Position(chunk<<chunkBits), int64(0)
	for len(data) > 0 {
		step, n := binary.Uvarint(data)
		if n <= 0 {
			return errClock
		}
		later, m := binary.Uvarint(data[n:])
		if m <= 0 {
			return errClock
		}
		data = data[n+m:]
		p, recorded = p+domain.Position(step), recorded+int64(later)
		if !fn(p, recorded) {
			return nil
		}
	}
	return nil
}

// nowAt is the largest `recorded` up to p, in milliseconds; 0 when nothing had been recorded.
func nowAt(ctx context.Context, q projections.Querier, p domain.Position) (int64, error) {
	var now int64
	err := each(ctx, q, `SELECT chunk, data FROM clock WHERE chunk <= ? ORDER BY chunk DESC LIMIT 2`, []any{int64(p >> chunkBits)}, func(scan scanner) error {
		var chunk int64
		var data []byte
		if err := scan(&chunk, &data); err != nil || now != 0 {
			return err
		}
		return ticks(chunk, data, func(at domain.Position, recorded int64) bool {
			if at > p {
				return false
			}
			now = recorded
			return true
		})
	})
	if err != nil {
		return 0, fmt.Errorf("read the clock: %w", err)
	}
	return now, nil
}

// positionAt is the largest position whose running maximum of `recorded` is not later than t.
func positionAt(ctx context.Context, q projections.Querier, t int64) (domain.Position, error) {
	var low, high sql.NullInt64
	if err := q.QueryRowContext(ctx, `SELECT min(chunk), max(chunk) FROM clock`).Scan(&low, &high); err != nil {
		return 0, fmt.Errorf("read the clock: %w", err)
	}
	// The last row that begins no later than t is the one: rows are in the order of their times.
	var found domain.Position
	for lo, hi := low.Int64, high.Int64; high.Valid && lo <= hi; {
		middle := lo + (hi-lo)/2
		var chunk int64
		var data []byte
		err := q.QueryRowContext(ctx, `SELECT chunk, data FROM clock WHERE chunk >= ? ORDER BY chunk LIMIT 1`, middle).Scan(&chunk, &data)
		if err != nil {
			return 0, fmt.Errorf("read the clock: %w", err)
		}
		var last domain.Position
		err = ticks(chunk, data, func(p domain.Position, recorded int64) bool {
			if recorded > t {
				return false
			}
			last = p
			return true
		})
		if err != nil {
			return 0, err
		}
		if last == 0 {
			hi = middle - 1
			continue
		}
		found = max(found, last)
		lo = chunk + 1
	}
	return found, nil
}
