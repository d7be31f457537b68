package jetstream

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

// message is one stored message of the log.
type message struct {
	seq     uint64
	subject string
	header  nats.Header
	data    []byte
}

// prev is the sequence of the message before this one on its subject.
func (m *message) prev() (uint64, error) {
	seq, err := strconv.ParseUint(m.header.Get(headerPrev), 10, 64)
	if err != nil || seq >= m.seq {
		return 0, fmt.Errorf("message %d says that %q came before it on %s", m.seq, m.header.Get(headerPrev), m.subject)
	}
	return seq, nil
}

// Load walks an aggregate back from its newest commit: the tail, then along Turno-Prev. See command.Log. A version beyond
// the tail is an error: it is none of this log's.
func (s *Store) Load(ctx context.Context, a domain.Aggregate, since domain.Version, stop func(*domain.Commit) bool) ([]domain.Commit, domain.Version, error) {
	if !a.Valid() {
		return nil, 0, fmt.Errorf("load %q: not a subject of the log", a)
	}
	if err := s.sure(ctx); err != nil {
		return nil, 0, wrap(ctx, "load "+a.String(), err)
	}
	commits, v, err := s.load(ctx, a, since, stop)
	if err != nil {
		return nil, 0, wrap(ctx, "load "+a.String(), err)
	}
	return commits, v, nil
}

func (s *Store) load(ctx context.Context, a domain.Aggregate, since domain.Version, stop func(*domain.Commit) bool) ([]domain.Commit, domain.Version, error) {
	subject := a.String()
	m, err := s.tail(ctx, subject)
	if errors.Is(err, projections.ErrNoCommit) && since == 0 {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	if m.seq < uint64(since) {
		return nil, 0, fmt.Errorf("it stands at %d, which is before version %d", m.seq, since)
	}
	version := domain.Version(m.seq)
	var commits []domain.Commit
	for m.seq > uint64(since) {
		c, err := s.commit(ctx, m, true)
		if err != nil {
			return nil, 0, err
		}
		commits = append(commits, c)
		if stop != nil && stop(&c) {
			break
		}
		prev, err := m.prev()
		if err != nil {
			return nil, 0, err
		}
		if prev < uint64(since) {
			return nil, 0, fmt.Errorf("version %d is none of its versions", since)
		}
		if prev == uint64(since) {
			break
		}
		if m, err = s.message(ctx, prev); err != nil {
			return nil, 0, err
		}
		if m.subject != subject {
			return nil, 0, fmt.Errorf("message %d, before %d, is of %s", prev, commits[len(commits)-1].Version, m.subject)
		}
	}
	slices.Reverse(commits)
	return commits, version, nil
}

// commit decodes a message.
func (s *Store) commit(ctx context.Context, m *message, open bool) (domain.Commit, error) {
	c, err := s.codec.Decode(ctx, m.data, open)
	if err != nil {
		return domain.Commit{}, fmt.Errorf("decode the commit at %d: %w", m.seq, err)
	}
	if !named(m.subject, c.Aggregate) {
		return domain.Commit{}, fmt.Errorf("the commit at %d is of %s, its subject is %s", m.seq, c.Aggregate, m.subject)
	}
	if c.Aggregate.Category == domain.CategoryLog {
		s.epochs.learn(c.Events)
	}
	prev, err := m.prev()
	if err != nil {
		return domain.Commit{}, err
	}
	c.Position, c.Version, c.Prev = s.epochs.position(m.seq), domain.Version(m.seq), s.epochs.position(prev)
	switch opened := m.header.Get(headerOpened); opened {
	case "":
	case openedHere:
		c.Opened = c.Position
	default:
		seq, err := strconv.ParseUint(opened, 10, 64)
		if err != nil || seq > m.seq {
			return domain.Commit{}, fmt.Errorf("the commit at %d says that it was opened at %q", m.seq, opened)
		}
		c.Opened = s.epochs.position(seq)
	}
	return c, nil
}

// named reports whether subject is a's, without making a string.
func named(subject string, a domain.Aggregate) bool {
	w, k := len(a.Workspace), len(a.Category)
	at := len(prefix)
	return len(subject) == at+w+1+k+1+len(a.ID) && subject[:at] == prefix &&
		subject[at:at+w] == a.Workspace && subject[at+w] == '.' &&
		subject[at+w+1:at+w+1+k] == string(a.Category) && subject[at+w+1+k] == '.' && subject[at+w+k+2:] == a.ID
}

// tail returns the newest message of a subject, which may hold wildcards, or projections.ErrNoCommit. It never answers less
// than what was acknowledged: where there are followers, the leader is asked, and believed while it is sure to be that.
func (s *Store) tail(ctx context.Context, subject string) (*message, error) {
	if s.replicas {
		return s.askLeader(ctx, lastRequest{Last: subject})
	}
	return s.direct(ctx, lastRequest{Last: subject})
}

func (s *Store) askLeader(ctx context.Context, r lastRequest) (m *message, err error) {
	none := false
	err = s.believed(ctx, func(ctx context.Context) error {
		m, err = s.ask(ctx, r)
		none = errors.Is(err, projections.ErrNoCommit)
		if none {
			return nil // an answer like another
		}
		return err
	})
	if err == nil && none {
		return nil, projections.ErrNoCommit
	}
	return m, err
}

// message returns the message at a sequence, or projections.ErrNoCommit. A follower that lags is no reason for the second.
func (s *Store) message(ctx context.Context, seq uint64) (*message, error) {
	m, err := s.direct(ctx, lastRequest{Seq: seq})
	if s.replicas && errors.Is(err, projections.ErrNoCommit) {
		return s.askLeader(ctx, lastRequest{Seq: seq})
	}
	return m, err
}

type lastRequest struct {
	Seq  uint64 `json:"seq,omitempty"`
	Last string `json:"last_by_subj,omitempty"`
}

// persist asks until somebody answers or the Store's timeout is over: while a stream has no leader, and while a connection
// is found again, nobody does. Reading twice does no harm.
func (s *Store) persist(ctx context.Context, subject string, body []byte) (*nats.Msg, error) {
	ctx, cancel := s.within(ctx)
	defer cancel()
	for {
		once, cancel := context.WithTimeout(ctx, s.opts.AckWait)
		msg, err := s.nc.RequestWithContext(once, subject, body)
		cancel()
		if err == nil || ctx.Err() != nil || s.nc.IsClosed() {
			return msg, err
		}
		if !errors.Is(err, nats.ErrNoResponders) && !errors.Is(err, nats.ErrReconnectBufExceeded) && !errors.Is(err, context.DeadlineExceeded) {
			return nil, err
		}
		s.pause(ctx, retryAfter)
	}
}

// direct reads by a direct get, which any replica answers.
func (s *Store) direct(ctx context.Context, r lastRequest) (*message, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	msg, err := s.persist(ctx, "$JS.API.DIRECT.GET."+StreamName, body)
	if err != nil {
		return nil, err
	}
	switch status := msg.Header.Get("Status"); status {
	case "":
	case "404":
		return nil, projections.ErrNoCommit
	default:
		return nil, fmt.Errorf("direct get: %s %s", status, msg.Header.Get("Description"))
	}
	m := &message{subject: msg.Header.Get(jetstream.SubjectHeader), header: msg.Header, data: msg.Data}
	if m.seq, err = strconv.ParseUint(msg.Header.Get(jetstream.SequenceHeader), 10, 64); err != nil {
		return nil, fmt.Errorf("direct get: sequence %q", msg.Header.Get(jetstream.SequenceHeader))
	}
	return m, nil
}

// ask reads from whoever leads to its own knowledge.
func (s *Store) ask(ctx context.Context, r lastRequest) (*message, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	msg, err := s.persist(ctx, "$JS.API.STREAM.MSG.GET."+StreamName, body)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Error   *jetstream.APIError `json:"error"`
		Message *struct {
			Subject string `json:"subject"`
			Seq     uint64 `json:"seq"`
			Header  string `json:"hdrs"`
			Data    []byte `json:"data"`
		} `json:"message"`
	}
	if err := json.Unmarshal(msg.Data, &answer); err != nil {
		return nil, fmt.Errorf("get a message: %w", err)
	}
	if answer.Error != nil {
		if answer.Error.ErrorCode == jetstream.JSErrCodeMessageNotFound {
			return nil, projections.ErrNoCommit
		}
		return nil, answer.Error
	}
	if answer.Message == nil {
		return nil, errors.New("get a message: an empty answer")
	}
	m := &message{seq: answer.Message.Seq, subject: answer.Message.Subject, data: answer.Message.Data}
	if answer.Message.Header != "" {
		raw, err := base64.StdEncoding.DecodeString(answer.Message.Header)
		if err != nil {
			return nil, fmt.Errorf("get message %d: %w", m.seq, err)
		}
		if m.header, err = nats.DecodeHeadersMsg(raw); err != nil {
			return nil, fmt.Errorf("get message %d: %w", m.seq, err)
		}
	}
	return m, nil
}
