package main

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/cmd/turno/demo"
)

// dialoguesFile is the data set that the numbers below were counted in. It is no part of the project.
const dialoguesFile = "../../../shared/data/dialogues/star_support_domains.jsonl.gz"

// starLine is a line of the file as this test reads it: on purpose not the reader of the demo.
type starLine struct {
	DialogueID                                       int
	AnonymizedUserWorkerID, AnonymizedWizardWorkerID string
	Scenario                                         struct{ Domains []string }
	UserQuestionnaire                                []struct {
		Question string
		Answer   any
	}
	Events []struct{ Agent, Action, Text string }
}

// tally is what can be counted, of the file or of the views.
type tally struct {
	Received, In, Out, Closed, Open              int
	InBy, OutBy, ClosedBy, OpenBy, Waiting, Busy map[string]int // by department
	SentBy, TakenBy, OwnedAtClose, Rated, Yes    map[string]int // by operator
}

func newTally() tally {
	m := func() map[string]int { return map[string]int{} }
	return tally{
		InBy: m(), OutBy: m(), ClosedBy: m(), OpenBy: m(), Waiting: m(), Busy: m(),
		SentBy: m(), TakenBy: m(), OwnedAtClose: m(), Rated: m(), Yes: m(),
	}
}

// TestTheViewsCountAllDialoguesOfTheDataSetRight replays every dialogue through the API and compares what queue, history
// and statistics say with a count over the file.
func TestTheViewsCountAllDialoguesOfTheDataSetRight(t *testing.T) {
	if _, err := os.Stat(dialoguesFile); err != nil {
		t.Skip("the dialogues of the data set are not here: they lie in a folder `shared` beside the repository")
	}
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	want := countFile(t)
	s := newStage(t, built(t), map[string]part{"engine": {args: []string{"serve", "--sync", "1s"}, http: free(t)}})
	s.start("engine")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	client := demo.NewClient(s.url("engine"), adminToken, 64)
	furnish(ctx, t, client) // waits until it answers
	from := time.Now().Add(-time.Minute)
	var report demo.Report
	if err := demo.Dialogues(ctx, client, dialoguesFile, demo.Options{Parallel: 64}, &report); err != nil {
		t.Fatalf("%v\n%s", err, s.said())
	}
	t.Log(&report)
	if n := report.Skipped.Load(); n != 296 {
		t.Errorf("%d dialogues were skipped, 296 have no message", n)
	}
	if want.Received != 3167 || want.In != 30858 || want.Out != 30702 || want.Closed != 2955 || want.Open != 212 {
		t.Errorf("the file is not what it was: %+v", want)
	}
	got := countViews(ctx, t, client, from)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the views differ from the file (-file +views):\n%s", diff)
	}
	s.kill("engine")
}

func countFile(t *testing.T) tally {
	t.Helper()
	n, wizards := newTally(), map[string]string{}
	for _, d := range starLines(t) {
		id := wizards[d.AnonymizedWizardWorkerID]
		if id == "" {
			id = fmt.Sprintf("wizard-%03d", len(wizards)+1)
			wizards[d.AnonymizedWizardWorkerID] = id
		}
		department := ""
		for _, domain := range d.Scenario.Domains {
			if department == "" && (domain == "bank" || domain == "hotel" || domain == "doctor" || domain == "ride") {
				department = domain
			}
		}
		in, out, complete := 0, 0, false
		for _, e := range d.Events {
			switch {
			case e.Agent == "User" && e.Action == "utter":
				in++
			case e.Agent == "Wizard" && (e.Action == "utter" || e.Action == "pick_suggestion"):
				out++
			case e.Action == "complete":
				complete = true
			}
		}
		if in+out == 0 {
			continue
		}
		n.Received++
		n.In, n.Out = n.In+in, n.Out+out
		add(n.InBy, department, in)
		add(n.OutBy, department, out)
		add(n.SentBy, id, out)
		if out > 0 {
			n.TakenBy[id]++
		}
		if !complete {
			n.Open++
			n.OpenBy[department]++
			if out > 0 {
				n.Busy[department]++
			} else {
				n.Waiting[department]++
			}
			continue
		}
		n.Closed++
		n.ClosedBy[department]++
		if out > 0 {
			n.OwnedAtClose[id]++
		}
		for _, q := range d.UserQuestionnaire {
			if yes, ok := q.Answer.(bool); ok && strings.Contains(q.Question, "calm and helpful") {
				who := ""
				if out > 0 {
					who = id
				}
				n.Rated[who]++
				if yes {
					n.Yes[who]++
				}
			}
		}
	}
	return n
}

func starLines(t *testing.T) []starLine {
	t.Helper()
	in := gunzip(t, dialoguesFile)
	defer in.Close()
	var all []starLine
	for lines := json.NewDecoder(in); lines.More(); {
		var l starLine
		if err := lines.Decode(&l); err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	return all
}

func add(m map[string]int, key string, n int) {
	if n > 0 {
		m[key] += n
	}
}

// countViews asks the API for the same numbers, each of the view that keeps it.
func countViews(ctx context.Context, t *testing.T, c *demo.Client, from time.Time) tally {
	t.Helper()
	n := newTally()
	caughtUp(ctx, t, c)

	var queues struct {
		Items []struct {
			Department string
			Counts     map[string]int
		}
	}
	get(ctx, t, c, "/v1/queues", &queues)
	for _, q := range queues.Items {
		add(n.Waiting, q.Department, q.Counts["waiting"])
		add(n.Busy, q.Department, q.Counts["attending"])
		if q.Counts["paused"]+q.Counts["out_of_hours"]+q.Counts["bot"] > 0 {
			t.Errorf("%s has conversations in states that nobody put them in: %v", q.Department, q.Counts)
		}
	}

	// history lists every conversation
	for next := ""; ; {
		var page struct {
			Items []struct {
				State, Department string
			}
			Next    string
			HasMore bool `json:"has_more"`
		}
		get(ctx, t, c, fmt.Sprintf("/v1/conversations?limit=200&cursor=%s", url.QueryEscape(next)), &page)
		for _, item := range page.Items {
			if item.State == "closed" {
				n.Closed++
				n.ClosedBy[item.Department]++
			} else {
				n.Open++
				n.OpenBy[item.Department]++
			}
		}
		if !page.HasMore {
			break
		}
		next = page.Next
	}

	period := fmt.Sprintf("from=%s&to=%s", from.UTC().Format(time.RFC3339), time.Now().Add(time.Minute).UTC().Format(time.RFC3339))
	departments := report(ctx, t, c, "/v1/stats/departments?metric=received,messages_in,messages_out,closed&actors=all&"+period)
	n.Received, n.In, n.Out = departments["received"].total, departments["messages_in"].total, departments["messages_out"].total
	n.InBy, n.OutBy = departments["messages_in"].groups, departments["messages_out"].groups
	if diff := cmp.Diff(n.ClosedBy, departments["closed"].groups); diff != "" {
		t.Errorf("history and statistics count the closed differently (-history +stats):\n%s", diff)
	}
	operators := report(ctx, t, c, "/v1/stats/operators?metric=messages_out,taken,owned_at_close,satisfaction_yes,closed&"+period)
	n.SentBy, n.TakenBy, n.OwnedAtClose = operators["messages_out"].groups, operators["taken"].groups, operators["owned_at_close"].groups
	n.Rated, n.Yes = operators["satisfaction_yes"].groups, operators["satisfaction_yes"].yes
	delete(n.OwnedAtClose, "") // nobody owned them
	for operator, closed := range operators["closed"].groups {
		if operator != "" {
			t.Errorf("%s is said to have closed %d; the customers did", operator, closed)
		}
	}
	return n
}

type counted struct {
	total  int
	groups map[string]int
	yes    map[string]int
}

// report reads n by metric and group; of a share, how many it is the share of, and how many had it.
func report(ctx context.Context, t *testing.T, c *demo.Client, path string) map[string]counted {
	t.Helper()
	type cell struct {
		N     int      `json:"n"`
		Mean  *float64 `json:"mean"`
		Value *float64 `json:"value"`
	}
	var answer struct {
		Metrics []struct {
			Metric string
			Total  cell
			Groups []struct {
				Key   string
				Total cell
			}
		}
	}
	get(ctx, t, c, path, &answer)
	all := map[string]counted{}
	for _, m := range answer.Metrics {
		k := counted{m.Total.N, map[string]int{}, map[string]int{}}
		for _, g := range m.Groups {
			add(k.groups, g.Key, g.Total.N)
			if share := g.Total.Mean; share != nil {
				add(k.yes, g.Key, int(*share*float64(g.Total.N)+0.5))
			}
		}
		all[m.Metric] = k
	}
	return all
}

func get(ctx context.Context, t *testing.T, c *demo.Client, path string, into any) {
	t.Helper()
	if err := c.Get(ctx, path, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// caughtUp waits until every view has reached the head of the log.
func caughtUp(ctx context.Context, t *testing.T, c *demo.Client) {
	t.Helper()
	for {
		var ready struct {
			Log   struct{ Head int64 }
			Views []struct {
				Projection string
				Position   int64
			}
		}
		err := c.Get(ctx, "/readyz", &ready)
		behind := err != nil || len(ready.Views) == 0
		for _, v := range ready.Views {
			behind = behind || v.Position < ready.Log.Head
		}
		if !behind {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the views don't catch up: %+v, %v", ready, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// gunzip opens a gzipped file; closing it closes the file.
func gunzip(t *testing.T, path string) io.ReadCloser {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	zr, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	return struct {
		io.Reader
		io.Closer
	}{zr, f}
}
