package queue

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

// found is a row with what the access rule wants to know.
type found struct {
	Row
	conv  int64
	sight domain.Sight
}

// after is the first place beyond the snapshot's position.
func (s snapshot) after() int64 { return place(int64(s.position)+1, 0) }

// byID reads the conversations, as they were at the snapshot's position. Unknown ids are passed by.
func (s snapshot) byID(ctx context.Context, workspace string, ids []string) ([]found, error) {
	var intervals []int64
	stmt, err := s.PrepareContext(ctx, `SELECT i.from_position FROM conversation c JOIN interval i ON i.conv = c.conv
		WHERE c.workspace = ? AND c.id = ? AND i.from_position <= ? ORDER BY i.from_position DESC LIMIT 1`)
	if err != nil {
		return nil, fmt.Errorf("find conversations: %w", err)
	}
	defer stmt.Close()
	for _, id := range ids {
		var from int64
		err := stmt.QueryRowContext(ctx, workspace, id, int64(s.position)).Scan(&from)
		if err == sql.ErrNoRows { //nolint:errorlint // Scan returns it bare
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("find conversations: %w", err)
		}
		intervals = append(intervals, from)
	}
	return s.read(ctx, intervals)
}

// read gives the rows of the intervals, in the order in which they are asked for.
func (s snapshot) read(ctx context.Context, intervals []int64) ([]found, error) {
	all := make([]found, 0, len(intervals))
	const most = 200
	for len(intervals) > 0 {
		n := min(most, len(intervals))
		part, err := s.readSome(ctx, intervals[:n])
		if err != nil {
			return nil, err
		}
		for _, from := range intervals[:n] {
			if r, ok := part[from]; ok {
				all = append(all, r)
			}
		}
		intervals = intervals[n:]
	}
	return all, nil
}

func (s snapshot) readSome(ctx context.Context, intervals []int64) (map[int64]found, error) {
	args := make([]any, 0, len(intervals)+1)
	args = append(args, s.after())
	for _, from := range intervals {
		args = append(args, from)
	}
	rows, err := s.QueryContext(ctx, `SELECT i.from_position, i.conv, i.department, i.state, i.since, i.owner, i.owner_at_close,
			i.archived, i.hidden, i.mentioned, i.tags, i.paused_until, i.offered_to, i.offered_until, i.alerts,
			c.id, c.ticket, c.contact, c.name, c.address, c.channel, c.direction, c.opened_at,
			m.place, m.unread, m.waiting_since, m.line,
			coalesce(l.direction, ''), coalesce(l.kind, ''), coalesce(l.number, 0), coalesce(l.preview, ''), coalesce(l.at, 0)
		FROM interval i JOIN conversation c ON c.conv = i.conv
		JOIN moment m ON m.conv = i.conv
			AND m.place = (SELECT place FROM moment WHERE conv = i.conv AND place < ?1 ORDER BY place DESC LIMIT 1)
		LEFT JOIN moment l ON l.conv = i.conv AND l.place = m.line
		WHERE i.from_position IN (?`+strings.Repeat(", ?", len(intervals)-1)+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("read rows of the queue: %w", err)
	}
	defer rows.Close()
	all := make(map[int64]found, len(intervals))
	for rows.Next() {
		from, r, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read rows of the queue: %w", err)
		}
		all[from] = r
	}
	return all, rows.Err()
}

func scan(rows *sql.Rows) (from int64, r found, err error) {
	var since, pausedUntil, offeredUntil, openedAt, newest, waitingSince, line, lineAt int64
	var mentioned, tags, offeredTo, alerts string
	var l Line
	var number int
	err = rows.Scan(&from, &r.conv, &r.Department, &r.State, &since, &r.Operator, &r.OwnerAtClose,
		&r.Archived, &r.Hidden, &mentioned, &tags, &pausedUntil, &offeredTo, &offeredUntil, &alerts,
		&r.ID, &r.Ticket, &r.Contact.ID, &r.Contact.Name, &r.Contact.Address, &r.Channel, &r.Direction, &openedAt,
		&newest, &r.Unread, &waitingSince, &line,
		&l.Direction, &l.Kind, &number, &l.Text, &lineAt)
	if err != nil {
		return 0, r, err
	}
	r.Tags, r.Since, r.OpenedAt = split(tags), projections.Millis(since), projections.Millis(openedAt)
	r.PausedUntil, r.WaitingSince = projections.MillisOrNil(pausedUntil), projections.MillisOrNil(waitingSince)
	r.Revision = domain.Position(newest >> placeBits)
	if offeredUntil != 0 {
		r.Offered = &Offered{Operators: split(offeredTo), Until: projections.Millis(offeredUntil)}
	}
	if alerts != "" {
		if err := json.Unmarshal([]byte(alerts), &r.Alerts); err != nil {
			return 0, r, fmt.Errorf("alerts: %w", err)
		}
	}
	if mentioned != "" {
		r.Mentioned = split(mentioned)
	}
	if line != 0 {
		l.Message, l.At = r.ID+"-m"+strconv.Itoa(number), projections.Millis(lineAt)
		r.LastLine = &l
	}
	r.sight = domain.Sight{
		State: r.State, Department: r.Department, Owner: r.Operator, OwnerAtClose: r.OwnerAtClose,
		Mentioned: r.Mentioned, Archived: r.Archived, Hidden: r.Hidden,
	}
	return from, r, nil
}

// today is what the access rule wants to know of a conversation as it is now, whatever position is asked for.
func (s snapshot) today(ctx context.Context, conv int64) (domain.Sight, error) {
	var sight domain.Sight
	var mentioned string
	err := s.QueryRowContext(ctx, `SELECT department, state, owner, owner_at_close, archived, hidden, mentioned
		FROM interval WHERE conv = ? ORDER BY from_position DESC LIMIT 1`, conv).
		Scan(&sight.Department, &sight.State, &sight.Owner, &sight.OwnerAtClose, &sight.Archived, &sight.Hidden, &mentioned)
	if err != nil {
		return sight, fmt.Errorf("read what a conversation is today: %w", err)
	}
	sight.Mentioned = split(mentioned)
	return sight, nil
}
