package jetstream

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// unfinishedStream is there while a log is being put together on a server: nobody opens the log beside it.
const unfinishedStream = "TURNO_UNFINISHED"

// ErrUnfinished says that a log was being put together and is not whole.
var ErrUnfinished = errors.New("the log is not whole: a restore or a move into it is running, or was not finished; run it again")

// ErrOtherLog says that a log can't be put where another one is.
var ErrOtherLog = errors.New("the target holds another log")

// TargetOptions are the choices of a Target.
type TargetOptions struct {
	Host     *Server // the server that this process runs itself, if it does
	Replicas int     // 0 means 1
	Logger   *zap.Logger
}

// Target is a log that is being put together from the messages of another one, each at the sequence that it had. What is there
// already, of an earlier try, must be the beginning of the same log, and is gone on from. Until Finish nobody can open it.
//
// The calls, in this order, one at a time: Put until there is no more, Compare, perhaps Open, Finish, and Close at any time.
type Target struct {
	bare   *Store // not open: it reads and asks
	log    *zap.Logger
	found  uint64 // how many messages were there
	marked bool   // nobody opens it

	last   uint64 // sequence of the newest that was put, or found and compared
	blocks [][sha256.Size]byte
	block  blockHash
}

// patience is how long a Target goes on trying while nothing can be stored.
const patience = 30 * time.Second

// NewTarget looks at what is behind nc, which must come from Connect or Dial and stays the caller's. Where there is no log it
// makes an empty one.
func NewTarget(ctx context.Context, nc *nats.Conn, o TargetOptions) (*Target, error) {
	s := newStore(nc, nil, Options{Host: o.Host, Replicas: o.Replicas, Logger: o.Logger})
	t := &Target{bare: s, log: s.log}
	if err := t.prepare(ctx); err != nil {
		t.Close()
		return nil, fmt.Errorf("prepare the target: %w", err)
	}
	return t, nil
}

func (t *Target) prepare(ctx context.Context) error {
	s := t.bare
	if s.opts.Host != nil {
		own, err := s.opts.Host.dial(nats.Name("turno copies"))
		if err != nil {
			return err
		}
		s.own, s.bulk, s.nc = own, own, own
	}
	var err error
	if s.js, err = jetstream.New(s.bulk, jetstream.WithDefaultTimeout(s.opts.Timeout)); err != nil {
		return err
	}
	var stream jetstream.Stream
	err = t.insist(ctx, func(ctx context.Context) (err error) {
		stream, err = s.js.Stream(ctx, StreamName)
		return err
	})
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if err := s.refuseToOverwrite(); err != nil {
			return err
		}
		if err := t.mark(ctx); err != nil {
			return err
		}
		err = t.insist(ctx, func(ctx context.Context) (err error) {
			stream, err = s.js.CreateStream(ctx, streamConfig(s.opts.Replicas))
			return err
		})
	}
	if err != nil {
		return wrap(ctx, "find the stream", err)
	}
	info := stream.CachedInfo()
	if weak := weaknesses(info.Config, s.opts.Replicas); len(weak) > 0 || info.State.NumDeleted > 0 || info.State.FirstSeq > 1 {
		return fmt.Errorf("stream %s is too weak for a log, or not whole: %v", StreamName, weak)
	}
	s.replicas = info.Config.Replicas > 1
	t.found = info.State.LastSeq
	err = t.insist(ctx, func(ctx context.Context) error {
		_, err := s.js.Stream(ctx, unfinishedStream)
		return err
	})
	t.marked = err == nil
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		err = nil
	}
	return wrap(ctx, "look for an earlier try", err)
}

// insist asks again while nobody answers: servers that have just come together may have no leader yet. What it asks may be
// asked twice.
func (t *Target) insist(ctx context.Context, ask func(context.Context) error) error {
	for deadline := time.Now().Add(patience); ; {
		once, cancel := t.bare.within(ctx)
		err := ask(once)
		cancel()
		if err == nil || !unreachable(err) || ctx.Err() != nil || time.Now().After(deadline) {
			return err
		}
		t.bare.pause(ctx, again)
	}
}

// mark keeps everybody from opening the log.
func (t *Target) mark(ctx context.Context) error {
	if t.marked {
		return nil
	}
	err := t.insist(ctx, func(ctx context.Context) error {
		_, err := t.bare.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
			Name: unfinishedStream, Description: "A log is being put together here. It goes when that is done.",
			Subjects: []string{"turno-unfinished"}, Storage: jetstream.FileStorage, Replicas: max(t.bare.opts.Replicas, 1),
		})
		return err
	})
	if err != nil {
		return wrap(ctx, "mark the log as unfinished", err)
	}
	t.marked = true
	return nil
}

// Found is how many messages the target held before the first Put. finished says that they are a log which can be opened, and
// may be at work.
func (t *Target) Found() (n uint64, finished bool) { return t.found, t.found > 0 && !t.marked }

// Last is the sequence of the newest message that was put.
func (t *Target) Last() uint64 { return t.last }

// Put stores the messages, of which the first has that sequence, behind those of the call before. It returns when they are
// acknowledged. ErrOtherLog when what the target has at their sequences is not the same.
func (t *Target) Put(ctx context.Context, first uint64, messages []Message) error {
	if first != t.last+1 {
		return fmt.Errorf("put message %d behind %d", first, t.last)
	}
	for i := range messages {
		t.add(&messages[i])
	}
	for len(messages) > 0 && first <= t.found {
		if first == 1 || first == t.found {
			if err := t.same(ctx, first, &messages[0]); err != nil {
				return err
			}
		}
		first, messages = first+1, messages[1:]
	}
	if len(messages) == 0 {
		return nil
	}
	if err := t.mark(ctx); err != nil {
		return err
	}
	return t.store(ctx, first, messages)
}

// same compares one message with what the target has.
func (t *Target) same(ctx context.Context, seq uint64, want *Message) error {
	m, err := t.bare.message(ctx, seq)
	if err != nil {
		return wrap(ctx, fmt.Sprintf("compare message %d", seq), err)
	}
	if got := stored(m); got.Subject != want.Subject || !bytes.Equal(got.Data, want.Data) || !maps.Equal(got.Header, want.Header) {
		return fmt.Errorf("%w: its message %d is another one", ErrOtherLog, seq)
	}
	return nil
}

// store sends until all is acknowledged. Each message is guarded by the sequence before it, so that none gets a wrong one and none
// is there twice, whatever is sent again; and the acknowledgement of the last speaks for all.
func (t *Target) store(ctx context.Context, first uint64, messages []Message) error {
	last := first + uint64(len(messages)) - 1
	for deadline := time.Now().Add(patience); ; {
		err := t.send(ctx, first, messages)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var refused *jetstream.APIError
		if errors.As(err, &refused) && !conflicting(refused) && refused.Code != 503 || time.Now().After(deadline) {
			return wrap(ctx, fmt.Sprintf("put messages %d to %d", first, last), err)
		}
		t.bare.pause(ctx, retryAfter)
		head, headErr := t.bare.lastSequence(ctx)
		switch {
		case headErr != nil:
			continue
		case head+1 < first || head > last:
			return fmt.Errorf("put messages %d to %d: the target stands at %d: somebody else writes to it", first, last, head)
		case head == last:
			return t.same(ctx, last, &messages[len(messages)-1])
		case head >= first:
			t.log.Info("going on", zap.Uint64("behind", head), zap.Error(err))
			first, messages, deadline = head+1, messages[head+1-first:], time.Now().Add(patience)
		}
	}
}

func conflicting(e *jetstream.APIError) bool {
	return e.ErrorCode == codeConflict || e.ErrorCode == codeConflictReplicas || e.ErrorCode == codeNoResources
}

func (t *Target) send(ctx context.Context, first uint64, messages []Message) error {
	ctx, cancel := context.WithTimeout(ctx, t.bare.opts.Timeout)
	defer cancel()
	nc := t.bare.nc
	for i := range messages {
		m := messages[i].read(0)
		m.header[jetstream.ExpectedLastSeqHeader] = []string{fmt.Sprint(first + uint64(i) - 1)}
		out := &nats.Msg{Subject: m.subject, Header: m.header, Data: m.data}
		if i < len(messages)-1 {
			if err := nc.PublishMsg(out); err != nil {
				return err
			}
			continue
		}
		a, err := request(ctx, nc, out)
		if err != nil {
			return err
		}
		if want := first + uint64(i); a.Sequence != want {
			return fmt.Errorf("message %d was stored as %d", want, a.Sequence)
		}
	}
	return nil
}

// Compare reads the target from its beginning and compares it with all that was put, by the hash of each block of messages.
func (t *Target) Compare(ctx context.Context) error {
	head, err := t.bare.lastSequence(ctx)
	if err != nil {
		return wrap(ctx, "compare", err)
	}
	if head != t.last {
		return fmt.Errorf("%w: it ends at %d, what was put at %d", ErrOtherLog, head, t.last)
	}
	want := slices.Clone(t.blocks)
	if t.block.count > 0 {
		want = append(want, t.block.sum())
	}
	var got blockHash
	seen, at := 0, uint64(0)
	differ := func() error {
		return fmt.Errorf("%w: between %d and %d it is not what was put", ErrOtherLog, uint64(seen)*blockMessages+1, at)
	}
	err = t.bare.messages(ctx, 0, t.last, func(first uint64, messages []Message) error {
		for i := range messages {
			at = first + uint64(i)
			got.add(&messages[i])
			if got.count < blockMessages {
				continue
			}
			if got.sum() != want[seen] {
				return differ()
			}
			got, seen = blockHash{}, seen+1
		}
		return nil
	})
	if err == nil && got.count > 0 && got.sum() != want[seen] {
		err = differ()
	}
	return wrap(ctx, "compare", err)
}

// Open opens the log while nobody else can. Close it before Finish.
func (t *Target) Open(ctx context.Context, codec Codec) (*Store, error) {
	s := newStore(t.bare.nc, codec, Options{Replicas: t.bare.opts.Replicas, Logger: t.bare.opts.Logger})
	s.unfinished = true
	if err := s.open(ctx); err != nil {
		s.Close()
		return nil, fmt.Errorf("open the log: %w", err)
	}
	return s, nil
}

// Finish lets everybody open the log.
func (t *Target) Finish(ctx context.Context) error {
	err := t.insist(ctx, func(ctx context.Context) error { return t.bare.js.DeleteStream(ctx, unfinishedStream) })
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil
	}
	return wrap(ctx, "take the mark away", err)
}

// Close lets go of what the Target opened itself.
func (t *Target) Close() { t.bare.Close() }

// blockMessages is how many messages Compare compares at once: what differs is found to within so many.
const blockMessages = 1000

// blockHash is the hash of messages that follow each other.
type blockHash struct {
	buf   []byte
	state [sha256.Size]byte // of the messages before
	count int
}

func (b *blockHash) add(m *Message) {
	text := func(s string) { b.buf = append(binary.AppendUvarint(b.buf, uint64(len(s))), s...) }
	b.buf = append(b.buf[:0], b.state[:]...)
	text(m.Subject)
	for _, name := range slices.Sorted(maps.Keys(m.Header)) {
		text(name)
		text(m.Header[name])
	}
	b.buf = append(b.buf, 0xff)
	b.buf = append(b.buf, m.Data...)
	b.state = sha256.Sum256(b.buf)
	b.count++
}

func (b *blockHash) sum() [sha256.Size]byte { return b.state }

func (t *Target) add(m *Message) {
	t.block.add(m)
	t.last++
	if t.block.count == blockMessages {
		t.blocks = append(t.blocks, t.block.sum())
		t.block = blockHash{buf: t.block.buf}
	}
}

// lastSequence asks the leader where the stream ends.
func (s *Store) lastSequence(ctx context.Context) (uint64, error) {
	ctx, cancel := s.within(ctx)
	defer cancel()
	stream, err := s.js.Stream(ctx, StreamName)
	if err != nil {
		return 0, err
	}
	return stream.CachedInfo().State.LastSeq, nil
}
