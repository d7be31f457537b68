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
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
)

// errNoSession says that the server can't be reached: nothing was sent.
var errNoSession = errors.New("no connection to EventStoreDB")

// line is the way to the server. It keeps one client at a time and gives up on it when its connection is lost, because of
// what the library (v4.2.0) does then:
//
//   - It looks for a server again inside the next call, in one goroutine for all calls, and ignores the call's context. So
//     every call runs in a goroutine of its own, which is left behind when its time is over.
//   - When a call fails with a lost connection, it looks for a server anew, forgets to close the connection that it
//     replaces and, having found none, leaves every later failure blocked for ever, or panicking once it is closed. But it
//     logs the failure first: there the call is unwound (abandon), so that none of this begins. The client gets no new calls,
//     and is closed after its last.
//   - It tells nobody when gRPC has connected again by itself, perhaps to another database. So each client holds a
//     subscription to the log's own stream, whose end is the connection's.
//   - It puts the header that asks for the leader where it is never sent from. So every call carries it.
type line struct {
	config esdb.Configuration
	stream string                                          // the log's own
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
	life    *esdb.Subscription // ends with the connection
	calls   int                // under way; guarded by line.mu
	retired chan struct{}      // closed when nobody may begin another call
	gone    bool               // retired is closed; guarded by line.mu
	heard   atomic.Int64       // when a call last succeeded, in ns since the epoch
}

const (
	// dialWithin is how long the server may take to accept a connection.
	dialWithin = 2 * time.Second

	// closeWithin is how long close waits. A discovery that finds no server can't be told to stop.
	closeWithin = 500 * time.Millisecond
)

// failing is what the library logs, on the goroutine of the call, when that failed.
const failing = "unexpected exception: %v"

// abandon unwinds a call that failed out of the library.
type abandon struct{ err error }

// guarded calls the library, and makes an error of what unwinds it: abandon, or its own panic where it reads what it does not
// know.
func guarded[T any](fn func() (T, error)) (v T, err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case abandon:
			err = p.err
		default:
			err = fmt.Errorf("the client library panicked: %v", p)
		}
	}()
	return fn()
}

func newLine(config *esdb.Configuration, log *zap.Logger) *line {
	l := &line{config: *config, log: log}
	l.config.MaxDiscoverAttempts = 3
	l.config.DiscoveryInterval = 20 // milliseconds
	l.config.GossipTimeout = 2      // seconds; of one attempt
	l.config.NodePreference = esdb.NodePreferenceLeader
	l.config.Logger = func(level esdb.LogLevel, format string, args ...any) {
		if format == failing && len(args) == 1 {
			if err, ok := args[0].(error); ok && transport(err) == codes.Unavailable {
				panic(abandon{err})
			}
		}
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
	case <-time.After(closeWithin):
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
		s.calls++
		l.calls.Add(1)
		go l.listen(s)
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
	s := &session{client: client, retired: make(chan struct{})}
	err = l.greet(client)
	if err == nil {
		err = l.attend(s)
	}
	if err == nil {
		err = l.greet(client) // once more: what is seen while the subscription lives is of one connection
	}
	if err != nil {
		close(s.retired)
		closeClient(client)
		return nil, err
	}
	return s, nil
}

// greet makes the first calls of a client, and with them the library's discovery. A follower answers where the leader is;
// the client has gone there when the call returns.
func (l *line) greet(c *esdb.Client) error {
	for hops := 0; ; hops++ {
		_, err := guarded(func() (none struct{}, err error) { return none, l.check(leader(l.alive), c) })
		if !is(err, esdb.ErrorCodeNotLeader) || hops == 3 {
			return err
		}
	}
}

// attend begins the subscription that lives as long as the connection.
func (l *line) attend(s *session) error {
	ctx, cancel := context.WithCancel(leader(l.alive))
	late := time.AfterFunc(dialWithin, cancel)
	sub, err := guarded(func() (*esdb.Subscription, error) {
		return s.client.SubscribeToStream(ctx, l.stream, esdb.SubscribeToStreamOptions{From: esdb.End{}})
	})
	if err != nil {
		cancel()
		return err
	}
	s.life = sub
	go func() {
		select {
		case <-s.retired:
		case <-l.alive.Done():
		}
		cancel()
	}()
	if !late.Stop() {
		return context.DeadlineExceeded
	}
	return nil
}

// listen retires a session when its connection ends.
func (l *line) listen(s *session) {
	defer l.release(s)
	for {
		if e := s.life.Recv(); e.SubscriptionDropped != nil {
			l.retire(s, e.SubscriptionDropped.Error)
			return
		}
	}
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
		o.value, o.err = guarded(func() (T, error) { return fn(leader(inner), s.client) })
		done <- o
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
