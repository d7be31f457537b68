package projections

// schema are the runner's own tables, in every view beside the projection's.
//
// runner_checkpoint has one row: how far the view has come, and on which log. runner_clock has a row for every second of
// the log's own time: the first position at which the running maximum of `recorded` entered it. runner_parked lists the
// aggregates that the projection could not digest. runner_status is for people and probes; it is no part of the view.
// Columns named wall_… hold a clock's time and are left out of digests.
const schema = `
CREATE TABLE IF NOT EXISTS runner_checkpoint (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	log TEXT NOT NULL,
	version INTEGER NOT NULL,
	position INTEGER NOT NULL,
	commit_id TEXT NOT NULL
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
