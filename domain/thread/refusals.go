package thread

import (
	"fmt"
	"slices"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
)

// Codes of the rules about conversations.
const (
	CodeTakenByAnother     domain.Code = "taken_by_another"
	CodeConversationOpen   domain.Code = "conversation_open"
	CodeConversationClosed domain.Code = "conversation_closed"
	CodeNewerConversation  domain.Code = "newer_conversation"
	CodeDepartmentRequired domain.Code = "department_required"
	CodeNotAMember         domain.Code = "not_a_member"
	CodeOperatorAway       domain.Code = "operator_unavailable"
	CodeCloseRequirements  domain.Code = "close_requirements_missing"
	CodeReopenWindow       domain.Code = "reopen_window_passed"
	CodeContactBlocked     domain.Code = "contact_blocked"
	CodeNetworkBlocked     domain.Code = "ip_blocked"
	CodeTicketLinked       domain.Code = "ticket_linked"
	CodeNoProposal         domain.Code = "no_proposal"
	CodeNotOffered         domain.Code = "not_offered"
	CodeNoMenu             domain.Code = "no_menu"
	CodeSurveyExpired      domain.Code = "survey_expired"      // it can't be answered any more, or another one took its place
	CodeSurveyScale        domain.Code = "survey_scale"        // Missing names what was asked for: score or satisfied
	CodeNoSurvey           domain.Code = "no_survey"           // the close calls for none
	CodeNotLive            domain.Code = "not_live_chat"       // Missing names the channel's type
	CodeReservationOver    domain.Code = "reservation_expired" // of a survey, on the contact
)

func notFound() *domain.Refusal {
	return &domain.Refusal{Code: domain.CodeNotFound, Detail: "There is no such conversation."}
}

// forbidden refuses what the actor's role or departments don't allow.
func forbidden(detail string) *domain.Refusal {
	return &domain.Refusal{Code: domain.CodeForbidden, Detail: detail, OnSettings: true}
}

func invalid(detail string, missing ...string) *domain.Refusal {
	return &domain.Refusal{Code: domain.CodeInvalid, Detail: detail, Missing: missing}
}

func unknownSetting(kind, id string) *domain.Refusal {
	return &domain.Refusal{
		Code: domain.CodeUnknownSetting, Detail: fmt.Sprintf("There is no %s %q.", kind, id), Missing: []string{kind}, OnSettings: true,
	}
}

func retired(kind, id string) *domain.Refusal {
	return &domain.Refusal{
		Code: domain.CodeRetired, Detail: fmt.Sprintf("The %s %q is no longer in use.", kind, id), Missing: []string{kind}, OnSettings: true,
	}
}

func takenByAnother(c *Conversation) *domain.Refusal {
	return &domain.Refusal{
		Code: CodeTakenByAnother, Detail: "Another operator is attending this conversation.",
		State: c.State, Owner: c.Owner,
	}
}

// notOffered refuses who may not take what is offered to others, or is not offered at all; until says when that ends.
func notOffered(c *Conversation) *domain.Refusal {
	r := &domain.Refusal{Code: CodeNotOffered, Detail: "The conversation is not offered to you.", State: c.State}
	if c.Offer != nil {
		r.Detail, r.Until = "The conversation is offered to others.", c.Offer.Until
	}
	return r
}

// notLive refuses to end the session of a channel that has none.
func notLive(c *Conversation, channel setting.Channel) *domain.Refusal {
	return &domain.Refusal{
		Code: CodeNotLive, State: c.State, Missing: []string{"type:" + channel.Type}, OnSettings: true,
		Detail: fmt.Sprintf("Only a live chat has a session to end, a channel of type %s; %q is of type %s. Close it instead.", setting.WebChat, channel.ID, channel.Type),
	}
}

// notAllowed refuses a command that the state has no place for; hints say what to do instead.
func notAllowed(c *Conversation, hints ...string) *domain.Refusal {
	return &domain.Refusal{
		Code: domain.CodeNotAllowed, Detail: strings.Join(append([]string{fmt.Sprintf("The conversation is %s.", c.State)}, hints...), " "),
		State: c.State, Allowed: AllowedIn(c.State),
	}
}

// commandStates is which commands have a place in which states. Whether the actor may is another question.
var commandStates = []struct {
	command string
	states  []string
}{
	{"take", open},
	{"assign", open},
	{"messages", open},
	{"offers/accept", unowned},
	{"offers/decline", unowned},
	{"release", owned},
	{"transfer", anyState},
	{"pause", owned},
	{"resume", owned},
	{"tags", anyState},
	{"notes", anyState},
	{"classify", anyState},
	{"ticket", anyState},
	{"close", open},
	{"end-session", open}, // of a live chat
	{"ignore", open},
	{"reopen", closed},
	{"rate", closed},
	{"archive", archivable},
	{"unarchive", anyState},
	{"delete", closed},
	{"read", open},
	{"bot/pause", anyState},
	{"bot/resume", []string{StateBot, StateWaiting, StateOutOfHours, StateClosed}},
}

var (
	open       = []string{StateBot, StateWaiting, StateOutOfHours, StateAttending, StatePaused}
	unowned    = []string{StateWaiting, StateOutOfHours}
	owned      = []string{StateAttending, StatePaused}
	closed     = []string{StateClosed}
	archivable = []string{StateAttending, StatePaused, StateClosed}
	anyState   = []string{StateBot, StateWaiting, StateOutOfHours, StateAttending, StatePaused, StateClosed}
)

// States are all states of a conversation.
func States() []string { return slices.Clone(anyState) }

// AllowedIn names, as the API does, the commands that have a place in a state.
func AllowedIn(state string) []string {
	var names []string
	for _, c := range commandStates {
		if slices.Contains(c.states, state) {
			names = append(names, c.command)
		}
	}
	return names
}
