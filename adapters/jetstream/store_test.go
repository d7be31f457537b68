package jetstream_test

import (
	"testing"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"

	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/adapters/storetest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// embedded is the log of one folder, hosted by the test. The first Store is the host's, with group commit; the next ones
// join over the loopback.
type embedded struct {
	dir    string
	sync   jetstream.Sync
	server *jetstream.Server
	hosted bool
}

func newEmbedded(t *testing.T, sync jetstream.Sync) *embedded {
	b := &embedded{dir: t.TempDir(), sync: sync}
	b.start(t)
	t.Cleanup(func() { b.stop(t) })
	return b
}

func (b *embedded) start(t *testing.T) {
	t.Helper()
	s, err := jetstream.Host(t.Context(), jetstream.HostConfig{Dir: b.dir, Sync: b.sync, Logger: zaptest.NewLogger(t)})
	if err != nil {
		t.Fatal(err)
	}
	b.server = s
}

func (b *embedded) stop(t *testing.T) {
	t.Helper()
	if err := b.server.Close(); err != nil {
		t.Error(err)
	}
}

func (b *embedded) Store(t *testing.T) storetest.Store {
	t.Helper()
	if b.hosted {
		return b.join(t)
	}
	b.hosted = true
	nc, err := b.server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	return open(t, nc, jetstream.Options{Host: b.server})
}

func (b *embedded) join(t *testing.T) *jetstream.Store {
	t.Helper()
	nc, err := jetstream.Join(b.dir)
	if err != nil {
		t.Fatal(err)
	}
	return open(t, nc, jetstream.Options{Dir: b.dir})
}

func open(t *testing.T, nc *nats.Conn, o jetstream.Options) *jetstream.Store {
	t.Helper()
	t.Cleanup(nc.Close)
	o.Logger = zaptest.NewLogger(t)
	s, err := jetstream.Open(t.Context(), nc, storetest.Codec(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestTheEmbeddedLog(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Backend { return newEmbedded(t, jetstream.SyncAlways) })
}
