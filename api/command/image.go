package command

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
)

// FreshWithin is how old the settings of this process may be for a decision. The log is asked at least four times a
// second, so it takes three missed answers.
const FreshWithin = time.Second

// Image is the configuration of one workspace as this process knows it: loaded from the newest commit of each aggregate,
// then followed live. Run keeps it; everything else may be called from any goroutine.
type Image struct {
	log       SettingsLog
	workspace string
	logger    *zap.Logger
	within    time.Duration
	born      time.Time

	current   atomic.Pointer[setting.Image] // nil until loaded
	confirmed atomic.Int64                  // when the log held no more than current, in ns since born; 0: never
	known     atomic.Uint64                 // position up to which current is complete

	mu       sync.Mutex // held while current is replaced
	newest   map[domain.Aggregate]domain.Position
	watchers []func(*setting.Image)
	moved    chan struct{} // closed, and made anew, whenever current or confirmed moves

	turn  chan struct{} // one load at a time
	asked atomic.Uint64 // loads asked for
	done  uint64        // those that a load has served; guarded by turn
}

// ImageOptions are what may be left out.
type ImageOptions struct {
	Logger *zap.Logger // none
}

// NewImage makes the image of a workspace. It knows nothing until Run, Confirm or WaitFor has loaded it.
func NewImage(log SettingsLog, workspace string, o ImageOptions) *Image {
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	return &Image{
		log: log, workspace: workspace, logger: o.Logger, within: FreshWithin, born: time.Now(),
		newest: map[domain.Aggregate]domain.Position{}, moved: make(chan struct{}), turn: make(chan struct{}, 1),
	}
}

// Run loads the image and follows the log until ctx ends; then it returns nil. When the log can't be reached it tries
// again, after 50 ms at first and 1 s at most.
func (i *Image) Run(ctx context.Context) error {
	const first, most = 50 * time.Millisecond, time.Second
	pause := first
	for {
		err := i.load(ctx)
		if err == nil {
			pause = first
			err = i.log.Follow(ctx, i.workspace, domain.Position(i.known.Load()), setting.Categories(),
				func(c domain.Commit) { i.apply(c.Position, c) }, func() { i.confirm(time.Now()) })
		}
		if ctx.Err() != nil {
			return nil
		}
		i.logger.Warn("the settings can't be followed; trying again", zap.Duration("in", pause), zap.Error(err))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, most)
	}
}

// Snapshot is the image, no older than FreshWithin. When it isn't known to be that fresh it waits as long for it, and
// then returns ErrUnavailable.
func (i *Image) Snapshot(ctx context.Context) (*setting.Image, error) {
	if img, ok := i.fresh(); ok {
		return img, nil
	}
	limit := time.NewTimer(i.within)
	defer limit.Stop()
	for {
		moved := i.moves()
		if img, ok := i.fresh(); ok {
			return img, nil
		}
		select {
		case <-moved:
		case <-limit.C:
			return nil, fmt.Errorf("the settings have not been confirmed for %s: %w", i.within, ErrUnavailable)
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for the settings: %w", ctx.Err())
		}
	}
}

func (i *Image) fresh() (*setting.Image, bool) {
	img, at := i.current.Load(), i.confirmed.Load()
	return img, img != nil && at > 0 && time.Since(i.born)-time.Duration(at) <= i.within
}

// Age is how long ago the image was last known to be all that the log holds, and its position; known is false before it was
// loaded.
func (i *Image) Age() (at domain.Position, age time.Duration, known bool) {
	img, confirmed := i.current.Load(), i.confirmed.Load()
	if img == nil || confirmed == 0 {
		return 0, 0, false
	}
	return img.Position, max(0, time.Since(i.born)-time.Duration(confirmed)), true
}

// Confirm asks the log: the image it returns holds everything that the log held at the call. changed says whether that is
// more than the image that the caller decided with. Concurrent calls share one read of the log.
func (i *Image) Confirm(ctx context.Context, decided *setting.Image) (img *setting.Image, changed bool, err error) {
	if err := i.load(ctx); err != nil {
		return nil, false, err
	}
	img = i.current.Load()
	return img, decided == nil || img.Position != decided.Position, nil
}

// Refresh makes sure that everything the log holds at the call is in the image.
func (i *Image) Refresh(ctx context.Context) error { return i.load(ctx) }

// Head is a position up to which the log was read for this call: whatever was appended before it is at or before it.
func (i *Image) Head(ctx context.Context) (domain.Position, error) {
	if err := i.load(ctx); err != nil {
		return 0, err
	}
	return domain.Position(i.known.Load()), nil
}

// CodePositionAhead refuses to wait for a position that the log has not come to.
const CodePositionAhead domain.Code = "position_ahead"

// WaitFor returns when the image holds all settings up to position. A position beyond the log's head is refused.
func (i *Image) WaitFor(ctx context.Context, position domain.Position) error {
	if domain.Position(i.known.Load()) >= position {
		return nil
	}
	if err := i.load(ctx); err != nil {
		return err
	}
	if head := domain.Position(i.known.Load()); head < position {
		return &domain.Refusal{Code: CodePositionAhead,
			Detail: fmt.Sprintf("Position %d is beyond the log's head, %d.", position, head)}
	}
	return nil
}

// arrived waits until the follow has brought the commit at position, which this process has appended itself: whoever was
// told of a success finds it in the settings of this process. It gives up quietly after a while: the success stands.
func (i *Image) arrived(ctx context.Context, position domain.Position) {
	limit := time.NewTimer(FreshWithin / 4)
	defer limit.Stop()
	for {
		moved := i.moves()
		if domain.Position(i.known.Load()) >= position {
			return
		}
		select {
		case <-moved:
		case <-limit.C:
			_ = i.load(ctx)
			return
		case <-ctx.Done():
			return
		}
	}
}

// behind reports whether the log holds a newer commit of the aggregate than the image.
func (i *Image) behind(ctx context.Context, log Log, a domain.Aggregate) (bool, error) {
	commits, _, err := log.Load(ctx, a, 0, func(*domain.Commit) bool { return true })
	if err != nil {
		return false, fmt.Errorf("load %s: %w", a, err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(commits) > 0 && commits[len(commits)-1].Position > i.newest[a], nil
}

// OnChange calls fn with every new image, in order, and at once with the present one if there is one. fn must be quick and
// must not ask this Image for anything.
func (i *Image) OnChange(fn func(*setting.Image)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.watchers = append(i.watchers, fn)
	if img := i.current.Load(); img != nil {
		fn(img)
	}
}

// load reads the newest commit of every aggregate. Whoever waited while another load began after their call is served
// by that one.
func (i *Image) load(ctx context.Context) error {
	ticket := i.asked.Add(1)
	select {
	case i.turn <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("waiting for the settings: %w", ctx.Err())
	}
	defer func() { <-i.turn }()
	if i.done >= ticket {
		return nil
	}
	serves, began := i.asked.Load(), time.Now()
	commits, upTo, err := i.newer(ctx)
	if err != nil {
		return fmt.Errorf("loading the settings: %w", err)
	}
	i.apply(upTo, commits...)
	i.confirm(began)
	i.done = serves
	return nil
}

// newer reads what the image does not have yet. Mostly that is nothing, and costs a look at the newest commit alone.
func (i *Image) newer(ctx context.Context) ([]domain.Commit, domain.Position, error) {
	if img := i.current.Load(); img != nil {
		newest, upTo, err := i.log.Newest(ctx, i.workspace, setting.Categories()...)
		if err != nil {
			return nil, 0, unreachable(ctx, err)
		}
		if newest <= img.Position {
			return nil, upTo, nil
		}
	}
	return i.latest(ctx)
}

// latest reads again while the log moves under the read, so that what it returns is the configuration at one position.
// After three times it is content with a few aggregates being newer: the follow brings the rest.
func (i *Image) latest(ctx context.Context) ([]domain.Commit, domain.Position, error) {
	for try := 1; ; try++ {
		commits, upTo, err := i.log.Latest(ctx, i.workspace, setting.Categories()...)
		if err != nil {
			return nil, 0, unreachable(ctx, err)
		}
		newest := domain.Position(0)
		for k := range commits {
			newest = max(newest, commits[k].Position)
		}
		if newest <= upTo || try == 3 {
			return commits, upTo, nil
		}
	}
}

// unreachable makes a failure of the log one that the port knows.
func unreachable(ctx context.Context, err error) error {
	if ctx.Err() == nil && !errors.Is(err, ErrUnavailable) {
		return errors.Join(ErrUnavailable, err)
	}
	return err
}

// apply adds the commits that are newer than what the image holds of their aggregates; with them it is complete up to upTo.
func (i *Image) apply(upTo domain.Position, commits ...domain.Commit) {
	i.mu.Lock()
	defer i.mu.Unlock()
	img := i.current.Load()
	first := img == nil
	if first {
		img = &setting.Image{Workspace: i.workspace}
	}
	var newer []domain.Commit
	for _, c := range commits {
		if c.Position > i.newest[c.Aggregate] {
			i.newest[c.Aggregate] = c.Position
			newer = append(newer, c)
		}
	}
	if first || len(newer) > 0 {
		img = img.Apply(newer...)
		i.current.Store(img)
		for _, fn := range i.watchers {
			fn(img)
		}
	}
	if uint64(upTo) > i.known.Load() {
		i.known.Store(uint64(upTo))
	}
	i.signal()
}

func (i *Image) confirm(at time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if ns := max(1, int64(at.Sub(i.born))); ns > i.confirmed.Load() {
		i.confirmed.Store(ns)
	}
	i.signal()
}

func (i *Image) signal() {
	close(i.moved)
	i.moved = make(chan struct{})
}

func (i *Image) moves() <-chan struct{} {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.moved
}
