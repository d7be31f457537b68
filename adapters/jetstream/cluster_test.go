package jetstream_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/adapters/storetest"
)

// cluster is three servers in this process. Each test has an account of its own in it, and so a log of its own.
type cluster struct {
	servers  []*server.Server
	accounts int
}

const maxAccounts = 60

func newCluster(t *testing.T) *cluster {
	t.Helper()
	var accounts strings.Builder
	for i := range maxAccounts {
		fmt.Fprintf(&accounts, "A%d { jetstream: enabled, users: [{user: u%d, password: p}] }\n", i, i)
	}
	routes := make([]string, 3)
	ports := make([]int, 3)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ports[i] = l.Addr().(*net.TCPAddr).Port
		routes[i] = fmt.Sprintf("nats://127.0.0.1:%d", ports[i])
		l.Close()
	}
	c := &cluster{}
	dir := t.TempDir()
	for i := range ports {
		config := fmt.Sprintf(`
			server_name: s%d, listen: "127.0.0.1:-1"
			jetstream { store_dir: "%s/s%d", max_mem: 64MB, max_file: 100GB, sync_interval: always }
			cluster { name: three, no_advertise: true, listen: "127.0.0.1:%d", routes: ["%s"] }
			accounts { %s SYS { users: [{user: sys, password: sys}] } }
			system_account: SYS`,
			i, dir, i, ports[i], strings.Join(routes, `", "`), accounts.String())
		o := &server.Options{NoLog: true, NoSigs: true}
		if err := o.ProcessConfigString(config); err != nil {
			t.Fatal(err)
		}
		s, err := server.NewServer(o)
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		t.Cleanup(func() {
			s.Shutdown()
			s.WaitForShutdown()
		})
		c.servers = append(c.servers, s)
	}
	for deadline := time.Now().Add(30 * time.Second); !c.ready(); {
		if time.Now().After(deadline) {
			t.Fatal("the cluster did not come together")
		}
		time.Sleep(20 * time.Millisecond)
	}
	return c
}

func (c *cluster) ready() bool {
	leader := false
	for _, s := range c.servers {
		if !s.ReadyForConnections(time.Second) || !s.JetStreamIsCurrent() {
			return false
		}
		leader = leader || s.JetStreamIsLeader() && len(s.JetStreamClusterPeers()) == len(c.servers)
	}
	return leader
}

// replicated is one log on the cluster. Every store is on the next server.
type replicated struct {
	c       *cluster
	account int
	next    int
}

func (c *cluster) log(t *testing.T) *replicated {
	t.Helper()
	c.accounts++
	if c.accounts > maxAccounts {
		t.Fatal("the cluster has too few accounts for so many tests")
	}
	return &replicated{c: c, account: c.accounts - 1}
}

func (b *replicated) url(host string) string { return fmt.Sprintf("nats://u%d:p@%s", b.account, host) }

func (b *replicated) Store(t *testing.T) storetest.Store {
	t.Helper()
	s := b.c.servers[b.next%len(b.c.servers)]
	b.next++
	nc, err := jetstream.Dial(b.url(s.Addr().String()), "")
	if err != nil {
		t.Fatal(err)
	}
	return open(t, nc, jetstream.Options{Replicas: 3})
}

func (b *replicated) Patience() time.Duration { return lossyTimeout }

func (b *replicated) Far(t *testing.T) (storetest.Store, storetest.Line) {
	t.Helper()
	l := newLine(t, b.c.servers[b.next%len(b.c.servers)].Addr().String())
	b.next++
	return far(t, b.url(l.listener.Addr().String()), jetstream.Options{Replicas: 3}), l
}

func TestTheReplicatedLog(t *testing.T) {
	c := newCluster(t)
	storetest.Run(t, func(t *testing.T) storetest.Backend { return c.log(t) })
}

func TestTheReplicatedLogOutlivesItsLeader(t *testing.T) {
	c := newCluster(t)
	b := c.log(t)
	var addresses []string
	for _, s := range c.servers {
		addresses = append(addresses, b.url(s.Addr().String()))
	}
	var stores []storetest.Store
	for range 3 {
		nc, err := jetstream.Dial(strings.Join(addresses, ","), "")
		if err != nil {
			t.Fatal(err)
		}
		stores = append(stores, open(t, nc, jetstream.Options{Replicas: 3}))
	}
	write := func(n int) {
		t.Helper()
		for i := range n {
			s := stores[i%len(stores)]
			_, v, err := s.Load(t.Context(), storetest.Note(1, "").Aggregate, 0, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := s.Append(t.Context(), storetest.Note(1, "x"), v); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(10)
	nc, err := jetstream.Dial(addresses[0], "")
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := natsjs.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), jetstream.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	leader := stream.CachedInfo().Cluster.Leader
	for _, s := range c.servers {
		if s.Name() == leader {
			s.Shutdown()
			s.WaitForShutdown()
		}
	}
	write(10)
	for _, s := range stores {
		got, _, err := s.Load(t.Context(), storetest.Note(1, "").Aggregate, 0, nil)
		if err != nil || len(got) != 20 {
			t.Errorf("there are %d commits, %v; want 20", len(got), err)
		}
	}
}
