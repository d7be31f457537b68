package eventstoredb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

// beside is what travels beside the codec's data.
type beside struct {
	Prev    domain.Position `json:"prev,omitempty"`
	Opened  domain.Position `json:"opened,omitempty"`
	Opens   bool            `json:"opens,omitempty"`
	Command string          `json:"command"`
}

// tail is what the next append needs of an aggregate's newest commit.
type tail struct {
	version  domain.Version
	position domain.Position
	command  string
}

// eventID derives an event's id, so that the server takes the same append for the same. A commit's is made of its command's
// id and of what it says: another attempt at the same command is another append.
func eventID(name string) uuid.UUID { return uuid.NewSHA1(names, []byte(name)) }

func opens(c *domain.Commit) bool {
	for _, e := range c.Events {
		if _, ok := e.(thread.Opened); ok {
			return true
		}
	}
	return false
}

// position is where an event is in $all.
func position(e *esdb.RecordedEvent) (domain.Position, error) {
	if e.Position.Commit == 0 || e.Position.Commit > maxPosition {
		return 0, fmt.Errorf("event %d of %s is at %d, which is no position", e.EventNumber, e.StreamID, e.Position.Commit)
	}
	return domain.Position(e.Position.Commit), nil
}

func readMetadata(e *esdb.RecordedEvent) (m beside, err error) {
	if err := json.Unmarshal(e.UserMetadata, &m); err != nil {
		return m, fmt.Errorf("metadata of event %d of %s: %w", e.EventNumber, e.StreamID, err)
	}
	return m, nil
}

// commit decodes an event.
func (s *Store) commit(ctx context.Context, e *esdb.RecordedEvent, open bool) (domain.Commit, error) {
	p, err := position(e)
	if err != nil {
		return domain.Commit{}, err
	}
	if !s.ours(e) {
		return domain.Commit{}, fmt.Errorf("event %d of %s is a %s, no commit", e.EventNumber, e.StreamID, e.EventType)
	}
	m, err := readMetadata(e)
	if err != nil {
		return domain.Commit{}, err
	}
	c, err := s.codec.Decode(ctx, e.Data, open)
	if err != nil {
		return domain.Commit{}, fmt.Errorf("decode the commit at %d: %w", p, err)
	}
	if s.name(c.Aggregate) != e.StreamID {
		return domain.Commit{}, fmt.Errorf("the commit at %d is of %s, its stream is %s", p, c.Aggregate, e.StreamID)
	}
	if m.Prev >= p || m.Opened > p || (m.Prev == 0) != (e.EventNumber == 0) {
		return domain.Commit{}, fmt.Errorf("commit %d of %s, at %d, says that it came after %d and was opened at %d", e.EventNumber, e.StreamID, p, m.Prev, m.Opened)
	}
	c.Position, c.Version, c.Prev, c.Opened = p, domain.Version(e.EventNumber)+1, m.Prev, m.Opened
	if m.Opens {
		c.Opened = p
	}
	return c, nil
}

// most is how many events one read asks for at most; whoever needs more asks again.
const most = 4096

// stream reads at most count events of a stream until take returns false. A stream that does not exist has none.
func (s *Store) stream(ctx context.Context, c *esdb.Client, name string, o esdb.ReadStreamOptions, count uint64, take func(*esdb.RecordedEvent) bool) error {
	o.RequiresLeader = true
	events, err := c.ReadStream(ctx, name, o, count)
	if err != nil {
		return err
	}
	err = each(events, count, take)
	if is(err, esdb.ErrorCodeResourceNotFound) {
		return nil
	}
	return err
}

// all reads at most count events of $all until take returns false.
func all(ctx context.Context, c *esdb.Client, o esdb.ReadAllOptions, count uint64, take func(*esdb.RecordedEvent) bool) error {
	o.RequiresLeader = true
	events, err := c.ReadAll(ctx, o, count)
	if err != nil {
		return err
	}
	return each(events, count, take)
}

// each takes events until take returns false or there are no more. A read that has delivered all that it was asked for ends by
// itself: to break it off would be a reset of its HTTP stream, of which servers tolerate only so many.
func each(events *esdb.ReadStream, count uint64, take func(*esdb.RecordedEvent) bool) error {
	defer events.Close()
	for n := uint64(1); ; n++ {
		e, err := events.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		// A link whose event was deleted has none; it is none of ours.
		if e.Event == nil || take(e.Event) {
			continue
		}
		if n == count {
			_, _ = guarded(events.Recv) // the end
		}
		return nil
	}
}
