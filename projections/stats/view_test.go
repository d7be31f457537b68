package stats

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/metric"
	"github.com/turno-desk/turno/domain/metric/metrictest"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/viewtest"
)

// failer is a *testing.T, *testing.B or *rapid.T.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// built is a view on SQLite.
type built struct {
	*Queries
	store viewtest.Store
}

// logOf is a log of these commits, at their positions.
func logOf(commits []domain.Commit) *viewtest.Log {
	log := viewtest.NewLog("test")
	for _, c := range commits {
		log.Append(c, c.Opened == c.Position)
	}
	return log
}

// build runs the projection over a log, in batches of so many commits, with a new runner for each of the stops on the way:
// nothing is remembered over a stop.
func build(t failer, dir string, commits []domain.Commit, batch int, stops ...int) *built {
	t.Helper()
	store, err := viewtest.Open(dir)
	if err != nil {
		t.Fatalf("%v", err)
	}
	for _, stop := range append(stops, len(commits)) {
		runner := projections.NewRunner(logOf(commits[:stop]), store, New(), nil, projections.Options{Batch: batch, CatchUp: batch})
		if err := runner.RunToHead(context.Background()); err != nil {
			t.Fatalf("%v", err)
		}
	}
	return &built{NewQueries(store.Reader(Name)), store}
}

func (b *built) close() { b.store.Close() } //nolint:errcheck // a test's folder

var all = Scope{All: true}

// book answers as the queries do, from a recount in memory.
func book(t failer, commits []domain.Commit, r Request) Report {
	t.Helper()
	loc, err := r.complete()
	if err != nil {
		t.Fatalf("%v", err)
	}
	cut, err := bounds(r.From, r.To, loc, r.Bucket)
	if err != nil {
		t.Fatalf("%v", err)
	}
	b := metric.Recount(metrictest.Workspace, commits)
	out := Report{
		Position: b.Position, Now: Time(b.Now), From: Time(r.From.UnixMilli()), To: Time(r.To.UnixMilli()), TZ: r.TZ,
		Bucket: r.Bucket, GroupBy: r.GroupBy, Pauses: r.Pauses, Cohort: r.Cohort, Actors: r.Actors,
	}
	for _, name := range r.Metrics {
		d, _ := metric.Find(name, 0)
		q := &question{Definition: d}
		table := b.Tabulate(metric.Question{Definition: d, Bounds: cut, Group: grouping(r.GroupBy), ByOpening: r.Cohort == CohortOpened && !d.Spans()},
			r.Actors != ActorsMachine, r.Actors != ActorsHuman, func(s *metric.Sample) bool {
				f := r.Filter
				return passes(f.Operator, s.Operator) && passes(f.Department, s.Department) && passes(f.Channel, s.Channel)
			})
		m := MetricReport{Metric: d.Name, Version: d.Version, Unit: d.Unit, Total: q.cell(table.Total.Total, r.Pauses)}
		if r.Bucket != BucketNone {
			m.Buckets = q.periods(table.Total.Buckets, cut, r.Pauses)
		}
		for _, row := range table.Groups {
			g := Group{Key: row.Key, Total: q.cell(row.Total, r.Pauses)}
			if r.Bucket != BucketNone {
				g.Buckets = q.periods(row.Buckets, cut, r.Pauses)
			}
			m.Groups = append(m.Groups, g)
		}
		out.Metrics = append(out.Metrics, m)
	}
	return out
}

// metrics are the names of the catalogue; of those that can be broken down by anything, unless presence is wanted.
func metrics(presence bool) []string {
	var names []string
	for _, d := range metric.Catalogue() {
		if !slices.Contains(names, d.Name) && (presence || !d.OfPresence()) {
			names = append(names, d.Name)
		}
	}
	return names
}

func text(t failer, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return string(b)
}

// same compares two reports and shows the first metric in which they differ.
func same(t failer, what string, got, want Report) {
	t.Helper()
	if text(t, got) == text(t, want) {
		return
	}
	for i := range want.Metrics {
		if g, w := text(t, got.Metrics[i]), text(t, want.Metrics[i]); g != w {
			t.Fatalf("%s: %s\n got %s\nwant %s", what, want.Metrics[i].Metric, g, w)
		}
	}
	got.Metrics, want.Metrics = nil, nil
	t.Fatalf("%s:\n got %s\nwant %s", what, text(t, got), text(t, want))
}

// requests are the ways to ask for everything.
func requests(from, to time.Time) []Request {
	var out []Request
	for i, g := range []GroupBy{GroupOperator, GroupDepartment, GroupChannel, GroupDetail, GroupNone} {
		r := Request{Metrics: metrics(g == GroupOperator || g == GroupNone), From: from, To: to, GroupBy: g, TZ: "America/Santiago"}
		r.Bucket = []Bucket{BucketHour, BucketDay, BucketNone, BucketWeek, BucketDay}[i]
		r.Actors = []Actors{ActorsHuman, ActorsAll, ActorsMachine, ActorsHuman, ActorsAll}[i]
		r.Pauses = []Pauses{PausesBoth, PausesWith, PausesWithout, PausesBoth, PausesBoth}[i]
		if i == 2 || i == 4 {
			r.Cohort = CohortOpened
		}
		out = append(out, r)
	}
	narrow := Request{Metrics: metrics(false), From: from, To: to, Bucket: BucketDay, Filter: Filter{Department: "ventas"}}
	out = append(out, narrow)
	narrow.Filter = Filter{Operator: "ana"}
	narrow.Metrics = metrics(true)
	out = append(out, narrow)
	narrow.Filter = Filter{Operator: Nobody, Channel: "web"}
	narrow.Metrics = metrics(false)
	return append(out, narrow)
}

func background(t failer, b *built, r Request) Report {
	t.Helper()
	got, err := b.Report(context.Background(), metrictest.Workspace, all, r)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return got
}

func describe(r Request) string {
	return fmt.Sprintf("by %s, per %s, %s, %s, %+v", r.GroupBy, r.Bucket, r.Cohort, r.Actors, r.Filter)
}
