package pgstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/turno-desk/turno/projections"
)

// Transient reports whether err speaks of the surroundings (the server, its disk, a lock, an ended context) and not of the
// rows that were to be written.
func (s *Store) Transient(err error) bool {
	return errors.Is(err, projections.ErrUnavailable) || passing(err) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, sql.ErrTxDone)
}

// passing reports whether err is the server's word for something that is not the statement's fault, or no word of the
// server's but the network's.
func passing(err error) bool {
	var connecting *pgconn.ConnectError
	if errors.As(err, &connecting) || pgconn.Timeout(err) && !errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	var e *pgconn.PgError
	if !errors.As(err, &e) || len(e.Code) != 5 {
		return false
	}
	switch e.Code {
	case "25006", // read-only: a standby, or a database that was set so
		"25P03", "25P04", // the session idled in a transaction, or the transaction took too long
		"42501", // privileges that were taken away
		"0A000": // a prepared statement that the tables have outlived: it is prepared anew
		return true
	}
	switch e.Code[:2] {
	case "08", // connection
		"28",       // the server doesn't let us in, any more
		"3D", "3F", // the database, the schema
		"40",             // deadlock, serialization
		"53",             // connections, memory, disk
		"55",             // a lock that was waited for in vain, a server not ready
		"57",             // shutdown, crash, cancelled
		"58", "F0", "XX": // the system's, its configuration's or its own faults
		return true
	}
	return false
}
