-- A conversation's number in this view, conv, is the position of the commit that opened it.
-- Times are Unix milliseconds; 0 stands for none.

-- What never changes of a conversation, save by an erasure.
CREATE TABLE IF NOT EXISTS conversation (
	conv INTEGER PRIMARY KEY,
	workspace TEXT NOT NULL,
	id TEXT NOT NULL,
	ticket INTEGER NOT NULL,
	contact TEXT NOT NULL,
	name TEXT NOT NULL,
	address TEXT NOT NULL,
	channel TEXT NOT NULL,
	direction TEXT NOT NULL,
	opened_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS conversation_id ON conversation (workspace, id);

-- What a conversation was from one position on until another, both of its own commits: to_position is the first at which
-- it no longer was so, and null while it still is.
CREATE TABLE IF NOT EXISTS interval (
	from_position INTEGER PRIMARY KEY,
	to_position INTEGER,
	conv INTEGER NOT NULL,
	workspace TEXT NOT NULL,
	department TEXT NOT NULL,
	state TEXT NOT NULL,
	since INTEGER NOT NULL,
	owner TEXT NOT NULL,
	owner_at_close TEXT NOT NULL,
	archived INTEGER NOT NULL,
	hidden INTEGER NOT NULL,
	mentioned TEXT NOT NULL,
	tags TEXT NOT NULL,
	paused_until INTEGER NOT NULL,
	offered_to TEXT NOT NULL,       -- while offered_until is not 0
	offered_until INTEGER NOT NULL,
	alerts TEXT NOT NULL            -- those that stand, as JSON
);
CREATE INDEX IF NOT EXISTS interval_conv ON interval (conv, from_position);
CREATE INDEX IF NOT EXISTS interval_ended ON interval (to_position) WHERE to_position IS NOT NULL;
CREATE INDEX IF NOT EXISTS interval_open ON interval (workspace, department, state, since, conv)
	WHERE to_position IS NULL AND state <> 'closed';
CREATE INDEX IF NOT EXISTS interval_owner ON interval (workspace, owner)
	WHERE to_position IS NULL AND owner <> '';

-- One row for every message, and one for every other commit, of a conversation: place = position * 128 + ordinal within
-- the commit. unread, waiting_since (the first message of the contact that nobody has answered) and line (the place of
-- the newest message) are as they were right after it. direction is '' where it is no message.
CREATE TABLE IF NOT EXISTS moment (
	conv INTEGER NOT NULL,
	place INTEGER NOT NULL,
	at INTEGER NOT NULL,
	direction TEXT NOT NULL,
	kind TEXT NOT NULL,
	number INTEGER NOT NULL,
	preview TEXT NOT NULL,
	unread INTEGER NOT NULL,
	waiting_since INTEGER NOT NULL,
	line INTEGER NOT NULL,
	PRIMARY KEY (conv, place)
) WITHOUT ROWID;
