package telemetry

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/turno-desk/turno/api/command"
	apihttp "github.com/turno-desk/turno/api/http"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

//go:generate go test -count=1 -run ^TestThePageListsEveryMetric$ . -update

var update = flag.Bool("update", false, "write the generated page anew")

func TestThePageListsEveryMetric(t *testing.T) {
	const page = "../../docs/metrics.md"
	want := Page()
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is stale: run `make docs`", page)
	}
	for _, m := range Catalogue() {
		if n := strings.Count(want, "| `"+m.Name+"` |"); n != 1 {
			t.Errorf("the page has %s %d times", m.Name, n)
		}
	}
}

func TestTheCatalogueIsNamedByPrometheusConventions(t *testing.T) {
	name := regexp.MustCompile(`^turno_[a-z]+(_[a-z]+)*$`)
	for _, m := range Catalogue() {
		if !name.MatchString(m.Name) {
			t.Errorf("%s is no name", m.Name)
		}
		if got := strings.HasSuffix(m.Name, "_total"); got != (m.Kind == Counter) {
			t.Errorf("%s is a %s: counters, and they alone, end in _total", m.Name, m.Kind)
		}
		for _, unit := range []string{"seconds", "bytes"} {
			if (m.Unit == unit) != strings.HasSuffix(m.Name, "_"+unit) {
				t.Errorf("%s is in %q: its unit is the end of its name", m.Name, m.Unit)
			}
		}
		if (m.Kind == Histogram) != (len(m.Buckets) > 0) {
			t.Errorf("%s: buckets are for histograms, and they need them", m.Name)
		}
		if m.Meaning == "" || strings.HasSuffix(m.Meaning, ".") || m.From == "" {
			t.Errorf("%s does not say well what it means and where it is", m.Name)
		}
	}
}

// failing is a log whose appends fail in a certain way.
type failing struct {
	command.Log
	err error
}

func (f failing) Append(context.Context, domain.Commit, domain.Version) (domain.Position, domain.Version, error) {
	return 0, 0, f.err
}

func (f failing) Load(context.Context, domain.Aggregate, domain.Version, func(*domain.Commit) bool) ([]domain.Commit, domain.Version, error) {
	return nil, 0, nil
}

// TestEveryMetricOfTheCatalogueIsShownAndNoOther uses each part once and looks at what /metrics says then.
func TestEveryMetricOfTheCatalogueIsShownAndNoOther(t *testing.T) {
	m := New("v1.2.3")
	h := m.HTTP()
	h.Answered(apihttp.Answered{Method: "GET", Route: "/v1/queues", Status: 503, Problem: "log_full", Took: time.Millisecond})
	h.Commanded("take", apihttp.Appended, time.Millisecond)
	h.Streaming(1)
	ctx := context.Background()
	for _, err := range []error{nil, command.ErrConflict, command.ErrFull, command.ErrUncertain, command.ErrUnavailable, errors.New("else")} {
		log := m.Log(failing{err: fmt.Errorf("append: %w", err)})
		if err == nil {
			log = m.Log(failing{})
		}
		_, _, _ = log.Append(ctx, domain.Commit{}, 0)
		_, _, _ = log.Load(ctx, domain.Aggregate{}, 0, nil)
	}
	m.Grouped()(12)
	m.Vault()("add", time.Millisecond, nil)
	m.Vault()("read", time.Millisecond, errors.New("no"))
	m.Projection("queue")(500, time.Millisecond)
	m.Leading(func() bool { return true })
	for _, err := range []error{nil, &domain.Refusal{}, errors.New("no")} {
		m.Effects()("unattended", err == nil, err)
	}
	m.Effects()("unattended", false, nil)
	m.Deliveries()("retried", time.Millisecond)
	m.Pending(func() (int, time.Duration) { return 3, time.Minute })
	m.Writing("queue", func() bool { return true })
	m.Writing("stats", func() bool { return false })
	m.Standing(func(context.Context) apihttp.Readiness {
		return apihttp.Readiness{Log: apihttp.LogReadiness{Head: 70}, Views: []apihttp.ViewReading{
			{Status: projections.Status{Projection: "queue", Version: 3, Position: 60, LagEvents: 10, LagSeconds: 1.5, Parked: 2, Heartbeat: projections.Time{Time: time.Now()}}},
			{Status: projections.Status{Projection: "never-built"}},
		}}
	})
	m.Settings(func() (domain.Position, time.Duration, bool) { return 5, 100 * time.Millisecond, true })
	m.Connection(func() (bool, uint64) { return true, 4 })
	m.Streams(func(context.Context) []Stream { return []Stream{{"TURNO", 1000, 10, 5}} })
	m.Disk(func() (uint64, uint64, error) { return 1 << 40, 1 << 30, nil })

	answer := httptest.NewRecorder()
	m.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	body := answer.Body.String()
	for _, d := range Catalogue() {
		if !strings.Contains(body, "# TYPE "+d.Name+" "+string(d.Kind)+"\n") {
			t.Errorf("%s is not shown as a %s", d.Name, d.Kind)
		}
	}
	shown := regexp.MustCompile(`(?m)^# TYPE (turno_\S+) `).FindAllStringSubmatch(body, -1)
	if len(shown) != len(Catalogue()) {
		t.Errorf("%d metrics are shown, the catalogue has %d", len(shown), len(Catalogue()))
	}
	for _, line := range []string{
		`turno_http_problems_total{code="log_full",route="/v1/queues"} 1`,
		`turno_webhook_attempts_total{outcome="retried"} 1`,
		`turno_webhook_pending 3`,
		`turno_webhook_oldest_pending_seconds 60`,
		`turno_log_appends_total{result="ok"} 1`,
		`turno_log_appends_total{result="conflict"} 1`,
		`turno_log_appends_total{result="full"} 1`,
		`turno_log_appends_total{result="uncertain"} 1`,
		`turno_log_appends_total{result="unavailable"} 1`,
		`turno_log_appends_total{result="failed"} 1`,
		`turno_log_append_duration_seconds_count 6`,
		`turno_log_group_commit_size_sum 12`,
		`turno_vault_operations_total{operation="read",result="failed"} 1`,
		`turno_projection_commits_total{projection="queue"} 500`,
		`turno_projection_writing{projection="queue"} 1`,
		`turno_projection_writing{projection="stats"} 0`,
		`turno_projection_lag_seconds{projection="queue"} 1.5`,
		`turno_nats_reconnects_total 4`,
		`turno_effect_commands_total{effect="unattended",outcome="ok"} 1`,
		`turno_effect_commands_total{effect="unattended",outcome="unchanged"} 1`,
		`turno_effect_commands_total{effect="unattended",outcome="refused"} 1`,
		`turno_effect_commands_total{effect="unattended",outcome="failed"} 1`,
		`turno_stream_subjects{stream="TURNO"} 5`,
	} {
		if !strings.Contains(body, line+"\n") {
			t.Errorf("/metrics lacks %s", line)
		}
	}
	if strings.Contains(body, "never-built") {
		t.Error("/metrics speaks of a view that nobody has built")
	}
}
