package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/turno-desk/turno/projections"
)

// catalogue is the small file that knows the versions of each view, and which of them is the active one. Every method is
// one transaction, so that processes agree.
type catalogue struct{ db *sql.DB }

// catalogueSchema also enters what a folder of before had: one version of each view, whose number was its definition.
// Versions that were dropped stay as rows, so that no number is given twice.
const catalogueSchema = `
CREATE TABLE IF NOT EXISTS active (projection TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS version (
	projection TEXT NOT NULL,
	number INTEGER NOT NULL,
	definition INTEGER NOT NULL,
	created INTEGER NOT NULL, -- milliseconds; 0 when it is not known
	dropped INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (projection, number)
) WITHOUT ROWID;
INSERT INTO version (projection, number, definition, created) SELECT projection, version, version, 0 FROM active WHERE true ON CONFLICT DO NOTHING;
`

func openCatalogue(path string) (*catalogue, error) {
	db, err := openFile(path, true, 1)
	if err != nil {
		return nil, fmt.Errorf("catalogue of views: %w", err)
	}
	db.SetMaxOpenConns(1)
	if err := create(context.Background(), db, catalogueSchema); err != nil {
		db.Close()
		return nil, fmt.Errorf("catalogue of views %s: %w", path, err)
	}
	return &catalogue{db: db}, nil
}

// change runs fn in a transaction that holds the catalogue's write lock from its begin.
func (c *catalogue) change(ctx context.Context, what string, fn func(tx *sql.Tx) error) error {
	tx, err := c.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("catalogue of views: %s: %w", what, err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	if err := fn(tx); err != nil {
		return fmt.Errorf("catalogue of views: %s: %w", what, err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("catalogue of views: %s: %w", what, err)
	}
	return nil
}

// adopt makes version the active one when the view has none.
func (c *catalogue) adopt(ctx context.Context, projection string, version int) error {
	if _, found, err := c.active(ctx, projection); err != nil || found {
		return err
	}
	return c.change(ctx, "adopt a version of "+projection, func(tx *sql.Tx) error {
		if err := known(ctx, tx, projection, version); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO active (projection, version) VALUES (?, ?) ON CONFLICT DO NOTHING`, projection, version)
		return err
	})
}

func (c *catalogue) activate(ctx context.Context, projection string, version int) error {
	return c.change(ctx, "activate a version of "+projection, func(tx *sql.Tx) error {
		if err := known(ctx, tx, projection, version); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO active (projection, version) VALUES (?1, ?2) ON CONFLICT (projection) DO UPDATE SET version = ?2`,
			projection, version)
		return err
	})
}

// known fails with ErrNoVersion when the version was never entered or is dropped.
func known(ctx context.Context, q projections.Querier, projection string, version int) error {
	var dropped bool
	err := q.QueryRowContext(ctx, `SELECT dropped FROM version WHERE projection = ? AND number = ?`, projection, version).Scan(&dropped)
	if errors.Is(err, sql.ErrNoRows) || err == nil && dropped {
		return fmt.Errorf("%w: %s %d", projections.ErrNoVersion, projection, version)
	}
	return err
}

func (c *catalogue) active(ctx context.Context, projection string) (int, bool, error) {
	var version int
	err := c.db.QueryRowContext(ctx, `SELECT version FROM active WHERE projection = ?`, projection).Scan(&version)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("catalogue of views: look up %s: %w", projection, err)
	}
	return version, true, nil
}

// ensure gives the active version when it is of the definition, else the newest that is, else a new one.
func (c *catalogue) ensure(ctx context.Context, projection string, definition int, taken func(number int) bool) (version int, err error) {
	err = c.change(ctx, "a version of "+projection, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT number FROM version v LEFT JOIN active a ON a.projection = v.projection AND a.version = v.number
			WHERE v.projection = ? AND v.definition = ? AND v.dropped = 0 ORDER BY a.version IS NULL, v.number DESC LIMIT 1`,
			projection, definition).Scan(&version)
		if errors.Is(err, sql.ErrNoRows) {
			version, err = enter(ctx, tx, projection, definition, taken)
		}
		return err
	})
	return version, err
}

func (c *catalogue) add(ctx context.Context, projection string, definition int, taken func(number int) bool) (version int, err error) {
	err = c.change(ctx, "a new version of "+projection, func(tx *sql.Tx) error {
		version, err = enter(ctx, tx, projection, definition, taken)
		return err
	})
	return version, err
}

// enter adds a version under the next number that is not taken: a folder of before may hold files that no row names.
func enter(ctx context.Context, tx *sql.Tx, projection string, definition int, taken func(number int) bool) (version int, err error) {
	if definition < 1 {
		return 0, fmt.Errorf("definition %d: want one from 1 on", definition)
	}
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(number), 0) + 1 FROM version WHERE projection = ?`, projection).Scan(&version); err != nil {
		return 0, err
	}
	for taken(version) {
		version++
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO version (projection, number, definition, created) VALUES (?, ?, ?, ?)`,
		projection, version, definition, time.Now().UnixMilli())
	return version, err
}

func (c *catalogue) versions(ctx context.Context, projection string) ([]projections.VersionInfo, error) {
	rows, err := c.db.QueryContext(ctx, `SELECT number, definition, created, a.version IS NOT NULL FROM version v
		LEFT JOIN active a ON a.projection = v.projection AND a.version = v.number
		WHERE v.projection = ? AND v.dropped = 0 ORDER BY number`, projection)
	if err != nil {
		return nil, fmt.Errorf("catalogue of views: list %s: %w", projection, err)
	}
	defer rows.Close()
	var all []projections.VersionInfo
	for rows.Next() {
		var v projections.VersionInfo
		var created int64
		if err := rows.Scan(&v.Number, &v.Definition, &created, &v.Active); err != nil {
			return nil, fmt.Errorf("catalogue of views: list %s: %w", projection, err)
		}
		if created > 0 {
			v.Created = time.UnixMilli(created).UTC()
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// drop marks a version as dropped; its files go afterwards.
func (c *catalogue) drop(ctx context.Context, projection string, version int) error {
	return c.change(ctx, "drop a version of "+projection, func(tx *sql.Tx) error {
		var active bool
		err := tx.QueryRowContext(ctx, `SELECT count(*) > 0 FROM active WHERE projection = ? AND version = ?`, projection, version).Scan(&active)
		if err != nil {
			return err
		}
		if active {
			return fmt.Errorf("%w: %s %d", projections.ErrActive, projection, version)
		}
		_, err = tx.ExecContext(ctx, `UPDATE version SET dropped = 1 WHERE projection = ? AND number = ?`, projection, version)
		return err
	})
}

// dropped calls fn for every version that is dropped.
func (c *catalogue) dropped(ctx context.Context, fn func(projection string, version int) error) error {
	rows, err := c.db.QueryContext(ctx, `SELECT projection, number FROM version WHERE dropped = 1`)
	if err != nil {
		return fmt.Errorf("catalogue of views: list what is dropped: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var projection string
		var version int
		if err := rows.Scan(&projection, &version); err != nil {
			return fmt.Errorf("catalogue of views: list what is dropped: %w", err)
		}
		if err := fn(projection, version); err != nil {
			return err
		}
	}
	return rows.Err()
}
