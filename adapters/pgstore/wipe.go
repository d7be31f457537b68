package pgstore

import (
	"context"
	"database/sql"
	"fmt"
)

// Wipe drops every table of the view, in the caller's transaction: readers see all of it or nothing of it.
func (s *Store) Wipe(ctx context.Context, tx *sql.Tx) error {
	tables, err := list(ctx, tx, `SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'`)
	if err != nil {
		return fmt.Errorf("wipe: list tables: %w", err)
	}
	for _, t := range tables {
		if _, err := tx.ExecContext(ctx, `DROP TABLE `+quoted(t)); err != nil {
			return fmt.Errorf("wipe table %s: %w", t, err)
		}
	}
	return nil
}
