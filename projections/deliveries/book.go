package deliveries

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections/lead"
)

// Name is that of the deliveries' own tables in the store of views. No projection builds them, and no rebuild touches them.
const Name = "deliveries"

const definition = 1

// schema: the lease; up to where each subscription's deliveries are made, and since where; redeliveries that were asked for;
// and the deliveries, those that are over too for as long as they are kept.
const schema = lead.Schema + `
CREATE TABLE IF NOT EXISTS cursor (
	workspace TEXT NOT NULL,
	subscription TEXT NOT NULL,
	log TEXT NOT NULL,
	position INTEGER NOT NULL,
	commit_id TEXT NOT NULL,
	since INTEGER NOT NULL,
	PRIMARY KEY (workspace, subscription)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS redelivery (
	workspace TEXT NOT NULL,
	subscription TEXT NOT NULL,
	id TEXT NOT NULL,
	asked INTEGER NOT NULL,
	first INTEGER NOT NULL,
	last INTEGER NOT NULL,
	failed_only INTEGER NOT NULL,
	position INTEGER NOT NULL,
	done INTEGER NOT NULL,
	PRIMARY KEY (workspace, subscription, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS delivery (
	workspace TEXT NOT NULL,
	subscription TEXT NOT NULL,
	position INTEGER NOT NULL,
	place INTEGER NOT NULL,
	run TEXT NOT NULL,
	commit_id TEXT NOT NULL,
	type TEXT NOT NULL,
	subject TEXT NOT NULL,
	lane TEXT NOT NULL,
	state TEXT NOT NULL,
	made INTEGER NOT NULL,
	attempts INTEGER NOT NULL,
	next_at INTEGER NOT NULL,
	tried INTEGER NOT NULL,
	took INTEGER NOT NULL,
	status INTEGER NOT NULL,
	error TEXT NOT NULL,
	ended INTEGER NOT NULL,
	PRIMARY KEY (workspace, subscription, position, place, run)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS delivery_by_state ON delivery (workspace, subscription, state, position, place, run);
CREATE INDEX IF NOT EXISTS delivery_by_end ON delivery (workspace, subscription, ended);
`

// The states of a delivery.
const (
	Pending   = "pending"
	Delivered = "delivered"
	Failed    = "failed"
)

// book is the tables of one workspace.
type book struct {
	db        *sql.DB
	workspace string
}

// cursor is up to where a subscription's deliveries are made.
type cursor struct {
	log      string
	position domain.Position
	commit   string
	since    domain.Position
}

// fresh is a delivery that is to be written down.
type fresh struct {
	item
	lane    string
	kind    string // type of the event
	subject string
}

// request is a redelivery that was asked for.
type request struct {
	id          string // of the commit that asked
	asked       time.Time
	first, last domain.Position
	failedOnly  bool
	position    domain.Position // up to where its deliveries are made
}

func (b book) cursor(ctx context.Context, subscription string) (c cursor, found bool, err error) {
	var position, since int64
	err = b.db.QueryRowContext(ctx, `SELECT log, position, commit_id, since FROM cursor WHERE workspace = ? AND subscription = ?`,
		b.workspace, subscription).Scan(&c.log, &position, &c.commit, &since)
	c.position, c.since = domain.Position(position), domain.Position(since)
	if errors.Is(err, sql.ErrNoRows) {
		return c, false, nil
	}
	return c, err == nil, err
}

func (b book) begin(ctx context.Context, subscription string, c cursor) error {
	_, err := b.db.ExecContext(ctx, `INSERT INTO cursor (workspace, subscription, log, position, commit_id, since) VALUES (?, ?, ?, ?, ?, ?)`,
		b.workspace, subscription, c.log, int64(c.position), c.commit, int64(c.since))
	return err
}

// move writes down what is to be delivered and moves the cursor, both or neither, and returns what was not written down before.
// lead.ErrDeposed when the cursor is not where it was.
func (b book) move(ctx context.Context, subscription string, from, to cursor, all []fresh, asked []request) (added []fresh, err error) {
	err = b.write(ctx, func(tx *sql.Tx) error {
		if err := one(tx.ExecContext(ctx, `UPDATE cursor SET position = ?, commit_id = ?, since = ?
			WHERE workspace = ? AND subscription = ? AND position = ? AND commit_id = ?`, int64(to.position), to.commit, int64(to.since),
			b.workspace, subscription, int64(from.position), from.commit)); err != nil {
			return err
		}
		for _, r := range asked {
			if _, err := tx.ExecContext(ctx, `INSERT INTO redelivery (workspace, subscription, id, asked, first, last, failed_only, position, done)
				VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0) ON CONFLICT (workspace, subscription, id) DO NOTHING`,
				b.workspace, subscription, r.id, r.asked.UnixMilli(), int64(r.first), int64(r.last), flag(r.failedOnly)); err != nil {
				return err
			}
		}
		added, err = b.add(ctx, tx, subscription, all)
		return err
	})
	return added, err
}

// advance does the same for a redelivery, whose position only grows.
func (b book) advance(ctx context.Context, subscription string, r request, to domain.Position, done bool, all []fresh) (added []fresh, err error) {
	err = b.write(ctx, func(tx *sql.Tx) error {
		if err := one(tx.ExecContext(ctx, `UPDATE redelivery SET position = ?, done = ? WHERE workspace = ? AND subscription = ? AND id = ? AND position = ? AND done = 0`,
			int64(to), flag(done), b.workspace, subscription, r.id, int64(r.position))); err != nil {
			return err
		}
		added, err = b.add(ctx, tx, subscription, all)
		return err
	})
	return added, err
}

// add writes deliveries down, and returns those that it has. One that was written down before, for the same commit, stays as it is:
// after a restore of the log a stretch of it is read again.
func (b book) add(ctx context.Context, tx *sql.Tx, subscription string, all []fresh) (added []fresh, err error) {
	for i := range all {
		f := &all[i]
		done, err := tx.ExecContext(ctx, `INSERT INTO delivery (workspace, subscription, position, place, run, commit_id, type, subject, lane, state,
			made, attempts, next_at, tried, took, status, error, ended) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, 0, 0, 0, 0, 0, '', 0)
			ON CONFLICT (workspace, subscription, position, place, run) DO UPDATE SET commit_id = excluded.commit_id, type = excluded.type,
			subject = excluded.subject, lane = excluded.lane, state = 'pending', made = excluded.made, attempts = 0, next_at = 0, tried = 0, took = 0,
			status = 0, error = '', ended = 0 WHERE delivery.commit_id <> excluded.commit_id`,
			b.workspace, subscription, int64(f.position), f.index, f.run, f.commit, f.kind, f.subject, f.lane, f.made.UnixMilli())
		if err != nil {
			return nil, err
		}
		if n, err := done.RowsAffected(); err != nil {
			return nil, err
		} else if n > 0 {
			added = append(added, *f)
		}
	}
	return added, nil
}

// outcome is what an attempt made of a delivery.
type outcome struct {
	state    string
	attempts int
	next     time.Time // of one that is pending
	tried    time.Time
	took     time.Duration
	status   int
	err      string
}

// note writes down what an attempt made of a delivery. lead.ErrDeposed when another process has tried it meanwhile.
func (b book) note(ctx context.Context, subscription string, i item, o outcome) error {
	ended := int64(0)
	if o.state != Pending {
		ended = o.tried.UnixMilli()
	}
	next := int64(0)
	if !o.next.IsZero() {
		next = o.next.UnixMilli()
	}
	return one(b.db.ExecContext(ctx, `UPDATE delivery SET state = ?, attempts = ?, next_at = ?, tried = ?, took = ?, status = ?, error = ?, ended = ?
		WHERE workspace = ? AND subscription = ? AND position = ? AND place = ? AND run = ? AND state = 'pending' AND attempts = ? AND commit_id = ?`,
		o.state, o.attempts, next, o.tried.UnixMilli(), o.took.Milliseconds(), o.status, o.err, ended,
		b.workspace, subscription, int64(i.position), i.index, i.run, i.attempts, i.commit))
}

// pending is what is still to be delivered, in the order of the log. now counts for those that were not tried yet.
func (b book) pending(ctx context.Context, subscription string, fn func(lane string, i item, next time.Time)) error {
	rows, err := b.db.QueryContext(ctx, `SELECT position, place, run, commit_id, lane, made, attempts, next_at FROM delivery
		WHERE workspace = ? AND subscription = ? AND state = 'pending' ORDER BY position, place, run`, b.workspace, subscription)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var i item
		var lane string
		var position, made, next int64
		if err := rows.Scan(&position, &i.index, &i.run, &i.commit, &lane, &made, &i.attempts, &next); err != nil {
			return err
		}
		i.position, i.made = domain.Position(position), time.UnixMilli(made)
		fn(lane, i, time.UnixMilli(next))
	}
	return rows.Err()
}

// asked is the oldest redelivery of which not all deliveries are made yet.
func (b book) asked(ctx context.Context, subscription string) (r request, found bool, err error) {
	var first, last, position int64
	err = b.db.QueryRowContext(ctx, `SELECT id, first, last, failed_only, position FROM redelivery
		WHERE workspace = ? AND subscription = ? AND done = 0 ORDER BY asked, id LIMIT 1`, b.workspace, subscription).
		Scan(&r.id, &first, &last, &r.failedOnly, &position)
	r.first, r.last, r.position = domain.Position(first), domain.Position(last), domain.Position(position)
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	}
	return r, err == nil, err
}

// failed are deliveries behind a position, up to a last one, that have failed and were not delivered by any redelivery since: of whole
// positions, about as many as limit.
func (b book) failed(ctx context.Context, subscription string, after, last domain.Position, limit int) ([]fresh, error) {
	rows, err := b.db.QueryContext(ctx, `SELECT DISTINCT position, place, commit_id, type, subject, lane FROM delivery d
		WHERE workspace = ? AND subscription = ? AND state = 'failed' AND position > ? AND position <= ? AND NOT EXISTS (
			SELECT 1 FROM delivery o WHERE o.workspace = d.workspace AND o.subscription = d.subscription AND o.position = d.position AND o.place = d.place
			AND o.state <> 'failed')
		ORDER BY position, place LIMIT ?`, b.workspace, subscription, int64(after), int64(last), limit+domain.MaxEvents)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []fresh
	for rows.Next() {
		var f fresh
		var position int64
		if err := rows.Scan(&position, &f.index, &f.commit, &f.kind, &f.subject, &f.lane); err != nil {
			return nil, err
		}
		f.position = domain.Position(position)
		if len(all) >= limit && f.position != all[len(all)-1].position {
			break
		}
		all = append(all, f)
	}
	return all, rows.Err()
}

// drop forgets a subscription that was retired: where it was, and what was still to be delivered. What is over stays.
func (b book) drop(ctx context.Context, subscription string) error {
	return b.write(ctx, func(tx *sql.Tx) error {
		for _, query := range []string{
			`DELETE FROM delivery WHERE workspace = ? AND subscription = ? AND state = 'pending'`,
			`DELETE FROM redelivery WHERE workspace = ? AND subscription = ?`,
			`DELETE FROM cursor WHERE workspace = ? AND subscription = ?`,
		} {
			if _, err := tx.ExecContext(ctx, query, b.workspace, subscription); err != nil {
				return err
			}
		}
		return nil
	})
}

// prune drops deliveries that ended before a time, and all but the newest `most` of each subscription.
func (b book) prune(ctx context.Context, before time.Time, most int) error {
	rows, err := b.db.QueryContext(ctx, `SELECT DISTINCT subscription FROM delivery WHERE workspace = ? AND ended > 0`, b.workspace)
	if err != nil {
		return err
	}
	var all []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return errors.Join(err, rows.Close())
		}
		all = append(all, s)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, s := range all {
		until := before.UnixMilli()
		var crowd int64
		err := b.db.QueryRowContext(ctx, `SELECT ended FROM delivery WHERE workspace = ? AND subscription = ? AND ended > 0
			ORDER BY ended DESC LIMIT 1 OFFSET ?`, b.workspace, s, most).Scan(&crowd)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if until = max(until, crowd+1); crowd == 0 {
			until = before.UnixMilli()
		}
		if _, err := b.db.ExecContext(ctx, `DELETE FROM delivery WHERE workspace = ? AND subscription = ? AND ended > 0 AND ended < ?`, b.workspace, s, until); err != nil {
			return err
		}
	}
	_, err = b.db.ExecContext(ctx, `DELETE FROM redelivery WHERE workspace = ? AND done = 1 AND asked < ?`, b.workspace, before.UnixMilli())
	return err
}

func (b book) write(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := b.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("write the deliveries: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	if err := fn(tx); err != nil {
		return fmt.Errorf("write the deliveries: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("write the deliveries: %w", err)
	}
	return nil
}

// one makes a change of any other number of rows lead.ErrDeposed.
func one(done sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		return errors.Join(lead.ErrDeposed, err)
	}
	return nil
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
