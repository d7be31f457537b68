package eventstoredb_test

import (
	"crypto/rand"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/turno-desk/turno/adapters/eventstoredb"
	"github.com/turno-desk/turno/adapters/eventstoredb/esdbtest"
	"github.com/turno-desk/turno/adapters/memory"
	"github.com/turno-desk/turno/adapters/storetest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// lossyTimeout bounds the calls of a store on a bad line.
const lossyTimeout = 1500 * time.Millisecond

// double is a log on the server in this process.
type double struct {
	server *esdbtest.Server
	air    *memory.Store
}

func newDouble(t *testing.T) *double {
	return &double{server: esdbtest.New(t), air: memory.New(storetest.Codec())}
}

// Sparse: a position is an offset in bytes.
func (b *double) Sparse() {}

// Narrow: the server knows the ids of events by stream.
func (b *double) Narrow() {}

func (b *double) Store(t *testing.T) storetest.Store {
	t.Helper()
	return b.open(t, b.server.URL(), eventstoredb.Options{})
}

func (b *double) open(t *testing.T, url string, o eventstoredb.Options) *eventstoredb.Store {
	t.Helper()
	s, err := eventstoredb.Open(t.Context(), url, storetest.Codec(), b.air, o)
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
func (b *double) Join(t *testing.T) storetest.Store { return b.Store(t) }

func (b *double) Restart(t *testing.T) {
	t.Helper()
	b.server.Stop()
	b.server.Start(t)
}

func (b *double) Patience() time.Duration { return lossyTimeout }

// Far opens the log over a line that can fail.
func (b *double) Far(t *testing.T) (storetest.Store, storetest.Line) {
	t.Helper()
	l := esdbtest.NewLine(t, b.server.Address())
	return b.open(t, esdbtest.URL(l.Address()), eventstoredb.Options{Timeout: lossyTimeout, AckWait: 200 * time.Millisecond}), l
}

func TestTheLogOnEventStoreDB(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Backend { return newDouble(t) })
}

// live is a log on a server that somebody has started: one of its own in a database that others use too.
type live struct {
	*double
	url, within string
}

// Store opens the log once more.
func (b live) Store(t *testing.T) storetest.Store {
	t.Helper()
	return b.open(t, b.url, eventstoredb.Options{Within: b.within})
}

func TestTheLogOnALiveServer(t *testing.T) {
	url := os.Getenv("TURNO_EVENTSTOREDB_URL")
	if url == "" {
		t.Skip("TURNO_EVENTSTOREDB_URL is not set: there is no live EventStoreDB to run on")
	}
	storetest.Run(t, shared(url))
}

func TestManyLogsInOneDatabase(t *testing.T) {
	t.Parallel()
	storetest.Run(t, shared(esdbtest.New(t).URL()))
}

// shared makes logs in one database.
func shared(url string) func(*testing.T) storetest.Backend {
	return func(*testing.T) storetest.Backend {
		within := "test-" + strings.ToLower(rand.Text()) + "-"
		return unbroken{live{double: &double{air: memory.New(storetest.Codec())}, url: url, within: within}}
	}
}

// unbroken hides what a test may do to the double alone.
type unbroken struct{ log live }

// Store opens the log once more.
func (b unbroken) Store(t *testing.T) storetest.Store { return b.log.Store(t) }

// Sparse and Narrow as the double is.
func (b unbroken) Sparse() {}

// Narrow and Sparse as the double is.
func (b unbroken) Narrow() {}
