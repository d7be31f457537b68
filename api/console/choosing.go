package console

import (
	"strings"

	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections/history"
)

// choosing is what the bot has shown last, by the ids of its choices, and so what an answer meant.
type choosing map[string]string

func (v *visit) choosing() choosing {
	return choosing{setting.PersonChoice: v.T("choice.person")}
}

// shown takes in what a message lets the contact choose from.
func (c choosing) shown(of []choice) {
	for _, o := range of {
		c[o.ID] = o.Name
	}
}

// title is what stood on the choice; its id where that was not shown.
func (c choosing) title(id string) string {
	if t := c[id]; t != "" {
		return t
	}
	return id
}

// understood puts what the bot made of a message of the contact to that message.
func (c choosing) understood(e *history.Entry, said []entry) error {
	m, err := read[thread.MenuAnswered](e)
	if err != nil {
		return err
	}
	for i := range said {
		s := &said[i]
		if s.Message != m.Message || s.Form != entryIn {
			continue
		}
		if s.Missed = m.Choice == ""; s.Missed {
			continue
		}
		if title := c.title(m.Choice); !strings.EqualFold(strings.TrimSpace(s.Text), title) {
			s.Chosen = title
		}
	}
	return nil
}
