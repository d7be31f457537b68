package command

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/sequence"
)

// Numbers hands out the numbers of conversations and tickets (D14): unique in the workspace, growing within this process,
// from blocks that it reserves in the log. It is safe for concurrent use. What a process has not used of its block when it
// ends is left out for ever.
type Numbers struct {
	log  Log
	agg  domain.Aggregate
	now  func() time.Time
	size int64 // of a block

	mu       sync.Mutex
	next, to int64              // what is left of the block in use: next ≤ to
	ahead    *sequence.Reserved // the block after it, once it is there
	flight   *reservation       // the one on its way
	rest     time.Time          // no reservation ahead of need before this: the last one failed
}

// reservation is one block on its way. done is closed when block or err is set.
type reservation struct {
	done  chan struct{}
	block sequence.Reserved
	err   error
}

// reserveLimit is how long a reservation may take that nobody's context ends.
const reserveLimit = 10 * time.Second

// NewNumbers reserves nothing yet: the first Next does. A nil now is time.Now.
func NewNumbers(log Log, workspace string, now func() time.Time) *Numbers {
	if now == nil {
		now = time.Now
	}
	return &Numbers{
		log: log, now: now, size: sequence.Block, next: 1, to: 0,
		agg: domain.Aggregate{Workspace: workspace, Category: domain.CategorySequence, ID: sequence.Conversation},
	}
}

// Next returns a number that nobody else has or will get. It waits only when a block is used up before the next one,
// which is reserved when half of it is gone, has arrived.
func (n *Numbers) Next(ctx context.Context) (int64, error) {
	for {
		n.mu.Lock()
		if n.next > n.to && n.ahead != nil {
			n.next, n.to, n.ahead = n.ahead.From, n.ahead.To, nil
		}
		if n.next > n.to || n.to-n.next < n.size/2 && n.ahead == nil && time.Now().After(n.rest) {
			n.reserve()
		}
		if n.next <= n.to {
			number := n.next
			n.next++
			n.mu.Unlock()
			return number, nil
		}
		f := n.flight
		n.mu.Unlock()
		select {
		case <-f.done:
			if f.err != nil {
				return 0, fmt.Errorf("reserving numbers: %w", f.err)
			}
		case <-ctx.Done():
			return 0, fmt.Errorf("reserving numbers: %w", ctx.Err())
		}
	}
}

// reserve starts the reservation of a block, unless one is on its way. It goes on when the caller's context ends, for no
// longer than reserveLimit: others wait for it too.
func (n *Numbers) reserve() {
	if n.flight != nil {
		return
	}
	f := &reservation{done: make(chan struct{})}
	n.flight = f
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), reserveLimit)
		defer cancel()
		block, err := n.block(ctx)
		n.mu.Lock()
		defer n.mu.Unlock()
		n.flight = nil
		if f.block, f.err = block, err; err == nil {
			n.ahead = &block
		} else {
			n.rest = time.Now().Add(time.Second)
		}
		close(f.done)
	}()
}

// block appends one reservation.
func (n *Numbers) block(ctx context.Context) (sequence.Reserved, error) {
	events, err := reserve(ctx, n.log, n.agg, n.now, func(last int64) []domain.Event {
		return []domain.Event{sequence.Reserve(last, n.size)}
	})
	if err != nil {
		return sequence.Reserved{}, err
	}
	return events[0].(sequence.Reserved), nil
}

// SkipNumbers reserves numbers that may have been handed out by a log that was lost, so that nobody gets them again: those up to what
// `to` makes of the last one that is reserved. It returns that one, and the last one that is reserved now.
func SkipNumbers(ctx context.Context, log Log, a domain.Aggregate, to func(last int64) int64) (was, is int64, err error) {
	_, err = reserve(ctx, log, a, time.Now, func(last int64) []domain.Event {
		was, is = last, max(last, to(last))
		var events []domain.Event
		for _, e := range sequence.Skip(last, is) {
			events = append(events, e)
		}
		return events
	})
	if err != nil {
		return 0, 0, fmt.Errorf("skip numbers: %w", err)
	}
	return was, is, nil
}

// reserve appends what decide makes of the last number that is handed out.
func reserve(ctx context.Context, log Log, a domain.Aggregate, now func() time.Time, decide func(last int64) []domain.Event) ([]domain.Event, error) {
	req := Request{Workspace: a.Workspace, Principal: "system", Actor: domain.Actor{Kind: domain.ActorSystem}}
	out, err := change(ctx, writer{log: log, now: now}, edit[int64]{
		req: req, aggregate: a, action: "reserve", tail: true,
		evolve: func(last *int64, c *domain.Commit) {
			for _, e := range c.Events {
				if e, ok := e.(sequence.Event); ok {
					*last = sequence.Evolve(*last, e)
				}
			}
		},
		decide: func(last *int64, _ time.Time) ([]domain.Event, error) { return decide(*last), nil },
	})
	return out.Commit.Events, err
}
