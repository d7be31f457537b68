package access

import (
	"slices"
	"strings"

	"github.com/turno-desk/turno/domain/operator"
)

// Scope is one area of the API that a service's token may read or write.
type Scope string

// The scopes. A token names them with ":read" or ":write"; write includes read.
const (
	ScopeIntake        Scope = "intake"
	ScopeConversations Scope = "conversations"
	ScopeContacts      Scope = "contacts"
	ScopeSettings      Scope = "settings"
	ScopeStats         Scope = "stats"
	ScopeEvents        Scope = "events"
	ScopePersonal      Scope = "personal"
	ScopeAudit         Scope = "audit"
)

// Scopes is the list of them all.
func Scopes() []Scope {
	return []Scope{ScopeIntake, ScopeConversations, ScopeContacts, ScopeSettings, ScopeStats, ScopeEvents, ScopePersonal, ScopeAudit}
}

// ValidScope reports whether s is a scope with ":read" or ":write" behind it.
func ValidScope(s string) bool {
	area, right, _ := strings.Cut(s, ":")
	return (right == "read" || right == "write") && slices.Contains(Scopes(), Scope(area))
}

// Scope reports whether a service's token has the scope, for writing when write is true.
func (v Viewer) Scope(s Scope, write bool) bool {
	return slices.Contains(v.Scopes, string(s)+":write") || !write && slices.Contains(v.Scopes, string(s)+":read")
}

// Action is one kind of thing that can be done. Whether it may be done to one particular conversation is for MaySee,
// Supervises and the rules of the thread.
type Action string

// The actions.
const (
	Receive           Action = "receive"            // bring in a contact's message
	ReadConversations Action = "read_conversations" // those one may see: queues, history, search, timeline
	Converse          Action = "converse"           // open, take, answer, transfer, pause, tag, note, classify, close, rate …
	Supervise         Action = "supervise"          // assign, take over, act on another's, override a guard, another's availability
	Hide              Action = "hide"               // delete from everybody's sight but an auditor's
	ReadContacts      Action = "read_contacts"
	EditContacts      Action = "edit_contacts"   // profile, tags, annotations, block
	AssignContacts    Action = "assign_contacts" // their dedicated assignee (F128)
	MergeContacts     Action = "merge_contacts"  // and un-merge
	ImportContacts    Action = "import_contacts" // many at once, from a file
	ExportContacts    Action = "export_contacts" // all of them, in a file
	EraseContacts     Action = "erase_contacts"
	ReadSettings      Action = "read_settings" // operators, departments, channels
	EditSettings      Action = "edit_settings"
	ManageTemplates   Action = "manage_templates" // templates, macros, segments
	ManageTokens      Action = "manage_tokens"
	BePresent         Action = "be_present" // heartbeat and availability of one's own
	ReadOwnStats      Action = "read_own_stats"
	ReadStats         Action = "read_stats"      // everybody's; supervisors those of their departments
	ReadEvents        Action = "read_events"     // the feed of what one may see
	ReadAllEvents     Action = "read_all_events" // the feed of everything
	OpenPersonal      Action = "open_personal"   // personal fields in the clear in feeds and exports
	ReadAudit         Action = "read_audit"      // who looked, proofs
	ActForOthers      Action = "act_for_others"  // Turno-Actor
)

type right struct {
	roles []operator.Role
	scope Scope // empty: no service
	write bool
}

// rights says which roles and which scope of a service each action takes (D11, D21).
func rights(a Action) right {
	const (
		op  = operator.RoleOperator
		sup = operator.RoleSupervisor
		adm = operator.RoleAdmin
		aud = operator.RoleAuditor
	)
	roles := func(r ...operator.Role) []operator.Role { return r }
	switch a {
	case Receive:
		return right{roles(adm), ScopeIntake, true}
	case ReadConversations:
		return right{roles(op, sup, adm, aud), ScopeConversations, false}
	case Converse:
		return right{roles(op, sup, adm), ScopeConversations, true}
	case Supervise:
		return right{roles(sup, adm), ScopeConversations, true}
	case Hide:
		return right{roles(sup, adm), "", false}
	case ReadContacts:
		return right{roles(op, sup, adm, aud), ScopeContacts, false}
	case EditContacts:
		return right{roles(op, sup, adm), ScopeContacts, true}
	case AssignContacts:
		return right{roles(sup, adm), ScopeContacts, true}
	case MergeContacts:
		return right{roles(sup, adm), ScopeContacts, true}
	case ImportContacts:
		return right{roles(sup, adm), ScopeContacts, true}
	case ExportContacts:
		return right{roles(sup, adm), ScopeContacts, false}
	case EraseContacts:
		return right{roles(adm), ScopePersonal, true}
	case ReadSettings:
		return right{roles(op, sup, adm, aud), ScopeSettings, false}
	case EditSettings:
		return right{roles(adm), ScopeSettings, true}
	case ManageTemplates:
		return right{roles(sup, adm), ScopeSettings, true}
	case ManageTokens:
		return right{roles(adm), "", false}
	case BePresent:
		return right{roles(op, sup, adm), "", false}
	case ReadOwnStats:
		return right{roles(op, sup, adm, aud), ScopeStats, false}
	case ReadStats:
		return right{roles(sup, adm, aud), ScopeStats, false}
	case ReadEvents:
		return right{roles(op, sup, adm, aud), ScopeEvents, false}
	case ReadAllEvents:
		return right{roles(adm, aud), ScopeEvents, false}
	case OpenPersonal:
		return right{roles(adm, aud), ScopePersonal, false}
	case ReadAudit:
		return right{roles(aud), ScopeAudit, false}
	}
	return right{}
}

// Actions is the list of them all, save ActForOthers, which is no right of its own: see MayDo.
func Actions() []Action {
	return []Action{Receive, ReadConversations, Converse, Supervise, Hide, ReadContacts, EditContacts, AssignContacts, MergeContacts, ImportContacts, ExportContacts, EraseContacts, ReadSettings,
		EditSettings, ManageTemplates, ManageTokens, BePresent, ReadOwnStats, ReadStats, ReadEvents, ReadAllEvents, OpenPersonal, ReadAudit}
}

// MayDo reports whether v's role, or a service's scopes, allow the action at all. ActForOthers is an admin's or a service's;
// what the service then does still takes the scope of that action.
func MayDo(v Viewer, a Action) bool {
	if a == ActForOthers {
		return v.Role == operator.RoleAdmin || v.Role == operator.RoleService
	}
	r := rights(a)
	if v.Role == operator.RoleService {
		return r.scope != "" && v.Scope(r.scope, r.write)
	}
	return slices.Contains(r.roles, v.Role)
}
