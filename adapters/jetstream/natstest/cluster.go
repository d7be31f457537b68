package natstest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Config is what a cluster is like. The zero value is three nodes on the loopback that sync every write.
type Config struct {
	Sync  string   // sync_interval; "always" when empty
	Extra string   // more configuration, the same for every node
	Hosts []string // one node for each, on this address; three on 127.0.0.1 when nil

	// Everywhere has the nodes take clients on all addresses, not on their host's alone.
	Everywhere bool

	// Prefix is what the command line of a node begins with, to run it somewhere else: ip netns exec NAME.
	Prefix func(node int) []string
}

// Cluster are several nats-server processes that know each other.
type Cluster struct {
	Nodes []*Node

	t testing.TB
}

// StartCluster starts a cluster with JetStream, and waits until its nodes have found each other. It ends with the test.
func StartCluster(t testing.TB, c Config) *Cluster {
	t.Helper()
	if c.Sync == "" {
		c.Sync = "always"
	}
	if c.Hosts == nil {
		c.Hosts = []string{"127.0.0.1", "127.0.0.1", "127.0.0.1"}
	}
	cluster := &Cluster{t: t}
	port := func() string { return strconv.Itoa(FreePort(t)) }
	var routes []string
	for range c.Hosts {
		routes = append(routes, port())
	}
	for i, host := range c.Hosts {
		n := &Node{Name: fmt.Sprintf("n%d", i+1), Client: net.JoinHostPort(host, port()), Monitor: net.JoinHostPort(host, port()), Dir: t.TempDir(), t: t}
		if c.Prefix != nil {
			n.prefix = c.Prefix(i)
		}
		listen := n.Client
		if c.Everywhere {
			_, port, _ := net.SplitHostPort(n.Client)
			listen = net.JoinHostPort("0.0.0.0", port)
		}
		var peers []string
		for j, other := range c.Hosts {
			if j != i {
				peers = append(peers, strconv.Quote("nats://"+net.JoinHostPort(other, routes[j])))
			}
		}
		n.configure(fmt.Sprintf(`
server_name: %s
listen: %q
http: %q
ping_interval: "2s", ping_max: 2
jetstream { store_dir: %q, max_mem: 256MB, max_file: 100GB, sync_interval: %s }
cluster { name: turno, listen: %q, routes: [%s] }
%s
`, n.Name, listen, n.Monitor, n.Dir, c.Sync, net.JoinHostPort(host, routes[i]), strings.Join(peers, ", "), c.Extra))
		cluster.Nodes = append(cluster.Nodes, n)
	}
	for _, n := range cluster.Nodes {
		n.Start()
	}
	cluster.AwaitTogether()
	return cluster
}

// URLs are those of all nodes, with commas between them.
func (c *Cluster) URLs() string {
	var urls []string
	for _, n := range c.Nodes {
		urls = append(urls, n.URL())
	}
	return strings.Join(urls, ",")
}

// AwaitTogether waits until every node says that it sees all the others and that one of them leads.
func (c *Cluster) AwaitTogether() {
	c.t.Helper()
	var last error
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		if last = c.together(); last == nil {
			return
		}
	}
	c.t.Fatalf("the cluster does not come together: %v", last)
}

func (c *Cluster) together() error {
	client := http.Client{Timeout: 2 * time.Second}
	defer client.CloseIdleConnections()
	for _, n := range c.Nodes {
		res, err := client.Get("http://" + n.Monitor + "/jsz")
		if err != nil {
			return err
		}
		var state struct {
			Meta struct {
				Leader   string `json:"leader"`
				Size     int    `json:"cluster_size"`
				Replicas []struct {
					Offline bool `json:"offline"`
				} `json:"replicas"`
			} `json:"meta_cluster"`
		}
		err = json.NewDecoder(res.Body).Decode(&state)
		res.Body.Close()
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", n.Name, err)
		case state.Meta.Leader == "" || state.Meta.Size != len(c.Nodes):
			return fmt.Errorf("%s knows of %d nodes, led by %q", n.Name, state.Meta.Size, state.Meta.Leader)
		}
		for _, r := range state.Meta.Replicas {
			if r.Offline {
				return fmt.Errorf("to %s one of the others is offline", n.Name)
			}
		}
	}
	return nil
}

// Leader is the node that leads a stream, as the nodes via say, or those that run when none is named. It waits until there is
// one that they agree about.
func (c *Cluster) Leader(stream string, via ...*Node) *Node {
	c.t.Helper()
	var last error
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		var name string
		if name, last = c.leader(stream, via); last == nil {
			for _, n := range c.Nodes {
				if n.Name == name {
					return n
				}
			}
		}
	}
	c.t.Fatalf("nobody leads %s: %v", stream, last)
	return nil
}

// Lead has a node lead a stream.
func (c *Cluster) Lead(stream string, by *Node) {
	c.t.Helper()
	for until := time.Now().Add(time.Minute); time.Now().Before(until); {
		if c.Leader(stream) == by {
			return
		}
		conn, err := nats.Connect(by.URL(), nats.Timeout(time.Second), nats.NoReconnect())
		if err != nil {
			c.t.Fatal(err)
		}
		_, err = conn.Request("$JS.API.STREAM.LEADER.STEPDOWN."+stream, fmt.Appendf(nil, `{"placement":{"preferred":%q}}`, by.Name), 5*time.Second)
		conn.Close()
		if err != nil {
			c.t.Log(err)
		}
	}
	c.t.Fatalf("%s does not come to lead %s", by.Name, stream)
}

func (c *Cluster) leader(stream string, via []*Node) (string, error) {
	if via == nil {
		for _, n := range c.Nodes {
			if n.Running() {
				via = append(via, n)
			}
		}
	}
	agreed := ""
	for _, n := range via {
		conn, err := nats.Connect(n.URL(), nats.Timeout(time.Second), nats.NoReconnect())
		if err != nil {
			return "", fmt.Errorf("%s: %w", n.Name, err)
		}
		defer conn.Close()
		js, err := jetstream.New(conn, jetstream.WithDefaultTimeout(time.Second))
		if err != nil {
			return "", err
		}
		s, err := js.Stream(c.t.Context(), stream)
		if err != nil {
			return "", fmt.Errorf("%s: %w", n.Name, err)
		}
		leader := s.CachedInfo().Cluster.Leader
		if leader == "" || agreed != "" && agreed != leader {
			return "", fmt.Errorf("to %s %q leads, to another %q", n.Name, leader, agreed)
		}
		agreed = leader
	}
	if agreed == "" {
		return "", errors.New("no node runs")
	}
	return agreed, nil
}
