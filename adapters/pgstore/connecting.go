package pgstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"

	"github.com/jackc/pgx/v5/stdlib"
)

// byIndex has PostgreSQL's planner reckon with disks that find a row about as fast as they read on. As it comes it thinks of turning ones,
// and reads a list of 4,000 conversations by going through all messages that there are: 2.6 s of 750,000, and 0.26 s by the index.
const byIndex = `SET random_page_cost = 1.1`

// connector opens connections of one kind to one schema.
type connector func(ctx context.Context) (driver.Conn, error)

// Connect is part of driver.Connector.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) { return c(ctx) }

// Driver is part of driver.Connector; database/sql shows it to callers of DB.Driver and uses it for nothing else.
func (c connector) Driver() driver.Driver { return stdlib.GetDefaultDriver() }

// writing opens connections that write to a schema, one transaction of all at a time.
func (s *Store) writing(schema string) connector {
	begin := fmt.Sprintf(beginWriting, lockOf(schema))
	setup := `SET search_path TO ` + quoted(schema) + `; ` + byIndex + `; SET lock_timeout = ` + lockWait + `; SET idle_in_transaction_session_timeout = ` + idleWriter
	return func(ctx context.Context) (driver.Conn, error) {
		return dial(ctx, s.address.config, s.translated, begin, setup)
	}
}

// reading opens connections that read a schema.
func (s *Store) reading(schema string) connector {
	return func(ctx context.Context) (driver.Conn, error) { return s.dialReading(ctx, schema) }
}

func (s *Store) dialReading(ctx context.Context, schema string) (*conn, error) {
	return dial(ctx, s.address.config, s.translated, beginReading,
		`SET search_path TO `+quoted(schema)+`; `+byIndex+`; SET default_transaction_read_only = on`)
}

// pool is a handle with the connections that one view may have for reading.
func (s *Store) pool(c driver.Connector) *sql.DB {
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(s.address.readers)
	db.SetMaxIdleConns(s.address.readers)
	db.SetConnMaxIdleTime(idle)
	return db
}
