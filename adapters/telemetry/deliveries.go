package telemetry

import "time"

// Deliveries is called after each attempt to deliver an event to a receiver.
func (m *Meters) Deliveries() func(outcome string, took time.Duration) {
	attempts, duration := m.counter("turno_webhook_attempts_total"), m.histogram("turno_webhook_attempt_duration_seconds").WithLabelValues()
	return func(outcome string, took time.Duration) {
		attempts.WithLabelValues(outcome).Inc()
		duration.Observe(took.Seconds())
	}
}

// Pending shows how many deliveries this process has before it, and for how long the oldest.
func (m *Meters) Pending(ask func() (pending int, oldest time.Duration)) {
	m.look(func(show shower) {
		pending, oldest := ask()
		show("turno_webhook_pending", float64(pending))
		show("turno_webhook_oldest_pending_seconds", oldest.Seconds())
	})
}
