package jetstream_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/adapters/storetest"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
)

// cluster is three servers in this process. Each test has an account of its own in it, and so a log of its own.
type cluster struct {
	servers  []*server.Server
	accounts int
}

const maxAccounts = 60

// newCluster starts three servers. With a lag, all that the third and the others send to each other takes so long: it
// applies what the other two have acknowledged later than they do.
func newCluster(t *testing.T, lag time.Duration) *cluster {
	t.Helper()
	var accounts strings.Builder
	for i := range maxAccounts {
		fmt.Fprintf(&accounts, "A%d { jetstream: enabled, users: [{user: u%d, password: p}] }\n", i, i)
	}
	var listen, advertise [3]string
	for i := range listen {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listen[i] = l.Addr().String()
		advertise[i] = listen[i]
		l.Close()
		if lag > 0 {
			slow := newLine(t, listen[i])
			slow.latency = lag
			advertise[i] = slow.listener.Addr().String()
		}
	}
	routes := [3]string{listen[1], listen[0], advertise[0] + `", "nats://` + advertise[1]}
	c := &cluster{}
	dir := t.TempDir()
	for i := range listen {
		config := fmt.Sprintf(`
			server_name: s%d, listen: "127.0.0.1:-1"
			jetstream { store_dir: "%s/s%d", max_mem: 64MB, max_file: 100GB, sync_interval: always }
			cluster { name: three, no_advertise: true, listen: "%s", advertise: "%s", routes: ["nats://%s"] }
			accounts { %s SYS { users: [{user: sys, password: sys}] } }
			system_account: SYS`,
			i, dir, i, listen[i], advertise[i], routes[i], accounts.String())
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
	return b.on(t, s)
}

// on opens the log on one of the servers.
func (b *replicated) on(t *testing.T, s *server.Server) *jetstream.Store {
	t.Helper()
	return open(t, b.dial(t, s), jetstream.Options{Replicas: 3})
}

func (b *replicated) dial(t *testing.T, s *server.Server) *nats.Conn {
	t.Helper()
	nc, err := jetstream.Dial(b.url(s.Addr().String()), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// leader is the name of the server that leads the log's stream.
func (b *replicated) leader(t *testing.T) string {
	t.Helper()
	js, err := natsjs.New(b.dial(t, b.c.servers[0]))
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), jetstream.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	return stream.CachedInfo().Cluster.Leader
}

func (b *replicated) Patience() time.Duration { return lossyTimeout }

func (b *replicated) Far(t *testing.T) (storetest.Store, storetest.Line) {
	t.Helper()
	l := newLine(t, b.c.servers[b.next%len(b.c.servers)].Addr().String())
	b.next++
	return far(t, b.url(l.listener.Addr().String()), jetstream.Options{Replicas: 3}), l
}

func TestTheReplicatedLog(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 0)
	storetest.Run(t, func(t *testing.T) storetest.Backend { return c.log(t) })
}

func TestTheReplicatedLogOutlivesItsLeader(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 0)
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
	leader := b.leader(t)
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

func TestAFollowerThatLagsIsNotBelieved(t *testing.T) {
	t.Parallel()
	const lag = 20 * time.Millisecond
	c := newCluster(t, lag)
	b := c.log(t)
	far := b.on(t, c.servers[2])
	nc := b.dial(t, c.servers[2])
	for deadline := time.Now().Add(30 * time.Second); b.leader(t) == c.servers[2].Name(); {
		if time.Now().After(deadline) {
			t.Fatal("the server that lags stays the leader")
		}
		if _, err := nc.Request("$JS.API.STREAM.LEADER.STEPDOWN."+jetstream.StreamName, nil, 5*time.Second); err != nil {
			t.Log(err)
		}
	}
	near := b.on(t, c.servers[0])
	direct, err := natsjs.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := direct.Stream(t.Context(), jetstream.StreamName)
	if err != nil {
		t.Fatal(err)
	}

	setting := storetest.Note(1, "")
	setting.Aggregate = domain.Aggregate{Workspace: "default", Category: domain.CategoryDepartment, ID: "sales"}
	setting.Before, setting.After, setting.Conversation, setting.Key, setting.Ticket = nil, nil, "", "", 0
	stale := 0
	var v domain.Version
	for i := 0; i < 40 && stale < 3; i++ {
		setting.ID = fmt.Sprint("command-", i)
		setting.Events = []domain.Event{department.Changed{Definition: department.Definition{ID: "sales", Name: fmt.Sprint("Sales ", i)}}}
		before := v
		var p domain.Position
		if p, v, err = near.Append(t.Context(), setting, v); err != nil {
			t.Fatal(err)
		}
		if m, err := stream.GetLastMsgForSubject(t.Context(), setting.Aggregate.String()); err != nil || m.Sequence < uint64(v) {
			stale++
		}
		if got, at, err := far.Load(t.Context(), setting.Aggregate, before, nil); err != nil || at != v || len(got) != 1 {
			t.Errorf("loaded %d commits at version %d, %v; one was acknowledged, at %d", len(got), at, err, v)
		}
		if head, err := far.Head(t.Context()); err != nil || head < p {
			t.Errorf("the head is %d, %v; %d was acknowledged", head, err, p)
		}
		got, upTo, err := far.Latest(t.Context(), "default", domain.CategoryDepartment)
		if err != nil || upTo < p || len(got) != 1 || got[0].Position != p {
			t.Errorf("the newest settings up to %d, %v: %d commits; %d was acknowledged", upTo, err, len(got), p)
		}
	}
	if stale == 0 {
		t.Error("the follower never lagged: this test proves nothing")
	}
}
