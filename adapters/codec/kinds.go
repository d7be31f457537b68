package codec

import (
	"encoding/json"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/hours"
	"github.com/turno-desk/turno/domain/identity"
	"github.com/turno-desk/turno/domain/ledger"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/presence"
	"github.com/turno-desk/turno/domain/sequence"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/domain/ticket"
	"github.com/turno-desk/turno/domain/workload"
)

// kinds lists every event of Turno. A name in it never changes its meaning: a changed event gets an upcaster here, a
// golden file of its new version, and keeps the old ones.
func kinds() []*kind {
	return []*kind{
		of[thread.Opened](domain.CategoryThread, "conversation.opened", more, more),
		of[thread.MessageReceived](domain.CategoryThread, "conversation.message_received", more),
		of[thread.MessageSent](domain.CategoryThread, "conversation.message_sent", more),
		of[thread.Queued](domain.CategoryThread, "conversation.queued"),
		of[thread.Taken](domain.CategoryThread, "conversation.taken"),
		of[thread.Released](domain.CategoryThread, "conversation.released"),
		of[thread.Offered](domain.CategoryThread, "conversation.offered"),
		of[thread.OfferDeclined](domain.CategoryThread, "conversation.offer_declined"),
		of[thread.OfferEnded](domain.CategoryThread, "conversation.offer_ended"),
		of[thread.Alerted](domain.CategoryThread, "conversation.alerted"),
		of[thread.Transferred](domain.CategoryThread, "conversation.transferred"),
		of[thread.Paused](domain.CategoryThread, "conversation.paused"),
		of[thread.Resumed](domain.CategoryThread, "conversation.resumed"),
		of[thread.Tagged](domain.CategoryThread, "conversation.tagged"),
		of[thread.Untagged](domain.CategoryThread, "conversation.untagged"),
		of[thread.Noted](domain.CategoryThread, "conversation.noted"),
		of[thread.Mentioned](domain.CategoryThread, "conversation.mentioned"),
		of[thread.Classified](domain.CategoryThread, "conversation.classified"),
		of[thread.TicketLinked](domain.CategoryThread, "conversation.ticket_linked"),
		of[thread.TicketLinkProposed](domain.CategoryThread, "conversation.ticket_link_proposed"),
		of[thread.TicketLinkRejected](domain.CategoryThread, "conversation.ticket_link_rejected"),
		of[thread.Closed](domain.CategoryThread, "conversation.closed", more),
		of[thread.Reopened](domain.CategoryThread, "conversation.reopened"),
		of[thread.SurveySent](domain.CategoryThread, "conversation.survey_sent"),
		of[thread.Rated](domain.CategoryThread, "conversation.rated", more),
		of[thread.Archived](domain.CategoryThread, "conversation.archived"),
		of[thread.Unarchived](domain.CategoryThread, "conversation.unarchived"),
		of[thread.Hidden](domain.CategoryThread, "conversation.hidden"),
		of[thread.MenuShown](domain.CategoryThread, "conversation.menu_shown"),
		of[thread.MenuAnswered](domain.CategoryThread, "conversation.menu_answered"),
		of[thread.BotPaused](domain.CategoryThread, "conversation.bot_paused"),
		of[thread.BotResumed](domain.CategoryThread, "conversation.bot_resumed"),
		of[thread.Read](domain.CategoryThread, "conversation.read"),
		of[thread.NetworkSeen](domain.CategoryThread, "conversation.network_seen"),
		of[thread.Erased](domain.CategoryThread, "conversation.erased"),
		of[thread.WorkflowStarted](domain.CategoryThread, "conversation.workflow_started"),
		of[thread.WorkflowAdvanced](domain.CategoryThread, "conversation.workflow_advanced"),
		of[thread.WorkflowWaited](domain.CategoryThread, "conversation.workflow_waited"),
		of[thread.WorkflowEnded](domain.CategoryThread, "conversation.workflow_ended"),
		of[thread.WebhookRequested](domain.CategoryThread, "conversation.webhook_requested"),

		of[identity.Claimed](domain.CategoryIdentity, "identity.claimed"),
		of[identity.Released](domain.CategoryIdentity, "identity.released"),
		of[identity.Barred](domain.CategoryIdentity, "identity.barred"),
		of[identity.Unbarred](domain.CategoryIdentity, "identity.unbarred"),

		of[contact.ProfileChanged](domain.CategoryContact, "contact.profile_changed", more),
		of[contact.Added](domain.CategoryContact, "contact.added"),
		of[contact.Tagged](domain.CategoryContact, "contact.tagged"),
		of[contact.Untagged](domain.CategoryContact, "contact.untagged"),
		of[contact.Annotated](domain.CategoryContact, "contact.annotated"),
		of[contact.Blocked](domain.CategoryContact, "contact.blocked"),
		of[contact.Unblocked](domain.CategoryContact, "contact.unblocked"),
		of[contact.NetworkBlocked](domain.CategoryContact, "contact.network_blocked"),
		of[contact.NetworkUnblocked](domain.CategoryContact, "contact.network_unblocked"),
		of[contact.Assigned](domain.CategoryContact, "contact.assigned"),
		of[contact.Unassigned](domain.CategoryContact, "contact.unassigned"),
		of[contact.MergeOffered](domain.CategoryContact, "contact.merge_offered"),
		of[contact.Merged](domain.CategoryContact, "contact.merged", more),
		of[contact.Unmerged](domain.CategoryContact, "contact.unmerged"),
		of[contact.Separated](domain.CategoryContact, "contact.separated", more, more),
		of[contact.SurveyReserved](domain.CategoryContact, "contact.survey_reserved"),
		of[contact.SurveyConfirmed](domain.CategoryContact, "contact.survey_confirmed"),
		of[contact.SurveyReleased](domain.CategoryContact, "contact.survey_released"),
		of[contact.Erased](domain.CategoryContact, "contact.erased"),

		of[workload.Reserved](domain.CategoryWorkload, "workload.reserved"),
		of[workload.Freed](domain.CategoryWorkload, "workload.freed"),

		of[ticket.Opened](domain.CategoryTicket, "ticket.opened"),
		of[ticket.Changed](domain.CategoryTicket, "ticket.changed"),
		of[ticket.Numbered](domain.CategoryTicket, "ticket.numbered"),

		of[operator.Registered](domain.CategoryOperator, "operator.registered"),
		of[operator.Changed](domain.CategoryOperator, "operator.changed"),
		of[operator.Deactivated](domain.CategoryOperator, "operator.deactivated"),
		of[operator.Reactivated](domain.CategoryOperator, "operator.reactivated"),
		of[operator.Erased](domain.CategoryOperator, "operator.erased"),

		of[presence.Connected](domain.CategoryPresence, "presence.connected"),
		of[presence.Disconnected](domain.CategoryPresence, "presence.disconnected"),
		of[presence.BecameAvailable](domain.CategoryPresence, "presence.became_available"),
		of[presence.BecameUnavailable](domain.CategoryPresence, "presence.became_unavailable"),

		of[department.Created](domain.CategoryDepartment, "department.created", more, more, more, more),
		of[department.Changed](domain.CategoryDepartment, "department.changed", more, more, more, more),
		of[department.Retired](domain.CategoryDepartment, "department.retired", more, more, more, more),

		of[hours.Created](domain.CategorySetting, "calendar.created"),
		of[hours.Changed](domain.CategorySetting, "calendar.changed"),
		of[setting.ChannelCreated](domain.CategorySetting, "channel.created", more, more),
		of[setting.ChannelChanged](domain.CategorySetting, "channel.changed", more, more),
		of[setting.ChannelRetired](domain.CategorySetting, "channel.retired", more, more),
		of[setting.TokenIssued](domain.CategorySetting, "token.issued"),
		of[setting.TokenRevoked](domain.CategorySetting, "token.revoked"),
		of[setting.FieldDefined](domain.CategorySetting, "field.defined"),
		of[setting.FieldRetired](domain.CategorySetting, "field.retired"),
		of[setting.FunnelDefined](domain.CategorySetting, "funnel.defined"),
		of[setting.FunnelRetired](domain.CategorySetting, "funnel.retired"),
		of[setting.CatalogDefined](domain.CategorySetting, "catalog.defined"),
		of[setting.CatalogRetired](domain.CategorySetting, "catalog.retired"),
		of[setting.TagDefined](domain.CategorySetting, "tag.defined"),
		of[setting.TagRetired](domain.CategorySetting, "tag.retired"),
		of[setting.TemplateDefined](domain.CategorySetting, "template.defined"),
		of[setting.TemplateRetired](domain.CategorySetting, "template.retired"),
		of[setting.MacroDefined](domain.CategorySetting, "macro.defined"),
		of[setting.MacroRetired](domain.CategorySetting, "macro.retired"),
		of[setting.SegmentDefined](domain.CategorySetting, "segment.defined"),
		of[setting.SegmentRetired](domain.CategorySetting, "segment.retired"),
		of[setting.InboxDefined](domain.CategorySetting, "inbox.defined"),
		of[setting.InboxRetired](domain.CategorySetting, "inbox.retired"),
		of[setting.SubscriptionDefined](domain.CategorySetting, "subscription.defined"),
		of[setting.SubscriptionRetired](domain.CategorySetting, "subscription.retired"),
		of[setting.SubscriptionRotated](domain.CategorySetting, "subscription.rotated"),
		of[setting.SubscriptionStopped](domain.CategorySetting, "subscription.stopped"),
		of[setting.SubscriptionRedelivered](domain.CategorySetting, "subscription.redelivered"),
		of[setting.WorkflowDefined](domain.CategorySetting, "workflow.defined", more),
		of[setting.WorkflowRetired](domain.CategorySetting, "workflow.retired", more),
		of[setting.MenuDefined](domain.CategorySetting, "menu.defined"),
		of[setting.MenuRetired](domain.CategorySetting, "menu.retired"),
		of[setting.ExtensionClaimed](domain.CategorySetting, "extension.claimed"),

		of[sequence.Reserved](domain.CategorySequence, "sequence.reserved"),

		of[ledger.Created](domain.CategoryLog, "log.created"),
		of[ledger.Restored](domain.CategoryLog, "log.restored"),
	}
}

// more is the upcaster to a version that has got further optional fields: what was written without them means the same.
func more(data json.RawMessage) (json.RawMessage, error) { return data, nil }
