package projections

import (
	"context"
	"database/sql"
)

// Store is where views are kept.
type Store interface {
	// Writer opens the writing handle of one version of a view: a single connection, whose transactions take the write lock
	// at their begin. What the schema creates is created where it is missing. The caller closes it.
	Writer(ctx context.Context, projection string, version int, schema string) (*sql.DB, error)
	// Activate makes queries read that version of the view. Without effect when they do already.
	Activate(ctx context.Context, projection string, version int) error
	// Wipe drops every table of the view.
	Wipe(ctx context.Context, tx *sql.Tx) error
	// Scrub takes what was overwritten out of the files that a store writes ahead to, as far as no reader still needs them:
	// done is false while one does.
	Scrub(ctx context.Context, db *sql.DB) (done bool, err error)
	// Transient reports whether err speaks of the surroundings (a lock, the disk, an ended context) and not of the rows
	// that were to be written.
	Transient(err error) bool
}
