package history

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

// reading is one query: one transaction, one viewer, one position.
type reading struct {
	ctx       context.Context
	tx        *sql.Tx
	workspace string
	index     fullText
	rights
	at   domain.Position // the checkpoint
	asOf domain.Position // what is shown is of here; never beyond at
}

// read runs fn in a transaction of its own. projections.ErrAhead when asOf is beyond what the view has seen.
func (q *Queries) read(ctx context.Context, workspace string, v access.Viewer, asOf domain.Position, fn func(*reading) error) error {
	tx, err := q.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("history: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // reading only
	at, err := projections.PositionOf(ctx, tx)
	if err != nil {
		return fmt.Errorf("history: %w", err)
	}
	r := &reading{ctx: ctx, tx: tx, workspace: workspace, index: q.index, rights: newRights(v), at: at, asOf: asOf}
	if asOf > r.at {
		return fmt.Errorf("history: position %d: %w", asOf, projections.ErrAhead)
	}
	if asOf == 0 {
		r.asOf = r.at
	}
	return fn(r)
}

// past reports whether something else than the present is asked for.
func (r *reading) past() bool { return r.asOf != r.at }

const recordColumns = `c.opened, c.workspace, c.thread, c.number, c.ticket, c.contact, c.channel, c.direction,
	c.opened_department, c.opened_at, c.revision, c.sight_from, c.state, c.department, c.owner, c.owner_at_close,
	c.mentioned, c.archived, c.hidden, c.closed_at, c.category, c.facts, c.personal`

const selectRecord = `SELECT ` + recordColumns + ` FROM conversations c`

// scanner is a row.
type scanner interface{ Scan(into ...any) error }

// scanRecord reads recordColumns, and what follows them into more.
func scanRecord(row scanner, more ...any) (*record, error) {
	var (
		r         record
		mentioned string
		f, own    []byte
	)
	into := append([]any{
		&r.opened, &r.workspace, &r.thread, &r.number, &r.ticket, &r.contact, &r.channel, &r.direction,
		&r.openedDepartment, &r.openedAt, &r.revision, &r.sightFrom, &r.sight.State, &r.sight.Department, &r.sight.Owner,
		&r.sight.OwnerAtClose, &mentioned, &r.sight.Archived, &r.sight.Hidden, &r.closedAt, &r.category, &f, &own,
	}, more...)
	if err := row.Scan(into...); err != nil {
		return nil, err
	}
	r.sight.Mentioned, r.sightClosed = strings.Fields(mentioned), r.closedAt
	if err := json.Unmarshal(f, &r.facts); err != nil {
		return nil, fmt.Errorf("facts of conversation %s: %w", r.id(), err)
	}
	if err := json.Unmarshal(own, &r.personal); err != nil {
		return nil, fmt.Errorf("personal facts of conversation %s: %w", r.id(), err)
	}
	return &r, nil
}

// entry is one row of entries.
type entry struct {
	at       int64
	typ      string
	actor    string
	via      string
	time     int64
	recorded int64
	data     []byte
}

// readEntries reads entries of a conversation behind the place `after`, up to and including the position upTo, in order.
// more is SQL that follows: types, a limit.
func readEntries(ctx context.Context, tx *sql.Tx, opened domain.Position, after int64, upTo domain.Position, where, tail string, args ...any) ([]entry, error) {
	all := []any{int64(opened), after, ceiling(upTo)}
	found, err := tx.QueryContext(ctx, `SELECT at, type, actor, via, time, recorded, data FROM entries
		WHERE conversation = ? AND at > ? AND at <= ?`+where+` ORDER BY at`+tail, append(all, args...)...)
	if err != nil {
		return nil, fmt.Errorf("entries: %w", err)
	}
	defer found.Close()
	var entries []entry
	for found.Next() {
		var e entry
		if err := found.Scan(&e.at, &e.typ, &e.actor, &e.via, &e.time, &e.recorded, &e.data); err != nil {
			return nil, fmt.Errorf("entries: %w", err)
		}
		entries = append(entries, e)
	}
	return entries, found.Err()
}

// ceiling is the last place of a position.
func ceiling(p domain.Position) int64 {
	if p > maxPosition {
		return 1<<63 - 1
	}
	return place(p, 1<<placeBits-1)
}

// then is the conversation as it was at the reading's position: now's own row when that is the present, else folded again
// from its entries. It is nil when it had not begun.
func (r *reading) then(now *record) (*record, error) {
	if !r.past() || now.revision <= r.asOf {
		return now, nil
	}
	if now.opened > r.asOf {
		return nil, nil
	}
	entries, err := readEntries(r.ctx, r.tx, now.opened, 0, r.asOf, "", "")
	if err != nil {
		return nil, err
	}
	var past *record
	for _, e := range entries {
		event, err := parse(e.typ, e.data)
		if err != nil {
			return nil, err
		}
		p, _ := placed(e.at)
		if o, ok := event.(thread.Opened); ok {
			past = open(now.workspace, now.thread, p, e.time, o)
		}
		if past == nil {
			return nil, fmt.Errorf("history: conversation %s begins with %s", now.id(), e.typ)
		}
		past.fold(event, e.actor, e.time)
		past.revision = p
	}
	if past == nil {
		return nil, fmt.Errorf("history: conversation %s has no opening", now.id())
	}
	return past, r.sightThen(past)
}

// sightThen fills in who could see it at the reading's position.
func (r *reading) sightThen(past *record) error {
	var mentioned string
	s := &past.sight
	err := r.tx.QueryRowContext(r.ctx, `SELECT from_position, state, department, owner, owner_at_close, mentioned, archived, hidden
		FROM sights WHERE conversation = ? AND from_position <= ? ORDER BY from_position DESC LIMIT 1`,
		int64(past.opened), int64(r.asOf)).Scan(&past.sightFrom, &s.State, &s.Department, &s.Owner, &s.OwnerAtClose, &mentioned, &s.Archived, &s.Hidden)
	if err != nil {
		return fmt.Errorf("history: sight of %s at %d: %w", past.id(), r.asOf, err)
	}
	s.Mentioned = strings.Fields(mentioned)
	return nil
}
