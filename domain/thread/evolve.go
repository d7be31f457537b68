package thread

import (
	"slices"

	"github.com/turno-desk/turno/domain"
)

// Apply brings the state past one more commit of its thread. Commits are applied in order, each once. A commit about a
// conversation that began before what was loaded moves the thread on and leaves the conversation aside.
func (s *State) Apply(c *domain.Commit) {
	if s.Conversations == nil {
		s.Conversations = map[int]*Conversation{}
		s.Seen = map[string]Sighting{}
		s.Commands = map[string]Sighting{}
		s.Oldest = c.Position
	}
	_, n, _ := SplitConversationID(c.Conversation)
	for _, e := range c.Events {
		if o, ok := e.(Opened); ok {
			s.open(c, o)
			continue
		}
		s.evolve(c, e)
		if conv := s.Conversations[n]; conv != nil {
			conv.evolve(c, e)
		}
	}
	if conv := s.Conversations[n]; conv != nil {
		conv.Revision = c.Position
	}
	s.Commands[c.ID] = Sighting{
		Position: c.Position, Conversation: c.Conversation, Ticket: c.Ticket, Message: messageOf(c), BodyHash: c.BodyHash, Commit: c.ID,
	}
	s.Position, s.Version = c.Position, c.Version
	s.LastRecorded, s.LastTime = c.Recorded, c.Time
	if c.Key != "" {
		s.Key = c.Key
	}
}

func (s *State) open(c *domain.Commit, o Opened) {
	s.Channel, s.Contact, s.Identity, s.Blocked, s.BotOff = o.Channel, o.Contact, o.Identity, o.Blocked, o.BotOff
	s.Name, s.Address, s.ExternalID = o.Name, o.Address, o.ExternalID
	s.Latest, s.Asked = o.Number, o.Survey
	if len(s.Conversations) == 0 {
		s.Hashed = o.Hashed
	}
	s.Conversations[o.Number] = opened(c, o)
}

// opened is a conversation as its opening makes it. What follows in the same commit gives it a state.
func opened(c *domain.Commit, o Opened) *Conversation {
	return &Conversation{
		Number: o.Number, ID: c.Conversation, Ticket: o.Ticket, Direction: o.Direction,
		Opened: c.Position, OpenedAt: c.Time, Department: o.Department, Since: c.Time,
	}
}

// evolve says what one event makes of the thread itself.
func (s *State) evolve(c *domain.Commit, event domain.Event) {
	switch e := event.(type) {
	case MessageReceived:
		s.see(c, e.IDHash, e.Message)
	case MessageSent:
		s.see(c, e.IDHash, e.Message)
	case NetworkSeen:
		s.Network = e.Network
	case BotPaused:
		s.BotOff = true
	case BotResumed:
		s.BotOff = false
	case SurveySent:
		s.Asked = &Asked{Survey: e.Survey, Scale: e.Scale, Expires: e.Expires}
	case Rated:
		s.rated(c, e)
	case Erased:
		s.Erased, s.Asked = true, nil
		s.Name, s.Address, s.ExternalID = domain.Erased, domain.Erased, domain.Erased
		for _, conv := range s.Conversations {
			conv.blank()
		}
	}
}

// evolve says what one event makes of its conversation.
func (conv *Conversation) evolve(c *domain.Commit, event domain.Event) {
	conv.Clock = conv.Clock.After(c, event, conv.State)
	conv.runs(c, event)
	switch e := event.(type) {
	case MessageReceived:
		conv.Messages++
		if conv.Open() { // an answer to a survey waits for nobody
			conv.Unread = append(slices.Clip(conv.Unread), conv.Messages)
			conv.hear(c, e.Content)
		}
	case MessageSent:
		conv.Messages++
		conv.answer(c.Actor, e.Sender)
	case Queued:
		conv.enter(c, e.List)
		conv.Department, conv.Owner = e.Department, ""
	case Taken:
		conv.enter(c, StateAttending)
		conv.Department, conv.Owner = e.Department, e.Operator
	case Released:
		conv.Owner = ""
	case Offered:
		conv.Offer, conv.Rounds = &Offering{Operators: e.Operators, Until: e.Until, Round: e.Round, Cause: e.Cause}, e.Round
	case OfferDeclined:
		conv.Offer = conv.Offer.without(e.Operator)
	case OfferEnded:
		conv.Offer = nil
	case Alerted:
		conv.Alerts = append(slices.Clip(conv.Alerts), e)
	case Transferred:
		conv.Department, conv.Owner = e.Department, ""
	case Paused:
		conv.enter(c, StatePaused)
		conv.PausedTill = e.Until
	case Resumed:
		conv.enter(c, StateAttending)
	case Tagged:
		conv.Tags = union(conv.Tags, e.Tags)
	case Untagged:
		conv.Tags = without(conv.Tags, e.Tags)
	case Noted:
		conv.Notes++
	case Mentioned:
		conv.Mentioned = union(conv.Mentioned, e.Operators)
	case Classified:
		conv.Classification = conv.Classification.with(e)
	case TicketLinked:
		conv.Linked = e.Ticket
		if conv.Proposed == e.Ticket {
			conv.Proposed = 0
		}
	case TicketLinkProposed:
		conv.Proposed = e.Ticket
	case TicketLinkRejected:
		conv.Proposed = 0
	case Closed:
		conv.enter(c, StateClosed)
		conv.Owner, conv.OwnerAtClose, conv.Mentioned = "", e.Owner, nil
		conv.ClosedAt, conv.Closer, conv.CloseReason, conv.CloseCategory = c.Time, c.Actor.String(), e.Reason, e.Category
		conv.Close, conv.NoSurvey = c.Position, e.NoSurvey
	case Reopened:
		conv.OwnerAtClose, conv.Closer, conv.CloseReason, conv.CloseCategory = "", "", "", ""
	case SurveySent:
		conv.Survey = &Surveyed{ID: e.Survey, Scale: e.Scale, Sent: c.Time, Expires: e.Expires}
	case Rated:
		conv.Rating = &e
	case Archived:
		conv.Archived = true
	case Unarchived:
		conv.Archived = false
	case Hidden:
		conv.Hidden = true
	case MenuShown:
		conv.show(c, e)
	case MenuAnswered:
		conv.heard(e.Message)
	case Read:
		conv.read(e.Message)
	}
}

// blank forgets what was said of the conversation. Copies that were handed out keep theirs.
func (c *Conversation) blank() {
	if c.Rating != nil {
		rated := *c.Rating
		rated.Comment = erased(rated.Comment)
		c.Rating = &rated
	}
	fields := make(map[string]domain.Personal, len(c.Classification.Fields))
	for id, v := range c.Classification.Fields {
		fields[id] = erased(v)
	}
	if len(fields) > 0 {
		c.Classification.Fields = fields
	}
	c.Bot.Heard = slices.Clone(c.Bot.Heard)
	for i := range c.Bot.Heard {
		c.Bot.Heard[i].Text = erased(c.Bot.Heard[i].Text)
	}
}

// erased is what a personal text reads after an erasure; what was empty stays so.
func erased(p domain.Personal) domain.Personal {
	if p == "" {
		return ""
	}
	return domain.Erased
}

// rated notes what a rating makes of the survey that it answers: after one in the channel its comment may come.
func (s *State) rated(c *domain.Commit, e Rated) {
	if s.Asked == nil || e.Survey != s.Asked.Survey {
		return
	}
	asked := *s.Asked
	asked.Rated = nil
	if e.Way == RatedInChannel && e.Comment == "" {
		asked.Rated = &c.Time
	}
	s.Asked = &asked
}

func (s *State) see(c *domain.Commit, hash, message string) {
	if hash == "" {
		return
	}
	s.Hashed++
	s.Seen[hash] = Sighting{
		Position: c.Position, Conversation: c.Conversation, Ticket: c.Ticket, Message: message, BodyHash: c.BodyHash, Commit: c.ID,
	}
}

func (c *Conversation) enter(commit *domain.Commit, state string) {
	if c.State != state {
		c.Since = commit.Time
	}
	c.State, c.PausedTill = state, nil
	c.Offer, c.Rounds, c.Alerts = nil, 0, nil
	c.Bot = Talk{}
}

// answer notes a message of ours. Machines answer nobody.
func (c *Conversation) answer(author domain.Actor, sender Sender) {
	if sender == SenderMachine {
		return
	}
	c.Replied, c.Unread = true, nil
	if author.Kind != domain.ActorOperator {
		return
	}
	c.LastSpeaker = author.ID
	if !slices.Contains(c.Participants, author.ID) {
		c.Participants = union(c.Participants, []string{author.ID})
	}
}

func (c *Conversation) read(message string) {
	k, ok := c.messageOrdinal(message)
	if !ok {
		return
	}
	i, found := slices.BinarySearch(c.Unread, k)
	if found {
		i++
	}
	c.Unread = c.Unread[i:]
}

func (k Classification) with(e Classified) Classification {
	if e.Outcome != "" {
		k.Outcome = e.Outcome
	}
	if e.Interests != nil {
		k.Interests = e.Interests
	}
	if e.Origin != "" {
		k.Origin = e.Origin
	}
	if e.Stage != "" {
		k.Stage = e.Stage
	}
	if e.Score != 0 {
		k.Score = e.Score
	}
	if len(e.Fields) > 0 {
		fields := make(map[string]domain.Personal, len(k.Fields)+len(e.Fields))
		for id, v := range k.Fields {
			fields[id] = v
		}
		for id, v := range e.Fields {
			fields[id] = v
		}
		k.Fields = fields
	}
	return k
}

// messageOf is the id of the message that a commit brought, or "".
func messageOf(c *domain.Commit) string {
	for _, e := range c.Events {
		switch m := e.(type) {
		case MessageReceived:
			return m.Message
		case MessageSent:
			return m.Message
		}
	}
	return ""
}

// union is a and b without repeats, sorted; neither is changed.
func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// without is a less b; neither is changed.
func without(a, b []string) []string {
	rest := make([]string, 0, len(a))
	for _, x := range a {
		if !slices.Contains(b, x) {
			rest = append(rest, x)
		}
	}
	return rest
}
