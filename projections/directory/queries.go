package directory

import (
	"context"
	"database/sql"
	"errors"

	"github.com/turno-desk/turno/domain"
)

// Name of the projection.
const Name = "directory"

// ErrCursor says that a cursor did not come from an answer to the same list.
var ErrCursor = errors.New("the cursor is not one of this list")

// Queries reads back and searches who and what there is. Conversations are not among it, so the access rule for them does
// not apply; who may read settings and contacts at all is the caller's to check. Safe for concurrent use.
type Queries struct{ db *sql.DB }

// NewQueries reads the view behind db, a reading handle of the projection.
func NewQueries(db *sql.DB) *Queries { return &Queries{db: db} }

// Contacts lists and searches contacts, the newest first.
func (q *Queries) Contacts(ctx context.Context, workspace string, f ContactFilter) (Page[Contact], error) {
	return Page[Contact]{}, errors.New("not built yet")
}

// Contact gives one with its annotations, oldest first.
func (q *Queries) Contact(ctx context.Context, workspace, id string) (c Contact, at domain.Position, found bool, err error) {
	return Contact{}, 0, false, errors.New("not built yet")
}

// Operators lists all by id, deactivated ones too.
func (q *Queries) Operators(ctx context.Context, workspace string, r Range) (Page[Operator], error) {
	return Page[Operator]{}, errors.New("not built yet")
}

// Operator gives one.
func (q *Queries) Operator(ctx context.Context, workspace, id string) (o Operator, at domain.Position, found bool, err error) {
	return Operator{}, 0, false, errors.New("not built yet")
}

// Departments lists all by id, retired ones too.
func (q *Queries) Departments(ctx context.Context, workspace string, r Range) (Page[Department], error) {
	return Page[Department]{}, errors.New("not built yet")
}

// Department gives one.
func (q *Queries) Department(ctx context.Context, workspace, id string) (d Department, at domain.Position, found bool, err error) {
	return Department{}, 0, false, errors.New("not built yet")
}

// Channels lists all by id, retired ones too.
func (q *Queries) Channels(ctx context.Context, workspace string, r Range) (Page[Channel], error) {
	return Page[Channel]{}, errors.New("not built yet")
}

// Channel gives one.
func (q *Queries) Channel(ctx context.Context, workspace, id string) (c Channel, at domain.Position, found bool, err error) {
	return Channel{}, 0, false, errors.New("not built yet")
}

// Tokens lists those of an owner ("operator:ana", "service:crm", "admin"), or all when owner is empty, by id.
func (q *Queries) Tokens(ctx context.Context, workspace, owner string, r Range) (Page[Token], error) {
	return Page[Token]{}, errors.New("not built yet")
}
