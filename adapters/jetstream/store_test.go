package jetstream_test

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

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

// Join opens the log as another process.
func (b *embedded) Join(t *testing.T) storetest.Store { return b.join(t) }

func (b *embedded) Restart(t *testing.T) {
	t.Helper()
	b.stop(t)
	b.start(t)
}

// Copy keeps the files as they are now.
func (b *embedded) Copy(t *testing.T) {
	t.Helper()
	b.replace(t, filepath.Join(b.dir, "log"), filepath.Join(b.dir, "copy"))
}

// Restore puts them back.
func (b *embedded) Restore(t *testing.T) {
	t.Helper()
	b.replace(t, filepath.Join(b.dir, "copy"), filepath.Join(b.dir, "log"))
}

func (b *embedded) replace(t *testing.T, from, to string) {
	t.Helper()
	b.stop(t)
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	b.start(t)
	b.hosted = false
}

// lossyTimeout bounds the calls of a store on a bad line.
const lossyTimeout = time.Second

func (b *embedded) Patience() time.Duration { return lossyTimeout }

// Far opens the log over a line that can fail.
func (b *embedded) Far(t *testing.T) (storetest.Store, storetest.Line) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(b.dir, "nats.json"))
	if err != nil {
		t.Fatal(err)
	}
	var access struct{ URL, User, Password string }
	if err := json.Unmarshal(raw, &access); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(access.URL)
	if err != nil {
		t.Fatal(err)
	}
	l := newLine(t, u.Host)
	u.Host, u.User = l.listener.Addr().String(), url.UserPassword(access.User, access.Password)
	return far(t, u.String(), jetstream.Options{}), l
}

func far(t *testing.T, address string, o jetstream.Options) *jetstream.Store {
	t.Helper()
	nc, err := jetstream.Dial(address, "")
	if err != nil {
		t.Fatal(err)
	}
	o.Timeout, o.AckWait = lossyTimeout, 200*time.Millisecond
	return open(t, nc, o)
}

// Full opens the log on a disk of which more must stay free than it has.
func (b *embedded) Full(t *testing.T) storetest.Store {
	t.Helper()
	nc, err := jetstream.Join(b.dir)
	if err != nil {
		t.Fatal(err)
	}
	return open(t, nc, jetstream.Options{Dir: b.dir, Reserve: 1 << 60})
}

func TestTheEmbeddedLog(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Backend { return newEmbedded(t, jetstream.SyncAlways) })
}
