package thread

import (
	"time"

	"github.com/turno-desk/turno/domain"
)

// Clock says who waits for whom in an open conversation, and since when.
type Clock struct {
	Asked time.Time `json:"asked"` // of the contact's first message that no person has answered; zero: none
	// Said is when a person of ours wrote last, if the contact has written nothing since; zero otherwise. A machine's message
	// begins it, and never moves it, while a bot attends the contact or the contact has not written yet.
	Said  time.Time `json:"said"`
	Heard bool      `json:"heard,omitempty"` // the contact has written in this conversation
}

// Fold is the clock after a commit; state is the conversation's before it.
func (k Clock) Fold(c *domain.Commit, state string) Clock {
	for _, e := range c.Events {
		k = k.After(c, e, state)
		switch e := e.(type) {
		case Queued:
			state = e.List
		case Taken, Resumed:
			state = StateAttending
		case Paused:
			state = StatePaused
		case Closed:
			state = StateClosed
		}
	}
	return k
}

// After is the clock after an event of a commit; state is the conversation's before it.
func (k Clock) After(c *domain.Commit, e domain.Event, state string) Clock {
	switch e := e.(type) {
	case Opened, Reopened:
		return Clock{}
	case Queued:
		if state == StateBot {
			k.Said = time.Time{} // from here on it is our turn
		}
	case MessageReceived:
		k.Said, k.Heard = time.Time{}, true
		if k.Asked.IsZero() {
			k.Asked = c.Time
		}
	case MessageSent:
		switch {
		case e.Sender != SenderMachine:
			k.Asked, k.Said = time.Time{}, c.Time
		case k.Said.IsZero() && (state == StateBot || !k.Heard):
			k.Said = c.Time
		}
	}
	return k
}
