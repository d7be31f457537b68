// Package rehearsal tells over the events of a log what workflows would have started in a period: in which conversations, and which
// steps when. Nothing is changed, and what the steps would have changed is not known.
package rehearsal

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/domain/ticket"
	"github.com/turno-desk/turno/domain/workflow"
)

// Run is one that would have begun.
type Run struct {
	Workflow     string
	Conversation string
	Ticket       int64
	At           time.Time
	Position     domain.Position // of the commit that starts it; 0: time does
	Steps        []Step          // those that would have been done
	Outcome      thread.Outcome
	Reason       string // closed, answered, loop
}

// Step is one step of a run.
type Step struct {
	Action string
	At     time.Time
}

// Rehearsal takes in a log, commit by commit, in order; histories that were imported count by when they happened. Conditions are asked of a
// conversation as it was; of its contact and of who was there as of the conversation's next event, where time starts a run.
type Rehearsal struct {
	workflows []setting.Workflow
	from, to  time.Time

	image    *setting.Image
	threads  map[string]*thread.State
	contacts map[string]contact.State
	tickets  map[string]ticket.Definition // by number, where a condition asks about them
	opens    bool
	partial  bool
	due      map[string][]expected // by thread
	starts   map[string][]time.Time
	going    map[string][]*rehearsed // by conversation: runs that are not over
	runs     []*rehearsed
}

// rehearsed is a run with what it was meant to do.
type rehearsed struct {
	Run
	plan []setting.WorkflowStep
	late bool
	end  time.Time // of its last step
}

// New begins a rehearsal of workflows, enabled or not, for the period [from, to) of a workspace's log. It takes in the log from its
// first commit on.
func New(workspace string, workflows []setting.Workflow, from, to time.Time) *Rehearsal {
	r := &Rehearsal{
		from: from.UTC(), to: to.UTC(), image: &setting.Image{Workspace: workspace}, threads: map[string]*thread.State{},
		contacts: map[string]contact.State{}, tickets: map[string]ticket.Definition{}, due: map[string][]expected{}, starts: map[string][]time.Time{}, going: map[string][]*rehearsed{},
	}
	for _, w := range workflows {
		w.Enabled, w.Retired = true, false
		r.workflows = append(r.workflows, w)
		r.opens = r.opens || workflow.Personal(w.Conditions)
	}
	return r
}

// Opens reports whether conditions ask about what is sealed: then the log must be read with its personal fields open.
func (r *Rehearsal) Opens() bool { return r.opens }

// Apply takes in one more commit.
func (r *Rehearsal) Apply(c *domain.Commit) {
	if c.Aggregate.Workspace != r.image.Workspace {
		return
	}
	switch c.Aggregate.Category {
	case domain.CategoryThread:
		r.converse(c)
	case domain.CategoryContact:
		s := r.contacts[c.Aggregate.ID]
		for _, e := range c.Events {
			if e, ok := e.(contact.Event); ok {
				s = s.Evolve(e)
			}
		}
		if !r.opens {
			s.Profile = contact.Profile{}
		}
		r.contacts[c.Aggregate.ID] = s
	case domain.CategoryTicket:
		for _, e := range c.Events {
			if e, ok := e.(ticket.Event); ok {
				r.tickets[c.Aggregate.ID] = ticket.DefinitionOf(e)
			}
		}
	case domain.CategoryOperator, domain.CategoryPresence, domain.CategoryDepartment, domain.CategorySetting:
		r.image = r.image.Apply(*c)
	}
}

// Cut says that the log goes on behind what was taken in: nobody knows how long its conversations stay without an answer.
func (r *Rehearsal) Cut() { r.partial = true }

// Runs ends the rehearsal, and gives the runs in the order in which they would have begun. Of a period that goes on behind now, what is
// yet to come is none of them.
func (r *Rehearsal) Runs(now time.Time) []Run {
	end := r.to
	if now.Before(end) {
		end = now.UTC()
	}
	for id, s := range r.threads {
		if !r.partial {
			r.fire(s, id, end)
		}
	}
	var all []Run
	for _, run := range r.runs {
		all = append(all, run.Run)
	}
	slices.SortFunc(all, func(a, b Run) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Ticket, b.Ticket), cmp.Compare(a.Workflow, b.Workflow))
	})
	return all
}

func (r *Rehearsal) converse(c *domain.Commit) {
	s := r.threads[c.Aggregate.ID]
	if s == nil {
		s = &thread.State{ID: c.Aggregate.ID}
		r.threads[s.ID] = s
	}
	r.fire(s, s.ID, c.Time)
	s.Apply(c)
	clear(s.Seen)
	clear(s.Commands)
	delete(s.Conversations, s.Latest-2) // nothing starts in it any more that a rehearsal would tell of
	_, n, _ := thread.SplitConversationID(c.Conversation)
	conv := s.Conversations[n]
	if conv == nil {
		return
	}
	r.cut(c, conv)
	occasions := thread.Occasions(c)
	for _, w := range r.workflows {
		if w.Trigger.Timed() {
			r.expect(s, conv, w)
			continue
		}
		if slices.ContainsFunc(occasions, func(o workflow.Occasion) bool { return workflow.Starts(w, o) }) {
			r.start(s, conv, w, c.Time, c)
		}
	}
}

// start begins a run, if the conditions hold and no limit is in the way. by is the commit that starts it; nil: time does.
func (r *Rehearsal) start(s *thread.State, conv *thread.Conversation, w setting.Workflow, at time.Time, by *domain.Commit) {
	if at.Before(r.from) || !at.Before(r.to) || conv.Open() == w.Trigger.Late() {
		return
	}
	asked := thread.Asking{Contact: r.known(s.Contact), Ticket: r.tickets[strconv.FormatInt(conv.CaseOf(), 10)]}
	var position domain.Position
	if by != nil {
		position, asked.Message = by.Position, thread.Heard(by)
	}
	facts := thread.Facts{Image: r.image, Now: at, Run: asked}
	if workflow.Holds(w.Conditions, conv.Subject(s, facts, w.Conditions)) != workflow.Yes {
		return
	}
	going := slices.DeleteFunc(r.going[conv.ID], func(run *rehearsed) bool { return !run.end.After(at) })
	r.going[conv.ID] = going
	if slices.ContainsFunc(going, func(run *rehearsed) bool { return run.Workflow == w.ID }) {
		return
	}
	run := &rehearsed{
		Run:  Run{Workflow: w.ID, Conversation: conv.ID, Ticket: conv.Ticket, At: at, Position: position, Outcome: thread.RunDone},
		plan: w.Steps, late: w.Trigger.Late(), end: at,
	}
	r.runs = append(r.runs, run)
	if reason := workflow.Enough(1, r.starts[conv.ID], len(going), at); reason != "" {
		run.Outcome, run.Reason = thread.RunFailed, reason
		return
	}
	r.starts[conv.ID] = append(r.starts[conv.ID], at)
	for _, step := range w.Steps {
		run.Steps = append(run.Steps, Step{step.Action, run.end})
		if step.Action == setting.StepWait {
			run.end = run.end.Add(time.Duration(step.For) * time.Second)
		}
	}
	r.going[conv.ID] = append(going, run)
}

// cut ends runs of which a commit would have kept steps from being done.
func (r *Rehearsal) cut(c *domain.Commit, conv *thread.Conversation) {
	if len(r.going[conv.ID]) == 0 {
		return
	}
	closed, answered := false, false
	for _, e := range c.Events {
		switch e.(type) {
		case thread.Closed:
			closed = true
		case thread.MessageReceived:
			answered = true
		}
	}
	for _, run := range r.going[conv.ID] {
		switch next := slices.IndexFunc(run.Steps, func(s Step) bool { return s.At.After(c.Time) }); {
		case next < 0:
		case closed && !run.late:
			run.stop(next, c.Time, workflow.ReasonClosed)
		case answered && run.plan[next-1].Unless == setting.OnReceived:
			run.stop(next, c.Time, workflow.ReasonAnswered)
		}
	}
}

func (r *rehearsed) stop(next int, at time.Time, reason string) {
	r.Steps, r.end, r.Outcome, r.Reason = r.Steps[:next], at, thread.RunCancelled, reason
}

// known is what is known of a contact now, or of the one that it is part of.
func (r *Rehearsal) known(id string) contact.State {
	s := r.contacts[id]
	if survivor := r.contacts[s.Survivor]; s.Survivor != "" && survivor.Held(id, s.Merges) {
		return contact.Together(survivor, s)
	}
	return s
}

// without is since when a conversation is without the answer that a trigger waits for; zero: it is not, or is closed.
func without(conv *thread.Conversation, w setting.Workflow) time.Time {
	switch {
	case !conv.Open():
		return time.Time{}
	case w.Trigger.On == setting.OnSilent:
		return conv.Clock.Said
	}
	return conv.Clock.Asked
}

// expect puts down when a conversation will have been without an answer for long enough; for one silence once.
func (r *Rehearsal) expect(s *thread.State, conv *thread.Conversation, w setting.Workflow) {
	since := without(conv, w)
	e := expected{since.Add(time.Duration(w.Trigger.After) * time.Second), since, conv.Number, w, false}
	of := func(is expected) bool { return is.number == conv.Number && is.workflow.ID == w.ID }
	if k := slices.IndexFunc(r.due[s.ID], of); k >= 0 {
		if !r.due[s.ID][k].since.Equal(since) {
			r.due[s.ID][k] = e
		}
	} else if !since.IsZero() {
		r.due[s.ID] = append(r.due[s.ID], e)
	}
}

// fire starts what was due in a thread by a time, with the conversation as it was then.
func (r *Rehearsal) fire(s *thread.State, id string, by time.Time) {
	for k := range r.due[id] {
		e := &r.due[id][k]
		conv := s.Conversations[e.number]
		if e.done || e.since.IsZero() || e.at.After(by) || conv == nil || !conv.Open() {
			continue
		}
		e.done = true
		r.start(s, conv, e.workflow, e.at, nil)
	}
}

// Tally counts the steps of runs by their actions.
func Tally(runs []Run) (actions []string, counts map[string]int) {
	counts = map[string]int{}
	for _, run := range runs {
		for _, s := range run.Steps {
			counts[s.Action]++
		}
	}
	return slices.SortedFunc(maps.Keys(counts), strings.Compare), counts
}

// expected is a time without an answer.
type expected struct {
	at, since time.Time
	number    int // of the conversation
	workflow  setting.Workflow
	done      bool
}
