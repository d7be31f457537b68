package history

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/ticket"
	"github.com/turno-desk/turno/projections"
)

// Ticket returns the case that a number stands for, with those of its conversations that the viewer may see. One without any
// conversation is shown to everybody who reads conversations at all. ErrNotFound.
func (q *Queries) Ticket(ctx context.Context, workspace string, v access.Viewer, number int64, asOf domain.Position) (Ticket, error) {
	var t Ticket
	err := q.read(ctx, workspace, v, asOf, func(r *reading) error {
		all, root, err := r.byTicket(number)
		if err != nil {
			return err
		}
		t, err = r.ticket(root, all)
		return err
	})
	return t, err
}

// ticket puts a case together.
func (r *reading) ticket(root int64, conversations []*record) (Ticket, error) {
	t := Ticket{Number: root, Conversations: []Conversation{}, Position: r.asOf}
	open, closed := false, int64(0)
	for _, now := range conversations {
		then, err := r.then(now)
		if err != nil {
			return t, err
		}
		if then == nil {
			continue
		}
		if len(t.Conversations) == 0 {
			t.Contact, t.OpenedAt = then.whom(), projections.Millis(then.openedAt)
			t.Requester = then.contact
		}
		if then.ticket == root && then.facts.Requester != "" {
			t.Requester, t.Subject = then.facts.Requester, string(then.personal.Subject)
		}
		if then.ticket != root {
			t.Aliases = append(t.Aliases, then.ticket)
		}
		t.Conversations = append(t.Conversations, then.answer())
		open, closed = open || then.closedAt == 0, max(closed, then.closedAt)
	}
	said, found, err := r.saidOf(root)
	if err != nil {
		return t, err
	}
	if len(t.Conversations) == 0 {
		if alone, err := r.alone(root); err != nil || !found || !alone {
			return t, errors.Join(err, orNotFound(err))
		}
	}
	if !open && closed > 0 {
		t.ClosedAt = projections.MillisOrNil(closed)
	}
	t.Status = string(ticket.Closed)
	if open {
		t.Status = string(ticket.Open)
	}
	if found {
		d := said.Definition
		t.Requester, t.Subject, t.Status, t.Revision = d.Requester, string(d.Subject), string(d.Status), said.revision
		for id, v := range d.Fields {
			if t.Fields == nil {
				t.Fields = map[string]string{}
			}
			t.Fields[id] = string(v)
		}
		if len(t.Conversations) == 0 {
			t.OpenedAt = projections.Millis(said.openedAt)
		}
	}
	return t, nil
}

func orNotFound(err error) error {
	if err == nil {
		return ErrNotFound
	}
	return nil
}

// byTicket finds the conversations of the ticket that a number stands for at the reading's position, oldest first, as far as
// the viewer may see them, and that ticket's number. Here is the one place where a number is looked up.
func (r *reading) byTicket(number int64) ([]*record, int64, error) {
	root, err := rootOf(r.ctx, r.tx, r.workspace, number, r.asOf)
	if err != nil {
		return nil, 0, err
	}
	sql, args := r.ofTicket(root)
	all, err := r.findAll(sql+` ORDER BY c.opened`, args...)
	return all, root, err
}

// ofTicket is SQL for the conversations c of a ticket at the reading's position: those that are linked to it, and the one
// whose own number it is unless that one is linked elsewhere.
func (r *reading) ofTicket(root int64) (string, []any) {
	at := int64(r.asOf)
	return `(c.opened IN (SELECT k.conversation FROM cases k WHERE k.workspace = ? AND k.number = ? AND k.from_position <= ? AND k.to_position > ?)
		OR c.ticket = ? AND NOT EXISTS (SELECT 1 FROM cases k WHERE k.workspace = ? AND k.own = ? AND k.from_position <= ? AND k.to_position > ?))`,
		[]any{r.workspace, root, at, at, root, r.workspace, root, at, at}
}

// alone reports whether a ticket has no conversation at all at the reading's position, seen or not.
func (r *reading) alone(root int64) (bool, error) {
	condition, args := r.ofTicket(root)
	var some bool
	err := r.tx.QueryRowContext(r.ctx, `SELECT EXISTS (SELECT 1 FROM conversations c WHERE c.workspace = ? AND c.opened <= ? AND `+condition+`)`,
		append([]any{r.workspace, int64(r.asOf)}, args...)...).Scan(&some)
	if err != nil {
		return false, fmt.Errorf("history: ticket %d: %w", root, err)
	}
	return !some, nil
}

// queryRow is what reads one row: a transaction.
type queryRow interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// rootOf is the ticket that a number stands for at a position.
func rootOf(ctx context.Context, tx queryRow, workspace string, number int64, at domain.Position) (int64, error) {
	root := number
	err := tx.QueryRowContext(ctx, `SELECT number FROM cases WHERE workspace = ? AND own = ? AND from_position <= ? AND to_position > ?`,
		workspace, number, int64(at), int64(at)).Scan(&root)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("history: what ticket %d stands for: %w", number, err)
	}
	return root, nil
}

// saying is a ticket's own record.
type saying struct {
	ticket.Definition
	openedAt int64
	revision domain.Position
}

// saidOf reads what was said of a ticket by itself.
func (r *reading) saidOf(number int64) (s saying, found bool, err error) {
	var body []byte
	err = r.tx.QueryRowContext(r.ctx, `SELECT from_position, opened_at, body FROM tickets
		WHERE workspace = ? AND number = ? AND from_position <= ? AND to_position > ?`, r.workspace, number, int64(r.asOf), int64(r.asOf)).
		Scan(&s.revision, &s.openedAt, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return s, false, nil
	}
	if err == nil {
		err = json.Unmarshal(body, &s.Definition)
	}
	if err != nil {
		return s, false, fmt.Errorf("history: ticket %d: %w", number, err)
	}
	return s, true, nil
}

// edits are what was done to a ticket by itself, as entries of its timeline.
func (r *reading) edits(root int64) ([]Entry, error) {
	rows, err := r.tx.QueryContext(r.ctx, `SELECT from_position, type, actor, via, time, recorded, body FROM tickets
		WHERE workspace = ? AND number = ? AND from_position <= ? ORDER BY from_position`, r.workspace, root, int64(r.asOf))
	if err != nil {
		return nil, fmt.Errorf("history: ticket %d: %w", root, err)
	}
	defer rows.Close()
	var all []Entry
	for rows.Next() {
		var e Entry
		var at, recorded int64
		var body []byte
		if err := rows.Scan(&e.Position, &e.Type, &e.Actor, &e.Via, &at, &recorded, &body); err != nil {
			return nil, fmt.Errorf("history: ticket %d: %w", root, err)
		}
		e.Ticket, e.Time, e.Recorded, e.Data = root, projections.Millis(at), projections.Millis(recorded), json.RawMessage(body)
		all = append(all, e)
	}
	return all, rows.Err()
}

// mostApart is how many tickets without conversations a search shows.
const mostApart = 20

// apart are the tickets without any conversation that the search means: by their number, or by the words of their subject.
// A filter of conversations lets none of them pass.
func (r *reading) apart(s search, f Filter) ([]Match, error) {
	if !f.none() || s.number == 0 && len(s.words) == 0 {
		return nil, nil
	}
	where, args := `to_position = ? AND workspace = ?`, []any{int64(forever), r.workspace}
	either, more := []string{}, []any{}
	if s.number != 0 {
		either, more = append(either, `number = ?`), append(more, s.number)
	}
	if len(s.words) > 0 {
		all := make([]string, len(s.words))
		for i, w := range s.words {
			all[i], more = `lower(subject) LIKE ? ESCAPE '\'`, append(more, "%"+likely.Replace(w)+"%")
		}
		either = append(either, strings.Join(all, ` AND `))
	}
	rows, err := r.tx.QueryContext(r.ctx, `SELECT number, from_position, body FROM tickets WHERE `+where+` AND (`+strings.Join(either, ` OR `)+`)
		ORDER BY number DESC LIMIT ?`, append(append(args, more...), mostApart)...)
	if err != nil {
		return nil, fmt.Errorf("history: search tickets: %w", err)
	}
	defer rows.Close()
	var found []Match
	for rows.Next() {
		var m Match
		var d ticket.Definition
		var body []byte
		m.Match, m.Details = &Found{In: "subject"}, &Details{Tags: []string{}}
		if err := rows.Scan(&m.Ticket, &m.Match.Position, &body); err != nil {
			return nil, fmt.Errorf("history: search tickets: %w", err)
		}
		if err := json.Unmarshal(body, &d); err != nil {
			return nil, fmt.Errorf("history: search tickets: %w", err)
		}
		m.Match.Text = string(d.Subject)
		found = append(found, m)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, fmt.Errorf("history: search tickets: %w", err)
	}
	var alone []Match
	for _, m := range found {
		is, err := r.alone(m.Ticket)
		if err != nil {
			return nil, err
		}
		if is {
			alone = append(alone, m)
		}
	}
	return alone, nil
}

var likely = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// lowered is a subject as it is looked through; nothing of an erased one.
func lowered(p domain.Personal) string {
	if p == domain.Erased {
		return ""
	}
	return strings.ToLower(string(p))
}

// link puts a conversation into the ticket that `to` stands for, and takes along all that belong to its own number: that is an
// alias from here on. Of two links that would make a circle the later one finds itself in its own ticket, and stays there.
func (b *batch) link(c *domain.Commit, r *record, to int64) error {
	now := c.Position
	root, err := rootOf(b.ctx, b.tx, r.workspace, to, forever-1)
	if err != nil {
		return err
	}
	moving := map[int64]domain.Position{r.ticket: r.opened}
	if root != r.ticket {
		found, err := b.tx.QueryContext(b.ctx, `SELECT own, conversation FROM cases WHERE workspace = ? AND number = ? AND to_position = ?`,
			r.workspace, r.ticket, int64(forever))
		if err != nil {
			return fmt.Errorf("link: %w", err)
		}
		defer found.Close()
		for found.Next() {
			var own int64
			var conversation domain.Position
			if err := found.Scan(&own, &conversation); err != nil {
				return fmt.Errorf("link: %w", err)
			}
			moving[own] = conversation
		}
		if err := errors.Join(found.Err(), found.Close()); err != nil {
			return fmt.Errorf("link: %w", err)
		}
	}
	for own, conversation := range moving {
		if err := b.move(r.workspace, own, conversation, root, now); err != nil {
			return err
		}
	}
	return nil
}

// move ends the interval of a conversation in one ticket and begins it in another.
func (b *batch) move(workspace string, own int64, conversation domain.Position, root int64, at domain.Position) error {
	for _, s := range []struct {
		query string
		args  []any
	}{
		{`DELETE FROM cases WHERE workspace = ? AND own = ? AND from_position = ?`, []any{workspace, own, int64(at)}},
		{`UPDATE cases SET to_position = ? WHERE workspace = ? AND own = ? AND to_position = ?`, []any{int64(at), workspace, own, int64(forever)}},
		{`INSERT INTO cases (workspace, own, from_position, to_position, number, conversation) VALUES (?, ?, ?, ?, ?, ?)`,
			[]any{workspace, own, int64(at), int64(forever), root, int64(conversation)}},
	} {
		if _, err := b.tx.ExecContext(b.ctx, s.query, s.args...); err != nil {
			return fmt.Errorf("link: %w", err)
		}
	}
	return nil
}

// ticket takes in what is said of a ticket by itself.
func (b *batch) ticket(c *domain.Commit) error {
	for _, e := range c.Events {
		e, ok := e.(ticket.Event)
		if !ok {
			return fmt.Errorf("commit %d of a ticket holds a %T", c.Position, e)
		}
		typ := ""
		switch e.(type) {
		case ticket.Opened:
			typ = "ticket_opened"
		case ticket.Changed:
			typ = "ticket_changed"
		default:
			continue // a number that was kept for one
		}
		d := ticket.DefinitionOf(e)
		if err := b.keep(c, typ, d); err != nil {
			return fmt.Errorf("ticket %d: %w", d.Number, err)
		}
	}
	return nil
}

// keep writes what a ticket is from this commit on.
func (b *batch) keep(c *domain.Commit, typ string, d ticket.Definition) error {
	w, opened := c.Aggregate.Workspace, millis(c.Time)
	err := b.tx.QueryRowContext(b.ctx, `SELECT opened_at FROM tickets WHERE workspace = ? AND number = ? AND to_position = ?`,
		w, d.Number, int64(forever)).Scan(&opened)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	if _, err := b.tx.ExecContext(b.ctx, `UPDATE tickets SET to_position = ? WHERE workspace = ? AND number = ? AND to_position = ?`,
		int64(c.Position), w, d.Number, int64(forever)); err != nil {
		return err
	}
	_, err = b.tx.ExecContext(b.ctx, `INSERT INTO tickets (workspace, number, from_position, to_position, requester, subject, opened_at, body,
		type, actor, via, time, recorded) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		w, d.Number, int64(c.Position), int64(forever), d.Requester, lowered(d.Subject), opened, string(body),
		typ, c.Actor.String(), c.Actor.Via, millis(c.Time), millis(c.Recorded))
	return err
}

// eraseTickets blanks what is said of the tickets of a requester, now and in the past.
func (b *batch) eraseTickets(workspace, requester string) error {
	found, err := b.tx.QueryContext(b.ctx, `SELECT number, from_position, body FROM tickets WHERE workspace = ? AND requester = ?`, workspace, requester)
	if err != nil {
		return fmt.Errorf("erase tickets: %w", err)
	}
	defer found.Close()
	type row struct {
		number, from int64
		body         []byte
	}
	var all []row
	for found.Next() {
		var r row
		if err := found.Scan(&r.number, &r.from, &r.body); err != nil {
			return fmt.Errorf("erase tickets: %w", err)
		}
		all = append(all, r)
	}
	if err := errors.Join(found.Err(), found.Close()); err != nil {
		return fmt.Errorf("erase tickets: %w", err)
	}
	for _, r := range all {
		var d ticket.Definition
		if err := json.Unmarshal(r.body, &d); err != nil {
			return fmt.Errorf("erase ticket %d: %w", r.number, err)
		}
		blank(reflect.ValueOf(&d).Elem())
		body, err := json.Marshal(d)
		if err != nil {
			return fmt.Errorf("erase ticket %d: %w", r.number, err)
		}
		if _, err := b.tx.ExecContext(b.ctx, `UPDATE tickets SET body = ?, subject = '' WHERE workspace = ? AND number = ? AND from_position = ?`,
			string(body), workspace, r.number, r.from); err != nil {
			return fmt.Errorf("erase ticket %d: %w", r.number, err)
		}
	}
	return nil
}

// TicketIndex is command.TicketIndex over this view.
type TicketIndex struct {
	queries *Queries
	wait    func(ctx context.Context, p domain.Position) error
}

// NewTicketIndex looks tickets up through q. wait returns once the projection has passed a position, or why it did not.
func NewTicketIndex(q *Queries, wait func(ctx context.Context, p domain.Position) error) *TicketIndex {
	return &TicketIndex{queries: q, wait: wait}
}

// FindTicket tells which ticket a number stands for, once the projection has passed upTo: one of which the viewer sees a
// conversation, or may know that it is open, or one without conversations.
func (x *TicketIndex) FindTicket(ctx context.Context, workspace string, v access.Viewer, number int64, upTo domain.Position) (root int64, found bool, err error) {
	if upTo > 0 {
		if err := x.wait(ctx, upTo); err != nil {
			return 0, false, fmt.Errorf("find ticket %d: %w", number, err)
		}
	}
	err = x.queries.read(ctx, workspace, v, 0, func(r *reading) error {
		root, err = rootOf(ctx, r.tx, workspace, number, r.asOf)
		if err != nil {
			return err
		}
		condition, args := r.ofTicket(root)
		serving, before := r.serving()
		rows, err := r.tx.QueryContext(ctx, `SELECT `+recordColumns+`, `+serving+` FROM conversations c WHERE c.workspace = ? AND `+condition,
			append(append(before, workspace), args...)...)
		if err != nil {
			return err
		}
		defer rows.Close()
		some := false
		for rows.Next() {
			var serves bool
			now, err := scanRecord(rows, &serves)
			if err != nil {
				return err
			}
			some = true
			found = found || r.sees(now, serves) || access.MayKnowOf(v, &now.sight, serves)
		}
		if err := rows.Err(); err != nil || some {
			return err
		}
		_, found, err = r.saidOf(root)
		return err
	})
	if err != nil {
		return 0, false, fmt.Errorf("find ticket %d: %w", number, err)
	}
	return root, found, nil
}
