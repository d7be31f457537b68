package history

import (
	"context"
	"fmt"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/thread"
)

// Filter narrows a list. The zero value lets all pass; a field that is set must match.
type Filter struct {
	States     []string
	Department string
	Operator   string // owns it, or owned it at the close
	Contact    string // or one that it is merged with now
	Channel    string
	Tag        string
	Category   string
	Archived   *bool
	// From (inclusive) and To (exclusive) are about the close where States is exactly "closed", else about the opening.
	From, To time.Time
}

// none reports whether it narrows nothing.
func (f Filter) none() bool {
	return len(f.States) == 0 && f.Archived == nil && f.From.IsZero() && f.To.IsZero() &&
		f.Department+f.Operator+f.Contact+f.Channel+f.Tag+f.Category == ""
}

// byClose reports whether the list is about closes.
func (f Filter) byClose() bool { return len(f.States) == 1 && f.States[0] == thread.StateClosed }

// where is SQL for what the filter lets pass: c is the conversation, s holds what may have been otherwise at the position
// asOf. A category of the past is left to lets.
func (f Filter) where(s string, asOf domain.Position) (string, []any) {
	sql, args := "", []any{}
	and := func(condition string, values ...any) {
		sql += " AND " + condition
		args = append(args, values...)
	}
	if len(f.States) > 0 {
		and(s + ".state IN (" + marks(len(f.States)) + ")")
		for _, state := range f.States {
			args = append(args, state)
		}
	}
	if f.Department != "" {
		and(s+".department = ?", f.Department)
	}
	if f.Operator != "" {
		and("("+s+".owner = ? OR "+s+".owner_at_close = ?)", f.Operator, f.Operator)
	}
	if f.Archived != nil {
		and(s+".archived = ?", flag(*f.Archived))
	}
	if f.Contact != "" {
		and("c.person = "+personOf, f.Contact, f.Contact)
	}
	if f.Channel != "" {
		and("c.channel = ?", f.Channel)
	}
	if f.Category != "" && s == "c" {
		and("c.category = ?", f.Category)
	}
	if f.Tag != "" {
		and("EXISTS (SELECT 1 FROM tags WHERE conversation = c.opened AND tag = ? AND from_position <= ? AND to_position > ?)",
			f.Tag, int64(asOf), int64(asOf))
	}
	if !f.From.IsZero() {
		and(f.order(s)+" >= ?", millis(f.From))
	}
	if !f.To.IsZero() {
		and(f.order(s)+" < ?", millis(f.To))
	}
	return sql, args
}

// order is the column that the list is ordered by.
func (f Filter) order(s string) string {
	if f.byClose() {
		return s + ".closed_at"
	}
	return "c.opened_at"
}

// lets judges what where leaves to it.
func (f Filter) lets(r *record) bool { return f.Category == "" || r.category == f.Category }

// Conversations lists what the filter lets pass, newest first: by the close where the filter's States is exactly "closed",
// else by the opening. ErrCursor.
func (q *Queries) Conversations(ctx context.Context, workspace string, v access.Viewer, f Filter, cursor string, limit int, asOf domain.Position) (Page[Conversation], error) {
	var page Page[Conversation]
	err := q.read(ctx, workspace, v, asOf, func(r *reading) error {
		records, next, err := r.list(f, cursor, capped(limit))
		if err != nil {
			return err
		}
		page = Page[Conversation]{Items: make([]Conversation, 0, len(records)), Next: next, HasMore: next != "", Position: r.asOf}
		for _, rec := range records {
			page.Items = append(page.Items, rec.answer())
		}
		return nil
	})
	return page, err
}

// list reads one page, and the cursor of the next when there is one.
func (r *reading) list(f Filter, from string, limit int) ([]*record, string, error) {
	name := "opened"
	if f.byClose() {
		name = "closed"
	}
	when, opened, more, err := readCursor(name, from)
	if err != nil {
		return nil, "", err
	}
	var page []*record
	for {
		// One more than the page holds tells whether another one follows. What the SQL lets through and the rule does not
		// is made up for by reading on.
		batch, err := r.listed(f, when, opened, more, limit+1)
		if err != nil {
			return nil, "", err
		}
		for _, l := range batch {
			when, opened, more = l.when, int64(l.opened), true
			if l.record == nil {
				continue
			}
			if len(page) == limit {
				last := page[limit-1]
				return page, cursor(name, last.when(f), int64(last.opened)), nil
			}
			page = append(page, l.record)
		}
		if len(batch) <= limit {
			return page, "", nil
		}
	}
}

// when is the time that the list is ordered by.
func (r *record) when(f Filter) int64 {
	if f.byClose() {
		return r.closedAt
	}
	return r.openedAt
}

// listed is a row of a list: its key, and the record when it is part of it.
type listed struct {
	when   int64
	opened domain.Position
	record *record
}

// listed reads up to n rows behind the key (when, opened).
func (r *reading) listed(f Filter, when, opened int64, more bool, n int) ([]listed, error) {
	from, s := "conversations c", "c"
	var args []any
	serving, servingArgs := r.serving()
	args = append(args, servingArgs...)
	if r.past() {
		from, s = "conversations c JOIN sights h ON h.conversation = c.opened AND h.from_position <= ? AND h.to_position > ?", "h"
		args = append(args, int64(r.asOf), int64(r.asOf))
	}
	rule, ruleArgs := r.where()
	narrow, narrowArgs := f.where(s, r.asOf)
	args = append(append(append(args, r.workspace), ruleArgs...), narrowArgs...)
	order := f.order(s)
	where := " WHERE c.workspace = ? AND " + rule + narrow
	if f.byClose() {
		where += " AND " + order + " > 0"
	}
	if more {
		where += " AND (" + order + ", c.opened) < (?, ?)"
		args = append(args, when, opened)
	}
	found, err := r.tx.QueryContext(r.ctx, "SELECT "+recordColumns+", "+serving+", "+order+" FROM "+from+where+
		" ORDER BY "+order+" DESC, c.opened DESC LIMIT ?", append(args, n)...)
	if err != nil {
		return nil, fmt.Errorf("history: list: %w", err)
	}
	defer found.Close()
	var page []listed
	for found.Next() {
		var (
			l      listed
			serves bool
		)
		now, err := scanRecord(found, &serves, &l.when)
		if err != nil {
			return nil, fmt.Errorf("history: list: %w", err)
		}
		l.opened = now.opened
		if r.sees(now, serves) {
			l.record = now
		}
		page = append(page, l)
	}
	if err := found.Err(); err != nil {
		return nil, fmt.Errorf("history: list: %w", err)
	}
	// The past is folded after the rows were read to their end: the connection does one thing at a time.
	for i := range page {
		if page[i].record == nil {
			continue
		}
		then, err := r.then(page[i].record)
		if err != nil {
			return nil, err
		}
		if then != nil && !f.lets(then) {
			then = nil
		}
		page[i].record = then
	}
	return page, nil
}
