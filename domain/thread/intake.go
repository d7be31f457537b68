package thread

import (
	"time"

	"github.com/turno-desk/turno/domain"
)

// receive takes in a message of the contact: as the answer to a survey (D18), into the open conversation whoever has it (F039, F045), into the closed one
// again within reopen_within (D5), or else into a new one (F046).
func (d decision) receive(c Receive) ([]Event, *domain.Refusal) {
	if r := CheckContent(c.Content); r != nil {
		return nil, r
	}
	if len(c.Content.Choices) > 0 {
		return nil, invalid("A contact chooses; it offers no choices.", "choices")
	}
	if _, seen := d.s.Seen[c.IDHash]; seen {
		return nil, nil
	}
	if c.Barred {
		return nil, &domain.Refusal{Code: CodeNetworkBlocked, Detail: "The network address is blocked on this channel: nothing is taken in from it (F099)."}
	}
	events, r := d.receiveNew(c)
	if len(events) > 0 && c.Network != "" && c.Network != d.s.Network {
		events = append(events, NetworkSeen{Network: c.Network})
	}
	return events, r
}

// receiveNew takes in a message that was not taken in before.
func (d decision) receiveNew(c Receive) ([]Event, *domain.Refusal) {
	current := d.s.Current()
	answer, answers := d.s.Answers(c.Content, d.f.Now)
	if current != nil && current.Open() {
		if answers {
			return d.answered(answer, c)
		}
		return d.receiveOpen(current, c), nil
	}
	if d.f.ContactBlocked || d.s.Blocked {
		return nil, &domain.Refusal{Code: CodeContactBlocked, Detail: "This contact is blocked: its messages open no conversation."}
	}
	if answers {
		return d.answered(answer, c)
	}
	if current != nil && d.reopens(current) {
		list, r := d.list(current.Department)
		if r != nil {
			return nil, r
		}
		events := []Event{Reopened{By: "contact", Department: current.Department}}
		if current.Archived {
			events = append(events, Unarchived{Cause: "reopen"})
		}
		return append(events,
			Queued{Department: current.Department, List: list, Cause: "reopened"},
			received(current, c)), nil
	}
	channel, r := d.channel(c.Channel)
	if r != nil {
		return nil, r
	}
	list, r := d.list(channel.Department)
	if r != nil {
		return nil, r
	}
	opened := d.opening(Inbound, channel, c.Identity, c.Contact, c.Ticket)
	opened.Name, opened.Address, opened.ExternalID = c.Name, c.Address, c.ExternalID
	if d.botBegins(channel.ID, opened) {
		list = StateBot
	}
	return []Event{
		opened,
		Queued{Department: channel.Department, List: list, Cause: "opened"},
		received(d.next(), c),
	}, nil
}

func (d decision) receiveOpen(conv *Conversation, c Receive) []Event {
	var events []Event
	if conv.Archived {
		events = append(events, Unarchived{Cause: "inbound"})
	}
	if conv.State == StatePaused && d.f.Image.Departments[conv.Department].Settings.ResumeOnInbound {
		events = append(events, Resumed{Operator: conv.Owner, Cause: "inbound"})
	}
	return append(events, received(conv, c))
}

func received(conv *Conversation, c Receive) MessageReceived {
	return MessageReceived{
		Message: conv.MessageID(conv.Messages + 1), Content: c.Content, IDHash: c.IDHash, ChannelID: c.ChannelID, SentAt: c.SentAt,
	}
}

// reopens reports whether a message of the contact continues the closed conversation.
func (d decision) reopens(conv *Conversation) bool {
	if conv.Hidden || conv.CloseReason == ClosedIgnored || conv.CloseReason == ClosedSuperseded {
		return false
	}
	return d.departmentOpen(conv.Department) == nil && d.withinReopen(conv)
}

func (d decision) withinReopen(conv *Conversation) bool {
	within := time.Duration(d.f.Image.Departments[conv.Department].Settings.ReopenWithin) * time.Second
	return within > 0 && d.f.Now.Sub(conv.ClosedAt) < within
}

// open begins a conversation of ours (D17): attended by the operator who opens it, waiting when an integration does.
func (d decision) open(c Open) ([]Event, *domain.Refusal) {
	if r := CheckContent(c.Content); r != nil {
		return nil, r
	}
	if c.Content.Choice != "" {
		return nil, pressed()
	}
	if d.f.Actor.Kind == domain.ActorContact {
		return nil, forbidden("A contact opens a conversation by writing.")
	}
	if current := d.s.Current(); current != nil && current.Open() {
		return nil, d.alreadyOpen(current)
	}
	channel, r := d.channel(c.Channel)
	if r != nil {
		return nil, r
	}
	department, r := d.openingDepartment(c.Department, channel.Department)
	if r != nil {
		return nil, r
	}
	channel.Department = department
	opened := d.opening(Outbound, channel, c.Identity, c.Contact, c.Ticket)
	opened.Name, opened.Address = c.Name, c.Address
	sent := MessageSent{Message: d.next().MessageID(1), Content: c.Content, Sender: SenderMachine, IDHash: c.IDHash}
	if d.operator() == "" {
		return []Event{opened, Queued{Department: department, List: StateWaiting, Cause: "opened"}, sent}, nil
	}
	sent.Sender = SenderHuman
	return []Event{opened, Taken{Operator: d.operator(), Department: department, How: TakenOutbound}, sent}, nil
}

// alreadyOpen refuses a second open conversation, and names the owner only to who may see the first.
func (d decision) alreadyOpen(current *Conversation) *domain.Refusal {
	r := &domain.Refusal{Code: CodeConversationOpen, Detail: "This contact already has an open conversation on this channel."}
	d.c = current
	if d.admit(Open{}) == nil {
		r.State, r.Owner = current.State, current.Owner
	}
	return r
}

// openingDepartment is where an outbound conversation starts: the one asked for, else the channel's, else the operator's
// only one.
func (d decision) openingDepartment(asked, channels string) (string, *domain.Refusal) {
	department := asked
	if department == "" {
		department = channels
	}
	if r := d.departmentOpen(department); r != nil {
		return "", r
	}
	if d.operator() == "" {
		return department, nil
	}
	op, r := d.active(d.operator())
	if r != nil {
		return "", r
	}
	switch {
	case op.Role == "auditor":
		return "", &domain.Refusal{Code: domain.CodeForbidden, Detail: "Auditors read; they change nothing.", OnSettings: true}
	case op.Member(department) || op.Role == "admin":
		return department, nil
	case asked == "" && len(op.Departments) == 1:
		return op.Departments[0], nil
	case asked == "":
		return "", &domain.Refusal{Code: CodeDepartmentRequired, Detail: "The channel's department is not yours: say which of yours.", Missing: []string{"department"}, OnSettings: true}
	default:
		return "", &domain.Refusal{Code: CodeNotAMember, Detail: "You are no member of this department.", OnSettings: true}
	}
}

// next is the conversation that an opening begins, as far as ids go.
func (d decision) next() *Conversation {
	return &Conversation{Number: d.s.Latest + 1, ID: ConversationID(d.f.Thread, d.s.Latest+1)}
}
