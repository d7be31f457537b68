package http

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/projections/deliveries"
	"github.com/turno-desk/turno/projections/directory"
	"github.com/turno-desk/turno/projections/history"
	"github.com/turno-desk/turno/projections/queue"
	"github.com/turno-desk/turno/projections/stats"
)

// Parts is what the server stands on. All are required.
type Parts struct {
	Conversations Conversations
	Threads       Threads
	Surveys       Surveys
	Commands      *command.Settings // on settings, tokens and presence
	Contacts      *command.Contacts
	Tickets       *command.Tickets
	Settings      Image // as this process knows them
	Log           Log
	Aggregates    Aggregates
	Structured    Structured
	Hasher        command.Hasher
	Progress      Progress
	Status        ViewStatus

	Queue      *queue.Queries
	History    *history.Queries
	Stats      *stats.Queries
	Directory  *directory.Queries
	Deliveries *deliveries.Queries
}

// Options are what may be left out.
type Options struct {
	Workspace string       // "default"
	Version   string       // of the program, for /healthz and the metrics
	Meter     Meter        // is told what the server does; none
	Metrics   http.Handler // answers /metrics; there is none without
	Logger    *zap.Logger  // none
	Now       func() time.Time
	ReadyLag  time.Duration // how far a view may be behind for /readyz; 10 s
	Views     []string      // that /readyz asks for; queue, history, stats and directory
	StopGrace time.Duration // how long Serve lets requests finish; 20 s
	// WriteWithin is how long one write to the client of a feed may take before it is cut off; 10 s.
	WriteWithin time.Duration
	// HeartbeatEvery is how often a stream says that the operator who listens is there; 20 s.
	HeartbeatEvery time.Duration
	Ring           int // recent commits kept for push streams; 8192

	// PlainHooks lets subscriptions have an address without TLS.
	PlainHooks bool

	// SurveyOrigins are those whose pages may ask and answer surveys by token, each as Origin writes it.
	SurveyOrigins []string

	// Mount adds what else the same port answers, as the console: its routes pass the same counting, and what they fail
	// with, unless they answer it themselves, becomes a problem.
	Mount func(*echo.Echo)
}

// Server is the HTTP API of one workspace. Make it with New, serve it with Serve.
type Server struct {
	Parts
	workspace string
	version   string
	log       *zap.Logger
	now       func() time.Time
	grace     time.Duration
	patience  time.Duration
	beats     time.Duration // between the heartbeats of an operator who listens to a stream
	probe     Probe
	meter     Meter

	plainHooks bool
	origins    []string // of pages that may call the routes of a survey's token

	rehearsing rehearsing

	echo     *echo.Echo
	follower *follower
	life     context.Context // ends when the server stops: feeds end with it
	end      context.CancelFunc
}

// Limits of a connection. A request's head and body must arrive, and an answer must be taken, in time; feeds lift the
// second for as long as their client keeps reading.
const (
	readHeadWithin = 5 * time.Second
	readWithin     = 20 * time.Second
	writeAllWithin = 30 * time.Second
	idleAfter      = 2 * time.Minute
	maxHead        = 32 << 10
)

// New wires the routes.
func New(p Parts, o Options) *Server {
	s := &Server{
		Parts: p, workspace: o.Workspace, version: o.Version, log: o.Logger, now: o.Now, grace: o.StopGrace, meter: o.Meter, beats: o.HeartbeatEvery,
		plainHooks: o.PlainHooks, origins: o.SurveyOrigins, rehearsing: rehearsing{commits: maxRehearsed, within: rehearseWithin},
	}
	if s.workspace == "" {
		s.workspace = "default"
	}
	if s.log == nil {
		s.log = zap.NewNop()
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.meter == nil {
		s.meter = unmetered{}
	}
	if s.beats <= 0 {
		s.beats = command.HeartbeatEvery
	}
	if s.grace == 0 {
		s.grace = 20 * time.Second
	}
	if len(o.Views) == 0 {
		o.Views = []string{viewQueue, viewHistory, viewStats, viewDirectory}
	}
	s.probe = Probe{Log: p.Log, Settings: p.Settings, Status: p.Status, Views: o.Views, Lag: o.ReadyLag, Now: s.now}
	if s.patience = o.WriteWithin; s.patience == 0 {
		s.patience = writeWithin
	}
	if o.Ring <= 0 {
		o.Ring = ringSize
	}
	s.life, s.end = context.WithCancel(context.Background())
	s.follower = newFollower(p.Log, p.Progress, s.workspace, viewQueue, o.Ring, s.log)
	s.wire(o.Metrics)
	if o.Mount != nil {
		o.Mount(s.echo)
	}
	return s
}

func (s *Server) wire(metrics http.Handler) {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = s.fail
	e.Use(s.observe)
	for _, r := range s.routes() {
		handle := s.guarded(r)
		if r.path == surveyPath && len(s.origins) > 0 {
			handle = s.fromPages(handle)
		}
		e.Add(r.method, r.path, handle)
	}
	if len(s.origins) > 0 {
		e.OPTIONS(surveyPath, s.fromPages(s.preflight))
	}
	e.GET("/surveys/:token", s.surveyPage)
	e.POST("/surveys/:token", s.answerOnPage)
	if metrics != nil {
		e.GET("/metrics", echo.WrapHandler(metrics))
	}
	for _, method := range []string{http.MethodGet, http.MethodHead} { // balancers ask with either
		e.Add(method, "/healthz", echo.WrapHandler(Alive(s.version)))
		e.Add(method, "/readyz", echo.WrapHandler(s.probe))
	}
	s.echo = e
}

// Probe is what /readyz asks.
func (s *Server) Probe() Probe { return s.probe }

// Handler is the API, for a server of the caller's own. Follow must run beside it.
func (s *Server) Handler() http.Handler { return s.echo }

// Follow feeds the push streams until ctx ends. Serve does it by itself.
func (s *Server) Follow(ctx context.Context) { s.follower.run(ctx) }

// Serve answers on l until ctx ends. Then it takes no more requests, ends feeds, and finishes what it accepted, within
// Options.StopGrace; what is still running after that is cut off, and that is the error.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler: s.echo, ReadHeaderTimeout: readHeadWithin, ReadTimeout: readWithin, WriteTimeout: writeAllWithin, IdleTimeout: idleAfter,
		MaxHeaderBytes: maxHead, ErrorLog: zap.NewStdLog(s.log.WithOptions(zap.IncreaseLevel(zap.ErrorLevel))),
	}
	following, stop := context.WithCancel(context.Background())
	followed := make(chan struct{})
	go func() {
		defer close(followed)
		s.Follow(following)
	}()
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	var err error
	select {
	case err = <-served:
	case <-ctx.Done():
		s.end()
		grace, cancel := context.WithTimeout(context.Background(), s.grace)
		defer cancel()
		if err = server.Shutdown(grace); err != nil {
			err = errors.Join(fmt.Errorf("requests were still running after %s: %w", s.grace, err), server.Close())
		}
		<-served
	}
	s.end()
	stop()
	<-followed
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Stop ends all feeds and pushes, so that a caller's own server can finish. Serve does it by itself.
func (s *Server) Stop() { s.end() }

// observe counts and times every request, gives it an id, and turns a panic into a 500 that is logged.
func (s *Server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		begun := time.Now()
		c.Response().Header().Set(echo.HeaderXRequestID, requestID())
		c.Response().Header().Set("X-Content-Type-Options", "nosniff")
		defer func() {
			if r := recover(); r != nil {
				if r == http.ErrAbortHandler {
					panic(r)
				}
				s.log.Error("a handler panicked", zap.String("route", routeOf(c)), zap.Stack("stack")) // not the value: it may hold what a client sent
				err = internal()
			}
			if err != nil {
				s.fail(err, c)
			}
			route := routeOf(c)
			code, _ := c.Get(problemCode).(string)
			s.meter.Answered(Answered{
				Method: method(c.Request().Method), Route: route, Status: c.Response().Status, Problem: code, Feed: feeds(route), Took: time.Since(begun),
			})
		}()
		return next(c)
	}
}

// routeOf is the route as a label: what is not served is one label.
func routeOf(c echo.Context) string {
	if route := c.Path(); route != "" {
		return route
	}
	return "none"
}

// method is a method as a label: what a client invents is one label.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

func feeds(route string) bool {
	return route == "/v1/events" || strings.HasSuffix(route, "/stream")
}

// doing counts the commands on conversations by name and outcome.
func (s *Server) doing(ctx context.Context, name string, do func(context.Context) (command.Result, error)) (command.Result, error) {
	begun := time.Now()
	r, err := do(ctx)
	s.handled(name, len(r.Commit.Events), r.Replayed, err, time.Since(begun))
	return r, err
}
