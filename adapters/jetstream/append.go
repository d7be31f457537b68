package jetstream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

// write is one append on its way.
type write struct {
	msg     *nats.Msg
	subject string
	id      string // of the command
	guard   uint64 // last sequence that the subject must have

	// uncertain is set once an attempt may have been stored without our knowing.
	uncertain bool
}

// Append adds c to its aggregate if that still stands at v. See command.Log. ErrConflict is certain: a guard that was passed
// can never hold again. ErrUnavailable means that nothing was stored; ErrUncertain that the answer did not come in time.
func (s *Store) Append(ctx context.Context, c domain.Commit, v domain.Version) (domain.Position, domain.Version, error) {
	if s.opts.ReadOnly {
		return 0, 0, fmt.Errorf("append to %s: the log is open for reading only: %w", c.Aggregate, command.ErrUnavailable)
	}
	w, err := s.prepare(ctx, &c, v)
	if err != nil {
		return 0, 0, err
	}
	if err := s.reserve.check(); err != nil {
		return 0, 0, fmt.Errorf("append to %s: %w", w.subject, err)
	}
	if err := s.broken.Load(); err != nil {
		return 0, 0, fmt.Errorf("append to %s: %w: %w", w.subject, command.ErrUnavailable, *err)
	}
	if err := s.sure(ctx); err != nil {
		return 0, 0, wrap(ctx, "append to "+w.subject, err)
	}
	var seq uint64
	if s.group != nil {
		seq, err = s.group.append(ctx, w)
	} else {
		seq, err = s.publish(ctx, w)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("append to %s at %d: %w", w.subject, v, err)
	}
	if c.Aggregate.Category == domain.CategoryLog {
		s.epochs.learn(c.Events)
	}
	return s.epochs.position(seq), domain.Version(seq), nil
}

// prepare encodes a commit into the message that will be sent, and refuses what is too large.
func (s *Store) prepare(ctx context.Context, c *domain.Commit, v domain.Version) (*write, error) {
	if !c.Aggregate.Valid() {
		return nil, fmt.Errorf("append to %q: not a subject of the log", c.Aggregate)
	}
	if c.ID == "" || len(c.Events) == 0 {
		return nil, fmt.Errorf("append to %s: a commit needs an id and an event", c.Aggregate)
	}
	if len(c.Events) > domain.MaxEvents {
		return nil, tooLarge(fmt.Sprintf("%d events at once, at most %d are allowed", len(c.Events), domain.MaxEvents))
	}
	data, err := s.codec.Encode(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("append to %s: %w", c.Aggregate, err)
	}
	if len(data) > domain.MaxCommitBytes {
		return nil, tooLarge(fmt.Sprintf("%d bytes at once, at most %d are allowed", len(data), domain.MaxCommitBytes))
	}
	subject, guard := c.Aggregate.String(), strconv.FormatUint(uint64(v), 10)
	h, values := make(nats.Header, 8), [...]string{guard, c.ID} // shared: nobody changes them
	h[jetstream.ExpectedLastSubjSeqHeader], h[headerPrev] = values[:1:1], values[:1:1]
	h[jetstream.MsgIDHeader], h[headerCommand] = values[1:], values[1:]
	switch {
	case opens(c):
		h[headerOpened] = []string{openedHere}
	case c.Opened != 0:
		seq, ok := s.epochs.sequence(c.Opened)
		if !ok {
			return nil, fmt.Errorf("append to %s: its opening at %d is not on this log", c.Aggregate, c.Opened)
		}
		h[headerOpened] = []string{strconv.FormatUint(seq, 10)}
	}
	if c.BodyHash != "" {
		h[headerBody] = []string{c.BodyHash}
	}
	if c.Trace != "" {
		h[headerTrace] = []string{c.Trace}
	}
	return &write{
		msg:     &nats.Msg{Subject: subject, Header: h, Data: data},
		subject: subject, id: c.ID, guard: uint64(v),
	}, nil
}

func opens(c *domain.Commit) bool {
	for _, e := range c.Events {
		if _, ok := e.(thread.Opened); ok {
			return true
		}
	}
	return false
}

func tooLarge(detail string) error {
	return &domain.Refusal{Code: domain.CodeTooLarge, Detail: "The command holds " + detail + "."}
}

// codes of the server that mean something here; nats.go names only the first two.
const (
	codeConflict          = jetstream.JSErrCodeStreamWrongLastSequence         // 10071
	codeConflictReplicas  = jetstream.JSErrCodeStreamWrongLastSequenceConstant // 10164
	codeDuplicateOnItsWay = jetstream.ErrorCode(10158)
	codeNoResources       = jetstream.ErrorCode(10023)
	codeStorageExceeded   = jetstream.ErrorCode(10047)
	codeStoreFailed       = jetstream.ErrorCode(10077)
)

const (
	// retryAfter is how long an attempt that certainly stored nothing waits before the next.
	retryAfter = 50 * time.Millisecond
	// contestAfter is how long it gives another append that is in its way on the subject.
	contestAfter = 2 * time.Millisecond
)

// publish sends w until its outcome is known or the Store's timeout is over, and returns the sequence it has.
func (s *Store) publish(ctx context.Context, w *write) (uint64, error) {
	deadline := time.Now().Add(s.opts.Timeout)
	var last error
	contested := false // another append on the subject was on its way
	for attempt := 0; ; attempt++ {
		if attempt > 0 {
			if err := ctx.Err(); err != nil {
				return 0, w.unknown(err)
			}
			if !time.Now().Before(deadline) {
				return 0, w.unknown(last)
			}
		}
		if w.uncertain || contested {
			seq, moved, err := s.find(ctx, w, deadline)
			if seq != 0 {
				return seq, nil
			}
			if moved {
				return 0, command.ErrConflict
			}
			if err != nil {
				last = err
				s.pause(ctx, retryAfter)
				continue
			}
			if broken := s.broken.Load(); broken != nil {
				return 0, w.unknown(*broken)
			}
		}
		ack, err := s.send(ctx, w, deadline)
		if err == nil {
			if !ack.Duplicate {
				return ack.Sequence, nil
			}
			return s.duplicate(ctx, w, ack.Sequence, deadline)
		}
		last = err
		var refused *jetstream.APIError
		switch {
		case errors.As(err, &refused):
			switch refused.ErrorCode {
			case codeConflict:
				if !w.uncertain {
					return 0, command.ErrConflict
				}
				// An earlier attempt may be what moved it: the tail tells.
			case codeConflictReplicas:
				// With replicas this is also said while another append on the subject is on its way, which may come to nothing,
				// and for a moment after one was acknowledged. The tail tells.
				contested = true
				s.pause(ctx, contestAfter)
				continue
			case codeNoResources, codeStorageExceeded, codeStoreFailed:
				return 0, w.fail(fmt.Errorf("%w: %w", command.ErrFull, err))
			case codeDuplicateOnItsWay:
			default:
				if refused.Code != 503 && refused.Code != 429 {
					return 0, w.fail(err)
				}
			}
		case errors.Is(err, nats.ErrNoResponders), errors.Is(err, nats.ErrReconnectBufExceeded):
			// Nobody took it: no leader just now, or no connection.
		case errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, nats.ErrConnectionDraining):
			return 0, w.fail(fmt.Errorf("%w: %w", command.ErrUnavailable, err))
		case unreachable(err), ctx.Err() != nil:
			w.uncertain = true
			s.breakDown()
			continue
		default:
			return 0, w.fail(err)
		}
		s.pause(ctx, retryAfter)
	}
}

// breakDown looks, when the hosted server does not answer, whether it ever will: after a failed write it takes nothing more
// until it is started again.
func (s *Store) breakDown() {
	if s.opts.Host == nil {
		return
	}
	if err := s.opts.Host.Healthy(); err != nil && s.broken.CompareAndSwap(nil, &err) {
		s.log.Error("the log's server can't write any more and must be started again", zap.Error(err))
	}
}

// fail is the answer to an attempt that certainly stored nothing, unless an earlier one may have.
func (w *write) fail(err error) error {
	if w.uncertain {
		return w.unknown(err)
	}
	return err
}

// unknown is the answer when time is up.
func (w *write) unknown(err error) error {
	if w.uncertain {
		return fmt.Errorf("%w: %w", command.ErrUncertain, err)
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%w: %w", command.ErrUnavailable, err)
}

func (s *Store) pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// ack is what the server answers to a publish, or to the last message of a batch.
type ack struct {
	Sequence  uint64              `json:"seq"`
	Duplicate bool                `json:"duplicate"`
	Count     int                 `json:"count"`
	Error     *jetstream.APIError `json:"error"`
}

// send publishes once and waits for the acknowledgement.
func (s *Store) send(ctx context.Context, w *write, deadline time.Time) (ack, error) {
	ctx, cancel := context.WithDeadline(ctx, earlier(deadline, time.Now().Add(s.opts.AckWait)))
	defer cancel()
	return request(ctx, s.lanes.next(s.nc), w.msg)
}

func request(ctx context.Context, nc *nats.Conn, m *nats.Msg) (ack, error) {
	answer, err := nc.RequestMsgWithContext(ctx, m)
	if err != nil {
		return ack{}, err
	}
	if seq, ok := plainAck(answer.Data); ok {
		return ack{Sequence: seq}, nil
	}
	var a ack
	if err := json.Unmarshal(answer.Data, &a); err != nil {
		return ack{}, fmt.Errorf("%w: an unreadable acknowledgement", nats.ErrTimeout)
	}
	if a.Error != nil {
		return ack{}, a.Error
	}
	return a, nil
}

// plainAck reads the acknowledgement of one stored message as the server writes it: {"stream":"TURNO","seq":1}. Every other
// answer is read as JSON.
func plainAck(data []byte) (seq uint64, ok bool) {
	number, ok := bytes.CutPrefix(data, []byte(`{"stream":"`+StreamName+`","seq":`))
	if !ok || len(number) < 2 || number[0] == '0' || number[len(number)-1] != '}' {
		return 0, false
	}
	for _, b := range number[:len(number)-1] {
		if b < '0' || b > '9' || seq > 1<<domain.EpochBits {
			return 0, false
		}
		seq = seq*10 + uint64(b-'0')
	}
	return seq, true
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// find looks for w among the messages of its subject since its guard. moved says that the subject is past the guard: then
// w, when it was not found, can't be stored any more. Another attempt at the same command is not w: what it says may differ.
func (s *Store) find(ctx context.Context, w *write, deadline time.Time) (seq uint64, moved bool, err error) {
	ctx, cancel := context.WithDeadline(ctx, earlier(deadline, time.Now().Add(s.opts.AckWait)))
	defer cancel()
	m, err := s.tail(ctx, w.subject)
	if errors.Is(err, projections.ErrNoCommit) && w.guard == 0 {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	for m.seq > w.guard {
		if m.header.Get(headerCommand) == w.id && bytes.Equal(m.data, w.msg.Data) {
			return m.seq, true, nil
		}
		prev, err := m.prev()
		if err != nil {
			return 0, false, err
		}
		if prev <= w.guard {
			return 0, true, nil
		}
		if m, err = s.message(ctx, prev); err != nil {
			return 0, false, err
		}
	}
	return 0, false, nil
}

// duplicate decides what an acknowledgement means that says the command id was stored before: success when that was w, or
// when the caller has loaded it already; a conflict when another attempt at the same command was faster, for what that says
// (its time, its ticket) may differ; an error when it was on another subject. Command ids are remembered by stream, not by
// subject.
func (s *Store) duplicate(ctx context.Context, w *write, seq uint64, deadline time.Time) (uint64, error) {
	ctx, cancel := context.WithDeadline(ctx, earlier(deadline, time.Now().Add(s.opts.AckWait)))
	defer cancel()
	m, err := s.message(ctx, seq)
	if err != nil {
		return 0, fmt.Errorf("%w: look at the duplicate: %w", command.ErrUncertain, err)
	}
	if m.subject != w.subject || m.header.Get(headerCommand) != w.id {
		return 0, fmt.Errorf("command %s has already written %s", w.id, m.subject)
	}
	if m.seq > w.guard && !bytes.Equal(m.data, w.msg.Data) {
		return 0, command.ErrConflict
	}
	return seq, nil
}
