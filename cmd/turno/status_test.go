package main

import (
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/turno-desk/turno/adapters/telemetry"
)

var statusURL = regexp.MustCompile(`"url":"(http://[^"]+)"`)

// status is where a process tells how it is.
func (p *process) status() string {
	p.t.Helper()
	for limit := time.Now().Add(time.Minute); time.Now().Before(limit); time.Sleep(5 * time.Millisecond) {
		if m := statusURL.FindStringSubmatch(p.stderr.String()); m != nil {
			return m[1]
		}
	}
	p.t.Fatalf("%s does not say where its status is", p.name)
	return ""
}

// read is what is answered at a URL.
func read(t *testing.T, url string) (status int, body string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

// becomes waits until a URL is answered so.
func becomes(t *testing.T, url string, want int) {
	t.Helper()
	for limit := time.Now().Add(90 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		status, body := read(t, url)
		if status == want {
			return
		}
		if time.Now().After(limit) {
			t.Fatalf("%s answers %d, want %d: %s", url, status, want, body)
		}
	}
}

// metricNames are Turno's own metrics of a process.
func metricNames(t *testing.T, url string) (names []string) {
	t.Helper()
	_, body := read(t, url+"/metrics")
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (turno_\S+) `).FindAllStringSubmatch(body, -1) {
		names = append(names, m[1])
	}
	return names
}

// TestEachProcessTellsHowItIsAndShowsTheMetricsOfItsPart runs a log, an engine and a projector as processes, and compares
// what they show with what the catalogue, and so docs/metrics.md, says of them.
func TestEachProcessTellsHowItIsAndShowsTheMetricsOfItsPart(t *testing.T) {
	dir := t.TempDir()
	part := func(args ...string) *process {
		return start(t, append(args, "--data", dir, "--status", "127.0.0.1:0")...)
	}
	projector := part("projector", "queue")
	lone := projector.status()
	if _, _, err := turno(t, "health", lone); err != nil {
		t.Errorf("a projector that waits for its log is alive, and says: %v", err)
	}
	if _, _, err := turno(t, "health", lone+"/readyz"); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("a projector without a log is ready: %v", err)
	}

	host := part("serve", "--parts", "log")
	engine := part("engine", "--http", "127.0.0.1:0")
	worker := part("worker")
	becomes(t, lone+"/readyz", 200)
	becomes(t, host.status()+"/readyz", 200)
	becomes(t, engine.status()+"/readyz", 503) // four of its views are nobody's
	desk := engine.api()
	desk.furnish()
	id, at := desk.receive("m-1", "+1 555 0100", "Hello")
	desk.patiently("/v1/queues/support?" + after(at))
	desk.post("ana", "/v1/conversations/"+id+"/take", nil)
	desk.call(409, "ana", "POST", "/v1/conversations/"+id+"/reopen", nil)

	becomes(t, worker.status()+"/readyz", 200)
	shows := map[string][]telemetry.Part{
		lone:            {telemetry.FromAll, telemetry.FromProjector, telemetry.FromNeighbours},
		host.status():   {telemetry.FromAll, telemetry.FromHost, telemetry.FromNeighbours},
		worker.status(): {telemetry.FromAll, telemetry.FromDeciding, telemetry.FromWorker, telemetry.FromNeighbours},
		engine.status(): {telemetry.FromAll, telemetry.FromEngine, telemetry.FromDeciding, telemetry.FromNeighbours},
	}
	for url, parts := range shows {
		names := metricNames(t, url)
		for _, m := range telemetry.Catalogue() {
			view := strings.HasPrefix(m.Name, "turno_projection_") && (url == host.status() || url == worker.status()) // they serve none
			idle := url == worker.status() && m.Kind == telemetry.Counter && len(m.Labels) > 0                         // nothing was due
			if want := slices.Contains(parts, m.From) && !view; want != slices.Contains(names, m.Name) && !(want && idle) {
				t.Errorf("%s of %s: shown %v, want %v by parts %v", m.Name, m.From, !want, want, parts)
			}
		}
	}
	if _, public := read(t, desk.url+"/metrics"); !strings.Contains(public, `turno_commands_total{command="reopen",outcome="not_allowed_in_state"} 1`) {
		t.Error("the engine's own port shows no refusal")
	}

	host.kill()
	becomes(t, lone+"/readyz", 503)
	if _, _, err := turno(t, "health", lone); err != nil {
		t.Errorf("a projector that has lost its log is alive, and says: %v", err)
	}
	projector.end()
	if _, _, err := turno(t, "health", lone); err == nil {
		t.Error("a projector that has ended is well")
	}
}
