package vault

import (
	"context"
	"sync"
	"time"
)

// The pool begins with leastAhead keys and makes more of them ahead each time that a run comes too late for somebody, up to mostAhead: a
// process that opens no threads makes few that nobody will use.
const (
	leastAhead = 64
	mostAhead  = 4096
	makeAtOnce = 512
	// makeTimeout bounds the making of one batch, which goes on when the caller that began it has gone.
	makeTimeout = 10 * time.Second
)

// pool holds keys that are made and acknowledged, and that nobody has yet.
type pool struct {
	make func(ctx context.Context, n int) ([]string, error)
	ctx  context.Context // of what runs in the background
	end  context.CancelFunc
	work sync.WaitGroup

	mu     sync.Mutex
	ready  []string
	ahead  int
	making *making // nil when nothing is being made
}

// making is one run in the background, until the pool is full.
type making struct {
	late    bool          // somebody waits; the pool's lock guards it
	changed chan struct{} // closed when a batch has come, or the run has ended
	err     error         // why it ended, if it failed; read after changed
}

func newPool(m func(ctx context.Context, n int) ([]string, error)) *pool {
	p := &pool{make: m, ahead: leastAhead}
	p.ctx, p.end = context.WithCancel(context.Background())
	return p
}

// close ends the run in the background and waits for it.
func (p *pool) close() {
	p.mu.Lock()
	p.end()
	p.mu.Unlock()
	p.work.Wait()
}

// take returns a key that nobody has, after waiting for it when there is none.
func (p *pool) take(ctx context.Context) (string, error) {
	for {
		p.mu.Lock()
		if n := len(p.ready); n > 0 {
			id := p.ready[n-1]
			p.ready = p.ready[:n-1]
			if n-1 < p.ahead/2 {
				p.fill()
			}
			p.mu.Unlock()
			return id, nil
		}
		if err := p.ctx.Err(); err != nil {
			p.mu.Unlock()
			return "", unavailable("make keys: it was closed", err)
		}
		m := p.fill()
		if !m.late {
			m.late = true
			p.ahead = min(p.ahead*2, mostAhead)
		}
		p.mu.Unlock()

		select {
		case <-m.changed:
			if m.err != nil {
				return "", m.err
			}
		case <-ctx.Done():
			return "", unavailable("wait for a key", ctx.Err())
		}
	}
}

// fill begins to make keys in the background, if that is not under way. The caller holds mu.
func (p *pool) fill() *making {
	if p.making == nil && p.ctx.Err() == nil {
		p.making = &making{changed: make(chan struct{})}
		p.work.Go(p.run)
	}
	return p.making
}

// run makes batches until the pool is full or one fails. The first is small: somebody may wait for it.
func (p *pool) run() {
	for n := leastAhead; ; n = makeAtOnce {
		ctx, cancel := context.WithTimeout(p.ctx, makeTimeout)
		ids, err := p.make(ctx, n)
		cancel()

		p.mu.Lock()
		m := p.making
		p.ready = append(p.ready, ids...)
		m.err = err
		full := err != nil || len(p.ready) >= p.ahead
		p.making = nil
		if !full {
			p.making = &making{changed: make(chan struct{}), late: m.late}
		}
		p.mu.Unlock()
		close(m.changed)
		if full {
			return
		}
	}
}
