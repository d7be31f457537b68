// Package lead elects one of many processes that share a store of views: one leads, the others stand by and take over within
// seconds. Nobody's clock is compared with another's.
package lead

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Schema is the table that leases are kept in.
const Schema = `
CREATE TABLE IF NOT EXISTS lease (
	workspace TEXT PRIMARY KEY,
	holder TEXT NOT NULL,
	term INTEGER NOT NULL,
	beat INTEGER NOT NULL
) WITHOUT ROWID;
`

// ErrDeposed ends a leadership: another process has it.
var ErrDeposed = errors.New("another worker leads")

// Lease says who leads in a workspace. The holder moves its beat; who sees it stand still long enough takes over with the next
// term.
type Lease struct {
	db        *sql.DB
	workspace string
	holder    string // this process
	term      int64
}

// New is the lease in a table of Schema, as this process sees it. holder names the process among all that may ever run: a random id.
func New(db *sql.DB, workspace, holder string) *Lease {
	return &Lease{db: db, workspace: workspace, holder: holder}
}

// Term says how often the leadership has changed, up to this one.
func (l *Lease) Term() int64 { return l.term }

// seen is a lease as somebody else holds it.
type seen struct {
	holder string
	term   int64
	beat   int64
}

func (l *Lease) look(ctx context.Context) (s seen, err error) {
	err = l.db.QueryRowContext(ctx, `SELECT holder, term, beat FROM lease WHERE workspace = ?`, l.workspace).Scan(&s.holder, &s.term, &s.beat)
	if errors.Is(err, sql.ErrNoRows) {
		_, err = l.db.ExecContext(ctx, `INSERT INTO lease (workspace, holder, term, beat) VALUES (?, '', 0, 0) ON CONFLICT (workspace) DO NOTHING`, l.workspace)
	}
	if err != nil {
		return s, fmt.Errorf("read the lease: %w", err)
	}
	return s, nil
}

// Campaign returns nil once this process leads: at once when nobody does, and after `patience` when the holder stands still.
func (l *Lease) Campaign(ctx context.Context, every, patience time.Duration) error {
	var last seen
	since := time.Now()
	for first := true; ; first = false {
		s, err := l.look(ctx)
		if err != nil {
			return err
		}
		if first || s != last {
			last, since = s, time.Now()
		}
		if s.holder == "" || s.holder == l.holder || time.Since(since) >= patience {
			won, err := l.change(ctx, `UPDATE lease SET holder = ?, term = term + 1, beat = 0 WHERE workspace = ? AND holder = ? AND term = ? AND beat = ?`,
				l.holder, l.workspace, s.holder, s.term, s.beat)
			if err != nil {
				return err
			}
			if won {
				l.term = s.term + 1
				return nil
			}
		}
		if !Pause(ctx, every) {
			return ctx.Err()
		}
	}
}

// Renew moves the beat; false when another process leads.
func (l *Lease) Renew(ctx context.Context) (bool, error) {
	return l.change(ctx, `UPDATE lease SET beat = beat + 1 WHERE workspace = ? AND holder = ? AND term = ?`, l.workspace, l.holder, l.term)
}

// Resign lets the next one lead without waiting.
func (l *Lease) Resign(ctx context.Context) error {
	_, err := l.change(ctx, `UPDATE lease SET holder = '' WHERE workspace = ? AND holder = ? AND term = ?`, l.workspace, l.holder, l.term)
	return err
}

func (l *Lease) change(ctx context.Context, query string, args ...any) (bool, error) {
	done, err := l.db.ExecContext(ctx, query, args...)
	if err != nil {
		return false, fmt.Errorf("change the lease: %w", err)
	}
	n, err := done.RowsAffected()
	if err != nil {
		return false, fmt.Errorf("change the lease: %w", err)
	}
	return n == 1, nil
}

// Keep renews the lease. It returns nil when ctx ends, and ErrDeposed when the lease is lost or could not be renewed for so long
// that another may have taken it.
func (l *Lease) Keep(ctx context.Context, every, patience time.Duration) error {
	renewed := time.Now()
	for Pause(ctx, every) {
		ok, err := l.Renew(ctx)
		switch {
		case err == nil && ok:
			renewed = time.Now()
		case err == nil, time.Since(renewed) > patience*2/3:
			return ErrDeposed
		}
	}
	return nil
}

// Pause waits for d and reports whether ctx is still alive.
func Pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
