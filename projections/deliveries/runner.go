package deliveries

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/projections/lead"
)

// Options tune a Runner. The zero value works.
type Options struct {
	Logger   *zap.Logger
	Beat     time.Duration // between two signs of life; 500 ms when 0
	Patience time.Duration // how long the leader's sign of life may be missing before another takes over; 3 s when 0
	Retry    time.Duration // pause after an error of the log, the store or the vault; 500 ms when 0
	Look     time.Duration // how often the settings, and what is due, are looked at; 250 ms when 0
	Grace    time.Duration // how long calls may take to end once the runner is told to stop; 5 s when 0
	AtOnce   int           // lanes of a subscription that are tried at once; 16 when 0
	Again    int           // the same for its redeliveries; 4 when 0
	Most     int           // deliveries of a subscription that are pending before its cursor waits; 100,000 when 0
	MostOf   int           // the same for its redeliveries; 1,000 when 0
	Keep     time.Duration // how long a delivery that is over stays in the list; 30 days when 0
	KeepMost int           // and how many of a subscription; 100,000 when 0
	Now      func() time.Time
	Random   func() float64                           // of [0, 1), for the jitter
	Observe  func(outcome string, took time.Duration) // told of every attempt: delivered, retried or failed
}

func (o Options) withDefaults() Options {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	most := func(n *int, v int) {
		if *n == 0 {
			*n = v
		}
	}
	def(&o.Beat, 500*time.Millisecond)
	def(&o.Patience, 3*time.Second)
	def(&o.Retry, 500*time.Millisecond)
	def(&o.Look, 250*time.Millisecond)
	def(&o.Grace, 5*time.Second)
	def(&o.Keep, 30*24*time.Hour)
	most(&o.AtOnce, 16)
	most(&o.Again, 4)
	most(&o.Most, 100_000)
	most(&o.MostOf, 1000)
	most(&o.KeepMost, 100_000)
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	if o.Observe == nil {
		o.Observe = func(string, time.Duration) {}
	}
	return o
}

// Parts is what a Runner stands on. All are required.
type Parts struct {
	Log      Log
	Views    Views
	Settings Settings
	Codec    Codec
	Desk     Desk
	Caller   Caller
}

// Runner delivers for one workspace. Any number of runners may run, in any number of processes that share a store of views: one of
// them leads.
type Runner struct {
	Parts
	workspace string
	o         Options
	log       *zap.Logger

	leading atomic.Bool
	mu      sync.Mutex
	offices map[string]*office // of the subscriptions that are active, while this runner leads
}

// NewRunner makes a runner; Run starts it.
func NewRunner(p Parts, workspace string, o Options) *Runner {
	o = o.withDefaults()
	return &Runner{Parts: p, workspace: workspace, o: o, log: o.Logger.With(zap.String("part", "deliveries")), offices: map[string]*office{}}
}

// Leading reports whether this runner is the one that delivers.
func (r *Runner) Leading() bool { return r.leading.Load() }

// Standing is how many deliveries are pending, and how long the oldest has been; nothing where another runner leads.
func (r *Runner) Standing() (pending int, oldest time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.o.Now()
	for _, p := range r.offices {
		n, since := p.standing()
		pending += n
		if !since.IsZero() {
			oldest = max(oldest, now.Sub(since))
		}
	}
	return pending, oldest
}

// Run leads or stands by until ctx ends; then it lets calls end, for a moment, and returns nil. Errors of the log, the store and the
// vault are logged, and it goes on. It returns an error when its tables can't be opened. holder names this process among all that may
// ever run: a random id.
func (r *Runner) Run(ctx context.Context, holder string) error {
	db, err := Open(ctx, r.Views)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	defer db.Close()
	b := book{db: db, workspace: r.workspace}
	l := lead.New(db, r.workspace, holder)
	for ctx.Err() == nil {
		err := l.Campaign(ctx, r.o.Beat, r.o.Patience)
		if err == nil {
			r.log.Info("leading the deliveries", zap.Int64("term", l.Term()))
			err = r.lead(ctx, b, l)
			ended, done := context.WithTimeout(context.WithoutCancel(ctx), r.o.Patience)
			if rerr := l.Resign(ended); rerr != nil {
				r.log.Warn("the next leader has to wait", zap.Error(rerr))
			}
			done()
		}
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, lead.ErrDeposed):
			r.log.Info("another worker leads the deliveries, standing by")
		case err != nil:
			r.log.Warn("the deliveries were interrupted and go on", zap.Error(err))
			lead.Pause(ctx, r.o.Retry)
		}
	}
	return nil
}

// Open opens the deliveries' tables, and makes them where they are missing. The caller closes them.
func Open(ctx context.Context, views Views) (*sql.DB, error) {
	version, err := views.EnsureVersion(ctx, Name, definition)
	if err != nil {
		return nil, fmt.Errorf("open the deliveries' tables: %w", err)
	}
	db, err := views.Writer(ctx, Name, version, schema)
	if err != nil {
		return nil, fmt.Errorf("open the deliveries' tables: %w", err)
	}
	return db, nil
}

// lead delivers until ctx ends or the lease is lost. Calls that are on their way when ctx ends have Grace to end; when the lease is
// lost they are broken off.
func (r *Runner) lead(ctx context.Context, b book, l *lead.Lease) error {
	calls, breakOff := context.WithCancel(context.WithoutCancel(ctx))
	defer breakOff()
	leading, end := context.WithCancelCause(ctx)
	defer end(nil)
	kept := make(chan struct{})
	keeping, release := context.WithCancel(calls)
	defer func() { release(); <-kept }()
	go func() {
		defer close(kept)
		if err := l.Keep(keeping, r.o.Beat, r.o.Patience); err != nil {
			breakOff()
			end(err)
		}
	}()
	defer context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(r.o.Grace, breakOff)
		context.AfterFunc(keeping, func() { timer.Stop() })
	})()

	r.leading.Store(true)
	defer r.leading.Store(false)
	defer r.closeAll()
	gone, pruned := map[string]bool{}, time.Time{}
	for leading.Err() == nil {
		img, err := r.Settings.Snapshot(leading)
		if err == nil {
			err = r.arrange(leading, calls, b, img, gone, end)
		}
		if err == nil && r.o.Now().Sub(pruned) >= time.Hour {
			pruned = r.o.Now()
			err = b.prune(leading, pruned.Add(-r.o.Keep), r.o.KeepMost)
		}
		if err != nil && leading.Err() == nil { // what is open goes on
			r.log.Warn("subscriptions can't be looked at", zap.Error(err))
			lead.Pause(leading, r.o.Retry)
		}
		lead.Pause(leading, r.o.Look)
	}
	return context.Cause(leading)
}

// arrange opens an office for each subscription that is active, closes those of others, and forgets those that were retired, once.
func (r *Runner) arrange(ctx, calls context.Context, b book, img *setting.Image, gone map[string]bool, failed func(error)) (err error) {
	for name, d := range img.Definitions {
		s, ok := d.(setting.Subscription)
		if !ok || name.Kind != setting.KindSubscription {
			continue
		}
		switch p := r.office(s.ID); {
		case s.Active() && p != nil:
			p.subscription.Store(&s)
		case s.Active():
			err = errors.Join(err, r.open(ctx, calls, b, s, failed))
		case p != nil:
			r.close(s.ID)
		}
		if s.Retired && !gone[s.ID] {
			derr := b.drop(ctx, s.ID)
			err = errors.Join(err, derr)
			gone[s.ID] = derr == nil
		} else if !s.Retired {
			delete(gone, s.ID)
		}
	}
	return err
}

func (r *Runner) office(id string) *office {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.offices[id]
}

func (r *Runner) open(ctx, calls context.Context, b book, s setting.Subscription, failed func(error)) error {
	p, err := r.newOffice(ctx, b, s)
	if err != nil {
		return fmt.Errorf("deliver to %s: %w", s.ID, err)
	}
	p.start(ctx, calls, failed)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.offices[s.ID] = p
	return nil
}

// close ends an office, and waits for its calls.
func (r *Runner) close(id string) {
	p := r.office(id)
	p.stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.offices, id)
}

func (r *Runner) closeAll() {
	r.mu.Lock()
	all := r.offices
	r.offices = map[string]*office{}
	r.mu.Unlock()
	var closing sync.WaitGroup
	for _, p := range all {
		closing.Go(p.stop)
	}
	closing.Wait()
}
