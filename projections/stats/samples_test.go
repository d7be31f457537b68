package stats

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/metric"
	"github.com/turno-desk/turno/domain/metric/metrictest"
	"pgregory.net/rapid"
)

// listed is all pages of a listing.
func listed(t failer, b *built, s Scope, r SamplesRequest) []Sample {
	t.Helper()
	var all []Sample
	for {
		page, err := b.Samples(context.Background(), metrictest.Workspace, s, r)
		if err != nil {
			t.Fatalf("%s: %v", r.Metric, err)
		}
		if len(page.Items) > r.Limit || page.HasMore && len(page.Items) != r.Limit || page.HasMore != (page.Next != "") {
			t.Fatalf("%s: a page of %d for %d, more: %v", r.Metric, len(page.Items), r.Limit, page.HasMore)
		}
		all = append(all, page.Items...)
		if !page.HasMore {
			return all
		}
		r.Cursor = page.Next
	}
}

// N9: a number lists what it was counted from, and the two agree.
func TestEveryNumberAgreesWithTheSamplesItWasCountedFrom(t *testing.T) {
	dir := folder(t)
	rapid.Check(t, func(t *rapid.T) {
		commits := history(t)
		at := dir()
		defer os.RemoveAll(at)
		b := build(t, at, commits, 1000)
		defer b.close()
		from := metrictest.Start.Add(-time.Hour)
		r := Request{
			Metrics: some(t, metrics(true)), From: from, To: from.Add(time.Duration(rapid.IntRange(1, 60).Draw(t, "hours")) * time.Hour),
			Position: domain.Position(rapid.IntRange(1, len(commits)).Draw(t, "position")), GroupBy: GroupOperator,
			Actors: rapid.SampledFrom([]Actors{ActorsHuman, ActorsMachine, ActorsAll}).Draw(t, "actors"),
			Cohort: rapid.SampledFrom([]Cohort{CohortEnd, CohortOpened}).Draw(t, "cohort"),
		}
		// Periods like to end at the very instant of an event.
		if end := commits[rapid.IntRange(0, len(commits)-1).Draw(t, "end")].Time; rapid.Bool().Draw(t, "at an event") && end.After(r.From) {
			r.To = end
		}
		limit := rapid.IntRange(1, 9).Draw(t, "limit")
		report := background(t, b, r)
		ids := conversations(commits)
		for _, m := range report.Metrics {
			groups := append(slices.Clone(m.Groups), Group{Key: "all", Total: m.Total})
			for _, g := range groups {
				ask := SamplesRequest{Metric: m.Metric, From: r.From, To: r.To, Cohort: r.Cohort, Actors: r.Actors, Position: r.Position, Limit: limit}
				switch g.Key {
				case "all":
				case "":
					ask.Operator = Nobody
				default:
					ask.Operator = g.Key
				}
				items := listed(t, b, all, ask)
				if err := agrees(m, g.Total, items, r); err != nil {
					t.Fatalf("%s of %q: %v\n%s\n%s", m.Metric, g.Key, err, text(t, g.Total), text(t, items))
				}
				for i := range items {
					if err := located(&items[i], commits, ids); err != nil {
						t.Fatalf("%s: %v: %s", m.Metric, err, text(t, items[i]))
					}
				}
			}
		}
	})
}

// some is about a quarter of the names.
func some(t *rapid.T, names []string) []string {
	first := rapid.IntRange(0, 3).Draw(t, "which quarter")
	var out []string
	for i := first; i < len(names); i += 4 {
		out = append(out, names[i])
	}
	return out
}

// agrees recomputes a number from its samples, in the plainest way.
func agrees(m MetricReport, c Cell, items []Sample, r Request) error {
	d, _ := metric.Find(m.Metric, 0)
	distinct, operators := map[string]bool{}, map[string]bool{}
	var sum, net, weight float64
	for _, s := range items {
		distinct[s.Conversation] = true
		operators[s.Operator] = true
		if s.Value != nil {
			weight += *s.Value
		}
		if s.Seconds != nil {
			sum += *s.Seconds
		}
		if s.Without != nil {
			net += *s.Without
		}
	}
	is := func(what string, got *float64, want float64) error {
		if len(items) > 0 && (got == nil || math.Abs(*got-want) > 1e-6) {
			return fmt.Errorf("%s is not %v", what, want)
		}
		return nil
	}
	n := len(items)
	switch {
	case d.OfPresence():
		return presenceAgrees(m.Metric, c, items)
	case d.Distinct():
		if n = len(distinct); m.Metric == "concurrency" {
			if err := is("the time attended", c.Mean, sum/busy(items, r)); busy(items, r) > 0 && err != nil {
				return err
			}
		}
	case d.Unit == metric.Seconds:
		if err := errors.Join(is("the sum", c.Sum, sum), is("the mean", c.Mean, math.Round(sum/float64(max(n, 1))*1e6)/1e6)); err != nil {
			return err
		}
		if c.WithoutPauses != nil {
			if err := is("the sum without pauses", c.WithoutPauses.Sum, net); err != nil {
				return err
			}
		}
	case m.Metric == "backlog_flow", d.Unit == metric.Ratio:
		if err := is("the sum", c.Sum, weight); err != nil {
			return err
		}
	case d.Unit == metric.Score:
		if err := is("the mean", c.Mean, math.Round(weight/float64(max(n, 1))*1e6)/1e6); err != nil {
			return err
		}
	}
	if c.N != n {
		return fmt.Errorf("n is not %d", n)
	}
	for _, s := range items {
		if s.Parts == nil {
			continue
		}
		var parts float64
		for _, p := range s.Parts {
			parts += p.Seconds
		}
		if math.Abs(parts-*s.Seconds) > 1e-6 {
			return fmt.Errorf("the parts of %v s add up to %v s", *s.Seconds, parts)
		}
	}
	return nil
}

// busy is the time in which at least one span lasted, second by second of its ends.
func busy(items []Sample, r Request) float64 {
	var cuts []int64
	span := func(s Sample) (int64, int64) {
		return max(int64(*s.Start), r.From.UnixMilli()), min(int64(s.At), r.To.UnixMilli())
	}
	for _, s := range items {
		a, b := span(s)
		cuts = append(cuts, a, b)
	}
	slices.Sort(cuts)
	var sum int64
	for i := 1; i < len(cuts); i++ {
		if slices.ContainsFunc(items, func(s Sample) bool {
			a, b := span(s)
			return a <= cuts[i-1] && b >= cuts[i]
		}) {
			sum += cuts[i] - cuts[i-1]
		}
	}
	return float64(sum) / 1000
}

func presenceAgrees(name string, c Cell, items []Sample) error {
	var available, away float64
	for _, s := range items {
		switch s.Kind {
		case "available":
			available += *s.Seconds
		case "away":
			away += *s.Seconds
		}
	}
	want := map[string]float64{"connected": available + away, "available": available, "away": away}
	x, ok := want[name]
	if !ok {
		return nil
	}
	got := 0.0
	if c.Sum != nil {
		got = *c.Sum
	}
	if math.Abs(got-x) > 1e-6 {
		return fmt.Errorf("the spans add up to %v s", x)
	}
	return nil
}

func conversations(commits []domain.Commit) map[domain.Position]string {
	ids := map[domain.Position]string{}
	for _, c := range commits {
		ids[c.Position] = c.Conversation
	}
	return ids
}

// located checks that the events behind a sample are there, and are of its conversation.
func located(s *Sample, commits []domain.Commit, ids map[domain.Position]string) error {
	events := []*Event{s.Event, s.StartEvent}
	for _, p := range s.Parts {
		events = append(events, p.Event, p.StartEvent)
	}
	if s.Event == nil && s.StartEvent == nil {
		return errors.New("no event is behind it")
	}
	for _, e := range events {
		if e == nil {
			continue
		}
		if e.Position < 1 || int(e.Position) > len(commits) || e.Index >= len(commits[e.Position-1].Events) {
			return fmt.Errorf("there is no event %+v", *e)
		}
		if ids[e.Position] != s.Conversation {
			return fmt.Errorf("the event %+v is of %q", *e, ids[e.Position])
		}
	}
	return nil
}

func TestWhatStandsWhenAPeriodEndsIsWhatCameBefore(t *testing.T) {
	b := build(t, t.TempDir(), metrictest.Worked(), 100)
	defer b.close()
	for clock, want := range map[string]string{"09:00": "", "09:04": "wait ", "09:12": "attending ana", "09:30": "pause ana", "10:00": "attending beto", "10:01": ""} {
		at, err := time.Parse("15:04", clock)
		if err != nil {
			t.Fatal(err)
		}
		r := SamplesRequest{
			Metric: "backlog", From: metrictest.WorkedDay, Limit: 9,
			To: metrictest.WorkedDay.Add(time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute),
		}
		got := ""
		for _, s := range listed(t, b, all, r) {
			got += s.Kind + " " + s.Operator
		}
		if got != want {
			t.Errorf("just before %s stands %q, want %q", clock, got, want)
		}
		n := background(t, b, Request{Metrics: []string{"backlog"}, From: r.From, To: r.To}).Metrics[0].Total.N
		if (n == 1) != (want != "") {
			t.Errorf("just before %s the backlog is %d", clock, n)
		}
	}
}

func TestPagesAreOfThePositionOfTheFirst(t *testing.T) {
	commits := metrictest.Worked()
	dir := t.TempDir()
	b := build(t, dir, commits[:10], 100)
	r := SamplesRequest{Metric: "messages_in", From: metrictest.WorkedDay, To: metrictest.WorkedDay.Add(24 * time.Hour), Limit: 2}
	first, err := b.Samples(context.Background(), metrictest.Workspace, all, r)
	if err != nil || len(first.Items) != 2 || !first.HasMore {
		t.Fatalf("%+v, %v", first, err)
	}
	b.close()
	b = build(t, dir, commits, 100)
	defer b.close()
	r.Cursor = first.Next
	second, err := b.Samples(context.Background(), metrictest.Workspace, all, r)
	if err != nil || len(second.Items) != 1 || second.HasMore || second.Position != 10 {
		t.Fatalf("%+v, %v", second, err)
	}
}

func TestACursorOfElsewhereIsRefused(t *testing.T) {
	b := build(t, t.TempDir(), metrictest.Worked(), 100)
	defer b.close()
	for _, c := range []string{"x", "!!", "MSAyIDMgNA==", cursor(1, mark{}) + "AA", "MSAyIDM"} {
		r := SamplesRequest{Metric: "messages_in", From: metrictest.WorkedDay, To: metrictest.WorkedDay.Add(time.Hour), Cursor: c}
		_, err := b.Samples(context.Background(), metrictest.Workspace, all, r)
		var refusal *domain.Refusal
		if !errors.As(err, &refusal) || refusal.Missing[0] != "cursor" {
			t.Errorf("%q: %v", c, err)
		}
	}
}

func FuzzACursorIsReadOrRefused(f *testing.F) {
	f.Add(cursor(7, mark{1, 2, 3, 4}))
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		p, m, err := parseCursor(s)
		if err == nil && cursor(p, m) != s {
			t.Errorf("%q became %q", s, cursor(p, m))
		}
	})
}
