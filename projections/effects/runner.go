package effects

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/floor"
	"github.com/turno-desk/turno/projections/lead"
)

// Options tune a Runner. The zero value works.
type Options struct {
	Logger   *zap.Logger
	Beat     time.Duration // between two signs of life; 500 ms when 0
	Patience time.Duration // how long the leader's sign of life may be missing before another takes over; 3 s when 0
	Retry    time.Duration // pause after an error of the log, the store or the desk; 500 ms when 0
	Now      func() time.Time
}

func (o Options) withDefaults() Options {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&o.Beat, 500*time.Millisecond)
	def(&o.Patience, 3*time.Second)
	def(&o.Retry, 500*time.Millisecond)
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Views is where the effects keep their checkpoints, and where the floor is read. A projections.Store with readers is one.
type Views interface {
	EnsureVersion(ctx context.Context, projection string, definition int) (version int, err error)
	Writer(ctx context.Context, projection string, version int, schema string) (*sql.DB, error)
	Reader(projection string) *sql.DB
}

// Runner runs the effects of one workspace. Any number of runners may run, in any number of processes that share a store of
// views: one of them leads.
type Runner struct {
	source    projections.Source
	views     Views
	desk      Desk
	workspace string
	effects   []Effect
	o         Options
	log       *zap.Logger

	db      *sql.DB
	leading atomic.Bool
}

// NewRunner makes a runner; Run starts it. holder names this process among all that may ever run: a random id.
func NewRunner(source projections.Source, views Views, desk Desk, workspace string, effects []Effect, o Options) *Runner {
	o = o.withDefaults()
	return &Runner{
		source: source, views: views, desk: desk, workspace: workspace, effects: effects, o: o,
		log: o.Logger.With(zap.String("part", "effects")),
	}
}

// Leading reports whether this runner is the one that acts: on everything from now on.
func (r *Runner) Leading() bool { return r.leading.Load() }

// Run leads or stands by until ctx ends; then it finishes what is being done and returns nil. Errors of the log, the store
// and the desk are logged, and it goes on. It returns an error when its tables can't be opened, and ErrForeignLog.
func (r *Runner) Run(ctx context.Context, holder string) error {
	version, err := r.views.EnsureVersion(ctx, Name, definition)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("open the effects' tables: %w", err)
	}
	db, err := r.views.Writer(ctx, Name, version, schema)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("open the effects' tables: %w", err)
	}
	r.db = db
	defer db.Close()
	l := lead.New(db, r.workspace, holder)
	for ctx.Err() == nil {
		err := l.Campaign(ctx, r.o.Beat, r.o.Patience)
		if err == nil {
			r.log.Info("leading the effects", zap.Int64("term", l.Term()))
			err = r.lead(ctx, l)
			r.leading.Store(false)
			ended, done := context.WithTimeout(context.WithoutCancel(ctx), r.o.Patience)
			if rerr := l.Resign(ended); rerr != nil {
				r.log.Warn("the next leader has to wait", zap.Error(rerr))
			}
			done()
		}
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, ErrForeignLog):
			return err
		case errors.Is(err, lead.ErrDeposed):
			r.log.Info("another worker leads the effects, standing by")
		case err != nil:
			r.log.Warn("the effects were interrupted and go on", zap.Error(err))
			lead.Pause(ctx, r.o.Retry)
		}
	}
	return nil
}

// lead acts until ctx ends, the lease is lost or something fails.
func (r *Runner) lead(ctx context.Context, l *lead.Lease) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		cancel(l.Keep(ctx, r.o.Beat, r.o.Patience))
	}()
	defer func() { cancel(nil); <-kept }()

	a, err := r.begin(ctx)
	if err != nil {
		return err
	}
	r.leading.Store(true)
	chunks, read := make(chan []domain.Commit), make(chan error, 1)
	go func() {
		read <- r.source.Read(ctx, a.from, projections.ReadOptions{Max: 1000}, func(chunk []domain.Commit) error {
			select {
			case chunks <- chunk:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	err = a.follow(ctx, chunks, read)
	if cause := context.Cause(ctx); errors.Is(cause, lead.ErrDeposed) {
		return cause
	}
	ended, done := context.WithTimeout(context.WithoutCancel(ctx), r.o.Patience)
	defer done()
	return errors.Join(err, a.saveAll(ended))
}

// begin makes what a leader starts from: the floor as its view has it, and the checkpoints.
func (r *Runner) begin(ctx context.Context) (*acting, error) {
	checkpoints, err := r.checkpoints(ctx)
	if err != nil {
		return nil, err
	}
	head, err := r.source.Head(ctx)
	if err != nil {
		return nil, fmt.Errorf("head of the log: %w", err)
	}
	f, err := floor.Load(ctx, r.views.Reader(floor.Name), r.workspace)
	if err != nil || f.Position > head {
		if err != nil {
			r.log.Warn("the floor has no view yet: it is read from the beginning of the log", zap.Error(err))
		}
		f = floor.New(r.workspace)
	}
	a := &acting{Runner: r, floor: f, from: f.Position, head: head, checkpoints: checkpoints}
	for _, cp := range checkpoints {
		a.from = min(a.from, cp.position)
		a.saved = append(a.saved, cp)
	}
	return a, nil
}

func zapEffect(name string) zap.Field { return zap.String("effect", name) }

func zapPosition(name string, p domain.Position) zap.Field { return zap.Uint64(name, uint64(p)) }
