package http

import (
	"context"
	"errors"
	"sort"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

// ringSize is how many recent commits the follower keeps unless Options say otherwise. A stream that is further behind reads
// the log itself.
const ringSize = 8192

// glance is what a push needs of a commit: which conversation, and who could see it before and after. It holds nothing
// personal.
type glance struct {
	position     domain.Position
	conversation string // empty for a commit that no stream shows
	opened       domain.Position
	before       *domain.Sight
	after        *domain.Sight
	offered      []string             // operators to whom the commit has offered it
	alerts       []thread.Alerted     // that the commit has made
	given        string               // operator who has it from now on, by somebody else's doing
	inbound      bool                 // the contact wrote
	listed       bool                 // it has come to wait on a department's list
	by           string               // operator who did it
	operator     *operator.Definition // as a commit on an operator leaves it
	rights       bool                 // whether somebody's rights may have changed: an operator or a token
}

// glanceAt reduces a commit of the workspace. Those of other workspaces are positions without content.
func glanceAt(workspace string, c *domain.Commit) glance {
	g := glance{position: c.Position}
	if c.Aggregate.Workspace != workspace {
		return g
	}
	switch c.Aggregate.Category {
	case domain.CategoryThread:
		g.conversation, g.opened, g.before, g.after = c.Conversation, c.Opened, c.Before, c.After
		if c.Origin == domain.OriginImport {
			break // it was elsewhere, and long ago: nobody is called
		}
		if c.Actor.Kind == domain.ActorOperator {
			g.by = c.Actor.ID
		}
		for _, e := range c.Events {
			switch e := e.(type) {
			case thread.Offered:
				g.offered = e.Joined
			case thread.Alerted:
				g.alerts = append(g.alerts, e)
			case thread.Taken:
				if g.by != e.Operator {
					g.given = e.Operator
				}
			case thread.Queued:
				g.listed = e.List == thread.StateWaiting
			case thread.MessageReceived:
				g.inbound = true
			}
		}
	case domain.CategoryOperator:
		g.operator, g.rights = definition(c), true
	case domain.CategorySetting:
		g.rights = true
	}
	return g
}

// definition is the operator that a commit on an operator leaves; nil when it is none.
func definition(c *domain.Commit) *operator.Definition {
	if len(c.Events) == 0 {
		return nil
	}
	e, ok := c.Events[len(c.Events)-1].(operator.Event)
	if !ok {
		return nil
	}
	d := operator.DefinitionOf(e)
	return &d
}

// follower reads the log once for all streams of the process and keeps the newest commits in a ring. It shows a commit only
// when the view has passed it, so that a client that is told of a change can read it.
type follower struct {
	source    Log
	progress  Progress
	workspace string
	view      string // name of the projection that rows are read from
	log       *zap.Logger
	size      int // of the ring

	mu    sync.Mutex
	begun bool
	floor domain.Position // everything after it is in the ring
	ring  []glance        // oldest first, from head on, wrapping around
	head  int
	moved chan struct{} // closed and replaced whenever something was added
}

func newFollower(source Log, progress Progress, workspace, view string, size int, log *zap.Logger) *follower {
	return &follower{
		source: source, progress: progress, workspace: workspace, view: view, size: size, log: log,
		moved: make(chan struct{}),
	}
}

// run follows the log from its head until ctx ends. After an error it goes on from where it was, a second later.
func (f *follower) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := f.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		f.log.Warn("the push stream lost the log and tries again", zap.Error(err))
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func (f *follower) follow(ctx context.Context) error {
	after, begun := f.last()
	if !begun {
		head, err := f.source.Head(ctx)
		if err != nil {
			return err
		}
		after = head
		f.begin(head)
	}
	return f.source.Read(ctx, after, projections.ReadOptions{}, func(chunk []domain.Commit) error {
		if err := f.await(ctx, chunk[len(chunk)-1].Position); err != nil {
			return err
		}
		f.add(chunk)
		return nil
	})
}

// await returns when the view has reached p, however long that takes.
func (f *follower) await(ctx context.Context, p domain.Position) error {
	for {
		wait, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := f.progress.Wait(wait, f.view, p)
		cancel()
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
	}
}

func (f *follower) begin(head domain.Position) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begun, f.floor = true, head
	f.wake()
}

// last is the newest position that was added; begun is false before the first.
func (f *follower) last() (p domain.Position, begun bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.ring) == 0 {
		return f.floor, f.begun
	}
	return f.at(len(f.ring) - 1).position, f.begun
}

func (f *follower) at(i int) *glance { return &f.ring[(f.head+i)%len(f.ring)] }

// wake tells all streams that something was added. The caller holds the lock.
func (f *follower) wake() {
	close(f.moved)
	f.moved = make(chan struct{})
}

func (f *follower) add(chunk []domain.Commit) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range chunk {
		g := glanceAt(f.workspace, &chunk[i])
		if len(f.ring) < f.size {
			f.ring = append(f.ring, g)
		} else {
			oldest := f.at(0)
			f.floor = oldest.position
			*oldest = g
			f.head = (f.head + 1) % len(f.ring)
		}
	}
	f.wake()
}

// since returns the glances after p, at most 500 of them, and a channel that is closed when there are more. floor is 0 when
// the ring reaches back to p; otherwise the caller reads the log from p up to floor itself and asks again.
func (f *follower) since(p domain.Position) (list []glance, floor domain.Position, moved <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p < f.floor {
		return nil, f.floor, f.moved
	}
	from := sort.Search(len(f.ring), func(i int) bool { return f.at(i).position > p })
	for i := from; i < len(f.ring) && len(list) < 500; i++ {
		list = append(list, *f.at(i))
	}
	return list, 0, f.moved
}
