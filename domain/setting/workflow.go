package setting

import (
	"fmt"
	"slices"
	"strings"

	"github.com/turno-desk/turno/domain"
)

// Limits of workflows.
const (
	MaxWorkflows      = 100               // enabled at once
	MaxWorkflowSteps  = 20                // of one workflow
	MaxConditions     = 50                // of one workflow, groups included
	MaxConditionDepth = 3                 // groups within groups
	MaxAsked          = 200               // bytes of one text that a condition looks for
	MaxValues         = 50                // of one condition, or one list of a trigger
	MaxWorkflowText   = 32 << 10          // bytes of all the texts of one workflow together
	MaxAfter          = 30 * 24 * 60 * 60 // seconds of a wait, or without an answer
)

// Workflow is what Turno does by itself when something happens (F136): a trigger, the conditions that must hold, and steps.
// It is off until it is enabled. Nothing in it is personal: what is, stands for itself as a variable.
type Workflow struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	Enabled    bool           `json:"enabled,omitempty"`
	Trigger    Trigger        `json:"trigger"`
	Conditions []Condition    `json:"conditions,omitempty"` // all must hold
	Steps      []WorkflowStep `json:"steps"`
	Retired    bool           `json:"retired,omitempty"`
}

// What a workflow is started by.
const (
	OnOpened     = "opened"           // a conversation begins
	OnReceived   = "message_received" // the contact writes
	OnAssigned   = "assigned"         // an operator becomes the owner, in whichever way
	OnTagged     = "tagged"           // a tag is put on the conversation
	OnClosed     = "closed"
	OnRated      = "rated"
	OnUnanswered = "unanswered" // no person has answered the contact for after_s
	OnSilent     = "silent"     // the contact has not answered us for after_s
)

// Sources say who did it.
const (
	SourceUser     = "user" // a person of the company
	SourceContact  = "contact"
	SourceBot      = "bot"
	SourceWorkflow = "workflow"
	SourceService  = "service" // an integration
	SourceSystem   = "system"  // Turno's own rules
)

// Trigger says when a workflow starts. A list that is empty asks for nothing.
type Trigger struct {
	On     string   `json:"on"`
	Source []string `json:"source,omitempty"`  // one of these did it; not for unanswered and silent, which nobody does
	How    []string `json:"how,omitempty"`     // assigned: in one of these ways
	Tags   []string `json:"tags,omitempty"`    // tagged: one of these was put on it
	After  int64    `json:"after_s,omitempty"` // unanswered and silent: seconds
}

// Timed reports whether time starts it, and not something that happens.
func (t Trigger) Timed() bool { return t.On == OnUnanswered || t.On == OnSilent }

// Late reports whether the conversation is closed when it starts.
func (t Trigger) Late() bool { return t.On == OnClosed || t.On == OnRated }

// The actions of a workflow's steps.
const (
	StepAssign          = "assign" // to an operator, or by a rule among those who are there
	StepRelease         = "release"
	StepTransfer        = "transfer"
	StepTags            = "tags"
	StepMessages        = "messages"
	StepNotes           = "notes"
	StepAssignContact   = "assign_contact" // make an operator the contact's assignee
	StepUnassignContact = "unassign_contact"
	StepWait            = "wait"
	StepClose           = "close"
	StepWebhook         = "webhook"
	StepPauseBot        = "pause_bot"
	StepResumeBot       = "resume_bot" // of a closed one: its thread begins with the bot again
)

// WorkflowStep is one action of a workflow. Which of the others it takes is the action's.
type WorkflowStep struct {
	Action       string   `json:"action"`
	Operator     string   `json:"operator,omitempty"`     // assign, assign_contact, transfer
	Rule         string   `json:"rule,omitempty"`         // assign, instead of an operator: longest_idle, least_busy, round_robin
	Owner        bool     `json:"owner,omitempty"`        // assign_contact, instead of an operator: who owns the conversation, or did at the close
	Department   string   `json:"department,omitempty"`   // transfer
	Force        bool     `json:"force,omitempty"`        // transfer: although the operator is not connected or not available
	Add          []string `json:"add,omitempty"`          // tags
	Remove       []string `json:"remove,omitempty"`       // tags
	Template     string   `json:"template,omitempty"`     // messages and notes: an id, instead of a text
	Text         string   `json:"text,omitempty"`         // messages and notes; may hold variables
	For          int64    `json:"for_s,omitempty"`        // wait: seconds
	Unless       string   `json:"unless,omitempty"`       // wait: message_received ends the run when the contact writes meanwhile
	Reason       string   `json:"reason,omitempty"`       // close: resolved, inactive or other
	Category     string   `json:"category,omitempty"`     // close
	Summary      string   `json:"summary,omitempty"`      // close; may hold variables
	Subscription string   `json:"subscription,omitempty"` // webhook: whose endpoint is called
}

// WorkflowDefined makes a workflow, or replaces its definition. Aggregate setting/workflow.<id>.
type WorkflowDefined struct{ Workflow }

// WorkflowRetired takes it out of use: it starts nothing more. Runs that wait go on with the version that they began with.
type WorkflowRetired struct{ Workflow }

func (WorkflowDefined) event() {}
func (WorkflowRetired) event() {}

// Kind is workflow.
func (Workflow) Kind() Kind { return KindWorkflow }

// Ident is its id.
func (w Workflow) Ident() string { return w.ID }

// OutOfUse reports whether it was retired.
func (w Workflow) OutOfUse() bool { return w.Retired }

// Starts reports whether it starts anything at all.
func (w Workflow) Starts() bool { return w.Enabled && !w.Retired }

func (Workflow) wants() string {
	return "A workflow takes a name, a trigger, conditions (at most 50, nested 3 deep) and 1 to 20 steps, each with what its action takes; at most 100 are enabled."
}

func (w Workflow) defined() Event { return WorkflowDefined{w} }
func (w Workflow) retired() Event { w.Retired = true; return WorkflowRetired{w} }

// Workflow finds a workflow, retired or not.
func (i *Image) Workflow(id string) (Workflow, bool) { return find[Workflow](i, KindWorkflow, id) }

// WithoutWorkflows is the image as a workflow is judged by that is only tried: it replaces none, and is not one too many.
func (i *Image) WithoutWorkflows() *Image {
	bare := *i
	bare.Definitions = map[Name]Definition{}
	for name, d := range i.Definitions {
		if name.Kind != KindWorkflow {
			bare.Definitions[name] = d
		}
	}
	return &bare
}

func (w Workflow) settled(img *Image) (Definition, []string) {
	w.Name, w.Retired = strings.TrimSpace(w.Name), false
	w.Trigger = w.Trigger.normal()
	w.Steps = slices.Clone(w.Steps)
	var bad []string
	if w.ID == "templates" { // where the ready-made ones are
		bad = append(bad, "id")
	}
	if !line(w.Name, MaxName) {
		bad = append(bad, "name")
	}
	if w.Enabled && img.enabledWorkflows(w.ID) >= MaxWorkflows {
		bad = append(bad, "enabled")
	}
	bad = append(bad, w.Trigger.wrong()...)
	bad = append(bad, wrongConditions(w.Conditions, w.Trigger, img)...)
	if len(w.Conditions) == 0 {
		w.Conditions = nil
	}
	if len(w.Steps) == 0 || len(w.Steps) > MaxWorkflowSteps {
		bad = append(bad, "steps")
	}
	texts, late := 0, w.Trigger.Late()
	for k := range w.Steps {
		s := &w.Steps[k]
		s.Add, s.Remove = unempty(s.Add), unempty(s.Remove)
		where := fmt.Sprintf("steps.%d.", k+1)
		bad = append(bad, s.wrong(img, where, late)...)
		if s.Action == StepWait && k == len(w.Steps)-1 {
			bad = append(bad, where+"action")
		}
		texts += len(s.Text) + len(s.Summary)
		late = late || s.Action == StepClose
	}
	if texts > MaxWorkflowText {
		bad = append(bad, "steps")
	}
	return w, slices.Compact(bad)
}

// enabledWorkflows counts those that start something, without one.
func (i *Image) enabledWorkflows(but string) (n int) {
	for name, d := range i.Definitions {
		if w, ok := d.(Workflow); ok && name.ID != but && w.Starts() {
			n++
		}
	}
	return n
}

func (t Trigger) normal() Trigger {
	t.Source, t.How, t.Tags = unempty(t.Source), unempty(t.How), unempty(t.Tags)
	return t
}

func unempty(s []string) []string {
	if len(s) == 0 {
		return nil
	}
	return s
}

func (t Trigger) wrong() (bad []string) {
	triggers := []string{OnOpened, OnReceived, OnAssigned, OnTagged, OnClosed, OnRated, OnUnanswered, OnSilent}
	if !slices.Contains(triggers, t.On) {
		return []string{"trigger.on"}
	}
	sources := []string{SourceUser, SourceContact, SourceBot, SourceWorkflow, SourceService, SourceSystem}
	if t.Timed() && len(t.Source) > 0 || !among(t.Source, sources) {
		bad = append(bad, "trigger.source")
	}
	ways := []string{"manual", "reply", "assigned", "transfer", "taken_over", "automatic", "dedicated", "sticky", "direct", "outbound", "reopened"}
	if t.On != OnAssigned && len(t.How) > 0 || !among(t.How, ways) {
		bad = append(bad, "trigger.how")
	}
	if t.On != OnTagged && len(t.Tags) > 0 || !ids(t.Tags, MaxValues) {
		bad = append(bad, "trigger.tags")
	}
	if t.Timed() != (t.After > 0) || t.After < 0 || t.After > MaxAfter {
		bad = append(bad, "trigger.after_s")
	}
	return bad
}

func among(all, known []string) bool {
	return !slices.ContainsFunc(all, func(s string) bool { return !slices.Contains(known, s) })
}

// wrong names what is wrong with a step. late: the conversation is closed by then.
func (s WorkflowStep) wrong(img *Image, where string, late bool) []string {
	var bad []string
	for _, has := range []struct {
		field string
		set   bool
	}{
		{"operator", s.Operator != ""}, {"rule", s.Rule != ""}, {"owner", s.Owner}, {"department", s.Department != ""}, {"force", s.Force},
		{"add", len(s.Add) > 0}, {"remove", len(s.Remove) > 0}, {"template", s.Template != ""}, {"text", s.Text != ""}, {"for_s", s.For != 0},
		{"unless", s.Unless != ""}, {"reason", s.Reason != ""}, {"category", s.Category != ""}, {"summary", s.Summary != ""},
		{"subscription", s.Subscription != ""},
	} {
		if has.set && !slices.Contains(stepFields(s.Action), has.field) {
			bad = append(bad, where+has.field)
		}
	}
	open := false // whether it takes an open conversation
	switch s.Action {
	case StepAssign:
		open = true
		if (s.Operator == "") == (s.Rule == "") {
			bad = append(bad, where+"operator")
		}
		if s.Rule != "" && !slices.Contains([]string{"longest_idle", "least_busy", "round_robin"}, s.Rule) {
			bad = append(bad, where+"rule")
		}
	case StepRelease, StepPauseBot:
		open = true
	case StepResumeBot:
	case StepTransfer:
		open = true
		if s.Department == "" && s.Operator == "" {
			bad = append(bad, where+"department")
		}
	case StepAssignContact:
		if (s.Operator == "") != s.Owner {
			bad = append(bad, where+"operator")
		}
	case StepUnassignContact:
	case StepTags:
		if len(s.Add)+len(s.Remove) == 0 || !ids(slices.Concat(s.Add, s.Remove), MaxValues) {
			bad = append(bad, where+"add")
		}
	case StepMessages, StepNotes:
		open = s.Action == StepMessages
		bad = append(bad, s.text(img, where)...)
	case StepWait:
		if s.For < 1 || s.For > MaxAfter {
			bad = append(bad, where+"for_s")
		}
		if s.Unless != "" && s.Unless != OnReceived {
			bad = append(bad, where+"unless")
		}
	case StepClose:
		open = true
		if !slices.Contains([]string{"", "resolved", "inactive", "other"}, s.Reason) {
			bad = append(bad, where+"reason")
		}
		if s.Category != "" && !domain.ValidID(s.Category) {
			bad = append(bad, where+"category")
		}
		if s.Summary != "" {
			bad = append(bad, checkText(where+"summary", s.Summary)...)
		}
	case StepWebhook:
		if !domain.ValidID(s.Subscription) {
			bad = append(bad, where+"subscription")
		}
	default:
		return []string{where + "action"}
	}
	if open && late {
		bad = append(bad, where+"action")
	}
	return append(bad, s.unknown(img)...)
}

// stepFields are the fields that an action takes.
func stepFields(action string) []string {
	switch action {
	case StepAssign:
		return []string{"operator", "rule"}
	case StepTransfer:
		return []string{"department", "operator", "force"}
	case StepAssignContact:
		return []string{"operator", "owner"}
	case StepTags:
		return []string{"add", "remove"}
	case StepMessages, StepNotes:
		return []string{"template", "text"}
	case StepWait:
		return []string{"for_s", "unless"}
	case StepClose:
		return []string{"reason", "category", "summary"}
	case StepWebhook:
		return []string{"subscription"}
	}
	return nil
}

func (s WorkflowStep) text(img *Image, where string) []string {
	if (s.Template == "") == (s.Text == "") {
		return []string{where + "text"}
	}
	if s.Template == "" {
		return checkText(where+"text", s.Text)
	}
	if t, ok := img.Template(s.Template); !ok || t.Retired {
		return []string{"template:" + s.Template}
	}
	return nil
}

// unknown names the operators, departments and subscriptions of a step that there aren't.
func (s WorkflowStep) unknown(img *Image) (bad []string) {
	if op, ok := img.Operator(s.Operator); s.Operator != "" && (!ok || !op.Active) {
		bad = append(bad, "operator:"+s.Operator)
	}
	if d, ok := img.Department(s.Department); s.Department != "" && (!ok || d.Retired) {
		bad = append(bad, "department:"+s.Department)
	}
	if sub, ok := img.Subscription(s.Subscription); s.Action == StepWebhook && domain.ValidID(s.Subscription) && (!ok || sub.Retired) {
		bad = append(bad, "subscription:"+s.Subscription)
	}
	return bad
}
