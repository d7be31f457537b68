package command_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/turno-desk/turno/adapters/codec"
	"github.com/turno-desk/turno/adapters/memory"
	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/setting"
)

// settingsLog is the memory store with what a test puts in its way.
type settingsLog struct {
	*memory.Store
	asks    atomic.Int64 // how often it was asked whether there is anything newer
	reads   atomic.Int64
	latest  func() error  // before a Latest
	stalled atomic.Bool   // Follow says nothing
	ended   chan struct{} // a Follow ends for every value
}

func (l *settingsLog) Newest(ctx context.Context, workspace string, categories ...domain.Category) (newest, upTo domain.Position, err error) {
	l.asks.Add(1)
	if l.latest != nil {
		if err := l.latest(); err != nil {
			return 0, 0, err
		}
	}
	return l.Store.Newest(ctx, workspace, categories...)
}

func (l *settingsLog) Latest(ctx context.Context, workspace string, categories ...domain.Category) ([]domain.Commit, domain.Position, error) {
	l.reads.Add(1)
	if l.latest != nil {
		if err := l.latest(); err != nil {
			return nil, 0, err
		}
	}
	return l.Store.Latest(ctx, workspace, categories...)
}

func (l *settingsLog) Follow(ctx context.Context, workspace string, after domain.Position, categories []domain.Category, fn func(domain.Commit), fresh func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	gone := errors.New("the connection is gone")
	if l.ended != nil {
		go func() {
			select {
			case <-l.ended:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	err := l.Store.Follow(ctx, workspace, after, categories, func(c domain.Commit) {
		if !l.stalled.Load() {
			fn(c)
		}
	}, func() {
		if !l.stalled.Load() {
			fresh()
		}
	})
	return errors.Join(gone, err)
}

func putDepartment(t *testing.T, log *memory.Store, id, name string) domain.Position {
	t.Helper()
	a := domain.Aggregate{Workspace: "default", Category: domain.CategoryDepartment, ID: id}
	_, v, err := log.Load(t.Context(), a, 0, func(*domain.Commit) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	p, _, err := log.Append(t.Context(), domain.Commit{
		ID: fmt.Sprintf("dep-%s-%d", id, v), Aggregate: a, Recorded: now, Time: now, Origin: domain.OriginLive,
		Actor: domain.Actor{Kind: domain.ActorAdmin}, Events: []domain.Event{department.Changed{Definition: department.Definition{ID: id, Name: name}}},
	}, v)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func run(t *testing.T, image *command.Image) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- image.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run ended with %v", err)
		}
	})
}

func newImage(t *testing.T, within time.Duration) (*settingsLog, *command.Image) {
	t.Helper()
	log := &settingsLog{Store: memory.New(codec.New(&keys{}))}
	image := command.NewImage(log, "default", command.ImageOptions{})
	image.SetWithin(within)
	return log, image
}

func TestAnImageThatNobodyKeepsIsUnavailable(t *testing.T) {
	_, image := newImage(t, 20*time.Millisecond)
	if _, err := image.Snapshot(t.Context()); !errors.Is(err, command.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := image.Snapshot(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestTheFirstSnapshotWaitsForTheFirstLoad(t *testing.T) {
	log, image := newImage(t, 5*time.Second)
	putDepartment(t, log.Store, "sales", "Sales")
	first := make(chan *setting.Image)
	go func() {
		img, err := image.Snapshot(context.Background())
		if err != nil {
			t.Error(err)
		}
		first <- img
	}()
	run(t, image)
	if img := <-first; img == nil || img.Departments["sales"].Name != "Sales" {
		t.Errorf("the first image is %+v", img)
	}
}

func TestAnImageFollowsTheLogAndTellsOfEveryChangeInOrder(t *testing.T) {
	log, image := newImage(t, 5*time.Second)
	putDepartment(t, log.Store, "sales", "0")
	var names []string
	done := make(chan struct{})
	image.OnChange(func(img *setting.Image) {
		names = append(names, img.Departments["sales"].Name)
		if names[len(names)-1] == "5" {
			close(done)
		}
	})
	run(t, image)
	if _, err := image.Snapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		putDepartment(t, log.Store, "sales", fmt.Sprint(i+1))
	}
	<-done
	if !slices.Equal(names, []string{"0", "1", "2", "3", "4", "5"}) {
		t.Errorf("heard %v", names)
	}
	late := ""
	image.OnChange(func(img *setting.Image) { late = img.Departments["sales"].Name })
	if late != "5" {
		t.Errorf("who listens late hears %q first", late)
	}
}

func TestAnImageThatFallsBehindRefusesAndRecovers(t *testing.T) {
	log, image := newImage(t, 400*time.Millisecond)
	run(t, image)
	if _, err := image.Snapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
	log.stalled.Store(true)
	for { // every Snapshot waits for the limit, so this is the second one or the third
		if _, err := image.Snapshot(t.Context()); err != nil {
			if !errors.Is(err, command.ErrUnavailable) {
				t.Fatalf("got %v", err)
			}
			break
		}
	}
	log.stalled.Store(false)
	if err := image.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := image.Snapshot(t.Context()); err != nil {
		t.Errorf("after a refresh: %v", err)
	}
}

func TestAFollowThatEndsIsBegunAnewAndMissesNothing(t *testing.T) {
	log, image := newImage(t, 5*time.Second)
	log.ended = make(chan struct{})
	run(t, image)
	if _, err := image.Snapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen := make(chan string, 10)
	image.OnChange(func(img *setting.Image) { seen <- img.Departments["sales"].Name })
	<-seen // the present one
	for _, name := range []string{"a", "b"} {
		log.ended <- struct{}{}
		putDepartment(t, log.Store, "sales", name)
		if got := <-seen; got != name {
			t.Errorf("heard %q, want %q", got, name)
		}
	}
}

func TestConfirmHoldsEverythingThatTheLogHeldAtTheCall(t *testing.T) {
	log, image := newImage(t, 5*time.Second)
	if err := image.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	before, err := image.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, changed, err := image.Confirm(t.Context(), before); changed || err != nil {
		t.Errorf("nothing has changed: %t, %v", changed, err)
	}
	putDepartment(t, log.Store, "sales", "Sales")
	after, changed, err := image.Confirm(t.Context(), before)
	if err != nil || !changed || after.Departments["sales"].Name != "Sales" {
		t.Errorf("got %+v, %t, %v", after, changed, err)
	}
	if _, changed, _ = image.Confirm(t.Context(), before); !changed {
		t.Error("what somebody else has confirmed meanwhile is a change for who decided before")
	}
}

func TestConfirmsAtTheSameTimeShareTheirReads(t *testing.T) {
	log, image := newImage(t, 5*time.Second)
	entered, leave := make(chan struct{}, 100), make(chan struct{})
	log.latest = func() error { entered <- struct{}{}; <-leave; return nil }
	var wg sync.WaitGroup
	confirm := func() {
		if _, _, err := image.Confirm(context.Background(), nil); err != nil {
			t.Error(err)
		}
	}
	wg.Go(confirm)
	<-entered
	for range 49 {
		wg.Go(confirm)
	}
	for image.Asked() < 50 {
		runtime.Gosched()
	}
	putDepartment(t, log.Store, "sales", "Sales")
	close(leave)
	wg.Wait()
	if asks, reads := log.asks.Load(), log.reads.Load(); asks+reads != 2 {
		t.Errorf("50 confirmations, 49 of them during the first one's, asked %d times and read %d times", asks, reads)
	}
	img, err := image.Snapshot(t.Context())
	if err != nil || img.Departments["sales"].Name != "Sales" {
		t.Errorf("got %+v, %v", img, err)
	}
}

func TestConfirmFailsWithTheLogAndTheNextOneTriesAgain(t *testing.T) {
	log, image := newImage(t, 5*time.Second)
	down := true
	log.latest = func() error {
		if down {
			return errors.New("no route to host")
		}
		return nil
	}
	if _, _, err := image.Confirm(t.Context(), nil); !errors.Is(err, command.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	down = false
	if _, _, err := image.Confirm(t.Context(), nil); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestAReadThatTheLogOutranIsTakenAgainAndNeverSetsAnythingBack(t *testing.T) {
	log, image := newImage(t, 5*time.Second)
	putDepartment(t, log.Store, "sales", "old")
	img, _, err := image.Confirm(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	stale, _, err := log.Store.Latest(t.Context(), "default", setting.Categories()...)
	if err != nil {
		t.Fatal(err)
	}
	putDepartment(t, log.Store, "sales", "new")
	fake := &scripted{answers: [][]domain.Commit{nil, stale}}
	fake.answers[0], _, _ = log.Store.Latest(t.Context(), "default", setting.Categories()...)
	other := command.NewImage(fake, "default", command.ImageOptions{})
	for range 2 {
		if img, _, err = other.Confirm(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	if img.Departments["sales"].Name != "new" {
		t.Errorf("an older read set it back to %q", img.Departments["sales"].Name)
	}
	if fake.asked != 6 {
		t.Errorf("reads that the log outran were taken %d times", fake.asked)
	}
}

// scripted answers each load with what it is told, at a position before it: as if the log moved under every read.
type scripted struct {
	answers [][]domain.Commit
	asked   int
}

func (s *scripted) Latest(context.Context, string, ...domain.Category) ([]domain.Commit, domain.Position, error) {
	answer := s.answers[s.asked/3]
	s.asked++
	return answer, 1, nil
}

func (s *scripted) Newest(context.Context, string, ...domain.Category) (newest, upTo domain.Position, err error) {
	return 1 << 30, 1 << 30, nil // there is always something newer
}

func (s *scripted) Follow(ctx context.Context, _ string, _ domain.Position, _ []domain.Category, _ func(domain.Commit), _ func()) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestWaitingForAPosition(t *testing.T) {
	log, image := newImage(t, 5*time.Second)
	p := putDepartment(t, log.Store, "sales", "Sales")
	if err := image.WaitFor(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	img, err := image.Snapshot(t.Context())
	if err != nil || img.Position != p {
		t.Errorf("got %+v, %v", img, err)
	}
	reads := log.reads.Load()
	if err := image.WaitFor(t.Context(), p); err != nil || log.reads.Load() != reads {
		t.Errorf("waiting for what is known: %v, %d reads more", err, log.reads.Load()-reads)
	}
	refused(t, image.WaitFor(t.Context(), p+1), command.CodePositionAhead)
}
