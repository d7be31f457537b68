package projections

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/turno-desk/turno/domain"
)

// Shared is a Source for several readers of one process who are all near the head: the log is read and decoded once for
// all of them. Who is further behind reads for itself until it has caught up. It delivers with personal fields open, also to
// those who did not ask for it: don't give it to anybody who must not see them.
type Shared struct {
	Source

	mu    sync.Mutex
	kept  []domain.Commit // the newest commits, in order
	from  domain.Position // the position before the first of them
	upTo  domain.Position // that of the last; from when there are none
	alive bool            // between the start of a reading and its end
	ended error           // why the last reading ended
	turns int             // readings so far
	moved chan struct{}   // closed, and made anew, whenever something above changes
}

const (
	// sharedCommits is how many commits are kept for readers who are not quite at the head.
	sharedCommits = 8192
	// sharedRejoin is how long a reader who has caught up by itself waits before it looks again.
	sharedRejoin = 10 * time.Millisecond
	// sharedRetry is how long after a failure the log is read again.
	sharedRetry = 200 * time.Millisecond
)

// NewShared returns a source that shares one reading; Run does the reading.
func NewShared(source Source) *Shared {
	return &Shared{Source: source, moved: make(chan struct{})}
}

// Run reads from the head on until ctx ends; then it returns nil. When the log breaks off its readers get the error, and it
// begins again.
func (s *Shared) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		s.end(s.read(ctx))
		pause(ctx, sharedRetry)
	}
	return nil
}

func (s *Shared) read(ctx context.Context) error {
	head, err := s.Source.Head(ctx)
	if err != nil {
		return err
	}
	s.begin(head)
	return s.Source.Read(ctx, head, ReadOptions{Open: true}, func(chunk []domain.Commit) error {
		s.keep(chunk)
		return nil
	})
}

func (s *Shared) begin(head domain.Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept, s.from, s.upTo, s.alive, s.ended = nil, head, head, true, nil
	s.turns++
	s.wake()
}

func (s *Shared) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.alive, s.ended = false, err
	s.wake()
}

func (s *Shared) keep(chunk []domain.Commit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = append(s.kept, chunk...)
	if extra := len(s.kept) - sharedCommits; extra > sharedCommits {
		s.from = s.kept[extra-1].Position
		s.kept = append([]domain.Commit(nil), s.kept[extra:]...) // what readers hold stays as it is
	}
	s.upTo = chunk[len(chunk)-1].Position
	s.wake()
}

func (s *Shared) wake() {
	close(s.moved)
	s.moved = make(chan struct{})
}

// Read is the source's, but for readers near the head. See Source.
func (s *Shared) Read(ctx context.Context, after domain.Position, o ReadOptions, fn func([]domain.Commit) error) error {
	if o.ToHead {
		return s.Source.Read(ctx, after, o, fn)
	}
	if o.Max <= 0 {
		o.Max = 500
	}
	turn := 0 // the reading that this reader takes part in
	for {
		chunk, now, moved, err := s.since(after, o.Max, turn)
		switch {
		case err != nil:
			return err
		case len(chunk) > 0:
			turn = now
			if err := fn(chunk); err != nil {
				return err
			}
			after = chunk[len(chunk)-1].Position
			continue
		case now == 0: // not kept any more, or nobody reads just now
			alone := o
			alone.ToHead = true
			err := s.Source.Read(ctx, after, alone, func(chunk []domain.Commit) error {
				after = chunk[len(chunk)-1].Position
				return fn(chunk)
			})
			if err != nil {
				return err
			}
			if !pause(ctx, sharedRejoin) {
				return ctx.Err()
			}
			continue
		}
		turn = now
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-moved:
		}
	}
}

// errEnded says that a reading ended without saying why.
var errEnded = errors.New("the shared reading of the log ended")

// since returns at most limit commits after a position and the reading that they come from; 0 when that is none. A reading
// that a reader took part in and that failed is the reader's failure too: what it knows of the log may no longer hold.
func (s *Shared) since(after domain.Position, limit, turn int) (chunk []domain.Commit, now int, moved <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if turn != 0 && (turn != s.turns || !s.alive) {
		if s.ended != nil {
			return nil, 0, nil, s.ended
		}
		return nil, 0, nil, errEnded
	}
	if !s.alive || after < s.from {
		return nil, 0, s.moved, nil
	}
	i := len(s.kept)
	if after < s.upTo {
		i = s.index(after)
	}
	chunk = s.kept[i:min(len(s.kept), i+limit)]
	return chunk[:len(chunk):len(chunk)], s.turns, s.moved, nil
}

// index finds the first kept commit after a position.
func (s *Shared) index(after domain.Position) int {
	low, high := 0, len(s.kept)
	for low < high {
		if mid := (low + high) / 2; s.kept[mid].Position <= after {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}
