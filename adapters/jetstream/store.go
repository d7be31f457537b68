package jetstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/projections"
)

// Options are the choices of a Store. The zero value is right for a process that joined a server.
type Options struct {
	// Host is the server that this process runs itself, if it does: the Store then reads in bulk over a connection of its
	// own, watches the disk, and commits in groups where that pays (a log of one replica with SyncAlways).
	Host *Server
	// Dir is the data folder of a server that runs on this machine, for the watch over its disk. Host implies it.
	Dir string
	// Reserve is how many bytes the volume of Dir keeps free: below it appends get command.ErrFull and reads go on. 0: 1 GiB,
	// or a hundredth of a volume smaller than 100 GiB, but at least 64 MiB.
	Reserve uint64
	// Replicas is how many servers keep each commit; 0 means 1. An existing stream that has fewer is refused.
	Replicas int
	// Timeout is how long a call on the log may take before it is answered with ErrUnavailable, or ErrUncertain; 0 means 5 s.
	Timeout time.Duration
	// AckWait is how long one attempt of an append waits for its acknowledgement before it is looked for; 0 means 2 s.
	AckWait time.Duration
	// ReadOnly refuses appends, and creates nothing. A Host that is read-only implies it.
	ReadOnly bool
	// Grouped is called with the size of each group of commits that were flushed together, where the Store groups them; nil: nobody.
	Grouped func(commits int)
	Logger  *zap.Logger // nil: silent
}

// Store is the log on JetStream. It is safe for concurrent use.
type Store struct {
	Air
	nc       *nats.Conn // requests
	bulk     *nats.Conn // reads; the same as nc unless own
	own      *nats.Conn // the one to close
	js       jetstream.JetStream
	codec    Codec
	opts     Options
	log      *zap.Logger
	reserve  reserve
	id       string
	replicas bool // whether the stream has followers, whose answers may be stale
	group    *committer
	lanes    lanes
	lease    lease
	broken   atomic.Pointer[error] // why the hosted server can't write any more

	unfinished bool // it is opened by who puts it together

	epochs epochs
	seen   atomic.Uint64 // reconnections of nc up to which the log behind it is known to be ours, plus one
	verify sync.Mutex
}

// Open opens the log behind nc, creates it where there is none, and refuses one that promises less than a log must: with
// limits, without the flags that make it append-only, with fewer replicas than configured, with asynchronous persistence, or
// with a mirror that answers in its place. nc must come from Connect, Join or Dial; the Store does not close it.
func Open(ctx context.Context, nc *nats.Conn, codec Codec, o Options) (*Store, error) {
	s := newStore(nc, codec, o)
	if err := s.open(ctx); err != nil {
		s.Close()
		return nil, fmt.Errorf("open the log: %w", err)
	}
	return s, nil
}

// newStore is a Store that is not open yet.
func newStore(nc *nats.Conn, codec Codec, o Options) *Store {
	if o.Host != nil {
		o.Dir, o.ReadOnly = o.Host.dir, o.ReadOnly || o.Host.readOnly
	}
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	if o.AckWait == 0 {
		o.AckWait = 2 * time.Second
	}
	if o.Replicas == 0 {
		o.Replicas = 1
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	return &Store{
		Air: Air{conn: nc, timeout: o.Timeout, logger: o.Logger.Named("log")},
		nc:  nc, bulk: nc, codec: codec, opts: o,
		log:     o.Logger.Named("log"),
		reserve: reserve{dir: o.Dir, keep: o.Reserve},
		lease:   newLease(),
	}
}

func (s *Store) open(ctx context.Context) error {
	if s.opts.Host != nil {
		var err error
		if s.own, err = s.opts.Host.dial(nats.Name("turno reads")); err != nil {
			return err
		}
		s.bulk = s.own
		if !s.opts.ReadOnly {
			if err := s.lanes.open(s.opts.Host); err != nil {
				return err
			}
		}
	}
	var err error
	if s.js, err = jetstream.New(s.bulk, jetstream.WithDefaultTimeout(s.opts.Timeout)); err != nil {
		return err
	}
	config, err := s.ensureStream(ctx)
	if err != nil {
		return err
	}
	s.replicas = config.Replicas > 1
	if s.id, err = s.identify(ctx); err != nil {
		return err
	}
	if err := s.loadEpochs(ctx); err != nil {
		return err
	}
	s.seen.Store(s.reconnects())
	if h := s.opts.Host; h != nil && h.sync == SyncAlways && !s.replicas && !s.opts.ReadOnly {
		s.group, err = newCommitter(s)
		return err
	}
	return nil
}

// Close ends what the Store runs: appends that wait in a group are answered with ErrUnavailable. It leaves the connection
// that Open was given.
func (s *Store) Close() error {
	if s.group != nil {
		s.group.stop()
	}
	s.lanes.close()
	if s.own != nil {
		s.own.Close()
	}
	return nil
}

// ID is the identity of the log, from its first commit.
func (s *Store) ID() string { return s.id }

func (s *Store) reconnects() uint64 { return s.nc.Stats().Reconnects + 1 }

// sure makes sure, after a reconnection, that the server still has this log: another may have been put in its place, or an
// older copy restored.
func (s *Store) sure(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.seen.Load() == s.reconnects() {
		return nil
	}
	s.verify.Lock()
	defer s.verify.Unlock()
	now := s.reconnects()
	if s.seen.Load() == now {
		return nil
	}
	id, err := s.identify(ctx)
	if err != nil {
		return err
	}
	if id != s.id {
		return fmt.Errorf("the server has log %s now, it was %s: %w", id, s.id, command.ErrUnavailable)
	}
	if err := s.loadEpochs(ctx); err != nil {
		return err
	}
	s.seen.Store(now)
	return nil
}

// within bounds a call by the Store's timeout.
func (s *Store) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.opts.Timeout)
}

// unreachable says whether err means that the server can't be reached or can't answer just now.
func unreachable(err error) bool {
	for _, e := range []error{
		nats.ErrNoResponders, nats.ErrTimeout, nats.ErrConnectionClosed, nats.ErrConnectionDraining, nats.ErrNoServers,
		nats.ErrReconnectBufExceeded, nats.ErrDisconnected, nats.ErrStaleConnection, context.DeadlineExceeded,
		jetstream.ErrJetStreamNotEnabled, jetstream.ErrNoStreamResponse, errBroken, errStale, errUnled,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	var a *jetstream.APIError
	return errors.As(err, &a) && a.Code == 503
}

// wrap makes err one of the errors of the ports: the caller's context ended, the log can't be reached, or as it is.
func wrap(ctx context.Context, doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	case errors.Is(err, command.ErrUnavailable), errors.Is(err, projections.ErrNoCommit):
		return fmt.Errorf("%s: %w", doing, err)
	case unreachable(err):
		return fmt.Errorf("%s: %w: %w", doing, command.ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
