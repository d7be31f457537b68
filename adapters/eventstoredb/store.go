package eventstoredb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	lru "github.com/hashicorp/golang-lru/v2"
	"go.uber.org/zap"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/ledger"
)

// Options are the choices of a Store. The zero value works.
type Options struct {
	// Timeout is how long a call on the log may take before it is answered with ErrUnavailable, or ErrUncertain; 0 means 5 s.
	Timeout time.Duration
	// AckWait is how long one attempt waits for the server's answer before the next; 0 means 2 s.
	AckWait time.Duration
	// Within is put before the names of all streams, so that several logs share a database; empty: nothing.
	Within string
	// ReadOnly refuses appends, and creates nothing.
	ReadOnly bool
	Logger   *zap.Logger // nil: silent
}

// tails is how many aggregates a Store remembers the newest commit of, for the next append's `prev`.
const tails = 1 << 16

// Store is the log on EventStoreDB. It is safe for concurrent use.
type Store struct {
	Air
	line  *line
	codec Codec
	opts  Options
	log   *zap.Logger
	id    atomic.Pointer[string]

	tails  *lru.Cache[string, tail]
	newest atomic.Uint64 // the largest position that this connection is known to hold
	marks  marks
	kinds  kinds
}

// Open opens the log behind a connection string (esdb://host:port?tls=false, esdb+discover://…), and creates it where there
// is none. air carries announcements and topics; the Store does not close it.
func Open(ctx context.Context, connection string, codec Codec, air Air, o Options) (*Store, error) {
	config, err := esdb.ParseConnectionString(connection)
	if err != nil { // it may quote the string, which may hold a password
		return nil, errors.New("open the log: the connection string of EventStoreDB can't be read")
	}
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	if o.AckWait == 0 {
		o.AckWait = 2 * time.Second
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	known, err := lru.New[string, tail](tails)
	if err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	s := &Store{Air: air, codec: codec, opts: o, log: o.Logger.Named("log"), tails: known}
	s.line = newLine(config, s.log)
	s.line.stream, s.line.check = s.name(self), s.sure
	if err := s.open(ctx); err != nil {
		s.line.close()
		return nil, wrap(ctx, "open the log", err)
	}
	return s, nil
}

// Close ends what the Store runs. Appends under way are answered with ErrUncertain.
func (s *Store) Close() error {
	s.line.close()
	return nil
}

// ID is the identity of the log, from its first commit.
func (s *Store) ID() string {
	if id := s.id.Load(); id != nil {
		return *id
	}
	return ""
}

func (s *Store) open(ctx context.Context) error {
	for {
		id, err := persist(ctx, s, s.identify)
		if err != nil {
			return err
		}
		if id != "" {
			s.id.Store(&id)
			return nil
		}
		if s.opts.ReadOnly {
			return ErrNoLog
		}
		if err := s.create(ctx); err != nil && !errors.Is(err, command.ErrConflict) {
			return err
		}
	}
}

// sure makes sure that a new connection leads to this log: another may have been put in its place. What is known of the
// log's end is forgotten: an older copy may have been restored.
func (s *Store) sure(ctx context.Context, c *esdb.Client) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	id, err := s.identify(ctx, c)
	if err != nil {
		return err
	}
	if was := s.ID(); was != "" && id != was {
		return fmt.Errorf("the server has log %q now, it was %q: %w", id, was, command.ErrUnavailable)
	}
	s.newest.Store(0)
	s.tails.Purge()
	s.marks.forget()
	s.kinds.forget()
	return nil
}

// identify returns the log's identity, "" when there is none yet.
func (s *Store) identify(ctx context.Context, c *esdb.Client) (string, error) {
	var first *esdb.RecordedEvent
	err := s.stream(ctx, c, s.name(self), esdb.ReadStreamOptions{Direction: esdb.Forwards, From: esdb.Start{}}, 1, func(e *esdb.RecordedEvent) bool {
		first = e
		return false
	})
	if err != nil || first == nil {
		return "", err
	}
	commit, err := s.commit(ctx, first, false)
	if err != nil {
		return "", fmt.Errorf("read the first commit: %w", err)
	}
	if created, ok := commit.Events[0].(ledger.Created); ok && created.ID != "" && first.EventNumber == 0 {
		return created.ID, nil
	}
	return "", fmt.Errorf("stream %s does not begin with the creation of a log", self)
}

// create appends the first commit, unless somebody else does at the same time.
func (s *Store) create(ctx context.Context) error {
	id := strings.ToLower(rand.Text())
	now := time.Now().UTC().Truncate(time.Millisecond)
	_, _, err := s.Append(ctx, domain.Commit{
		ID: "log-" + id, Aggregate: self, Recorded: now, Time: now, Origin: domain.OriginLive,
		Actor: domain.Actor{Kind: domain.ActorSystem}, Events: []domain.Event{ledger.Created{ID: id}},
	}, 0)
	return err
}

// name is that of an aggregate's stream.
func (s *Store) name(a domain.Aggregate) string { return s.opts.Within + a.String() }

// ours reports whether an event is a commit of this log.
func (s *Store) ours(e *esdb.RecordedEvent) bool {
	return e.EventType == commitType && strings.HasPrefix(e.StreamID, s.opts.Within) && strings.HasPrefix(e.StreamID[len(s.opts.Within):], prefix)
}

// retryAfter is how long a call waits before its next attempt.
const retryAfter = 50 * time.Millisecond

// persist calls until somebody answers or the Store's timeout is over: while a leader is elected, and while a connection is
// found again, nobody does. It is for what may be done twice.
func persist[T any](ctx context.Context, s *Store, fn func(ctx context.Context, c *esdb.Client) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	for {
		once, cancel := context.WithTimeout(ctx, s.opts.AckWait)
		v, err := call(once, s.line, fn)
		cancel()
		if err == nil || !unreachable(err) {
			return v, err
		}
		if ctx.Err() != nil || s.line.alive.Err() != nil {
			return v, err
		}
		pause(ctx, retryAfter)
	}
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// know notes that the log holds a commit at p.
func (s *Store) know(p domain.Position) {
	for {
		n := s.newest.Load()
		if uint64(p) <= n || s.newest.CompareAndSwap(n, uint64(p)) {
			return
		}
	}
}
