package deliveries

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/lead"
)

// office delivers to one subscription, from when it is active to when it is not.
type office struct {
	*Runner
	book         book
	id           string
	subscription atomic.Pointer[setting.Subscription] // as it is now
	cursor       cursor                               // as it is in the table; follow's
	log          *zap.Logger

	live, again *queue // what happens, and what is sent again
	asked       chan struct{}

	keys struct { // values of secrets that were read, by fingerprint: none ever changes
		sync.Mutex
		by map[string][]byte
	}

	end     context.CancelFunc
	running sync.WaitGroup
}

// queue is lanes with those who wait for them.
type queue struct {
	slots int
	most  int

	mu    sync.Mutex
	lanes *lanes
	more  chan struct{} // something may be due
	less  chan struct{} // something is pending no more
}

func newQueue(slots, most int) *queue {
	return &queue{slots: slots, most: most, lanes: newLanes(), more: make(chan struct{}, 1), less: make(chan struct{}, 1)}
}

// with changes the lanes, and wakes whom it may concern.
func (q *queue) with(fn func(l *lanes)) {
	q.mu.Lock()
	fn(q.lanes)
	q.mu.Unlock()
	signal(q.more)
	signal(q.less)
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// room waits until fewer deliveries are pending than may be.
func (q *queue) room(ctx context.Context) error {
	for {
		q.mu.Lock()
		full := q.lanes.count >= q.most
		q.mu.Unlock()
		if !full {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-q.less:
		}
	}
}

// newOffice loads what is pending of a subscription.
func (r *Runner) newOffice(ctx context.Context, b book, s setting.Subscription) (*office, error) {
	p := &office{
		Runner: r, book: b, id: s.ID, log: r.log.With(zap.String("subscription", s.ID)), asked: make(chan struct{}, 1),
		live: newQueue(r.o.AtOnce, r.o.Most), again: newQueue(r.o.Again, r.o.MostOf),
	}
	p.keys.by = map[string][]byte{}
	p.subscription.Store(&s)
	err := b.pending(ctx, s.ID, func(lane string, i item, next time.Time) { p.queueOf(i).lanes.add(laneOf(lane, i), i, next) })
	return p, err
}

// where loads the cursor, or begins it. One that is not on the log, because a power cut or a restore took the log's end away, goes back:
// what is read again and was written down before is not delivered again.
func (p *office) where(ctx context.Context) (cursor, error) {
	head, err := p.Log.Head(ctx)
	if err != nil {
		return cursor{}, fmt.Errorf("head of the log: %w", err)
	}
	c, found, err := p.book.cursor(ctx, p.id)
	if err != nil {
		return c, err
	}
	if !found || c.log != p.Log.ID() {
		if found {
			p.log.Warn("the deliveries were made of another log: they begin anew")
			if err := p.book.drop(ctx, p.id); err != nil {
				return c, err
			}
		}
		c = cursor{log: p.Log.ID()}
		if c.position, c.commit, err = p.defined(ctx); err != nil {
			return c, err
		}
		// Where the tables were lost, it is not the whole past that is sent again.
		late, err := p.back(ctx, head)
		if err != nil {
			return c, err
		}
		if late > c.position {
			c.position, c.commit = late, ""
		}
		c.since = c.position
		return c, p.book.begin(ctx, p.id, c)
	}
	ok, err := projections.OnLog(ctx, p.Log, c.position, c.commit, head)
	if err != nil || ok {
		return c, err
	}
	back := cursor{log: c.log}
	if back.since, err = projections.Onto(ctx, p.Log, min(c.since, head), head); err != nil {
		return c, err
	}
	if back.position, err = p.back(ctx, head); err != nil {
		return c, err
	}
	back.position = max(back.position, back.since)
	p.log.Warn("the deliveries had come further than the log: its last commits are read again",
		zap.Uint64("was", uint64(c.position)), zap.Uint64("from", uint64(back.position)))
	_, err = p.book.move(ctx, p.id, c, back, nil, nil)
	return back, err
}

// readAgain is how many commits are read once more when a cursor is not on the log, and at most when there is none.
const readAgain = 10_000

// back is the position so far before the head; 0 on a log that is shorter, and where positions don't count commits.
func (p *office) back(ctx context.Context, head domain.Position) (domain.Position, error) {
	sequence := projections.Sequence(head)
	if _, sparse := p.Log.(projections.Sparse); sparse || sequence <= readAgain {
		return 0, nil
	}
	return projections.Onto(ctx, p.Log, sequence-readAgain, head)
}

// defined is the commit that made the subscription: its first, or the first since it was last retired.
func (p *office) defined(ctx context.Context) (domain.Position, string, error) {
	a := p.aggregate()
	commits, _, err := p.Log.Load(ctx, a, 0, nil)
	if err != nil {
		return 0, "", fmt.Errorf("load %s: %w", a, err)
	}
	var position domain.Position
	id, retired := "", true
	for _, c := range commits {
		for _, e := range c.Events {
			d, _ := setting.DefinitionOf(asSetting(e)).(setting.Subscription)
			if retired && !d.Retired {
				position, id = c.Position, c.ID
			}
			retired = d.Retired
		}
	}
	return position, id, nil
}

func asSetting(e domain.Event) setting.Event {
	s, _ := e.(setting.Event)
	return s
}

func (p *office) aggregate() domain.Aggregate {
	return domain.Aggregate{Workspace: p.workspace, Category: domain.CategorySetting, ID: string(setting.KindSubscription) + "." + p.id}
}

func (p *office) queueOf(i item) *queue {
	if i.run != "" {
		return p.again
	}
	return p.live
}

// laneOf is a lane's name: each redelivery has lanes of its own.
func laneOf(aggregate string, i item) string { return i.run + " " + aggregate }

// start runs the office until ctx ends or stop is called. Calls go on while `calls` lives. failed is told when another process leads.
func (p *office) start(ctx, calls context.Context, failed func(error)) {
	ctx, p.end = context.WithCancel(ctx)
	insist := func(what string, do func(context.Context) error) {
		p.running.Go(func() {
			for ctx.Err() == nil {
				err := do(ctx)
				switch {
				case ctx.Err() != nil:
				case errors.Is(err, lead.ErrDeposed):
					failed(err)
				case err != nil:
					p.log.Warn(what+" was interrupted and goes on", zap.Error(err))
					lead.Pause(ctx, p.o.Retry)
				}
			}
		})
	}
	insist("making deliveries", p.follow)
	insist("making deliveries again", p.redeliver)
	for _, q := range []*queue{p.live, p.again} {
		p.running.Go(func() { p.dispatch(ctx, calls, q, failed) })
	}
}

func (p *office) stop() {
	p.end()
	p.running.Wait()
}

func (p *office) standing() (pending int, oldest time.Time) {
	for _, q := range []*queue{p.live, p.again} {
		q.mu.Lock()
		pending += q.lanes.count
		if since := q.lanes.oldest(); !since.IsZero() && (oldest.IsZero() || since.Before(oldest)) {
			oldest = since
		}
		q.mu.Unlock()
	}
	return pending, oldest
}
