// Package access decides who may see a conversation, and what each role may do: one rule for queries, pushes, searches,
// exports and reports.
//
// The rule (D3, D6, D20), for a conversation as it is now:
//
//   - waiting, out of hours or with a bot: every operator of its department;
//   - attended or paused: its owner;
//   - closed: whoever owned it at the close;
//   - in every state: supervisors of its department, admins and auditors;
//   - until the close: whoever was mentioned in a note of it;
//   - closed, as history: whoever attends or has paused another conversation of the same contact;
//   - deleted (hidden): auditors, and nobody else.
//
// A former owner is nobody. A supervisor is an operator too, so an owner or a mentioned one sees it from any department.
// Archiving changes a list, never a right. What one may not see does not exist for them: 404, never 403.
package access

import (
	"slices"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/operator"
)

// Viewer is who looks. The zero value sees nothing and may do nothing.
type Viewer struct {
	Operator    string        // id of the operator; empty for services and the holder of the administrator's token
	Role        operator.Role // operator.RoleService for services
	Departments []string      // of the operator
	Scopes      []string      // of a service: "conversations:read" …
}

// Member reports whether the viewer belongs to the department.
func (v Viewer) Member(department string) bool { return slices.Contains(v.Departments, department) }

// The states, as domain/thread names them.
const (
	waiting    = "waiting"
	outOfHours = "out_of_hours"
	bot        = "bot"
	attending  = "attending"
	paused     = "paused"
	closed     = "closed"
)

// MaySee reports whether v sees a conversation of which s is known. Nobody sees a nil sight. A service needs the scope
// conversations, and audit as well for what is hidden.
func MaySee(v Viewer, s *domain.Sight) bool {
	if s == nil {
		return false
	}
	switch v.Role {
	case operator.RoleAuditor:
		return true
	case operator.RoleAdmin:
		return !s.Hidden
	case operator.RoleService:
		return v.Scope(ScopeConversations, false) && (!s.Hidden || v.Scope(ScopeAudit, false))
	case operator.RoleSupervisor:
		return !s.Hidden && (v.Member(s.Department) || ownSight(v, s))
	case operator.RoleOperator:
		return !s.Hidden && ownSight(v, s)
	default:
		return false
	}
}

// MaySeeServing is MaySee with the right that flows from serving the contact now: serving says that v owns an attended or
// paused conversation of the same contact. It is for queries, which know that, and never for pushes.
func MaySeeServing(v Viewer, s *domain.Sight, serving bool) bool {
	return MaySee(v, s) || serves(v, s, serving) && s.State == closed
}

// MayKnowOf reports whether v may know that the conversation is open, with ticket, channel, department and owner, but
// without its text: whoever sees it may, and whoever serves its contact.
func MayKnowOf(v Viewer, s *domain.Sight, serving bool) bool {
	return MaySee(v, s) || serves(v, s, serving) && s.State != closed
}

func serves(v Viewer, s *domain.Sight, serving bool) bool {
	return serving && s != nil && !s.Hidden && v.Operator != "" && person(v.Role)
}

// SeesAll reports whether v sees every conversation, and whether that includes hidden ones. Queries use it to leave the
// rule out of their WHERE.
func SeesAll(v Viewer) (all, hidden bool) {
	switch v.Role {
	case operator.RoleAuditor:
		return true, true
	case operator.RoleAdmin:
		return true, false
	case operator.RoleService:
		all = v.Scope(ScopeConversations, false)
		return all, all && v.Scope(ScopeAudit, false)
	}
	return false, false
}

// Supervises reports whether v has a supervisor's powers (D21) over what is in the department: supervisors in theirs,
// admins in all, services that may write conversations.
func Supervises(v Viewer, department string) bool {
	switch v.Role {
	case operator.RoleAdmin:
		return true
	case operator.RoleSupervisor:
		return v.Member(department)
	case operator.RoleService:
		return v.Scope(ScopeConversations, true)
	}
	return false
}

// ownSight is what an operator sees.
func ownSight(v Viewer, s *domain.Sight) bool {
	if v.Operator == "" {
		return false
	}
	if s.State != closed && slices.Contains(s.Mentioned, v.Operator) {
		return true
	}
	switch s.State {
	case waiting, outOfHours, bot:
		return v.Member(s.Department)
	case attending, paused:
		return s.Owner == v.Operator
	case closed:
		return s.OwnerAtClose == v.Operator
	}
	return false
}

func person(r operator.Role) bool {
	switch r {
	case operator.RoleOperator, operator.RoleSupervisor, operator.RoleAdmin, operator.RoleAuditor:
		return true
	}
	return false
}
