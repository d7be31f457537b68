package stats

import (
	"context"
	"testing"
	"time"

	"github.com/turno-desk/turno/domain/metric/metrictest"
	"github.com/turno-desk/turno/domain/thread"
)

// N5: two versions of a metric are answered from the same rows, each in its own words, as of any position; who names none gets the newest.
func TestBothVersionsOfAMetricAreAskedForSideBySide(t *testing.T) {
	var l lines
	l.open("a-1", "09:00", "soporte", thread.StateWaiting)
	l.say("a-1", "09:02", "", thread.Taken{Operator: "ana", Department: "soporte", How: thread.TakenByRule})
	l.open("b-1", "09:10", "soporte", thread.StateWaiting)
	l.say("b-1", "09:11", "sara", thread.Taken{Operator: "beto", Department: "soporte", How: thread.TakenAssigned, By: "sara"})
	l.open("c-1", "09:20", "soporte", thread.StateWaiting)
	l.say("c-1", "09:25", "ana", thread.Taken{Operator: "ana", Department: "soporte", How: thread.TakenByHand})
	b := build(t, t.TempDir(), l.commits, 2)
	defer b.close()
	for _, c := range []struct {
		metric  string
		version int
		detail  string
		n, of   int // of the answer: how many, and of which version
		sum     float64
	}{
		{"assigned", 0, "", 2, 2, 0}, {"assigned", 1, "", 1, 1, 0}, {"assigned", 2, "", 2, 2, 0}, {"assigned", 2, "automatic", 1, 2, 0},
		{"wait", 1, "", 3, 1, 480}, {"wait", 2, "", 3, 2, 480},
		{"wait", 1, "take", 2, 1, 420}, {"wait", 1, "assignment", 1, 1, 60},
		{"wait", 2, "take", 1, 2, 300}, {"wait", 2, "assignment", 2, 2, 180}, {"wait", 2, "rule", 0, 2, 0},
		{"wait_first", 1, "take", 2, 1, 420}, {"wait_first", 2, "assignment", 2, 2, 180},
	} {
		r := morning(c.metric)
		r.Version, r.Filter.Detail, r.GroupBy = c.version, c.detail, GroupDetail
		m := background(t, b, r).Metrics[0]
		if m.Version != c.of || m.Total.N != c.n || c.sum > 0 && *m.Total.Sum != c.sum {
			t.Errorf("%+v is answered with %s", c, text(t, m))
		}
		for _, g := range m.Groups {
			if g.Key == "rule" || c.detail != "" && g.Key != c.detail {
				t.Errorf("%+v is broken down as %s", c, text(t, m))
			}
		}
		page, err := b.Samples(context.Background(), metrictest.Workspace, all,
			SamplesRequest{Metric: c.metric, Version: c.version, Filter: r.Filter, From: r.From, To: r.To})
		if err != nil || len(page.Items) != c.n {
			t.Fatalf("%+v has %d samples, %v", c, len(page.Items), err)
		}
		for _, s := range page.Items {
			if c.detail != "" && s.Detail != c.detail {
				t.Errorf("%+v has a sample %s", c, text(t, s))
			}
		}
	}
	early := morning("assigned")
	early.Position, early.To = 2, early.From.Add(time.Hour)
	if m := background(t, b, early).Metrics[0]; m.Total.N != 1 {
		t.Errorf("as of the first assignment: %s", text(t, m))
	}
	none := morning("received")
	none.Version = 2
	if _, err := b.Report(context.Background(), metrictest.Workspace, all, none); err == nil {
		t.Error("a version that there isn't is answered")
	}
}
