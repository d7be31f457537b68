package vault

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// Stream is the vault's stream. It is backed up apart from the log, and by a rule of its own: an old copy of it brings
	// back what was erased.
	Stream      = "TURNO_VAULT"
	subjectRoot = "turno-vault"
)

// stream keeps values in JetStream, one message per subject, which SecureDeleteMsg overwrites with noise.
type stream struct {
	js jetstream.JetStream
	s  jetstream.Stream
}

// openStream opens the stream, and makes it when it is missing. It refuses one that could lose values or keep erased ones.
//
// A single replica answers direct gets; on several, which may be behind, the client asks the leader: a key that was just made
// must not look like one that was destroyed.
func openStream(ctx context.Context, js jetstream.JetStream, replicas int) (*stream, error) {
	s, err := js.Stream(ctx, Stream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		s, err = js.CreateStream(ctx, jetstream.StreamConfig{
			Name: Stream, Description: "Turno's keys and secrets, sealed under the master key",
			Subjects: []string{subjectRoot + ".>"}, Storage: jetstream.FileStorage, Replicas: replicas,
			AllowDirect: replicas == 1, AllowAtomicPublish: true,
		})
	}
	if err != nil {
		return nil, err
	}
	c := s.CachedInfo().Config
	switch {
	case c.Storage != jetstream.FileStorage:
		err = errors.New("it is not on disk")
	case c.MaxMsgs > 0 || c.MaxBytes > 0 || c.MaxAge > 0 || c.MaxMsgsPerSubject > 0 || c.Retention != jetstream.LimitsPolicy:
		err = errors.New("it has limits, and would lose values")
	case c.DenyDelete:
		err = errors.New("it denies deletion, and could not erase a key")
	case c.Replicas < replicas:
		err = fmt.Errorf("it has %d replicas, fewer than %d", c.Replicas, replicas)
	case c.AllowDirect && c.Replicas > 1:
		err = errors.New("it answers direct gets from several replicas, which may be behind")
	case !c.AllowAtomicPublish:
		err = errors.New("it takes no atomic batches (allow_atomic)")
	case c.Mirror != nil || len(c.Sources) > 0:
		err = errors.New("it is a copy of another stream")
	}
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", Stream, err)
	}
	return &stream{js: js, s: s}, nil
}

// add stores all values in one atomic batch. With an fsync for each message a thousand keys would take a second on an ordinary
// disk; a batch takes four, whatever is in it.
func (s *stream) add(ctx context.Context, values []sealed) error {
	if len(values) == 1 {
		_, err := s.js.Publish(ctx, values[0].subject, values[0].value, jetstream.WithExpectLastSequencePerSubject(0))
		return addError(err)
	}
	id := rand.Text()
	for i, v := range values {
		m := &nats.Msg{Subject: v.subject, Data: v.value, Header: nats.Header{
			"Nats-Batch-Id": {id}, "Nats-Batch-Sequence": {strconv.Itoa(i + 1)}, jetstream.ExpectedLastSubjSeqHeader: {"0"},
		}}
		if i < len(values)-1 {
			if err := s.js.Conn().PublishMsg(m); err != nil {
				return err
			}
			continue
		}
		m.Header.Set("Nats-Batch-Commit", "1")
		reply, err := s.js.Conn().RequestMsgWithContext(ctx, m)
		if err != nil {
			return err
		}
		var ack struct {
			Error  *jetstream.APIError `json:"error"`
			Stream string              `json:"stream"`
			Count  int                 `json:"count"`
		}
		if err := json.Unmarshal(reply.Data, &ack); err != nil {
			return fmt.Errorf("malformed acknowledgement: %w", err)
		}
		if ack.Error != nil {
			return addError(ack.Error)
		}
		if ack.Stream != Stream || ack.Count != len(values) {
			return fmt.Errorf("a batch of %d was acknowledged as %d in %s", len(values), ack.Count, ack.Stream)
		}
	}
	return nil
}

// addError makes errExists of the refusal of a guard.
func addError(err error) error {
	var refused *jetstream.APIError
	if errors.As(err, &refused) && (refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant) {
		return errExists
	}
	return err
}

func (s *stream) replace(ctx context.Context, v sealed) error {
	ack, err := s.js.Publish(ctx, v.subject, v.value, jetstream.WithExpectStream(Stream))
	if err != nil {
		return err
	}
	for {
		m, err := s.s.GetMsg(ctx, 1, jetstream.WithGetMsgSubject(v.subject))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			n, err := s.count(ctx, v.subject)
			if err == nil && n > 1 {
				err = errUnreadable
			}
			return err
		}
		if err != nil || m.Sequence >= ack.Sequence {
			return err
		}
		if err := s.overwrite(ctx, m); err != nil {
			return err
		}
	}
}

func (s *stream) get(ctx context.Context, subject string) (sealed, error) {
	m, err := s.last(ctx, subject)
	if m == nil || err != nil {
		return sealed{}, err
	}
	return sealed{m.Subject, m.Data}, nil
}

func (s *stream) erase(ctx context.Context, subject string) error {
	for {
		m, err := s.last(ctx, subject)
		if m == nil || err != nil {
			return err
		}
		if err := s.overwrite(ctx, m); err != nil {
			return err
		}
	}
}

// overwrite erases one message. That somebody else has done so already is no error.
func (s *stream) overwrite(ctx context.Context, m *jetstream.RawStreamMsg) error {
	err := s.s.SecureDeleteMsg(ctx, m.Sequence)
	if err == nil {
		return nil
	}
	if now, again := s.last(ctx, m.Subject); again == nil && (now == nil || now.Sequence != m.Sequence) {
		return nil
	}
	return err
}

// errUnreadable says that the server answers as though there were no value, and counts one.
var errUnreadable = errors.New("the server has a value and does not read it")

// last is the newest message of a subject, nil when there is none. A server that can't read its files, for want of a file
// descriptor say, answers as it does when there is no message; what it counts is in its memory. A key that is not read must
// not look like one that was destroyed, nor be left when it is to be.
func (s *stream) last(ctx context.Context, subject string) (*jetstream.RawStreamMsg, error) {
	for range 2 { // it may come in between
		m, err := s.s.GetLastMsgForSubject(ctx, subject)
		if !errors.Is(err, jetstream.ErrMsgNotFound) {
			return m, err
		}
		if n, err := s.count(ctx, subject); n == 0 || err != nil {
			return nil, err
		}
	}
	return nil, errUnreadable
}

// count is how many messages a subject has. The leader answers it.
func (s *stream) count(ctx context.Context, subject string) (n uint64, err error) {
	info, err := s.s.Info(ctx, jetstream.WithSubjectFilter(subject))
	if err != nil {
		return 0, err
	}
	for _, of := range info.State.Subjects {
		n += of
	}
	return n, nil
}
