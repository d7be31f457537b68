package stats

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

// Queries answers from the rows that the projection wrote. It is safe for concurrent use. Bad requests are answered with
// *domain.Refusal (unknown metric, period, time zone, grouping); a Position that the view has not reached with
// projections.ErrAhead.
type Queries struct {
	db    *sql.DB
	known known
}

// NewQueries answers from db.
func NewQueries(db *sql.DB) *Queries { return &Queries{db: db} }

// Position is how far the view has come.
func (q *Queries) Position(ctx context.Context) (domain.Position, error) {
	p, err := projections.PositionOf(ctx, q.db)
	if err != nil {
		return 0, fmt.Errorf("stats: %w", err)
	}
	return p, nil
}

// PositionAt is the largest position whose running maximum of `recorded` is not later than t: what `as_of=<time>` means. 0
// when the log began later. It is exact up to the view's own position.
func (q *Queries) PositionAt(ctx context.Context, t time.Time) (domain.Position, error) {
	tx, err := q.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return 0, fmt.Errorf("stats: read: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // reading only
	p, err := positionAt(ctx, tx, t.UnixMilli())
	if err != nil {
		return 0, fmt.Errorf("stats: %w", err)
	}
	return p, nil
}
