package pgstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/turno-desk/turno/projections"
)

// patience is how long a scrub waits for transactions that may still see what was overwritten.
const patience = 500 * time.Millisecond

// Scrub removes the row versions that were overwritten or deleted, which PostgreSQL keeps until it vacuums, on a connection
// of its own. Indexes of words are written anew when the comment of their table says that words were taken out: a GIN index
// never forgets a word by itself. done is false while a transaction in this database may still see the old rows; it is to be
// tried again then. What PostgreSQL's own log, its archive and its backups hold is not touched.
func (s *Store) Scrub(ctx context.Context, db *sql.DB) (done bool, err error) {
	s.mu.Lock()
	schema, ok := s.writers[db]
	s.mu.Unlock()
	if !ok {
		return false, errors.New("scrub a view: the handle is no writer of this store")
	}
	own := sql.OpenDB(s.writing(schema))
	own.SetMaxOpenConns(1)
	defer own.Close()
	if done, err = scrub(ctx, own); err != nil {
		return false, fmt.Errorf("scrub a view: %w", err)
	}
	return done, nil
}

func scrub(ctx context.Context, db *sql.DB) (done bool, err error) {
	if done, err = unseen(ctx, db); err != nil || !done {
		return false, err
	}
	tables, err := list(ctx, db, `SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' ORDER BY relname`)
	if err != nil {
		return false, err
	}
	for _, t := range tables {
		if _, err := db.ExecContext(ctx, `VACUUM (INDEX_CLEANUP ON, TRUNCATE OFF) `+quoted(t)); err != nil {
			return false, err
		}
	}
	marked, err := list(ctx, db, `SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
		AND obj_description(oid, 'pg_class') IS NOT NULL ORDER BY relname`)
	if err != nil {
		return false, err
	}
	for _, t := range marked {
		if err := reindex(ctx, db, t); err != nil {
			return false, err
		}
	}
	return true, nil
}

// reindex writes the table's GIN indexes anew, and takes the mark away unless it was set again meanwhile.
func reindex(ctx context.Context, db *sql.DB, table string) error {
	const comment = `SELECT coalesce(obj_description(CAST(CAST(? AS TEXT) AS regclass), 'pg_class'), '')`
	var mark, now string
	if err := db.QueryRowContext(ctx, comment, quoted(table)).Scan(&mark); err != nil {
		return err
	}
	indexes, err := list(ctx, db, `SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
		WHERE i.indrelid = CAST(CAST(? AS TEXT) AS regclass) AND a.amname = 'gin'`, quoted(table))
	if err != nil {
		return err
	}
	for _, i := range indexes {
		if _, err := db.ExecContext(ctx, `REINDEX INDEX CONCURRENTLY `+quoted(i)); err != nil {
			return err
		}
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	if err := tx.QueryRowContext(ctx, comment, quoted(table)).Scan(&now); err != nil || now != mark {
		return err
	}
	if _, err := tx.ExecContext(ctx, `COMMENT ON TABLE `+quoted(table)+` IS NULL`); err != nil {
		return err
	}
	return tx.Commit()
}

// unseen waits until every transaction of the database sees what is committed now. A prepared transaction and a replica's
// slot hold old rows as well.
func unseen(ctx context.Context, db *sql.DB) (bool, error) {
	var next int64
	if err := db.QueryRowContext(ctx, `SELECT CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS TEXT) AS BIGINT)`).Scan(&next); err != nil {
		return false, err
	}
	for until := time.Now().Add(patience); ; {
		var seen bool
		err := db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
				AND (age(backend_xmin) > age(CAST(?1 AS xid)) OR age(backend_xid) > age(CAST(?1 AS xid))))
			OR EXISTS (SELECT 1 FROM pg_prepared_xacts WHERE database = current_database())
			OR EXISTS (SELECT 1 FROM pg_replication_slots WHERE age(xmin) > age(CAST(?1 AS xid)))`, int64(uint32(next))).Scan(&seen)
		if err != nil || !seen {
			return err == nil, err
		}
		if time.Now().After(until) {
			return false, nil
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func list(ctx context.Context, q projections.Querier, query string, args ...any) ([]string, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}
