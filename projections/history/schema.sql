-- Every row says which workspace it belongs to and which positions it came from. A conversation is known by the position
-- of its opening, an event by its place: position × 128 + index in its commit. Both grow with the log, so that all tables
-- grow at their ends. Times are Unix milliseconds. An interval holds from from_position up to, not including, to_position.

-- Each conversation as it is now. facts and personal are JSON; personal holds all that an erasure blanks.
CREATE TABLE IF NOT EXISTS conversations (
	opened            INTEGER PRIMARY KEY,
	workspace         TEXT    NOT NULL,
	thread            TEXT    NOT NULL,
	number            INTEGER NOT NULL,
	ticket            INTEGER NOT NULL,
	contact           TEXT    NOT NULL,
	person            TEXT    NOT NULL, -- the contact, or the one that it is merged into now
	channel           TEXT    NOT NULL,
	direction         TEXT    NOT NULL,
	opened_department TEXT    NOT NULL,
	opened_at         INTEGER NOT NULL,
	revision          INTEGER NOT NULL,
	sight_from        INTEGER NOT NULL,
	state             TEXT    NOT NULL,
	department        TEXT    NOT NULL,
	owner             TEXT    NOT NULL,
	owner_at_close    TEXT    NOT NULL,
	mentioned         TEXT    NOT NULL, -- ids between spaces
	archived          INTEGER NOT NULL,
	hidden            INTEGER NOT NULL,
	closed_at         INTEGER NOT NULL, -- 0 while it is open
	category          TEXT    NOT NULL,
	facts             TEXT    NOT NULL,
	personal          TEXT    NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS conversations_thread ON conversations (workspace, thread, number);
CREATE INDEX IF NOT EXISTS conversations_ticket ON conversations (workspace, ticket);
CREATE INDEX IF NOT EXISTS conversations_contact ON conversations (workspace, contact);
CREATE INDEX IF NOT EXISTS conversations_person ON conversations (workspace, person, opened_at);
CREATE INDEX IF NOT EXISTS conversations_opened ON conversations (workspace, opened_at);
CREATE INDEX IF NOT EXISTS conversations_closed ON conversations (workspace, closed_at) WHERE closed_at > 0;

-- Contacts that are merged into another one now.
CREATE TABLE IF NOT EXISTS merges (
	workspace TEXT NOT NULL,
	contact   TEXT NOT NULL,
	person    TEXT NOT NULL,
	PRIMARY KEY (workspace, contact)
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS merges_person ON merges (workspace, person);

-- Contacts in whose profile somebody has entered something, and since when.
CREATE TABLE IF NOT EXISTS known (
	workspace     TEXT    NOT NULL,
	contact       TEXT    NOT NULL,
	from_position INTEGER NOT NULL,
	PRIMARY KEY (workspace, contact)
) WITHOUT ROWID;

-- What the access rule and the lists need to know of a conversation, at every position.
CREATE TABLE IF NOT EXISTS sights (
	conversation   INTEGER NOT NULL,
	from_position  INTEGER NOT NULL,
	to_position    INTEGER NOT NULL,
	workspace      TEXT    NOT NULL,
	state          TEXT    NOT NULL,
	department     TEXT    NOT NULL,
	owner          TEXT    NOT NULL,
	owner_at_close TEXT    NOT NULL,
	mentioned      TEXT    NOT NULL,
	archived       INTEGER NOT NULL,
	hidden         INTEGER NOT NULL,
	closed_at      INTEGER NOT NULL,
	PRIMARY KEY (conversation, from_position)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS tags (
	conversation  INTEGER NOT NULL,
	tag           TEXT    NOT NULL,
	from_position INTEGER NOT NULL,
	to_position   INTEGER NOT NULL,
	workspace     TEXT    NOT NULL,
	PRIMARY KEY (conversation, tag, from_position)
) WITHOUT ROWID;

-- Which ticket a conversation that was linked to one belongs to, at every position. own is its own number, an alias of that
-- ticket. number is never an alias itself: when a ticket is linked to another one, all that belong to it go along.
CREATE TABLE IF NOT EXISTS cases (
	workspace     TEXT    NOT NULL,
	own           INTEGER NOT NULL,
	from_position INTEGER NOT NULL,
	to_position   INTEGER NOT NULL,
	number        INTEGER NOT NULL,
	conversation  INTEGER NOT NULL,
	PRIMARY KEY (workspace, own, from_position)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS cases_number ON cases (workspace, number);

-- What is known of a ticket apart from its conversations, at every position. body is JSON; all that is personal in it is the
-- requester's. subject is what is looked through: small letters, empty once erased.
CREATE TABLE IF NOT EXISTS tickets (
	workspace     TEXT    NOT NULL,
	number        INTEGER NOT NULL,
	from_position INTEGER NOT NULL,
	to_position   INTEGER NOT NULL,
	requester     TEXT    NOT NULL,
	subject       TEXT    NOT NULL,
	opened_at     INTEGER NOT NULL,
	body          TEXT    NOT NULL,
	type          TEXT    NOT NULL, -- of the event: ticket_opened, ticket_changed
	actor         TEXT    NOT NULL,
	via           TEXT    NOT NULL,
	time          INTEGER NOT NULL,
	recorded      INTEGER NOT NULL,
	PRIMARY KEY (workspace, number, from_position)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tickets_requester ON tickets (workspace, requester);

-- Every event of every conversation. data is the event as JSON.
CREATE TABLE IF NOT EXISTS entries (
	at           INTEGER PRIMARY KEY,
	workspace    TEXT    NOT NULL,
	conversation INTEGER NOT NULL,
	type         TEXT    NOT NULL,
	actor        TEXT    NOT NULL,
	via          TEXT    NOT NULL,
	time         INTEGER NOT NULL,
	recorded     INTEGER NOT NULL,
	id_hash      TEXT,             -- of a message
	data         TEXT    NOT NULL
);
CREATE INDEX IF NOT EXISTS entries_conversation ON entries (conversation);
CREATE INDEX IF NOT EXISTS entries_id_hash ON entries (conversation, id_hash) WHERE id_hash IS NOT NULL;
