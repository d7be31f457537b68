package main

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"

	"github.com/turno-desk/turno/cmd/turno/bench"
	"github.com/turno-desk/turno/cmd/turno/demo"
)

// TestServeOnAClusterRidesThroughTheLossOfItsLeader runs the program on three NATS servers, takes away the one that leads
// the log while customers write, and counts that every message is there once.
func TestServeOnAClusterRidesThroughTheLossOfItsLeader(t *testing.T) {
	cluster, err := bench.StartCluster(t.TempDir(), "off")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Stop)
	urls := strings.Join([]string{cluster.URL(0), cluster.URL(1), cluster.URL(2)}, ",")
	p := start(t, "--log-level", "error", "serve", "--data", t.TempDir(), "--http", "127.0.0.1:0", "--nats", urls, "--replicas", "3")
	s := api{t: t, url: p.stdout.await(t, p.ended, &p.stderr)}
	s.furnish()
	c := demo.NewClient(s.url, adminToken, 8)
	const customers, messages = 8, 25
	var (
		wg     sync.WaitGroup
		halves sync.WaitGroup
	)
	halves.Add(customers)
	for n := range customers {
		wg.Go(func() {
			for k := range messages {
				id := fmt.Sprintf("m%d-%d", n, k)
				_, err := c.Do(t.Context(), http.MethodPost, "/v1/channels/web/messages", "contact", id, object{
					"message_id": id, "from": object{"address": fmt.Sprint("c", n)}, "text": id})
				if err != nil {
					t.Errorf("%s: %v", id, err)
				}
				if k == messages/2 {
					halves.Done()
				}
			}
		})
	}
	halves.Wait()
	leader(t, cluster).Shutdown()
	wg.Wait()
	t.Logf("%d calls were said again", c.Retries.Load())
	caughtUp(t.Context(), t, c)
	var list struct {
		Items []struct{ ID string }
	}
	if err := c.Get(t.Context(), "/v1/conversations?limit=200", &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Items) != customers {
		t.Errorf("%d conversations, want %d", len(list.Items), customers)
	}
	total := report(t.Context(), t, c, "/v1/stats/departments?metric=messages_in&actors=all&from="+time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)+
		"&to="+time.Now().Add(time.Hour).UTC().Format(time.RFC3339))["messages_in"].total
	if total != customers*messages {
		t.Errorf("%d messages, want %d", total, customers*messages)
	}
}

// leader is the server that leads the log's stream.
func leader(t *testing.T, cluster bench.Cluster) *natsserver.Server {
	t.Helper()
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		for _, s := range cluster {
			if s.JetStreamIsStreamLeader("$G", "TURNO") {
				return s
			}
		}
	}
	t.Fatal("nobody leads the log")
	return nil
}
