package stats

import (
	"context"
	"fmt"
	"time"

	"github.com/turno-desk/turno/domain/metric"
)

// maxMetrics is how many metrics one report may have.
const maxMetrics = 64

// Report computes metrics over a period.
func (q *Queries) Report(ctx context.Context, workspace string, s Scope, r Request) (Report, error) {
	loc, err := r.complete()
	if err != nil {
		return Report{}, err
	}
	cut, err := bounds(r.From, r.To, loc, r.Bucket)
	if err != nil {
		return Report{}, err
	}
	v, done, err := q.look(ctx, workspace, r.Position)
	if err != nil {
		return Report{}, err
	}
	defer done()
	report := Report{
		Position: v.position, Now: Time(v.now), From: Time(r.From.UnixMilli()), To: Time(r.To.UnixMilli()), TZ: r.TZ,
		Bucket: r.Bucket, GroupBy: r.GroupBy, Pauses: r.Pauses, Cohort: r.Cohort, Actors: r.Actors,
	}
	for _, name := range r.Metrics {
		m, err := v.report(ctx, name, s, &r, cut)
		if err != nil {
			return Report{}, err
		}
		report.Metrics = append(report.Metrics, m)
	}
	return report, nil
}

// complete fills in the defaults and refuses what makes no sense.
func (r *Request) complete() (*time.Location, error) {
	if len(r.Metrics) == 0 {
		return nil, invalid("Name a metric.", "metric")
	}
	if len(r.Metrics) > maxMetrics {
		return nil, invalid(fmt.Sprintf("At most %d metrics at once.", maxMetrics), "metric")
	}
	if err := period(r.From, r.To); err != nil {
		return nil, err
	}
	if err := one(&r.Bucket, "bucket", BucketNone, BucketHour, BucketDay, BucketWeek); err != nil {
		return nil, err
	}
	if err := one(&r.GroupBy, "group_by", GroupNone, GroupOperator, GroupDepartment, GroupChannel, GroupDetail); err != nil {
		return nil, err
	}
	if err := one(&r.Pauses, "pauses", PausesBoth, PausesWith, PausesWithout); err != nil {
		return nil, err
	}
	if err := one(&r.Cohort, "cohort", CohortEnd, CohortOpened); err != nil {
		return nil, err
	}
	if err := one(&r.Actors, "actors", ActorsHuman, ActorsMachine, ActorsAll); err != nil {
		return nil, err
	}
	return zone(&r.TZ)
}

// zone is the time zone of that name, UTC when it is empty.
func zone(name *string) (*time.Location, error) {
	if *name == "" {
		*name = "UTC"
	}
	if *name == "Local" {
		return nil, invalid("The time zone is a name of the IANA's, like America/Santiago.", "tz")
	}
	loc, err := time.LoadLocation(*name)
	if err != nil {
		return nil, invalid("The time zone is a name of the IANA's, like America/Santiago.", "tz")
	}
	return loc, nil
}

// one puts the first of the choices where none was made, and refuses any other than these.
func one[T ~string](got *T, field string, choices ...T) error {
	if *got == "" {
		*got = choices[0]
	}
	for _, c := range choices {
		if *got == c {
			return nil
		}
	}
	return invalid(fmt.Sprintf("%q is no %s.", *got, field), field)
}

func (v *view) report(ctx context.Context, name string, s Scope, r *Request, cut []int64) (MetricReport, error) {
	q, err := v.ask(ctx, name, r.Version, s, r.Filter, r.Cohort, r.Actors, r.GroupBy)
	if err != nil {
		return MetricReport{}, err
	}
	q.from, q.to = cut[0], cut[len(cut)-1]
	t := metric.NewTabulator(metric.Question{Definition: q.Definition, Bounds: cut, Group: grouping(r.GroupBy), ByOpening: q.byOpening})
	err = v.samples(ctx, q, func(s *metric.Sample) error {
		t.Add(s)
		return nil
	})
	if err != nil {
		return MetricReport{}, err
	}
	table := t.Table()
	m := MetricReport{Metric: q.Name, Version: q.Version, Unit: q.Unit, Total: q.cell(table.Total.Total, r.Pauses)}
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
	return m, nil
}

func (q *question) periods(pairs []metric.Pair, cut []int64, p Pauses) []Period {
	out := make([]Period, len(pairs))
	for i := range pairs {
		out[i] = Period{From: Time(cut[i]), To: Time(cut[i+1]), Cell: q.cell(pairs[i], p)}
	}
	return out
}

func (q *question) cell(pair metric.Pair, p Pauses) Cell {
	with, without := Number{pair.With, q.Unit}, Number{pair.Without, q.Unit}
	switch {
	case !q.Pauses || p == PausesWith:
		return Cell{Number: with}
	case p == PausesWithout:
		return Cell{Number: without}
	}
	return Cell{Number: with, WithoutPauses: &without}
}
