package queue

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

const stateClosed = thread.StateClosed

// conversation is what the fold remembers of one.
type conversation struct {
	conv      int64
	workspace string
	now       interval
	written   bool // the table has the row of now, as current
	touched   bool // now awaits being written

	messages     int   // so far
	unread       []int // numbers of the contact's messages that nobody has read or answered
	waitingSince int64
	line         int64 // place of the newest message
}

// interval is what a conversation is from a position on. It is comparable: lists are joined.
type interval struct {
	from        int64
	department  string
	state       string
	since       int64
	owner       string
	ownerAtEnd  string
	archived    bool
	hidden      bool
	mentioned   string
	tags        string
	pausedUntil int64

	offeredTo    string
	offeredUntil int64
	alerts       string
}

// moved forgets what holds only until a conversation moves.
func (i *interval) moved() {
	i.pausedUntil, i.offeredTo, i.offeredUntil, i.alerts = 0, "", 0, ""
}

// same reports whether both say the same, whenever they began.
func (i interval) same(o interval) bool {
	i.from, o.from = 0, 0
	return i == o
}

// see takes over what the commit says of the conversation's sight.
func (i *interval) see(s *domain.Sight) {
	i.department, i.state, i.owner, i.ownerAtEnd = s.Department, s.State, s.Owner, s.OwnerAtClose
	i.archived, i.hidden, i.mentioned = s.Archived, s.Hidden, join(s.Mentioned)
}

// join makes one text of ids, which hold no comma.
func join(ids []string) string { return strings.Join(ids, ",") }

// split undoes join; it gives an empty list for "".
func split(ids string) []string {
	if ids == "" {
		return []string{}
	}
	return strings.Split(ids, ",")
}

var intervalColumns = []string{
	"from_position", "to_position", "conv", "workspace", "department", "state", "since", "owner", "owner_at_close",
	"archived", "hidden", "mentioned", "tags", "paused_until", "offered_to", "offered_until", "alerts",
}

func (i interval) values(c *conversation, to any) []any {
	return []any{
		i.from, to, c.conv, c.workspace, i.department, i.state, i.since, i.owner, i.ownerAtEnd,
		i.archived, i.hidden, i.mentioned, i.tags, i.pausedUntil, i.offeredTo, i.offeredUntil, i.alerts,
	}
}

// find gives the conversation that was opened at conv, from memory or from the tables.
func (b *batch) find(conv int64) (*conversation, error) {
	if c := b.p.open[conv]; c != nil {
		return c, nil
	}
	c, err := load(b.ctx, b.tx, conv)
	if err != nil {
		return nil, err
	}
	b.p.open[conv] = c
	if c.now.state == stateClosed {
		b.closed = append(b.closed, conv)
	}
	return c, nil
}

func load(ctx context.Context, tx *sql.Tx, conv int64) (*conversation, error) {
	c := &conversation{conv: conv, written: true}
	var unread int
	i := &c.now
	err := tx.QueryRowContext(ctx, `SELECT i.workspace, i.from_position, i.department, i.state, i.since, i.owner, i.owner_at_close,
			i.archived, i.hidden, i.mentioned, i.tags, i.paused_until, i.offered_to, i.offered_until, i.alerts,
			m.unread, m.waiting_since, m.line, (SELECT count(*) FROM moment WHERE conv = ?1 AND direction <> '')
		FROM interval i JOIN moment m ON m.conv = i.conv
			AND m.place = (SELECT place FROM moment WHERE conv = ?1 ORDER BY place DESC LIMIT 1)
		WHERE i.from_position = (SELECT from_position FROM interval WHERE conv = ?1 ORDER BY from_position DESC LIMIT 1)`, conv).
		Scan(&c.workspace, &i.from, &i.department, &i.state, &i.since, &i.owner, &i.ownerAtEnd,
			&i.archived, &i.hidden, &i.mentioned, &i.tags, &i.pausedUntil, &i.offeredTo, &i.offeredUntil, &i.alerts, &unread, &c.waitingSince, &c.line, &c.messages)
	if err != nil {
		return nil, fmt.Errorf("read the conversation opened at %d: %w", conv, err)
	}
	if unread == 0 {
		return c, nil
	}
	// Those that nobody has read are always the contact's newest.
	rows, err := tx.QueryContext(ctx, `SELECT number FROM (SELECT number FROM moment WHERE conv = ? AND direction = 'in'
		ORDER BY place DESC LIMIT ?) AS newest ORDER BY number`, conv, unread)
	if err != nil {
		return nil, fmt.Errorf("read unread messages of the conversation opened at %d: %w", conv, err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int
		if err := rows.Scan(&n); err != nil {
			return nil, fmt.Errorf("read unread messages of the conversation opened at %d: %w", conv, err)
		}
		c.unread = append(c.unread, n)
	}
	return c, rows.Err()
}
