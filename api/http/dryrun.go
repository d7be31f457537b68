package http

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/workflow"
	"github.com/turno-desk/turno/domain/workflow/rehearsal"
	"github.com/turno-desk/turno/projections"
)

// Limits of a dry run over HTTP, which reads the log from its beginning: past one of the first two the answer is partial. The command
// turno workflows dry-run has none. One is at work at a time.
const (
	maxRehearsed   = 500_000 // commits
	rehearseWithin = 12 * time.Second
	maxRunsListed  = 200
)

// rehearsing is the place for one dry run, and how far it may go.
type rehearsing struct {
	sync.Mutex
	commits int
	within  time.Duration
}

type dryRunBody struct {
	From     *time.Time    `json:"from"`
	To       *time.Time    `json:"to"`
	Workflow *workflowBody `json:"workflow"`
}

// DryRun is what a workflow would have done in a period. Nothing was changed.
type DryRun struct {
	Runs          []DryRunRun     `json:"runs"`          // the first ones, in the order in which they would have begun
	Total         int             `json:"total"`         // of all runs
	Conversations int             `json:"conversations"` // in which they would have begun
	Steps         map[string]int  `json:"steps"`         // how often each action would have been done
	Complete      bool            `json:"complete"`      // false: a limit was reached, and the log goes on behind position
	Read          int             `json:"read"`          // commits
	Position      domain.Position `json:"position"`      // up to which the log was read
}

// DryRunRun is one of them.
type DryRunRun struct {
	Conversation string       `json:"conversation"`
	Ticket       int64        `json:"ticket"`
	At           time.Time    `json:"at"`
	Steps        []DryRunStep `json:"steps"`
	Outcome      string       `json:"outcome"`
	Reason       string       `json:"reason,omitempty"`
}

// DryRunStep is a step that would have been done.
type DryRunStep struct {
	Action string    `json:"action"`
	At     time.Time `json:"at"`
}

// dryRunWorkflow tells over past events what a workflow, or a draft of it, would have done (F136), in the conversations that the caller may see.
func (s *Server) dryRunWorkflow(c *call) error {
	var b dryRunBody
	if err := c.bind(&b); err != nil {
		return err
	}
	id, err := c.newID("id")
	if err != nil {
		return err
	}
	if b.From == nil || b.To == nil || !b.From.Before(*b.To) {
		return invalid("from", "from and to are times, the first before the second.")
	}
	w, err := s.tried(c, id, b.Workflow)
	if err != nil {
		return err
	}
	r := rehearsal.New(s.workspace, []setting.Workflow{w}, *b.From, *b.To)
	switch {
	case !c.can(access.ReadConversations):
		return forbidden("A dry run tells of conversations: it takes the scope conversations.")
	case len(workflow.AskedOf(w.Conditions, setting.CondContact)) > 0 && !c.can(access.ReadContacts):
		return forbidden("The conditions ask about contacts: it takes the scope contacts.")
	case r.Opens() && !c.can(access.OpenPersonal):
		return forbidden("The conditions ask about personal fields: opening them takes the scope personal.")
	case !s.rehearsing.TryLock():
		return &Problem{Status: http.StatusServiceUnavailable, Code: "busy", Retry: 5, Detail: "Another dry run is at work. Nothing was done."}
	}
	answer := DryRun{Runs: []DryRunRun{}, Steps: map[string]int{}}
	err = s.rehearse(c.ctx(), r, &answer)
	s.rehearsing.Unlock()
	if err != nil {
		return err
	}
	if err := s.tell(c, r.Runs(s.now()), &answer); err != nil {
		return err
	}
	return c.ok(answer.Position, answer)
}

// tried is the workflow that is tried: the draft, or the one of the settings.
func (s *Server) tried(c *call, id string, draft *workflowBody) (w setting.Workflow, err error) {
	after, err := c.after()
	if err == nil && after != 0 {
		err = s.Settings.WaitFor(c.ctx(), after)
	}
	if err != nil {
		return w, err
	}
	image, err := s.Settings.Snapshot(c.ctx())
	if err != nil {
		return w, err
	}
	if draft == nil {
		var ok bool
		if w, ok = image.Workflow(id); !ok {
			return w, notFound()
		}
		return w, nil
	}
	events, refusal := setting.DecideDefine(nil, draft.definition(id), image.WithoutWorkflows())
	if refusal != nil {
		return w, refusal
	}
	for _, e := range events {
		if e, ok := e.(setting.WorkflowDefined); ok {
			w = e.Workflow
		}
	}
	return w, nil
}

// rehearse takes in the log from its beginning to its head, or to a limit.
func (s *Server) rehearse(ctx context.Context, r *rehearsal.Rehearsal, answer *DryRun) error {
	within, cancel := context.WithTimeout(ctx, s.rehearsing.within)
	defer cancel()
	err := s.Log.Read(within, 0, projections.ReadOptions{Open: r.Opens(), ToHead: true}, func(chunk []domain.Commit) error {
		for i := range chunk {
			if answer.Read >= s.rehearsing.commits || within.Err() != nil {
				return errFound
			}
			r.Apply(&chunk[i])
			answer.Read++
			answer.Position = chunk[i].Position
		}
		return nil
	})
	switch {
	case err == nil:
		answer.Complete = true
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errFound), within.Err() != nil:
		r.Cut()
	default:
		return err
	}
	return nil
}

// tell adds up the runs in conversations that the caller may see now, and lists the first.
func (s *Server) tell(c *call, runs []rehearsal.Run, answer *DryRun) error {
	asked := map[string]bool{}
	for _, run := range runs {
		asked[run.Conversation] = true
	}
	shown := map[string]bool{}
	for ids := range slices.Chunk(slices.Collect(maps.Keys(asked)), 500) {
		some := map[string]bool{}
		for _, id := range ids {
			some[id] = true
		}
		seen, err := s.seen(c.ctx(), c.viewer, some, answer.Position)
		if err != nil {
			return err
		}
		maps.Copy(shown, seen)
	}
	runs = slices.DeleteFunc(runs, func(run rehearsal.Run) bool { return !shown[run.Conversation] })
	_, answer.Steps = rehearsal.Tally(runs)
	answer.Total, answer.Conversations = len(runs), len(shown)
	for _, run := range runs[:min(len(runs), maxRunsListed)] {
		told := DryRunRun{Conversation: run.Conversation, Ticket: run.Ticket, At: run.At, Steps: []DryRunStep{}, Outcome: string(run.Outcome), Reason: run.Reason}
		for _, step := range run.Steps {
			told.Steps = append(told.Steps, DryRunStep{step.Action, step.At})
		}
		answer.Runs = append(answer.Runs, told)
	}
	return nil
}
