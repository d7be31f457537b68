package telemetry

import "time"

// Projection is called after each batch that a runner of this process wrote into the view.
func (m *Meters) Projection(name string) (wrote func(commits int, took time.Duration)) {
	commits := m.counter("turno_projection_commits_total").WithLabelValues(name)
	batches := m.histogram("turno_projection_batch_duration_seconds").WithLabelValues(name)
	return func(n int, took time.Duration) {
		commits.Add(float64(n))
		batches.Observe(took.Seconds())
	}
}

// Writing shows whether a runner of this process is the one that writes its view.
func (m *Meters) Writing(name string, is func() bool) {
	m.look(func(show shower) {
		writing := 0.0
		if is() {
			writing = 1
		}
		show("turno_projection_writing", writing, name)
	})
}
