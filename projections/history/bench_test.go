package history_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/turno-desk/turno/adapters/codec"
	"github.com/turno-desk/turno/adapters/memory"
	"github.com/turno-desk/turno/adapters/sqlstore"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/history"
	"github.com/turno-desk/turno/projections/viewtest"
)

// benched is how many conversations the benchmark projects: 13 events each.
const benched = 4000

// BenchmarkCatchUp builds the view from a log in memory, decoding and unsealing included: conversations of opened, queued,
// taken, 8 messages, closed and archived, 100 at a time. Beside it: the same rows put into the same empty tables by one
// prepared statement per table, and the share of that speed which the projection reaches.
func BenchmarkCatchUp(b *testing.B) {
	log, events := serviceLog(b)
	var took, bare time.Duration
	for b.Loop() {
		v := newView(b, log)
		start := time.Now()
		v.build(5000)
		took += time.Since(start)
		b.StopTimer()
		bare += insertBare(b, v)
		b.StartTimer()
	}
	n := float64(events) * float64(b.N)
	b.ReportMetric(n/took.Seconds(), "events/s")
	b.ReportMetric(n/bare.Seconds(), "bare-events/s")
	b.ReportMetric(bare.Seconds()/took.Seconds(), "of-bare")
	b.ReportMetric(0, "ns/op")
}

// serviceLog writes the log and counts its events.
func serviceLog(b *testing.B) (*memory.Store, int) {
	b.Helper()
	d := viewtest.NewDesk(viewtest.NewLog("bench"), 1)
	r := rand.New(rand.NewPCG(1, 2))
	vocabulary := rand.NewZipf(r, 1.1, 8, 20_000)
	say := func() domain.Personal {
		words := make([]string, 6+r.IntN(14))
		for i := range words {
			words[i] = fmt.Sprintf("w%dx", vocabulary.Uint64())
		}
		return domain.Personal(strings.Join(words, " "))
	}
	const together = 100
	for first := 0; first < benched; first += together {
		for step := range 10 {
			for n := first; n < first+together; n++ {
				d.Now = d.Now.Add(10 * time.Millisecond)
				switch {
				case step == 1:
					d.Do("ana", threadID(n), 0, thread.Take{})
				case step == 9:
					d.Do("ana", threadID(n), 0, thread.Close{Category: "alta", Summary: say()})
				case step%2 == 0:
					d.Do("contact", threadID(n), 0, d.Receive(threadID(n), "web", say()))
				default:
					d.Do("ana", threadID(n), 0, thread.Send{Content: text(string(say()))})
				}
			}
		}
	}
	store := memory.New(codec.New(keyring{}))
	events, versions := 0, map[string]domain.Version{}
	positions := map[domain.Position]domain.Position{}
	for _, c := range d.Log.Commits() {
		opened := c.Opened
		c.Opened = positions[opened]
		p, v, err := store.Append(context.Background(), c, versions[c.Aggregate.ID])
		if err != nil {
			b.Fatal(err)
		}
		positions[c.Position], versions[c.Aggregate.ID] = p, v
		events += len(c.Events)
	}
	return store, events
}

// insertBare copies the rows of v into new tables, row by row, and says how long the inserts took.
func insertBare(b *testing.B, v *view) time.Duration {
	b.Helper()
	store, err := sqlstore.Open(b.TempDir(), sqlstore.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	db, err := store.Writer(context.Background(), history.Name, 1, history.New(projections.SQLite).Schema())
	if err != nil {
		b.Fatal(err)
	}
	var took time.Duration
	for _, table := range []string{"entries", "conversations", "sights", "tags"} {
		took += copyRows(b, v.db(), db, "SELECT * FROM "+table, "INSERT INTO "+table+" VALUES ")
	}
	return took + copyRows(b, v.db(), db,
		`SELECT at, json_extract(data, '$.text') FROM entries WHERE json_extract(data, '$.text') IS NOT NULL`, "INSERT INTO texts (rowid, text) VALUES ")
}

func copyRows(b *testing.B, from, to *sql.DB, query, insert string) time.Duration {
	b.Helper()
	rows, err := from.Query(query)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		b.Fatal(err)
	}
	var all [][]any
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			b.Fatal(err)
		}
		all = append(all, values)
	}
	start := time.Now()
	for len(all) > 0 {
		n := min(5000, len(all))
		tx, err := to.Begin()
		if err != nil {
			b.Fatal(err)
		}
		stmt, err := tx.Prepare(insert + "(" + strings.TrimSuffix(strings.Repeat("?, ", len(columns)), ", ") + ")")
		if err != nil {
			b.Fatal(err)
		}
		for _, values := range all[:n] {
			if _, err := stmt.Exec(values...); err != nil {
				b.Fatal(err)
			}
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
		all = all[n:]
	}
	return time.Since(start)
}

var _ projections.Source = (*memory.Store)(nil)
