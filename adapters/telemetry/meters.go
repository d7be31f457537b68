package telemetry

import (
	"fmt"
	"net/http"
	"runtime"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Meters are the metrics of one process. A part that is asked for twice is one and the same.
type Meters struct {
	registry *prometheus.Registry
	metrics  map[string]Metric

	mu   sync.Mutex
	made map[string]prometheus.Collector
}

// New makes the meters of a process of this version of the program. They show its build, its memory and Go's own figures
// from the start; everything else when its part is asked for.
func New(version string) *Meters {
	m := &Meters{registry: prometheus.NewRegistry(), metrics: map[string]Metric{}, made: map[string]prometheus.Collector{}}
	for _, metric := range Catalogue() {
		m.metrics[metric.Name] = metric
	}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.gauge("turno_build_info").WithLabelValues(version, runtime.Version()).Set(1)
	return m
}

// Handler answers /metrics.
func (m *Meters) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

func (m *Meters) counter(name string) *prometheus.CounterVec {
	return collector(m, name, Counter, func(d Metric) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: d.Name, Help: d.help()}, d.labels())
	})
}

func (m *Meters) gauge(name string) *prometheus.GaugeVec {
	return collector(m, name, Gauge, func(d Metric) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: d.Name, Help: d.help()}, d.labels())
	})
}

func (m *Meters) histogram(name string) *prometheus.HistogramVec {
	return collector(m, name, Histogram, func(d Metric) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: d.Name, Help: d.help(), Buckets: d.Buckets}, d.labels())
	})
}

// collector makes and registers a collector of the catalogue, once.
func collector[C prometheus.Collector](m *Meters, name string, kind Kind, make func(Metric) C) C {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c, is := m.made[name]; is {
		return c.(C) //nolint:errcheck // the catalogue has one kind for each name
	}
	c := make(m.declared(name, kind))
	m.registry.MustRegister(c)
	m.made[name] = c
	return c
}

// declared is the catalogue's word on a metric. A name that is not in it is a mistake of the program.
func (m *Meters) declared(name string, kind Kind) Metric {
	d, is := m.metrics[name]
	if !is || d.Kind != kind {
		panic(fmt.Sprintf("the catalogue has no %s %q", kind, name))
	}
	return d
}

func (d Metric) help() string { return d.Meaning + "." }

func (d Metric) labels() []string {
	names := make([]string, len(d.Labels))
	for i, l := range d.Labels {
		names[i] = l.Name
	}
	return names
}
