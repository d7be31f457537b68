-- One row for each sample (domain/metric.Sample), in the order in which it is asked for: by series, then by time. A row
-- counts from the position in ref on, up to the one in until (0: for good). Refs are position * 128 + index of the event.
-- Values that are NULL: value is 1, net is value, and there is no stretch.
CREATE TABLE IF NOT EXISTS samples (
	series INTEGER NOT NULL, -- workspace * 64 + kind
	at INTEGER NOT NULL,     -- milliseconds since 1970
	ref INTEGER NOT NULL,    -- the end event
	nth INTEGER NOT NULL DEFAULT 0, -- which of those of its kind that the event makes
	until INTEGER NOT NULL DEFAULT 0,
	conversation INTEGER NOT NULL, -- conversations.opened; 0 for presence
	dim INTEGER NOT NULL,          -- dims.id
	opened INTEGER NOT NULL,       -- when the episode opened
	start_ref INTEGER,
	start INTEGER,
	value INTEGER,
	net INTEGER,
	PRIMARY KEY (series, at, ref, nth)
) WITHOUT ROWID;

-- What samples are broken down by. chain is a hash over all rows up to this one: whoever remembers the rows can tell from
-- the last one that they are still those.
CREATE TABLE IF NOT EXISTS dims (
	id INTEGER PRIMARY KEY,
	operator TEXT NOT NULL,
	department TEXT NOT NULL,
	channel TEXT NOT NULL,
	detail TEXT NOT NULL,
	machine INTEGER NOT NULL,
	chain INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS workspaces (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL
);

-- opened is the position of the opening. A conversation's channel never changes.
CREATE TABLE IF NOT EXISTS conversations (
	opened INTEGER PRIMARY KEY,
	workspace INTEGER NOT NULL,
	id TEXT NOT NULL,
	ticket INTEGER NOT NULL,
	channel TEXT NOT NULL
);

-- What the numbers of a conversation need to go on from (domain/metric.Conversation).
CREATE TABLE IF NOT EXISTS folds (
	opened INTEGER PRIMARY KEY,
	state BLOB NOT NULL
);

-- Those that are not closed.
CREATE TABLE IF NOT EXISTS open_conversations (
	workspace INTEGER NOT NULL,
	opened INTEGER NOT NULL,
	PRIMARY KEY (workspace, opened)
) WITHOUT ROWID;

-- Every operator's presence (domain/metric.Presence).
CREATE TABLE IF NOT EXISTS presence (
	workspace INTEGER NOT NULL,
	operator TEXT NOT NULL,
	heard INTEGER NOT NULL,
	last INTEGER NOT NULL,
	state TEXT NOT NULL,
	since INTEGER NOT NULL,
	since_ref INTEGER NOT NULL,
	left_at INTEGER NOT NULL,
	absent INTEGER NOT NULL,
	PRIMARY KEY (workspace, operator)
) WITHOUT ROWID;

-- Who belonged to which department, from which event to which.
CREATE TABLE IF NOT EXISTS members (
	workspace INTEGER NOT NULL,
	operator TEXT NOT NULL,
	department TEXT NOT NULL,
	ref INTEGER NOT NULL,
	until INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (workspace, operator, department, ref)
) WITHOUT ROWID;

-- The running maximum of `recorded`: 256 positions a row, as pairs of varints, how much further each commit's position and
-- its time are.
CREATE TABLE IF NOT EXISTS clock (
	chunk INTEGER PRIMARY KEY, -- position / 256
	data BLOB NOT NULL
);
