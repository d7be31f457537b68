package thread

import (
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/operator"
)

// send writes to the contact. A person's message takes what waits (F032, F043) and resumes what is paused (F040); a
// machine's does neither.
func (d decision) send(c Send) ([]Event, *domain.Refusal) {
	if r := CheckContent(c.Content); r != nil {
		return nil, r
	}
	if c.Content.Choice != "" {
		return nil, pressed()
	}
	if !d.c.Open() {
		return nil, &domain.Refusal{
			Code: CodeConversationClosed, State: StateClosed, Allowed: AllowedIn(StateClosed),
			Detail: "The conversation is closed: open a new one with POST /v1/conversations.",
		}
	}
	sent := MessageSent{Message: d.c.MessageID(d.c.Messages + 1), Content: c.Content, Sender: c.Sender, IDHash: c.IDHash}
	if d.operator() == "" {
		if c.Sender != SenderOtherDevice {
			sent.Sender = SenderMachine
		}
		return []Event{sent}, nil
	}
	if c.Sender == SenderOtherDevice {
		return []Event{sent}, nil
	}
	sent.Sender = SenderHuman
	switch {
	case d.owns() && d.c.State == StatePaused:
		return []Event{Resumed{Operator: d.c.Owner, Cause: "reply"}, sent}, nil
	case d.owns():
		return []Event{sent}, nil
	case d.c.Owner != "":
		return nil, takenByAnother(d.c)
	case !d.works():
		return nil, forbidden("Only members of the department may answer.")
	case d.offeredToOthers():
		return nil, notOffered(d.c)
	default:
		return []Event{d.taken(d.operator(), d.c.Department, TakenByReply), sent}, nil
	}
}

// take makes the actor the owner (F044).
func (d decision) take() ([]Event, *domain.Refusal) {
	switch {
	case d.operator() == "":
		return nil, forbidden("Only an operator can take a conversation.")
	case !d.c.Open():
		return nil, notAllowed(d.c)
	case d.owns() && d.c.State == StatePaused:
		return []Event{Resumed{Operator: d.c.Owner, Cause: "manual"}}, nil
	case d.owns():
		return nil, nil
	case d.c.Owner != "":
		return nil, takenByAnother(d.c)
	case !d.works():
		return nil, forbidden("Only members of the department may take its conversations.")
	case d.offeredToOthers():
		return nil, notOffered(d.c)
	}
	return []Event{d.taken(d.operator(), d.c.Department, TakenByHand)}, nil
}

// taken is the event that makes an operator the owner; By is the supervisor who did it.
func (d decision) taken(op, department string, how How) Taken {
	t := Taken{Operator: op, Department: department, How: how}
	if by := d.operator(); by != op {
		t.By = by
	}
	return t
}

// assign gives the conversation to an operator, whoever had it (D21).
func (d decision) assign(c Assign) ([]Event, *domain.Refusal) {
	if !d.supervises() {
		return nil, forbidden("Only supervisors of the department assign.")
	}
	if !d.c.Open() {
		return nil, notAllowed(d.c)
	}
	op, r := d.assignee(c.Operator, d.c.Department)
	if r != nil {
		return nil, r
	}
	if d.c.Owner == op.ID {
		return nil, nil
	}
	how, cause := TakenAssigned, "assigned"
	if op.ID == d.operator() {
		how, cause = TakenOver, "taken_over"
	}
	events := []Event{d.taken(op.ID, d.c.Department, how)}
	if d.c.Owner != "" {
		events = append([]Event{Released{Operator: d.c.Owner, Cause: cause}}, events...)
	}
	return events, nil
}

// assignee finds an active operator who answers in the department.
func (d decision) assignee(id, department string) (operator.Definition, *domain.Refusal) {
	op, r := d.active(id)
	if r != nil {
		return op, r
	}
	if !op.Member(department) || op.Role == operator.RoleAuditor {
		return op, &domain.Refusal{
			Code: CodeNotAMember, Detail: "The operator is no member of the department.", Missing: []string{"operator"}, OnSettings: true,
		}
	}
	return op, nil
}

// release gives the conversation back to the department's list (F047).
func (d decision) release(c Release) ([]Event, *domain.Refusal) {
	if r := checkText("reason", c.Reason, MaxShortText); r != nil {
		return nil, r
	}
	if !d.works() {
		return nil, forbidden("Only its owner or a supervisor may release it.")
	}
	if c.Operator != "" && c.Operator != d.c.Owner {
		return nil, nil
	}
	switch d.c.State {
	case StateClosed, StateBot:
		return nil, notAllowed(d.c)
	case StateWaiting, StateOutOfHours:
		return nil, nil
	}
	cause := c.Cause
	if cause == CauseUnattended && (d.c.State != StateAttending || d.f.Image.Presence[d.c.Owner].Connected) {
		return nil, nil // set aside on purpose, or back in time
	}
	if cause == "" {
		cause = "manual"
		if !d.owns() {
			cause = "by_supervisor"
		}
	}
	return []Event{
		Released{Operator: d.c.Owner, Cause: cause, Reason: c.Reason},
		Queued{Department: d.c.Department, List: StateWaiting, Cause: "released"},
	}, nil
}

// transfer moves the conversation to a department or to one of its operators (D4, D19). A closed one is reopened to the
// target (D6).
func (d decision) transfer(c Transfer) ([]Event, *domain.Refusal) {
	if r := checkText("reason", c.Reason, MaxShortText); r != nil {
		return nil, r
	}
	if c.Department == "" && c.Operator == "" {
		return nil, invalid("Say a department, an operator or both.", "department", "operator")
	}
	if !d.works() {
		return nil, forbidden("Only its owner, or a supervisor, may transfer it.")
	}
	if d.offeredToOthers() {
		return nil, notOffered(d.c)
	}
	if !d.c.Open() && d.c.Number != d.s.Latest {
		return nil, &domain.Refusal{Code: CodeNewerConversation, State: StateClosed, Detail: "A newer conversation of this contact has begun."}
	}
	department, forced, r := d.target(c)
	if r != nil {
		return nil, r
	}
	if d.c.Open() && department == d.c.Department && (c.Operator == d.c.Owner || d.asked(c.Operator)) {
		return nil, nil
	}
	var events []Event
	if !d.c.Open() {
		events = append(events, Reopened{By: "transfer", Department: department})
	}
	if d.c.Archived {
		events = append(events, Unarchived{Cause: "transfer"})
	}
	events = append(events, Transferred{
		FromDepartment: d.c.Department, FromOperator: d.c.Owner,
		Department: department, Operator: c.Operator, Reason: c.Reason, Forced: forced,
	})
	list, r := d.list(department)
	if r != nil {
		return nil, r
	}
	queued := Queued{Department: department, List: list, Cause: "transferred"}
	switch {
	case c.Operator == "":
		return append(events, queued), nil
	case d.asks(c.Operator, department):
		return append(events, queued, d.offerTo(c.Operator, department)), nil
	}
	return append(events, d.taken(c.Operator, department, TakenTransfer)), nil
}

// target is where a transfer goes: an operator alone means the current department if they are a member, else their only one.
func (d decision) target(c Transfer) (department string, forced bool, r *domain.Refusal) {
	department = c.Department
	if c.Operator != "" {
		op, r := d.active(c.Operator)
		if r != nil {
			return "", false, r
		}
		switch {
		case department != "":
		case op.Member(d.c.Department):
			department = d.c.Department
		case len(op.Departments) == 1:
			department = op.Departments[0]
		default:
			return "", false, &domain.Refusal{
				Code: CodeDepartmentRequired, Detail: "The operator answers in several departments: say which.", Missing: []string{"department"}, OnSettings: true,
			}
		}
	}
	if r := d.departmentOpen(department); r != nil {
		return "", false, r
	}
	if c.Operator == "" {
		return department, false, nil
	}
	if _, r := d.assignee(c.Operator, department); r != nil {
		return "", false, r
	}
	if p := d.f.Image.Presence[c.Operator]; d.f.Import || p.Connected && p.Available {
		return department, false, nil
	}
	if c.Force {
		return department, true, nil
	}
	return "", false, &domain.Refusal{
		Code: CodeOperatorAway, Detail: "The operator is not connected or not available; force transfers all the same.", Missing: []string{"force"}, OnSettings: true,
	}
}
