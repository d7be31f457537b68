package eventstoredb

import (
	"context"
	"fmt"
	"slices"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/turno-desk/turno/domain"
)

// firstPage is how many commits a load asks for at first. A walk back ends mostly at the opening of a conversation.
const firstPage = 32

// Load reads an aggregate's stream back from its end. See command.Log. A version beyond the end is an error: it is none of
// this log's.
func (s *Store) Load(ctx context.Context, a domain.Aggregate, since domain.Version, stop func(*domain.Commit) bool) ([]domain.Commit, domain.Version, error) {
	if !a.Valid() {
		return nil, 0, fmt.Errorf("load %q: not a subject of the log", a)
	}
	w := walk{store: s, stream: s.name(a), since: since, stop: stop}
	if err := w.run(ctx); err != nil {
		return nil, 0, wrap(ctx, "load "+a.String(), err)
	}
	slices.Reverse(w.commits)
	return w.commits, w.version, nil
}

// walk is one load.
type walk struct {
	store  *Store
	stream string
	since  domain.Version
	stop   func(*domain.Commit) bool

	version domain.Version  // of the newest
	commits []domain.Commit // newest first
}

func (w *walk) run(ctx context.Context) error {
	page := uint64(firstPage)
	if w.since > 0 {
		page = 2 // mostly there is nothing new
	}
	var from esdb.StreamPosition = esdb.End{}
	for {
		events, err := w.page(ctx, from, page)
		if err != nil {
			return err
		}
		done, err := w.take(ctx, events)
		if done || err != nil {
			return err
		}
		if uint64(len(events)) < page {
			return w.ended()
		}
		from, page = esdb.Revision(events[len(events)-1].EventNumber-1), min(8*page, most)
	}
}

// page reads count events backwards.
func (w *walk) page(ctx context.Context, from esdb.StreamPosition, count uint64) ([]*esdb.RecordedEvent, error) {
	return persist(ctx, w.store, func(ctx context.Context, c *esdb.Client) (events []*esdb.RecordedEvent, err error) {
		o := esdb.ReadStreamOptions{Direction: esdb.Backwards, From: from}
		err = w.store.stream(ctx, c, w.stream, o, count, func(e *esdb.RecordedEvent) bool {
			events = append(events, e)
			return uint64(len(events)) < count
		})
		return events, err
	})
}

// take decodes a page. done says that the walk goes no further.
func (w *walk) take(ctx context.Context, events []*esdb.RecordedEvent) (done bool, err error) {
	for _, e := range events {
		v := domain.Version(e.EventNumber) + 1
		if w.version == 0 {
			w.version = v
			t, err := tailOf(e)
			if err != nil {
				return false, err
			}
			w.store.tails.Add(w.stream, t)
			w.store.know(t.position)
		}
		if v < w.since && len(w.commits) == 0 {
			return false, fmt.Errorf("it stands at %d, which is before version %d", v, w.since)
		}
		if v <= w.since {
			return true, nil
		}
		c, err := w.store.commit(ctx, e, true)
		if err != nil {
			return false, err
		}
		if n := len(w.commits); n > 0 && (w.commits[n-1].Version != v+1 || w.commits[n-1].Prev != c.Position) {
			return false, fmt.Errorf("%w: commit %d, at %d, comes before commit %d, which came after %d",
				errDeleted, v, c.Position, w.commits[n-1].Version, w.commits[n-1].Prev)
		}
		w.commits = append(w.commits, c)
		if w.stop != nil && w.stop(&c) || v == 1 {
			return true, nil
		}
	}
	return false, nil
}

// ended says whether the stream may end where it did.
func (w *walk) ended() error {
	if w.version == 0 && w.since == 0 {
		return nil
	}
	if n := len(w.commits); n > 0 && w.commits[n-1].Prev != 0 {
		return fmt.Errorf("%w: there is nothing before version %d", errDeleted, w.commits[n-1].Version)
	}
	return fmt.Errorf("it stands at %d, which is before version %d", w.version, w.since)
}
