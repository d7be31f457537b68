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
	after   string // what follows the values
	width   int
	pending []any

	keys int            // of an upsert: how many of the first columns are the key
	at   map[[3]any]int // where the row of a key begins in pending
}

// NewBulk collects rows for "INSERT INTO table (columns)", or whatever else of that kind `insert` says up to the columns.
func NewBulk(insert string, columns ...string) *Bulk {
	return &Bulk{insert: insert + " (" + strings.Join(columns, ", ") + ") VALUES ", width: len(columns)}
}

// NewUpsert collects rows that replace the ones of the same key, which is the first one to three columns: also the ones that
// are waiting.
func NewUpsert(table string, keys int, columns ...string) *Bulk {
	b := NewBulk("INSERT INTO "+table, columns...)
	b.keys, b.at = keys, map[[3]any]int{}
	b.after = " ON CONFLICT (" + strings.Join(columns[:keys], ", ") + ") DO UPDATE SET "
	for i, c := range columns[keys:] {
		if i > 0 {
			b.after += ", "
		}
		b.after += c + " = excluded." + c
	}
	return b
}

// Add keeps a row until Flush. It wants a value for every column.
func (b *Bulk) Add(values ...any) {
	if len(values) != b.width {
		panic(fmt.Sprintf("%d values for %d columns: %s", len(values), b.width, b.insert))
	}
	if b.keys > 0 {
		var key [3]any
		copy(key[:], values[:b.keys])
		if i, waiting := b.at[key]; waiting {
			copy(b.pending[i:], values)
			return
		}
		b.at[key] = len(b.pending)
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
		stmt, err := tx.PrepareContext(ctx, b.insert+tuples(rows, b.width)+b.after)
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
	clear(b.at)
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
