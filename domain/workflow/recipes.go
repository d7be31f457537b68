package workflow

import "github.com/turno-desk/turno/domain/setting"

// Recipe is a ready-made workflow: to be taken as it is or edited, put under an id of one's own, and enabled (F102).
type Recipe struct {
	setting.Workflow
	About string   `json:"about"`          // what it does, in a sentence
	Edit  []string `json:"edit,omitempty"` // what names something of the company's own, and must be edited before it is put
}

const hour = 60 * 60

// Recipes are the ready-made workflows, by id. None is enabled.
func Recipes() []Recipe {
	no, two := false, 2.0
	is := func(field string, values ...string) setting.Condition {
		return setting.Condition{Field: field, Is: values}
	}
	says := func(text string) setting.WorkflowStep {
		return setting.WorkflowStep{Action: setting.StepMessages, Text: text}
	}
	gives := func(rule string) setting.WorkflowStep {
		return setting.WorkflowStep{Action: setting.StepAssign, Rule: rule}
	}
	return []Recipe{
		{About: "Tell a contact who was given to somebody who it is.", Workflow: setting.Workflow{
			ID: "agent-assigned-message", Name: "Agent assigned message",
			Trigger: setting.Trigger{On: setting.OnAssigned, How: []string{"automatic", "assigned", "transfer", "dedicated", "sticky"}},
			Steps:   []setting.WorkflowStep{says("{{operator.name}} is with you now. Your number is {{ticket.number}}.")}}},
		{About: "Send what one channel brings to a department of its own.", Edit: []string{"conditions.1.is", "steps.1.department"}, Workflow: setting.Workflow{
			ID: "agent-routing", Name: "Agent routing", Trigger: setting.Trigger{On: setting.OnOpened},
			Conditions: []setting.Condition{is(setting.CondChannel, "shop")},
			Steps:      []setting.WorkflowStep{{Action: setting.StepTransfer, Department: "sales"}}}},
		{About: "Tell a contact who has waited for two minutes that everybody is busy.", Workflow: setting.Workflow{
			ID: "agents-at-capacity-message", Name: "Agents at maximum capacity message", Trigger: setting.Trigger{On: setting.OnUnanswered, After: 120},
			Conditions: []setting.Condition{is(setting.CondState, "waiting"), is(setting.CondStaffed, "yes")},
			Steps:      []setting.WorkflowStep{says("Everybody is busy at the moment. We will be with you as soon as we can.")}}},
		{About: "Give every new conversation to one operator.", Edit: []string{"steps.1.operator"}, Workflow: setting.Workflow{
			ID: "assign-to-agent", Name: "Assign to an agent", Trigger: setting.Trigger{On: setting.OnOpened, Source: []string{setting.SourceContact}},
			Steps: []setting.WorkflowStep{{Action: setting.StepAssign, Operator: "nora"}}}},
		{About: "Where more comes in than people take: after ten minutes without an answer, mark it and give it to who has been idle longest.",
			Edit: []string{"conditions.1.is"}, Workflow: setting.Workflow{
				ID: "auto-assign-busy-support", Name: "Auto-assignment for a busy support team", Trigger: setting.Trigger{On: setting.OnUnanswered, After: 600},
				Conditions: []setting.Condition{is(setting.CondDepartment, "support"), is(setting.CondState, "waiting")},
				Steps:      []setting.WorkflowStep{{Action: setting.StepTags, Add: []string{"overdue"}}, gives("longest_idle")}}},
		{About: "Give what comes in to the sales team in turn.", Edit: []string{"conditions.1.is"}, Workflow: setting.Workflow{
			ID: "auto-assign-sales", Name: "Auto-assignment for a sales team", Trigger: setting.Trigger{On: setting.OnOpened, Source: []string{setting.SourceContact}},
			Conditions: []setting.Condition{is(setting.CondDepartment, "sales"), is(setting.CondState, "waiting")},
			Steps:      []setting.WorkflowStep{gives("round_robin")}}},
		{About: "Give what comes in to the one of the support team who has least to do.", Edit: []string{"conditions.1.is"}, Workflow: setting.Workflow{
			ID: "auto-assign-support", Name: "Auto-assignment for a support team", Trigger: setting.Trigger{On: setting.OnOpened, Source: []string{setting.SourceContact}},
			Conditions: []setting.Condition{is(setting.CondDepartment, "support"), is(setting.CondState, "waiting")},
			Steps:      []setting.WorkflowStep{gives("least_busy")}}},
		{About: "Remind after 20 hours of the contact's silence, and close after 24. What is paused waits for us, and is left alone.", Workflow: setting.Workflow{
			ID: "close-after-silence", Name: "Close after inactivity", Trigger: setting.Trigger{On: setting.OnSilent, After: 20 * hour},
			Conditions: []setting.Condition{{Field: setting.CondState, IsNot: []string{"paused"}}},
			Steps: []setting.WorkflowStep{says("Are you still there? Without an answer we will close this conversation in a few hours."),
				{Action: setting.StepWait, For: 4 * hour, Unless: setting.OnReceived}, {Action: setting.StepClose, Reason: "inactive"}}}},
		{About: "Close what a person marks with the tag bot, and let the bot begin when the contact writes again.", Workflow: setting.Workflow{
			ID: "close-and-bot-on", Name: "Close conversation and turn the bot on",
			Trigger: setting.Trigger{On: setting.OnTagged, Source: []string{setting.SourceUser}, Tags: []string{"bot"}},
			Steps:   []setting.WorkflowStep{{Action: setting.StepClose, Reason: "resolved"}, {Action: setting.StepResumeBot}}}},
		{About: "Mark a conversation that was rated badly, for its supervisor.", Workflow: setting.Workflow{
			ID: "low-rating", Name: "Follow up a low rating", Trigger: setting.Trigger{On: setting.OnRated},
			Conditions: []setting.Condition{{Any: []setting.Condition{{Field: setting.CondRating, AtMost: &two}, is(setting.CondSatisfied, "no")}}},
			Steps:      []setting.WorkflowStep{{Action: setting.StepTags, Add: []string{"follow-up"}}, {Action: setting.StepNotes, Text: "Rated badly: please look into it."}}}},
		{About: "Tell a contact who writes out of hours so.", Workflow: setting.Workflow{
			ID: "out-of-hours-message", Name: "Out of hours message", Trigger: setting.Trigger{On: setting.OnOpened, Source: []string{setting.SourceContact}},
			Conditions: []setting.Condition{is(setting.CondState, "out_of_hours")},
			Steps:      []setting.WorkflowStep{says("We are closed at the moment. Your message is with us, and we will answer when we are back.")}}},
		{About: "Send every rating to a system of the company's, through a subscription.", Edit: []string{"steps.1.subscription"}, Workflow: setting.Workflow{
			ID: "rating-to-crm", Name: "Save ratings in the CRM", Trigger: setting.Trigger{On: setting.OnRated},
			Steps: []setting.WorkflowStep{{Action: setting.StepWebhook, Subscription: "crm"}}}},
		{About: "Free the contact from its assignee once a person has closed the conversation. What a workflow or a bot closes changes nothing.", Workflow: setting.Workflow{
			ID: "unassign-after-close", Name: "Assignment: unassign after conversation closed",
			Trigger: setting.Trigger{On: setting.OnClosed, Source: []string{setting.SourceUser}},
			Steps:   []setting.WorkflowStep{{Action: setting.StepUnassignContact}}}},
		{About: "Who serves a contact of a group first is its assignee from then on.", Edit: []string{"conditions.1.is"}, Workflow: setting.Workflow{
			ID: "vip-dedicated", Name: "Dedicated agent for VIPs", Trigger: setting.Trigger{On: setting.OnAssigned},
			Conditions: []setting.Condition{is(setting.CondContactTags, "vip"), {Field: setting.CondContactOwner, Set: &no}},
			Steps:      []setting.WorkflowStep{{Action: setting.StepAssignContact, Owner: true}}}},
	}
}
