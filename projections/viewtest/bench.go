package viewtest

import (
	"context"
	"testing"

	"github.com/turno-desk/turno/adapters/sqlstore"
	"github.com/turno-desk/turno/projections"
)

// CatchUp measures how fast a projection builds its view of n dialogues, `open` of them at a time, on SQLite: from a log
// that seals, and from one whose commits are ready in memory, so that the difference is what decoding and unsealing cost.
func CatchUp(b *testing.B, p projections.Projection, n, open int) {
	ready := NewLog("bench")
	NewDesk(ready, 1).Dialogues(n, open)
	sealed, _, err := Sealed(context.Background(), ready)
	if err != nil {
		b.Fatal(err)
	}
	commits, events := 0, 0
	for _, c := range ready.Commits() {
		commits++
		events += len(c.Events)
	}
	b.Run("ready", func(b *testing.B) { catchUp(b, ready, p, commits, events) })
	b.Run("sealed", func(b *testing.B) { catchUp(b, sealed, p, commits, events) })
}

func catchUp(b *testing.B, log projections.Source, p projections.Projection, commits, events int) {
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
