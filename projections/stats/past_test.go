package stats

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/viewtest"
)

// N3: of statistics.
func TestAsOfAnyOf200PositionsStatisticsAreWhatTheyWereThen(t *testing.T) {
	began := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	viewtest.Past(t, func() projections.Projection { return New() },
		func(db *sql.DB, d *viewtest.Desk, asOf domain.Position, at int) (any, error) {
			ctx, q := context.Background(), NewQueries(db)
			live, err := q.Live(ctx, d.Workspace, all, LiveRequest{Position: asOf})
			if err != nil {
				return nil, err
			}
			asks := requests(began, began.Add(24*time.Hour))
			ask := asks[at%len(asks)]
			ask.Position = asOf
			first := at % len(ask.Metrics)
			ask.Metrics = ask.Metrics[first:min(first+3, len(ask.Metrics))]
			report, err := q.Report(ctx, d.Workspace, all, ask)
			if err != nil {
				return nil, err
			}
			there, err := q.Presence(ctx, d.Workspace, all, PresenceRequest{Operator: "ana", From: began, To: began.Add(24 * time.Hour), TZ: "UTC", Position: asOf})
			if err != nil {
				return nil, err
			}
			return []any{live, report, there}, nil
		})
}
