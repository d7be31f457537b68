package jetstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/turno-desk/turno/api/command"
)

const (
	// singly is how many waiting appends are published one by one: an atomic batch costs about as much as ten of them.
	singly = 10

	// batchWrites and batchBytes bound a batch. The server takes 1,000 messages.
	batchWrites = 512
	batchBytes  = 4 << 20

	// gather is how long a batch waits for those who were answered together to come back together.
	gather = 300 * time.Microsecond

	// singlesTake is how long a round waits for appends that were published one by one; slower ones go on by themselves.
	singlesTake = 20 * time.Millisecond

	// remembered is of how many subjects the last sequence is kept in mind.
	remembered = 1 << 16
)

// committer commits appends that wait at the same moment in one atomic batch, with one flush to disk for all. It works in
// rounds: whatever has gathered while one round was on its way is the next. It pays where each message would cost a flush of
// its own, and only in the process that hosts the log.
type committer struct {
	s       *Store
	known   *lru.Cache[string, uint64] // last sequence by subject, as far as it was seen: the truth is never lower
	work    chan struct{}              // holds one token while somebody waits
	ctx     context.Context
	cancel  context.CancelFunc
	stopped chan struct{}

	mu      sync.Mutex
	waiting []*entry
	closed  bool
}

// entry is one append in the committer. Its state belongs to the lock.
type entry struct {
	*write
	state entryState
	// answer gets exactly one verdict.
	answer chan verdict
}

type entryState int

const (
	entryWaits entryState = iota
	entrySent
	entryGone // its caller has given up before it was sent
)

// verdict is what the committer tells a caller: the outcome, or to publish by itself.
type verdict struct {
	seq   uint64
	err   error
	alone bool
	round *sync.WaitGroup // alone: to be released when done
}

func newCommitter(s *Store) (*committer, error) {
	known, err := lru.New[string, uint64](remembered)
	if err != nil {
		return nil, err
	}
	c := &committer{s: s, known: known, work: make(chan struct{}, 1), stopped: make(chan struct{})}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	go c.run()
	return c, nil
}

// stop ends the committer when the round that is on its way is answered.
func (c *committer) stop() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel()
	<-c.stopped
}

// append has w committed, alone or in a group. See Store.publish for what it returns.
func (c *committer) append(ctx context.Context, w *write) (uint64, error) {
	e := &entry{write: w, answer: make(chan verdict, 1)}
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return 0, fmt.Errorf("the log is closed: %w", command.ErrUnavailable)
	}
	c.waiting = append(c.waiting, e)
	c.mu.Unlock()
	select {
	case c.work <- struct{}{}:
	default:
	}

	var v verdict
	select {
	case v = <-e.answer:
	case <-ctx.Done():
		c.mu.Lock()
		if e.state == entryWaits {
			e.state = entryGone
			c.mu.Unlock()
			return 0, ctx.Err()
		}
		c.mu.Unlock()
		v = <-e.answer // it is on its way: the round is bounded by the Store's timeout
	}
	if !v.alone {
		return v.seq, v.err
	}
	seq, err := c.s.publish(ctx, w)
	if err == nil {
		c.learn(w.subject, seq)
	}
	if v.round != nil {
		v.round.Done()
	}
	return seq, err
}

func (c *committer) learn(subject string, seq uint64) {
	if last, ok := c.known.Peek(subject); !ok || last < seq {
		c.known.Add(subject, seq)
	}
}

// run works in rounds until stop.
func (c *committer) run() {
	defer close(c.stopped)
	last := 0 // how many the last round committed as a batch
	for {
		select {
		case <-c.ctx.Done():
			c.turnAway()
			return
		case <-c.work:
		}
		if last >= singly {
			c.gather(last)
		}
		round := c.take()
		last = len(round)
		switch {
		case last == 0:
		case last < singly:
			c.alone(round)
		default:
			c.batch(round)
		}
	}
}

// gather waits a moment until as many wait as the last batch had.
func (c *committer) gather(enough int) {
	for deadline := time.Now().Add(gather); time.Now().Before(deadline); {
		c.mu.Lock()
		n := len(c.waiting)
		c.mu.Unlock()
		if n >= enough {
			return
		}
		time.Sleep(gather / 10)
	}
}

// take removes the next round from those who wait: at most one append on each subject. One whose guard is known to be passed
// is answered at once.
func (c *committer) take() []*entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	var round, rest []*entry
	taken, size := map[string]bool{}, 0
	for _, e := range c.waiting {
		if e.state == entryGone {
			continue
		}
		if last, ok := c.known.Peek(e.subject); ok && last > e.guard {
			e.state = entrySent
			e.answer <- verdict{err: command.ErrConflict}
			continue
		}
		if taken[e.subject] || len(round) == batchWrites || size+e.msg.Size() > batchBytes && len(round) > 0 {
			rest = append(rest, e)
			continue
		}
		e.state = entrySent
		taken[e.subject] = true
		size += e.msg.Size()
		round = append(round, e)
	}
	c.waiting = rest
	if len(rest) > 0 {
		select {
		case c.work <- struct{}{}:
		default:
		}
	}
	return round
}

// turnAway answers everybody who still waits.
func (c *committer) turnAway() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.waiting {
		if e.state == entryWaits {
			e.state = entrySent
			e.answer <- verdict{err: fmt.Errorf("the log is closed: %w", command.ErrUnavailable)}
		}
	}
	c.waiting = nil
}

// alone has everybody publish by themselves, at the same time, and waits for them, but not for long.
func (c *committer) alone(round []*entry) {
	var g sync.WaitGroup
	g.Add(len(round))
	for _, e := range round {
		e.answer <- verdict{alone: true, round: &g}
	}
	done := make(chan struct{})
	go func() { g.Wait(); close(done) }()
	t := time.NewTimer(singlesTake)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	}
}

// batch commits the round in one atomic batch. When the server refuses it, for one of them at least, the halves are tried,
// down to few enough to publish one by one. When the outcome is unknown, everybody finds out by themselves.
func (c *committer) batch(round []*entry) {
	if len(round) < singly {
		c.alone(round)
		return
	}
	first, err := c.s.publishBatch(context.Background(), round) // stop waits for it
	switch {
	case err == nil:
		if c.s.opts.Grouped != nil {
			c.s.opts.Grouped(len(round))
		}
		for i, e := range round {
			seq := first + uint64(i)
			c.learn(e.subject, seq)
			e.answer <- verdict{seq: seq}
		}
	case errors.Is(err, errRefused):
		c.batch(round[:len(round)/2])
		c.batch(round[len(round)/2:])
	default:
		c.s.breakDown()
		for _, e := range round {
			e.uncertain = !errors.Is(err, errNotSent)
			e.answer <- verdict{alone: true}
		}
	}
}
