package projections

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// ErrNoVersion says that a view has no version of that number, or has it no more.
var ErrNoVersion = errors.New("the view has no such version")

// ErrActive says that the active version of a view can't be dropped.
var ErrActive = errors.New("the version is the active one")

// Store is where views are kept: their versions, and the handles to read and to write them.
type Store interface {
	Catalogue
	// Writer opens the writing handle of one version of a view, which is in the catalogue: a single connection, whose
	// transactions take the write lock at their begin. What the schema creates is created where it is missing. The version
	// becomes the active one when the view has none. ErrNoVersion when it was dropped. The caller closes the handle.
	Writer(ctx context.Context, projection string, version int, schema string) (*sql.DB, error)
	// Reader is a pool that reads the active version, whichever that is: a quarter of a second after a switch at the latest.
	// Within one store it never goes back to the version that was active before. A read-only transaction sees the view as it
	// is at one moment. It waits for a view that does not exist yet. The store closes it.
	Reader(projection string) *sql.DB
	// ReaderOf is such a pool of one version. ErrNoVersion when nobody has written to it yet. The caller closes it.
	ReaderOf(ctx context.Context, projection string, version int) (*sql.DB, error)
	// Wipe drops every table of the view.
	Wipe(ctx context.Context, tx *sql.Tx) error
	// Scrub takes what was overwritten out of the files that a store writes ahead to, as far as no reader still needs them:
	// done is false while one does.
	Scrub(ctx context.Context, db *sql.DB) (done bool, err error)
	// Digest is a fingerprint of all that a version holds: every row of every table in a defined order, typed. Equal digests
	// mean equal rows, also between two kinds of store. Left out are what can't be the same twice: the table runner_status,
	// columns whose name starts with "wall_", and the tables of a full-text index, which hold nothing of their own. q is a
	// transaction where the version is being written to: otherwise each table is read at another moment.
	Digest(ctx context.Context, q Querier) (string, error)
	// Transient reports whether err speaks of the surroundings (a lock, the disk, an ended context) and not of the rows
	// that were to be written.
	Transient(err error) bool
}

// Catalogue knows the versions of each view. A version is one building of the view, with a number of its own that is never
// given twice; its definition is the Projection.Version of the code that it is built by. Each call is one step for all the
// processes that share the store.
type Catalogue interface {
	// Versions are the versions of a view that were not dropped, by number.
	Versions(ctx context.Context, projection string) ([]VersionInfo, error)
	// Active is the version that queries read; found is false when the view has none yet.
	Active(ctx context.Context, projection string) (version int, found bool, err error)
	// EnsureVersion gives the version for code of that definition to work on: the active one when its definition is that;
	// else the newest of that definition; else a new one.
	EnsureVersion(ctx context.Context, projection string, definition int) (version int, err error)
	// NewVersion enters a new version, after all that there ever were.
	NewVersion(ctx context.Context, projection string, definition int) (version int, err error)
	// Activate makes queries read that version. Without effect when they do already; ErrNoVersion when nobody has written to
	// it yet. The version that was active before stays.
	Activate(ctx context.Context, projection string, version int) error
	// Drop removes a version and all that it holds. ErrActive for the active one; without effect on one that is gone.
	Drop(ctx context.Context, projection string, version int) error
}

// VersionInfo is one version of a view.
type VersionInfo struct {
	Number     int
	Definition int
	Created    time.Time // zero when it is older than the catalogue's knowledge of such
	Active     bool
	Size       int64 // bytes; 0 when nobody has written to it yet
}
