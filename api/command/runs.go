package command

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/domain/ticket"
	"github.com/turno-desk/turno/domain/workflow"
)

// Advanced does the next step of a workflow's run: what it does to the contact first, then the step itself. A step that is refused
// ends its run, which then says why.
func Advanced(ctx context.Context, e *Engine, c *Contacts, req Request, conversation string, do thread.Advance) (Result, error) {
	err := assigned(ctx, e, c, req, conversation, do)
	var result Result
	if err == nil {
		result, err = e.Do(ctx, req, conversation, do)
	}
	var refusal *domain.Refusal
	if !errors.As(err, &refusal) {
		return result, err
	}
	return e.Do(ctx, req, conversation, thread.EndRun{Run: do.Run, Step: do.Step, Outcome: thread.RunFailed, Reason: string(refusal.Code)})
}

// assigned gives the conversation's contact to an operator, or to nobody, where that is what the next step says.
func assigned(ctx context.Context, e *Engine, c *Contacts, req Request, conversation string, do thread.Advance) error {
	state, conv, err := e.Conversation(ctx, req.Workspace, conversation)
	if err != nil {
		return err
	}
	step, next := stepOf(conv, do)
	if !next || step.Action != setting.StepAssignContact && step.Action != setting.StepUnassignContact {
		return nil
	}
	operator := step.Operator
	if step.Owner {
		if operator = conv.Owner + conv.OwnerAtClose; operator == "" {
			return nil // nobody has it: the contact stays whose it is
		}
	}
	id := state.Contact
	if survivor, err := e.survivor(ctx, req.Workspace, id); err != nil {
		return err
	} else if survivor != "" {
		id = survivor
	}
	_, err = c.Assign(ctx, req, id, operator)
	return err
}

// stepOf is the step that an Advance does; false when it is not the next one of its run.
func stepOf(conv *thread.Conversation, do thread.Advance) (setting.WorkflowStep, bool) {
	if conv == nil {
		return setting.WorkflowStep{}, false
	}
	run, ok := conv.Run(do.Run)
	if !ok || run.Answered || do.Step != run.Done+1 || do.Step > len(run.Steps) {
		return setting.WorkflowStep{}, false
	}
	return run.Steps[do.Step-1], true
}

// survivor is the contact that a contact is merged into, or "".
func (e *Engine) survivor(ctx context.Context, workspace, id string) (string, error) {
	s, err := e.contact(ctx, workspace, id)
	if err != nil || s.Survivor == "" {
		return "", err
	}
	survivor, err := e.contact(ctx, workspace, s.Survivor)
	if err != nil || !survivor.Held(id, s.Merges) {
		return "", err
	}
	return s.Survivor, nil
}

func (e *Engine) contact(ctx context.Context, workspace, id string) (contact.State, error) {
	return loadContact(ctx, e.o.Log, domain.Aggregate{Workspace: workspace, Category: domain.CategoryContact, ID: id})
}

// known is what the log says of a thread's contact now: of the one that it is merged into, where it was merged, with the tags of both.
func (e *Engine) known(ctx context.Context, workspace, id string) (contact.State, error) {
	s, err := e.contact(ctx, workspace, id)
	if err != nil || s.Survivor == "" {
		return s, err
	}
	survivor, err := e.contact(ctx, workspace, s.Survivor)
	if err != nil || !survivor.Held(id, s.Merges) {
		return s, err
	}
	return contact.Together(survivor, s), nil
}

// prepareRun finds out what a run's conditions ask about the contact, and what a step says.
func (e *Engine) prepareRun(ctx context.Context, req Request, t *entry, j *job, f *thread.Facts) error {
	switch c := j.cmd.(type) {
	case thread.StartRun:
		return e.asked(ctx, req, t, t.conversation(j.number), c, f)
	case thread.Advance:
		conv := t.conversation(j.number)
		step, next := stepOf(conv, c)
		if !next {
			return nil
		}
		text, err := textOf(step, f.Image)
		if err != nil || text == "" {
			return err
		}
		c.Text, err = e.filled(ctx, req, t, conv, f.Image, text)
		j.cmd = c
		return err
	}
	return nil
}

// asked finds out what a run's conditions ask about: from the log itself, so that no view that is behind answers. What is cheap to know
// comes first, and where that says no already nothing more is read.
func (e *Engine) asked(ctx context.Context, req Request, t *entry, conv *thread.Conversation, start thread.StartRun, f *thread.Facts) (err error) {
	asks := start.Workflow.Conditions
	if conv == nil || len(asks) == 0 {
		return nil
	}
	refuted := func(unread ...string) bool {
		subject := conv.Subject(t.state, *f, asks)
		maps.DeleteFunc(subject, func(field string, _ []string) bool {
			return slices.ContainsFunc(unread, func(prefix string) bool { return strings.HasPrefix(field, prefix) })
		})
		return workflow.Holds(asks, subject) == workflow.No
	}
	if refuted(setting.CondMessage, setting.CondContact, setting.CondTicket) {
		return nil
	}
	if start.Message != 0 && len(workflow.AskedOf(asks, setting.CondMessage)) > 0 {
		found, err := e.recall(ctx, t, thread.Sighting{Position: start.Message})
		if err != nil {
			return err
		}
		f.Run.Message = thread.Heard(&found.Commit)
	}
	if refuted(setting.CondContact, setting.CondTicket) {
		return nil
	}
	if len(workflow.AskedOf(asks, setting.CondContact)) > 0 {
		if f.Run.Contact, err = e.known(ctx, req.Workspace, t.state.Contact); err != nil {
			return err
		}
	}
	if len(workflow.AskedOf(asks, setting.CondTicket)) == 0 || refuted(setting.CondTicket) {
		return nil
	}
	a := domain.Aggregate{Workspace: req.Workspace, Category: domain.CategoryTicket, ID: strconv.FormatInt(conv.CaseOf(), 10)}
	commits, _, err := e.o.Log.Load(ctx, a, 0, func(*domain.Commit) bool { return true })
	if err != nil {
		return fmt.Errorf("load ticket %s: %w", a.ID, err)
	}
	for i := range commits {
		latest(ticket.DefinitionOf)(&f.Run.Ticket, &commits[i])
	}
	return nil
}

// textOf is what a step says, before its variables are filled.
func textOf(s setting.WorkflowStep, image *setting.Image) (string, error) {
	if s.Template == "" {
		return s.Text + s.Summary, nil
	}
	t, ok := image.Template(s.Template)
	switch {
	case !ok:
		return "", &domain.Refusal{Code: domain.CodeUnknownSetting, Missing: []string{"template:" + s.Template}, Detail: "There is no such template."}
	case t.Retired:
		return "", &domain.Refusal{Code: domain.CodeRetired, Missing: []string{"template:" + s.Template}, Detail: "The template is no longer in use."}
	}
	return t.Text, nil
}

// CodeVariable refuses a text with a variable of which nothing is known.
const CodeVariable domain.Code = "variable_without_value"

// filled puts values in the place of a text's variables.
func (e *Engine) filled(ctx context.Context, req Request, t *entry, conv *thread.Conversation, image *setting.Image, text string) (domain.Personal, error) {
	var person contact.State
	if len(domain.Variables(text)) > 0 {
		var err error
		if person, err = e.known(ctx, req.Workspace, t.state.Contact); err != nil {
			return "", err
		}
	}
	filled, open := domain.Fill(text, func(name string) string { return valueOf(name, t.state, conv, image, person) })
	if len(open) > 0 {
		return "", &domain.Refusal{Code: CodeVariable, Detail: "Nothing is known of what these variables stand for.", Missing: open}
	}
	return domain.Personal(filled), nil
}

// valueOf is what a variable stands for; empty when nothing is known of it.
func valueOf(name string, s *thread.State, conv *thread.Conversation, image *setting.Image, person contact.State) string {
	if id, ok := strings.CutPrefix(name, setting.VarContactField); ok {
		return string(person.Profile.Fields[id])
	}
	switch name {
	case setting.VarContactName:
		if person.Profile.Name != "" {
			return string(person.Profile.Name)
		}
		return string(s.Name)
	case setting.VarContactEmail:
		return string(person.Profile.Email)
	case setting.VarContactPhone:
		return string(person.Profile.Phone)
	case setting.VarContactCompany:
		return string(person.Profile.Company)
	case setting.VarOperatorName:
		return string(image.Operators[conv.Owner+conv.OwnerAtClose].Name)
	case setting.VarDepartmentName:
		return image.Departments[conv.Department].Name
	case setting.VarChannelName:
		return image.Channels[s.Channel].Name
	case setting.VarTicketNumber:
		return strconv.FormatInt(conv.CaseOf(), 10)
	}
	return ""
}
