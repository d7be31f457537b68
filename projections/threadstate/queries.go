package threadstate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/turno-desk/turno/domain/thread"
)

// Opener reads JSON whose personal fields are sealed.
type Opener interface {
	OpenState(ctx context.Context, data []byte, into any) error
}

// Queries gives the kept states back. Safe for concurrent use. It is what command.States asks for.
type Queries struct {
	db     *sql.DB
	opener Opener
}

// NewQueries reads the view behind db, a reading handle of the projection.
func NewQueries(db *sql.DB, opener Opener) *Queries { return &Queries{db: db, opener: opener} }

// ThreadState gives the state that is kept of a thread, as of its Version; found is false when none is.
func (q *Queries) ThreadState(ctx context.Context, workspace, threadID string) (s *thread.State, found bool, err error) {
	var data string
	err = q.db.QueryRowContext(ctx, `SELECT state FROM state WHERE workspace = ? AND thread = ?`, workspace, threadID).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read the kept state of thread %s: %w", threadID, err)
	}
	s = &thread.State{}
	if err := q.opener.OpenState(ctx, []byte(data), s); err != nil {
		return nil, false, fmt.Errorf("read the kept state of thread %s: %w", threadID, err)
	}
	return s, true, nil
}
