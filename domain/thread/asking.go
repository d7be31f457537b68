package thread

import (
	"strconv"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/ticket"
	"github.com/turno-desk/turno/domain/workflow"
)

// Asking is what the conditions of a workflow ask about besides the conversation, each as the log has it when the run starts. What
// no condition asks about may be missing.
type Asking struct {
	Contact contact.State     // of the one that it is part of, where it was merged
	Ticket  ticket.Definition // that the conversation was put into, or is; zero while it has no record of its own
	Message *Content          // of the contact, that triggers
}

// CaseOf is the number of the ticket that a conversation was put into, or is.
func (c *Conversation) CaseOf() int64 {
	if c.Linked != 0 {
		return c.Linked
	}
	return c.Ticket
}

// Subject is what conditions are asked of, here and now. Every field that they ask about is in it.
func (c *Conversation) Subject(s *State, f Facts, conditions []setting.Condition) workflow.Subject {
	subject := c.plain(s, f)
	person := f.Run.Contact
	for _, id := range workflow.AskedOf(conditions, setting.CondFields) {
		subject[setting.CondFields+id] = workflow.Text(c.Classification.Fields[id])
	}
	for _, id := range workflow.AskedOf(conditions, setting.CondTicketFields) {
		subject[setting.CondTicketFields+id] = workflow.Text(f.Run.Ticket.Fields[id])
	}
	for _, id := range workflow.AskedOf(conditions, setting.CondContactFields) {
		subject[setting.CondContactFields+id] = workflow.Text(person.Profile.Fields[id])
	}
	for _, name := range workflow.AskedOf(conditions, setting.CondContact) {
		if line := person.Profile.Line(name); line != nil {
			subject[setting.CondContact+name] = workflow.Text(*line)
		}
		if name == "name" && len(subject[setting.CondContact+name]) == 0 {
			subject[setting.CondContact+name] = workflow.Text(s.Name) // as in texts: the one that came with its messages
		}
	}
	return subject
}

// plain is all that can be asked without its being named in a condition.
func (c *Conversation) plain(s *State, f Facts) workflow.Subject {
	k, owner, person := c.Classification, c.Owner, f.Run.Contact
	if !c.Open() {
		owner = c.OwnerAtClose
	}
	hours := "open"
	if f.Image.Closed(c.Department, f.Now) {
		hours = "closed"
	}
	status := f.Run.Ticket.Status
	if status == "" {
		status = ticket.Open
	}
	subject := workflow.Subject{
		setting.CondChannel: {s.Channel}, setting.CondChannelType: workflow.Only(f.Image.Channels[s.Channel].Type),
		setting.CondDepartment: {c.Department}, setting.CondState: {c.State}, setting.CondDirection: {string(c.Direction)},
		setting.CondOwner: workflow.Only(owner), setting.CondTags: c.Tags, setting.CondCategory: workflow.Only(c.CloseCategory),
		setting.CondReason: workflow.Only(string(c.CloseReason)), setting.CondOutcome: workflow.Only(k.Outcome), setting.CondInterests: k.Interests,
		setting.CondOrigin: workflow.Only(k.Origin), setting.CondStage: workflow.Only(k.Stage), setting.CondScore: figure(k.Score),
		setting.CondRating: {}, setting.CondSatisfied: {}, setting.CondComment: {},
		setting.CondHours: {hours}, setting.CondStaffed: workflow.YesNo(f.Image.Staffed(c.Department, f.Now)),
		setting.CondMessage: {}, setting.CondMessageKind: {},
		setting.CondContactKnown: workflow.YesNo(person.Known), setting.CondContactBlocked: workflow.YesNo(person.Blocked),
		setting.CondContactTags: person.Tags, setting.CondContactOwner: workflow.Only(person.Assignee),
		setting.CondTicketLinked: workflow.YesNo(c.Linked != 0), setting.CondTicketStatus: {string(status)},
	}
	if c.Rating != nil {
		subject[setting.CondRating], subject[setting.CondComment] = figure(c.Rating.Score), workflow.Text(c.Rating.Comment)
		if c.Rating.Satisfied != nil {
			subject[setting.CondSatisfied] = workflow.YesNo(*c.Rating.Satisfied)
		}
	}
	if m := f.Run.Message; m != nil {
		subject[setting.CondMessage], subject[setting.CondMessageKind] = workflow.Text(m.Text), []string{string(m.Kind)}
	}
	return subject
}

func figure(n int) []string {
	if n == 0 {
		return []string{}
	}
	return []string{strconv.Itoa(n)}
}

// Occasions are what a commit holds for the triggers of workflows.
func Occasions(c *domain.Commit) []workflow.Occasion {
	var all []workflow.Occasion
	source, by := workflow.Source(c.Actor)
	for _, e := range c.Events {
		o := workflow.Occasion{Source: source, By: by}
		switch e := e.(type) {
		case Opened:
			o.On = setting.OnOpened
		case MessageReceived:
			o.On = setting.OnReceived
		case Taken:
			o.On, o.How = setting.OnAssigned, string(e.How)
		case Tagged:
			o.On, o.Tags = setting.OnTagged, e.Tags
		case Closed:
			o.On = setting.OnClosed
		case Rated:
			o.On = setting.OnRated
		default:
			continue
		}
		all = append(all, o)
	}
	return all
}

// Told is what a commit says of its conversation without anything being loaded, for conditions to be asked of early.
func Told(c *domain.Commit) workflow.Subject {
	s := workflow.Subject{setting.CondChannel: {c.Channel}}
	if c.After != nil {
		s[setting.CondDepartment], s[setting.CondState] = []string{c.After.Department}, []string{c.After.State}
		s[setting.CondOwner] = workflow.Only(c.After.Owner + c.After.OwnerAtClose)
	}
	if m := Heard(c); m != nil {
		s[setting.CondMessageKind] = []string{string(m.Kind)}
	}
	return s
}

// Heard is the contact's message in a commit, as far as it is open; nil: there is none.
func Heard(c *domain.Commit) *Content {
	for _, e := range c.Events {
		if e, ok := e.(MessageReceived); ok {
			return &e.Content
		}
	}
	return nil
}
