package effects

import (
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections/floor"
)

// Bot talks by the channel's menu with contacts whose conversations a bot has (F004, F013). What it says is for the domain:
// this gives each message of a contact its turn, in their order, and closes what the contact has left lying.
type Bot struct{}

var (
	_ Reactor = Bot{}
	_ Timed   = Bot{}
)

// Name is "bot".
func (Bot) Name() string { return "bot" }

// React takes its turn after each message, and begins when somebody has resumed the bot.
func (Bot) React(_ *floor.State, c *domain.Commit) []Command {
	if c.After == nil || c.After.State != thread.StateBot {
		return nil
	}
	for _, e := range c.Events {
		switch e := e.(type) {
		case thread.MessageReceived:
			return []Command{{Cause: c.ID, Conversation: c.Conversation, Do: thread.Converse{Message: e.Message}}}
		case thread.Queued:
			if e.Cause == thread.CauseBotResumed {
				return []Command{{Cause: c.ID, Conversation: c.Conversation, Do: thread.Converse{}}}
			}
		}
	}
	return nil
}

// Fire closes a conversation whose contact has been silent for as long as the menu says.
func (Bot) Fire(f *floor.State, t floor.Timer, _ time.Time) []Command {
	conv := f.Conversations[t.Target]
	if t.Kind != floor.TimerSilence || conv == nil || conv.Silent == nil {
		return nil
	}
	return []Command{{Cause: t.Cause, Conversation: conv.ID, Ordinal: 1, Do: thread.FallSilent{Message: conv.Silent.Message}}}
}
