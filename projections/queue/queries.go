package queue

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
)

// Name of the projection.
const Name = "queue"

// ErrCursor says that a cursor did not come from an answer to the same list.
var ErrCursor = errors.New("the cursor is not one of this list")

// ErrAhead says that AsOf is beyond what the view has seen.
var ErrAhead = errors.New("the view has not come that far")

// Queries answers what people look at: the state lists. Safe for concurrent use.
type Queries struct {
	db *sql.DB
	// Now is the clock that a wait is measured with when no position is asked for.
	Now func() time.Time
}

// NewQueries reads the view behind db, a reading handle of the projection.
func NewQueries(db *sql.DB) *Queries { return &Queries{db: db, Now: time.Now} }

// Queues counts the conversations of every department that v may see, by state; archived and hidden ones are left out.
// Departments without any are not named. With asOf, the counts are of that position, by what v's role and departments
// would have shown then; 0 is now.
func (q *Queries) Queues(ctx context.Context, workspace string, v access.Viewer, asOf domain.Position) (Departments, error) {
	return Departments{}, errors.New("not built yet")
}

// List gives the conversations that v may see, in order: those that wait by the time they entered, oldest first; all
// others unread ones first, then by the newest activity. When more than one state is asked for, the order of the states
// is waiting, out_of_hours, bot, attending, paused, closed. A cursor names the position of its list's first page: the
// pages of one list show one moment. What v may not see today is left out, whatever was so at that position.
func (q *Queries) List(ctx context.Context, workspace string, v access.Viewer, f Filter) (Page, error) {
	return Page{}, errors.New("not built yet")
}

// Conversation gives one conversation; found is false when there is none, or none that v may see.
func (q *Queries) Conversation(ctx context.Context, workspace string, v access.Viewer, id string, asOf domain.Position) (row Row, at domain.Position, found bool, err error) {
	return Row{}, 0, false, errors.New("not built yet")
}

// RowsAt gives those of the conversations that v may see, by id.
func (q *Queries) RowsAt(ctx context.Context, workspace string, v access.Viewer, ids []string, asOf domain.Position) (rows map[string]Row, at domain.Position, err error) {
	return nil, 0, errors.New("not built yet")
}

// Owned gives the open conversations that the operator has, for whoever ends the operator's access. No viewer: it is
// never shown.
func (q *Queries) Owned(ctx context.Context, workspace, operator string) (owned []Owned, at domain.Position, err error) {
	return nil, 0, errors.New("not built yet")
}
