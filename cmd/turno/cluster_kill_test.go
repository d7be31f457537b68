package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/adapters/jetstream/natstest"
	"github.com/turno-desk/turno/adapters/pgstore/pgtest"
)

// commandsOfAStory is how many commands one story of the crowd sends: a message, two takes of which one is refused, three
// answers and a close.
const commandsOfAStory = 7

// TestOnAClusterWhoseEveryPartIsKilledNothingIsLostNothingDoubledNoAnswerALie runs all as processes of their own, three NATS
// servers, PostgreSQL, two engines and each projector twice, and kills one part after the other while customers write and
// operators answer. TURNO_CLUSTER_COMMANDS says how many commands; `make soak` sets it to 20,000.
func TestOnAClusterWhoseEveryPartIsKilledNothingIsLostNothingDoubledNoAnswerALie(t *testing.T) {
	t.Parallel() // most of its time is spent waiting for elections
	commands, parallel := 2000, 16
	if n, err := strconv.Atoi(os.Getenv("TURNO_CLUSTER_COMMANDS")); err == nil {
		commands, parallel = n, 64
	}
	binary := built(t)
	database := pgtest.Start(t)
	cluster := natstest.StartCluster(t, natstest.Config{})
	parts := map[string]part{}
	for _, n := range []string{"1", "2"} {
		parts["engine "+n] = part{args: []string{"engine"}, http: free(t)}
		for _, name := range projectionNames {
			parts[name+" "+n] = part{args: []string{"projector", name}}
		}
	}
	s := newStage(t, binary, parts)
	s.log.NATS, s.log.Replicas = cluster.URLs(), 3
	s.level = "info"
	s.views.Views = database.Database(t)
	s.shared = []string{"--nats", cluster.URLs(), "--replicas", "3", "--views", s.views.Views}
	for _, name := range s.names() {
		s.start(name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute+time.Duration(commands)*20*time.Millisecond)
	defer cancel()
	client, board := newSwitchboard([]string{parts["engine 1"].http, parts["engine 2"].http}, parallel, 3*time.Second)
	furnish(ctx, t, client)

	crowd := &crowd{client: client, ctx: ctx, stop: make(chan struct{}), stories: make(chan int)}
	for w := range parallel {
		crowd.Go(func() error { return crowd.work(w) })
	}
	began := time.Now()
	var leader *natstest.Node
	var standing []string
	kills := []struct {
		what       string
		kill, heal func()
	}{
		{"the node that leads the log", func() {
			leader = cluster.Leader(jetstream.StreamName)
			leader.Kill()
		}, func() {
			leader.Start()
			cluster.AwaitTogether()
		}},
		{"an engine", func() { s.kill("engine 1") }, func() { s.start("engine 1") }},
		{"the projectors at work", func() {
			for _, name := range projectionNames {
				active := s.atWork(name+" 1", name+" 2")
				standing = append(standing, active)
				s.kill(active)
			}
		}, func() {
			for _, name := range standing {
				s.start(name)
			}
		}},
		{"PostgreSQL", database.Kill, func() {
			if err := database.Start(); err != nil {
				t.Fatal(err)
			}
		}},
	}
	perKill := max(parallel, commands/commandsOfAStory/len(kills))
	said := 0
	for _, k := range kills {
		half := said + perKill/2
		said += perKill
		go crowd.tell(perKill)
		crowd.await(t, half)
		killed := time.Now()
		k.kill()
		crowd.await(t, said) // the rest is answered without it
		k.heal()
		t.Logf("%s killed: the longest time without an acknowledgement was %v", k.what, board.silence(killed).Round(time.Millisecond))
	}
	close(crowd.stop)
	if err := crowd.Wait(); err != nil {
		t.Fatalf("a worker was told what it can't have been: %v\n%s", err, s.said())
	}
	t.Logf("%d commands in %v: %d acknowledged, %d refused, %d said again; answers %s", commandsOfAStory*said, time.Since(began).Round(time.Second),
		len(crowd.acks), len(crowd.refusals), client.Retries.Load(), board.said())
	for _, wrong := range board.wrong {
		t.Error(wrong)
	}
	if got := len(crowd.acks) + len(crowd.refusals); got != commandsOfAStory*said {
		t.Errorf("%d commands were answered for good, %d were sent", got, commandsOfAStory*said)
	}
	s.verify(ctx, crowd)
}

// atWork is which of two projectors of one name writes, as they say themselves.
func (s *stage) atWork(one, other string) string {
	s.t.Helper()
	for _, name := range []string{one, other} {
		said, err := os.ReadFile(filepath.Join(s.dir, name+".out"))
		if err != nil {
			s.t.Fatal(err)
		}
		if bytes.LastIndex(said, []byte("standing by")) > bytes.LastIndex(said, []byte("taking over")) {
			return map[string]string{one: other, other: one}[name]
		}
	}
	s.t.Logf("of %s and %s none stands by", one, other)
	return one
}
