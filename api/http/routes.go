package http

import (
	"net/http"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/projections/directory"
)

// route is one line of the API: what is asked, who may ask it at all, who answers, and which query parameters it knows.
type route struct {
	method, path string
	right        access.Action // anyone who is known, when empty; anybody at all, when public
	handle       func(*call) error
	params       []string
}

// routes is the whole of the API under /v1. Whether one may do it to one particular conversation is for the domain.
func (s *Server) routes() []route {
	const get, post, put, patch = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch
	page := []string{"cursor", "limit", "after"}
	now := []string{"after"}
	at := []string{"after", "as_of"}
	report := []string{"metric", "version", "from", "to", "tz", "bucket", "group_by", "department", "operator", "channel", "detail", "pauses",
		"cohort", "actors", "position", "after", "as_of"}
	filter := []string{"state", "archived", "operator", "department", "channel", "contact", "tag", "category", "from", "to", "cursor", "limit", "after"}
	routes := []route{
		// Conversations.
		{post, "/v1/channels/:channel/messages", access.Receive, s.receive, nil},
		{post, "/v1/conversations", access.Converse, s.open, nil},
		{post, "/v1/conversations/bulk", access.Converse, s.bulk, nil},
		{get, "/v1/conversations", access.ReadConversations, s.conversations, with(filter, "as_of", "inbox")},
		{get, "/v1/conversations/:id", access.ReadConversations, s.conversation, at},
		{get, "/v1/conversations/:id/messages", access.ReadConversations, s.messages, with(page, "as_of", "notes")},
		{get, "/v1/conversations/:id/timeline", access.ReadConversations, s.timeline, at},
		{get, "/v1/conversations/:id/routing", access.ReadConversations, s.routing, at},
		{post, "/v1/conversations/:id/macros/:macro", access.Converse, s.runMacro, nil},
		{post, "/v1/templates/:id/preview", access.ReadConversations, s.previewTemplate, nil},
		{post, "/v1/preview", access.ReadConversations, s.previewText, nil},
		{get, "/v1/queues", access.ReadConversations, s.queues, at},
		{get, "/v1/queues/:department", access.ReadConversations, s.queue, with(page, "as_of", "state", "operator", "offered_to", "archived")},
		{get, "/v1/tickets", access.ReadConversations, s.search, with(filter, "q")},
		{get, "/v1/tickets/:number", access.ReadConversations, s.ticket, at},
		{post, "/v1/tickets", access.Converse, s.openTicket, nil},
		{patch, "/v1/tickets/:number", access.Converse, s.patchTicket, nil},
		{get, "/v1/tickets/:number/timeline", access.ReadConversations, s.ticketTimeline, at},

		// Surveys, for whoever has a token of one.
		{get, surveyPath, public, s.survey, nil},
		{post, surveyPath, public, s.answerSurvey, nil},

		// Contacts.
		{get, "/v1/contacts", access.ReadContacts, s.contacts, with(page, finders()...)},
		{post, "/v1/contacts/import", access.ImportContacts, s.importContacts, nil},
		{get, "/v1/contacts/export", access.ExportContacts, s.exportContacts, with(finders(), "format", "after")},
		{get, "/v1/contacts/:id", access.ReadContacts, one(s.Directory.Contact, func(v directory.Contact) domain.Position { return v.Revision }), now},
		{get, "/v1/contacts/:id/history", access.ReadConversations, s.contactHistory, page},
		{put, "/v1/contacts/:id", access.EditContacts, s.putContact, nil},
		{patch, "/v1/contacts/:id", access.EditContacts, s.patchContact, nil},
		{post, "/v1/contacts/:id/tags", access.EditContacts, s.tagContact, nil},
		{post, "/v1/contacts/:id/annotations", access.EditContacts, s.annotateContact, nil},
		{post, "/v1/contacts/:id/assign", access.AssignContacts, s.assignContact, nil},
		{post, "/v1/contacts/:id/block", access.EditContacts, s.blockContact, nil},
		{post, "/v1/contacts/:id/unblock", access.EditContacts, s.unblockContact, nil},
		{post, "/v1/contacts/:id/merge", access.MergeContacts, s.mergeContact, nil},
		{post, "/v1/contacts/:id/unmerge", access.MergeContacts, s.unmergeContact, nil},
		{post, "/v1/contacts/:id/erase", access.EraseContacts, s.eraseContact, nil},

		// Settings.
		{get, "/v1/operators", access.ReadSettings, s.operators, with(page, "q")},
		{get, "/v1/operators/:id", access.ReadSettings, one(s.Directory.Operator, func(v directory.Operator) domain.Position { return v.Revision }), now},
		{put, "/v1/operators/:id", access.EditSettings, s.putOperator, nil},
		{post, "/v1/operators/:id/deactivate", access.EditSettings, s.byID("deactivate_operator", s.Commands.DeactivateOperator), nil},
		{post, "/v1/operators/:id/reactivate", access.EditSettings, s.byID("reactivate_operator", s.Commands.ReactivateOperator), nil},
		{post, "/v1/operators/:id/availability", access.BePresent, s.setAvailability, nil},
		{post, "/v1/operators/:id/presence", access.BePresent, s.setPresence, nil},
		{get, "/v1/operators/:id/presence", access.ReadOwnStats, s.presence, []string{"from", "to", "tz", "position", "after", "as_of"}},
		{post, "/v1/operators/:id/tokens", access.ManageTokens, s.issueOperatorToken, nil},
		{get, "/v1/operators/:id/tokens", access.ManageTokens, s.operatorTokens, page},
		{post, "/v1/operators/:id/tokens/:token/revoke", access.ManageTokens, s.revokeOperatorToken, nil},
		{post, "/v1/service-tokens", access.ManageTokens, s.issueServiceToken, nil},
		{get, "/v1/service-tokens", access.ManageTokens, s.serviceTokens, page},
		{post, "/v1/service-tokens/:token/revoke", access.ManageTokens, s.revokeServiceToken, nil},
		{get, "/v1/departments", access.ReadSettings, some(s.Directory.Departments), page},
		{get, "/v1/departments/:id", access.ReadSettings, one(s.Directory.Department, func(v directory.Department) domain.Position { return v.Revision }), now},
		{put, "/v1/departments/:id", access.EditSettings, s.putDepartment, nil},
		{post, "/v1/departments/:id/retire", access.EditSettings, s.byID("retire_department", s.Commands.RetireDepartment), nil},
		{get, "/v1/calendars", access.ReadSettings, some(s.Directory.Calendars), page},
		{get, "/v1/calendars/:id", access.ReadSettings, one(s.Directory.Calendar, func(v directory.Calendar) domain.Position { return v.Revision }), now},
		{put, "/v1/calendars/:id", access.EditSettings, s.putCalendar, nil},
		{get, "/v1/channels", access.ReadSettings, some(s.Directory.Channels), page},
		{get, "/v1/channels/:id", access.ReadSettings, one(s.Directory.Channel, func(v directory.Channel) domain.Position { return v.Revision }), now},
		{put, "/v1/channels/:id", access.EditSettings, s.putChannel, nil},
		{post, "/v1/channels/:id/retire", access.EditSettings, s.byID("retire_channel", s.Commands.RetireChannel), nil},
		{get, "/v1/workflows/templates", access.ReadSettings, s.workflowTemplates, nil},
		{post, "/v1/workflows/:id/dry-run", access.EditSettings, s.dryRunWorkflow, nil},
		{get, "/v1/settings/changes", access.ReadSettings, s.changes, with(page, "kind", "id")},
		{get, "/v1/me", "", s.me, nil},

		// Numbers.
		{get, "/v1/metrics", access.ReadOwnStats, s.catalogue, nil},
		{get, "/v1/stats/operators", access.ReadOwnStats, s.report("operator"), report},
		{get, "/v1/stats/departments", access.ReadOwnStats, s.report("department"), report},
		{get, "/v1/stats/channels", access.ReadOwnStats, s.report("channel"), report},
		{get, "/v1/stats/live", access.ReadOwnStats, s.live, []string{"department", "position", "after", "as_of"}},
		{get, "/v1/stats/samples", access.ReadOwnStats, s.samples, []string{"metric", "version", "from", "to", "department", "operator", "channel", "detail",
			"cohort", "actors", "position", "after", "as_of", "cursor", "limit"}},

		// Feeds.
		{get, "/v1/events", access.ReadEvents, s.feed, []string{"after", "types", "limit", "open", "stream", "to"}},
		{get, "/v1/stream", access.ReadEvents, s.stream, []string{"after"}},
	}
	for _, d := range definables() {
		routes = append(routes, s.defining(d)...)
	}
	routes = append(routes, s.subscriptionRoutes()...)
	for _, a := range actions() {
		routes = append(routes, route{post, "/v1/conversations/:id/" + a.name, a.right, s.act(a), nil})
	}
	return routes
}

// with is a list with more in it.
func with(list []string, more ...string) []string {
	return append(append([]string{}, list...), more...)
}
