package jetstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// buffered is how many bytes the server sends ahead of what was digested.
	buffered = 4 << 20

	// straggling is how long a chunk that is not full waits for more, when the server has said that more is on its way.
	straggling = 20 * time.Millisecond

	// idle is how long the server keeps a consumer that asks for nothing. They are removed when a feed ends; this is for
	// processes that were killed.
	idle = 5 * time.Minute

	heartbeat = 5 * time.Second
)

// errBroken says that a feed ended for a reason that is worth another try.
var errBroken = errors.New("the feed broke off")

// feed is one pass over the stream, in order. It is a plain consumer rather than the client's ordered one, which begins anew
// by itself after a reconnection: here the log behind the connection is looked at first.
type feed struct {
	from    uint64   // first sequence
	filters []string // empty: everything, and then a sequence that is missing is an error
	latest  bool     // only the newest message of each subject
	max     int      // messages of a chunk

	// deliver gets 1 to max messages, and pending, how many more there were when the last of them was sent. It returns false
	// to end the feed.
	deliver func(chunk []*message, pending uint64) bool

	mu      sync.Mutex
	chunk   []*message
	pending uint64
	since   time.Time // of the oldest message in chunk
	next    uint64    // the sequence after the newest that was taken
	sent    uint64    // by the server on this consumer
	done    bool
	err     error
}

// run feeds until deliver returns false (then it returns nil), ctx ends, or something breaks. What came before a break has
// been delivered; f.next says where to go on.
func (f *feed) run(ctx context.Context, s *Store) error {
	f.next = f.from
	config := jetstream.ConsumerConfig{
		AckPolicy:         jetstream.AckNonePolicy,
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       f.from,
		FilterSubjects:    f.filters,
		MemoryStorage:     true,
		Replicas:          1,
		InactiveThreshold: idle,
	}
	if f.latest {
		config.DeliverPolicy, config.OptStartSeq = jetstream.DeliverLastPerSubjectPolicy, 0
	}
	bounded, cancel := s.within(ctx)
	consumer, err := s.js.CreateConsumer(bounded, StreamName, config)
	cancel()
	if err != nil {
		return f.broken(err)
	}
	name := consumer.CachedInfo().Name
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if err := s.js.DeleteConsumer(ctx, StreamName, name); err != nil {
			s.log.Debug("a consumer is left to expire: " + err.Error())
		}
	}()
	if f.latest && consumer.CachedInfo().NumPending == 0 {
		return nil
	}

	ended, failed := make(chan struct{}), make(chan error, 1)
	consuming, err := consumer.Consume(
		func(m jetstream.Msg) {
			if !f.take(m) {
				f.mu.Lock()
				if !f.done {
					f.done = true
					close(ended)
				}
				f.mu.Unlock()
			}
		},
		jetstream.PullMaxBytes(buffered),
		jetstream.PullHeartbeat(heartbeat),
		jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
			select {
			case failed <- err:
			default:
			}
		}),
	)
	if err != nil {
		return f.broken(err)
	}
	defer func() {
		consuming.Stop()
		<-consuming.Closed()
	}()
	tick := time.NewTicker(straggling)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return f.err
		case <-ctx.Done():
			return ctx.Err()
		case err := <-failed:
			f.flush()
			return f.broken(err)
		case <-tick.C:
			f.mu.Lock()
			late := len(f.chunk) > 0 && time.Since(f.since) > straggling
			f.mu.Unlock()
			if late && !f.flush() {
				return nil
			}
		}
	}
}

func (f *feed) broken(err error) error {
	f.mu.Lock() // messages may still be coming
	defer f.mu.Unlock()
	if f.err != nil {
		return f.err
	}
	return fmt.Errorf("%w: %w", errBroken, err)
}

// take adds a message to the chunk, and delivers it when it is full or when no more is on its way.
func (f *feed) take(m jetstream.Msg) bool {
	meta, err := m.Metadata()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done || f.err != nil {
		return false
	}
	switch {
	case err != nil:
		f.err = fmt.Errorf("%w: %w", errBroken, err)
	case meta.Sequence.Consumer != f.sent+1: // lost on the way
		f.err = fmt.Errorf("%w: delivery %d came after %d", errBroken, meta.Sequence.Consumer, f.sent)
	case len(f.filters) == 0 && meta.Sequence.Stream != f.next:
		f.err = fmt.Errorf("the log has a hole: sequence %d is missing, the next is %d", f.next, meta.Sequence.Stream)
	}
	if f.err != nil {
		f.deliverLocked()
		return false
	}
	f.sent, f.next, f.pending = f.sent+1, meta.Sequence.Stream+1, meta.NumPending
	if len(f.chunk) == 0 {
		f.since = time.Now()
	}
	f.chunk = append(f.chunk, &message{
		seq: meta.Sequence.Stream, subject: m.Subject(), header: nats.Header(m.Headers()), data: m.Data(),
	})
	if len(f.chunk) >= f.max || f.pending == 0 {
		return f.deliverLocked()
	}
	return true
}

func (f *feed) flush() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.deliverLocked()
}

func (f *feed) deliverLocked() bool {
	if len(f.chunk) == 0 {
		return true
	}
	chunk := f.chunk
	f.chunk = nil
	return f.deliver(chunk, f.pending)
}
