package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/turno-desk/turno/adapters/telemetry"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

// TestEveryEffectHappensOnceWhoeverDies kills two workers with SIGKILL at random moments, once both for so long that timers fall
// due while nobody is there, while conversations are distributed, told of it, tagged by a workflow that waits in between,
// closed and asked about. In the log each of that is there once for each conversation.
func TestEveryEffectHappensOnceWhoeverDies(t *testing.T) {
	const conversations, rounds = 48, 8
	dir := t.TempDir()
	part := func(args ...string) *process { return start(t, append(args, "--data", dir)...) }
	host := part("serve", "--parts", "log,engine,projectors", "--http", "127.0.0.1:0")
	desk := host.api()
	desk.furnish()
	desk.put("/v1/departments/support", object{"name": "Support", "settings": object{
		"distribution": "automatic", "assigned_message": "Ana is with you.",
		"survey": object{"scale": "1-5", "text": "How was it, 1 to 5?"},
	}})
	desk.put("/v1/workflows/greet", object{"name": "Greet", "enabled": true, "trigger": object{"on": "opened"}, "steps": []object{
		{"action": "tags", "add": []string{"met"}},
		{"action": "wait", "for_s": 1},
		{"action": "notes", "text": "Greeted."},
		{"action": "tags", "add": []string{"greeted"}},
	}})
	workers := []*process{part("worker"), part("worker")}
	defer func() {
		for _, w := range workers {
			w.kill()
		}
		host.end()
	}()
	awaitLeader(t, dir)

	brought := 0
	bring := func(n int) {
		for range n {
			brought++
			desk.receive(fmt.Sprint("m", brought), fmt.Sprint("+", brought), "Hello")
		}
	}
	closed := map[string]bool{}
	closeGreeted := func() {
		desk.post("ana", "/v1/operators/ana/presence", object{"connected": true})
		list := desk.get("/v1/conversations?state=attending&tag=greeted&limit=200")
		items, _ := list["items"].([]any)
		for k := range items {
			id := list.text("items", k, "id")
			if told := list.number("items", k, "messages_machine"); told == 0 {
				continue // what is closed is told nothing any more
			}
			if status, _ := desk.ask("ana", "POST", "/v1/conversations/"+id+"/close", object{}); status == 200 {
				closed[id] = true
			}
		}
	}
	for round := range rounds {
		bring(conversations / rounds)
		k := rand.IntN(2)
		workers[k].kill()
		if round == rounds/2 { // nobody is there when the waits are over
			workers[1-k].kill()
			time.Sleep(1500 * time.Millisecond)
			workers[1-k] = part("worker")
		}
		workers[k] = part("worker")
		closeGreeted()
		time.Sleep(time.Duration(rand.IntN(3000)) * time.Millisecond) // who stands by takes over within three seconds
	}
	for limit := time.Now().Add(2 * time.Minute); len(closed) < conversations; time.Sleep(50 * time.Millisecond) {
		closeGreeted()
		if time.Now().After(limit) {
			t.Fatalf("%d of %d conversations were given, greeted and closed", len(closed), conversations)
		}
	}
	each := map[string]int{
		"taken": 1, "told": 1, "workflow started": 1, "workflow ended done": 1, "noted": 1, "tagged met": 1, "tagged greeted": 1,
		"closed": 1, "asked": 1, "invited": 1,
	}
	var done map[string]map[string]int
	for limit := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		done = deeds(t, dir)
		asked := 0
		for _, d := range done {
			asked += min(d["asked"], 1)
		}
		if asked == conversations {
			break
		}
		if time.Now().After(limit) {
			t.Fatalf("%d of %d contacts were asked", asked, conversations)
		}
	}
	for id, d := range done {
		for deed, want := range each {
			if d[deed] != want {
				t.Errorf("%s: %q happened %d times, want %d", id, deed, d[deed], want)
			}
		}
		for deed, n := range d {
			if each[deed] == 0 {
				t.Errorf("%s: %q happened %d times, want none", id, deed, n)
			}
		}
	}
}

// deeds counts what was done to each conversation, in the log.
func deeds(t *testing.T, dir string) map[string]map[string]int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p := &program{ctx: ctx, getenv: env(nil), log: zap.NewNop(), meters: telemetry.New("")}
	r, err := openToRead(p, logFlags{Data: dir, Workspace: "default"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	all := map[string]map[string]int{}
	err = r.store.Read(ctx, 0, projections.ReadOptions{ToHead: true}, func(chunk []domain.Commit) error {
		for _, c := range chunk {
			if c.Conversation == "" {
				continue
			}
			if all[c.Conversation] == nil {
				all[c.Conversation] = map[string]int{}
			}
			for _, e := range c.Events {
				if deed := deedOf(c, e); deed != "" {
					all[c.Conversation][deed]++
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// deedOf is what an event is, where an effect did it or brought it about.
func deedOf(c domain.Commit, event domain.Event) string {
	switch e := event.(type) {
	case thread.Taken:
		return "taken"
	case thread.Released:
		return "released"
	case thread.MessageSent:
		if c.Actor.Via == "effect:distribution" {
			return "told"
		}
		return "invited"
	case thread.WorkflowStarted:
		return "workflow started"
	case thread.WorkflowEnded:
		return "workflow ended " + string(e.Outcome)
	case thread.Noted:
		return "noted"
	case thread.Tagged:
		return "tagged " + e.Tags[0]
	case thread.Closed:
		return "closed"
	case thread.SurveySent:
		return "asked"
	}
	return ""
}
