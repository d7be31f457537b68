package pgstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/turno-desk/turno/projections"
)

// catalogue is the schema that lists the versions of each view and names the active one. Whoever changes it holds its lock.
type catalogue struct {
	prefix string
	db     *sql.DB

	mu    sync.Mutex
	ready bool // migrated
}

// open makes sure that the catalogue is there. It does so when it is first asked, since the server may start later than we.
func (c *catalogue) open(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ready {
		return nil
	}
	if err := c.migrate(ctx); err != nil {
		return fmt.Errorf("catalogue of views: %w", err)
	}
	c.ready = true
	return nil
}

// change runs fn in a transaction that has the catalogue's lock.
func (c *catalogue) change(ctx context.Context, fn func(tx *sql.Tx) error) error {
	tx, err := c.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// edit is change, on a catalogue that was made sure of.
func (c *catalogue) edit(ctx context.Context, what, projection string, fn func(tx *sql.Tx) error) error {
	if err := c.open(ctx); err != nil {
		return err
	}
	if err := c.change(ctx, fn); err != nil {
		return fmt.Errorf("catalogue of views: %s %s: %w", what, projection, err)
	}
	return nil
}

// active is the version of a view that queries read.
func (c *catalogue) active(ctx context.Context, projection string) (version int, found bool, err error) {
	if err := c.open(ctx); err != nil {
		return 0, false, err
	}
	var active sql.NullInt64
	err = c.db.QueryRowContext(ctx, `SELECT active FROM views WHERE projection = ?`, projection).Scan(&active)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, false, fmt.Errorf("catalogue of views: look up %s: %w", projection, err)
	}
	return int(active.Int64), active.Valid, nil
}

// versions are those of a view, by number.
func (c *catalogue) versions(ctx context.Context, projection string) ([]projections.VersionInfo, error) {
	if err := c.open(ctx); err != nil {
		return nil, err
	}
	rows, err := c.db.QueryContext(ctx, `SELECT v.number, v.definition, v.created, v.number = coalesce(w.active, 0),
			(SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
				WHERE n.nspname = CAST(?2 AS TEXT) || v.number AND c.relkind = 'r')
		FROM versions v JOIN views w ON w.projection = v.projection WHERE v.projection = ?1 ORDER BY v.number`,
		projection, c.prefix+"_"+projection+"_v")
	if err != nil {
		return nil, fmt.Errorf("catalogue of views: versions of %s: %w", projection, err)
	}
	defer rows.Close()
	var all []projections.VersionInfo
	for rows.Next() {
		var v projections.VersionInfo
		if err := rows.Scan(&v.Number, &v.Definition, &v.Created, &v.Active, &v.Size); err != nil {
			return nil, fmt.Errorf("catalogue of views: versions of %s: %w", projection, err)
		}
		v.Created = v.Created.UTC()
		all = append(all, v)
	}
	return all, rows.Err()
}

// add hands out the next number.
func add(ctx context.Context, tx *sql.Tx, projection string, definition int) (number int, err error) {
	if definition < 1 {
		return 0, fmt.Errorf("definition %d: want one from 1 on", definition)
	}
	err = tx.QueryRowContext(ctx, `INSERT INTO views (projection, last) VALUES (?, 1)
		ON CONFLICT (projection) DO UPDATE SET last = views.last + 1 RETURNING last`, projection).Scan(&number)
	if err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO versions (projection, number, definition) VALUES (?, ?, ?)`, projection, number, definition)
	return number, err
}

// ensure is EnsureVersion.
func (c *catalogue) ensure(ctx context.Context, projection string, definition int) (number int, err error) {
	err = c.edit(ctx, "enter", projection, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT v.number FROM versions v JOIN views w ON w.projection = v.projection
			WHERE v.projection = ? AND v.definition = ? ORDER BY v.number = coalesce(w.active, 0) DESC, v.number DESC LIMIT 1`,
			projection, definition).Scan(&number)
		if errors.Is(err, sql.ErrNoRows) {
			number, err = add(ctx, tx, projection, definition)
		}
		return err
	})
	return number, err
}

// adopt notes that a version was written to, and makes it the active one when the view has none.
func (c *catalogue) adopt(ctx context.Context, projection string, version int) error {
	return c.edit(ctx, "adopt a version of", projection, func(tx *sql.Tx) error {
		if _, err := known(ctx, tx, projection, version); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE versions SET written = true WHERE projection = ? AND number = ?`, projection, version); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE views SET active = ? WHERE projection = ? AND active IS NULL`, version, projection)
		return err
	})
}

// activate makes version the active one, and notes when queries were told to leave the one before.
func (c *catalogue) activate(ctx context.Context, projection string, version int) error {
	return c.edit(ctx, "activate a version of", projection, func(tx *sql.Tx) error {
		written, err := known(ctx, tx, projection, version)
		if err == nil && !written {
			err = fmt.Errorf("%w: nobody has written to %s %d", projections.ErrNoVersion, projection, version)
		}
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE versions SET left_at = clock_timestamp() WHERE projection = ? AND number <> ?
			AND number = (SELECT active FROM views WHERE views.projection = versions.projection)`, projection, version); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE views SET active = ? WHERE projection = ?`, version, projection)
		return err
	})
}

// known fails with ErrNoVersion when the catalogue doesn't have the version. written tells whether its schema exists.
func known(ctx context.Context, q projections.Querier, projection string, version int) (written bool, err error) {
	err = q.QueryRowContext(ctx, `SELECT written FROM versions WHERE projection = ? AND number = ?`, projection, version).Scan(&written)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("%w: %s %d", projections.ErrNoVersion, projection, version)
	}
	return written, err
}

// known is known, of a version that was written to.
func (c *catalogue) known(ctx context.Context, projection string, version int, toRead bool) error {
	if err := c.open(ctx); err != nil {
		return err
	}
	written, err := known(ctx, c.db, projection, version)
	if err == nil && toRead && !written {
		err = fmt.Errorf("%w: nobody has written to %s %d", projections.ErrNoVersion, projection, version)
	}
	return err
}

// remove takes a version out, and drops its schema. It returns how long queries may still be reading it, when that is not
// over: nothing is done then.
func (c *catalogue) remove(ctx context.Context, projection string, version int, schema string) (wait time.Duration, err error) {
	err = c.edit(ctx, "drop a version of", projection, func(tx *sql.Tx) error {
		if _, err := known(ctx, tx, projection, version); errors.Is(err, projections.ErrNoVersion) {
			return nil
		} else if err != nil {
			return err
		}
		var active bool
		var left sql.NullInt64
		if err := tx.QueryRowContext(ctx, `SELECT v.number = coalesce(w.active, 0),
				CAST(extract(epoch FROM clock_timestamp() - v.left_at) * 1000 AS BIGINT)
			FROM versions v JOIN views w ON w.projection = v.projection WHERE v.projection = ? AND v.number = ?`,
			projection, version).Scan(&active, &left); err != nil {
			return err
		}
		if active {
			return fmt.Errorf("%w: %s %d", projections.ErrActive, projection, version)
		}
		if wait = follow - time.Duration(left.Int64)*time.Millisecond; left.Valid && wait > 0 {
			return nil
		}
		wait = 0
		if _, err := tx.ExecContext(ctx, `DELETE FROM versions WHERE projection = ? AND number = ?`, projection, version); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DROP SCHEMA IF EXISTS `+quoted(schema)+` CASCADE`)
		return err
	})
	return wait, err
}
