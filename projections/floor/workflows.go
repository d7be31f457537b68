package floor

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
)

// Workflow is a workflow that starts something.
type Workflow struct {
	Version  domain.Position  `json:"version"` // of its definition
	Workflow setting.Workflow `json:"workflow"`
}

// Waiting is a run of a workflow that waits for its next step.
type Waiting struct {
	Run          string    `json:"run"`
	Conversation string    `json:"conversation"`
	Workflow     string    `json:"workflow"`
	Next         int       `json:"next"` // step, from 1
	Due          time.Time `json:"due"`
	Unless       string    `json:"unless,omitempty"` // what ends it before
	Cause        string    `json:"cause"`            // id of the commit since which it waits
}

// TimerRun is when a run goes on. Its target is the run.
const TimerRun TimerKind = "run"

// TimerAnswer is when a conversation has been without an answer for long enough to start a workflow. Its target is
// "<conversation>/<workflow>", its cause the time since when.
const TimerAnswer TimerKind = "answer"

// AnswerOf gives what is in the target of a TimerAnswer.
func AnswerOf(target string) (conversation, workflow string) {
	conversation, workflow, _ = strings.Cut(target, "/")
	return conversation, workflow
}

// Started are the workflows that start something, by id.
func (s *State) Started() []*Workflow {
	all := make([]*Workflow, 0, len(s.Workflows))
	for _, w := range s.Workflows {
		all = append(all, w)
	}
	slices.SortFunc(all, func(a, b *Workflow) int { return cmp.Compare(a.Workflow.ID, b.Workflow.ID) })
	return all
}

// Waits are the runs of a conversation that wait, by id.
func (s *State) Waits(conversation string) []*Waiting {
	var all []*Waiting
	for _, w := range s.waits[conversation] {
		all = append(all, w)
	}
	slices.SortFunc(all, func(a, b *Waiting) int { return cmp.Compare(a.Run, b.Run) })
	return all
}

// applyWorkflow follows the definitions.
func (s *State) applyWorkflow(c *domain.Commit) {
	for _, e := range c.Events {
		var w setting.Workflow
		switch e := e.(type) {
		case setting.WorkflowDefined:
			w = e.Workflow
		case setting.WorkflowRetired:
			w = e.Workflow
		default:
			continue
		}
		if w.Starts() {
			s.Workflows[w.ID] = &Workflow{Version: c.Position, Workflow: w}
		} else {
			delete(s.Workflows, w.ID)
		}
		s.tell(kindWorkflow, w.ID)
		for _, conv := range s.Conversations {
			s.answer(conv, w.ID)
		}
	}
}

// applyRuns follows the runs that wait. It takes closed conversations, too: a close may begin a run.
func (s *State) applyRuns(c *domain.Commit) {
	for _, e := range c.Events {
		switch e := e.(type) {
		case thread.WorkflowStarted:
			if conv := s.Conversations[c.Conversation]; conv != nil && (setting.Trigger{On: e.Trigger}).Timed() {
				if conv.Begun == nil {
					conv.Begun = map[string]time.Time{}
				}
				conv.Begun[e.Workflow] = conv.without(e.Trigger)
			}
		case thread.WorkflowAdvanced:
			s.goesOn(e.Run)
		case thread.WorkflowWaited:
			run := WaitingOf(c, e)
			s.hold(&run)
			s.tell(kindRun, run.Run)
			s.start(Timer{TimerKey: TimerKey{TimerRun, run.Run}, Due: run.Due, Cause: run.Cause})
		case thread.WorkflowEnded:
			s.goesOn(e.Run)
		case thread.Erased:
			s.forget(c.Aggregate.ID + "-")
		}
	}
}

// WaitingOf is the run that a commit lets wait.
func WaitingOf(c *domain.Commit, e thread.WorkflowWaited) Waiting {
	return Waiting{Run: e.Run, Conversation: c.Conversation, Workflow: e.Workflow, Next: e.Step + 1, Due: e.Due, Unless: e.Unless, Cause: c.ID}
}

func (s *State) goesOn(run string) {
	w := s.Runs[run]
	if w == nil {
		return
	}
	delete(s.Runs, run)
	delete(s.waits[w.Conversation], run)
	if len(s.waits[w.Conversation]) == 0 {
		delete(s.waits, w.Conversation)
	}
	s.tell(kindRun, run)
	s.stopped(TimerKey{TimerRun, run})
}

// forget drops the runs of a thread that was erased: none goes on.
func (s *State) forget(prefix string) {
	for run := range s.Runs {
		if strings.HasPrefix(run, prefix) {
			s.goesOn(run)
		}
	}
}

// hold keeps a run that waits.
func (s *State) hold(w *Waiting) {
	s.Runs[w.Run] = w
	if s.waits[w.Conversation] == nil {
		s.waits[w.Conversation] = map[string]*Waiting{}
	}
	s.waits[w.Conversation][w.Run] = w
}

// answers sets, changes or stops the timers of a conversation without an answer.
func (s *State) answers(conv *Conversation) {
	for id, w := range s.Workflows {
		if w.Workflow.Trigger.Timed() {
			s.answer(conv, id)
		}
	}
}

func (s *State) answer(conv *Conversation, workflow string) {
	k := TimerKey{TimerAnswer, conv.ID + "/" + workflow}
	w := s.Workflows[workflow]
	if w == nil || !conv.Live || !w.Workflow.Trigger.Timed() {
		s.stopped(k)
		return
	}
	since := conv.without(w.Workflow.Trigger.On)
	if begun, ok := conv.Begun[workflow]; since.IsZero() || ok && begun.Equal(since) {
		s.stopped(k)
		return
	}
	s.start(Timer{TimerKey: k, Due: since.Add(time.Duration(w.Workflow.Trigger.After) * time.Second), Cause: since.UTC().Format(time.RFC3339Nano)})
}

// without is since when the conversation is without the answer that a trigger waits for; zero: it is not.
func (conv *Conversation) without(trigger string) time.Time {
	if trigger == setting.OnSilent {
		return conv.Clock.Said
	}
	return conv.Clock.Asked
}

// unanswered stops them all.
func (s *State) unanswered(conv *Conversation) {
	for id, w := range s.Workflows {
		if w.Workflow.Trigger.Timed() {
			s.stopped(TimerKey{TimerAnswer, conv.ID + "/" + id})
		}
	}
}

func (s *State) stopped(k TimerKey) {
	if s.Timers.stop(k) {
		s.tell(kindTimer, k.String())
	}
}
