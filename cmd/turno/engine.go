package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"go.uber.org/zap"
	"golang.org/x/net/netutil"
	"golang.org/x/sync/errgroup"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/api/console"
	apihttp "github.com/turno-desk/turno/api/http"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/deliveries"
	"github.com/turno-desk/turno/projections/directory"
	"github.com/turno-desk/turno/projections/history"
	"github.com/turno-desk/turno/projections/queue"
	"github.com/turno-desk/turno/projections/stats"
	"github.com/turno-desk/turno/projections/threadstate"
)

// desk handles commands: on conversations, and on the desk itself.
type desk struct {
	image         *command.Image
	conversations *command.Engine
	settings      *command.Settings
	contacts      *command.Contacts
	workloads     *command.Workloads
	surveys       *command.Surveys
	tickets       *command.Tickets
}

// newDesk makes the command handlers on an open log. views and tracker are nil for a tool that has none; the engine then
// walks threads where it would ask them.
func newDesk(p *program, r *reading, views views, tracker *projections.Tracker) *desk {
	log := p.meters.Log(r.store)
	d := &desk{image: command.NewImage(r.store, r.workspace, command.ImageOptions{Logger: p.log})}
	o := command.Options{
		Log: log, Image: d.image, Keys: r.vault, Hasher: r.vault, Numbers: command.NewNumbers(log, r.workspace, nil),
	}
	s := command.SettingsOptions{
		Log: log, Image: d.image, Keys: r.vault, Secrets: r.vault, Hasher: r.vault, Heartbeats: heartbeats{r}, Logger: p.log,
	}
	if views != nil {
		o.Index = history.NewMessageIndex(history.NewQueries(views.Reader(historyView), views.Dialect()), patience(tracker, historyView))
		o.Tickets = history.NewTicketIndex(history.NewQueries(views.Reader(historyView), views.Dialect()), patience(tracker, historyView))
		o.States = threadstate.NewQueries(views.Reader(threadstateView), r.codec)
	}
	d.conversations = command.NewEngine(o)
	d.settings = command.NewSettings(s)
	d.workloads = command.NewWorkloads(log, r.workspace, nil)
	d.contacts = command.NewContacts(command.ContactsOptions{Log: log, Image: d.image, Keys: r.vault, Threads: d.conversations})
	d.tickets = command.NewTickets(command.TicketsOptions{Log: log, Image: d.image, Numbers: o.Numbers})
	d.surveys = command.NewSurveys(d.conversations, d.contacts)
	return d
}

// effects has done what effects want.
func (d *desk) effects() command.Effects {
	return command.Effects{Engine: d.conversations, Workloads: d.workloads, Contacts: d.contacts, Surveys: d.surveys}
}

// indexPatience is how long a message waits for the view that knows the older ones; then it is asked to come again.
const indexPatience = 2 * time.Second

// patience waits for a view to reach a position, but not for ever: command.ErrUnavailable.
func patience(tracker *projections.Tracker, view string) func(context.Context, domain.Position) error {
	return func(ctx context.Context, at domain.Position) error {
		ctx, cancel := context.WithTimeout(ctx, indexPatience)
		defer cancel()
		if err := tracker.Wait(ctx, view, at); err != nil {
			return fmt.Errorf("%w: %w", command.ErrUnavailable, err)
		}
		return nil
	}
}

// engine is the desk with its views, behind HTTP.
type engine struct {
	desk
	data    string
	tracker *projections.Tracker
	server  *apihttp.Server
}

func newEngine(ctx context.Context, p *program, r *reading, views views, hooks webhookFlags, origins []string) (*engine, error) {
	var tracker *projections.Tracker
	err := insist(ctx, p.log, "listening to the projectors", func() (err error) {
		tracker, err = projections.NewTracker(r.store, views.Reader)
		return err
	})
	if err != nil {
		return nil, err
	}
	e := &engine{desk: *newDesk(p, r, views, tracker), data: r.dir, tracker: tracker}
	rows := queue.NewQueries(views.Reader(queueView))
	past := history.NewQueries(views.Reader(historyView), views.Dialect())
	pages, err := console.New(console.Parts{
		Conversations: e.conversations, People: e.settings, Settings: e.image, Hasher: r.vault, Progress: tracker, Queue: rows, History: past,
	}, console.Options{Workspace: r.workspace, Logger: p.log})
	if err != nil {
		tracker.Close()
		return nil, err
	}
	e.server = apihttp.New(apihttp.Parts{
		Conversations: e.conversations, Threads: e.conversations, Commands: e.settings, Contacts: e.contacts, Surveys: e.surveys, Tickets: e.tickets, Settings: e.image,
		Log: r.store, Aggregates: r.store, Structured: r.codec, Hasher: r.vault, Progress: tracker, Status: statusOf(views),
		Queue: rows, History: past,
		Stats: stats.NewQueries(views.Reader(statsView)), Directory: directory.NewQueries(views.Reader(directoryView)),
		Deliveries: deliveries.NewQueries(views.Reader(deliveries.Name)),
	}, apihttp.Options{Workspace: r.workspace, Version: version(), Logger: p.log, StopGrace: grace, Mount: pages.Mount, PlainHooks: hooks.WebhookAllowHTTP, SurveyOrigins: origins,
		Meter: p.meters.HTTP(), Metrics: p.meters.Handler()})
	p.meters.Settings(e.image.Age)
	measureStreams(p.meters, r)
	p.meters.Standing(e.server.Probe().Read)
	return e, nil
}

// keep runs what an engine needs beside its requests, until ctx ends: the settings followed, lost operators disconnected.
func (e *engine) keep(ctx context.Context, log *zap.Logger) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return e.image.Run(ctx) })
	group.Go(func() error {
		return stopped(ctx, insist(ctx, log, "watching presence", func() error { return e.settings.Watch(ctx) }))
	})
	return group.Wait()
}

// answer listens on addr until ctx ends, then finishes what it accepted. Connections get half of the files that the process
// may have open, and wait beyond that: a log in the same process that can't open a file takes what it has for what it lacks.
func (e *engine) answer(ctx context.Context, p *program, addr string) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", addr, err)
	}
	if n := descriptors(); n > 0 {
		listener = netutil.LimitListener(listener, n/2)
	}
	var token string
	err = insist(ctx, p.log, "making sure of an administrator", func() (err error) {
		token, err = e.settings.EnsureAdmin(ctx, p.getenv("TURNO_ADMIN_TOKEN"))
		return err
	})
	if err != nil {
		return errors.Join(stopped(ctx, err), listener.Close())
	}
	url := "http://" + listener.Addr().String()
	p.log.Info("answering", zap.String("url", url))
	e.welcome(ctx, p, url, token)
	return e.server.Serve(ctx, listener)
}

// welcome tells a person where the API is and, on an empty desk, what to do next. The token is shown this once.
func (e *engine) welcome(ctx context.Context, p *program, url, token string) {
	fmt.Fprintf(p.stdout, "Turno answers at %s/v1, its console is at %s, its data is in %s\n", url, url, e.data)
	if token != "" {
		fmt.Fprintf(p.stdout, "\nThe administrator's token, shown this once (TURNO_ADMIN_TOKEN sets another):\n\n    %s\n", token)
	}
	image, err := e.image.Snapshot(ctx)
	if err != nil || len(image.Departments) > 0 {
		return
	}
	fmt.Fprintf(p.stdout, `
The desk is empty. A department, an operator, a channel and a first message:

    export TURNO=%s/v1 TOKEN=<the administrator's token>
    api() { curl -sS -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' "$@"; }
    api -X PUT $TURNO/departments/support -d '{"name":"Support"}'
    api -X PUT $TURNO/operators/nora -d '{"name":"Nora","role":"operator","departments":["support"]}'
    api -X PUT $TURNO/channels/web -d '{"type":"generic","name":"Web","department":"support"}'
    api $TURNO/channels/web/messages -d '{"message_id":"1","from":{"address":"+1 555 0100","name":"Carla"},"text":"Hello"}'
    api $TURNO/queues/support

Or put a whole desk to work: turno demo --url %s --token "$TOKEN"
`, url, url)
}

func (e *engine) close() { e.tracker.Close() }

// statusOf reads how a view stands, whichever process builds it.
func statusOf(views views) apihttp.ViewStatus {
	return func(ctx context.Context, view string) (projections.Status, bool, error) {
		s, found, err := projections.ReadStatus(ctx, views.Reader(view))
		if err == nil && found {
			s.Version, _, err = views.Active(ctx, view)
		}
		return s, found, err
	}
}

// heartbeats is command.Heartbeats over the log's server.
type heartbeats struct{ r *reading }

func (h heartbeats) topic() string { return "presence." + h.r.workspace }

func (h heartbeats) Publish(operator string) {
	_ = h.r.store.Publish(h.topic(), []byte(operator)) // the next one is 20 s away, and three may be lost
}

func (h heartbeats) Subscribe(fn func(operator string)) (cancel func(), err error) {
	return h.r.store.Subscribe(h.topic(), func(data []byte) { fn(string(data)) })
}

// insist does what a start needs, and again while the log can't be reached: its host may be starting too.
func insist(ctx context.Context, log *zap.Logger, what string, do func() error) error {
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		err := do()
		if err == nil || !passing(err) || ctx.Err() != nil {
			return err
		}
		log.Warn(what+": trying again", zap.Duration("in", pause), zap.Error(err))
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}
