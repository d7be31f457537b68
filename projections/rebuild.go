package projections

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/turno-desk/turno/domain"
)

// ErrDiffers says that a version that was built anew is not what the active one is. Both are kept, for a look.
var ErrDiffers = errors.New("the version that was built anew differs from the active one")

// RebuildOptions tune a Rebuild. The zero value works.
type RebuildOptions struct {
	Options                // Strict and Linger don't matter
	Keep    bool           // leave the active version as it is, and the new one beside
	Report  func(Progress) // called about once a second while it builds; may be nil
}

// Progress is how far a rebuild has come.
type Progress struct {
	Version  int
	Position domain.Position // of the new version
	Goal     domain.Position // of the active one, which moves on meanwhile
	Events   int             // so far
	Elapsed  time.Duration
}

// Rebuilt is what a Rebuild did.
type Rebuilt struct {
	Projection string
	Definition int
	Before     int // the version that was active; 0 for none
	Version    int // the new one
	Position   domain.Position
	Commits    int
	Events     int
	Built      time.Duration // until it had caught up the first time
	Compared   Comparison    // zero when there was nothing to compare with
	Switched   bool
	Fenced     time.Duration // for how long the switch kept batches from being written
}

// Rebuild builds a new version of a view beside the active one, at full speed, while queries and whoever is at work on
// that go on. Then it compares the two at one and the same position, and makes the new one the active one. It never
// parks: it fails with ErrPoison, naming the commit, when there is one that p can't digest, and removes what it built.
// When the two differ it fails with ErrDiffers, or with ErrBroken when the new one breaks the projection's own rules, and
// keeps both. p must be no other runner's.
func Rebuild(ctx context.Context, source Source, store Store, p Projection, announcer Announcer, o RebuildOptions) (done Rebuilt, err error) {
	o.Strict = true
	r := NewRunner(source, store, p, announcer, o.Options)
	if err := r.notOlder(ctx); err != nil {
		return done, err
	}
	before, found, err := store.Active(ctx, p.Name())
	if err != nil {
		return done, err
	}
	if r.fixed, err = store.NewVersion(ctx, p.Name(), p.Version()); err != nil {
		return done, err
	}
	done = Rebuilt{Projection: p.Name(), Definition: p.Version(), Version: r.fixed}
	if found {
		done.Before = before
	}
	err = r.rebuild(ctx, o, &done)
	if err != nil && !errors.Is(err, ErrDiffers) && !errors.Is(err, ErrBroken) {
		r.giveUp(ctx)
	}
	return done, err
}

// notOlder fails with ErrNewer when the active version is of a newer definition.
func (r *Runner) notOlder(ctx context.Context) error {
	newer, err := r.newer(ctx)
	if err == nil && newer.Number != 0 {
		err = fmt.Errorf("view %s: %w: version %d has definition %d, this program has %d",
			r.projection.Name(), ErrNewer, newer.Number, newer.Definition, r.projection.Version())
	}
	return err
}

// giveUp removes what was built, when it isn't the active version by now.
func (r *Runner) giveUp(ctx context.Context) {
	if err := r.store.Drop(context.WithoutCancel(ctx), r.projection.Name(), r.fixed); err != nil && !errors.Is(err, ErrActive) {
		r.log.Warn("drop what was built", zap.Int("version", r.fixed), zap.Error(err))
	}
}

func (r *Runner) rebuild(ctx context.Context, o RebuildOptions, done *Rebuilt) error {
	if err := r.open(ctx); err != nil {
		return err
	}
	defer r.close()
	if err := r.verify(ctx); err != nil {
		return err
	}
	ctx, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	r.setActive(leave)
	defer r.beat(ctx)()
	defer r.endLease(ctx)

	meter := &meter{r: r, report: o.Report, done: done, began: time.Now()}
	if done.Before == 0 {
		if err := r.readUpTo(ctx, 0, meter); err != nil {
			return err
		}
		done.Built, done.Position, done.Switched = time.Since(meter.began), r.at.position, true
		return r.takeOver(ctx)
	}
	if err := r.catchUpWith(ctx, done.Before, meter); err != nil {
		return err
	}
	done.Built = time.Since(meter.began)
	err := r.compare(ctx, done.Before, meter, &done.Compared)
	done.Position = r.at.position
	if err != nil || o.Keep {
		return err
	}
	// The comparison took its time.
	if err := r.catchUpWith(ctx, done.Before, meter); err != nil {
		return err
	}
	done.Fenced, err = r.switchFrom(ctx, done.Before)
	done.Position, done.Switched = r.at.position, err == nil
	return err
}

// catchUpWith brings the open version to within a batch of another, and never further than that one is, so that the two
// can be compared.
func (r *Runner) catchUpWith(ctx context.Context, other int, m *meter) error {
	for {
		goal, err := r.positionOf(ctx, other)
		if err != nil {
			return err
		}
		m.goal = goal
		if goal <= r.at.position || distance(r.source, r.at.position, goal) <= uint64(r.o.Batch) {
			return nil
		}
		if err := r.readUpTo(ctx, goal, m); err != nil {
			return err
		}
		if r.at.position < goal {
			return fmt.Errorf("version %d of %s is at %d, where this log has no commit", other, r.projection.Name(), goal)
		}
	}
}

func (r *Runner) positionOf(ctx context.Context, version int) (domain.Position, error) {
	db, err := r.store.ReaderOf(ctx, r.projection.Name(), version)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	return PositionOf(ctx, db)
}

// errReached ends a read at the position where it was to end.
var errReached = errors.New("the position is reached")

// readUpTo applies what comes after the checkpoint up to a position, or up to the head when that is lower or `to` is 0.
func (r *Runner) readUpTo(ctx context.Context, to domain.Position, m *meter) error {
	if to != 0 && r.at.position >= to {
		return nil
	}
	o := ReadOptions{Open: r.projection.Opens(), Max: r.o.CatchUp, ToHead: true}
	err := r.source.Read(ctx, r.at.position, o, func(chunk []domain.Commit) error {
		for to != 0 && len(chunk) > 0 && chunk[len(chunk)-1].Position > to {
			chunk = chunk[:len(chunk)-1]
		}
		if len(chunk) == 0 {
			return errReached
		}
		if err := r.apply(ctx, chunk); err != nil {
			return err
		}
		m.count(chunk)
		if to != 0 && r.at.position >= to {
			return errReached
		}
		return nil
	})
	if errors.Is(err, errReached) {
		return nil
	}
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, errElse) {
		return fmt.Errorf("version %d of %s: %w", r.version, r.projection.Name(), ErrNoVersion) // dropped meanwhile
	}
	return err
}

// meter counts what a rebuild reads, and tells of it once a second.
type meter struct {
	r      *Runner
	report func(Progress)
	done   *Rebuilt
	goal   domain.Position
	began  time.Time
	told   time.Time
}

func (m *meter) count(chunk []domain.Commit) {
	m.done.Commits += len(chunk)
	for i := range chunk {
		m.done.Events += len(chunk[i].Events)
	}
	if m.report == nil || time.Since(m.told) < time.Second {
		return
	}
	m.told = time.Now()
	m.report(Progress{Version: m.r.version, Position: m.r.at.position, Goal: m.goal, Events: m.done.Events, Elapsed: time.Since(m.began)})
}

// SwitchTo makes another version of the view the active one, after bringing it up to date with the log. It must be of p's
// definition, or none may know how to go on with it. It does not compare: it is the way back, and the way on when a
// comparison refused. It returns how long no batch could be written.
func SwitchTo(ctx context.Context, source Source, store Store, p Projection, announcer Announcer, version int, o Options) (fenced time.Duration, err error) {
	all, err := store.Versions(ctx, p.Name())
	if err != nil {
		return 0, err
	}
	var to, active VersionInfo
	for _, v := range all {
		if v.Number == version {
			to = v
		}
		if v.Active {
			active = v
		}
	}
	switch {
	case to.Number == 0:
		return 0, fmt.Errorf("%w: %s %d", ErrNoVersion, p.Name(), version)
	case to.Definition != p.Version():
		return 0, fmt.Errorf("version %d of %s has definition %d, this program has %d: have the program do it that built it",
			version, p.Name(), to.Definition, p.Version())
	case to.Active:
		return 0, nil
	}
	o.Strict = false // a version that lacks what is parked may be gone back to
	r := NewRunner(source, store, p, announcer, o)
	r.fixed = version
	if active.Definition > to.Definition {
		if _, leased, err := r.standing(ctx, active); err != nil {
			return 0, err
		} else if time.Since(leased) < 2*r.o.StandBy {
			return 0, fmt.Errorf("%w, and a program that has it is at work: it would switch again; stop it first", ErrNewer)
		}
	}
	if err := r.open(ctx); err != nil {
		return 0, err
	}
	defer r.close()
	// It may be fenced still, from when it was the active version.
	if _, err := r.db.ExecContext(ctx, `UPDATE runner_checkpoint SET wall_fenced = 0`); err != nil {
		return 0, fmt.Errorf("version %d of %s: %w", version, p.Name(), err)
	}
	if err := r.verify(ctx); err != nil {
		return 0, err
	}
	defer r.endLease(ctx)
	for {
		head, err := source.Head(ctx)
		if err != nil {
			return 0, fmt.Errorf("head of the log: %w", err)
		}
		if distance(source, r.at.position, head) <= uint64(r.o.Batch) {
			break
		}
		if err := r.read(ctx, r.o.CatchUp, true); err != nil {
			return 0, err
		}
	}
	if active.Number == 0 {
		return 0, store.Activate(ctx, p.Name(), version)
	}
	return r.switchFrom(ctx, active.Number)
}

// Drop removes a version of a view. ErrActive for the active one. Whoever builds it finds out and gives up.
func Drop(ctx context.Context, store Store, projection string, version int) error {
	all, err := store.Versions(ctx, projection)
	if err != nil {
		return err
	}
	for _, v := range all {
		if v.Number == version {
			return store.Drop(ctx, projection, version)
		}
	}
	return fmt.Errorf("%w: %s %d", ErrNoVersion, projection, version)
}
