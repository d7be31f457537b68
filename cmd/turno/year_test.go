package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"github.com/turno-desk/turno/adapters/sqlstore"
	"github.com/turno-desk/turno/adapters/telemetry"
	"github.com/turno-desk/turno/cmd/turno/demo"
	"github.com/turno-desk/turno/cmd/turno/year"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/simulation"
	"github.com/turno-desk/turno/domain/survey"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/effects"
)

var firstDay = time.Date(2025, 3, 3, 0, 0, 0, 0, time.UTC)

// historyFile makes up a history and writes it to a file.
func historyFile(t *testing.T, o year.Options) (string, year.Written) {
	t.Helper()
	var history bytes.Buffer
	o.From = firstDay
	written, err := year.Generate(&history, o)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "history.jsonl")
	if err := os.WriteFile(file, history.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, written
}

// bring imports the file: every line of it passes the domain's checks.
func bring(t *testing.T, dir, file string, w year.Written, flags ...string) {
	t.Helper()
	out, errs, err := turno(t, append([]string{"import", "--data", dir, "--log-level", "warn", "--strict", file}, flags...)...)
	if err != nil || !strings.Contains(out, fmt.Sprintf("%d lines: %d imported, 0 changed nothing, 0 skipped", w.Lines, w.Lines)) {
		t.Fatalf("%v\n%s\n%s", err, out, errs)
	}
}

// TestAGeneratedHistoryIsImportedWholeAndCountedRight imports a made-up desk: every line passes the domain's checks, and the views
// say what the generator counted.
func TestAGeneratedHistoryIsImportedWholeAndCountedRight(t *testing.T) {
	file, want := historyFile(t, year.Options{Operators: 8, Conversations: 200, Days: 3, Departments: 4})
	dir, first := t.TempDir(), firstDay
	bring(t, dir, file, want, "--sync", "1s")
	s := serveOn(t, dir, "--sync", "1s")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client := demo.NewClient(s.url, adminToken, 4)
	caughtUp(ctx, t, client)
	period := fmt.Sprintf("from=%s&to=%s", first.AddDate(0, 0, -2).Format(time.RFC3339), first.AddDate(0, 0, 5).Format(time.RFC3339))
	departments := report(ctx, t, client, "/v1/stats/departments?metric=received,outbound,messages_in,messages_out,closed,abandoned,transfers_in,taken&actors=all&"+period)
	operators := report(ctx, t, client, "/v1/stats/operators?metric=messages_out,taken,owned_at_close,satisfaction,satisfaction_yes,surveys,response_rate&"+period)
	delete(operators["owned_at_close"].groups, "") // closed by contacts who gave up: nobody owned them
	sums := map[string]int{"outbound": want.Outbound, "abandoned": want.Abandoned, "messages out": want.Out + want.Machine,
		"taken": want.Assigned + want.Taken + want.Outbound, "surveys": want.Surveys, "rated": want.Rated}
	for _, c := range []struct {
		what      string
		want, got any
	}{
		{"sums", sums, map[string]int{"outbound": departments["outbound"].total, "abandoned": departments["abandoned"].total,
			"messages out": departments["messages_out"].total, "taken": departments["taken"].total,
			"surveys": operators["surveys"].total, "rated": operators["satisfaction"].total + operators["satisfaction_yes"].total}},
		{"received", want.ReceivedBy, departments["received"].groups},
		{"messages in", want.InBy, departments["messages_in"].groups},
		{"closed", want.ClosedBy, departments["closed"].groups},
		{"transfers in", want.TransferredIn, departments["transfers_in"].groups},
		{"taken by operator", want.TakenBy, operators["taken"].groups},
		{"sent by operator", want.SentBy, operators["messages_out"].groups},
		{"owned at the close", want.OwnedAtClose, operators["owned_at_close"].groups},
		{"asked about", want.SurveysBy, operators["surveys"].groups},
		{"answered about", want.AnsweredBy, positive(operators["response_rate"].yes)},
		{"rated", want.RatedBy, operators["satisfaction"].groups},
		{"scores", want.ScoreBy, operators["satisfaction"].yes},
		{"judged", want.JudgedBy, operators["satisfaction_yes"].groups},
		{"satisfied", want.SatisfiedBy, positive(operators["satisfaction_yes"].yes)},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s (-generated +views):\n%s", c.what, diff)
		}
	}
	if want.Abandoned == 0 || want.Transfers == 0 || want.Drained == 0 || want.Typed == 0 || want.Rated == want.Typed || want.Commented == 0 || len(want.SatisfiedBy) == 0 {
		t.Errorf("the history shows too little: %s", want)
	}
	s.stop()
	surveysInTheLog(t, dir, want)
}

// positive is without those who have none: a sum of 0 is a group all the same.
func positive(by map[string]int) map[string]int {
	maps.DeleteFunc(by, func(_ string, n int) bool { return n == 0 })
	return by
}

// surveysInTheLog is F113, D7 and D12: no contact was asked twice within the cap, which knows of every survey; every rating answers one
// that was sent, in the conversation that it is about, and is credited as that was.
func surveysInTheLog(t *testing.T, dir string, want year.Written) {
	t.Helper()
	sent, confirmed := map[string]thread.SurveySent{}, map[string]bool{}
	last := map[string]time.Time{} // by contact
	answered := map[string]bool{}
	commits(t, dir, func(c *domain.Commit) {
		for _, e := range c.Events {
			switch e := e.(type) {
			case thread.SurveySent:
				if before, again := last[c.Contact]; again && c.Time.Sub(before) < survey.DefaultCap {
					t.Errorf("position %d: %s was asked at %s and at %s", c.Position, c.Contact, before, c.Time)
				}
				last[c.Contact], sent[e.Survey] = c.Time, e
			case contact.SurveyConfirmed:
				confirmed[e.Survey] = true
			case thread.Rated:
				about, _, _ := thread.SplitSurveyID(e.Survey)
				if s, ok := sent[e.Survey]; !ok || about != c.Conversation || s.CreditOperator != e.CreditOperator || s.CreditDepartment != e.CreditDepartment {
					t.Errorf("position %d: %+v answers %+v", c.Position, e, s)
				}
				answered[e.Survey] = true
			}
		}
	})
	if len(sent) != want.Surveys || len(confirmed) != want.Surveys || len(answered) != want.Rated {
		t.Errorf("%d surveys are in the log, the cap knows of %d, %d were answered; generated: %s", len(sent), len(confirmed), len(answered), want)
	}
}

// commits calls each with every commit of the log.
func commits(t *testing.T, dir string, each func(*domain.Commit)) {
	t.Helper()
	r, err := openToRead(&program{ctx: t.Context(), getenv: env(nil), log: zap.NewNop(), meters: telemetry.New("")}, logFlags{Data: dir, Workspace: "default"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	err = r.store.Read(t.Context(), 0, projections.ReadOptions{ToHead: true}, func(chunk []domain.Commit) error {
		for i := range chunk {
			each(&chunk[i])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestNoEffectActsBesideAnImport imports beside a desk whose effects follow the log: what they come to see makes them do nothing.
func TestNoEffectActsBesideAnImport(t *testing.T) {
	file, want := historyFile(t, year.Options{Operators: 4, Conversations: 30, Days: 1, Departments: 2})
	dir := t.TempDir()
	s := serveOn(t, dir, "--sync", "1s")
	awaitLeader(t, dir)
	bring(t, dir, file, want)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client := demo.NewClient(s.url, adminToken, 4)
	caughtUp(ctx, t, client)
	actedUpTo(t, dir, headOf(ctx, t, client))
	s.stop()
	seen := map[domain.Category]int{}
	commits(t, dir, func(c *domain.Commit) {
		seen[c.Aggregate.Category]++
		if c.Actor.Via != "" || c.Aggregate.Category == domain.CategoryThread && c.Origin != domain.OriginImport {
			t.Errorf("position %d: %s by %s via %q is of no line", c.Position, c.Aggregate, c.Actor, c.Actor.Via)
		}
	})
	if seen[domain.CategoryThread] == 0 || seen[domain.CategoryWorkload] != 0 || seen[domain.CategoryContact] != want.Surveys || want.Rated == 0 {
		t.Errorf("commits by category: %v; generated: %s", seen, want)
	}
}

// actedUpTo waits until every effect has passed the position.
func actedUpTo(t *testing.T, dir string, position domain.Position) {
	t.Helper()
	views, err := sqlstore.Open(dir, sqlstore.Options{WaitBuilt: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer views.Close()
	var least sql.NullInt64
	for limit := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		err := views.Reader(effects.Name).QueryRow(`SELECT min(position) FROM checkpoint`).Scan(&least)
		if err == nil && domain.Position(least.Int64) >= position {
			return
		}
		if time.Now().After(limit) {
			t.Fatal(errors.Join(fmt.Errorf("the effects are at %d of %d", least.Int64, position), err))
		}
	}
}

func headOf(ctx context.Context, t *testing.T, c *demo.Client) domain.Position {
	t.Helper()
	var ready struct{ Log struct{ Head int64 } }
	get(ctx, t, c, "/readyz", &ready)
	return domain.Position(ready.Log.Head)
}

// TestASimulationOfAGeneratedHistoryGivesItsWaits is the law of N16 on an import: one department, whose rule gives everything. Each
// wait is as long and ends the same way, with the same operator.
func TestASimulationOfAGeneratedHistoryGivesItsWaits(t *testing.T) {
	file, written := historyFile(t, year.Options{Operators: 2, Conversations: 120, Days: 2, Departments: 1})
	dir, first := t.TempDir(), firstDay
	bring(t, dir, file, written, "--sync", "1s")
	recording := simulation.NewRecording("default", first.AddDate(0, 0, -1), first.AddDate(0, 0, 3))
	commits(t, dir, recording.Apply)
	was := recording.AsItWas()
	if diff := cmp.Diff(was, recording.Run(simulation.Plan{})); diff != "" {
		t.Errorf("(-as it was +simulated):\n%s", diff)
	}
	if f := was.Figures(""); f.N < 100 || f.P90 == 0 {
		t.Errorf("it shows too little: %+v", f)
	}
}
