package effects

import (
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections/floor"
)

// Unattended gives back conversations whose owner is not connected while the contact has waited too long for an answer, and
// alerts the supervisors of paused ones (D13).
type Unattended struct{}

var _ Timed = Unattended{}

// Name is "unattended".
func (Unattended) Name() string { return "unattended" }

// Fire releases the conversation or alerts, unless anything at all was said or done in it meanwhile.
func (Unattended) Fire(f *floor.State, t floor.Timer, _ time.Time) []Command {
	conv := f.Conversations[t.Target]
	if t.Kind != floor.TimerReassign || conv == nil {
		return nil
	}
	if conv.State == thread.StatePaused {
		return []Command{{Cause: t.Cause, Conversation: conv.ID, IfMatch: conv.Revision, Do: thread.Alert{Cause: thread.AlertUnattended}}}
	}
	return []Command{{
		Cause: t.Cause, Conversation: conv.ID, IfMatch: conv.Revision,
		Do: thread.Release{Cause: thread.CauseUnattended, Operator: conv.Owner},
	}}
}

// Rightful gives back the conversations of operators who were deactivated, left a department or became auditors (D13). It
// looks at the newest owners, too: a take may have been decided with settings that were a moment old.
type Rightful struct{}

var _ Settler = Rightful{}

// Name is "rightful".
func (Rightful) Name() string { return "rightful" }

// Settle releases what its owner may not have.
func (Rightful) Settle(f *floor.State, _ time.Time) []Command {
	var commands []Command
	for _, conv := range f.Suspects() {
		if !conv.Live {
			continue // an import's, until somebody acts in it
		}
		cause := wrongful(f.Image.Operators[conv.Owner], conv.Department)
		if cause == "" {
			f.Cleared(conv)
			continue
		}
		commands = append(commands, Command{
			Cause: conv.Cause, Conversation: conv.ID, Do: thread.Release{Cause: cause, Operator: conv.Owner},
		})
	}
	return commands
}

// wrongful is why the operator may not own a conversation of the department, or "". Administrators may own any.
func wrongful(op operator.Definition, department string) (cause string) {
	switch {
	case !op.Active:
		return "deactivated"
	case op.Role == operator.RoleAdmin, op.Role != operator.RoleAuditor && op.Member(department):
		return ""
	}
	return "left_department"
}

// All are the effects of a worker.
func All() []Effect {
	return []Effect{Unattended{}, Reminder{}, Rightful{}, Hours{}, Away{}, Distribution{}, Slots{}, Surveys{}, Workflows{}, Bot{}}
}

// Actor is who acts when an effect does: Turno itself, or its bot.
func Actor(effect string) domain.Actor {
	kind := domain.ActorSystem
	if effect == (Bot{}).Name() {
		kind = domain.ActorBot
	}
	return domain.Actor{Kind: kind, Via: "effect:" + effect}
}
