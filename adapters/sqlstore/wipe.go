package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
)

// Wipe drops every table of the view, in the caller's transaction: readers see all of it or nothing of it.
func (s *Store) Wipe(ctx context.Context, tx *sql.Tx) error {
	// A virtual table takes its shadow tables along, so those go first and are looked for anew.
	for _, kind := range []string{"view", "virtual", "table"} {
		tables, err := names(ctx, tx, `SELECT name FROM pragma_table_list
			WHERE schema = 'main' AND type = ? AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`, kind)
		if err != nil {
			return fmt.Errorf("wipe: list tables: %w", err)
		}
		drop := "DROP TABLE "
		if kind == "view" {
			drop = "DROP VIEW "
		}
		for _, t := range tables {
			if _, err := tx.ExecContext(ctx, drop+quoted([]string{t})); err != nil {
				return fmt.Errorf("wipe table %s: %w", t, err)
			}
		}
	}
	return nil
}
