package pgstore

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/turno-desk/turno/projections"
)

// statements is how many translated statements a store remembers. Projections and queries have some hundreds.
const statements = 2048

// conn is a connection that understands the projections' SQL. Statements are prepared by pgx when they first run, and kept.
type conn struct {
	*stdlib.Conn
	translated *lru.Cache[string, string]
	begin      string  // how a transaction begins
	open       *rowset // whose rows were not all read yet; nil when there is none
}

var (
	_ driver.ConnBeginTx        = (*conn)(nil)
	_ driver.ConnPrepareContext = (*conn)(nil)
	_ driver.ExecerContext      = (*conn)(nil)
	_ driver.QueryerContext     = (*conn)(nil)
	_ driver.NamedValueChecker  = (*conn)(nil)
	_ driver.SessionResetter    = (*conn)(nil)
	_ driver.Validator          = (*conn)(nil)
)

const (
	// beginReading: a query reads its rows and the view's position of one moment.
	beginReading = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`
	// beginWriting takes the view's write lock in the same round trip.
	beginWriting = `BEGIN; SELECT pg_advisory_xact_lock(%d)`
)

// dial connects. setup is what the session is to be told first.
func dial(ctx context.Context, config *pgx.ConnConfig, translated *lru.Cache[string, string], begin, setup string) (*conn, error) {
	raw, err := stdlib.GetConnector(*config).Connect(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	c := &conn{Conn: raw.(*stdlib.Conn), translated: translated, begin: begin}
	if _, err := c.simple(ctx, setup); err != nil {
		c.Close()
		return nil, unavailable(err)
	}
	return c, nil
}

// BeginTx begins as this kind of connection does; the options of database/sql say nothing that it doesn't know.
func (c *conn) BeginTx(ctx context.Context, _ driver.TxOptions) (driver.Tx, error) {
	if c.Conn.Conn().IsClosed() {
		return nil, driver.ErrBadConn
	}
	if _, err := c.simple(ctx, c.begin); err != nil {
		if c.Conn.Conn().PgConn().TxStatus() != 'I' {
			c.Close() // it may have begun, and waits for a lock in vain
		}
		return nil, err
	}
	return transaction{c}, nil
}

// PrepareContext sends nothing: whoever runs the statement often shares what pgx has prepared.
func (c *conn) PrepareContext(_ context.Context, query string) (driver.Stmt, error) {
	return &statement{c, query}, nil
}

// ExecContext runs one statement or, without arguments, any number of them.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if len(args) == 0 {
		return c.simple(ctx, c.translate(query))
	}
	c.settle()
	result, err := c.Conn.ExecContext(ctx, c.translate(query), args)
	return result, c.failure(err)
}

// QueryContext runs a query.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.settle()
	rows, err := c.Conn.QueryContext(ctx, c.translate(query), args)
	if err != nil {
		return nil, c.failure(err)
	}
	c.open = &rowset{Rows: rows.(*stdlib.Rows), conn: c}
	return c.open, nil
}

// settle reads to their end the rows of a query that somebody is still reading: PostgreSQL answers one statement after the
// other, and queries ask about a row, as SQLite lets them, before they have read the next.
func (c *conn) settle() {
	if c.open != nil {
		c.open.keep()
	}
}

// CheckNamedValue makes of every value one that PostgreSQL takes for our columns: truth is 1 or 0, as in SQLite, and what a
// text can't hold here (see projections.PlainText) is replaced.
func (c *conn) CheckNamedValue(v *driver.NamedValue) error {
	value, err := driver.DefaultParameterConverter.ConvertValue(v.Value)
	if err != nil {
		return err
	}
	switch x := value.(type) {
	case bool:
		value = int64(0)
		if x {
			value = int64(1)
		}
	case string:
		value = projections.PlainText(x)
	}
	v.Value = value
	return nil
}

// IsValid reports whether the connection is worth keeping.
func (c *conn) IsValid() bool { return !c.Conn.Conn().IsClosed() }

// simple runs statements without arguments in one round trip.
func (c *conn) simple(ctx context.Context, script string) (driver.Result, error) {
	if c.Conn.Conn().IsClosed() {
		return nil, driver.ErrBadConn
	}
	c.settle()
	results, err := c.Conn.Conn().PgConn().Exec(ctx, script).ReadAll()
	if err != nil {
		if pgconn.SafeToRetry(err) {
			err = driver.ErrBadConn
		}
		return nil, c.failure(err)
	}
	var affected driver.RowsAffected
	for _, r := range results {
		affected += driver.RowsAffected(r.CommandTag.RowsAffected())
	}
	return affected, nil
}

func (c *conn) translate(query string) string {
	if t, ok := c.translated.Get(query); ok {
		return t
	}
	t := translate(query)
	c.translated.Add(query, t)
	return t
}

// failure marks what is not the statement's fault.
func (c *conn) failure(err error) error {
	if err == nil || errors.Is(err, driver.ErrBadConn) {
		return err
	}
	if passing(err) || c.Conn.Conn().IsClosed() && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return unavailable(err)
	}
	return err
}

func unavailable(err error) error {
	return fmt.Errorf("%w: %w", projections.ErrUnavailable, err)
}

// statement is a query and the connection that it is for.
type statement struct {
	conn  *conn
	query string
}

func (s *statement) Close() error  { return nil }
func (s *statement) NumInput() int { return -1 }

func (s *statement) Exec([]driver.Value) (driver.Result, error) { return nil, errors.ErrUnsupported }

func (s *statement) Query([]driver.Value) (driver.Rows, error) { return nil, errors.ErrUnsupported }

func (s *statement) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.conn.ExecContext(ctx, s.query, args)
}

func (s *statement) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.conn.QueryContext(ctx, s.query, args)
}

func (s *statement) CheckNamedValue(v *driver.NamedValue) error { return s.conn.CheckNamedValue(v) }

// rowset is rows that make way for other statements, and that mark what breaks off while they are read.
type rowset struct {
	*stdlib.Rows
	conn *conn
	kept [][]driver.Value // read ahead of the reader
	end  error            // what comes after them; nil while the connection has more
}

func (r *rowset) Next(into []driver.Value) error {
	if len(r.kept) > 0 {
		copy(into, r.kept[0])
		r.kept = r.kept[1:]
		return nil
	}
	if r.end == nil {
		if err := r.Rows.Next(into); err != nil {
			r.finish(err)
		}
	}
	return r.end
}

// keep reads the rest into memory.
func (r *rowset) keep() {
	for r.end == nil {
		row := make([]driver.Value, len(r.Columns()))
		if err := r.Rows.Next(row); err != nil {
			r.finish(err)
			return
		}
		for i, v := range row {
			if b, ok := v.([]byte); ok {
				row[i] = bytes.Clone(b)
			}
		}
		r.kept = append(r.kept, row)
	}
}

func (r *rowset) finish(err error) {
	if r.end = err; err != io.EOF { //nolint:errorlint // the contract of driver.Rows
		r.end = r.conn.failure(err)
	}
	if r.conn.open == r {
		r.conn.open = nil
	}
}

func (r *rowset) Close() error {
	err := r.Rows.Close()
	r.kept = nil
	r.finish(io.EOF)
	return r.conn.failure(err)
}

type transaction struct{ conn *conn }

// Commit fails when a statement of the transaction had failed: PostgreSQL then rolls back and calls that success.
func (t transaction) Commit() error {
	failed := t.conn.Conn.Conn().PgConn().TxStatus() == 'E'
	if _, err := t.conn.simple(context.Background(), "COMMIT"); err != nil {
		return err
	}
	if failed {
		return errors.New("the transaction was rolled back: a statement of it had failed")
	}
	return nil
}

func (t transaction) Rollback() error {
	if t.conn.Conn.Conn().IsClosed() {
		return nil // the server rolls back what breaks off
	}
	_, err := t.conn.simple(context.Background(), "ROLLBACK")
	return err
}
