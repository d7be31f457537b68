package http

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
)

// MacroAnswer is the success of a macro: every step was done.
type MacroAnswer struct {
	Position     domain.Position `json:"position"`
	Steps        []StepResult    `json:"steps"`
	Conversation *Conversation   `json:"conversation,omitempty"`
}

// StepResult is what one step did.
type StepResult struct {
	Action   string          `json:"action"`
	Position domain.Position `json:"position"`
	Events   int             `json:"events"`
	Message  string          `json:"message,omitempty"`
}

// runMacro does the steps of a macro one after the other, each as a command of its own under an id that the request's key and
// its place give: the same key does none twice. The first that is refused ends it; the problem says which.
func (s *Server) runMacro(c *call) error {
	var b struct{}
	if err := c.bind(&b); err != nil {
		return err
	}
	id, err := c.conversation()
	if err != nil {
		return err
	}
	name, err := c.id("macro")
	if err != nil {
		return err
	}
	r, err := c.request(b)
	if err != nil {
		return err
	}
	if r.After != 0 {
		if err := s.Settings.WaitFor(c.ctx(), r.After); err != nil {
			return err
		}
	}
	w, err := s.writingTo(c, id)
	if err != nil {
		return err
	}
	m, ok := w.image.Macro(name)
	switch {
	case !ok:
		return notFound()
	case m.Retired:
		return &domain.Refusal{Code: domain.CodeRetired, Missing: []string{"macro:" + name}, Detail: "The macro is no longer in use."}
	}
	answer := MacroAnswer{Steps: []StepResult{}}
	var last command.Result
	for i, step := range m.Steps {
		cmd, err := commandOf(w, step)
		if err == nil {
			last, err = s.doing(c.ctx(), step.Action, func(ctx context.Context) (command.Result, error) {
				return s.Conversations.Do(ctx, stepOf(r, name, i), id, cmd)
			})
		}
		if err != nil {
			return stopped(err, i, step.Action)
		}
		answer.Position = last.Position
		answer.Steps = append(answer.Steps, StepResult{step.Action, last.Position, len(last.Commit.Events), last.Message})
	}
	shown, err := s.answered(c, last)
	if err != nil {
		return err
	}
	answer.Conversation = shown.Conversation
	if last.Conversation != nil {
		c.Response().Header().Set("ETag", etag(last.Conversation.Revision))
	}
	return c.ok(answer.Position, answer)
}

// stepOf is the request of a macro's i-th step.
func stepOf(r command.Request, macro string, i int) command.Request {
	if r.Key != "" {
		r.Key += "/" + macro + "/" + strconv.Itoa(i)
	}
	if i > 0 {
		r.IfMatch = 0
	}
	return r
}

// stopped is the problem of the step that ended a macro. A failure that is no refusal keeps its own form.
func stopped(err error, i int, action string) error {
	p, logged := problem(err)
	var refusal *domain.Refusal
	var own *Problem
	if logged || !errors.As(err, &refusal) && !errors.As(err, &own) {
		return err
	}
	n := i + 1
	p.Step, p.Action = &n, action
	return p
}

// commandOf is the command of a step, its texts written.
func commandOf(w writing, step setting.Step) (thread.Command, error) {
	switch step.Action {
	case "take":
		return thread.Take{}, nil
	case "messages", "notes":
		text, err := step.Text, error(nil)
		if step.Template != "" {
			text, err = w.template(step.Template)
		}
		if err == nil {
			text, err = w.write(text)
		}
		if step.Action == "notes" {
			return thread.Note{Text: domain.Personal(text)}, err
		}
		return thread.Send{Content: thread.Content{Kind: thread.KindText, Text: domain.Personal(text)}}, err
	case "tags":
		return thread.Tag{Add: step.Add, Remove: step.Remove}, nil
	case "classify":
		return thread.Classify{Classified: thread.Classified{Outcome: step.Outcome, Origin: step.Origin, Interests: step.Interests, Stage: step.Stage}}, nil
	case "transfer":
		return thread.Transfer{Department: step.Department, Operator: step.Operator}, nil
	case "pause":
		return thread.Pause{}, nil
	case "resume":
		return thread.Resume{}, nil
	case "close":
		summary, err := w.write(step.Summary)
		return thread.Close{Category: step.Category, Summary: domain.Personal(summary)}, err
	}
	return nil, &Problem{Status: http.StatusUnprocessableEntity, Code: "unknown_action", Detail: "A macro has no such action."}
}
