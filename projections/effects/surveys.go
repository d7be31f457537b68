package effects

import (
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/survey"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections/floor"
)

// Surveys asks contacts to rate what was closed, where the department does, and thanks for the first rating (F110, F111).
type Surveys struct{}

var _ Reactor = Surveys{}

// Name is "surveys".
func (Surveys) Name() string { return "surveys" }

// React asks after a close that calls for it. Whether the contact was asked too short a time ago is for the reservation to find
// out.
func (Surveys) React(f *floor.State, c *domain.Commit) []Command {
	if c.After == nil {
		return nil
	}
	settings := f.Image.Departments[c.After.Department].Settings.Survey
	about := survey.Close{Hidden: c.After.Hidden, Open: c.After.State != thread.StateClosed}
	var closed bool
	for _, e := range c.Events {
		switch e := e.(type) {
		case thread.Closed:
			closed, about.Reason, about.Declined = true, string(e.Reason), e.NoSurvey
		case thread.Erased:
			about.Erased = true
		case thread.Rated:
			if e.Survey != "" && !e.Replaces && settings.Thanks != "" {
				return []Command{{Cause: e.Survey, Ordinal: 1, Conversation: c.Conversation, Do: thread.Thank{Text: domain.Personal(settings.Thanks)}}}
			}
		}
	}
	if !closed || !survey.Calls(settings, about) {
		return nil
	}
	return []Command{{Cause: c.ID, Conversation: c.Conversation, Ask: c.Position}}
}
