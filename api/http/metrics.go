package http

import (
	"context"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what the server counts. Labels are routes, methods, statuses and codes: never an id, an address or a name.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	problems *prometheus.CounterVec
	commands *prometheus.CounterVec
	appends  prometheus.Histogram
	streams  prometheus.Gauge
}

func newMetrics(r prometheus.Registerer, version string) (*metrics, error) {
	buckets := []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5}
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "turno_http_requests_total", Help: "Requests by route and status."},
			[]string{"method", "route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "turno_http_request_seconds", Help: "Time to answer, feeds left out.", Buckets: buckets},
			[]string{"method", "route"}),
		problems: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "turno_http_problems_total", Help: "Answers that were problems, by route and code."},
			[]string{"route", "code"}),
		commands: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "turno_commands_total", Help: "Commands by name and outcome: ok, unchanged, replayed or the code of the refusal."},
			[]string{"command", "outcome"}),
		appends: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "turno_command_seconds", Help: "Time from a decoded command to its acknowledged append.", Buckets: buckets}),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{Name: "turno_streams", Help: "Push streams that are open."}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "turno_build_info", Help: "Always 1.", ConstLabels: prometheus.Labels{"version": version}})
	build.Set(1)
	for _, c := range []prometheus.Collector{m.requests, m.seconds, m.problems, m.commands, m.appends, m.streams, build} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) answered(method, route string, status int, took time.Duration, timed bool) {
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
	if timed {
		m.seconds.WithLabelValues(method, route).Observe(took.Seconds())
	}
}

func (m *metrics) refused(route, code string) { m.problems.WithLabelValues(route, code).Inc() }

// handled counts a command's outcome; a success that appended is timed.
func (m *metrics) handled(name string, events int, replayed bool, err error, took time.Duration) {
	outcome := "ok"
	switch {
	case err != nil:
		p, _ := problem(err)
		outcome = p.Code
	case replayed:
		outcome = "replayed"
	case events == 0:
		outcome = "unchanged"
	default:
		m.appends.Observe(took.Seconds())
	}
	m.commands.WithLabelValues(name, outcome).Inc()
}

// lags shows how far the views are behind the log when somebody asks.
type lags struct {
	s       *Server
	events  *prometheus.Desc
	seconds *prometheus.Desc
	parked  *prometheus.Desc
	head    *prometheus.Desc
}

func newLags(s *Server) *lags {
	return &lags{
		s:       s,
		events:  prometheus.NewDesc("turno_projection_lag_events", "Commits of the log that the view lacks.", []string{"projection"}, nil),
		seconds: prometheus.NewDesc("turno_projection_lag_seconds", "Age of the oldest commit that the view lacks.", []string{"projection"}, nil),
		parked:  prometheus.NewDesc("turno_projection_parked", "Aggregates that the view could not digest.", []string{"projection"}, nil),
		head:    prometheus.NewDesc("turno_log_head", "Newest position of the log.", nil, nil),
	}
}

// Describe names what Collect gives.
func (l *lags) Describe(ch chan<- *prometheus.Desc) {
	ch <- l.events
	ch <- l.seconds
	ch <- l.parked
	ch <- l.head
}

// Collect asks the log and the views.
func (l *lags) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), readyWait)
	defer cancel()
	r := l.s.readiness(ctx)
	if r.Log.Head > 0 {
		ch <- prometheus.MustNewConstMetric(l.head, prometheus.GaugeValue, float64(r.Log.Head))
	}
	for _, v := range r.Views {
		if v.Heartbeat.IsZero() {
			continue
		}
		ch <- prometheus.MustNewConstMetric(l.events, prometheus.GaugeValue, float64(v.LagEvents), v.Projection)
		ch <- prometheus.MustNewConstMetric(l.seconds, prometheus.GaugeValue, v.LagSeconds, v.Projection)
		ch <- prometheus.MustNewConstMetric(l.parked, prometheus.GaugeValue, float64(v.Parked), v.Projection)
	}
}
