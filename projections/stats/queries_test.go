package stats

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/metric"
	"github.com/turno-desk/turno/domain/metric/metrictest"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
	"pgregory.net/rapid"
)

func TestAScopeShowsNothingBeyondIt(t *testing.T) {
	dir := folder(t)
	rapid.Check(t, func(t *rapid.T) {
		commits := history(t)
		at := dir()
		defer os.RemoveAll(at)
		b := build(t, at, commits, 1000)
		defer b.close()
		ctx := context.Background()
		from := metrictest.Start.Add(-time.Hour)
		quarter := some(t, metrics(true))
		r := Request{Metrics: quarter, From: from, To: from.Add(60 * time.Hour), GroupBy: GroupOperator, Actors: ActorsAll}
		ask := func(s Scope) Report {
			got, err := b.Report(ctx, metrictest.Workspace, s, r)
			if err != nil {
				t.Fatalf("%v", err)
			}
			return got
		}
		// An operator sees exactly what everybody's report says of them.
		whole, own := background(t, b, r), ask(Scope{Operator: "ana"})
		r.Filter = Filter{Operator: "ana"}
		same(t, "ana's own", own, background(t, b, r))
		for i, m := range own.Metrics {
			for _, g := range m.Groups {
				if g.Key != "ana" {
					t.Fatalf("%s: ana sees %q", m.Metric, g.Key)
				}
				j := slices.IndexFunc(whole.Metrics[i].Groups, func(x Group) bool { return x.Key == "ana" })
				if d, _ := metric.Find(m.Metric, 0); d.OnlyLast() {
					continue // whose close was the last is decided among all of them
				}
				if j < 0 || text(t, whole.Metrics[i].Groups[j]) != text(t, g) {
					t.Fatalf("%s: ana sees %s of herself", m.Metric, text(t, g))
				}
			}
		}
		// A supervisor sees exactly what a report of their department says.
		r.Filter = Filter{}
		r.Metrics = some(t, metrics(false))
		mine := ask(Scope{Departments: []string{"ventas"}})
		r.Filter = Filter{Department: "ventas"}
		same(t, "ventas", mine, background(t, b, r))
		// Who has no scope sees nothing, whatever they ask for.
		for _, f := range []Filter{{}, {Operator: "ana"}, {Department: "ventas"}, {Operator: Nobody}} {
			r.Filter = f
			for _, m := range ask(Scope{}).Metrics {
				if m.Total.N != 0 || len(m.Groups) != 0 {
					t.Fatalf("%s shows %s to nobody", m.Metric, text(t, m))
				}
			}
		}
		for _, s := range []Scope{{}, {Operator: "ana"}, {Departments: []string{"ventas"}}} {
			for _, name := range r.Metrics {
				ask := SamplesRequest{Metric: name, From: r.From, To: r.To, Limit: 200, Actors: ActorsAll}
				for _, item := range listed(t, b, s, ask) {
					if !s.sees(item.Operator, item.Department) {
						t.Fatalf("%s shows %s to %+v", name, text(t, item), s)
					}
				}
			}
		}
	})
}

func TestASupervisorSeesThePresenceOfTheirDepartmentsOperatorsOnly(t *testing.T) {
	commits := membersAndPresence()
	b := build(t, t.TempDir(), commits, 100)
	defer b.close()
	ctx := context.Background()
	from := metrictest.WorkedDay
	sees := func(s Scope, f Filter, at domain.Position) string {
		r := Request{Metrics: []string{"connected"}, From: from, To: from.Add(24 * time.Hour), GroupBy: GroupOperator, Filter: f, Position: at}
		got, err := b.Report(ctx, metrictest.Workspace, s, r)
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, g := range got.Metrics[0].Groups {
			keys = append(keys, g.Key)
		}
		return strings.Join(keys, " ")
	}
	head := commits[len(commits)-1].Position
	for _, x := range []struct {
		who  Scope
		of   Filter
		at   domain.Position
		want string
	}{
		{all, Filter{}, head, "ana beto"},
		{all, Filter{Department: "ventas"}, head, "beto"},
		{Scope{Departments: []string{"soporte"}}, Filter{}, head, "ana"},
		{Scope{Departments: []string{"ventas"}}, Filter{}, head, "beto"},
		{Scope{Departments: []string{"ventas"}}, Filter{}, head - 1, "ana beto"}, // before ana left
		{Scope{Departments: []string{"soporte"}}, Filter{Department: "ventas"}, head, ""},
		{Scope{Operator: "beto"}, Filter{}, head, "beto"},
		{Scope{Operator: "beto"}, Filter{Operator: "ana"}, head, ""},
		{Scope{}, Filter{}, head, ""},
	} {
		if got := sees(x.who, x.of, x.at); got != x.want {
			t.Errorf("%+v sees of %+v at %d: %q, want %q", x.who, x.of, x.at, got, x.want)
		}
	}
	ask := PresenceRequest{Operator: "ana", From: from, To: from.Add(24 * time.Hour)}
	for _, s := range []Scope{{Departments: []string{"ventas"}}, {Operator: "beto"}, {}} {
		_, err := b.Presence(ctx, metrictest.Workspace, s, ask)
		var refusal *domain.Refusal
		if !errors.As(err, &refusal) || refusal.Code != domain.CodeNotFound {
			t.Errorf("%+v: %v", s, err)
		}
	}
	for _, s := range []Scope{all, {Departments: []string{"soporte"}}, {Operator: "ana"}} {
		got, err := b.Presence(ctx, metrictest.Workspace, s, ask)
		if err != nil || len(got.Spans) != 1 || got.Total.Connected != 3600_000 {
			t.Errorf("%+v: %+v, %v", s, got, err)
		}
	}
}

func TestLiveTellsWhoWaitsHowLongAndWhatEverybodyHas(t *testing.T) {
	log := lines{}
	log.open("t1-1", "09:00", "soporte", thread.StateWaiting)
	log.open("t2-1", "09:10", "soporte", thread.StateOutOfHours)
	log.open("t3-1", "09:15", "ventas", thread.StateWaiting)
	log.say("t3-1", "09:20", "beto", thread.Taken{Operator: "beto", Department: "ventas", How: thread.TakenByHand})
	log.open("t4-1", "09:25", "ventas", thread.StateWaiting)
	log.say("t4-1", "09:26", "beto", thread.Taken{Operator: "beto", Department: "ventas", How: thread.TakenByHand})
	log.say("t4-1", "09:27", "beto", thread.Paused{Operator: "beto"})
	log.open("t5-1", "09:30", "soporte", thread.StateWaiting)
	log.say("t5-1", "09:31", "ana", thread.Closed{Reason: thread.ClosedIgnored, Department: "soporte"})
	b := build(t, t.TempDir(), log.commits, 100)
	defer b.close()
	now := metrictest.WorkedDay.Add(9*time.Hour + 40*time.Minute)
	for _, x := range []struct {
		who  Scope
		ask  LiveRequest
		want string
	}{
		{all, LiveRequest{Now: now}, `{"position":9,"now":"2026-09-07T09:40:00.000Z","departments":[` +
			`{"department":"soporte","waiting":1,"out_of_hours":1,"attending":0,"paused":0,"bot":0,"longest_wait_s":2400,"mean_wait_s":2100,"waiting_since":"2026-09-07T09:00:00.000Z"},` +
			`{"department":"ventas","waiting":0,"out_of_hours":0,"attending":1,"paused":1,"bot":0,"longest_wait_s":null,"mean_wait_s":null,"waiting_since":null}],` +
			`"operators":[{"operator":"beto","connected":false,"available":false,"since":null,"attending":1,"paused":1}]}`},
		{Scope{Departments: []string{"soporte"}}, LiveRequest{Now: now}, `{"position":9,"now":"2026-09-07T09:40:00.000Z","departments":[` +
			`{"department":"soporte","waiting":1,"out_of_hours":1,"attending":0,"paused":0,"bot":0,"longest_wait_s":2400,"mean_wait_s":2100,"waiting_since":"2026-09-07T09:00:00.000Z"}],"operators":[]}`},
		{Scope{Operator: "beto"}, LiveRequest{Now: now, Department: "ventas"}, `{"position":9,"now":"2026-09-07T09:40:00.000Z","departments":[` +
			`{"department":"ventas","waiting":0,"out_of_hours":0,"attending":1,"paused":1,"bot":0,"longest_wait_s":null,"mean_wait_s":null,"waiting_since":null}],"operators":[]}`},
		{all, LiveRequest{Position: 2}, `{"position":2,"now":"2026-09-07T09:10:00.000Z","departments":[` +
			`{"department":"soporte","waiting":1,"out_of_hours":1,"attending":0,"paused":0,"bot":0,"longest_wait_s":600,"mean_wait_s":300,"waiting_since":"2026-09-07T09:00:00.000Z"}],"operators":[]}`},
	} {
		got, err := b.Live(context.Background(), metrictest.Workspace, x.who, x.ask)
		if err != nil || text(t, got) != x.want {
			t.Errorf("%+v asks %+v:\n got %s (%v)\nwant %s", x.who, x.ask, text(t, got), err, x.want)
		}
	}
}

func TestWhoStoodOutOfHoursIsStillSaidToHaveAfterTheListWasDrained(t *testing.T) {
	log := lines{}
	log.open("t1-1", "07:00", "soporte", thread.StateOutOfHours)
	log.open("t2-1", "07:10", "soporte", thread.StateOutOfHours)
	log.say("t1-1", "09:00", "", thread.Queued{Department: "soporte", List: thread.StateWaiting, Cause: "opening"})
	log.say("t2-1", "09:00", "", thread.Queued{Department: "soporte", List: thread.StateWaiting, Cause: "opening"})
	log.say("t2-1", "09:05", "ana", thread.Taken{Operator: "ana", Department: "soporte", How: thread.TakenByHand})
	b := build(t, t.TempDir(), log.commits, 100)
	defer b.close()
	for at, want := range map[domain.Position]LiveDepartment{
		2: {OutOfHours: 2}, 3: {Waiting: 1, OutOfHours: 1}, 4: {Waiting: 2}, 5: {Waiting: 1, Attending: 1}, 0: {Waiting: 1, Attending: 1},
	} {
		got, err := b.Live(context.Background(), metrictest.Workspace, all, LiveRequest{Position: at})
		if err != nil || len(got.Departments) != 1 {
			t.Fatalf("at %d: %+v, %v", at, got, err)
		}
		d := got.Departments[0]
		if d.Waiting != want.Waiting || d.OutOfHours != want.OutOfHours || d.Attending != want.Attending {
			t.Errorf("at %d: %+v, want %+v", at, d, want)
		}
		if since := d.WaitingSince.Time(); since.Hour() != 7 || since.Minute() != 0 {
			t.Errorf("at %d the longest waits since %s: the wait goes on through the lists", at, since)
		}
	}
}

// N6: a report at a position never changes.
func TestTheSameRequestAtTheSamePositionGivesTheSameBytesForEver(t *testing.T) {
	commits := metrictest.Worked()
	dir := t.TempDir()
	r := morning(metrics(true)...)
	r.Bucket, r.Position = BucketHour, 12
	b := build(t, dir, commits[:12], 100)
	then := text(t, background(t, b, r))
	b.close()
	b = build(t, dir, commits, 100)
	defer b.close()
	if now := text(t, background(t, b, r)); now != then {
		t.Errorf("it was\n%s\nand is\n%s", then, now)
	}
	rebuilt := build(t, t.TempDir(), commits, 3)
	defer rebuilt.close()
	if now := text(t, background(t, rebuilt, r)); now != then {
		t.Errorf("it was\n%s\nand rebuilt it is\n%s", then, now)
	}
}

func TestWorkspacesDoNotSeeEachOther(t *testing.T) {
	one := metrictest.Worked()
	two := metrictest.Worked()
	commits := append([]domain.Commit(nil), one...)
	for _, c := range two {
		c.Aggregate.Workspace, c.ID = "other", c.ID+"-other"
		c.Position += domain.Position(len(one))
		if c.Opened != 0 {
			c.Opened += domain.Position(len(one))
		}
		commits = append(commits, c)
	}
	b := build(t, t.TempDir(), commits, 100)
	defer b.close()
	r := morning("received", "reply_time", "occupancy", "backlog")
	ask := func(workspace string) []MetricReport {
		got, err := b.Report(context.Background(), workspace, all, r)
		if err != nil {
			t.Fatal(err)
		}
		return got.Metrics
	}
	if a, b := text(t, ask(metrictest.Workspace)), text(t, ask("other")); a != b || !strings.Contains(a, `"sum_s":1620`) {
		t.Errorf("%s\n%s", a, b)
	}
	for _, m := range ask("nobodys") {
		if m.Total.N != 0 {
			t.Errorf("%s is %s in a workspace that is not there", m.Metric, text(t, m))
		}
	}
}

func TestARequestThatMakesNoSenseIsRefusedWithItsField(t *testing.T) {
	b := build(t, t.TempDir(), metrictest.Worked(), 100)
	defer b.close()
	day := metrictest.WorkedDay
	good := Request{Metrics: []string{"received"}, From: day, To: day.Add(time.Hour)}
	for field, spoil := range map[string]func(*Request){
		"metric":   func(r *Request) { r.Metrics = []string{"nonsense"} },
		"metric ":  func(r *Request) { r.Metrics = nil },
		"metric  ": func(r *Request) { r.Version = 9 },
		"from":     func(r *Request) { r.From = time.Time{} },
		"to":       func(r *Request) { r.To = r.From },
		"tz":       func(r *Request) { r.TZ = "Mars/Olympus" },
		"tz ":      func(r *Request) { r.TZ = "Local" },
		"bucket":   func(r *Request) { r.Bucket = "year" },
		"group_by": func(r *Request) { r.GroupBy = "colour" },
		"group_by ": func(r *Request) {
			r.Metrics, r.GroupBy = []string{"occupancy"}, GroupDepartment
		},
		"pauses": func(r *Request) { r.Pauses = "half" },
		"cohort": func(r *Request) { r.Cohort = "middle" },
		"actors": func(r *Request) { r.Actors = "ghosts" },
	} {
		r := good
		spoil(&r)
		_, err := b.Report(context.Background(), metrictest.Workspace, all, r)
		var refusal *domain.Refusal
		if !errors.As(err, &refusal) || refusal.Code != domain.CodeInvalid || refusal.Missing[0] != strings.TrimSpace(field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	good.Position = 999
	if _, err := b.Report(context.Background(), metrictest.Workspace, all, good); !errors.Is(err, projections.ErrAhead) {
		t.Errorf("a position that is not there yet: %v", err)
	}
}

func TestAConversationWhoseOpeningIsNotInTheViewIsIndigestible(t *testing.T) {
	commits := metrictest.Worked()[3:4]
	commits[0].Position, commits[0].Opened = 1, 99
	store := build(t, t.TempDir(), nil, 1)
	defer store.close()
	err := projections.NewRunner(logOf(commits), store.store, New(), nil, projections.Options{}).RunToHead(context.Background())
	if !errors.Is(err, projections.ErrPoison) || !errors.Is(err, errNotOpened) {
		t.Errorf("got %v", err)
	}
}
