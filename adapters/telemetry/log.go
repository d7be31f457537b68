package telemetry

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
)

// timedLog is a log that is watched.
type timedLog struct {
	command.Log
	results      *prometheus.CounterVec
	append, load prometheus.Observer
}

// Log is the same log with its appends and loads counted and timed.
func (m *Meters) Log(log command.Log) command.Log {
	return &timedLog{
		Log: log, results: m.counter("turno_log_appends_total"),
		append: m.histogram("turno_log_append_duration_seconds").WithLabelValues(),
		load:   m.histogram("turno_log_load_duration_seconds").WithLabelValues(),
	}
}

// Append is that of the log.
func (l *timedLog) Append(ctx context.Context, c domain.Commit, v domain.Version) (domain.Position, domain.Version, error) {
	began := time.Now()
	p, v, err := l.Log.Append(ctx, c, v)
	l.append.Observe(time.Since(began).Seconds())
	l.results.WithLabelValues(appendResult(err)).Inc()
	return p, v, err
}

// Load is that of the log.
func (l *timedLog) Load(ctx context.Context, a domain.Aggregate, since domain.Version, stop func(*domain.Commit) bool) ([]domain.Commit, domain.Version, error) {
	began := time.Now()
	commits, v, err := l.Log.Load(ctx, a, since, stop)
	l.load.Observe(time.Since(began).Seconds())
	return commits, v, err
}

func appendResult(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, command.ErrConflict):
		return "conflict"
	case errors.Is(err, command.ErrFull):
		return "full"
	case errors.Is(err, command.ErrUncertain):
		return "uncertain"
	case errors.Is(err, command.ErrUnavailable):
		return "unavailable"
	}
	return "failed"
}

// Grouped is called with the size of each group of commits that were flushed together.
func (m *Meters) Grouped() func(commits int) {
	size := m.histogram("turno_log_group_commit_size").WithLabelValues()
	return func(commits int) { size.Observe(float64(commits)) }
}

// Vault is called after each trip to the vault.
func (m *Meters) Vault() func(operation string, took time.Duration, err error) {
	done, durations := m.counter("turno_vault_operations_total"), m.histogram("turno_vault_operation_duration_seconds")
	return func(operation string, took time.Duration, err error) {
		result := "ok"
		if err != nil {
			result = "failed"
		}
		done.WithLabelValues(operation, result).Inc()
		durations.WithLabelValues(operation).Observe(took.Seconds())
	}
}
