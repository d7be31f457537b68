package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/adapters/jetstream/natstest"
	"github.com/turno-desk/turno/cmd/turno/demo"
)

// archipelago is a cluster whose nodes are on islands of the network: an engine and projectors beside the first node, which
// know no other, and an engine and projectors beside the second, which know the third as well.
type archipelago struct {
	*stage
	islands *natstest.Islands
	cluster *natstest.Cluster
	ctx     context.Context

	here  *crowd // talks through both engines: ana's commands go to the first one's, all others to the second's
	there *crowd // talks through the second one's alone

	lone  *demo.Client // on the first engine, and does not insist
	whole *demo.Client // on the second engine

	majority *switchboard // of the second engine
	probes   []probe
}

// probe is a message that was sent to a minority, which could not take it.
type probe struct{ key, path string }

func newArchipelago(t *testing.T) *archipelago {
	a := &archipelago{islands: natstest.NewIslands(t, 3)}
	var hosts []string
	for i := range 3 {
		hosts = append(hosts, a.islands.Host(i))
	}
	a.cluster = natstest.StartCluster(t, natstest.Config{Hosts: hosts, Prefix: a.islands.Prefix, Everywhere: true})
	engines := []string{net.JoinHostPort(a.islands.Outside(0), "8080"), net.JoinHostPort(a.islands.Outside(1), "8080")}
	parts := map[string]part{}
	for i, urls := range []string{a.cluster.Nodes[0].URL(), a.cluster.Nodes[1].URL() + "," + a.cluster.Nodes[2].URL()} {
		on := func(args ...string) part {
			return part{args: append(args, "--nats", urls), prefix: a.islands.Prefix(i)}
		}
		for _, name := range projectionNames {
			parts[fmt.Sprintf("%s %d", name, i+1)] = on("projector", name)
		}
		engine := on("engine")
		engine.http = engines[i]
		parts[fmt.Sprintf("engine %d", i+1)] = engine
	}
	a.stage = newStage(t, built(t), parts)
	a.log.NATS, a.log.Replicas = a.cluster.URLs(), 3
	a.shared = []string{"--replicas", "3"}
	for _, name := range a.names() {
		a.start(name)
	}
	var cancel context.CancelFunc
	a.ctx, cancel = context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)

	both, board := newSwitchboard(engines, 16, 3*time.Second)
	board.route = func(r *http.Request) int {
		if r.Header.Get("Turno-Actor") == "operator:ana" {
			return 0
		}
		return 1
	}
	second, secondBoard := newSwitchboard(engines[1:], 16, 3*time.Second)
	a.majority = secondBoard
	a.here = &crowd{name: "here", client: both, ctx: a.ctx, stop: make(chan struct{}), stories: make(chan int)}
	a.there = &crowd{name: "there", client: second, ctx: a.ctx, stop: make(chan struct{}), stories: make(chan int)}
	t.Cleanup(func() {
		for _, wrong := range slices.Concat(board.wrong, secondBoard.wrong) {
			t.Error(wrong)
		}
	})
	a.lone, a.whole = demo.NewClient("http://"+engines[0], adminToken, 4), second
	a.lone.HTTP.Timeout = 8 * time.Second
	furnish(a.ctx, t, second)
	for w := range 8 {
		a.here.Go(func() error { return a.here.work(w) })
		a.there.Go(func() error { return a.there.work(w) })
	}
	return a
}

// TestAPartitionOfTheClusterMakesTheMinorityRefuseAndNothingDiverge cuts one node off, follower and leader, and mutes one
// towards another, while customers write and operators answer on both sides.
func TestAPartitionOfTheClusterMakesTheMinorityRefuseAndNothingDiverge(t *testing.T) {
	t.Parallel() // most of its time is spent waiting for elections
	a := newArchipelago(t)
	first, second := a.cluster.Nodes[0], a.cluster.Nodes[1]

	a.cluster.Lead(jetstream.StreamName, second)
	a.during("the first node, which follows, is cut off", func() { a.islands.Cut(0) }, func() {
		a.minorityRefuses()
	}, func() { a.islands.Join(0) })

	a.cluster.Lead(jetstream.StreamName, first)
	conversation := a.attended("before-the-cut")
	a.during("the first node, which leads, is cut off", func() { a.islands.Cut(0) }, func() {
		a.refusesNothingUntrue(conversation)
		a.minorityRefuses()
	}, func() { a.islands.Join(0) })

	a.cluster.Lead(jetstream.StreamName, second)
	a.during("the leader does not reach the first node, which hears nothing of it and is heard", func() { a.islands.Mute(1, 0) }, func() {
		a.goOn(12 * time.Second) // longer than it takes to choose a leader, and to give up leading
	}, func() { a.islands.Unmute(1, 0) })

	for _, c := range []*crowd{a.here, a.there} {
		close(c.stop)
		if err := c.Wait(); err != nil {
			t.Fatalf("somebody was told what can't have been: %v\n%s", err, a.said())
		}
	}
	a.replicasAreEqual()
	all := &crowd{acks: slices.Concat(a.here.acks, a.there.acks), refusals: slices.Concat(a.here.refusals, a.there.refusals)}
	t.Logf("%d commands acknowledged, %d refused, %d said again", len(all.acks), len(all.refusals), a.here.client.Retries.Load()+a.there.client.Retries.Load())
	a.verify(a.ctx, all)
}

// during has stories told on both sides while the network is cut: those of the majority to their end. meanwhile sees what the
// minority does. When the network is whole again, what was not answered is.
func (a *archipelago) during(what string, cut, meanwhile, heal func()) {
	a.t.Helper()
	const stories = 40
	for _, c := range []*crowd{a.here, a.there} {
		go c.tell(stories)
		c.await(a.t, int(c.wanted.Add(stories))-stories/2)
	}
	cut()
	began := time.Now()
	meanwhile()
	a.there.await(a.t, int(a.there.wanted.Load()))
	heal()
	healed := time.Now()
	a.here.await(a.t, int(a.here.wanted.Load()))
	a.cluster.AwaitTogether()
	for _, p := range a.probes {
		if _, err := a.here.say(p.key, p.path, "contact", p.key, probeMessage(p.key)); err != nil {
			a.t.Errorf("%s: %v, after the network was whole again", p.key, err)
		}
	}
	a.probes = nil
	a.t.Logf("%s: the majority acknowledged nothing for %v, and all that was open was answered %v after the network was whole", what,
		a.majority.silence(began).Round(time.Millisecond), time.Since(healed).Round(time.Millisecond))
}

// goOn has the majority tell stories for a while, one after the other.
func (a *archipelago) goOn(d time.Duration) {
	a.t.Helper()
	for until := time.Now().Add(d); time.Now().Before(until); {
		go a.there.tell(1)
		a.there.await(a.t, int(a.there.wanted.Add(1)))
	}
}

func probeMessage(key string) object {
	return object{"message_id": key, "from": object{"address": key}, "text": key}
}

// minorityRefuses expects of the engine that is cut off that it answers every command, and the balancer, with 503 and
// Retry-After.
func (a *archipelago) minorityRefuses() {
	a.t.Helper()
	for i := range 4 {
		key := fmt.Sprintf("probe-%d-%d", time.Now().UnixNano(), i)
		p := probe{key, "/v1/channels/web/messages"}
		a.probes = append(a.probes, p)
		began := time.Now()
		res := a.once(p.path, "contact", key, probeMessage(key))
		if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
			a.t.Errorf("the minority answered a message with %s, Retry-After %q", res.Status, res.Header.Get("Retry-After"))
		}
		if took := time.Since(began); took > 7*time.Second {
			a.t.Errorf("it took the minority %v to refuse", took)
		}
	}
	ready, err := http.Get(a.lone.URL + "/readyz")
	if err != nil {
		a.t.Fatal(err)
	}
	defer ready.Body.Close()
	if ready.StatusCode != http.StatusServiceUnavailable || ready.Header.Get("Retry-After") == "" {
		a.t.Errorf("the minority says that it is ready: %s", ready.Status)
	}
}

// once sends a command to the engine of the first node, once.
func (a *archipelago) once(path, actor, key string, body object) *http.Response {
	a.t.Helper()
	var seen *http.Response
	client := demo.Client{URL: a.lone.URL, Token: adminToken, HTTP: &http.Client{Timeout: a.lone.HTTP.Timeout, Transport: tripper(func(r *http.Request) (*http.Response, error) {
		r.Header.Set("Idempotency-Key", key)
		res, err := http.DefaultTransport.RoundTrip(r)
		seen = res
		return res, err
	})}}
	_, err := client.Do(a.ctx, http.MethodPost, path, actor, "", body) // without a key it is not said again
	if seen == nil {
		a.t.Fatalf("%s: no answer: %v", path, err)
	}
	return seen
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// attended is a conversation that ana has taken.
func (a *archipelago) attended(id string) string {
	a.t.Helper()
	conversation, err := a.there.say(id, "/v1/channels/web/messages", "contact", id, probeMessage(id))
	if err == nil {
		_, err = a.there.say(id+"-take", "/v1/conversations/"+conversation+"/take", "operator:ana", "", object{})
	}
	if err != nil {
		a.t.Fatal(err)
	}
	return conversation
}

// refusesNothingUntrue has ana pause a conversation through the majority and resume it through the leader that was cut off:
// to that it was never paused, and to say so would be a lie.
func (a *archipelago) refusesNothingUntrue(conversation string) {
	a.t.Helper()
	path := "/v1/conversations/" + conversation
	if _, err := a.there.say("pause", path+"/pause", "operator:ana", "", object{"reason": "stock"}); err != nil {
		a.t.Fatal(err)
	}
	res := a.once(path+"/resume", "operator:ana", "resume", object{})
	a.t.Logf("%s answers a resume to the operator of a pause that it does not know of; it leads to its own knowledge: %t", res.Status, a.leadsAlone())
	if res.StatusCode != http.StatusServiceUnavailable {
		a.t.Errorf("a leader that was cut off answered a resume with %s: it can't know of the pause", res.Status)
	}
	if _, err := a.there.say("resume", path+"/resume", "operator:ana", "", object{}); err != nil {
		a.t.Errorf("the majority refuses the resume: %v", err)
	}
}

// leadsAlone reports whether the first node, cut off, still takes itself for the leader.
func (a *archipelago) leadsAlone() bool {
	conn, err := nats.Connect(a.outside(0), nats.Timeout(time.Second))
	if err != nil {
		a.t.Fatal(err)
	}
	defer conn.Close()
	m, err := conn.Request("$JS.API.STREAM.INFO."+jetstream.StreamName, nil, time.Second)
	return err == nil && bytes.Contains(m.Data, []byte(`"leader":"n1"`))
}

// outside is where the test reaches a node whatever is cut.
func (a *archipelago) outside(node int) string {
	_, port, _ := strings.Cut(a.cluster.Nodes[node].Client, ":")
	return "nats://" + net.JoinHostPort(a.islands.Outside(node), port)
}

// replicasAreEqual compares what the nodes have, message by message, each read while it is alone.
func (a *archipelago) replicasAreEqual() {
	a.t.Helper()
	last := a.cluster.AwaitReplicas(jetstream.StreamName)
	for i := range 3 {
		a.islands.Cut(i)
	}
	var replicas [3][]string
	for i := range replicas {
		replicas[i] = natstest.ReadReplica(a.t, a.outside(i), jetstream.StreamName, last)
	}
	for i := range 3 {
		a.islands.Join(i)
	}
	a.cluster.AwaitTogether()
	for i := range replicas {
		if at := firstDifference(replicas[0], replicas[i]); at >= 0 {
			a.t.Errorf("message %d differs between the first node and number %d", at+1, i+1)
		}
	}
	a.t.Logf("%d messages, the same on every node", last)
}

func firstDifference(a, b []string) int {
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			return i
		}
	}
	return -1
}
