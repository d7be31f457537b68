package thread

import (
	"slices"
	"time"
	"unicode/utf8"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
)

// Talk is where the bot and the contact are, while a bot has the conversation.
type Talk struct {
	Menu    string
	Node    string // that is shown; empty: none yet
	Wrong   int
	Choices []setting.Choice // what an answer does: as it was when it was shown
	Shown   int              // ordinal of the bot's newest message
	At      time.Time        // of it
	Heard   []Said           // by the contact, and not answered
}

// Said is a message of the contact as far as the bot reads it.
type Said struct {
	Message int
	At      time.Time
	Text    domain.Personal // its beginning; empty of what is no text
	Button  string
}

// maxHeard is how much of a message the bot reads, in bytes: an answer is short.
const maxHeard = 200

// hear keeps a message until the bot has answered it.
func (c *Conversation) hear(commit *domain.Commit, said Content) {
	if c.State != StateBot {
		return
	}
	s := Said{Message: c.Messages, At: commit.Time}
	if said.Kind == KindText {
		s.Text, s.Button = beginning(said.Text), said.Choice
	}
	c.Bot.Heard = append(slices.Clip(c.Bot.Heard), s)
}

func beginning(text domain.Personal) domain.Personal {
	if len(text) <= maxHeard {
		return text
	}
	cut := maxHeard
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut]
}

// heard lets go of what is answered up to and including a message.
func (c *Conversation) heard(message string) {
	k, ok := c.messageOrdinal(message)
	if !ok {
		return
	}
	var rest []Said
	for _, s := range c.Bot.Heard {
		if s.Message > k {
			rest = append(rest, s)
		}
	}
	c.Bot.Heard = rest
}

func (c *Conversation) show(commit *domain.Commit, e MenuShown) {
	if c.State != StateBot {
		return
	}
	c.heard(e.After)
	c.Bot.Menu, c.Bot.Node, c.Bot.Wrong, c.Bot.Choices = e.Menu, e.Node, e.Wrong, e.Choices
	c.Bot.Shown, c.Bot.At = c.Messages, commit.Time
}
