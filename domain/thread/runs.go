package thread

import (
	"slices"
	"strconv"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/routing"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/workflow"
)

// Run is a run of a workflow that has not ended (F136).
type Run struct {
	ID       string
	Workflow string
	Trigger  string
	Depth    int
	Steps    []setting.WorkflowStep // of the version that it began with
	Done     int                    // steps so far
	Due      *time.Time             // while it waits
	Unless   string                 // while it waits: what ends it before
	Answered bool                   // that has happened
}

// Late reports whether a close began it: no close ends it.
func (r *Run) Late() bool { return setting.Trigger{On: r.Trigger}.Late() }

// RunID is the id of the conversation's k-th run.
func (c *Conversation) RunID(k int) string { return c.ID + "-w" + strconv.Itoa(k) }

// Run finds a run that has not ended.
func (c *Conversation) Run(id string) (Run, bool) {
	k := slices.IndexFunc(c.Runs, func(r Run) bool { return r.ID == id })
	if k < 0 {
		return Run{}, false
	}
	return c.Runs[k], true
}

// runs says what an event makes of the runs; copies of the conversation that were handed out keep theirs.
func (c *Conversation) runs(commit *domain.Commit, event domain.Event) {
	change := func(id string, fn func(*Run)) {
		c.Runs = slices.Clone(c.Runs)
		for k := range c.Runs {
			if c.Runs[k].ID == id || id == "" {
				fn(&c.Runs[k])
			}
		}
	}
	switch e := event.(type) {
	case WorkflowStarted:
		c.Runs = append(slices.Clip(c.Runs), Run{ID: e.Run, Workflow: e.Workflow, Trigger: e.Trigger, Depth: e.Depth, Steps: e.Steps})
		c.RunCount++
		recent := slices.DeleteFunc(slices.Clone(c.RunStarts), func(at time.Time) bool { return commit.Time.Sub(at) >= workflow.StartsSpan })
		c.RunStarts = append(recent, commit.Time)
	case WorkflowAdvanced:
		change(e.Run, func(r *Run) { r.Done, r.Due, r.Unless, r.Answered = e.Step, nil, "", false })
	case WorkflowWaited:
		change(e.Run, func(r *Run) { r.Due, r.Unless = &e.Due, e.Unless })
	case WorkflowEnded:
		c.Runs = slices.DeleteFunc(slices.Clone(c.Runs), func(r Run) bool { return r.ID == e.Run })
		if e.Reason == workflow.ReasonLoop || e.Reason == workflow.ReasonTooMany {
			c.RunsStopped = commit.Time
		}
	case MessageReceived:
		if len(c.Runs) > 0 {
			change("", func(r *Run) { r.Answered = r.Answered || r.Unless == setting.OnReceived })
		}
	}
}

// startRun begins a run, if its conditions hold (F136). A workflow runs once at a time in a conversation.
func (d decision) startRun(c StartRun) ([]Event, *domain.Refusal) {
	if d.f.Actor.Kind != domain.ActorSystem {
		return nil, forbidden("Workflows start by themselves.")
	}
	on := c.Workflow.Trigger.On
	if d.c.Open() == c.Workflow.Trigger.Late() || on == setting.OnUnanswered && !d.c.Clock.Asked.Equal(c.Since) || on == setting.OnSilent && !d.c.Clock.Said.Equal(c.Since) {
		return nil, nil // it is over
	}
	if slices.ContainsFunc(d.c.Runs, func(r Run) bool { return r.Workflow == c.Workflow.ID }) {
		return nil, nil
	}
	if workflow.Holds(c.Workflow.Conditions, d.c.Subject(d.s, d.f, c.Workflow.Conditions)) != workflow.Yes {
		return nil, nil
	}
	started := WorkflowStarted{
		Run: d.c.RunID(d.c.RunCount + 1), Workflow: c.Workflow.ID, Version: c.Version, Trigger: on, Depth: c.Depth, Steps: c.Workflow.Steps,
	}
	reason := workflow.Enough(c.Depth, d.c.RunStarts, len(d.c.Runs), d.f.Now)
	if reason == "" {
		return []Event{started}, nil
	}
	if !d.c.RunsStopped.IsZero() && d.f.Now.Sub(d.c.RunsStopped) < workflow.StartsSpan {
		return nil, nil // it was said
	}
	started.Steps = nil
	return []Event{started, WorkflowEnded{Run: started.Run, Workflow: started.Workflow, Outcome: RunFailed, Reason: reason}}, nil
}

// advance does the next step of a run, all of it in one commit. What the step does may be refused: then so is the whole.
func (d decision) advance(c Advance) ([]Event, *domain.Refusal) {
	if d.f.Actor.Kind != domain.ActorSystem {
		return nil, forbidden("Workflows go on by themselves.")
	}
	run, ok := d.c.Run(c.Run)
	if !ok || c.Step != run.Done+1 || c.Step > len(run.Steps) {
		return nil, nil
	}
	if run.Answered {
		return []Event{ended(run, c.Step, RunCancelled, workflow.ReasonAnswered)}, nil
	}
	step := run.Steps[c.Step-1]
	advanced := WorkflowAdvanced{Run: run.ID, Workflow: run.Workflow, Step: c.Step, Action: step.Action, Depth: run.Depth}
	d.run = run.ID
	events := []Event{}
	switch step.Action {
	case setting.StepWait:
		events = append(events, WorkflowWaited{Run: run.ID, Workflow: run.Workflow, Step: c.Step, Due: d.f.Now.Add(time.Duration(step.For) * time.Second), Unless: step.Unless})
	case setting.StepWebhook:
		events = append(events, WebhookRequested{Run: run.ID, Workflow: run.Workflow, Step: c.Step, Subscription: step.Subscription})
	case setting.StepAssignContact, setting.StepUnassignContact: // the contact's own aggregate has it by now
	default:
		if step.Action == setting.StepAssign && step.Rule != "" {
			if r := d.distributable(); r != nil {
				return nil, r
			}
			advanced.Rule = routing.Rule(step.Rule)
			break
		}
		did, r := d.decide(commandOf(step, c.Text))
		if r != nil {
			return nil, r
		}
		events = append(events, did...)
	}
	events = append([]Event{advanced}, events...)
	if c.Step == len(run.Steps) {
		events = append(events, ended(run, c.Step, RunDone, ""))
	}
	return events, nil
}

// distributable refuses to give a conversation by a rule that does not wait for anybody.
func (d decision) distributable() *domain.Refusal {
	if d.c.State != StateWaiting && d.c.State != StateOutOfHours {
		return notAllowed(d.c, "A rule assigns what waits: release it first.")
	}
	return nil
}

// commandOf is the command of a step that acts on the conversation.
func commandOf(s setting.WorkflowStep, text domain.Personal) Command {
	switch s.Action {
	case setting.StepAssign:
		return Assign{Operator: s.Operator}
	case setting.StepRelease:
		return Release{}
	case setting.StepTransfer:
		return Transfer{Department: s.Department, Operator: s.Operator, Force: s.Force}
	case setting.StepTags:
		return Tag{Add: s.Add, Remove: s.Remove}
	case setting.StepMessages:
		return Send{Content: Content{Kind: KindText, Text: text}}
	case setting.StepNotes:
		return Note{Text: text}
	case setting.StepPauseBot:
		return PauseBot{}
	case setting.StepResumeBot:
		return ResumeBot{}
	case setting.StepClose:
		return Close{Reason: CloseReason(s.Reason), Category: s.Category, Summary: text}
	}
	return nil
}

// endRun ends a run before its next step.
func (d decision) endRun(c EndRun) ([]Event, *domain.Refusal) {
	if d.f.Actor.Kind != domain.ActorSystem {
		return nil, forbidden("Workflows end by themselves.")
	}
	run, ok := d.c.Run(c.Run)
	if !ok || c.Step != run.Done+1 {
		return nil, nil
	}
	return []Event{ended(run, c.Step, c.Outcome, c.Reason)}, nil
}

func ended(r Run, step int, outcome Outcome, reason string) WorkflowEnded {
	return WorkflowEnded{Run: r.ID, Workflow: r.Workflow, Step: step, Outcome: outcome, Reason: reason}
}

// cancelled ends the runs that go on while the conversation is open, but for the one that closes it.
func (d decision) cancelled() (events []Event) {
	for _, r := range d.c.Runs {
		if !r.Late() && r.ID != d.run {
			events = append(events, ended(r, r.Done+1, RunCancelled, workflow.ReasonClosed))
		}
	}
	return events
}
