package eventstoredb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
)

// write is one append on its way.
type write struct {
	event  esdb.EventData
	stream string
	id     string // of the command
	guard  domain.Version

	// uncertain is set once an attempt may have been stored without our knowing.
	uncertain bool
}

// expected is the revision that the stream must have.
func (w *write) expected() esdb.ExpectedRevision {
	if w.guard == 0 {
		return esdb.NoStream{}
	}
	return esdb.Revision(uint64(w.guard) - 1)
}

// Append adds c to its aggregate if that still stands at v. See command.Log. ErrConflict is certain: an expected revision
// that was passed can never hold again. ErrUnavailable means that nothing was stored; ErrUncertain that the answer did not
// come in time.
func (s *Store) Append(ctx context.Context, c domain.Commit, v domain.Version) (domain.Position, domain.Version, error) {
	if s.opts.ReadOnly {
		return 0, 0, fmt.Errorf("append to %s: the log is open for reading only: %w", c.Aggregate, command.ErrUnavailable)
	}
	data, err := s.encode(ctx, &c)
	if err != nil {
		return 0, 0, err
	}
	stream := s.name(c.Aggregate)
	doing := fmt.Sprintf("append to %s at %d", c.Aggregate, v)
	if err := ctx.Err(); err != nil {
		return 0, 0, fmt.Errorf("%s: %w", doing, err)
	}
	last, err := s.tailAt(ctx, stream, v)
	if err != nil {
		return 0, 0, wrap(ctx, doing, err)
	}
	if v > 0 && last.command == c.ID { // the server would take it for the next
		return last.position, v, nil
	}
	if v == 0 && indexed(c.Aggregate.Category) {
		if err := s.index(ctx, c.Aggregate); err != nil {
			return 0, 0, wrap(ctx, doing, err)
		}
	}
	m := beside{Prev: last.position, Opened: c.Opened, Command: c.ID}
	if opens(&c) {
		m.Opens, m.Opened = true, 0
	}
	meta, err := json.Marshal(m)
	if err != nil {
		return 0, 0, fmt.Errorf("%s: %w", doing, err)
	}
	w := &write{
		event:  esdb.EventData{EventID: eventID(c.ID + "\x00" + string(data)), EventType: commitType, ContentType: esdb.ContentTypeJson, Data: data, Metadata: meta},
		stream: stream, id: c.ID, guard: v,
	}
	p, err := s.publish(ctx, w)
	if err != nil {
		return 0, 0, fmt.Errorf("%s: %w", doing, err)
	}
	s.tails.Add(stream, tail{version: v + 1, position: p, command: c.ID})
	s.know(p)
	return p, v + 1, nil
}

// encode makes the data that will be sent, and refuses what is too large.
func (s *Store) encode(ctx context.Context, c *domain.Commit) ([]byte, error) {
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
	return data, nil
}

func tooLarge(detail string) error {
	return &domain.Refusal{Code: domain.CodeTooLarge, Detail: "The command holds " + detail + "."}
}

// tailAt returns the aggregate's commit at version v. Mostly it is remembered: who appends has loaded. ErrConflict when
// there is none.
func (s *Store) tailAt(ctx context.Context, stream string, v domain.Version) (tail, error) {
	if v == 0 {
		return tail{}, nil
	}
	if t, ok := s.tails.Get(stream); ok && t.version == v {
		return t, nil
	}
	e, err := s.at(ctx, stream, v)
	if err != nil {
		return tail{}, err
	}
	if e == nil {
		return tail{}, command.ErrConflict
	}
	return tailOf(e)
}

// at returns the event that made the stream's version v, nil when there is none.
func (s *Store) at(ctx context.Context, stream string, v domain.Version) (*esdb.RecordedEvent, error) {
	if uint64(v) > 1<<62 {
		return nil, nil
	}
	return persist(ctx, s, func(ctx context.Context, c *esdb.Client) (*esdb.RecordedEvent, error) {
		var found *esdb.RecordedEvent
		o := esdb.ReadStreamOptions{Direction: esdb.Forwards, From: esdb.Revision(uint64(v) - 1)}
		err := s.stream(ctx, c, stream, o, 1, func(e *esdb.RecordedEvent) bool {
			if e.EventNumber == uint64(v)-1 {
				found = e
			}
			return false
		})
		return found, err
	})
}

func tailOf(e *esdb.RecordedEvent) (tail, error) {
	p, err := position(e)
	if err != nil {
		return tail{}, err
	}
	m, err := readMetadata(e)
	return tail{version: domain.Version(e.EventNumber) + 1, position: p, command: m.Command}, err
}

// publish sends w until its outcome is known or the Store's timeout is over, and returns the position it has.
func (s *Store) publish(ctx context.Context, w *write) (domain.Position, error) {
	bounded, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	var last error
	for attempt := 0; ; attempt++ {
		if attempt > 0 && (bounded.Err() != nil || s.line.alive.Err() != nil) {
			if err := ctx.Err(); err != nil {
				last = err
			}
			return 0, w.unknown(last)
		}
		if w.uncertain {
			p, moved, err := s.find(bounded, w)
			switch {
			case err != nil:
				last = err
				pause(bounded, retryAfter)
				continue
			case p != 0:
				return p, nil
			case moved:
				return 0, command.ErrConflict
			}
		}
		p, err := s.send(bounded, w)
		switch {
		case err == nil && p != 0:
			return p, nil
		case err == nil: // older servers do not say where the first of two equal appends is
			w.uncertain = true
			continue
		case is(err, esdb.ErrorCodeWrongExpectedVersion):
			if !w.uncertain {
				return 0, command.ErrConflict
			}
			// An earlier attempt may be what moved it: the stream tells.
		case errors.Is(err, errNoSession), is(err, esdb.ErrorCodeNotLeader):
			// Nobody took it.
		case oversized(err):
			return 0, tooLarge(fmt.Sprintf("%d bytes at once, the server takes fewer", len(w.event.Data)))
		case refused(err):
			return 0, w.fail(err)
		default:
			w.uncertain = true
		}
		last = err
		pause(bounded, retryAfter)
	}
}

// refused reports whether the server has said no for good.
func refused(err error) bool {
	for _, code := range []esdb.ErrorCode{
		esdb.ErrorCodeUnauthenticated, esdb.ErrorCodeAccessDenied, esdb.ErrorCodeStreamDeleted, esdb.ErrorCodeUnsupportedFeature,
	} {
		if is(err, code) {
			return true
		}
	}
	return errors.Is(err, errDeleted)
}

// errDeleted says that somebody deleted what a log never loses.
var errDeleted = errors.New("the stream was deleted, or truncated")

// unknown is the answer when the time is over.
func (w *write) unknown(err error) error {
	if w.uncertain {
		return fmt.Errorf("%w: %w", command.ErrUncertain, err)
	}
	return fmt.Errorf("%w: %w", command.ErrUnavailable, err)
}

// fail is the answer to an attempt that stored nothing: an earlier one may have.
func (w *write) fail(err error) error {
	if w.uncertain {
		return fmt.Errorf("%w: %w", command.ErrUncertain, err)
	}
	return err
}

// send appends once and waits for the answer. The position is 0 when the server does not tell it.
func (s *Store) send(ctx context.Context, w *write) (domain.Position, error) {
	ctx, cancel := context.WithTimeout(ctx, s.opts.AckWait)
	defer cancel()
	expected, stream, event := w.expected(), w.stream, w.event
	result, err := call(ctx, s.line, func(ctx context.Context, c *esdb.Client) (*esdb.WriteResult, error) {
		return c.AppendToStream(ctx, stream, esdb.AppendToStreamOptions{ExpectedRevision: expected, RequiresLeader: true}, event)
	})
	if err != nil {
		return 0, err
	}
	if result.NextExpectedVersion != uint64(w.guard) {
		// A deleted stream goes on counting where it was.
		return 0, fmt.Errorf("%w: commit %d of %s became its %d", errDeleted, w.guard, stream, result.NextExpectedVersion)
	}
	if result.CommitPosition > maxPosition {
		return 0, nil
	}
	return domain.Position(result.CommitPosition), nil
}

// find looks for w where it must be if it was stored: at the revision behind its guard. moved says that another commit is
// there: then w can't be stored any more.
func (s *Store) find(ctx context.Context, w *write) (p domain.Position, moved bool, err error) {
	e, err := s.at(ctx, w.stream, w.guard+1)
	if err != nil || e == nil {
		return 0, false, err
	}
	if e.EventID != w.event.EventID {
		return 0, true, nil
	}
	p, err = position(e)
	return p, true, err
}
