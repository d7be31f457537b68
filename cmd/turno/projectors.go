package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/directory"
	"github.com/turno-desk/turno/projections/floor"
	"github.com/turno-desk/turno/projections/history"
	"github.com/turno-desk/turno/projections/queue"
	"github.com/turno-desk/turno/projections/stats"
	"github.com/turno-desk/turno/projections/threadstate"
)

// projectionNames are all projections, in the order in which they are started.
var projectionNames = []string{queueView, historyView, statsView, directoryView, threadstateView, floorView}

// The projections' names.
const (
	queueView       = "queue"
	historyView     = "history"
	statsView       = "stats"
	directoryView   = "directory"
	threadstateView = "threadstate"
	floorView       = floor.Name
)

// newProjection makes a projection for a store of views of that dialect. Each runner needs one of its own: it remembers rows.
func newProjection(name string, r *reading, d projections.Dialect) (projections.Projection, error) {
	switch name {
	case queueView:
		return queue.New(), nil
	case historyView:
		return history.New(d), nil
	case statsView:
		return stats.New(), nil
	case directoryView:
		return directory.New(), nil
	case threadstateView:
		return threadstate.New(r.store), nil
	case floorView:
		return floor.NewProjection(), nil
	}
	return nil, fmt.Errorf("there is no projection %q: want one of %s", name, strings.Join(projectionNames, ", "))
}

// project runs the named projections until ctx ends; each finishes the batch at hand.
func project(ctx context.Context, p *program, r *reading, views views, names []string) error {
	group, ctx := errgroup.WithContext(ctx)
	source := projections.Source(r.store)
	if len(names) > 1 {
		shared := projections.NewShared(r.store)
		group.Go(func() error { return shared.Run(ctx) })
		source = shared
	}
	for _, name := range names {
		projection, err := newProjection(name, r, views.Dialect())
		if err != nil {
			return err
		}
		runner := projections.NewRunner(source, views, projection, r.store, projections.Options{Logger: p.log, Wrote: p.meters.Projection(name)})
		p.meters.Writing(name, runner.Writing)
		group.Go(func() error { return stopped(ctx, runner.Run(ctx)) })
	}
	return group.Wait()
}

type projectorCmd struct {
	logFlags
	viewFlags
	statusFlags
	Name string `arg:"" help:"queue, history, stats, directory, threadstate or floor."`
}

func (cmd projectorCmd) Run(p *program) error {
	if !slices.Contains(projectionNames, cmd.Name) {
		return fmt.Errorf("there is no projection %q: want one of %s", cmd.Name, strings.Join(projectionNames, ", "))
	}
	status, err := cmd.listen(p)
	if err != nil {
		return err
	}
	defer status.close() //nolint:errcheck // nothing is lost with it
	r, err := openToJoin(p, cmd.logFlags)
	if err != nil {
		return stopped(p.ctx, err)
	}
	defer r.close()
	views, err := cmd.openViews(p, r.dir)
	if err != nil {
		return err
	}
	defer views.Close()
	status.measure(p, r, views, cmd.Name)
	p.log.Info("projecting", zap.String("projection", cmd.Name))
	return project(p.ctx, p, r, views, []string{cmd.Name})
}
