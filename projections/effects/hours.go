package effects

import (
	"slices"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections/floor"
)

// Hours drains the out-of-hours lists into the waiting ones, in order of arrival, when a department opens or somebody of it
// connects (D1). The floor's timer of the opening wakes it.
type Hours struct{}

var _ Settler = Hours{}

// Name is "hours".
func (Hours) Name() string { return "hours" }

// Settle drains the lists of departments that are open or staffed.
func (Hours) Settle(f *floor.State, now time.Time) []Command {
	var commands []Command
	for _, department := range f.Departments() {
		if !f.Anyone(department, thread.StateOutOfHours) || f.Image.OutOfHours(department, now) {
			continue
		}
		for _, conv := range f.List(department, thread.StateOutOfHours) {
			if conv.Live {
				commands = append(commands, Command{Cause: conv.Cause, Conversation: conv.ID, Do: thread.Drain{}, Lane: "drain " + department})
			}
		}
	}
	return commands
}

// Away tells contacts that write out of hours so, and those that write within the hours while nobody is there, each once a
// conversation (D1).
type Away struct{}

var _ Reactor = Away{}

// Name is "away".
func (Away) Name() string { return "away" }

// React answers what comes onto a list where nobody will take it soon.
func (Away) React(f *floor.State, c *domain.Commit) []Command {
	for _, e := range c.Events {
		q, ok := e.(thread.Queued)
		if !ok || q.List == thread.StateBot || !slices.Contains(away, q.Cause) || c.Before == nil && !came(c) {
			continue
		}
		settings := f.Image.Departments[q.Department].Settings
		text, ordinal := settings.AwayMessage, 0
		if q.List == thread.StateWaiting {
			if f.Image.Staffed(q.Department, c.Time) {
				continue
			}
			text, ordinal = settings.NobodyMessage, 1
		}
		if text != "" {
			return []Command{tells(c.Conversation, c.Conversation, ordinal, text)}
		}
	}
	return nil
}

// away are the causes of a move to a list after which nobody may be there soon.
var away = []string{"opened", "reopened", "transferred", thread.CauseHandedOff, thread.CauseBotPaused}

// came reports whether the contact began, and not we.
func came(c *domain.Commit) bool {
	for _, e := range c.Events {
		if o, ok := e.(thread.Opened); ok {
			return o.Direction == thread.Inbound
		}
	}
	return false
}

// tells is a machine's message to the contact. It is said once for each cause and ordinal.
func tells(conversation, cause string, ordinal int, text string) Command {
	return Command{Cause: cause, Conversation: conversation, Ordinal: ordinal,
		Do: thread.Send{Sender: thread.SenderMachine, Content: thread.Content{Kind: thread.KindText, Text: domain.Personal(text)}}}
}
