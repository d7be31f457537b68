package eventstoredb

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"golang.org/x/sync/errgroup"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
)

const (
	// parallel is how many streams are asked for their last event at the same time.
	parallel = 16

	// catchUp is how many bytes of log are read to learn what is newest of a kind, before every stream is asked instead.
	catchUp = 4 << 20
)

// kind is a category of a workspace.
type kind struct {
	workspace string
	category  domain.Category
}

// prefix is that of the kind's streams.
func (k kind) prefix() string { return prefix + k.workspace + "." + string(k.category) + "." }

// index is the stream that names the kind's streams.
func (k kind) index() string { return indexPrefix + k.workspace + "." + string(k.category) }

// indexed reports whether the aggregates of a category can be listed. They are few, and needed all at once.
func indexed(c domain.Category) bool { return slices.Contains(setting.Categories(), c) }

// entry is what the index says of an aggregate.
type entry struct {
	Aggregate string `json:"aggregate"`
}

// index names an aggregate that is about to have its first commit. Twice does no harm.
func (s *Store) index(ctx context.Context, a domain.Aggregate) error {
	data, err := json.Marshal(entry{Aggregate: a.String()})
	if err != nil {
		return err
	}
	event := esdb.EventData{EventID: eventID(a.String()), EventType: indexType, ContentType: esdb.ContentTypeJson, Data: data}
	stream := s.opts.Within + kind{a.Workspace, a.Category}.index()
	_, err = persist(ctx, s, func(ctx context.Context, c *esdb.Client) (*esdb.WriteResult, error) {
		return c.AppendToStream(ctx, stream, esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}, RequiresLeader: true}, event)
	})
	if err != nil {
		return fmt.Errorf("index it: %w", err)
	}
	return nil
}

// names lists the streams of a kind.
func (s *Store) names(ctx context.Context, k kind) ([]string, error) {
	var names []string
	known := map[string]bool{}
	for next := uint64(0); ; {
		page, err := persist(ctx, s, func(ctx context.Context, c *esdb.Client) (page []*esdb.RecordedEvent, err error) {
			o := esdb.ReadStreamOptions{Direction: esdb.Forwards, From: esdb.Revision(next)}
			err = s.stream(ctx, c, s.opts.Within+k.index(), o, most, func(e *esdb.RecordedEvent) bool {
				page = append(page, e)
				return true
			})
			return page, err
		})
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			var i entry
			if err := json.Unmarshal(e.Data, &i); err != nil || !strings.HasPrefix(i.Aggregate, k.prefix()) {
				return nil, fmt.Errorf("entry %d of %s can't be read", e.EventNumber, e.StreamID)
			}
			if !known[i.Aggregate] {
				known[i.Aggregate] = true
				names = append(names, s.opts.Within+i.Aggregate)
			}
			next = e.EventNumber + 1
		}
		if len(page) < most {
			return names, nil
		}
	}
}

// lasts returns the last event of every aggregate of the categories, by position.
func (s *Store) lasts(ctx context.Context, workspace string, categories []domain.Category) ([]*esdb.RecordedEvent, error) {
	if err := allIndexed(workspace, categories); err != nil {
		return nil, err
	}
	var streams []string
	for _, c := range categories {
		names, err := s.names(ctx, kind{workspace, c})
		if err != nil {
			return nil, err
		}
		streams = append(streams, names...)
	}
	var mu sync.Mutex
	var events []*esdb.RecordedEvent
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, stream := range streams {
		group.Go(func() error {
			last, err := s.last(inner, stream)
			if err != nil || last == nil { // an entry whose commit never came
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			events = append(events, last)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	slices.SortFunc(events, func(a, b *esdb.RecordedEvent) int {
		if a.Position.Commit < b.Position.Commit {
			return -1
		}
		return 1
	})
	return events, nil
}

// last returns a stream's last event, nil when it has none.
func (s *Store) last(ctx context.Context, stream string) (*esdb.RecordedEvent, error) {
	return persist(ctx, s, func(ctx context.Context, c *esdb.Client) (last *esdb.RecordedEvent, err error) {
		o := esdb.ReadStreamOptions{Direction: esdb.Backwards, From: esdb.End{}}
		err = s.stream(ctx, c, stream, o, 1, func(e *esdb.RecordedEvent) bool {
			last = e
			return false
		})
		return last, err
	})
}

// kinds remembers the newest commit of each kind that was asked for.
type kinds struct {
	turn sync.Mutex // one reader at a time
	mu   sync.Mutex
	of   map[kind]newest
}

// newest is the newest commit of a kind among all up to a position; 0 when there is none.
type newest struct {
	position domain.Position
	upTo     domain.Position
}

func (k *kinds) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.of = nil
}

func (k *kinds) get(one kind) (newest, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	n, ok := k.of[one]
	return n, ok
}

func (k *kinds) put(one kind, n newest) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.of == nil {
		k.of = map[kind]newest{}
	}
	k.of[one] = n
}

// all lists what is remembered.
func (k *kinds) all() map[kind]newest {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := make(map[kind]newest, len(k.of))
	for one, n := range k.of {
		out[one] = n
	}
	return out
}

// newestOf is the position of the newest commit of a kind that is not beyond head.
func (s *Store) newestOf(ctx context.Context, k kind, head domain.Position) (domain.Position, error) {
	s.kinds.turn.Lock()
	defer s.kinds.turn.Unlock()
	n, ok := s.kinds.get(k)
	switch {
	case ok && n.upTo >= head:
		return n.position, nil
	case ok && head-n.upTo <= catchUp:
		if err := s.advance(ctx, n.upTo, head); err != nil {
			return 0, err
		}
		n, _ = s.kinds.get(k)
		return n.position, nil
	}
	events, err := s.lasts(ctx, k.workspace, []domain.Category{k.category})
	if err != nil {
		return 0, err
	}
	n = newest{upTo: head}
	if len(events) > 0 {
		if n.position, err = position(events[len(events)-1]); err != nil {
			return 0, err
		}
		n.upTo = max(n.upTo, n.position)
	}
	s.kinds.put(k, n)
	return n.position, nil
}

// advance reads what lies between two positions, for all kinds that are remembered up to the first of them or further.
func (s *Store) advance(ctx context.Context, from, head domain.Position) error {
	found := map[kind]domain.Position{}
	known := s.kinds.all()
	for at := from; at < head; {
		type page struct {
			last  uint64
			n     int
			found map[kind]domain.Position
		}
		got, err := persist(ctx, s, func(ctx context.Context, c *esdb.Client) (p page, err error) {
			p.found = map[kind]domain.Position{}
			err = all(ctx, c, esdb.ReadAllOptions{Direction: esdb.Forwards, From: exact(at)}, most, func(e *esdb.RecordedEvent) bool {
				p.last, p.n = e.Position.Commit, p.n+1
				for k := range known {
					if s.ours(e) && strings.HasPrefix(e.StreamID, s.opts.Within+k.prefix()) {
						p.found[k] = domain.Position(e.Position.Commit)
					}
				}
				return e.Position.Commit < uint64(head)
			})
			return p, err
		})
		if err != nil {
			return err
		}
		for k, p := range got.found {
			found[k] = max(found[k], p)
		}
		if got.n < most || domain.Position(got.last) <= at {
			break
		}
		at = domain.Position(got.last)
	}
	for k, n := range known {
		if now, ok := s.kinds.get(k); ok && now == n && n.upTo >= from { // nothing was forgotten meanwhile
			s.kinds.put(k, newest{position: max(n.position, found[k]), upTo: max(n.upTo, head)})
		}
	}
	return nil
}
