package main

import (
	"context"
	"crypto/rand"

	"golang.org/x/sync/errgroup"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/effects"
)

type workerCmd struct {
	logFlags
	viewFlags
	webhookFlags
	statusFlags
}

// Run acts until it is told to stop. Any number of workers may run on one store of views: one leads.
func (cmd workerCmd) Run(p *program) error {
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
	status.measure(p, r, views)
	p.log.Info("working")
	return stopped(p.ctx, work(p.ctx, p, r, views, nil, cmd.webhookFlags))
}

// work runs the effects and the deliveries until ctx ends, with the commands of a desk that somebody else keeps or, without one, with its own.
func work(ctx context.Context, p *program, r *reading, views views, d *desk, hooks webhookFlags) error {
	group, ctx := errgroup.WithContext(ctx)
	if d == nil {
		var tracker *projections.Tracker
		err := insist(ctx, p.log, "listening to the projectors", func() (err error) {
			tracker, err = projections.NewTracker(r.store, views.Reader)
			return err
		})
		if err != nil {
			return err
		}
		defer tracker.Close()
		d = newDesk(p, r, views, tracker)
		group.Go(func() error { return d.image.Run(ctx) })
	}
	runner := effects.NewRunner(r.store, views, commanded{d, r.workspace, p.meters.Effects()}, r.workspace, effects.All(), effects.Options{Logger: p.log})
	p.meters.Leading(runner.Leading)
	group.Go(func() error { return runner.Run(ctx, rand.Text()) })
	post := newDeliveries(p, r, views, d, hooks)
	group.Go(func() error { return post.Run(ctx, rand.Text()) })
	return group.Wait()
}

// commanded is effects.Desk over the command handlers.
type commanded struct {
	*desk
	workspace string
	done      func(effect string, appended bool, err error) // told of every command
}

func (d commanded) Do(ctx context.Context, c effects.Command) (domain.Position, error) {
	req := command.Request{
		Workspace: d.workspace, Principal: "effect:" + c.Effect, Actor: c.Actor(), Key: c.Key(), IfMatch: c.IfMatch,
	}
	position, err := d.effects().Do(ctx, req, command.Effect{
		Reserve: c.Reserve, Free: c.Free, Conversation: c.Conversation, Do: c.Do, Ask: c.Ask,
	})
	d.done(c.Effect, err == nil && position > 0, err)
	return position, err
}
