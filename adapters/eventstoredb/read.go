package eventstoredb

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

const (
	// chunk is how many commits Read delivers at once when it is not told.
	chunk = 500

	// ahead is how many events are fetched before they can be decoded.
	ahead = 1024
)

// Head is the position of the newest commit: $all is read back from its end to the first event that is one. In a database of
// Turno's own that is mostly the last; foreign events behind it cost their reading, once.
func (s *Store) Head(ctx context.Context) (domain.Position, error) {
	p, err := s.head(ctx)
	return p, wrap(ctx, "find the head of the log", err)
}

func (s *Store) head(ctx context.Context) (domain.Position, error) {
	type found struct {
		head domain.Position
		last esdb.Position
		n    uint64
		err  error
	}
	var from esdb.AllPosition = esdb.End{}
	for page := uint64(1); ; page = min(8*page, most) {
		f, err := persist(ctx, s, func(ctx context.Context, c *esdb.Client) (f found, err error) {
			known := s.newest.Load()
			err = all(ctx, c, esdb.ReadAllOptions{Direction: esdb.Backwards, From: from}, page, func(e *esdb.RecordedEvent) bool {
				f.n, f.last = f.n+1, e.Position
				switch {
				case s.ours(e):
					f.head, f.err = position(e)
				case e.Position.Commit <= known: // all between is not ours
					f.head = domain.Position(known)
				}
				return f.head == 0 && f.err == nil
			})
			return f, err
		})
		if err != nil || f.err != nil {
			return 0, errors.Join(err, f.err)
		}
		if f.head > 0 {
			s.know(f.head)
			return f.head, nil
		}
		if f.n < page {
			return 0, nil
		}
		from = f.last
	}
}

// At returns the commit at a position, sealed. The error is projections.ErrNoCommit where this log has none.
func (s *Store) At(ctx context.Context, p domain.Position) (domain.Commit, error) {
	doing := fmt.Sprintf("read the commit at %d", p)
	head, err := s.head(ctx)
	if err != nil {
		return domain.Commit{}, wrap(ctx, doing, err)
	}
	if p == 0 || p > head {
		return domain.Commit{}, fmt.Errorf("%s: %w", doing, projections.ErrNoCommit)
	}
	e, doubt, err := s.exactly(ctx, p)
	if err == nil && doubt != nil {
		e, err = s.search(ctx, p)
	}
	if err != nil {
		return domain.Commit{}, wrap(ctx, doing, err)
	}
	if e == nil {
		return domain.Commit{}, fmt.Errorf("%s: %w", doing, projections.ErrNoCommit)
	}
	c, err := s.commit(ctx, e, false)
	return c, wrap(ctx, doing, err)
}

// search finds the event at a position that is not beyond the head by reading up to it.
func (s *Store) search(ctx context.Context, p domain.Position) (found *esdb.RecordedEvent, err error) {
	err = s.feed(ctx, p-1, func(e *esdb.RecordedEvent) bool {
		if e.Position.Commit == uint64(p) {
			found = e
		}
		return false
	})
	return found, err
}

// Read delivers the log in order. See projections.Source. It outlives restarts of the server and of the connection; what it
// finds there must be the same log, and hold all that was delivered.
func (s *Store) Read(ctx context.Context, after domain.Position, o projections.ReadOptions, fn func([]domain.Commit) error) error {
	if o.Max <= 0 {
		o.Max = chunk
	}
	head, err := s.start(ctx, after)
	if err != nil {
		return wrap(ctx, "read the log", err)
	}
	if o.ToHead && after >= head {
		return nil
	}
	reading, cancel := context.WithCancel(ctx)
	p := pipeline{store: s, max: o.Max, open: o.Open, last: after, raw: make(chan item, ahead), ready: make(chan struct{}, 1), taken: make(chan struct{}, 1)}
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() { p.fetch(reading, after) })
	running.Go(func() { p.decode(reading) })
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.ready:
		}
		commits, failed := p.take()
		ended := false
		for o.ToHead && len(commits) > 0 && commits[len(commits)-1].Position >= head {
			ended = true
			if commits[len(commits)-1].Position == head {
				break
			}
			commits = commits[:len(commits)-1]
		}
		if len(commits) > 0 {
			if err := fn(commits); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if ended {
			return nil
		}
		if failed != nil {
			return wrap(ctx, "read the log", failed)
		}
	}
}

// start returns the head, or projections.ErrAhead when a position is beyond it.
func (s *Store) start(ctx context.Context, after domain.Position) (domain.Position, error) {
	head, err := s.head(ctx)
	if err == nil && after > head {
		err = fmt.Errorf("position %d of a log that ends at %d: %w", after, head, projections.ErrAhead)
	}
	return head, err
}

// item is an event on its way, or why there will be no more.
type item struct {
	event *esdb.RecordedEvent
	err   error
}

// pipeline fetches and decodes ahead of whoever digests. The slower that is, the more it gets at once: at the head the server
// sends one commit at a time.
type pipeline struct {
	store *Store
	max   int
	open  bool
	last  domain.Position // the newest that was decoded; only decode's
	raw   chan item
	ready chan struct{} // something can be taken
	taken chan struct{} // something was

	mu      sync.Mutex
	commits []domain.Commit
	err     error // after the commits
}

// fetch works until ctx ends or the log itself is at fault.
func (p *pipeline) fetch(ctx context.Context, after domain.Position) {
	err := p.store.feed(ctx, after, func(e *esdb.RecordedEvent) bool {
		select {
		case p.raw <- item{event: e}:
			return true
		case <-ctx.Done():
			return false
		}
	})
	if err == nil || ctx.Err() != nil {
		return
	}
	select {
	case p.raw <- item{err: err}:
	case <-ctx.Done():
	}
}

// decode works until ctx ends or something failed.
func (p *pipeline) decode(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case i := <-p.raw:
			commits, err := p.batch(ctx, i)
			for !p.add(commits, err) {
				select {
				case <-ctx.Done():
					return
				case <-p.taken:
				}
			}
			signal(p.ready)
			if err != nil {
				return
			}
		}
	}
}

// batch decodes an item and those that wait behind it.
func (p *pipeline) batch(ctx context.Context, i item) (commits []domain.Commit, err error) {
	for {
		if i.err != nil {
			return commits, i.err
		}
		c, err := p.store.commit(ctx, i.event, p.open)
		if err != nil {
			return commits, err
		}
		p.store.marks.note(p.last, c.Position, c.Recorded)
		p.last = c.Position
		commits = append(commits, c)
		if len(commits) >= min(p.max, chunk) {
			return commits, nil
		}
		select {
		case i = <-p.raw:
		default:
			return commits, nil
		}
	}
}

// add joins commits to what waits, unless the two are more than may be delivered at once.
func (p *pipeline) add(commits []domain.Commit, err error) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.commits) > 0 && len(p.commits)+len(commits) > p.max {
		return false
	}
	p.commits, p.err = append(p.commits, commits...), err
	return true
}

func (p *pipeline) take() ([]domain.Commit, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	commits := p.commits
	p.commits = nil
	signal(p.taken)
	return commits, p.err
}

// signal leaves word in a channel that holds one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
