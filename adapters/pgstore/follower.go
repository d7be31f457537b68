package pgstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// recheck is how old a process's knowledge of the active version may be.
	recheck = 250 * time.Millisecond
	// follow is after how long no process begins to read a version any more that is not the active one.
	follow = 4 * recheck
)

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
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (f *follower) connect(ctx context.Context) (driver.Conn, error) {
	version, err := f.current(ctx, true)
	if err != nil {
		return nil, err
	}
	schema, err := f.store.schemaOf(f.projection, version)
	if err != nil {
		return nil, err
	}
	c, err := f.store.dialReading(ctx, schema)
	if err != nil {
		return nil, fmt.Errorf("read view %s: %w", f.projection, err)
	}
	return &reading{conn: c, follower: f, version: version}, nil
}

// Driver is part of driver.Connector.
func (f *follower) Driver() driver.Driver { return stdlib.GetDefaultDriver() }

// current is the active version, at most recheck old, or just read when fresh is set.
func (f *follower) current(ctx context.Context, fresh bool) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !fresh && time.Since(f.checked) < recheck {
		return f.version, nil
	}
	asked := time.Now()
	version, found, err := f.store.catalogue.active(ctx, f.projection)
	if err != nil {
		return 0, err
	}
	if !found {
		return 0, fmt.Errorf("view %s: %w", f.projection, ErrNotBuilt)
	}
	f.version, f.checked = version, asked
	return version, nil
}

// reading is a connection that the pool drops once another version is the active one.
type reading struct {
	*conn
	follower *follower
	version  int
}

// ResetSession is called before a pooled connection is used again.
func (r *reading) ResetSession(ctx context.Context) error {
	version, err := r.follower.current(ctx, false)
	if err == nil && version != r.version {
		return driver.ErrBadConn
	}
	return r.conn.ResetSession(ctx)
}
