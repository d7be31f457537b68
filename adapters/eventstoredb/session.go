package eventstoredb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"go.uber.org/zap"
	"google.golang.org/grpc/metadata"
)

// errNoSession says that the server can't be reached: nothing was sent.
var errNoSession = errors.New("no connection to EventStoreDB")

// line is the way to the server. It keeps one client at a time and gives up on it when its connection is lost, because of
// what the library (v4.2.0) does then:
//
//   - It looks for a server again inside the next call, in one goroutine for all calls, and ignores the call's context. So
//     every call runs in a goroutine of its own, which is left behind when its time is over.
//   - When it finds none within its number of attempts it is dead for ever, and a call that fails afterwards blocks. So a
//     client is made only when the server takes connections, and not asked again once a call of it has failed. What was
//     under way in that moment may stay blocked: such goroutines are few, and left behind.
//   - Closed while a call is failing, it panics. So a client is closed after its last call has ended.
//   - It forgets to close the connection that it replaces. So a client that lost its connection is given no new calls.
//   - It puts the header that asks for the leader where it is never sent from. So every call carries it.
type line struct {
	config esdb.Configuration
	check  func(ctx context.Context, c *esdb.Client) error // made on a new connection before anybody else may use it
	log    *zap.Logger
	alive  context.Context // ends with the line
	end    context.CancelFunc
	calls  sync.WaitGroup

	mu         sync.Mutex
	current    *session      // nil while there is no connection
	connecting chan struct{} // closed when the attempt under way is over; nil while there is none
	failed     error         // why the last attempt failed
}

// session is one client, on one connection.
type session struct {
	client  *esdb.Client
	calls   int           // under way; guarded by line.mu
	retired chan struct{} // closed when nobody may begin another call
	gone    bool          // retired is closed; guarded by line.mu
	heard   atomic.Int64  // when a call last succeeded, in ns since the epoch
}

// dialWithin is how long the server may take to accept a connection.
const dialWithin = 2 * time.Second

func newLine(config *esdb.Configuration, log *zap.Logger) *line {
	l := &line{config: *config, log: log}
	l.config.MaxDiscoverAttempts = 3
	l.config.DiscoveryInterval = 100
	l.config.GossipTimeout = 1 // second; of one attempt
	l.config.NodePreference = esdb.NodePreferenceLeader
	l.config.Logger = func(level esdb.LogLevel, format string, args ...any) {
		if l.alive.Err() != nil {
			return
		}
		log.Debug("client: "+fmt.Sprintf(format, args...), zap.String("level", level))
	}
	l.alive, l.end = context.WithCancel(context.Background())
	return l
}

// close ends all calls and waits a moment for them.
func (l *line) close() {
	l.end()
	l.mu.Lock()
	s := l.current
	l.mu.Unlock()
	if s != nil {
		l.retire(s, errors.New("closed"))
	}
	done := make(chan struct{})
	go func() { l.calls.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(dialWithin): // a discovery that finds no server can't be told to stop
	}
}

// acquire returns the session for one more call, which must be released. When there is none it makes one, together with
// whoever else asks; one attempt, or as long as ctx lives.
func (l *line) acquire(ctx context.Context) (*session, error) {
	l.mu.Lock()
	if l.current != nil {
		defer l.mu.Unlock()
		l.current.calls++
		l.calls.Add(1)
		return l.current, nil
	}
	if l.alive.Err() != nil {
		l.mu.Unlock()
		return nil, fmt.Errorf("%w: it was closed", errNoSession)
	}
	if l.connecting == nil {
		l.connecting = make(chan struct{})
		l.calls.Add(1)
		go l.connect(l.connecting)
	}
	wait := l.connecting
	l.mu.Unlock()
	select {
	case <-wait:
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", errNoSession, ctx.Err())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current == nil {
		return nil, fmt.Errorf("%w: %w", errNoSession, l.failed)
	}
	l.current.calls++
	l.calls.Add(1)
	return l.current, nil
}

// connect makes a session. It may take as long as the server does.
func (l *line) connect(done chan struct{}) {
	defer l.calls.Done()
	s, err := l.dial()
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil && l.alive.Err() == nil:
		l.current = s
	case err == nil:
		err = errors.New("closed")
		go closeClient(s.client)
	}
	l.failed, l.connecting = err, nil
	close(done)
}

func (l *line) dial() (*session, error) {
	if err := l.reachable(); err != nil {
		return nil, err
	}
	config := l.config
	client, err := esdb.NewClient(&config)
	if err != nil {
		return nil, err
	}
	err = l.check(leader(l.alive), client) // and with it the library's discovery
	if err != nil {
		closeClient(client)
		return nil, err
	}
	return &session{client: client, retired: make(chan struct{})}, nil
}

// reachable asks whether any of the servers accepts connections.
func (l *line) reachable() error {
	ctx, cancel := context.WithTimeout(l.alive, dialWithin)
	defer cancel()
	addresses := []string{l.config.Address}
	if len(l.config.GossipSeeds) > 0 {
		addresses = nil
		for _, seed := range l.config.GossipSeeds {
			addresses = append(addresses, seed.String())
		}
	}
	var last error
	for _, a := range addresses {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", a)
		if err == nil {
			return conn.Close()
		}
		last = err
	}
	return last
}

func (l *line) release(s *session) {
	l.mu.Lock()
	s.calls--
	last := s.gone && s.calls == 0
	l.mu.Unlock()
	if last {
		closeClient(s.client)
	}
	l.calls.Done()
}

// retire gives a session no more calls, and closes its client after the last of them.
func (l *line) retire(s *session, why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.gone {
		return
	}
	s.gone = true
	close(s.retired)
	if l.current == s {
		l.current = nil
	}
	l.log.Debug("a connection is given up", zap.Error(why))
	if s.calls == 0 {
		go closeClient(s.client)
	}
}

// closeClient closes a client without calls. Its error is always nil.
func closeClient(c *esdb.Client) { _ = c.Close() }

// leader asks for an answer that no follower gives in the leader's stead.
func leader(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "requires-leader", "true")
}

// call runs fn with a client, and returns when fn does, when ctx ends or when the line is closed. fn may go on in the
// background for a while: it must touch nothing of its caller's, and stop when its own context ends.
func call[T any](ctx context.Context, l *line, fn func(ctx context.Context, c *esdb.Client) (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	s, err := l.acquire(ctx)
	if err != nil {
		return none, err
	}
	began := time.Now().UnixNano()
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(l.alive, cancel)()
	done := make(chan outcome, 1)
	go func() {
		defer l.release(s)
		var o outcome
		defer func() {
			if p := recover(); p != nil { // the library does where it reads what it does not know
				o.err = fmt.Errorf("the client library panicked: %v", p)
			}
			done <- o
		}()
		o.value, o.err = fn(leader(inner), s.client)
	}()
	var o outcome
	select {
	case o = <-done:
	case <-inner.Done():
		o.err = inner.Err()
	}
	switch {
	case o.err == nil:
		s.heard.Store(time.Now().UnixNano())
	case lost(o.err) && ctx.Err() == nil:
		l.retire(s, o.err)
	case errors.Is(ctx.Err(), context.DeadlineExceeded) && s.heard.Load() < began:
		l.retire(s, o.err) // nobody was answered since: another connection may do better
	}
	return o.value, o.err
}
