package vault

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/turno-desk/turno/adapters/codec"
)

// runCluster runs three servers that replicate to each other, and returns a client of each.
func runCluster(t *testing.T, dir string) [3]jetstream.JetStream {
	t.Helper()
	var routes []*url.URL
	var ports [3]int
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ports[i] = l.Addr().(*net.TCPAddr).Port
		defer l.Close()
		routes = append(routes, &url.URL{Scheme: "nats", Host: l.Addr().String()})
		l.Close()
	}
	var servers [3]*server.Server
	var clients [3]jetstream.JetStream
	for i := range servers {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprintf("n%d", i), Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: filepath.Join(dir, fmt.Sprint(i)),
			SyncAlways: true, NoSigs: true, NoLog: true, Routes: routes,
			Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: ports[i]},
		})
		if err != nil {
			t.Fatal(err)
		}
		servers[i] = s
		s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	}
	for i, s := range servers {
		if !s.ReadyForConnections(30 * time.Second) {
			t.Fatal("a server does not come up")
		}
		nc, err := nats.Connect("", nats.InProcessServer(s))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		if clients[i], err = jetstream.New(nc); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(30 * time.Second); ; {
		for _, s := range servers {
			if s.JetStreamIsLeader() && len(s.JetStreamClusterPeers()) == 3 {
				return clients
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("the cluster finds no leader")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestOnThreeReplicasANewKeyIsThereForEveryoneAndADestroyedOneForNobody(t *testing.T) {
	dir, master := t.TempDir(), masterKey()
	var vaults [3]*Vault
	for i, js := range runCluster(t, dir) {
		vaults[i] = openVault(t, js, Options{MasterKey: master, Replicas: 3})
	}
	for i := range 300 {
		id, err := vaults[i%3].NewKey(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for j := range vaults {
			vaults[j].cache.Remove(id)
			if _, err := vaults[j].Key(t.Context(), id); err != nil {
				t.Fatalf("key %d through node %d: %v", i, j, err)
			}
		}
		if i%30 > 0 {
			continue
		}
		if err := vaults[(i+1)%3].DestroyKey(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		for j := range vaults {
			vaults[j].Forget(id)
			if _, err := vaults[j].Key(t.Context(), id); !errors.Is(err, codec.ErrNoKey) {
				t.Fatalf("key %d through node %d: got %v, want ErrNoKey", i, j, err)
			}
		}
	}
}
