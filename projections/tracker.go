package projections

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"time"

	"github.com/turno-desk/turno/domain"
)

// reread is how often a waiter looks at the view itself: an announcement may have been missed.
const reread = 50 * time.Millisecond

// reannounced is how often a view is looked at that does not show what was announced: its readers don't follow the active
// version at once.
const reannounced = 10 * time.Millisecond

// unheeded is for how long it is: then only waiters look.
const unheeded = 2 * time.Second

// Tracker knows how far each view has come, whichever process builds it. An announcement only has it look: what it says
// the view's own handle has shown, so that whoever reads the view next by that handle finds at least this position, also
// right after a switch to another version. Safe for concurrent use.
type Tracker struct {
	reader func(projection string) *sql.DB
	cancel func()
	ctx    context.Context // of the looks
	end    context.CancelFunc
	looks  sync.WaitGroup

	mu     sync.Mutex
	closed bool
	views  map[string]*tracked
}

type tracked struct {
	position  domain.Position
	moved     chan struct{}   // closed at the next move
	read      time.Time       // when a waiter last looked at the view itself
	announced domain.Position // the newest word
	heeding   bool            // somebody looks until the view shows what was announced
	begun     uint64          // looks so far
	shown     uint64          // the one that position is of
}

// NewTracker listens to announcements; reader gives the reading handle of a view. The caller closes the tracker.
func NewTracker(a Announcer, reader func(projection string) *sql.DB) (*Tracker, error) {
	t := &Tracker{reader: reader, views: map[string]*tracked{}}
	t.ctx, t.end = context.WithCancel(context.Background())
	cancel, err := a.OnAnnounce(t.heard)
	if err != nil {
		return nil, fmt.Errorf("listen to announcements: %w", err)
	}
	t.cancel = cancel
	return t, nil
}

// Close ends the listening. Waiters go on until their contexts end.
func (t *Tracker) Close() {
	t.cancel()
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.end()
	t.looks.Wait()
}

// Position is how far the view had come when it was last heard of; 0 when it never was. It doesn't ask.
func (t *Tracker) Position(projection string) domain.Position {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.view(projection).position
}

// Moved is closed at the next move of the view, and says what its position is now.
func (t *Tracker) Moved(projection string) (domain.Position, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v := t.view(projection)
	return v.position, v.moved
}

// Wait returns nil once the view contains position p, and ctx's error when that comes first. Until then it may also fail
// with an error of the view's file.
func (t *Tracker) Wait(ctx context.Context, projection string, p domain.Position) error {
	look := time.NewTimer(0)
	defer look.Stop()
	for {
		at, moved := t.Moved(projection)
		if at >= p {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s to reach position %d, it is at %d: %w", projection, p, at, ctx.Err())
		case <-moved:
		case <-look.C:
			if err := t.look(ctx, projection); err != nil && ctx.Err() == nil {
				return err
			}
			look.Reset(reread)
		}
	}
}

// look reads the view's own checkpoint, at most once per reread for all waiters together.
func (t *Tracker) look(ctx context.Context, projection string) error {
	t.mu.Lock()
	v := t.view(projection)
	if time.Since(v.read) < reread {
		t.mu.Unlock()
		return nil
	}
	v.read = time.Now()
	t.mu.Unlock()
	_, err := t.show(ctx, projection)
	return err
}

// show reads the position and takes it for the view's, be it lower: a view that was rebuilt begins again.
func (t *Tracker) show(ctx context.Context, projection string) (domain.Position, error) {
	t.mu.Lock()
	v := t.view(projection)
	v.begun++
	turn := v.begun
	t.mu.Unlock()
	p, err := PositionOf(ctx, t.reader(projection))
	if err != nil {
		return 0, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if turn < v.shown { // one that began later was faster
		return v.position, nil
	}
	v.shown = turn
	if v.position != p {
		v.position = p
		close(v.moved)
		v.moved = make(chan struct{})
	}
	return p, nil
}

// heard has the view looked at until it shows what was announced.
func (t *Tracker) heard(projection string, p domain.Position) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v := t.view(projection)
	v.announced = p
	if v.heeding || t.closed || v.position == p {
		return
	}
	v.heeding = true
	t.looks.Go(func() { t.heed(projection, v) })
}

func (t *Tracker) heed(projection string, v *tracked) {
	for since := time.Now(); ; {
		t.mu.Lock()
		word := v.announced
		t.mu.Unlock()
		p, err := t.show(t.ctx, projection)
		if err == nil && p < word && time.Since(since) < unheeded && pause(t.ctx, reannounced) {
			continue
		}
		t.mu.Lock()
		if err != nil || p < word || v.announced == word || t.closed {
			v.heeding = false
			t.mu.Unlock()
			return
		}
		t.mu.Unlock()
		since = time.Now()
	}
}

func (t *Tracker) view(projection string) *tracked {
	v := t.views[projection]
	if v == nil {
		v = &tracked{moved: make(chan struct{})}
		t.views[projection] = v
	}
	return v
}
