package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	apihttp "github.com/turno-desk/turno/api/http"
)

// The parts of `turno serve`.
const (
	partLog        = "log"
	partEngine     = "engine"
	partProjectors = "projectors"
	partWorker     = "worker"
)

type serveCmd struct {
	logFlags
	hostFlags
	viewFlags
	webhookFlags
	pageFlags
	statusFlags
	HTTP  string   `name:"http" default:"127.0.0.1:8080" placeholder:"ADDR" help:"Where the API listens (${default})."`
	Parts []string `enum:"log,engine,projectors,worker" default:"log,engine,projectors,worker" help:"Which parts to run (${default}). Without log the process joins the one that hosts it."`
}

func (cmd serveCmd) Run(p *program) error {
	origins, err := cmd.origins()
	if err != nil {
		return err
	}
	status, err := cmd.listen(p)
	if err != nil {
		return err
	}
	defer status.close() //nolint:errcheck // nothing is lost with it
	r, err := cmd.open(p)
	if err != nil {
		return stopped(p.ctx, err)
	}
	defer r.close()
	if r.server != nil {
		p.log.Info("the log is open", zap.String("data", cmd.Data), zap.String("sync", cmd.Sync), zap.String("nats", r.server.URL()))
	}
	return serve(p, r, cmd.viewFlags, status, cmd.HTTP, running{engine: cmd.has(partEngine), projectors: cmd.has(partProjectors), worker: cmd.has(partWorker), hooks: cmd.webhookFlags, origins: origins})
}

func (cmd serveCmd) has(part string) bool { return slices.Contains(cmd.Parts, part) }

func (cmd serveCmd) open(p *program) (*reading, error) {
	switch {
	case cmd.NATS != "" && slices.Equal(cmd.Parts, []string{partLog}):
		return nil, errors.New("--parts log has nothing to do with --nats: the log is elsewhere")
	case cmd.has(partLog):
		return openToServe(p, cmd.logFlags, cmd.hostFlags)
	}
	return openToJoin(p, cmd.logFlags)
}

type engineCmd struct {
	logFlags
	viewFlags
	webhookFlags
	pageFlags
	statusFlags
	HTTP string `name:"http" default:"127.0.0.1:8080" placeholder:"ADDR" help:"Where the API listens (${default})."`
}

func (cmd engineCmd) Run(p *program) error {
	origins, err := cmd.origins()
	if err != nil {
		return err
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
	return serve(p, r, cmd.viewFlags, status, cmd.HTTP, running{engine: true, hooks: cmd.webhookFlags, origins: origins})
}

// running are the parts that a process runs besides the log, which it has open.
type running struct {
	engine, projectors, worker bool
	hooks                      webhookFlags
	origins                    []string // of pages of surveys
}

// pageFlags say which pages of others may call the API.
type pageFlags struct {
	SurveyOrigin []string `placeholder:"ORIGIN" help:"An origin, as https://www.example.com, whose pages may ask and answer surveys by their token; may be given again."`
}

func (f pageFlags) origins() ([]string, error) {
	var all []string
	for _, s := range f.SurveyOrigin {
		origin, err := apihttp.Origin(s)
		if err != nil {
			return nil, fmt.Errorf("--survey-origin: %w", err)
		}
		all = append(all, origin)
	}
	return all, nil
}

// serve runs the parts on an open log until the program is told to stop. Then it stops
// from the outside in: no new requests, the accepted ones finished, the projectors' batches written, the log closed by the
// caller.
func serve(p *program, r *reading, flags viewFlags, status *status, addr string, parts running) error {
	views, err := flags.openViews(p, r.dir)
	if err != nil {
		return err
	}
	defer views.Close()

	inner, stop := context.WithCancel(context.WithoutCancel(p.ctx)) // what must outlive the requests
	defer stop()
	group, failed := errgroup.WithContext(inner)
	if parts.projectors {
		group.Go(func() error { return project(failed, p, r, views, projectionNames) })
	}
	if !parts.engine {
		p.log.Info("running", zap.String("parts", partNames(r, parts)))
		if parts.projectors {
			status.measure(p, r, views, projectionNames...)
		} else {
			status.measure(p, r, views)
			group.Go(func() error { <-failed.Done(); return nil })
		}
		if parts.worker {
			group.Go(func() error { return stopped(failed, work(failed, p, r, views, nil, parts.hooks)) })
		}
		context.AfterFunc(p.ctx, stop)
		return ended(p, group.Wait())
	}

	e, err := newEngine(failed, p, r, views, parts.hooks, parts.origins)
	if err != nil {
		stop()
		return errors.Join(err, group.Wait())
	}
	status.watch(e.server.Probe())
	group.Go(func() error { return e.keep(failed, p.log) })
	if parts.worker {
		group.Go(func() error { return stopped(failed, work(failed, p, r, views, &e.desk, parts.hooks)) })
	}
	answering, endAnswering := context.WithCancel(p.ctx)
	context.AfterFunc(failed, endAnswering) // a part that fails takes the others along
	err = e.answer(answering, p, addr)
	endAnswering()
	stop()
	err = errors.Join(err, group.Wait())
	e.close()
	return ended(p, err)
}

// ended says the end of a process that ended well.
func ended(p *program, err error) error {
	if err == nil {
		p.log.Info("stopped")
	}
	return err
}

func partNames(r *reading, parts running) string {
	var names []string
	if r.server != nil {
		names = append(names, partLog)
	}
	if parts.engine {
		names = append(names, partEngine)
	}
	if parts.projectors {
		names = append(names, partProjectors)
	}
	if parts.worker {
		names = append(names, partWorker)
	}
	return strings.Join(names, ",")
}

// stopped makes being told to stop no failure.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// grace is how long accepted requests may take to finish after the program was told to stop.
const grace = 20 * time.Second
