package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/turno-desk/turno/adapters/sqlstore"
	"github.com/turno-desk/turno/adapters/telemetry"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/effects"
)

// TestKilledWorkersLoseNoEffectAndDoNoneTwice kills one of two workers with SIGKILL at random moments while conversations
// lie unattended, and counts their releases in the log.
func TestKilledWorkersLoseNoEffectAndDoNoneTwice(t *testing.T) {
	const conversations = 40
	dir := t.TempDir()
	part := func(args ...string) *process { return start(t, append(args, "--data", dir)...) }
	host := part("serve", "--parts", "log,engine,projectors", "--http", "127.0.0.1:0")
	desk := host.api()
	desk.furnish()
	desk.put("/v1/departments/support", object{"name": "Support", "settings": object{"reassign_after_s": 1}})
	workers := []*process{part("worker"), part("worker")}
	defer func() {
		for _, w := range workers {
			w.kill()
		}
		host.end()
	}()
	awaitLeader(t, dir)

	// She is there while she takes: what is taken by somebody who isn't lies unattended at once, and would come back to her.
	desk.post("ana", "/v1/operators/ana/presence", object{"connected": true})
	var ids []string
	for i := range conversations {
		id, _ := desk.receive(fmt.Sprint("m", i), fmt.Sprint("+", i), "Hello")
		desk.post("ana", "/v1/conversations/"+id+"/take", nil)
		ids = append(ids, id)
	}
	desk.post("ana", "/v1/operators/ana/presence", object{"connected": false})

	end := time.Now().Add(6 * time.Second)
	for time.Now().Before(end) {
		k := rand.IntN(2)
		time.Sleep(time.Duration(rand.IntN(700)) * time.Millisecond)
		workers[k].kill()
		workers[k] = part("worker")
	}
	released := releases(t, dir, conversations)
	for _, id := range ids {
		if released[id] != 1 {
			t.Errorf("%s was released %d times", id, released[id])
		}
	}
}

// awaitLeader returns when some worker has put its checkpoints at the head: what happens from now on is acted on.
func awaitLeader(t *testing.T, dir string) {
	t.Helper()
	views, err := sqlstore.Open(dir, sqlstore.Options{WaitBuilt: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer views.Close()
	for limit := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		var n int
		err := views.Reader(effects.Name).QueryRow(`SELECT count(*) FROM checkpoint`).Scan(&n)
		if err == nil && n > 0 {
			return
		}
		if time.Now().After(limit) {
			t.Fatalf("no worker leads: %v", err)
		}
	}
}

// releases counts the unattended releases in the log, by conversation, once there are so many conversations among them.
func releases(t *testing.T, dir string, want int) map[string]int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	p := &program{ctx: ctx, getenv: env(nil), log: zap.NewNop(), meters: telemetry.New("")}
	r, err := openToRead(p, logFlags{Data: dir, Workspace: "default"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	for {
		released := map[string]int{}
		err := r.store.Read(ctx, 0, projections.ReadOptions{ToHead: true}, func(chunk []domain.Commit) error {
			for _, c := range chunk {
				for _, e := range c.Events {
					if e, ok := e.(thread.Released); ok && e.Cause == thread.CauseUnattended {
						released[c.Conversation]++
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatalf("%d of %d were released: %v", len(released), want, err)
		}
		if len(released) >= want {
			return released
		}
		time.Sleep(50 * time.Millisecond)
	}
}
