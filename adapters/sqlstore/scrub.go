package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
)

// Scrub writes the write-ahead log back and truncates it: SQLite's secure_delete clears the file of what was overwritten,
// and not the log before it. done is false while a reader holds on to an older state; it is to be tried again then.
func (s *Store) Scrub(ctx context.Context, db *sql.DB) (done bool, err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return false, fmt.Errorf("scrub a view: %w", err)
	}
	defer conn.Close()
	// A reader is not waited for: the next batch would wait as well.
	if _, err := conn.ExecContext(ctx, `PRAGMA busy_timeout = 20`); err != nil {
		return false, fmt.Errorf("scrub a view: %w", err)
	}
	var busy, frames, written int
	err = conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &written)
	if _, again := conn.ExecContext(context.WithoutCancel(ctx), `PRAGMA busy_timeout = `+busyTimeout); again != nil && err == nil {
		err = again
	}
	if err != nil {
		return false, fmt.Errorf("scrub a view: %w", err)
	}
	return busy == 0, nil
}
