package command_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/turno-desk/turno/adapters/memory"
	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
)

// troubled is the memory store with a fault for every append: it gets the append that would have been done.
type troubled struct {
	*memory.Store
	mu     sync.Mutex
	tries  int
	fault  func(try int, append func() (domain.Position, domain.Version, error)) (domain.Position, domain.Version, error)
	broken error // of every load after the first append
}

func (l *troubled) Append(ctx context.Context, c domain.Commit, v domain.Version) (domain.Position, domain.Version, error) {
	l.mu.Lock()
	l.tries++
	try := l.tries
	l.mu.Unlock()
	return l.fault(try, func() (domain.Position, domain.Version, error) { return l.Store.Append(ctx, c, v) })
}

func (l *troubled) Load(ctx context.Context, a domain.Aggregate, since domain.Version, stop func(*domain.Commit) bool) ([]domain.Commit, domain.Version, error) {
	l.mu.Lock()
	broken := l.tries > 0 && l.broken != nil
	l.mu.Unlock()
	if broken {
		return nil, 0, l.broken
	}
	return l.Store.Load(ctx, a, since, stop)
}

type appending = func() (domain.Position, domain.Version, error)

var errLost = fmt.Errorf("the answer is lost: %w", command.ErrUncertain)

func TestAppendsWithFaults(t *testing.T) {
	meddle := func(b *bureau) { // somebody else changes the department meanwhile
		if _, err := b.settings.PutDepartment(context.Background(), admin, department.Put{ID: "ventas", Name: "meddled"}); err != nil {
			t.Error(err)
		}
	}
	for name, c := range map[string]struct {
		fault  func(b *bureau, try int, do appending) (domain.Position, domain.Version, error)
		broken error
		want   error    // nil: success
		names  []string // of the department, over time
		tries  int
	}{
		"an answer that is lost is found again": {
			fault: func(_ *bureau, try int, do appending) (domain.Position, domain.Version, error) {
				if _, _, err := do(); err != nil {
					return 0, 0, err
				}
				return 0, 0, errLost
			},
			names: []string{"mine"}, tries: 1},
		"and also behind what others have appended since": {
			fault: func(b *bureau, try int, do appending) (domain.Position, domain.Version, error) {
				if _, _, err := do(); err != nil {
					return 0, 0, err
				}
				meddle(b)
				return 0, 0, errLost
			},
			names: []string{"mine", "meddled"}, tries: 1},
		"a conflict with oneself is a success": {
			fault: func(_ *bureau, try int, do appending) (domain.Position, domain.Version, error) {
				if _, _, err := do(); err != nil {
					return 0, 0, err
				}
				return 0, 0, command.ErrConflict
			},
			names: []string{"mine"}, tries: 1},
		"an append that got lost itself is sent again": {
			fault: func(_ *bureau, try int, do appending) (domain.Position, domain.Version, error) {
				if try < 3 {
					return 0, 0, errLost
				}
				return do()
			},
			names: []string{"mine"}, tries: 3},
		"a conflict is decided again": {
			fault: func(b *bureau, try int, do appending) (domain.Position, domain.Version, error) {
				if try == 1 {
					meddle(b)
				}
				return do()
			},
			names: []string{"meddled", "mine"}, tries: 2},
		"whoever always comes too late gives up": {
			fault: func(*bureau, int, appending) (domain.Position, domain.Version, error) {
				return 0, 0, fmt.Errorf("again: %w", command.ErrConflict)
			},
			want: command.ErrUnavailable, tries: 6},
		"what stays unknown is called unknown": {
			fault: func(*bureau, int, appending) (domain.Position, domain.Version, error) { return 0, 0, errLost },
			want:  command.ErrUncertain, tries: 6},
		"also when nobody can look any more": {
			fault:  func(*bureau, int, appending) (domain.Position, domain.Version, error) { return 0, 0, errLost },
			broken: command.ErrUnavailable,
			want:   command.ErrUncertain, tries: 1},
		"a full disk is said at once": {
			fault: func(*bureau, int, appending) (domain.Position, domain.Version, error) { return 0, 0, command.ErrFull },
			want:  command.ErrFull, tries: 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBureau(t)
			log := &troubled{Store: b.log, broken: c.broken}
			log.fault = func(try int, do appending) (domain.Position, domain.Version, error) { return c.fault(b, try, do) }
			settings := b.process(t, log)
			got, err := settings.PutDepartment(t.Context(), admin, department.Put{ID: "ventas", Name: "mine"})
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			var names []string
			for _, commit := range b.commits(t, domain.CategoryDepartment, "ventas") {
				d := department.DefinitionOf(commit.Events[0].(department.Event))
				names = append(names, d.Name)
				if d.Name == "mine" && (commit.Position != got.Position || got.Replayed) {
					t.Errorf("it is at %d, the answer is %+v", commit.Position, got)
				}
			}
			if !slices.Equal(names, c.names) || log.tries != c.tries {
				t.Errorf("the department was called %v, in %d appends", names, log.tries)
			}
		})
	}
}

func TestTheSameKeyAtTheSameTimeAppendsOnce(t *testing.T) {
	b := newBureau(t)
	processes := []*command.Settings{b.settings, b.process(t, b.log)}
	var wg sync.WaitGroup
	positions := make([]domain.Position, 16)
	for i := range positions {
		wg.Go(func() {
			got, err := processes[i%2].SetAvailability(context.Background(), keyed(as("ana"), "k", "h"), "ana", false, "")
			if err != nil {
				t.Error(err)
			}
			positions[i] = got.Position
		})
	}
	wg.Wait()
	if n := len(b.commits(t, domain.CategoryPresence, "ana")); n != 1 || len(slices.Compact(positions)) != 1 {
		t.Errorf("%d commits, positions %v", n, positions)
	}
}
