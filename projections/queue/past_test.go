package queue_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/queue"
	"github.com/turno-desk/turno/projections/viewtest"
)

// N3: of the queue.
func TestAsOfAnyOf200PositionsTheQueueIsWhatItWasThen(t *testing.T) {
	viewtest.Past(t, func() projections.Projection { return queue.New() },
		func(db *sql.DB, d *viewtest.Desk, asOf domain.Position, _ int) (any, error) {
			q := queue.NewQueries(db)
			q.Now = func() time.Time { return d.Now }
			// Rows are shown to whom the rights of now show them, so those of who sees all are compared.
			rows, err := q.List(context.Background(), "default", admin, queue.Filter{Archived: true, AsOf: asOf, Limit: 100})
			if err != nil {
				return nil, err
			}
			answers := []any{rows}
			for _, viewer := range viewers {
				counts, err := q.Queues(context.Background(), "default", viewer, asOf)
				if err != nil {
					return nil, err
				}
				for i := range counts.Items {
					clearWait(&counts.Items[i])
				}
				answers = append(answers, counts)
			}
			return answers, nil
		})
}
