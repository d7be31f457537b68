package thread

import (
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/setting"
)

// Facts is what a decision rests on besides the thread itself.
type Facts struct {
	Image          *setting.Image
	Actor          domain.Actor
	Thread         string // id of the thread
	Now            time.Time
	Import         bool   // a history from elsewhere: nobody needs to be connected
	List           string // Import only: the list that the conversation came onto; waiting when empty
	ContactBlocked bool   // the contact's own aggregate says so; asked when a conversation would open
	Run            Asking // what the conditions of a workflow ask about besides
}

// Decide says which events a command makes, or which rule refuses it. No events and no refusal: what was asked is so
// already. conv is the conversation that the command names; Receive and Open name none.
func Decide(s *State, conv *Conversation, cmd Command, f Facts) ([]Event, *domain.Refusal) {
	d := decision{s: s, c: conv, f: f}
	switch c := cmd.(type) {
	case Receive:
		return d.receive(c)
	case Open:
		return d.open(c)
	}
	if r := d.admit(cmd); r != nil {
		return nil, r
	}
	events, r := d.decide(cmd)
	return d.surfaced(events), d.fitting(r)
}

// fitting is a refusal that names as allowed what the conversation's channel has a place for.
func (d decision) fitting(r *domain.Refusal) *domain.Refusal {
	if r != nil && len(r.Allowed) > 0 && !setting.Live(d.f.Image.Channels[d.s.Channel].Type) {
		r.Allowed = without(r.Allowed, []string{"end-session"})
	}
	return r
}

func (d decision) decide(cmd Command) ([]Event, *domain.Refusal) {
	switch c := cmd.(type) {
	case Send:
		return d.send(c)
	case Take:
		return d.take()
	case Assign:
		return d.assign(c)
	case Release:
		return d.release(c)
	case Transfer:
		return d.transfer(c)
	case Pause:
		return d.pause(c)
	case Resume:
		return d.resume()
	case Tag:
		return d.tag(c)
	case Note:
		return d.note(c)
	case Classify:
		return d.classify(c)
	case Link:
		return d.link(c)
	case OpenTicket:
		return d.openTicket(c)
	case Propose:
		return d.propose(c)
	case Confirm:
		return d.confirm()
	case Reject:
		return d.reject(c)
	case Close:
		return d.close(c)
	case EndSession:
		return d.endSession(c)
	case Reopen:
		return d.reopen(c)
	case Survey:
		return d.survey(c)
	case Thank:
		return d.thank(c)
	case Rate:
		return d.rate(c)
	case Archive:
		return d.archive()
	case Unarchive:
		return d.unarchive()
	case Ignore:
		return d.ignore(c)
	case Hide:
		return d.hide(c)
	case MarkRead:
		return d.markRead(c)
	case Distribute:
		return d.distribute(c)
	case Offer:
		return d.offer(c)
	case Withdraw:
		return d.withdraw(c)
	case Accept:
		return d.accept()
	case Decline:
		return d.decline()
	case Alert:
		return d.alert(c)
	case Drain:
		return d.drain()
	case Converse:
		return d.converse(c)
	case FallSilent:
		return d.fallSilent(c)
	case PauseBot:
		return d.pauseBot()
	case ResumeBot:
		return d.resumeBot()
	case Erase:
		return d.erase()
	case StartRun:
		return d.startRun(c)
	case Advance:
		return d.advance(c)
	case EndRun:
		return d.endRun(c)
	}
	return nil, &domain.Refusal{Code: domain.CodeInvalid, Detail: "This is no command of a conversation."}
}

// surfaced unarchives a conversation that somebody gets or that is queued anew: it must not vanish from their lists.
func (d decision) surfaced(events []Event) []Event {
	enters := false
	for _, e := range events {
		switch e.(type) {
		case Taken, Queued:
			enters = true
		case Unarchived:
			return events
		}
	}
	if !enters || !d.c.Archived {
		return events
	}
	return append([]Event{Unarchived{Cause: "moved"}}, events...)
}

// decision is one command being decided.
type decision struct {
	s   *State
	c   *Conversation
	f   Facts
	run string // of the workflow whose step it is, or ""
}

// admit holds for every command on a conversation that exists: the actor may see it, and its role acts at all. Take and
// Send are let through to whoever could have seen it a moment ago, so that the loser of a race learns who won.
func (d decision) admit(cmd Command) *domain.Refusal {
	if d.c == nil {
		return notFound()
	}
	if _, ok := cmd.(Erase); ok && d.f.Actor.Kind != domain.ActorContact {
		return nil // of the whole thread, whatever of it is hidden: erase says who may
	}
	if d.s.Erased {
		return notFound()
	}
	if d.f.Actor.Kind == domain.ActorContact {
		switch cmd.(type) {
		case Close, Rate, Propose:
			return nil
		}
		return forbidden("A contact closes, rates and proposes a ticket; nothing else.")
	}
	if d.f.Actor.Kind != domain.ActorOperator {
		if d.c.Hidden && d.f.Actor.Kind != domain.ActorSystem {
			return notFound()
		}
		return nil
	}
	op, ok := d.f.Image.Operators[d.f.Actor.ID]
	if !ok || !op.Active {
		return &domain.Refusal{Code: domain.CodeForbidden, Detail: "This operator is unknown or deactivated.", OnSettings: true}
	}
	if !access.MaySee(d.viewer(), d.c.Sight()) {
		if d.raced(cmd, op) {
			return takenByAnother(d.c)
		}
		unseen := notFound()
		unseen.OnSettings = true // a department more, and it would be seen
		return unseen
	}
	if op.Role == operator.RoleAuditor {
		return &domain.Refusal{Code: domain.CodeForbidden, Detail: "Auditors read; they change nothing.", OnSettings: true}
	}
	return nil
}

// raced reports whether the operator lost a take or a reply to a colleague of the same department.
func (d decision) raced(cmd Command, op operator.Definition) bool {
	switch cmd.(type) {
	case Take, Send, Accept, Decline:
		return d.c.Owner != "" && !d.c.Hidden && op.Role != operator.RoleAuditor && op.Member(d.c.Department)
	}
	return false
}

func (d decision) viewer() access.Viewer {
	if d.f.Actor.Kind != domain.ActorOperator {
		return access.Viewer{Role: operator.RoleAdmin}
	}
	op := d.f.Image.Operators[d.f.Actor.ID]
	return access.Viewer{Operator: op.ID, Role: op.Role, Departments: op.Departments}
}

// operator is the id of the acting operator, or "".
func (d decision) operator() string {
	if d.f.Actor.Kind == domain.ActorOperator {
		return d.f.Actor.ID
	}
	return ""
}

func (d decision) owns() bool { return d.c.Owner != "" && d.c.Owner == d.operator() }

// supervises reports whether the actor has a supervisor's powers over the conversation (D21). The administrator, services
// and Turno itself have them everywhere.
func (d decision) supervises() bool {
	switch d.f.Actor.Kind {
	case domain.ActorAdmin, domain.ActorService, domain.ActorSystem, domain.ActorBot:
		return true
	case domain.ActorOperator:
		op := d.f.Image.Operators[d.f.Actor.ID]
		return op.Role == operator.RoleAdmin || op.Role == operator.RoleSupervisor && op.Member(d.c.Department)
	}
	return false
}

// works reports whether the actor may work on the conversation as it stands: its owner, whoever may see it while nobody
// owns it, who owned it at the close, and supervisors.
func (d decision) works() bool {
	if d.supervises() || d.owns() {
		return true
	}
	op, ok := d.f.Image.Operators[d.operator()]
	switch {
	case !ok:
		return false
	case d.c.State == StateClosed:
		return d.c.OwnerAtClose == op.ID
	default:
		return d.c.Owner == "" && op.Member(d.c.Department)
	}
}

// departmentOpen refuses a department that does not exist or was retired.
func (d decision) departmentOpen(id string) *domain.Refusal {
	dep, ok := d.f.Image.Departments[id]
	if !ok {
		return unknownSetting("department", id)
	}
	if dep.Retired {
		return retired("department", id)
	}
	return nil
}

// active finds an operator who was not deactivated.
func (d decision) active(id string) (operator.Definition, *domain.Refusal) {
	op, ok := d.f.Image.Operators[id]
	if !ok {
		return op, unknownSetting("operator", id)
	}
	if !op.Active {
		return op, retired("operator", id)
	}
	return op, nil
}
