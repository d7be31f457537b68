package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/adapters/sqlstore"
	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/presence"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/effects"
)

// Routing is a bench of the automatic distribution: how long an arrival waits for its operator while there is room.
type Routing struct {
	Sync      string        `enum:"always,1s,off" default:"always" help:"When an acknowledged command is on disk."`
	Arrivals  int           `default:"100" help:"Arrivals a second."`
	Operators int           `default:"200" help:"Operators who are connected and available."`
	Capacity  int           `default:"5" help:"Conversations that each may have."`
	Service   time.Duration `default:"3s" help:"How long a conversation lasts once it is assigned."`
	Long      time.Duration `default:"20s" help:"How long there are arrivals."`

	Projections func(*jetstream.Store, projections.Dialect) []projections.Projection `kong:"-"`
}

// Run lets contacts arrive at a steady rate, operators close what they have after a while, and one worker distribute. All
// projections run beside it, as in `serve`.
func (b Routing) Run(ctx context.Context, out io.Writer) error {
	dir, err := os.MkdirTemp("", "turno-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	w, err := host(ctx, dir, jetstream.Sync(b.Sync))
	if err != nil {
		return err
	}
	defer w.close()
	if err := b.open(ctx, w); err != nil {
		return err
	}
	views, err := sqlstore.Open(dir, sqlstore.Options{})
	if err != nil {
		return err
	}
	defer views.Close()

	running, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	shared := projections.NewShared(w.store)
	group.Go(func() { _ = shared.Run(running) }) // ends with its context
	for _, p := range b.Projections(w.store, views.Dialect()) {
		runner := projections.NewRunner(shared, views, p, w.store, projections.Options{})
		group.Go(func() { _ = runner.Run(running) })
	}
	worker := effects.NewRunner(shared, views, benchDesk{w, command.NewWorkloads(w.store, workspace, nil)}, workspace, effects.All(), effects.Options{})
	group.Go(func() { _ = worker.Run(running, "bench") })
	for !worker.Leading() {
		if err := nap(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	from, err := w.store.Head(ctx)
	if err != nil {
		return err
	}
	waits := newSample()
	done := make(chan error, 1)
	group.Go(func() { done <- b.watch(running, w, from, waits) })
	if err := b.arrive(ctx, w); err != nil {
		return err
	}
	if err := nap(ctx, 2*time.Second); err != nil { // the last ones
		return err
	}
	stop()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	arrived := int(b.Long.Seconds() * float64(b.Arrivals))
	header(out, "routing: from waiting to assigned", fmt.Sprintf("sync %s, %d arrivals a second for %s, %d operators with room for %d each, %s of service",
		b.Sync, b.Arrivals, b.Long, b.Operators, b.Capacity, b.Service))
	fmt.Fprintf(out, "  assigned          n %d of %d, p50 %s, p99 %s, longest %s\n", len(waits.took), arrived,
		short(waits.quantile(0.5)), short(waits.quantile(0.99)), short(waits.quantile(1)))
	return nil
}

func nap(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// open makes the desk: an automatic department whose operators are all there.
func (b Routing) open(ctx context.Context, w *world) error {
	if err := w.desk(ctx, b.Operators); err != nil {
		return err
	}
	put := func(a domain.Aggregate, v domain.Version, ev domain.Event) error {
		now := time.Now().UTC().Truncate(time.Millisecond)
		_, _, err := w.store.Append(ctx, domain.Commit{
			ID: "routing-" + a.ID, Recorded: now, Time: now, Origin: domain.OriginLive, Aggregate: a,
			Actor: domain.Actor{Kind: domain.ActorAdmin}, Events: []domain.Event{ev},
		}, v)
		return err
	}
	bench := domain.Aggregate{Workspace: workspace, Category: domain.CategoryDepartment, ID: "bench"}
	_, v, err := w.store.Load(ctx, bench, 0, nil)
	if err != nil {
		return err
	}
	err = put(bench, v, department.Changed{Definition: department.Definition{
		ID: "bench", Name: "Bench", Capacity: b.Capacity, Settings: department.Settings{Distribution: department.Automatic},
	}})
	for i := range b.Operators {
		id := operatorID(i)
		err = errors.Join(err, put(domain.Aggregate{Workspace: workspace, Category: domain.CategoryPresence, ID: id}, 0,
			presence.Connected{Status: presence.Status{Operator: id, Connected: true, Available: true}}))
	}
	if err != nil {
		return fmt.Errorf("open the bench's department: %w", err)
	}
	return w.image.Refresh(ctx)
}

// arrive lets contacts write, one after the other at the rate that was asked for.
func (b Routing) arrive(ctx context.Context, w *world) error {
	tick := time.NewTicker(time.Second / time.Duration(b.Arrivals))
	defer tick.Stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	failed := make(chan error, 1)
	for i := range int(b.Long.Seconds() * float64(b.Arrivals)) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-failed:
			return err
		case <-tick.C:
		}
		wg.Go(func() {
			if _, err := w.engine.Receive(ctx, byContact(), inbound(fmt.Sprint("r", i), "m", i)); err != nil {
				select {
				case failed <- err:
				default:
				}
			}
		})
	}
	return nil
}

// watch notes how long each conversation waited by the log's own clock, and closes each when its service is over.
func (b Routing) watch(ctx context.Context, w *world, from domain.Position, waits *sample) error {
	waiting := map[string]time.Time{}
	var wg sync.WaitGroup
	defer wg.Wait()
	return w.store.Read(ctx, from, projections.ReadOptions{}, func(chunk []domain.Commit) error {
		for _, c := range chunk {
			for _, e := range c.Events {
				switch e := e.(type) {
				case thread.Queued:
					waiting[c.Conversation] = c.Recorded
				case thread.Taken:
					waits.add([]time.Duration{c.Recorded.Sub(waiting[c.Conversation])})
					delete(waiting, c.Conversation)
					request := command.Request{Workspace: workspace, Principal: "operator:" + e.Operator, Actor: domain.Actor{Kind: domain.ActorOperator, ID: e.Operator}}
					wg.Go(func() {
						if nap(ctx, b.Service) == nil {
							_, _ = w.engine.Do(ctx, request, c.Conversation, thread.Close{}) // what fails takes room, and shows
						}
					})
				}
			}
		}
		return nil
	})
}

// benchDesk is effects.Desk on the bench's engine.
type benchDesk struct {
	*world
	workloads *command.Workloads
}

func (d benchDesk) Do(ctx context.Context, c effects.Command) (domain.Position, error) {
	req := command.Request{Workspace: workspace, Principal: "effect:" + c.Effect, Actor: effects.Actor(c.Effect), Key: c.Key(), IfMatch: c.IfMatch}
	return command.Effects{Engine: d.engine, Workloads: d.workloads}.Do(ctx, req, command.Effect{Reserve: c.Reserve, Free: c.Free, Conversation: c.Conversation, Do: c.Do})
}
