package pgstore

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// Migrations of the catalogue, NNNN_name.sql, each run once. Views have none: a changed definition is another version.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the catalogue up to what this program knows. Several may do so at once. A catalogue that a newer program
// has changed is refused.
func (c *catalogue) migrate(ctx context.Context) error {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	return c.change(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `CREATE SCHEMA IF NOT EXISTS `+quoted(c.prefix)); err != nil {
			return fmt.Errorf("make the schema %s: %w", c.prefix, err)
		}
		if _, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY)`); err != nil {
			return err
		}
		var done int
		if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(number), 0) FROM migrations`).Scan(&done); err != nil {
			return err
		}
		if done > len(files) {
			return fmt.Errorf("it is at migration %d, this program knows %d: a newer turno has changed it", done, len(files))
		}
		for _, file := range files[done:] {
			number, err := strconv.Atoi(strings.TrimPrefix(file, "migrations/")[:4])
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			text, err := migrations.ReadFile(file)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, string(text)); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO migrations (number) VALUES (?)`, number); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
		return nil
	})
}
