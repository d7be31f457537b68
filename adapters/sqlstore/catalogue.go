package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// catalogue is the small file that names the active version of each view.
type catalogue struct{ db *sql.DB }

const catalogueSchema = `CREATE TABLE IF NOT EXISTS active (projection TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID`

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

// adopt makes version the active one when the view has none.
func (c *catalogue) adopt(ctx context.Context, projection string, version int) error {
	_, err := c.db.ExecContext(ctx,
		`INSERT INTO active (projection, version) VALUES (?, ?) ON CONFLICT DO NOTHING`, projection, version)
	if err != nil {
		return fmt.Errorf("catalogue of views: enter %s: %w", projection, err)
	}
	return nil
}

func (c *catalogue) activate(ctx context.Context, projection string, version int) error {
	_, err := c.db.ExecContext(ctx,
		`INSERT INTO active (projection, version) VALUES (?1, ?2) ON CONFLICT (projection) DO UPDATE SET version = ?2`,
		projection, version)
	if err != nil {
		return fmt.Errorf("catalogue of views: activate version %d of %s: %w", version, projection, err)
	}
	return nil
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
