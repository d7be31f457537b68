package effects

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// lease says who leads the effects of a workspace. The holder moves its beat; who sees it stand still long enough takes over with the next
// term. No clock is compared with another's.
type lease struct {
	db        *sql.DB
	workspace string
	holder    string // this process
	term      int64
}

// seen is a lease as somebody else holds it.
type seen struct {
	holder string
	term   int64
	beat   int64
}

func (l *lease) look(ctx context.Context) (s seen, err error) {
	err = l.db.QueryRowContext(ctx, `SELECT holder, term, beat FROM lease WHERE workspace = ?`, l.workspace).Scan(&s.holder, &s.term, &s.beat)
	if errors.Is(err, sql.ErrNoRows) {
		_, err = l.db.ExecContext(ctx, `INSERT INTO lease (workspace, holder, term, beat) VALUES (?, '', 0, 0) ON CONFLICT (workspace) DO NOTHING`, l.workspace)
	}
	if err != nil {
		return s, fmt.Errorf("read the lease of the effects: %w", err)
	}
	return s, nil
}

// campaign returns nil once this process leads: at once when nobody does, and after `patience` when the holder stands still.
func (l *lease) campaign(ctx context.Context, every, patience time.Duration) error {
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
		if !pause(ctx, every) {
			return ctx.Err()
		}
	}
}

// renew moves the beat; false when another process leads.
func (l *lease) renew(ctx context.Context) (bool, error) {
	return l.change(ctx, `UPDATE lease SET beat = beat + 1 WHERE workspace = ? AND holder = ? AND term = ?`, l.workspace, l.holder, l.term)
}

// resign lets the next one lead without waiting.
func (l *lease) resign(ctx context.Context) error {
	_, err := l.change(ctx, `UPDATE lease SET holder = '' WHERE workspace = ? AND holder = ? AND term = ?`, l.workspace, l.holder, l.term)
	return err
}

func (l *lease) change(ctx context.Context, query string, args ...any) (bool, error) {
	done, err := l.db.ExecContext(ctx, query, args...)
	if err != nil {
		return false, fmt.Errorf("change the lease of the effects: %w", err)
	}
	n, err := done.RowsAffected()
	if err != nil {
		return false, fmt.Errorf("change the lease of the effects: %w", err)
	}
	return n == 1, nil
}

// pause waits for d and reports whether ctx is still alive.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
