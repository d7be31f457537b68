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

// Tracker knows how far each view has come, whichever process builds it. Safe for concurrent use.
type Tracker struct {
	reader func(projection string) *sql.DB
	cancel func()

	mu    sync.Mutex
	views map[string]*tracked
}

type tracked struct {
	position domain.Position
	moved    chan struct{} // closed at the next move
	read     time.Time     // when the view itself was last looked at
}

// NewTracker listens to announcements; reader gives the reading handle of a view. The caller closes the tracker.
func NewTracker(a Announcer, reader func(projection string) *sql.DB) (*Tracker, error) {
	t := &Tracker{reader: reader, views: map[string]*tracked{}}
	cancel, err := a.OnAnnounce(t.heard)
	if err != nil {
		return nil, fmt.Errorf("listen to announcements: %w", err)
	}
	t.cancel = cancel
	return t, nil
}

// Close ends the listening. Waiters go on until their contexts end.
func (t *Tracker) Close() { t.cancel() }

// Position is how far the view had come when it was last heard of; 0 when it never was. It doesn't ask.
func (t *Tracker) Position(projection string) domain.Position {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.view(projection).position
}

// Moved is closed at the next announcement of the view, with what its position is now.
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
	p, err := PositionOf(ctx, t.reader(projection))
	if err != nil {
		return err
	}
	t.heard(projection, p)
	return nil
}

// heard takes the newest word, be it lower: a view that was rebuilt begins again.
func (t *Tracker) heard(projection string, p domain.Position) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v := t.view(projection)
	if v.position == p {
		return
	}
	v.position = p
	close(v.moved)
	v.moved = make(chan struct{})
}

func (t *Tracker) view(projection string) *tracked {
	v := t.views[projection]
	if v == nil {
		v = &tracked{moved: make(chan struct{})}
		t.views[projection] = v
	}
	return v
}
