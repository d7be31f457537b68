package bench

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Cluster is three NATS servers in this process.
type Cluster []*server.Server

// StartCluster starts them on free ports of the loopback and waits until they have found a leader.
func StartCluster(dir, sync string) (Cluster, error) {
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	var routes []*url.URL
	for _, port := range ports {
		routes = append(routes, &url.URL{Scheme: "nats", Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))})
	}
	var c Cluster
	for i, port := range ports {
		o := &server.Options{
			ServerName: "bench-" + strconv.Itoa(i+1), Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true,
			JetStream: true, StoreDir: filepath.Join(dir, "node-"+strconv.Itoa(i+1)), JetStreamMaxStore: 10 << 30, DisableJetStreamBanner: true,
			SyncAlways: sync == "always",
			Cluster:    server.ClusterOpts{Name: "bench", Host: "127.0.0.1", Port: port},
			Routes:     routes,
		}
		if sync == "1s" {
			o.SyncInterval = time.Second
		}
		s, err := server.NewServer(o)
		if err != nil {
			c.Stop()
			return nil, fmt.Errorf("start node %d: %w", i+1, err)
		}
		c = append(c, s)
		go s.Start()
	}
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		for _, s := range c {
			if s.JetStreamIsLeader() && len(s.JetStreamClusterPeers()) == len(c) {
				return c, nil
			}
		}
	}
	c.Stop()
	return nil, errors.New("the cluster found no leader within a minute")
}

// freePorts finds n ports of the loopback that nobody listens on.
func freePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

// URL is where clients reach the i-th server.
func (c Cluster) URL(i int) string { return c[i%len(c)].ClientURL() }

// Stop ends all servers that still run.
func (c Cluster) Stop() {
	for _, s := range c {
		s.Shutdown()
	}
	for _, s := range c {
		s.WaitForShutdown()
	}
}
