package viewtest

import (
	"context"
	"testing"

	"github.com/turno-desk/turno/adapters/sqlstore"
	"github.com/turno-desk/turno/projections"
)

// CatchUp measures how fast a projection builds its view of n dialogues, `open` of them at a time, on SQLite.
func CatchUp(b *testing.B, p projections.Projection, n, open int) {
	log := NewLog("bench")
	NewDesk(log, 1).Dialogues(n, open)
	commits, events := 0, 0
	for _, c := range log.Commits() {
		commits++
		events += len(c.Events)
	}
	b.ResetTimer()
	for range b.N {
		store, err := sqlstore.Open(b.TempDir(), sqlstore.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := projections.NewRunner(log, store, p, nil, projections.Options{}).RunToHead(context.Background()); err != nil {
			b.Fatal(err)
		}
		if err := store.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(events)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(commits)*float64(b.N)/b.Elapsed().Seconds(), "commits/s")
}
