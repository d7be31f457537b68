package projections

import (
	"context"
	"database/sql"
	"fmt"
)

// schema are the runner's own tables, in every view beside the projection's.
//
// runner_checkpoint has one row: how far the view has come, on which log, and by which definition (the column version).
// revision grows when somebody changes by hand what the runner knows. runner_clock has a row for every second of the log's
// own time: the first position at which the running maximum of `recorded` entered it. runner_parked lists the aggregates
// that the projection could not digest. runner_status is for people and probes; it is no part of the view.
//
// Columns named wall_… hold what is of this world and not of the log, clocks' times mostly, and are left out of digests:
// wall_leased is when the runner at work last said that it gets on (0: nobody is), wall_fenced until when no batch may be
// written, wall_sweep the position of an erasure after which the view's other versions are still to be dropped.
const schema = `
CREATE TABLE IF NOT EXISTS runner_checkpoint (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	log TEXT NOT NULL,
	version INTEGER NOT NULL,
	position INTEGER NOT NULL,
	commit_id TEXT NOT NULL,
	revision INTEGER NOT NULL DEFAULT 0,
	wall_leased INTEGER NOT NULL DEFAULT 0,
	wall_fenced INTEGER NOT NULL DEFAULT 0,
	wall_sweep INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS runner_clock (
	position INTEGER PRIMARY KEY,
	recorded INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS runner_clock_recorded ON runner_clock (recorded);
CREATE TABLE IF NOT EXISTS runner_parked (
	aggregate TEXT PRIMARY KEY,
	position INTEGER NOT NULL,
	reason TEXT NOT NULL,
	skipped INTEGER NOT NULL,
	wall_since INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS runner_status (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	position INTEGER NOT NULL,
	head INTEGER NOT NULL,
	lag_events INTEGER NOT NULL,
	lag_ms INTEGER NOT NULL,
	parked INTEGER NOT NULL,
	heartbeat INTEGER NOT NULL
);
`

// added are the columns of runner_checkpoint that a file of before lacks.
var added = []string{"revision", "wall_leased", "wall_fenced", "wall_sweep"}

// modernize adds them. Two processes may do so at once.
func modernize(ctx context.Context, db *sql.DB) error {
	has := func(column string) bool {
		_, err := db.ExecContext(ctx, `SELECT `+column+` FROM runner_checkpoint WHERE 1 = 0`)
		return err == nil
	}
	for _, column := range added {
		if has(column) {
			continue
		}
		_, err := db.ExecContext(ctx, `ALTER TABLE runner_checkpoint ADD COLUMN `+column+` INTEGER NOT NULL DEFAULT 0`)
		if err != nil && !has(column) {
			return fmt.Errorf("bring the view's checkpoint up to date: %w", err)
		}
	}
	return nil
}

// writer opens a version for writing. schema is the projection's own part, empty for who writes to the runner's tables alone.
func writer(ctx context.Context, store Store, projection string, version int, own string) (*sql.DB, error) {
	db, err := store.Writer(ctx, projection, version, schema+own)
	if err != nil {
		return nil, fmt.Errorf("projection %s: %w", projection, err)
	}
	if err := modernize(ctx, db); err != nil {
		db.Close()
		return nil, fmt.Errorf("projection %s: %w", projection, err)
	}
	return db, nil
}
