package telemetry

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	apihttp "github.com/turno-desk/turno/api/http"
	"github.com/turno-desk/turno/domain"
)

// lookWithin bounds what one scrape asks of the log and the views.
const lookWithin = 2 * time.Second

// shower shows the value of a gauge, or of a counter that another has counted, with its labels in the catalogue's order.
type shower func(name string, value float64, labels ...string)

// looking shows what it finds when somebody asks. It describes nothing beforehand: what can't be found out is left out.
type looking func(ch chan<- prometheus.Metric)

// Describe names nothing: the registry then checks each metric as it comes.
func (looking) Describe(chan<- *prometheus.Desc) {}

// Collect looks.
func (l looking) Collect(ch chan<- prometheus.Metric) { l(ch) }

// look has fn asked at every scrape.
func (m *Meters) look(fn func(shower)) {
	m.registry.MustRegister(looking(func(ch chan<- prometheus.Metric) {
		fn(func(name string, value float64, labels ...string) {
			d, kind := m.metrics[name], prometheus.GaugeValue
			if d.Kind == Counter {
				kind = prometheus.CounterValue
			}
			ch <- prometheus.MustNewConstMetric(prometheus.NewDesc(name, m.declared(name, d.Kind).help(), d.labels(), nil), kind, value, labels...)
		})
	}))
}

// Standing shows how log and views stand; ask must end with its context.
func (m *Meters) Standing(ask func(context.Context) apihttp.Readiness) {
	m.look(func(show shower) {
		ctx, cancel := context.WithTimeout(context.Background(), lookWithin)
		defer cancel()
		r := ask(ctx)
		if r.Log.Head > 0 {
			show("turno_log_head_position", float64(r.Log.Head))
		}
		for _, v := range r.Views {
			if v.Heartbeat.IsZero() {
				continue // nobody has built it yet
			}
			show("turno_projection_position", float64(v.Position), v.Projection)
			show("turno_projection_lag_events", float64(v.LagEvents), v.Projection)
			show("turno_projection_lag_seconds", v.LagSeconds, v.Projection)
			show("turno_projection_heartbeat_age_seconds", max(0, time.Since(v.Heartbeat.Time).Seconds()), v.Projection)
			show("turno_projection_parked", float64(v.Parked), v.Projection)
			show("turno_projection_version", float64(v.Version), v.Projection)
		}
	})
}

// Settings shows which settings commands are decided with. known is false before any were loaded.
func (m *Meters) Settings(ask func() (at domain.Position, age time.Duration, known bool)) {
	m.look(func(show shower) {
		if at, age, known := ask(); known {
			show("turno_settings_position", float64(at))
			show("turno_settings_age_seconds", age.Seconds())
		}
	})
}

// Connection shows the connection to NATS.
func (m *Meters) Connection(ask func() (connected bool, reconnects uint64)) {
	m.look(func(show shower) {
		connected, reconnects := ask()
		up := 0.0
		if connected {
			up = 1
		}
		show("turno_nats_connected", up)
		show("turno_nats_reconnects_total", float64(reconnects))
	})
}

// Stream is how large a stream is.
type Stream struct {
	Name                      string
	Bytes, Messages, Subjects uint64
}

// Streams shows how large the streams are; ask must end with its context, and leaves out what does not answer.
func (m *Meters) Streams(ask func(context.Context) []Stream) {
	m.look(func(show shower) {
		ctx, cancel := context.WithTimeout(context.Background(), lookWithin)
		defer cancel()
		for _, s := range ask(ctx) {
			show("turno_stream_bytes", float64(s.Bytes), s.Name)
			show("turno_stream_messages", float64(s.Messages), s.Name)
			show("turno_stream_subjects", float64(s.Subjects), s.Name)
		}
	})
}

// Disk shows the free space of the log's volume, and how much of it is kept in reserve.
func (m *Meters) Disk(ask func() (free, reserve uint64, err error)) {
	m.look(func(show shower) {
		if free, reserve, err := ask(); err == nil {
			show("turno_disk_free_bytes", float64(free))
			show("turno_disk_reserve_bytes", float64(reserve))
		}
	})
}
