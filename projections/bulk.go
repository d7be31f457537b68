package projections

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// bulkParameters is about how many parameters one statement of a Bulk carries. More gains little.
const bulkParameters = 480

// Bulk collects rows of one table and inserts many with each statement, which is several times faster than one by one.
// It is for one batch after another, not for concurrent use.
type Bulk struct {
	insert  string
	width   int
	pending []any
}

// NewBulk collects rows for "INSERT INTO table (columns)", or whatever else of that kind `insert` says up to the columns.
func NewBulk(insert string, columns ...string) *Bulk {
	return &Bulk{insert: insert + " (" + strings.Join(columns, ", ") + ") VALUES ", width: len(columns)}
}

// Add keeps a row until Flush. It wants a value for every column.
func (b *Bulk) Add(values ...any) {
	if len(values) != b.width {
		panic(fmt.Sprintf("%d values for %d columns: %s", len(values), b.width, b.insert))
	}
	b.pending = append(b.pending, values...)
}

// Len is how many rows are waiting.
func (b *Bulk) Len() int { return len(b.pending) / b.width }

// Drop forgets the rows that are waiting.
func (b *Bulk) Drop() { b.clear() }

// Flush inserts the rows in the order in which they were added.
func (b *Bulk) Flush(ctx context.Context, tx *sql.Tx) error {
	defer b.clear()
	rest := b.pending
	for _, rows := range []int{max(1, bulkParameters/b.width), 8, 1} {
		size := rows * b.width
		if len(rest) < size {
			continue
		}
		stmt, err := tx.PrepareContext(ctx, b.insert+tuples(rows, b.width))
		if err != nil {
			return fmt.Errorf("prepare %s: %w", b.insert, err)
		}
		for ; len(rest) >= size; rest = rest[size:] {
			if _, err := stmt.ExecContext(ctx, rest[:size]...); err != nil {
				stmt.Close()
				return fmt.Errorf("%s: %w", b.insert, err)
			}
		}
		if err := stmt.Close(); err != nil {
			return fmt.Errorf("%s: %w", b.insert, err)
		}
	}
	return nil
}

// clear drops the rows and what they point to, and keeps the memory unless there was much of it.
func (b *Bulk) clear() {
	clear(b.pending)
	b.pending = b.pending[:0]
	if cap(b.pending) > 1<<20 {
		b.pending = nil
	}
}

func tuples(rows, width int) string {
	one := "(" + strings.TrimSuffix(strings.Repeat("?, ", width), ", ") + ")"
	return strings.TrimSuffix(strings.Repeat(one+", ", rows), ", ")
}
