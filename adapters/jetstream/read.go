package jetstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

const (
	// chunk is how many commits Read delivers at once when it is not told.
	chunk = 500

	// decoders is how many chunks are decoded at the same time, and waiting how many more may be ready or in work.
	decoders = 2
	waiting  = 4

	// again is how long a feed that broke off waits before the next try.
	again = 200 * time.Millisecond
)

// Head is the newest position of the log: that of the leader.
func (s *Store) Head(ctx context.Context) (domain.Position, error) {
	seq, err := s.head(ctx)
	return s.epochs.position(seq), wrap(ctx, "find the head of the log", err)
}

func (s *Store) head(ctx context.Context) (uint64, error) {
	if err := s.sure(ctx); err != nil {
		return 0, err
	}
	var head uint64
	err := s.believed(ctx, func(ctx context.Context) error {
		info, _, err := s.info(ctx)
		head = info.State.LastSeq
		return err
	})
	return head, err
}

// At returns the commit at a position, sealed. The error is projections.ErrNoCommit where this log has none: beyond its head,
// or off it since a restore.
func (s *Store) At(ctx context.Context, p domain.Position) (domain.Commit, error) {
	doing := fmt.Sprintf("read the commit at %d", p)
	if err := s.sure(ctx); err != nil {
		return domain.Commit{}, wrap(ctx, doing, err)
	}
	seq, ok := s.epochs.sequence(p)
	if !ok || seq == 0 {
		return domain.Commit{}, fmt.Errorf("%s: %w", doing, projections.ErrNoCommit)
	}
	m, err := s.message(ctx, seq)
	if err != nil {
		return domain.Commit{}, wrap(ctx, doing, err)
	}
	c, err := s.commit(ctx, m, false)
	return c, wrap(ctx, doing, err)
}

// Read delivers the log in order. See projections.Source. It outlives restarts of the server and of the connection; what it
// finds there must be the same log, and hold all that was delivered.
func (s *Store) Read(ctx context.Context, after domain.Position, o projections.ReadOptions, fn func([]domain.Commit) error) error {
	if o.Max <= 0 {
		o.Max = chunk
	}
	from, head, err := s.start(ctx, after)
	if err != nil {
		return wrap(ctx, "read the log", err)
	}
	if o.ToHead && from > head {
		return nil
	}
	reading, cancel := context.WithCancel(ctx)
	p := pipeline{todo: make(chan *job, waiting), ordered: make(chan *job, waiting)}
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	for range decoders {
		running.Go(func() { p.decode(reading, s, o.Open) })
	}
	running.Go(func() { p.fetch(reading, s, from, o.Max) })

	g := gathering{max: o.Max, ready: make(chan struct{}, 1), taken: make(chan struct{}, 1)}
	running.Go(func() { g.gather(reading, p.ordered) })

	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-g.ready:
		}
		commits, last, failed := g.take()
		if o.ToHead {
			commits = upTo(commits, head)
		}
		if len(commits) > 0 {
			if err := fn(commits); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if failed != nil {
			return wrap(ctx, "read the log", failed)
		}
		if o.ToHead && last >= head {
			return nil
		}
	}
}

// upTo cuts off what lies beyond the head.
func upTo(commits []domain.Commit, head uint64) []domain.Commit {
	for len(commits) > 0 && uint64(commits[len(commits)-1].Version) > head {
		commits = commits[:len(commits)-1]
	}
	return commits
}

// start returns the sequence behind a position and that of the head, or projections.ErrAhead when the position is not on
// this log.
func (s *Store) start(ctx context.Context, after domain.Position) (from, head uint64, err error) {
	head, err = s.head(ctx)
	if err != nil {
		return 0, 0, err
	}
	seq, ok := s.epochs.sequence(after)
	if seq > head {
		return 0, 0, fmt.Errorf("position %d of a log that ends at %d: %w", after, s.epochs.position(head), projections.ErrAhead)
	}
	if !ok {
		return 0, 0, fmt.Errorf("position %d is off the log, which was restored from an older copy: %w", after, projections.ErrAhead)
	}
	return seq + 1, head, nil
}

// pipeline fetches and decodes ahead of whoever digests. Jobs are worked on in parallel and handed over in order.
type pipeline struct {
	todo    chan *job
	ordered chan *job
}

// job is one chunk on its way.
type job struct {
	messages []*message
	last     uint64 // sequence of the newest
	commits  []domain.Commit
	err      error
	done     chan struct{}
}

// gathering joins the chunks that are decoded while fn is at work, so that the slower fn is, the more it gets at once: at
// the head the server sends one commit at a time.
type gathering struct {
	max   int
	ready chan struct{} // something can be taken
	taken chan struct{} // something was

	mu      sync.Mutex
	commits []domain.Commit
	last    uint64 // sequence of the newest
	err     error  // after the commits
}

// gather works until ctx ends or a job failed.
func (g *gathering) gather(ctx context.Context, ordered <-chan *job) {
	for {
		var j *job
		select {
		case <-ctx.Done():
			return
		case j = <-ordered:
		}
		select {
		case <-ctx.Done():
			return
		case <-j.done:
		}
		for !g.add(j) {
			select {
			case <-ctx.Done():
				return
			case <-g.taken:
			}
		}
		signal(g.ready)
		if j.err != nil {
			return
		}
	}
}

// add joins a job to what waits, unless the two are more than may be delivered at once.
func (g *gathering) add(j *job) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.commits) > 0 && len(g.commits)+len(j.commits) > g.max {
		return false
	}
	if len(g.commits) == 0 {
		g.commits = j.commits
	} else {
		g.commits = append(g.commits, j.commits...)
	}
	if j.last > g.last {
		g.last = j.last
	}
	g.err = j.err
	return true
}

func (g *gathering) take() (commits []domain.Commit, last uint64, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	commits, g.commits = g.commits, nil
	signal(g.taken)
	return commits, g.last, g.err
}

// signal leaves word in a channel that holds one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// decode works until ctx ends.
func (p *pipeline) decode(ctx context.Context, s *Store, open bool) {
	for {
		select {
		case <-ctx.Done():
			return
		case j := <-p.todo:
			j.commits = make([]domain.Commit, 0, len(j.messages))
			for _, m := range j.messages {
				c, err := s.commit(ctx, m, open)
				if err != nil {
					j.err = err
					break
				}
				j.commits = append(j.commits, c)
			}
			j.messages = nil
			close(j.done)
		}
	}
}

// fetch feeds the pipeline from a sequence on until ctx ends or the log itself is at fault, which is the last job.
func (p *pipeline) fetch(ctx context.Context, s *Store, from uint64, limit int, filters ...string) {
	for {
		f := &feed{from: from, max: limit, filters: filters, deliver: func(messages []*message, _ uint64) bool {
			j := &job{messages: messages, last: messages[len(messages)-1].seq, done: make(chan struct{})}
			for _, c := range []chan *job{p.ordered, p.todo} {
				select {
				case c <- j:
				case <-ctx.Done():
					return false
				}
			}
			return true
		}}
		err := f.run(ctx, s)
		from = f.next
		if ctx.Err() == nil && errors.Is(err, errBroken) {
			s.log.Warn("reading broke off: " + err.Error())
			s.pause(ctx, again)
			err = s.resume(ctx, from-1)
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			j := &job{err: err, done: make(chan struct{})}
			close(j.done)
			select {
			case p.ordered <- j:
			case <-ctx.Done():
			}
			return
		}
	}
}

// resume waits until the log can be reached again, and checks that it still holds what was read of it.
func (s *Store) resume(ctx context.Context, seen uint64) error {
	p := s.epochs.position(seen)
	for {
		_, _, err := s.start(ctx, p)
		if ctx.Err() != nil || err == nil {
			return ctx.Err()
		}
		if !unreachable(err) && !errors.Is(err, command.ErrUnavailable) || s.nc.IsClosed() {
			return err
		}
		s.pause(ctx, again)
	}
}
