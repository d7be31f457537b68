package main

import (
	"context"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/turno-desk/turno/cmd/turno/demo"
)

// TestKilledAtAnyMomentNothingIsLostNothingDoubledNoAnswerALie runs the parts as processes of their own, and as one, kills
// them with SIGKILL at random moments under load, and compares what was answered with what the log and the views hold.
// TURNO_SOAK_ROUNDS says how often; `make soak` sets it to 100.
func TestKilledAtAnyMomentNothingIsLostNothingDoubledNoAnswerALie(t *testing.T) {
	rounds := 5
	if n, err := strconv.Atoi(os.Getenv("TURNO_SOAK_ROUNDS")); err == nil {
		rounds = n
	}
	binary := built(t)
	parts := map[string]part{
		"log":    {args: []string{"serve", "--parts", "log"}},
		"engine": {args: []string{"engine"}, http: free(t)},
	}
	for _, name := range projectionNames {
		parts[name] = part{args: []string{"projector", name}}
	}
	t.Run("each part a process", func(t *testing.T) { soak(t, binary, parts, rounds) })
	t.Run("one process", func(t *testing.T) {
		soak(t, binary, map[string]part{"engine": {args: []string{"serve"}, http: free(t)}}, max(2, rounds/3))
	})
}

func soak(t *testing.T, binary string, parts map[string]part, rounds int) {
	s := newStage(t, binary, parts)
	names := s.names()
	for _, name := range names {
		s.start(name)
	}
	client := demo.NewClient(s.url("engine"), adminToken, 64)
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rounds)*10*time.Second+3*time.Minute)
	defer cancel()
	furnish(ctx, t, client)

	crowd := &crowd{client: client, ctx: ctx, stop: make(chan struct{})}
	for w := range 10 {
		crowd.Go(func() error { return crowd.work(w) })
	}
	for round := range rounds {
		time.Sleep(time.Duration(100+rand.IntN(500)) * time.Millisecond)
		victims := []string{names[rand.IntN(len(names))]}
		switch round % 5 {
		case 1:
			victims = []string{names[0]} // the log where it is a part
		case 3:
			victims = names // a power cut for processes
		}
		for _, v := range victims {
			s.kill(v)
		}
		time.Sleep(time.Duration(rand.IntN(200)) * time.Millisecond)
		for _, v := range victims {
			s.start(v)
		}
	}
	time.Sleep(300 * time.Millisecond)
	close(crowd.stop)
	if err := crowd.Wait(); err != nil {
		t.Fatalf("a worker was told what it can't have been: %v\n%s", err, s.said())
	}
	t.Logf("%d rounds, %d commands acknowledged, %d refused, %d said again", rounds, len(crowd.acks), len(crowd.refusals), client.Retries.Load())
	if len(crowd.acks) < 20 {
		t.Fatalf("only %d commands came through: this shows nothing", len(crowd.acks))
	}
	s.verify(ctx, crowd)
}

func furnish(ctx context.Context, t *testing.T, c *demo.Client) {
	t.Helper()
	put := func(path string, body map[string]any) {
		if _, err := c.Do(ctx, http.MethodPut, path, "", "furnish"+path, body); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	put("/v1/departments/support", object{"name": "Support"})
	put("/v1/channels/web", object{"type": "generic", "name": "Web", "department": "support"})
	for _, id := range []string{"ana", "beto"} {
		put("/v1/operators/"+id, object{"name": id, "role": "operator", "departments": []string{"support"}})
	}
}
