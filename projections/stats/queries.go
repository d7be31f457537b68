package stats

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/turno-desk/turno/domain"
)

// Queries answers from the rows that the projection wrote. It is safe for concurrent use. Bad requests are answered with
// *domain.Refusal (unknown metric, period, time zone, grouping); a Position that the view has not reached with
// projections.ErrAhead.
type Queries struct{ db *sql.DB }

// NewQueries answers from db.
func NewQueries(db *sql.DB) *Queries { return &Queries{db: db} }

var errInTheMaking = errors.New("stats: in the making")

// Report computes metrics over a period.
func (q *Queries) Report(ctx context.Context, workspace string, s Scope, r Request) (Report, error) {
	return Report{}, errInTheMaking
}

// Samples lists what a number was counted from.
func (q *Queries) Samples(ctx context.Context, workspace string, s Scope, r SamplesRequest) (Samples, error) {
	return Samples{}, errInTheMaking
}

// Live tells how things stand.
func (q *Queries) Live(ctx context.Context, workspace string, s Scope, r LiveRequest) (Live, error) {
	return Live{}, errInTheMaking
}

// Presence tells when an operator was there. A scope that does not see the operator gets CodeNotFound.
func (q *Queries) Presence(ctx context.Context, workspace string, s Scope, r PresenceRequest) (Presence, error) {
	return Presence{}, errInTheMaking
}

// Position is how far the view has come.
func (q *Queries) Position(ctx context.Context) (domain.Position, error) { return 0, errInTheMaking }

// PositionAt is the largest position whose running maximum of `recorded` is not later than t: what `as_of=<time>` means.
func (q *Queries) PositionAt(ctx context.Context, t time.Time) (domain.Position, error) {
	return 0, errInTheMaking
}
