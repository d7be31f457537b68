package stats

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/turno-desk/turno/adapters/sqlstore"
	"github.com/turno-desk/turno/domain/metric/metrictest"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/viewtest"
)

// BenchmarkCatchUp builds the statistics of 5,000 dialogues, 500 of them open at a time, from commits at hand and from sealed ones.
func BenchmarkCatchUp(b *testing.B) {
	viewtest.CatchUp(b, New(), 5000, 500)
}

// BenchmarkBareInserts writes as many rows, of the same widths, as BenchmarkCatchUp ends up with: what SQLite itself takes.
func BenchmarkBareInserts(b *testing.B) {
	ctx := context.Background()
	log := viewtest.NewLog("bench")
	viewtest.NewDesk(log, 1).Dialogues(5000, 500)
	events := 0
	for _, c := range log.Commits() {
		events += len(c.Events)
	}
	store, err := sqlstore.Open(b.TempDir(), sqlstore.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	if err := projections.NewRunner(log, store, New(), nil, projections.Options{}).RunToHead(ctx); err != nil {
		b.Fatal(err)
	}
	var tables []table
	for _, name := range []string{"samples", "conversations", "folds"} {
		t := table{name: name}
		rows, err := store.Reader(Name).Query("SELECT * FROM " + name + map[string]string{"samples": " ORDER BY ref"}[name])
		if err != nil {
			b.Fatal(err)
		}
		t.columns, _ = rows.Columns()
		for rows.Next() {
			row, into := make([]any, len(t.columns)), make([]any, len(t.columns))
			for i := range row {
				into[i] = &row[i]
			}
			if err := rows.Scan(into...); err != nil {
				b.Fatal(err)
			}
			t.rows = append(t.rows, row)
		}
		rows.Close()
		tables = append(tables, t)
	}
	b.ResetTimer()
	total := 0
	for n := range b.N {
		db, err := store.Writer(ctx, fmt.Sprint("bare", n), 1, schema)
		if err != nil {
			b.Fatal(err)
		}
		for _, t := range tables {
			total += len(t.rows)
			t.write(b, db)
		}
		db.Close()
	}
	b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(events)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

type table struct {
	name    string
	columns []string
	rows    [][]any
}

func (t *table) write(b *testing.B, db *sql.DB) {
	const batch = 10000
	for first := 0; first < len(t.rows); first += batch {
		tx, err := db.Begin()
		if err != nil {
			b.Fatal(err)
		}
		bulk := projections.NewBulk("INSERT INTO "+t.name, t.columns...)
		for _, row := range t.rows[first:min(first+batch, len(t.rows))] {
			bulk.Add(row...)
		}
		if err := bulk.Flush(context.Background(), tx); err != nil {
			b.Fatal(err)
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReport asks for the busiest durations of all dialogues, by operator and hour.
func BenchmarkReport(b *testing.B) {
	log := viewtest.NewLog("bench")
	viewtest.NewDesk(log, 1).Dialogues(5000, 500)
	commits := log.Commits()
	v := build(b, b.TempDir(), commits, 5000)
	defer v.close()
	r := Request{
		Metrics: []string{"reply_time"}, From: commits[0].Time, To: commits[len(commits)-1].Time.Add(time.Second),
		GroupBy: GroupOperator, Bucket: BucketHour,
	}
	b.ResetTimer()
	n := 0
	for range b.N {
		got, err := v.Report(context.Background(), metrictest.Workspace, all, r)
		if err != nil {
			b.Fatal(err)
		}
		n += got.Metrics[0].Total.N
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "samples/s")
}
