-- Times are Unix milliseconds; 0 stands for none. fields, tags, departments and scopes are JSON. search is what is looked
-- through, in small letters without accents.

-- What is told of each contact itself. It exists once a conversation of it was opened or it was added: opened is that
-- position. received is the name as it came with a message. profile and tags are JSON, as the events have them. person is
-- the contact that it was merged into, and else itself; merged are those that were merged into it, in that order.
CREATE TABLE IF NOT EXISTS contact (
	workspace TEXT NOT NULL,
	id TEXT NOT NULL,
	person TEXT NOT NULL,
	opened INTEGER NOT NULL,
	first_at INTEGER NOT NULL,
	received TEXT NOT NULL,
	profile TEXT NOT NULL,
	tags TEXT NOT NULL,
	known INTEGER NOT NULL,
	assignee TEXT NOT NULL,
	blocked INTEGER NOT NULL,
	erased INTEGER NOT NULL,
	merged TEXT NOT NULL,
	revision INTEGER NOT NULL,
	PRIMARY KEY (workspace, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS contact_person ON contact (workspace, person);

-- What is shown: one row for each contact that is not merged into another, made of its own row and those of the contacts
-- that were merged into it. body is JSON. It is made anew whenever one of them changes, so that nothing of a merge is left
-- in it when it is undone.
CREATE TABLE IF NOT EXISTS person (
	workspace TEXT NOT NULL,
	id TEXT NOT NULL,
	opened INTEGER NOT NULL,
	first_at INTEGER NOT NULL,
	known INTEGER NOT NULL,
	assignee TEXT NOT NULL,
	blocked INTEGER NOT NULL,
	erased INTEGER NOT NULL,
	body TEXT NOT NULL,
	search TEXT NOT NULL,
	PRIMARY KEY (workspace, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS person_opened ON person (workspace, opened);
CREATE INDEX IF NOT EXISTS person_assignee ON person (workspace, assignee, opened) WHERE assignee <> '';

CREATE TABLE IF NOT EXISTS person_tag (
	workspace TEXT NOT NULL,
	tag TEXT NOT NULL,
	person TEXT NOT NULL,
	PRIMARY KEY (workspace, tag, person)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS person_tag_of ON person_tag (workspace, person);

-- The lines and fields of what is shown, in small letters without accents, to be filtered by: "company", "fields.plan".
CREATE TABLE IF NOT EXISTS person_field (
	workspace TEXT NOT NULL,
	person TEXT NOT NULL,
	field TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (workspace, person, field)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS person_field_value ON person_field (workspace, field, value);

CREATE TABLE IF NOT EXISTS annotation (
	workspace TEXT NOT NULL,
	contact TEXT NOT NULL,
	position INTEGER NOT NULL,
	id TEXT NOT NULL,
	text TEXT NOT NULL,
	author TEXT NOT NULL,
	at INTEGER NOT NULL,
	PRIMARY KEY (workspace, contact, position, id)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS identity (
	workspace TEXT NOT NULL,
	id TEXT NOT NULL,
	thread TEXT NOT NULL,
	contact TEXT NOT NULL,
	channel TEXT NOT NULL,
	address TEXT NOT NULL,
	external_id TEXT NOT NULL,
	search TEXT NOT NULL,
	PRIMARY KEY (workspace, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS identity_contact ON identity (workspace, contact);
CREATE INDEX IF NOT EXISTS identity_address ON identity (workspace, address);
CREATE INDEX IF NOT EXISTS identity_external ON identity (workspace, external_id) WHERE external_id <> '';

CREATE TABLE IF NOT EXISTS operator (
	workspace TEXT NOT NULL,
	id TEXT NOT NULL,
	name TEXT NOT NULL,
	email TEXT NOT NULL,
	role TEXT NOT NULL,
	departments TEXT NOT NULL,
	capacity INTEGER NOT NULL,
	extension TEXT NOT NULL,
	active INTEGER NOT NULL,
	revision INTEGER NOT NULL,
	PRIMARY KEY (workspace, id)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS presence (
	workspace TEXT NOT NULL,
	operator TEXT NOT NULL,
	connected INTEGER NOT NULL,
	available INTEGER NOT NULL,
	reason TEXT NOT NULL,
	since INTEGER NOT NULL,
	PRIMARY KEY (workspace, operator)
) WITHOUT ROWID;

-- body is the definition as its event carries it: nothing in it is personal.
CREATE TABLE IF NOT EXISTS department (
	workspace TEXT NOT NULL,
	id TEXT NOT NULL,
	body TEXT NOT NULL,
	revision INTEGER NOT NULL,
	PRIMARY KEY (workspace, id)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS channel (
	workspace TEXT NOT NULL,
	id TEXT NOT NULL,
	body TEXT NOT NULL,
	revision INTEGER NOT NULL,
	PRIMARY KEY (workspace, id)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS calendar (
	workspace TEXT NOT NULL,
	id TEXT NOT NULL,
	body TEXT NOT NULL,
	revision INTEGER NOT NULL,
	PRIMARY KEY (workspace, id)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS token (
	workspace TEXT NOT NULL,
	id TEXT NOT NULL,
	owner TEXT NOT NULL,
	name TEXT NOT NULL,
	scopes TEXT NOT NULL,
	fingerprint TEXT NOT NULL,
	revoked INTEGER NOT NULL,
	issued_at INTEGER NOT NULL,
	revision INTEGER NOT NULL,
	PRIMARY KEY (workspace, id)
) WITHOUT ROWID;

-- What the company has defined: fields, funnels, catalogues, tags, templates, macros, segments. body is the definition as its
-- event carries it: nothing in it is personal.
CREATE TABLE IF NOT EXISTS definition (
	workspace TEXT NOT NULL,
	kind TEXT NOT NULL,
	id TEXT NOT NULL,
	category TEXT NOT NULL,
	language TEXT NOT NULL,
	retired INTEGER NOT NULL,
	search TEXT NOT NULL,
	body TEXT NOT NULL,
	revision INTEGER NOT NULL,
	PRIMARY KEY (workspace, kind, id)
) WITHOUT ROWID;

-- Every change of a setting, and who made it. what is the setting's kind, id its id; body is what it became, or empty for what
-- has something personal in it.
CREATE TABLE IF NOT EXISTS change (
	position INTEGER NOT NULL,
	place INTEGER NOT NULL,
	workspace TEXT NOT NULL,
	what TEXT NOT NULL,
	id TEXT NOT NULL,
	did TEXT NOT NULL,
	actor TEXT NOT NULL,
	via TEXT NOT NULL,
	at INTEGER NOT NULL,
	body TEXT NOT NULL,
	PRIMARY KEY (position, place)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS change_of ON change (workspace, what, id, position);
CREATE INDEX IF NOT EXISTS change_all ON change (workspace, position);
