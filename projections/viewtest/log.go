// Package viewtest is a log and a service desk in memory, for tests of projections: histories that the domain itself
// decided, and a log that can lose what it had.
package viewtest

import (
	"context"
	"fmt"
	"sync"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

// Log is a log of commits as they are in memory, nothing sealed. The zero value is not one; NewLog is.
type Log struct {
	id string

	mu        sync.Mutex
	commits   []domain.Commit // the one at index i has position i+1
	tails     map[domain.Aggregate]int
	opened    map[string]domain.Position // by conversation
	grown     chan struct{}
	announced map[int]func(string, domain.Position)
	listeners int
}

var (
	_ projections.Source    = (*Log)(nil)
	_ projections.Announcer = (*Log)(nil)
)

// NewLog makes an empty log of that identity.
func NewLog(id string) *Log {
	return &Log{
		id: id, tails: map[domain.Aggregate]int{}, opened: map[string]domain.Position{},
		grown: make(chan struct{}), announced: map[int]func(string, domain.Position){},
	}
}

// Append adds the commit, and sets what a log sets. opens says that it opens its conversation.
func (l *Log) Append(c domain.Commit, opens bool) domain.Commit {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.Position = domain.Position(len(l.commits) + 1)
	c.Version = domain.Version(c.Position)
	c.Prev = domain.Position(l.tails[c.Aggregate])
	l.tails[c.Aggregate] = int(c.Position)
	if c.Conversation != "" {
		if opens {
			l.opened[c.Conversation] = c.Position
		}
		c.Opened = l.opened[c.Conversation]
	}
	l.commits = append(l.commits, c)
	close(l.grown)
	l.grown = make(chan struct{})
	return c
}

// Truncate takes away everything after position p, as a power cut may.
func (l *Log) Truncate(p domain.Position) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.commits = l.commits[:p:p]
}

// Commits are all of them; the caller must not change them.
func (l *Log) Commits() []domain.Commit {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.commits[:len(l.commits):len(l.commits)]
}

// ID is the identity of the log.
func (l *Log) ID() string { return l.id }

// Head is the newest position.
func (l *Log) Head(context.Context) (domain.Position, error) {
	return domain.Position(len(l.Commits())), nil
}

// At gives one commit.
func (l *Log) At(_ context.Context, p domain.Position) (domain.Commit, error) {
	all := l.Commits()
	if p == 0 || int(p) > len(all) {
		return domain.Commit{}, fmt.Errorf("position %d: %w", p, projections.ErrNoCommit)
	}
	return all[p-1], nil
}

// Read delivers the log. See projections.Source.
func (l *Log) Read(ctx context.Context, after domain.Position, o projections.ReadOptions, fn func([]domain.Commit) error) error {
	size := o.Max
	if size <= 0 {
		size = 500
	}
	all, grown := l.watch()
	if int(after) > len(all) {
		return fmt.Errorf("read after %d of a log of %d: %w", after, len(all), projections.ErrAhead)
	}
	next := int(after)
	for {
		for next < len(all) {
			chunk := all[next:min(next+size, len(all))]
			if err := fn(append([]domain.Commit(nil), chunk...)); err != nil {
				return err
			}
			next += len(chunk)
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		if o.ToHead {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-grown:
		}
		all, grown = l.watch()
	}
}

func (l *Log) watch() ([]domain.Commit, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.commits[:len(l.commits):len(l.commits)], l.grown
}

// Announce tells every listener before it returns.
func (l *Log) Announce(projection string, p domain.Position) {
	l.mu.Lock()
	fns := make([]func(string, domain.Position), 0, len(l.announced))
	for _, fn := range l.announced {
		fns = append(fns, fn)
	}
	l.mu.Unlock()
	for _, fn := range fns {
		fn(projection, p)
	}
}

// OnAnnounce calls fn for every announcement until cancel is called.
func (l *Log) OnAnnounce(fn func(projection string, p domain.Position)) (cancel func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.listeners
	l.listeners++
	l.announced[n] = fn
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.announced, n)
	}, nil
}
