package sqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"time"

	"modernc.org/sqlite"
)

// recheck is how old a process's knowledge of the active version may be.
const recheck = 250 * time.Millisecond

// follower opens reading connections to whichever version of a view is the active one.
type follower struct {
	store      *Store
	projection string

	mu      sync.Mutex
	version int
	checked time.Time
}

// Connect opens a connection to the active version. While the view does not exist it waits, up to Options.WaitBuilt.
func (f *follower) Connect(ctx context.Context) (driver.Conn, error) {
	deadline := time.Now().Add(f.store.o.WaitBuilt)
	for {
		conn, err := f.connect(ctx)
		if !errors.Is(err, ErrNotBuilt) || time.Now().After(deadline) {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (f *follower) connect(ctx context.Context) (driver.Conn, error) {
	version, err := f.current(ctx, true)
	if err != nil {
		return nil, err
	}
	path, err := f.store.path(f.projection, version)
	if err != nil {
		return nil, err
	}
	c, err := sqlite.NewConnector(dsn(path, false, f.store.o.ReaderCache))
	if err != nil {
		return nil, fmt.Errorf("read view %s: %w", f.projection, err)
	}
	conn, err := c.Connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("read view %s version %d: %w", f.projection, version, err)
	}
	full, ok := conn.(connection)
	if !ok {
		conn.Close()
		return nil, fmt.Errorf("read view %s: the driver's connection lacks a method that is relied on", f.projection)
	}
	return &reading{connection: full, follower: f, version: version}, nil
}

// Driver is part of driver.Connector; database/sql shows it to callers of DB.Driver and uses it for nothing else.
func (f *follower) Driver() driver.Driver { return &sqlite.Driver{} }

// current is the active version, at most recheck old, or just read when fresh is set.
func (f *follower) current(ctx context.Context, fresh bool) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !fresh && time.Since(f.checked) < recheck {
		return f.version, nil
	}
	version, found, err := f.store.catalogue.active(ctx, f.projection)
	if err != nil {
		return 0, err
	}
	if !found {
		return 0, fmt.Errorf("view %s: %w", f.projection, ErrNotBuilt)
	}
	f.version, f.checked = version, time.Now()
	return version, nil
}

// connection is what database/sql makes use of in the driver's connections.
type connection interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// reading is a connection that the pool drops once another version is the active one.
type reading struct {
	connection
	follower *follower
	version  int
}

// ResetSession is called before a pooled connection is used again.
func (r *reading) ResetSession(ctx context.Context) error {
	version, err := r.follower.current(ctx, false)
	if err == nil && version != r.version {
		return driver.ErrBadConn
	}
	return r.connection.ResetSession(ctx)
}
