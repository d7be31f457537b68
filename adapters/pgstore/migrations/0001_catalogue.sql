-- The projections that have views here. active is the number of the version that queries read; last is the highest number
-- that was ever handed out, so that none is used twice.
CREATE TABLE views (
	projection TEXT PRIMARY KEY,
	active BIGINT,
	last BIGINT NOT NULL
);

-- The versions of each. definition is what the code calls the projection's version. written is set once its schema exists;
-- left_at is when queries were told to leave it for another one, null while that never happened.
CREATE TABLE versions (
	projection TEXT NOT NULL REFERENCES views,
	number BIGINT NOT NULL,
	definition BIGINT NOT NULL,
	created TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
	written BOOLEAN NOT NULL DEFAULT false,
	left_at TIMESTAMPTZ,
	PRIMARY KEY (projection, number)
);
