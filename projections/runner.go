package projections

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/turno-desk/turno/domain"
	"go.uber.org/zap"
)

// ErrForeignLog says that a view was built from another log than the one at hand. It is for a person to sort out which of
// the two belongs here, so nothing is rebuilt by itself.
var ErrForeignLog = errors.New("the view belongs to another log")

// ErrPoison says that a projection could not digest a commit while nothing may be parked.
var ErrPoison = errors.New("the projection can't digest a commit")

// ErrNewer says that the active version of a view was built by a newer definition than the code at hand has.
var ErrNewer = errors.New("the active version is of a newer definition")

// Reasons to leave off reading; none of them leaves Run.
var (
	errLost    = errors.New("another runner wrote the next batch")
	errFenced  = errors.New("no batch may be written while another version is made the active one")
	errRevised = errors.New("somebody changed by hand what is parked")
	errBehind  = errors.New("fell behind the head")
	errElse    = errors.New("another version of the view is to be worked on")
)

// brokenRetry is how long after a version broke its own rules it is looked at again.
const brokenRetry = time.Minute

// Options tune a Runner. The zero value works.
type Options struct {
	Logger    *zap.Logger                           // none when nil
	Batch     int                                   // commits per transaction at the head; 500 when 0
	CatchUp   int                                   // commits per transaction while further behind than Batch; 5000 when 0
	Linger    time.Duration                         // the most that a batch at the head waits for more commits; 50 ms when 0, none when negative
	Heartbeat time.Duration                         // between two writings of the status; 1 s when 0
	StandBy   time.Duration                         // how long another runner's lease must not have been renewed before this one takes over; 2 s when 0
	Retry     time.Duration                         // pause after an error of the log or the store; 1 s when 0
	Wrote     func(commits int, took time.Duration) // told of every batch that was written; nobody when nil
	Strict    bool                                  // a commit that can't be digested ends Run with ErrPoison, instead of parking its aggregate
	Now       func() time.Time
}

func (o Options) withDefaults() Options {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&o.Linger, 50*time.Millisecond)
	def(&o.Heartbeat, time.Second)
	def(&o.StandBy, 2*time.Second)
	def(&o.Retry, time.Second)
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.Batch <= 0 {
		o.Batch = 500
	}
	if o.CatchUp <= 0 {
		o.CatchUp = max(5000, o.Batch)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Runner keeps one view up with the log. Any number of runners may run one projection, in any number of processes: each
// batch is written by exactly one of them, and the others stand by.
//
// A runner works on the version of the view that is of its projection's definition. When the active version is of an older
// one, it builds its own beside and makes that the active one when it has caught up. When the active version is of a newer
// one, it stands by for as long as that is so.
type Runner struct {
	source     Source
	store      Store
	projection Projection
	announcer  Announcer
	o          Options
	log        *zap.Logger

	fixed   int // the version to work on, whatever the others are; 0: the one that is the projection's
	db      *sql.DB
	version int           // that db writes
	at      checkpoint    // only the goroutine of Run
	erased  atomic.Bool   // something was blanked since the last scrub
	toSweep atomic.Uint64 // position of an erasure that other versions may not have seen

	mu     sync.Mutex
	status Status
	leave  context.CancelCauseFunc // ends the reading; nil while another runner is at work
}

// NewRunner makes a runner; Run starts it. announcer may be nil. A Projection remembers rows: give each runner its own.
func NewRunner(source Source, store Store, p Projection, announcer Announcer, o Options) *Runner {
	o = o.withDefaults()
	return &Runner{
		source: source, store: store, projection: p, announcer: announcer, o: o,
		log:    o.Logger.With(zap.String("projection", p.Name()), zap.Int("definition", p.Version())),
		status: Status{Projection: p.Name()},
	}
}

// Run follows the log until ctx ends, finishes the batch at hand and returns nil. Errors of the log and of the store are
// logged and tried again. It returns an error when the view belongs to another log (ErrForeignLog), when its file can't be
// opened, and with Options.Strict when a commit can't be digested (ErrPoison).
func (r *Runner) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := r.awaitTurn(ctx); err != nil {
			return err
		}
		if ctx.Err() != nil {
			break
		}
		err := r.open(ctx)
		if errors.Is(err, ErrNoVersion) { // dropped just now
			continue
		}
		if err != nil && r.store.Transient(err) {
			r.log.Warn("the view can't be opened, trying again", zap.Error(err))
			pause(ctx, r.o.Retry)
			continue
		}
		if err != nil {
			return err
		}
		err = r.work(ctx)
		r.close()
		if err != nil {
			return err
		}
	}
	return nil
}

// work follows the log on the version that is open. It returns nil when ctx ended and when another version is the one to
// work on.
func (r *Runner) work(ctx context.Context) error {
	defer r.beat(ctx)()
	if r.atWork(ctx) {
		r.log.Info("another runner is at work, standing by")
		if err := r.standBy(ctx); errors.Is(err, errElse) {
			return nil
		} else if err != nil && ctx.Err() == nil {
			r.log.Warn("standing by", zap.Error(err))
		}
	}
	for {
		err := r.follow(ctx)
		switch {
		case ctx.Err() != nil, errors.Is(err, errElse):
			return nil
		case errors.Is(err, errRevised):
			continue
		case errors.Is(err, ErrForeignLog), errors.Is(err, ErrPoison):
			return err
		case errors.Is(err, ErrBroken):
			r.log.Error("the new version is not made the active one; to do so all the same: turno projections switch "+r.projection.Name()+" VERSION",
				zap.Int("version", r.version), zap.Error(err))
			pause(ctx, brokenRetry)
			continue
		case errors.Is(err, errFenced):
			err = r.awaitFence(ctx)
		case errors.Is(err, errLost):
			r.log.Info("another runner is at work, standing by", zap.Uint64("position", uint64(r.at.position)))
			err = r.standBy(ctx)
		}
		if errors.Is(err, errElse) {
			return nil
		}
		if err != nil && ctx.Err() == nil {
			r.log.Warn("the projection was interrupted and goes on", zap.Error(err))
			pause(ctx, r.o.Retry)
		}
	}
}

// RunToHead builds the view up to the head that the log has now, makes it the active version, and returns. It never parks,
// whatever Options.Strict says, and gives up on the first error: ErrNewer when the active version is of a newer definition.
func (r *Runner) RunToHead(ctx context.Context) error {
	r.o.Strict = true
	if err := r.notOlder(ctx); err != nil {
		return err
	}
	if err := r.open(ctx); err != nil {
		return err
	}
	defer r.close()
	if err := r.verify(ctx); err != nil {
		return err
	}
	defer r.endLease(ctx)
	if err := r.read(ctx, r.o.CatchUp, true); err != nil {
		return err
	}
	return r.takeOver(ctx)
}

// open opens the version to work on.
func (r *Runner) open(ctx context.Context) error {
	version := r.fixed
	if version == 0 {
		var err error
		if version, err = r.store.EnsureVersion(ctx, r.projection.Name(), r.projection.Version()); err != nil {
			return fmt.Errorf("projection %s: %w", r.projection.Name(), err)
		}
	}
	db, err := writer(ctx, r.store, r.projection.Name(), version, r.projection.Schema())
	if err != nil {
		return err
	}
	r.db, r.version = db, version
	r.erased.Store(true) // as far as this process knows
	r.toSweep.Store(0)   // its checkpoint knows
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = Status{Projection: r.projection.Name(), Version: version}
	return nil
}

func (r *Runner) close() {
	r.projection.Forget()
	if err := r.db.Close(); err != nil {
		r.log.Warn("close the view", zap.Error(err))
	}
}

// follow reads on from the view's checkpoint, in large batches until it is near the head and in small ones from there. It
// returns the error that ended it.
func (r *Runner) follow(ctx context.Context) (err error) {
	if err := r.verify(ctx); err != nil {
		return err
	}
	outer := ctx
	ctx, leave := context.WithCancelCause(ctx)
	r.setActive(leave)
	defer func() {
		r.setActive(nil)
		if context.Cause(ctx) == errElse { //nolint:errorlint // it is that very one
			err = errElse
		}
		leave(nil)
		if outer.Err() != nil || errors.Is(err, errElse) {
			r.endLease(outer)
		}
	}()
	for {
		head, err := r.source.Head(ctx)
		if err != nil {
			return fmt.Errorf("head of the log: %w", err)
		}
		if distance(r.source, r.at.position, head) > uint64(r.o.Batch) {
			if err := r.read(ctx, r.o.CatchUp, true); err != nil {
				return err
			}
			continue
		}
		if err := r.takeOver(ctx); err != nil {
			return err
		}
		if err := r.read(ctx, r.o.Batch, false); !errors.Is(err, errBehind) {
			return err
		}
	}
}

// read applies what comes after the checkpoint. toHead: until the head of now; otherwise until an error.
func (r *Runner) read(ctx context.Context, size int, toHead bool) error {
	full := 0
	var written time.Time
	var took time.Duration
	o := ReadOptions{Open: r.projection.Opens(), Max: size, ToHead: toHead}
	return r.source.Read(ctx, r.at.position, o, func(chunk []domain.Commit) error {
		if !toHead && len(chunk) < size {
			// At the head every transaction costs the same, be it for one commit: a little patience makes them fewer, the
			// more patience the busier the machine is. At most a quarter of the time goes into transactions.
			pause(ctx, min(r.o.Linger, 3*took)-time.Since(written))
		}
		began := time.Now()
		if err := r.apply(ctx, chunk); err != nil {
			return err
		}
		written = time.Now()
		took = written.Sub(began)
		if r.o.Wrote != nil {
			r.o.Wrote(len(chunk), took)
		}
		if toHead {
			return nil
		}
		if len(chunk) < size {
			full = 0
			return nil
		}
		if full++; full*size >= r.o.CatchUp {
			return errBehind
		}
		return nil
	})
}

// pause waits for d and reports whether ctx is still alive.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// distance is how many commits lie between two positions, as far as positions tell: those of another epoch count from
// where the log was restored, and a sparse source says it itself.
func distance(source Source, from, to domain.Position) uint64 {
	if shared, ok := source.(*Shared); ok {
		source = shared.Source
	}
	if sparse, ok := source.(Sparse); ok {
		return sparse.Between(from, to)
	}
	const mask = 1<<domain.EpochBits - 1
	a, b := uint64(from)&mask, uint64(to)&mask
	if b < a {
		return 0
	}
	return b - a
}
