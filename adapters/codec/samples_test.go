package codec

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/hours"
	"github.com/turno-desk/turno/domain/identity"
	"github.com/turno-desk/turno/domain/ledger"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/presence"
	"github.com/turno-desk/turno/domain/routing"
	"github.com/turno-desk/turno/domain/sequence"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/survey"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/domain/ticket"
	"github.com/turno-desk/turno/domain/workload"
)

// ring is a keyring of constant keys.
type ring map[string][]byte

func (r ring) Key(_ context.Context, id string) ([]byte, error) {
	if k, ok := r[id]; ok {
		return k, nil
	}
	return nil, fmt.Errorf("%q: %w", id, ErrNoKey)
}

const goldenKey = "kgolden0000000000000000000"

// goldenKeys is what the golden files are sealed with. It protects nothing but them.
func goldenKeys() ring { return ring{goldenKey: []byte("the key of the golden files: 32.")} }

var (
	at    = time.Date(2026, 3, 4, 12, 30, 15, 250e6, time.UTC)
	later = time.Date(2026, 3, 4, 18, 0, 0, 0, time.UTC)
)

const (
	threadID       = "t2q5x8k1m3n7p9r4s6v0w2y5z8"
	conversationID = threadID + "-2"
)

// samples are the events that the golden files hold, by CloudEvents type; every version that was ever written has one, and
// none is ever changed.
func samples() map[string]domain.Event {
	yes := true
	ana := operator.Definition{
		ID: "ana", Name: "Ana Souza", Email: "ana@example.com", Role: operator.RoleSupervisor,
		Departments: []string{"billing", "support"}, Capacity: 5, Extension: "204", Active: true,
	}
	gone := operator.Definition{ID: "ana", Name: "Ana Souza", Role: operator.RoleOperator, Departments: []string{"support"}}
	support := department.Definition{
		ID: "support", Name: "Support", Capacity: 8,
		Close:    department.Guards{Fields: []string{"motivo"}, Classification: true, Category: true, Summary: true},
		Settings: department.Settings{ResumeOnInbound: true, KeepOnClose: true, ReopenWithin: 86400},
	}
	sales := support
	sales.ID, sales.Name = "sales", "Sales"
	sales.Settings.ReassignAfter, sales.Settings.Calendar, sales.Settings.StrictCalendar = 900, "office", true
	sales.Settings.Distribution, sales.Settings.Rule, sales.Settings.PausedFree = department.Automatic, "least_busy", true
	sales.Settings.AtCapacityMessage, sales.Settings.AssignedMessage = "All are busy.", "Somebody has it now."
	sales.Settings.AwayMessage, sales.Settings.NobodyMessage = "We are back at nine.", "Somebody will be with you soon."
	sales.Close.Parts, sales.Close.Funnel, sales.Close.TicketLink = []string{"interests", "origin", "score"}, "b2b", department.LinkRequired
	offering := sales
	offering.ID, offering.Settings.Distribution, offering.Settings.Rule = "offers", "", ""
	offering.Settings.OfferTo, offering.Settings.OfferTimeout, offering.Settings.TransferAccept = 3, 45, true
	asking := sales
	asking.Settings.Survey = survey.Settings{Scale: survey.Stars, Text: "How was it, {{contact.name}}? {{survey.link}}", Page: "https://example.com/s/",
		Thanks: "Thank you.", Expires: 172800, Cap: 86400}
	chatting := asking
	chatting.Settings.SessionEndedMessage = "Goodbye, {{contact.name}}."
	asked := contact.Asked{Contact: contact.ID(threadID), Survey: conversationID + "-s1", At: at, Sent: true}
	reserved := asked
	reserved.Sent = false
	said := thread.Content{
		Kind: thread.KindImage, Text: "¿Dónde está mi pedido? 📦", ReplyTo: conversationID + "-m12",
		Attachments: []thread.Attachment{{URL: "https://example.com/a.jpg", Name: "factura.jpg", Type: "image/jpeg", Size: 20480}},
		Location:    &thread.Location{Latitude: "-34.6037", Longitude: "-58.3816", Label: "Obelisco"},
		ContactCard: &thread.ContactCard{Name: "Pedro", Phone: "+5491155550199"},
	}
	day := []hours.Interval{{From: "09:00", To: "13:00"}, {From: "14:00", To: "24:00"}}
	office := hours.Calendar{ID: "office", Name: "Office hours", Versions: []hours.Version{
		{From: at, Zone: "America/Argentina/Buenos_Aires",
			Week:     hours.Week{Monday: day, Tuesday: day, Wednesday: day, Thursday: day, Friday: day, Saturday: day, Sunday: day},
			Holidays: []hours.Holiday{{Date: "2026-12-24", Name: "Christmas Eve", Open: day}, {Date: "2026-12-25"}}},
		{From: later, Zone: "America/Argentina/Buenos_Aires", Week: hours.Week{Monday: day}},
	}}
	web := setting.Channel{ID: "web", Type: "generic", Name: "Web chat", Department: "support"}
	line := setting.Channel{ID: "line", Type: "generic", Name: "Ana's line", Department: "support", Extension: "204"}
	token := setting.Token{
		ID: "crm", Owner: "service:crm", Name: "CRM of the branch", Scopes: []string{"conversations:write"}, Fingerprint: "0f1e2d3c",
	}
	status := presence.Status{Operator: "ana", Connected: true, Available: true}
	away := presence.Status{Operator: "ana", Connected: true, Reason: "lunch"}
	parcel := ticket.Definition{
		Number: 12, Requester: contact.ID(threadID), Subject: "The parcel of March.", Status: ticket.Pending,
		Fields: map[string]domain.Personal{"order": "A-771"},
	}
	plan := setting.Field{ID: "plan", Name: "Plan", On: "contact", Type: "choice", Options: []string{"Fibra", "Móvil"}}
	funnel := setting.Funnel{
		ID: "b2b", Name: "Companies", Fields: []string{"motivo"},
		Stages: []setting.Stage{{ID: "offer", Name: "Offer", Fields: []string{"offered"}}, {ID: "signed", Name: "Signed"}},
	}
	origins := setting.Catalog{ID: "origins", Items: []setting.Item{{ID: "fair", Name: "The fair of May"}}}
	hello := setting.Template{ID: "hello", Name: "Hello", Category: "greetings", Language: "es", Text: "Hola {{contact.name}}, soy {{operator.name}}."}
	macro := setting.Macro{ID: "refund", Name: "Refund", Steps: []setting.Step{
		{Action: "messages", Template: "hello", Text: "Hola", Add: []string{"refund"}, Remove: []string{"new"}, Outcome: "lost", Origin: "fair",
			Interests: []string{"plan-b"}, Stage: "offer", Department: "billing", Operator: "leo", Category: "refund", Summary: "Paid back."},
		{Action: "close"},
	}}
	no, two, four, half := false, 2.0, 4.0, 0.5
	vip := setting.Workflow{
		ID: "vip", Name: "VIPs keep their operator", Enabled: true,
		Trigger: setting.Trigger{On: setting.OnClosed, Source: []string{setting.SourceUser}},
		Conditions: []setting.Condition{
			{Field: setting.CondDepartment, Is: []string{"sales"}},
			{Any: []setting.Condition{
				{Field: setting.CondContactTags, IsNot: []string{"vip"}},
				{All: []setting.Condition{{Field: setting.CondOwner, Set: &no}, {Field: setting.CondRating, AtMost: &two}}},
			}},
		},
		Steps: []setting.WorkflowStep{
			{Action: setting.StepWait, For: 3600, Unless: setting.OnReceived}, {Action: setting.StepUnassignContact},
			{Action: setting.StepNotes, Text: "{{contact.name}} is everybody's again."}, {Action: setting.StepWebhook, Subscription: "crm"},
		},
	}
	full := setting.Workflow{
		ID: "full", Name: "With everything in it",
		Trigger: setting.Trigger{On: setting.OnSilent, How: []string{"automatic"}, Tags: []string{"vip"}, After: 72000},
		Conditions: []setting.Condition{
			{All: []setting.Condition{{Field: setting.CondHours, Is: []string{"open"}}}}, {Any: []setting.Condition{{Field: setting.CondTags, Is: []string{"vip"}}}},
			{Field: setting.CondOwner, Set: &yes}, {Field: setting.CondScore, AtLeast: &two, AtMost: &four}, {Field: setting.CondState, IsNot: []string{"paused"}},
		},
		Steps: []setting.WorkflowStep{
			{Action: setting.StepAssign, Rule: "least_busy"}, {Action: setting.StepTransfer, Department: "sales", Operator: "ana", Force: true},
			{Action: setting.StepTags, Add: []string{"vip"}, Remove: []string{"new"}}, {Action: setting.StepMessages, Template: "hello"},
			{Action: setting.StepAssignContact, Owner: true}, {Action: setting.StepWait, For: 3600, Unless: setting.OnReceived},
			{Action: setting.StepNotes, Text: "{{contact.name}} is silent."}, {Action: setting.StepWebhook, Subscription: "crm"},
			{Action: setting.StepClose, Reason: "inactive", Category: "silence", Summary: "No answer."},
		},
		Retired: true,
	}
	reading := full
	reading.Conditions = append(slices.Clone(full.Conditions),
		setting.Condition{None: []setting.Condition{{Field: setting.CondTicketStatus, Is: []string{"solved"}}}},
		setting.Condition{Field: setting.CondContactFields + "plan", Contains: []string{"fibra"}}, setting.Condition{Field: setting.CondComment, Words: []string{"nunca más"}},
		setting.Condition{Field: "contact.address.postcode", StartsWith: []string{"28"}}, setting.Condition{Field: "contact.email", EndsWith: []string{"@example.com"}},
		setting.Condition{Field: setting.CondContactFields + "points", AtLeast: &half},
	)
	segment := setting.Segment{ID: "new", Name: "New ones", Filter: setting.Contacts{
		Tags: []string{"vip"}, Channel: "web", Fields: map[string]string{"plan": "Fibra"}, Blocked: &yes, Known: &yes, FirstFrom: &at, FirstTo: &later,
	}}
	crm := setting.Subscription{
		ID: "crm", Name: "The CRM", URL: "https://crm.example.com/turno", Types: []string{"conversation.*"}, Departments: []string{"support"},
		Channels: []string{"web"}, Personal: true, Enabled: true, Secrets: []setting.Secret{{Fingerprint: "4b5a6978", Until: &later}, {Fingerprint: "0f1e2d3c"}},
	}
	silent := setting.Subscription{ID: "crm", URL: "https://crm.example.com/turno"}
	stopped, retired := silent, silent
	stopped.Stopped, retired.Retired = setting.StoppedGone, true
	offer := setting.Choice{
		ID: "refunds", Title: "A refund", Action: setting.ActionHandOff, Node: "start", Text: "Somebody will be with you.", Department: "billing", Tags: []string{"refund"},
	}
	menu := setting.Menu{
		ID: "main", Name: "Main menu", CloseAfter: 7200, Nodes: []setting.Node{{ID: "start", Text: "Hello {{contact.name}}", Choices: []setting.Choice{offer}}},
		Person:   setting.Person{Title: "A person", Text: "One moment.", Department: "support", Tags: []string{"menu"}, Words: []string{"help"}},
		Fallback: setting.Fallback{After: 2, Text: "Which one?"},
	}
	talking := web
	talking.Menu, talking.BotStaysOff = "main", true
	pressed := said
	pressed.Choice, pressed.Choices = "refunds", []thread.Choice{{ID: "refunds", Title: "Reembolso de María"}}
	return map[string]domain.Event{
		"turno.conversation.opened.v1": thread.Opened{
			Number: 2, Ticket: 1042, Direction: thread.Inbound, Channel: "web", Department: "support",
			Contact: contact.ID(threadID), Identity: "a3b5c7d9e2f4g6h8j1k3m5n7pq", Name: "María López", Address: "+5491155550123",
			ExternalID: "crm-77", Hashed: 12, Blocked: true,
			LastClose: &thread.LastClose{Conversation: threadID + "-1", At: at, Owner: "ana", Reason: "resolved"},
		},
		"turno.conversation.opened.v3": thread.Opened{
			Number: 3, Ticket: 1043, Direction: thread.Inbound, Channel: "web", Department: "support",
			Contact: contact.ID(threadID), Identity: "a3b5c7d9e2f4g6h8j1k3m5n7pq", Name: "María López", Address: "+5491155550123",
			ExternalID: "crm-77", Hashed: 14, Blocked: true,
			LastClose: &thread.LastClose{Conversation: conversationID, At: at, Owner: "ana", Reason: "resolved"},
			Survey:    &thread.Asked{Survey: conversationID + "-s1", Scale: survey.YesNo, Expires: later, Rated: &at},
		},
		"turno.conversation.message_received.v1": thread.MessageReceived{
			Message: conversationID + "-m13", IDHash: "q7w2e5r8t1y4u6i9o3p5a2s4d6", ChannelID: "wamid.HBgN", SentAt: &at,
			Content: said,
		},
		"turno.conversation.message_sent.v1": thread.MessageSent{
			Message: conversationID + "-m14", Content: said, Sender: thread.SenderHuman, IDHash: "z1x3c5v7b9n2m4l6k8j1h3g5f7",
		},
		"turno.conversation.opened.v2": thread.Opened{
			Number: 3, Ticket: 1043, Direction: thread.Inbound, Channel: "web", Department: "support",
			Contact: contact.ID(threadID), Identity: "a3b5c7d9e2f4g6h8j1k3m5n7pq", Name: "María López", Address: "+5491155550123", Hashed: 14, BotOff: true,
		},
		"turno.conversation.message_received.v2": thread.MessageReceived{
			Message: conversationID + "-m15", IDHash: "q7w2e5r8t1y4u6i9o3p5a2s4d6", Content: pressed,
		},
		"turno.conversation.message_sent.v2": thread.MessageSent{Message: conversationID + "-m16", Content: pressed, Sender: thread.SenderMachine},
		"turno.conversation.menu_shown.v1": thread.MenuShown{
			Menu: "main", Node: "start", Wrong: 1, Choices: []setting.Choice{offer}, Message: conversationID + "-m16", After: conversationID + "-m15", CloseAfter: 7200,
		},
		"turno.conversation.menu_answered.v1": thread.MenuAnswered{Menu: "main", Node: "start", Choice: "refunds", Message: conversationID + "-m15"},
		"turno.conversation.bot_paused.v1":    thread.BotPaused{},
		"turno.conversation.bot_resumed.v1":   thread.BotResumed{},

		"turno.conversation.queued.v1": thread.Queued{Department: "support", List: thread.StateWaiting, Cause: "opened"},
		"turno.conversation.taken.v1": thread.Taken{Operator: "ana", Department: "support", How: thread.TakenByRule, By: "eva", Assignment: &routing.Assignment{
			Rule: routing.LongestIdle, Read: 4711, Entry: 4709, Omitted: 2,
			Candidates: []routing.Candidate{{Operator: "ana", Load: 1, Capacity: 5, Assigned: at, Idle: later}, {Operator: "eva", Load: 5, Capacity: 5}},
		}},
		"turno.conversation.released.v1": thread.Released{
			Operator: "ana", Cause: "manual", Reason: "My shift ends.",
		},
		"turno.conversation.offered.v1": thread.Offered{
			Operators: []string{"eva", "ana"}, Joined: []string{"ana"}, Round: 2, Until: later, Cause: thread.OfferedByRule,
			Assignment: &routing.Assignment{
				Rule: routing.LongestIdle, Read: 4711, Entry: 4709, Omitted: 2,
				Candidates: []routing.Candidate{{Operator: "ana", Load: 1, Capacity: 5, Assigned: at, Idle: later}, {Operator: "leo", Load: 5, Capacity: 5}},
			},
		},
		"turno.conversation.offer_declined.v1": thread.OfferDeclined{Operator: "ana"},
		"turno.conversation.offer_ended.v1":    thread.OfferEnded{Cause: thread.OfferExhausted},
		"turno.conversation.alerted.v1":        thread.Alerted{Cause: thread.AlertUnattended, Operator: "ana", Role: "supervisor"},
		"turno.conversation.transferred.v1": thread.Transferred{
			FromDepartment: "support", FromOperator: "ana", Department: "billing", Operator: "leo", Reason: "A refund.", Forced: true,
		},
		"turno.conversation.paused.v1":     thread.Paused{Operator: "ana", Reason: "Waits for the courier.", Until: &later},
		"turno.conversation.resumed.v1":    thread.Resumed{Operator: "ana", Cause: "manual"},
		"turno.conversation.tagged.v1":     thread.Tagged{Tags: []string{"refund", "vip"}},
		"turno.conversation.untagged.v1":   thread.Untagged{Tags: []string{"vip"}},
		"turno.conversation.noted.v1":      thread.Noted{Note: conversationID + "-n15", Text: "Asked twice already."},
		"turno.conversation.mentioned.v1":  thread.Mentioned{Operators: []string{"eva", "leo"}, Note: conversationID + "-n15"},
		"turno.conversation.classified.v1": thread.Classified{Outcome: "won", Interests: []string{"plan-b"}, Origin: "fair", Stage: "offer", Score: 4, Fields: map[string]domain.Personal{"motivo": "mudanza"}},
		"turno.conversation.ticket_linked.v1": thread.TicketLinked{
			Number: 57, Ticket: 12, How: thread.LinkedNew, Requester: contact.ID(threadID), Subject: "The parcel of March.",
		},
		"turno.conversation.ticket_link_proposed.v1": thread.TicketLinkProposed{Number: 57, Ticket: 12},
		"turno.conversation.ticket_link_rejected.v1": thread.TicketLinkRejected{Ticket: 12, Reason: "That was his brother's."},
		"turno.conversation.closed.v1": thread.Closed{
			Reason: thread.ClosedResolved, Owner: "ana", Department: "support", Category: "delivery", Summary: "Parcel found.",
			Comment: "She was happy.", Incomplete: []string{"field:motivo"}, Override: "The customer was in a hurry.",
		},
		"turno.conversation.closed.v2": thread.Closed{
			Reason: thread.ClosedResolved, Owner: "ana", Department: "support", Category: "delivery", Summary: "Parcel found.",
			Comment: "She was happy.", Incomplete: []string{"field:motivo"}, Override: "The customer was in a hurry.", NoSurvey: true,
		},
		"turno.conversation.reopened.v1": thread.Reopened{By: "operator", Department: "support", Reason: "It was not found after all."},
		"turno.conversation.rated.v1": thread.Rated{
			Score: 5, Satisfied: &yes, Comment: "¡Gracias!", CreditOperator: "ana", CreditDepartment: "support",
			Participants: []string{"ana", "leo"}, Closer: "operator:ana", Replaces: true,
		},
		"turno.conversation.rated.v2": thread.Rated{
			Score: 5, Satisfied: &yes, Comment: "¡Gracias!", CreditOperator: "ana", CreditDepartment: "support",
			Participants: []string{"ana", "leo"}, Closer: "operator:ana", Replaces: true, Survey: conversationID + "-s1", Way: thread.RatedInChannel,
		},
		"turno.conversation.survey_sent.v1": thread.SurveySent{
			Survey: conversationID + "-s1", Message: conversationID + "-m15", Scale: survey.Stars, Expires: later, CreditOperator: "ana", CreditDepartment: "support",
		},
		"turno.conversation.archived.v1":     thread.Archived{Cause: "close"},
		"turno.conversation.unarchived.v1":   thread.Unarchived{Cause: "inbound"},
		"turno.conversation.hidden.v1":       thread.Hidden{Reason: "Sent by mistake."},
		"turno.conversation.read.v1":         thread.Read{Message: conversationID + "-m13"},
		"turno.conversation.network_seen.v1": thread.NetworkSeen{Network: "n7w2e5r8t1y4u6i9o3p5a2s4d6"},
		"turno.conversation.erased.v1":       thread.Erased{Contact: contact.ID(threadID), Identity: "a3b5c7d9e2f4g6h8j1k3m5n7pq"},
		"turno.conversation.workflow_started.v1": thread.WorkflowStarted{
			Run: conversationID + "-w1", Workflow: "vip", Version: 17, Trigger: setting.OnClosed, Depth: 1, Steps: full.Steps,
		},
		"turno.conversation.workflow_advanced.v1": thread.WorkflowAdvanced{
			Run: conversationID + "-w1", Workflow: "vip", Step: 2, Action: setting.StepAssign, Depth: 1, Rule: routing.LeastBusy,
		},
		"turno.conversation.workflow_waited.v1": thread.WorkflowWaited{Run: conversationID + "-w1", Workflow: "vip", Step: 1, Due: later, Unless: setting.OnReceived},
		"turno.conversation.workflow_ended.v1": thread.WorkflowEnded{
			Run: conversationID + "-w1", Workflow: "vip", Step: 2, Outcome: thread.RunCancelled, Reason: "closed",
		},
		"turno.conversation.webhook_requested.v1": thread.WebhookRequested{Run: conversationID + "-w1", Workflow: "vip", Step: 3, Subscription: "crm"},

		"turno.identity.claimed.v1": identity.Claimed{
			Thread: threadID, Contact: contact.ID(threadID), Channel: "web", Kind: "address", Address: "+5491155550123", Cause: "first",
		},
		"turno.identity.barred.v1":   identity.Barred{Channel: "web", Contacts: []string{contact.ID(threadID)}},
		"turno.identity.unbarred.v1": identity.Unbarred{Channel: "web", Contacts: []string{contact.ID(threadID)}},
		"turno.identity.released.v1": identity.Released{Thread: threadID, Cause: "erased"},

		"turno.contact.profile_changed.v1": contact.ProfileChanged{
			Name: "María López", Email: "maria@example.com", Phone: "+5491155550123", Company: "Flores SA",
			Fields: map[string]domain.Personal{"dni": "30111222"},
		},
		"turno.contact.profile_changed.v2": contact.ProfileChanged{
			Name: "María López", Email: "maria@example.com", Phone: "+5491155550123", Sex: "femenino", Company: "Flores SA", Title: "Gerente",
			Document: "30111222", ExternalID: "crm-77",
			Address: contact.Address{Street: "Av. Corrientes", Number: "1234 4º B", District: "San Nicolás", City: "Buenos Aires",
				State: "CABA", Country: "Argentina", Postcode: "C1043"},
			Fields: map[string]domain.Personal{"plan": "fibra oscura"},
		},
		"turno.contact.added.v1":             contact.Added{Channel: "web", Identity: "a3b5c7d9e2f4g6h8j1k3m5n7pq"},
		"turno.contact.tagged.v1":            contact.Tagged{Tags: []string{"wholesale"}},
		"turno.contact.untagged.v1":          contact.Untagged{Tags: []string{"wholesale"}},
		"turno.contact.annotated.v1":         contact.Annotated{Annotation: "a1", Text: "Prefers to be called in the afternoon."},
		"turno.contact.blocked.v1":           contact.Blocked{Reason: "Insults."},
		"turno.contact.unblocked.v1":         contact.Unblocked{},
		"turno.contact.network_blocked.v1":   contact.NetworkBlocked{Channel: "web", Network: "n7w2e5r8t1y4u6i9o3p5a2s4d6"},
		"turno.contact.network_unblocked.v1": contact.NetworkUnblocked{Network: "n7w2e5r8t1y4u6i9o3p5a2s4d6"},
		"turno.contact.assigned.v1":          contact.Assigned{Operator: "ana"},
		"turno.contact.unassigned.v1":        contact.Unassigned{Operator: "ana"},
		"turno.contact.merge_offered.v1":     contact.MergeOffered{Survivor: contact.ID(threadID), Merge: 1},
		"turno.contact.merged.v1":            contact.Merged{Contact: contact.ID(threadID), Merge: 1, Conflicts: []string{"email", "fields.plan"}},
		"turno.contact.unmerged.v1":          contact.Unmerged{Contact: contact.ID(threadID), Merge: 1},
		"turno.contact.separated.v1":         contact.Separated{Survivor: contact.ID(threadID), Merge: 1},
		"turno.contact.erased.v1":            contact.Erased{Threads: []string{threadID}},

		"turno.contact.merged.v2":           contact.Merged{Contact: contact.ID(threadID), Merge: 1, Conflicts: []string{"email", "fields.plan"}, Asked: []contact.Asked{asked}},
		"turno.contact.separated.v2":        contact.Separated{Survivor: contact.ID(threadID), Merge: 1, Asked: []contact.Asked{asked}},
		"turno.contact.separated.v3":        contact.Separated{Survivor: contact.ID(threadID), Merge: 1, Asked: []contact.Asked{asked}, Whole: true},
		"turno.contact.survey_reserved.v1":  contact.SurveyReserved{Asked: reserved},
		"turno.contact.survey_confirmed.v1": contact.SurveyConfirmed{Asked: asked},
		"turno.contact.survey_released.v1":  contact.SurveyReleased{Contact: contact.ID(threadID), Survey: conversationID + "-s1"},

		"turno.ticket.opened.v1":   ticket.Opened{Definition: parcel},
		"turno.ticket.changed.v1":  ticket.Changed{Definition: parcel},
		"turno.ticket.numbered.v1": ticket.Numbered{Number: 12},

		"turno.operator.registered.v1":  operator.Registered{Definition: ana},
		"turno.operator.changed.v1":     operator.Changed{Definition: ana},
		"turno.operator.deactivated.v1": operator.Deactivated{Definition: gone},
		"turno.operator.reactivated.v1": operator.Reactivated{Definition: ana},
		"turno.operator.erased.v1":      operator.Erased{Definition: operator.Definition{ID: "ana", Name: domain.Erased, Role: operator.RoleOperator, Departments: []string{"support"}}},

		"turno.presence.connected.v1":          presence.Connected{Status: status},
		"turno.presence.disconnected.v1":       presence.Disconnected{Status: presence.Status{Operator: "ana", Reason: "lunch"}, Cause: "lost"},
		"turno.presence.became_available.v1":   presence.BecameAvailable{Status: status, By: "eva"},
		"turno.presence.became_unavailable.v1": presence.BecameUnavailable{Status: away, By: "eva"},

		"turno.department.created.v1": department.Created{Definition: support},
		"turno.department.changed.v1": department.Changed{Definition: support},
		"turno.department.retired.v1": department.Retired{Definition: department.Definition{ID: "support", Name: "Support", Retired: true}},

		"turno.department.created.v2": department.Created{Definition: sales},
		"turno.department.changed.v2": department.Changed{Definition: sales},
		"turno.department.retired.v2": department.Retired{Definition: department.Definition{ID: "sales", Name: "Sales", Retired: true}},
		"turno.department.created.v5": department.Created{Definition: chatting},
		"turno.department.changed.v5": department.Changed{Definition: chatting},
		"turno.department.retired.v5": department.Retired{Definition: department.Definition{ID: "sales", Name: "Sales", Retired: true, Settings: chatting.Settings}},
		"turno.department.created.v4": department.Created{Definition: asking},
		"turno.department.changed.v4": department.Changed{Definition: asking},
		"turno.department.retired.v4": department.Retired{Definition: department.Definition{ID: "sales", Name: "Sales", Retired: true, Settings: asking.Settings}},

		"turno.department.created.v3": department.Created{Definition: offering},
		"turno.department.changed.v3": department.Changed{Definition: offering},
		"turno.department.retired.v3": department.Retired{Definition: department.Definition{ID: "offers", Name: "Offers", Retired: true}},

		"turno.workload.reserved.v1": workload.Reserved{
			State:        workload.State{Operator: "ana", Slots: []workload.Slot{{Conversation: conversationID, Entry: 4709, Expires: later}}},
			Conversation: conversationID, Read: 4711, Held: 1, Load: 2, Capacity: 5,
		},
		"turno.workload.freed.v1": workload.Freed{
			State:        workload.State{Operator: "ana", Slots: []workload.Slot{{Conversation: conversationID, Entry: 4709, Expires: later}}},
			Conversation: conversationID, Cause: "left",
		},

		"turno.calendar.created.v1": hours.Created{Calendar: office},
		"turno.calendar.changed.v1": hours.Changed{Calendar: office},

		"turno.channel.created.v1": setting.ChannelCreated{Channel: web},
		"turno.channel.changed.v1": setting.ChannelChanged{Channel: web},
		"turno.channel.retired.v1": setting.ChannelRetired{Channel: setting.Channel{ID: "web", Type: "generic", Name: "Web chat", Department: "support", Retired: true}},
		"turno.channel.created.v2": setting.ChannelCreated{Channel: line},
		"turno.channel.changed.v2": setting.ChannelChanged{Channel: line},
		"turno.channel.retired.v2": setting.ChannelRetired{Channel: setting.Channel{ID: "line", Type: "generic", Name: "Ana's line", Department: "support", Extension: "204", Retired: true}},
		"turno.channel.created.v3": setting.ChannelCreated{Channel: talking},
		"turno.channel.changed.v3": setting.ChannelChanged{Channel: talking},
		"turno.channel.retired.v3": setting.ChannelRetired{Channel: setting.Channel{ID: "web", Type: "generic", Name: "Web chat", Department: "support", Menu: "main", Retired: true}},
		"turno.token.issued.v1":    setting.TokenIssued{Token: token},
		"turno.token.revoked.v1":   setting.TokenRevoked{Token: setting.Token{ID: "crm", Owner: "service:crm", Fingerprint: "0f1e2d3c", Revoked: true}},

		"turno.field.defined.v1":    setting.FieldDefined{Field: plan},
		"turno.field.retired.v1":    setting.FieldRetired{Field: setting.Field{ID: "plan", Name: "Plan", On: "contact", Type: "text", Retired: true}},
		"turno.funnel.defined.v1":   setting.FunnelDefined{Funnel: funnel},
		"turno.funnel.retired.v1":   setting.FunnelRetired{Funnel: setting.Funnel{ID: "b2b", Name: "Companies", Stages: funnel.Stages, Retired: true}},
		"turno.catalog.defined.v1":  setting.CatalogDefined{Catalog: origins},
		"turno.catalog.retired.v1":  setting.CatalogRetired{Catalog: setting.Catalog{ID: "origins", Items: origins.Items, Retired: true}},
		"turno.tag.defined.v1":      setting.TagDefined{Tag: setting.Tag{ID: "vip", Name: "VIP", On: []string{"contact"}}},
		"turno.tag.retired.v1":      setting.TagRetired{Tag: setting.Tag{ID: "vip", Name: "VIP", Retired: true}},
		"turno.template.defined.v1": setting.TemplateDefined{Template: hello},
		"turno.template.retired.v1": setting.TemplateRetired{Template: setting.Template{ID: "hello", Name: "Hello", Text: "Hello!", Retired: true}},
		"turno.macro.defined.v1":    setting.MacroDefined{Macro: macro},
		"turno.macro.retired.v1":    setting.MacroRetired{Macro: setting.Macro{ID: "refund", Name: "Refund", Steps: []setting.Step{{Action: "take"}}, Retired: true}},
		"turno.segment.defined.v1":  setting.SegmentDefined{Segment: segment},
		"turno.workflow.defined.v1": setting.WorkflowDefined{Workflow: vip},
		"turno.workflow.retired.v1": setting.WorkflowRetired{Workflow: full},
		"turno.workflow.defined.v2": setting.WorkflowDefined{Workflow: reading},
		"turno.workflow.retired.v2": setting.WorkflowRetired{Workflow: reading},
		"turno.inbox.defined.v1": setting.InboxDefined{Inbox: setting.Inbox{ID: "mine", Name: "Mine, urgent", Filter: setting.Conversations{
			States: []string{"attending", "paused"}, Department: "support", Operator: setting.Myself, Channel: "web", Tag: "vip", Category: "sale", Archived: &no}}},
		"turno.inbox.retired.v1":   setting.InboxRetired{Inbox: setting.Inbox{ID: "mine", Name: "Mine", Retired: true}},
		"turno.segment.retired.v1": setting.SegmentRetired{Segment: setting.Segment{ID: "new", Name: "New ones", Retired: true}},

		"turno.subscription.defined.v1":     setting.SubscriptionDefined{Subscription: crm},
		"turno.subscription.retired.v1":     setting.SubscriptionRetired{Subscription: retired},
		"turno.subscription.rotated.v1":     setting.SubscriptionRotated{Subscription: crm},
		"turno.subscription.stopped.v1":     setting.SubscriptionStopped{Subscription: stopped},
		"turno.subscription.redelivered.v1": setting.SubscriptionRedelivered{Subscription: crm, From: 4711, To: 4719, FailedOnly: true},
		"turno.menu.defined.v1":             setting.MenuDefined{Menu: menu},
		"turno.menu.retired.v1":             setting.MenuRetired{Menu: setting.Menu{ID: "main", Name: "Main menu", Nodes: menu.Nodes, Person: menu.Person, Retired: true}},

		"turno.extension.claimed.v1": setting.ExtensionClaimed{Extension: "204", Operator: "ana"},

		"turno.sequence.reserved.v1": sequence.Reserved{From: 1001, To: 2000},

		"turno.log.created.v1":  ledger.Created{ID: "m4k7q2x9c5v8b1n3z6a0s2d4f7"},
		"turno.log.restored.v1": ledger.Restored{Epoch: 1, From: 90210, To: 91234, At: at},
	}
}

// sampleCommit is a commit of one event, with all facts that its category has.
func sampleCommit(k *kind, e domain.Event) domain.Commit {
	c := domain.Commit{
		ID: "c8f2k5q1w7e3r9t4y6u0i2o5p8", Recorded: at.Add(40 * time.Millisecond), Time: at, Origin: domain.OriginLive,
		Aggregate: domain.Aggregate{Workspace: "default", Category: k.category, ID: "ana"},
		Actor:     domain.Actor{Kind: domain.ActorOperator, ID: "ana", Via: "service:crm"},
		BodyHash:  "b9d4f6h8", Image: 41, Key: goldenKey,
		Trace:  "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		Events: []domain.Event{e},
	}
	switch k.category {
	case domain.CategoryThread:
		c.Aggregate.ID = threadID
		c.Conversation, c.Ticket, c.Contact, c.Channel = conversationID, 1042, contact.ID(threadID), "web"
		c.Before = &domain.Sight{State: "attending", Department: "support", Owner: "ana", Mentioned: []string{"eva", "leo"}, Hidden: true}
		c.After = &domain.Sight{State: "closed", Department: "support", OwnerAtClose: "ana", Archived: true}
	case domain.CategoryIdentity:
		c.Aggregate.ID = "a3b5c7d9e2f4g6h8j1k3m5n7pq"
	case domain.CategoryContact:
		c.Aggregate.ID = contact.ID(threadID)
	case domain.CategoryTicket:
		c.Aggregate.ID = "12"
	case domain.CategoryDepartment:
		c.Aggregate.ID = "support"
	case domain.CategorySetting:
		c.Aggregate.ID = "channel.web"
	case domain.CategorySequence:
		c.Aggregate.ID = sequence.Conversation
	case domain.CategoryLog:
		c.Aggregate = domain.Aggregate{Workspace: "_", Category: domain.CategoryLog, ID: "self"}
		c.Actor, c.Key = domain.Actor{Kind: domain.ActorSystem}, ""
	}
	return c
}
