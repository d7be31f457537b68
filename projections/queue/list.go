package queue

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/thread"
)

// Lengths of a page.
const (
	usualPage = 50
	mostPage  = 200
)

// List gives the open conversations that v may see, in order: those that wait by the time they entered the state, oldest
// first; attended and paused ones unread first, then by the newest activity. Where more than one state is asked for they
// follow each other as in States. A cursor names the position of its list's first page: the pages of one list show one
// moment. What v may not see today is left out, whatever was so at that position. Errors: ErrCursor, ErrAhead, ErrState.
func (q *Queries) List(ctx context.Context, workspace string, v access.Viewer, f Filter) (Page, error) {
	states, err := f.states()
	if err != nil {
		return Page{}, err
	}
	from, asOf := mark{}, f.AsOf
	if f.Cursor != "" {
		if from, err = f.resume(workspace); err != nil {
			return Page{}, err
		}
		asOf = from.Position
	}
	s, err := q.at(ctx, asOf)
	if err != nil {
		return Page{}, err
	}
	defer s.Rollback() //nolint:errcheck // reading only

	limit := f.limit()
	l := lister{snapshot: s, workspace: workspace, viewer: v, filter: f, limit: limit + 1}
	for i, state := range states {
		if i < from.State || len(l.keys) > limit {
			continue
		}
		after := mark{State: i}
		if i == from.State {
			after = from
		}
		if err := l.add(ctx, i, state, after); err != nil {
			return Page{}, err
		}
	}
	page := Page{Items: []Row{}, Position: s.position}
	if len(l.keys) > limit {
		l.keys = l.keys[:limit]
		page.HasMore = true
		page.Next = f.cursor(workspace, s.position, l.keys[limit-1])
	}
	intervals := make([]int64, len(l.keys))
	for i, k := range l.keys {
		intervals[i] = k.interval
	}
	rows, err := s.read(ctx, intervals)
	if err != nil {
		return Page{}, err
	}
	for _, r := range rows {
		page.Items = append(page.Items, r.Row)
	}
	return page, nil
}

func (f Filter) limit() int {
	switch {
	case f.Limit <= 0:
		return usualPage
	case f.Limit > mostPage:
		return mostPage
	}
	return f.Limit
}

// states are those asked for, in the order of States.
func (f Filter) states() ([]string, error) {
	if len(f.States) == 0 {
		return States, nil
	}
	for _, s := range f.States {
		if !slices.Contains(States, s) {
			return nil, fmt.Errorf("%w, not %q", ErrState, s)
		}
	}
	return slices.DeleteFunc(slices.Clone(States), func(s string) bool { return !slices.Contains(f.States, s) }), nil
}

// key is a place in a list.
type key struct {
	state    int  // index in the list's states
	read     bool // nothing unread; false where the order does not ask
	order    int64
	conv     int64
	interval int64
}

func compare(a, b key) int {
	return cmp.Or(cmp.Compare(a.state, b.state), compareBool(a.read, b.read), cmp.Compare(a.order, b.order), cmp.Compare(a.conv, b.conv))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// lister collects the keys of a page.
type lister struct {
	snapshot
	workspace string
	viewer    access.Viewer
	filter    Filter
	limit     int
	keys      []key
}

// add appends the keys of one state that come after a mark.
func (l *lister) add(ctx context.Context, index int, state string, after mark) error {
	where, args := l.where(state)
	active := state == thread.StateAttending || state == thread.StatePaused
	from, read, order, by := `interval i`, `0`, `i.since`, `i.since, i.conv`
	if active {
		from += ` JOIN moment m ON m.conv = i.conv
				AND m.place = (SELECT place FROM moment WHERE conv = i.conv AND place < ? ORDER BY place DESC LIMIT 1)
			LEFT JOIN moment l ON l.conv = i.conv AND l.place = m.line`
		read, order, by = `m.unread = 0`, `-CASE WHEN l.at > i.since THEN l.at ELSE i.since END`, `7, 8, i.conv`
		args = append([]any{l.after()}, args...)
	} else if after.Conv != 0 {
		where += ` AND i.since >= ?`
		args = append(args, after.Order)
	}
	rows, err := l.QueryContext(ctx, `SELECT i.from_position, i.conv, i.department, i.owner, i.hidden, i.mentioned, `+read+`, `+order+`
		FROM `+from+` WHERE `+where+` ORDER BY `+by, args...)
	if err != nil {
		return fmt.Errorf("list the queue: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		k := key{state: index}
		sight := domain.Sight{State: state}
		var mentioned string
		if err := rows.Scan(&k.interval, &k.conv, &sight.Department, &sight.Owner, &sight.Hidden, &mentioned, &k.read, &k.order); err != nil {
			return fmt.Errorf("list the queue: %w", err)
		}
		if after.Conv != 0 && compare(k, after.key()) <= 0 {
			continue
		}
		sight.Mentioned = split(mentioned)
		shown, err := l.shown(ctx, found{conv: k.conv, sight: sight}, func(s *domain.Sight) bool { return access.MaySee(l.viewer, s) })
		if err != nil {
			return err
		}
		if !shown {
			continue
		}
		if l.keys = append(l.keys, k); len(l.keys) == l.limit {
			return nil
		}
	}
	return rows.Err()
}

// literally makes a text stand for itself in a pattern.
var literally = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func (l *lister) where(state string) (string, []any) {
	where, args := l.current(l.workspace)
	conditions := []string{where, `i.state = ?`}
	args = append(args, state)
	add := func(condition string, arg any) {
		conditions = append(conditions, condition)
		args = append(args, arg)
	}
	if l.filter.Department != "" {
		add(`i.department = ?`, l.filter.Department)
	}
	if l.filter.Operator != "" {
		add(`i.owner <> '' AND i.owner = ?`, l.filter.Operator)
	}
	if l.filter.Contact != "" {
		add(`(SELECT contact FROM conversation c WHERE c.conv = i.conv) = ?`, l.filter.Contact)
	}
	if l.filter.OfferedTo != "" {
		add(`i.offered_until <> 0 AND ',' || i.offered_to || ',' LIKE ? ESCAPE '\'`, "%,"+literally.Replace(l.filter.OfferedTo)+",%")
	}
	if !l.filter.Archived {
		conditions = append(conditions, `(i.archived = 0 OR i.owner = '')`)
	}
	return strings.Join(conditions, ` AND `), args
}
