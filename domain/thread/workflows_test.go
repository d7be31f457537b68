package thread_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/domain/workflow"
)

// workflows are those of the scenarios. A line "system: start libre" starts one when the newest commit triggers it, or, for
// one that time starts, when it is due; "system: step libre" does its next step, "step w2" that of the second run.
func workflows() map[string]setting.Workflow {
	all := map[string]setting.Workflow{}
	yes := true
	for _, w := range []setting.Workflow{
		{ID: "libre", Trigger: setting.Trigger{On: setting.OnClosed, Source: []string{setting.SourceUser}}, Steps: []setting.WorkflowStep{
			{Action: setting.StepUnassignContact}, {Action: setting.StepNotes, Text: "Libre"}}},
		{ID: "recuerda", Trigger: setting.Trigger{On: setting.OnSilent, After: 72000}, Steps: []setting.WorkflowStep{
			{Action: setting.StepMessages, Text: "¿Sigue ahí?"}, {Action: setting.StepWait, For: 14400, Unless: setting.OnReceived},
			{Action: setting.StepClose, Reason: "inactive"}}},
		{ID: "cierra", Trigger: setting.Trigger{On: setting.OnSilent, After: 86400}, Steps: []setting.WorkflowStep{{Action: setting.StepClose, Reason: "inactive"}}},
		{ID: "vip", Trigger: setting.Trigger{On: setting.OnOpened}, Conditions: []setting.Condition{
			{Field: setting.CondDepartment, Is: []string{"soporte"}}, {Any: []setting.Condition{
				{Field: setting.CondContactKnown, Is: []string{"yes"}}, {Field: setting.CondDirection, Is: []string{"inbound"}}}}},
			Steps: []setting.WorkflowStep{{Action: setting.StepTags, Add: []string{"vip"}}, {Action: setting.StepWait, For: 60}, {Action: setting.StepAssign, Operator: "ana"},
				{Action: setting.StepWebhook, Subscription: "crm"}}},
		{ID: "avisa", Trigger: setting.Trigger{On: setting.OnUnanswered, After: 600}, Steps: []setting.WorkflowStep{{Action: setting.StepAssign, Rule: "least_busy"}}},
		{ID: "saca", Trigger: setting.Trigger{On: setting.OnTagged, Tags: []string{"vip"}}, Steps: []setting.WorkflowStep{{Action: setting.StepTags, Remove: []string{"vip"}}}},
		{ID: "devuelve", Trigger: setting.Trigger{On: setting.OnTagged, Source: []string{setting.SourceUser}, Tags: []string{"bot"}}, Steps: []setting.WorkflowStep{
			{Action: setting.StepClose, Reason: "resolved"}, {Action: setting.StepResumeBot}}},
		{ID: "calla", Trigger: setting.Trigger{On: setting.OnOpened}, Steps: []setting.WorkflowStep{{Action: setting.StepPauseBot}}},
		{ID: "pone", Trigger: setting.Trigger{On: setting.OnReceived}, Steps: []setting.WorkflowStep{{Action: setting.StepTags, Add: []string{"vip"}}}},
		{ID: "baja", Trigger: setting.Trigger{On: setting.OnReceived}, Conditions: []setting.Condition{
			{Any: []setting.Condition{{Field: setting.CondMessage, Words: []string{"dar de baja", "baja"}}, {Field: setting.CondMessageKind, Is: []string{"audio"}}}},
			{None: []setting.Condition{{Field: setting.CondContactFields + "plan", Is: []string{"Empresa"}}, {Field: "contact.email", EndsWith: []string{"@example.com"}}}}},
			Steps: []setting.WorkflowStep{{Action: setting.StepTags, Add: []string{"baja"}}}},
		{ID: "empresa", Trigger: setting.Trigger{On: setting.OnClosed, Source: []string{setting.SourceUser}}, Conditions: []setting.Condition{
			{Field: setting.CondContactFields + "plan", Set: &yes}, {Any: []setting.Condition{
				{All: []setting.Condition{{Field: "contact.company", Contains: []string{"acme"}}, {Field: setting.CondFields + "motivo", StartsWith: []string{"factura"}}}},
				{Field: setting.CondTicketStatus, Is: []string{"pending"}}}}},
			Steps: []setting.WorkflowStep{{Action: setting.StepUnassignContact}}},
	} {
		w.Name, w.Enabled = w.ID, true
		all[w.ID] = w
	}
	return all
}

// starting is what the newest commit, or the time, makes of a workflow; nil: nothing starts it.
func starting(t *testing.T, w *world, l line, id string, named map[string]string) thread.Command {
	t.Helper()
	flow, ok := workflows()[id]
	if !ok {
		t.Fatalf("%s: no workflow %q", l.where, id)
	}
	depth := max(1, number2(named["depth"]))
	conv := w.state.Current()
	since := conv.Clock.Asked
	if flow.Trigger.On == setting.OnSilent {
		since = conv.Clock.Said
	}
	if flow.Trigger.Timed() {
		if since.IsZero() || w.now.Sub(since) < time.Duration(flow.Trigger.After)*time.Second {
			return nil
		}
		return thread.StartRun{Workflow: flow, Version: 7, Depth: depth, Since: since}
	}
	if !slices.ContainsFunc(thread.Occasions(&w.last), func(o workflow.Occasion) bool { return workflow.Starts(flow, o) }) {
		return nil
	}
	return thread.StartRun{Workflow: flow, Version: 7, Depth: depth}
}

func number2(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// runOf finds the run of a line "step": the newest of a workflow, or the w<k>-th of the conversation.
func runOf(w *world, verb string, args []string) (thread.Run, bool) {
	if verb != "step" || len(args) == 0 || w.state.Current() == nil {
		return thread.Run{}, false
	}
	conv := w.state.Current()
	for _, r := range slices.Backward(conv.Runs) {
		if r.Workflow == args[0] || r.ID == conv.ID+"-"+args[0] {
			return r, true
		}
	}
	return thread.Run{}, false
}

// F136 D10: whatever is triggered and said again, in whichever order: a close cancels what was not begun by one, a run's steps are done
// once and in order, no workflow runs twice at a time, and no more than the limits begin.
func TestRunsKeepToTheirLimitsWhateverHappens(t *testing.T) {
	flows := workflows()
	ids := []string{"libre", "recuerda", "cierra", "vip", "saca", "pone", "avisa"}
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		done, begun := map[string]int{}, map[string][]time.Time{}
		for range rapid.IntRange(1, 120).Draw(t, "length") {
			w.now = w.now.Add(time.Duration(rapid.IntRange(0, 400).Draw(t, "seconds")) * time.Second)
			actor, number, cmd := anyCommand(t, w)
			conv := w.state.Current()
			if conv != nil && rapid.IntRange(0, 2).Draw(t, "workflow") > 0 {
				number = 0
				flow := flows[rapid.SampledFrom(ids).Draw(t, "id")]
				actor, cmd = workflow.Actor(flow.ID), thread.StartRun{
					Workflow: flow, Version: 1, Depth: rapid.IntRange(1, workflow.MaxDepth+1).Draw(t, "depth"), Since: conv.Clock.Asked,
				}
				if len(conv.Runs) > 0 && rapid.Bool().Draw(t, "on") {
					r := rapid.SampledFrom(conv.Runs).Draw(t, "run")
					actor, cmd = workflow.Actor(r.Workflow), thread.Advance{Run: r.ID, Step: r.Done + rapid.IntRange(0, 2).Draw(t, "step"), Text: "Hola"}
				}
			}
			events, _ := w.do(actor, number, cmd)
			for _, e := range events {
				switch e := e.(type) {
				case thread.WorkflowStarted:
					if len(e.Steps) > 0 {
						if e.Depth > workflow.MaxDepth {
							t.Fatalf("a run of depth %d begins", e.Depth)
						}
						begun[w.last.Conversation] = append(begun[w.last.Conversation], w.now)
					}
				case thread.WorkflowAdvanced:
					if e.Step != done[e.Run]+1 {
						t.Fatalf("step %d of %s comes behind step %d", e.Step, e.Run, done[e.Run])
					}
					done[e.Run] = e.Step
				}
			}
			for id, at := range begun {
				recent := 0
				for _, b := range at {
					if w.now.Sub(b) < workflow.StartsSpan {
						recent++
					}
				}
				if recent > workflow.MaxStarts {
					t.Fatalf("%d runs of %s began within an hour", recent, id)
				}
			}
			for _, c := range w.state.Conversations {
				seen := map[string]bool{}
				for _, r := range c.Runs {
					if !c.Open() && !r.Late() {
						t.Fatalf("after %T: %s goes on in a closed conversation", cmd, r.ID)
					}
					if seen[r.Workflow] || len(c.Runs) > workflow.MaxOpen {
						t.Fatalf("after %T: too many runs %v", cmd, c.Runs)
					}
					seen[r.Workflow] = true
				}
			}
			if len(events) > 0 {
				if _, again := w.do(actor, number, cmd); again != nil && again.Code == domain.CodeInvalid {
					t.Fatal(again)
				}
			}
		}
	})
}

// F136: a run begins once and does each step once, however often that is said.
func TestARunThatIsSaidTwiceBeginsOnce(t *testing.T) {
	w := newWorld()
	w.do(w.actor("contact"), 0, thread.Receive{Channel: "web", Contact: "c1", IDHash: "h1", Content: thread.Content{Kind: thread.KindText, Text: "Hola"}, Ticket: 1})
	start := thread.StartRun{Workflow: workflows()["vip"], Version: 3, Depth: 1}
	step := thread.Advance{Run: w.state.Current().RunID(1), Step: 1}
	for range 3 {
		w.do(workflow.Actor("vip"), 0, start)
		w.do(workflow.Actor("vip"), 0, step)
	}
	conv := w.state.Current()
	if len(conv.Runs) != 1 || conv.RunCount != 1 || conv.Runs[0].Done != 1 || !slices.Equal(conv.Tags, []string{"vip"}) {
		t.Errorf("it has %d runs: %+v, tags %v", conv.RunCount, conv.Runs, conv.Tags)
	}
	if _, r := w.do(w.actor("ana"), 0, start); r == nil || r.Code != domain.CodeForbidden {
		t.Errorf("an operator starts a workflow: %v", r)
	}
}

// F136: a chain of workflows that start one another ends, and says so.
func TestALoopEndsAndSaysSo(t *testing.T) {
	w := newWorld()
	w.do(w.actor("contact"), 0, thread.Receive{Channel: "web", Contact: "c1", IDHash: "h1", Content: thread.Content{Kind: thread.KindText, Text: "Hola"}, Ticket: 1})
	flows := workflows()
	var last thread.WorkflowEnded
	for k := range 100 {
		flow := flows[[]string{"pone", "saca"}[k%2]]
		events, r := w.do(workflow.Actor(flow.ID), 0, thread.StartRun{Workflow: flow, Version: 3, Depth: 1})
		if r != nil {
			t.Fatal(r)
		}
		if len(events) == 2 {
			last = events[1].(thread.WorkflowEnded)
			break
		}
		conv := w.state.Current()
		if _, r := w.do(workflow.Actor(flow.ID), 0, thread.Advance{Run: conv.RunID(conv.RunCount), Step: 1}); r != nil {
			t.Fatal(r)
		}
	}
	conv := w.state.Current()
	if want := fmt.Sprintf("%s-w%d", conv.ID, workflow.MaxStarts+1); last.Run != want || last.Reason != workflow.ReasonLoop || last.Outcome != thread.RunFailed {
		t.Errorf("the loop ends with %+v, want %s failed", last, want)
	}
	if events, _ := w.do(workflow.Actor("pone"), 0, thread.StartRun{Workflow: flows["pone"], Version: 3, Depth: 1}); len(events) > 0 {
		t.Errorf("it says so again: %v", events)
	}
	w.now = w.now.Add(time.Hour)
	if events, _ := w.do(workflow.Actor("pone"), 0, thread.StartRun{Workflow: flows["pone"], Version: 3, Depth: 1}); len(events) != 1 {
		t.Errorf("an hour later it makes %v", events)
	}
	if events, _ := w.do(workflow.Actor("saca"), 0, thread.StartRun{Workflow: flows["saca"], Version: 3, Depth: workflow.MaxDepth + 1}); len(events) != 2 {
		t.Errorf("too deep, it makes %v", events)
	}
}
