package telemetry

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	apihttp "github.com/turno-desk/turno/api/http"
)

var _ apihttp.Meter = (*HTTP)(nil)

// HTTP measures what an engine answers.
type HTTP struct {
	requests, problems, commands *prometheus.CounterVec
	answers, appended            *prometheus.HistogramVec
	streams                      prometheus.Gauge
}

// HTTP is the meter of the API.
func (m *Meters) HTTP() *HTTP {
	return &HTTP{
		requests: m.counter("turno_http_requests_total"),
		problems: m.counter("turno_http_problems_total"),
		commands: m.counter("turno_commands_total"),
		answers:  m.histogram("turno_http_request_duration_seconds"),
		appended: m.histogram("turno_command_duration_seconds"),
		streams:  m.gauge("turno_push_streams").WithLabelValues(),
	}
}

// Answered counts and times an answer.
func (h *HTTP) Answered(a apihttp.Answered) {
	h.requests.WithLabelValues(a.Method, a.Route, strconv.Itoa(a.Status)).Inc()
	if a.Problem != "" {
		h.problems.WithLabelValues(a.Route, a.Problem).Inc()
	}
	if !a.Feed {
		h.answers.WithLabelValues(a.Method, a.Route).Observe(a.Took.Seconds())
	}
}

// Commanded counts a command, and times one that appended.
func (h *HTTP) Commanded(command, outcome string, took time.Duration) {
	h.commands.WithLabelValues(command, outcome).Inc()
	if outcome == apihttp.Appended {
		h.appended.WithLabelValues(command).Observe(took.Seconds())
	}
}

// Streaming counts the push streams that are open.
func (h *HTTP) Streaming(more int) { h.streams.Add(float64(more)) }
