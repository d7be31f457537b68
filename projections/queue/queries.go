package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

// Errors of questions that can't be answered as they are.
var (
	// ErrCursor says that a cursor did not come from an answer to the same list.
	ErrCursor = errors.New("the cursor is not one of this list")
	// ErrAhead says that a position was asked for that the view has not come to.
	ErrAhead = errors.New("the view has not come that far")
	// ErrState says that a list of something else than the states of open conversations was asked for. The closed ones are
	// the history's.
	ErrState = errors.New("want states of open conversations")
)

// States are the states that have a list, in the order in which they are listed.
var States = []string{
	thread.StateWaiting, thread.StateOutOfHours, thread.StateBot, thread.StateAttending, thread.StatePaused,
}

// Queries answers what people look at: the state lists. Safe for concurrent use.
type Queries struct {
	db *sql.DB
	// Now is the clock that a wait is measured with when no position is asked for.
	Now func() time.Time
}

// NewQueries reads the view behind db, a reading handle of the projection.
func NewQueries(db *sql.DB) *Queries { return &Queries{db: db, Now: time.Now} }

// snapshot is what a question is asked for: a snapshot of the view, and a position in it.
type snapshot struct {
	*sql.Tx
	position domain.Position // that the answer is of
	newest   domain.Position // that the view has come to
}

// past reports whether the answer is about another position than the view's.
func (s snapshot) past() bool { return s.position != s.newest }

// at takes a snapshot. The caller rolls it back.
func (q *Queries) at(ctx context.Context, asOf domain.Position) (snapshot, error) {
	tx, err := q.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return snapshot{}, fmt.Errorf("read the queue: %w", err)
	}
	newest, err := projections.PositionOf(ctx, tx)
	if err == nil && asOf > newest {
		err = fmt.Errorf("%w: it is at %d, and %d was asked for", ErrAhead, newest, asOf)
	}
	if err != nil {
		tx.Rollback() //nolint:errcheck // reading only
		return snapshot{}, err
	}
	s := snapshot{Tx: tx, position: asOf, newest: newest}
	if asOf == 0 {
		s.position = newest
	}
	return s, nil
}

// Queues counts the conversations of every department that v may see, by state; archived ones that have an owner are left
// out: it is from the owner's list that the archive hides, and who waits for one must not be forgotten. Departments
// without any are not named. With asOf, the counts are of that position, by what v's role and departments would have shown
// then; 0 is now.
func (q *Queries) Queues(ctx context.Context, workspace string, v access.Viewer, asOf domain.Position) (Departments, error) {
	s, err := q.at(ctx, asOf)
	if err != nil {
		return Departments{}, err
	}
	defer s.Rollback() //nolint:errcheck // reading only
	now := q.Now()
	if asOf != 0 {
		if now, err = projections.Now(ctx, s, s.position); err != nil {
			return Departments{}, err
		}
	}
	where, args := s.current(workspace)
	rows, err := s.QueryContext(ctx, `SELECT i.department, i.state, i.owner, i.mentioned, i.hidden, count(*), min(i.since)
		FROM interval i WHERE `+where+` AND (i.archived = 0 OR i.owner = '')
		GROUP BY i.department, i.state, i.owner, i.mentioned, i.hidden ORDER BY i.department`, args...)
	if err != nil {
		return Departments{}, fmt.Errorf("count the queue: %w", err)
	}
	defer rows.Close()
	answer := Departments{Items: []Department{}, Position: s.position}
	for rows.Next() {
		var sight domain.Sight
		var mentioned string
		var n int
		var since int64
		if err := rows.Scan(&sight.Department, &sight.State, &sight.Owner, &mentioned, &sight.Hidden, &n, &since); err != nil {
			return Departments{}, fmt.Errorf("count the queue: %w", err)
		}
		sight.Mentioned = split(mentioned)
		if !access.MaySee(v, &sight) {
			continue
		}
		last := len(answer.Items) - 1
		if last < 0 || answer.Items[last].Department != sight.Department {
			answer.Items = append(answer.Items, newDepartment(sight.Department))
			last++
		}
		answer.Items[last].add(sight.State, n, since, now)
	}
	return answer, rows.Err()
}

func newDepartment(id string) Department {
	d := Department{Department: id, Counts: make(map[string]int, len(States))}
	for _, state := range States {
		d.Counts[state] = 0
	}
	return d
}

func (d *Department) add(state string, n int, since int64, now time.Time) {
	d.Counts[state] += n
	if state != thread.StateWaiting && state != thread.StateOutOfHours {
		return
	}
	if d.WaitingSince != nil && d.WaitingSince.UnixMilli() <= since {
		return
	}
	d.WaitingSince = projections.MillisOrNil(since)
	wait := float64(max(0, now.UnixMilli()-since)) / 1000
	d.LongestWait = &wait
}

// current is the condition that an interval i is of an open conversation of the workspace, at the snapshot's position.
func (s snapshot) current(workspace string) (where string, args []any) {
	switch {
	case !s.past():
		return `i.workspace = ? AND i.to_position IS NULL AND i.state <> 'closed'`, []any{workspace}
	case s.position > s.newest/2:
		// Few have ended since: the index on their ends finds them, and the one on open ones the rest.
		return `i.from_position IN (
			SELECT from_position FROM interval WHERE workspace = ? AND to_position IS NULL AND state <> 'closed' AND +from_position <= ?
			UNION ALL
			SELECT from_position FROM interval WHERE to_position > ? AND workspace = ? AND state <> 'closed' AND +from_position <= ?)`,
			[]any{workspace, int64(s.position), int64(s.position), workspace, int64(s.position)}
	default:
		return `i.from_position <= ? AND (+i.to_position IS NULL OR +i.to_position > ?) AND i.workspace || '' = ? AND i.state <> 'closed'`,
			[]any{int64(s.position), int64(s.position), workspace}
	}
}

// Conversation gives one conversation; found is false when there is none, or none that v may see: also as one of the
// contact whom v serves now.
func (q *Queries) Conversation(ctx context.Context, workspace string, v access.Viewer, id string, asOf domain.Position) (row Row, at domain.Position, found bool, err error) {
	s, err := q.at(ctx, asOf)
	if err != nil {
		return Row{}, 0, false, err
	}
	defer s.Rollback() //nolint:errcheck // reading only
	rows, err := s.byID(ctx, workspace, []string{id})
	if err != nil || len(rows) == 0 {
		return Row{}, s.position, false, err
	}
	shown := func(sight *domain.Sight) bool { return access.MaySee(v, sight) }
	if ok, err := s.shown(ctx, rows[0], shown); err != nil || ok {
		return rows[0].Row, s.position, ok, err
	}
	serving, err := s.serves(ctx, workspace, v.Operator, rows[0].Contact.ID)
	if err != nil {
		return Row{}, s.position, false, err
	}
	ok, err := s.shown(ctx, rows[0], func(sight *domain.Sight) bool { return access.MaySeeServing(v, sight, serving) })
	if err != nil || !ok {
		return Row{}, s.position, false, err
	}
	return rows[0].Row, s.position, true, nil
}

// serves reports whether the operator has an attended or paused conversation of the contact now.
func (s snapshot) serves(ctx context.Context, workspace, operator, contact string) (bool, error) {
	if operator == "" {
		return false, nil
	}
	var yes bool
	err := s.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM interval i JOIN conversation c ON c.conv = i.conv
		WHERE i.workspace = ? AND i.owner = ? AND i.owner <> '' AND i.to_position IS NULL AND c.contact = ?)`,
		workspace, operator, contact).Scan(&yes)
	if err != nil {
		return false, fmt.Errorf("look up whom the operator serves: %w", err)
	}
	return yes, nil
}

// RowsAt gives those of the conversations that v may see, by id. What v sees only because of serving the contact is not
// among them: this is for pushes.
func (q *Queries) RowsAt(ctx context.Context, workspace string, v access.Viewer, ids []string, asOf domain.Position) (rows map[string]Row, at domain.Position, err error) {
	s, err := q.at(ctx, asOf)
	if err != nil {
		return nil, 0, err
	}
	defer s.Rollback() //nolint:errcheck // reading only
	all, err := s.byID(ctx, workspace, ids)
	if err != nil {
		return nil, 0, err
	}
	rows = make(map[string]Row, len(all))
	for _, r := range all {
		ok, err := s.shown(ctx, r, func(sight *domain.Sight) bool { return access.MaySee(v, sight) })
		if err != nil {
			return nil, 0, err
		}
		if ok {
			rows[r.ID] = r.Row
		}
	}
	return rows, s.position, nil
}

// shown reports whether the rule shows the row, by what the conversation was then and by what it is today.
func (s snapshot) shown(ctx context.Context, r found, rule func(*domain.Sight) bool) (bool, error) {
	if !rule(&r.sight) {
		return false, nil
	}
	if !s.past() {
		return true, nil
	}
	today, err := s.today(ctx, r.conv)
	if err != nil {
		return false, err
	}
	return rule(&today), nil
}
