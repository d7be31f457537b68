package stats

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/turno-desk/turno/adapters/codec"
	"github.com/turno-desk/turno/adapters/memory"
	"github.com/turno-desk/turno/adapters/vault"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/metric"
	"github.com/turno-desk/turno/domain/metric/metrictest"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/viewtest"
)

// workedView is the worked conversation, sealed into a log and read from it by a runner.
func workedView(t *testing.T) *built {
	t.Helper()
	ctx := context.Background()
	keys := vault.NewMemory(metrictest.Workspace)
	log := memory.New(codec.New(keys))
	key, err := keys.NewKey(ctx)
	if err != nil {
		t.Fatal(err)
	}
	versions := map[domain.Aggregate]domain.Version{}
	var opened domain.Position
	for _, c := range metrictest.Worked() {
		if c.Conversation != "" {
			c.Key, c.Opened = key, opened
		}
		p, v, err := log.Append(ctx, c, versions[c.Aggregate])
		if err != nil {
			t.Fatal(err)
		}
		if c.Conversation != "" && opened == 0 {
			opened = p
		}
		versions[c.Aggregate] = v
	}
	store, err := viewtest.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	if err := projections.NewRunner(log, store, New(), nil, projections.Options{}).RunToHead(ctx); err != nil {
		t.Fatal(err)
	}
	return &built{NewQueries(store.Reader(Name)), store}
}

// morning is 09:00 to the next midnight.
func morning(metrics ...string) Request {
	return Request{Metrics: metrics, From: metrictest.WorkedDay.Add(9 * time.Hour), To: metrictest.WorkedDay.Add(24 * time.Hour), GroupBy: GroupOperator}
}

func TestTheWorkedConversationComesOutOfTheView(t *testing.T) {
	v := workedView(t)
	hour := morning("occupancy")
	hour.To = hour.From.Add(time.Hour)
	got := map[string]float64{}
	note := func(r Request) {
		t.Helper()
		report, err := v.Report(context.Background(), metrictest.Workspace, all, r)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range report.Metrics {
			cell := func(key string, c Cell) {
				got[m.Metric+key+" n"] = float64(c.N)
				for name, x := range map[string]*float64{"sum": c.Sum, "mean": c.Mean} {
					if x != nil {
						got[m.Metric+key+" "+name] = *x
					}
				}
				if c.WithoutPauses != nil && c.WithoutPauses.Sum != nil {
					got[m.Metric+key+" net"] = *c.WithoutPauses.Sum
				}
			}
			cell("", m.Total)
			for _, g := range m.Groups {
				cell(" "+g.Key, g.Total)
			}
		}
	}
	note(morning("wait", "paused", "resolution", "first_response", "first_response_from_take", "reply_time", "customer_waiting", "handle",
		"handle_conversation", "transfers_out", "transfers_in", "taken", "messages_in", "messages_out", "closed", "satisfaction"))
	note(hour)
	for what, want := range map[string]float64{
		"wait sum": 600, "wait n": 2, "paused sum": 1080, "resolution sum": 3600, "resolution net": 2520,
		"first_response sum": 300, "first_response_from_take ana sum": 60, "first_response_from_take beto sum": 120,
		"first_response_from_take mean": 90, "reply_time n": 3, "reply_time mean": 540, "reply_time sum": 1620, "reply_time net": 540,
		"customer_waiting sum": 1620, "customer_waiting net": 540, "handle ana sum": 780, "handle beto sum": 1140,
		"handle_conversation sum": 1920, "transfers_out ana n": 1, "transfers_in n": 1, "transfers_in  n": 1, "taken beto n": 1,
		"messages_in n": 4, "messages_out n": 4, "messages_out ana n": 2, "messages_out beto n": 2, "closed beto n": 1,
		"satisfaction beto mean": 4, "occupancy ana mean": 0.216667, "occupancy beto mean": 0.316667,
	} {
		if x, ok := got[what]; !ok || x != want {
			t.Errorf("%s is %v (there: %v), want %v", what, x, ok, want)
		}
	}
}

// TestTheAnswersAreWrittenAsTheyWere compares whole answers with testdata. With TURNO_UPDATE set it writes them instead.
func TestTheAnswersAreWrittenAsTheyWere(t *testing.T) {
	v := build(t, t.TempDir(), metrictest.Worked(), 500)
	defer v.close()
	ctx := context.Background()
	r := morning(metrics(true)...)
	r.Bucket, r.To = BucketHour, r.From.Add(2*time.Hour)
	report, err := v.Report(ctx, metrictest.Workspace, all, r)
	if err != nil {
		t.Fatal(err)
	}
	samples, err := v.Samples(ctx, metrictest.Workspace, all, SamplesRequest{Metric: "customer_waiting", From: r.From, To: r.To})
	if err != nil {
		t.Fatal(err)
	}
	handled, err := v.Samples(ctx, metrictest.Workspace, all, SamplesRequest{Metric: "handle", From: r.From, To: r.To})
	if err != nil {
		t.Fatal(err)
	}
	live, err := v.Live(ctx, metrictest.Workspace, all, LiveRequest{Position: 9})
	if err != nil {
		t.Fatal(err)
	}
	presence, err := v.Presence(ctx, metrictest.Workspace, all, PresenceRequest{Operator: "ana", From: r.From, To: r.To})
	if err != nil {
		t.Fatal(err)
	}
	for name, answer := range map[string]any{
		"report": report, "samples": samples, "handled": handled, "live": live, "presence": presence, "catalogue": metric.Catalogue(),
	} {
		var got bytes.Buffer
		if err := json.Indent(&got, []byte(text(t, answer)), "", "  "); err != nil {
			t.Fatal(err)
		}
		got.WriteByte('\n')
		file := filepath.Join("testdata", name+".json")
		if os.Getenv("TURNO_UPDATE") != "" {
			if err := os.MkdirAll("testdata", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); diff != "" {
			t.Errorf("%s (-want +got; TURNO_UPDATE=1 writes it anew):\n%s", file, diff)
		}
	}
}
