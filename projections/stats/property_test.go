package stats

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/metric"
	"github.com/turno-desk/turno/domain/metric/metrictest"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections/viewtest"
	"pgregory.net/rapid"
)

func history(t *rapid.T) []domain.Commit {
	return metrictest.History(func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "choice") }, rapid.IntRange(1, 80).Draw(t, "commits"))
}

// folder is an own one for every run of a property.
func folder(t *testing.T) func() string {
	base, n := t.TempDir(), 0
	return func() string {
		n++
		return filepath.Join(base, fmt.Sprint(n))
	}
}

// N11: what the view has counted is what a recount of the whole log gives.
func TestTheViewEqualsARecountOfTheLog(t *testing.T) {
	dir := folder(t)
	rapid.Check(t, func(t *rapid.T) {
		commits := history(t)
		at := dir()
		defer os.RemoveAll(at)
		b := build(t, at, commits, rapid.IntRange(1, 30).Draw(t, "batch"))
		defer b.close()
		counted(t, b, commits)
		from := metrictest.Start.Add(-time.Hour)
		to := from.Add(time.Duration(rapid.IntRange(1, 100).Draw(t, "hours")) * time.Hour)
		r := rapid.SampledFrom(requests(from, to)).Draw(t, "request")
		same(t, describe(r), background(t, b, r), book(t, commits, r))
	})
}

// counted compares the rows themselves.
func counted(t failer, b *built, commits []domain.Commit) {
	t.Helper()
	type key struct {
		series, at, ref int64
		nth             int
	}
	rows := map[key]metric.Counted{}
	v, done, err := b.look(context.Background(), metrictest.Workspace, 0)
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer done()
	err = each(context.Background(), v.tx, `SELECT s.series, s.at, s.ref, s.nth, s.until, coalesce(c.id, ''), coalesce(c.ticket, 0), s.dim, s.opened,
		coalesce(s.start_ref, 0), coalesce(s.start, s.at), coalesce(s.value, 1), coalesce(s.net, s.value, 1)
		FROM samples s LEFT JOIN conversations c ON c.opened = s.conversation`, nil, func(scan scanner) error {
		var k key
		var c metric.Counted
		var dim int
		if err := scan(&k.series, &k.at, &k.ref, &k.nth, &c.Until, &c.Conversation, &c.Ticket, &dim, &c.Opened, &c.Start, &c.From, &c.Value, &c.Net); err != nil {
			return err
		}
		d := v.dims[dim]
		c.Kind, c.At, c.Ref, c.Nth = metric.Kind(k.series-v.space*kinds), k.at, metric.Ref(k.ref), k.nth
		c.Operator, c.Department, c.Channel, c.Detail, c.Machine = d.operator, d.department, d.channel, d.detail, d.machine
		rows[k] = c
		return nil
	})
	if err != nil {
		t.Fatalf("%v", err)
	}
	want := metric.Recount(metrictest.Workspace, commits).Samples
	if len(rows) != len(want) {
		t.Fatalf("the view has %d samples, a recount %d", len(rows), len(want))
	}
	for _, w := range want {
		if got := rows[key{v.series(w.Kind), w.At, int64(w.Ref), w.Nth}]; got != w {
			t.Fatalf("%v\n got %+v\nwant %+v", w.Kind, got, w)
		}
	}
}

func TestARestartAnywhereAndAnyBatchesGiveTheSameRows(t *testing.T) {
	dir := folder(t)
	rapid.Check(t, func(t *rapid.T) {
		commits := history(t)
		var stops []int
		for at := 0; ; {
			at += rapid.IntRange(1, 40).Draw(t, "until the next stop")
			if at >= len(commits) {
				break
			}
			stops = append(stops, at)
		}
		one, two := dir(), dir()
		defer os.RemoveAll(one)
		defer os.RemoveAll(two)
		whole := build(t, one, commits, 1000)
		defer whole.close()
		halting := build(t, two, commits, rapid.IntRange(1, 10).Draw(t, "batch"), stops...)
		defer halting.close()
		if digest(t, whole) != digest(t, halting) {
			t.Fatalf("stops at %v made other rows", stops)
		}
	})
}

func digest(t failer, b *built) string {
	t.Helper()
	d, err := viewtest.Digest(b.store, b.store.Reader(Name))
	if err != nil {
		t.Fatalf("%v", err)
	}
	return d
}

func TestAsOfAnyPositionTheViewSaysWhatOneThatStoppedThereSays(t *testing.T) {
	dir := folder(t)
	rapid.Check(t, func(t *rapid.T) {
		commits := history(t)
		at := dir()
		defer os.RemoveAll(at)
		b := build(t, at, commits, 1000)
		defer b.close()
		p := rapid.IntRange(1, len(commits)).Draw(t, "position")
		stopped := dir()
		defer os.RemoveAll(stopped)
		then := build(t, stopped, commits[:p], 1000)
		defer then.close()
		from := metrictest.Start.Add(-time.Hour)
		r := rapid.SampledFrom(requests(from, from.Add(60*time.Hour))).Draw(t, "request")
		stood := background(t, then, r)
		r.Position = domain.Position(p)
		same(t, fmt.Sprintf("as of %d of %d, %s", p, len(commits), describe(r)), background(t, b, r), stood)
		ctx := context.Background()
		want, err := then.Live(ctx, metrictest.Workspace, all, LiveRequest{})
		if err != nil {
			t.Fatalf("%v", err)
		}
		got, err := b.Live(ctx, metrictest.Workspace, all, LiveRequest{Position: domain.Position(p)})
		if err != nil {
			t.Fatalf("%v", err)
		}
		if text(t, got) != text(t, want) {
			t.Fatalf("live as of %d of %d:\n got %s\nwant %s", p, len(commits), text(t, got), text(t, want))
		}
		ask := PresenceRequest{Operator: "ana", From: from, To: from.Add(60 * time.Hour), TZ: "America/Santiago"}
		before, err := then.Presence(ctx, metrictest.Workspace, all, ask)
		if err != nil {
			t.Fatalf("%v", err)
		}
		ask.Position = domain.Position(p)
		after, err := b.Presence(ctx, metrictest.Workspace, all, ask)
		if err != nil {
			t.Fatalf("%v", err)
		}
		if text(t, before) != text(t, after) {
			t.Fatalf("presence as of %d of %d:\n got %s\nwant %s", p, len(commits), text(t, after), text(t, before))
		}
	})
}

func TestAnyTimeIsThePositionUpToWhichEverythingHadBeenRecorded(t *testing.T) {
	dir := folder(t)
	rapid.Check(t, func(t *rapid.T) {
		commits := history(t)
		// Positions may have holes: those of another workspace's, or of a restored log.
		gap := rapid.SampledFrom([]domain.Position{0, 1, 100, 300}).Draw(t, "gap")
		var c clock
		at := dir()
		defer os.RemoveAll(at)
		b := build(t, at, nil, 1)
		defer b.close()
		db, err := b.store.Writer(context.Background(), Name, 1, schema)
		if err != nil {
			t.Fatal(err)
		}
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback() //nolint:errcheck // nothing is kept
		position := func(i int) domain.Position { return domain.Position(i+1) * (1 + gap) }
		for i := range commits {
			if err := c.tick(context.Background(), tx, position(i), commits[i].Recorded.UnixMilli()); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.write(context.Background(), tx); err != nil {
			t.Fatal(err)
		}
		i := rapid.IntRange(0, len(commits)-1).Draw(t, "which")
		now, err := nowAt(context.Background(), tx, position(i)+domain.Position(rapid.Uint64Range(0, uint64(gap)).Draw(t, "into the gap")))
		if err != nil || now != commits[i].Recorded.UnixMilli() {
			t.Fatalf("now at %d is %d (%v), want %d", position(i), now, err, commits[i].Recorded.UnixMilli())
		}
		when := commits[i].Recorded.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "ms")) * time.Millisecond)
		var want domain.Position
		for j := range commits {
			if !commits[j].Recorded.After(when) {
				want = position(j)
			}
		}
		got, err := positionAt(context.Background(), tx, when.UnixMilli())
		if err != nil || got != want {
			t.Fatalf("the position of %s is %d (%v), want %d", when, got, err, want)
		}
	})
}

func TestARandomServicesViewEqualsARecount(t *testing.T) {
	for seed := range uint64(2) {
		log := viewtest.NewLog("test")
		viewtest.NewDesk(log, seed).Random(400, 8)
		commits := log.Commits()
		b := build(t, t.TempDir(), commits, 100, 150, 151, 300)
		counted(t, b, commits)
		from := commits[0].Time.Add(-time.Hour)
		for _, r := range requests(from, commits[len(commits)-1].Time.Add(time.Hour)) {
			same(t, describe(r), background(t, b, r), book(t, commits, r))
		}
		b.close()
	}
}

// TestWhatSpansSayOfThePastIsNotChangedByTheirEnd asks for periods that were over when the view stood at a position: what
// was going on then is told the same way once it has ended.
func TestWhatSpansSayOfThePastIsNotChangedByTheirEnd(t *testing.T) {
	log := viewtest.NewLog("test")
	viewtest.NewDesk(log, 3).Random(400, 6)
	commits := log.Commits()
	b := build(t, t.TempDir(), commits, 500)
	defer b.close()
	var spans []string
	for _, d := range metric.Catalogue() {
		if d.Spans() && !d.OfPresence() {
			spans = append(spans, d.Name)
		}
	}
	for i := 20; i < len(commits)-1; i += 131 {
		for _, g := range []GroupBy{GroupOperator, GroupDepartment, GroupDetail} {
			r := Request{Metrics: spans, From: commits[0].Time, To: commits[i].Time, GroupBy: g, Bucket: BucketHour, Position: commits[i].Position}
			then := background(t, b, r)
			r.Position = 0
			now := background(t, b, r)
			now.Position, now.Now = then.Position, then.Now
			same(t, fmt.Sprintf("up to %d, by %s", i, g), now, then)
		}
	}
}

// TestPlainCountsOfARandomServiceAreThoseOfItsEvents counts without the fold.
func TestPlainCountsOfARandomServiceAreThoseOfItsEvents(t *testing.T) {
	log := viewtest.NewLog("test")
	viewtest.NewDesk(log, 7).Random(1000, 10)
	commits := log.Commits()
	want := map[string]int{}
	for _, c := range commits {
		for _, e := range c.Events {
			switch e := e.(type) {
			case thread.Opened:
				want["received"]++
				want["backlog"]++
			case thread.Reopened:
				want["reopened"]++
				want["backlog"]++
			case thread.MessageReceived:
				want["messages_in"]++
			case thread.MessageSent:
				want["messages_out"]++
				want["messages_out "+c.Actor.ID]++
			case thread.Taken:
				want["taken"]++
				want["taken "+e.Operator]++
			case thread.Transferred:
				want["transfers_out"]++
				want["transfers_in"]++
			case thread.Closed:
				want["closed"]++
				want["backlog"]--
			}
		}
	}
	b := build(t, t.TempDir(), commits, 500)
	defer b.close()
	r := Request{
		Metrics: []string{"received", "reopened", "messages_in", "messages_out", "taken", "transfers_out", "transfers_in", "closed", "backlog"},
		From:    commits[0].Time, To: commits[len(commits)-1].Time.Add(time.Second), GroupBy: GroupOperator, Actors: ActorsAll,
	}
	for _, m := range background(t, b, r).Metrics {
		if m.Total.N != want[m.Metric] || m.Total.N == 0 {
			t.Errorf("%s is %d, want %d", m.Metric, m.Total.N, want[m.Metric])
		}
		for _, g := range m.Groups {
			if w, ok := want[m.Metric+" "+g.Key]; ok && g.Total.N != w {
				t.Errorf("%s of %s is %d, want %d", m.Metric, g.Key, g.Total.N, w)
			}
		}
	}
}
