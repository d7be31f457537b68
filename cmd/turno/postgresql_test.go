package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/turno-desk/turno/adapters/jetstream/natstest"
	"github.com/turno-desk/turno/adapters/pgstore/pgtest"
	"github.com/turno-desk/turno/adapters/sqlstore"
	"github.com/turno-desk/turno/adapters/telemetry"
	"github.com/turno-desk/turno/cmd/turno/demo"
	"github.com/turno-desk/turno/projections"
)

// TestPartsOnHostsOfTheirOwnRideThroughAKilledPostgreSQL runs an engine and every projector with nothing in common but NATS,
// PostgreSQL and the master key, kills PostgreSQL while customers write, and compares each view with one built anew.
func TestPartsOnHostsOfTheirOwnRideThroughAKilledPostgreSQL(t *testing.T) {
	nats := soleNATS(t)
	server := pgtest.Start(t)
	views := server.Database(t)
	var key []byte
	part := func(args ...string) (*process, string) {
		dir := t.TempDir() // a host of its own
		if key != nil {
			if err := os.WriteFile(filepath.Join(dir, "master.key"), key, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return start(t, append([]string{"--log-level", "error"}, append(args, "--data", dir, "--nats", nats, "--views", views)...)...), dir
	}
	engine, host := part("engine", "--http", "127.0.0.1:0")
	desk := engine.api()
	var err error
	if key, err = os.ReadFile(filepath.Join(host, "master.key")); err != nil {
		t.Fatal(err)
	}
	var parts []*process
	for _, name := range projectionNames {
		p, _ := part("projector", name)
		parts = append(parts, p)
	}
	desk.furnish()

	client := demo.NewClient(desk.url, adminToken, 8)
	var load sync.WaitGroup
	half := make(chan struct{})
	for n := range 4 {
		load.Go(func() {
			for k := range 60 {
				id := fmt.Sprintf("m%d-%d", n, k)
				if _, err := client.Do(t.Context(), http.MethodPost, "/v1/channels/web/messages", "contact", id, object{
					"message_id": id, "from": object{"address": fmt.Sprint("c", n)}, "text": id}); err != nil {
					t.Errorf("%s: %v", id, err)
				}
				if n == 0 && k == 30 {
					close(half)
				}
			}
		})
	}
	<-half
	server.Kill()
	status, retry := "", ""
	for until := time.Now().Add(time.Minute); status != "503" && time.Now().Before(until); {
		status, retry = asked(t, desk.url+"/v1/queues/support?state=waiting")
	}
	if status != "503" || retry == "" {
		t.Errorf("while PostgreSQL is down a question is answered %s, Retry-After %q; want 503 and when to come again", status, retry)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	load.Wait()
	builtAsAnew(t, logFlags{Data: host, NATS: nats, Workspace: "default", Replicas: 1}, viewFlags{Views: views})
	for _, p := range append(parts, engine) {
		p.end()
		if strings.Contains(p.stderr.String(), server.Password()) {
			t.Errorf("%s tells the password of the database", p.name)
		}
	}
}

// soleNATS is the URL of a NATS server of the test's own.
func soleNATS(t *testing.T) string {
	t.Helper()
	port := natstest.FreePort(t)
	config := filepath.Join(t.TempDir(), "nats.conf")
	content := fmt.Sprintf("host: 127.0.0.1\nport: %d\njetstream { store_dir: %q, sync_interval: always }\n", port, t.TempDir())
	if err := os.WriteFile(config, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return natstest.Start(t, config, fmt.Sprintf("127.0.0.1:%d", port)).URL()
}

// asked is how a question is answered.
func asked(t *testing.T, url string) (status, retry string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return fmt.Sprint(resp.StatusCode), resp.Header.Get("Retry-After")
}

// builtAsAnew waits until the views have all of the log, and compares each with one that is built from the log alone, on
// SQLite. Nothing may be parked.
func builtAsAnew(t *testing.T, f logFlags, v viewFlags) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	p := &program{ctx: ctx, getenv: env(nil), log: zap.NewNop(), meters: telemetry.New("")}
	r, err := openToJoin(p, f)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	views, err := v.openViews(p, f.Data)
	if err != nil {
		t.Fatal(err)
	}
	defer views.Close()
	tracker, err := projections.NewTracker(r.store, views.Reader)
	if err != nil {
		t.Fatal(err)
	}
	defer tracker.Close()
	head, err := r.store.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range projectionNames {
		if err := tracker.Wait(ctx, name, head); err != nil {
			t.Error(err)
			continue
		}
		projection, err := newProjection(name, r, projections.SQLite)
		if err != nil {
			t.Fatal(err)
		}
		anew, err := sqlstore.Rebuild(ctx, r.store, projection, projections.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if grown, err := views.Digest(ctx, views.Reader(name)); err != nil || grown != anew {
			t.Errorf("view %s differs from one that is built anew (%v)", name, err)
		}
		if parked, err := projections.ListParked(ctx, views.Reader(name)); err != nil || len(parked) > 0 {
			t.Errorf("view %s has parked %v (%v)", name, parked, err)
		}
	}
}
