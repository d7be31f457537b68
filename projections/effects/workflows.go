package effects

import (
	"slices"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/domain/workflow"
	"github.com/turno-desk/turno/projections/floor"
)

// Workflows starts the runs of workflows and takes them from step to step (F136). Whether a run begins, and what a step does, is
// decided by the conversation: an effect that is behind, or says it twice, changes nothing.
type Workflows struct{}

var (
	_ Reactor = Workflows{}
	_ Timed   = Workflows{}
)

// Name is "workflows".
func (Workflows) Name() string { return "workflows" }

// React starts what the commit triggers, and goes on with the runs that it has moved.
func (Workflows) React(f *floor.State, c *domain.Commit) []Command {
	if c.Aggregate.Category != domain.CategoryThread || c.Conversation == "" {
		return nil
	}
	return append(next(f, c), triggered(f, c)...)
}

// triggered are the starts of the workflows that wait for what has happened, in the order of their ids. Conditions are asked as far as
// the commit tells.
func triggered(f *floor.State, c *domain.Commit) []Command {
	occasions := thread.Occasions(c)
	if len(occasions) == 0 {
		return nil
	}
	var commands []Command
	for _, w := range f.Started() {
		meant := func(o workflow.Occasion) bool { return workflow.Starts(w.Workflow, o) }
		if slices.ContainsFunc(occasions, meant) && workflow.Holds(w.Workflow.Conditions, thread.Told(c)) != workflow.No {
			start := thread.StartRun{Depth: depth(c) + 1}
			if thread.Heard(c) != nil {
				start.Message = c.Position
			}
			commands = append(commands, starts(c.ID, c.Conversation, w, start))
		}
	}
	return commands
}

// depth is that of the run whose step the commit is; 0 when it is none.
func depth(c *domain.Commit) int {
	for _, e := range c.Events {
		if e, ok := e.(thread.WorkflowAdvanced); ok {
			return e.Depth
		}
	}
	return 0
}

func starts(cause, conversation string, w *floor.Workflow, start thread.StartRun) Command {
	start.Workflow, start.Version = w.Workflow, w.Version
	return Command{Cause: cause + "/" + w.Workflow.ID, Conversation: conversation, As: workflow.Actor(w.Workflow.ID), Do: start}
}

// next are the next steps of the runs that a commit has begun or advanced, and the ends of those whose wait it has made vain.
func next(f *floor.State, c *domain.Commit) []Command {
	type at struct {
		workflow string
		step     int
	}
	goes := map[string]at{}
	var order []string
	var commands []Command
	for _, e := range c.Events {
		switch e := e.(type) {
		case thread.WorkflowStarted:
			goes[e.Run] = at{e.Workflow, 1}
			order = append(order, e.Run)
		case thread.WorkflowAdvanced:
			goes[e.Run] = at{e.Workflow, e.Step + 1}
			order = append(order, e.Run)
		case thread.WorkflowWaited:
			delete(goes, e.Run)
		case thread.WorkflowEnded:
			delete(goes, e.Run)
		case thread.MessageReceived:
			for _, w := range f.Waits(c.Conversation) {
				if w.Unless == setting.OnReceived {
					commands = append(commands, Command{
						Cause: c.ID + "/" + w.Run, Conversation: c.Conversation, As: workflow.Actor(w.Workflow),
						Do: thread.EndRun{Run: w.Run, Step: w.Next, Outcome: thread.RunCancelled, Reason: workflow.ReasonAnswered},
					})
				}
			}
		}
	}
	for _, run := range order {
		if to, ok := goes[run]; ok {
			commands = append(commands, advances(c.ID, c.Conversation, to.workflow, run, to.step))
		}
	}
	return commands
}

func advances(cause, conversation, id, run string, step int) Command {
	return Command{Cause: cause + "/" + run, Conversation: conversation, As: workflow.Actor(id), Do: thread.Advance{Run: run, Step: step}}
}

// Fire goes on after a wait, and starts what waits for a time without an answer.
func (Workflows) Fire(f *floor.State, t floor.Timer, _ time.Time) []Command {
	switch t.Kind {
	case floor.TimerRun:
		if w := f.Runs[t.Target]; w != nil {
			return []Command{advances(t.Cause, w.Conversation, w.Workflow, w.Run, w.Next)}
		}
	case floor.TimerAnswer:
		conversation, id := floor.AnswerOf(t.Target)
		since, err := time.Parse(time.RFC3339Nano, t.Cause)
		if w := f.Workflows[id]; w != nil && err == nil {
			return []Command{starts(t.Cause, conversation, w, thread.StartRun{Depth: 1, Since: since})}
		}
	}
	return nil
}
