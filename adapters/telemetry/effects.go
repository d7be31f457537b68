package telemetry

import (
	"errors"

	"github.com/turno-desk/turno/domain"
)

// Leading shows whether the worker of this process is the one that acts.
func (m *Meters) Leading(is func() bool) {
	m.look(func(show shower) {
		leading := 0.0
		if is() {
			leading = 1
		}
		show("turno_worker_leading", leading)
	})
}

// Effects is called after each command that an effect gave.
func (m *Meters) Effects() func(effect string, appended bool, err error) {
	commands := m.counter("turno_effect_commands_total")
	return func(effect string, appended bool, err error) {
		outcome := "unchanged"
		var refusal *domain.Refusal
		switch {
		case errors.As(err, &refusal):
			outcome = "refused"
		case err != nil:
			outcome = "failed"
		case appended:
			outcome = "ok"
		}
		commands.WithLabelValues(effect, outcome).Inc()
	}
}
