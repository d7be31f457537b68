package floor

import (
	"cmp"
	"slices"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/presence"
	"github.com/turno-desk/turno/domain/routing"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/domain/workload"
)

// State is the floor of one workspace at Position. It is folded from the log, commit by commit, and belongs to one goroutine.
type State struct {
	Workspace     string
	Position      domain.Position
	Conversations map[string]*Conversation // the open ones, by id
	Hands         map[string]*Hand         // operators, by id
	Image         *setting.Image           // without what is personal, and without tokens
	Assignees     map[string]string        // operators, by the contact that is theirs
	Timers        Timers
	Workflows     map[string]*Workflow // those that start something, by id
	Runs          map[string]*Waiting  // of workflows: those that wait, by id

	waits   map[string]map[string]*Waiting      // the same, by conversation
	listed  map[string]map[string]*Conversation // unowned ones, by department
	owned   map[string]map[string]*Conversation // owned ones, by operator
	suspect map[string]*Conversation            // owned ones whose owner, or whose owner's rights, are new
	changed func(key)                           // is told what has changed; nil: nobody asks
}

// Conversation is an open conversation.
type Conversation struct {
	ID         string          `json:"id"`
	Contact    string          `json:"contact"`
	Channel    string          `json:"channel"`
	Department string          `json:"department"`
	State      string          `json:"state"`
	Owner      string          `json:"owner,omitempty"`
	Since      time.Time       `json:"since"`            // when it entered its list, or came to its owner
	Entry      domain.Position `json:"entry"`            // of the commit that did it
	Cause      string          `json:"cause"`            // that commit's id
	Revision   domain.Position `json:"revision"`         // of the last commit about it
	Clock      thread.Clock    `json:"clock"`            // who waits for whom
	Live       bool            `json:"live"`             // some commit about it was no import's: effects may act
	Former     string          `json:"former,omitempty"` // while it waits: who had it before and did not give it back
	Fresh      bool            `json:"fresh,omitempty"`  // while it waits: it never had an owner since its opening
	Told       bool            `json:"told,omitempty"`   // while it waits: the contact knows that everybody has enough

	Offer  *Offer   `json:"offer,omitempty"`  // while it waits: to whom it is offered
	Rounds int      `json:"rounds,omitempty"` // while it waits: of offers
	Asked  []string `json:"asked,omitempty"`  // while it waits: to whom it was ever offered
	Passed bool     `json:"passed,omitempty"` // while it waits: all were asked

	Until      *time.Time   `json:"until,omitempty"`       // while it is paused
	Pause      string       `json:"pause,omitempty"`       // while it is paused: the id of the commit that did it
	Reminded   bool         `json:"reminded,omitempty"`    // while it is paused: its owner knows that it is over
	AlertedFor string       `json:"alerted_for,omitempty"` // while it is paused: the absence of its owner that supervisors know of
	Rule       routing.Rule `json:"rule,omitempty"`        // while it waits: a workflow has it given by this rule

	Begun map[string]time.Time `json:"begun,omitempty"` // workflows that a time without an answer has started: since when it was without

	Silent *Silence `json:"silent,omitempty"` // while a bot has it: since its last words, when they bind the contact to answer
}

// Silence is a bot's words that nothing was said after.
type Silence struct {
	Message string    `json:"message"` // the bot's
	Until   time.Time `json:"until"`
	Cause   string    `json:"cause"` // the commit that said it
}

// Hand is an operator, as far as presence and work go.
type Hand struct {
	ID    string    `json:"id"`
	Since time.Time `json:"since"` // of the last connection or disconnection; zero: neither ever happened
	Cause string    `json:"cause"` // the commit that it was
	Left  time.Time `json:"left"`  // of the last disconnection; zero: none

	Slots    []workload.Slot `json:"slots,omitempty"`
	Assigned time.Time       `json:"assigned"` // of the last assignment by a rule; zero: none
	Offered  time.Time       `json:"offered"`  // of the last offer; zero: none
	Idle     time.Time       `json:"idle"`     // when a conversation left them last, or they connected
}

// Offer is an offer that stands.
type Offer struct {
	Operators []string  `json:"operators"` // those who declined left out
	Until     time.Time `json:"until"`
	Transfer  bool      `json:"transfer,omitempty"` // it is a transfer's
}

// New is the floor before the first commit.
func New(workspace string) *State {
	return &State{
		Workspace: workspace, Conversations: map[string]*Conversation{}, Hands: map[string]*Hand{},
		Image: &setting.Image{Workspace: workspace}, Timers: newTimers(), Assignees: map[string]string{},
		listed: map[string]map[string]*Conversation{}, owned: map[string]map[string]*Conversation{}, suspect: map[string]*Conversation{},
		Workflows: map[string]*Workflow{}, Runs: map[string]*Waiting{}, waits: map[string]map[string]*Waiting{},
	}
}

// Apply brings the floor past one more commit of the log. Those of other workspaces move nothing but Position.
func (s *State) Apply(c *domain.Commit) {
	s.Position = c.Position
	if c.Aggregate.Workspace != s.Workspace {
		return
	}
	switch c.Aggregate.Category {
	case domain.CategoryThread:
		s.applyThread(c)
	case domain.CategoryOperator, domain.CategoryPresence, domain.CategoryDepartment, domain.CategorySetting:
		s.applySetting(c)
	case domain.CategoryWorkload:
		s.applyWorkload(c)
	case domain.CategoryContact:
		s.applyContact(c)
	}
}

func (s *State) applyWorkload(c *domain.Commit) {
	for _, e := range c.Events {
		e, ok := e.(workload.Event)
		if !ok {
			continue
		}
		h := s.hand(c.Aggregate.ID)
		before := h.Slots
		h.Slots = workload.StateOf(e).Slots
		s.tell(kindHand, h.ID)
		for _, slot := range before {
			s.await(h, slot, c)
		}
		for _, slot := range h.Slots {
			s.await(h, slot, c)
		}
	}
}

func (s *State) applyContact(c *domain.Commit) {
	for _, e := range c.Events {
		switch e := e.(type) {
		case contact.Assigned:
			s.Assignees[c.Aggregate.ID] = e.Operator
		case contact.Unassigned:
			delete(s.Assignees, c.Aggregate.ID)
		default:
			continue
		}
		s.tell(kindAssignee, c.Aggregate.ID)
	}
}

func (s *State) applyThread(c *domain.Commit) {
	if c.After == nil || c.Conversation == "" {
		return
	}
	s.applyRuns(c)
	conv := s.Conversations[c.Conversation]
	if c.After.State == thread.StateClosed {
		if conv != nil {
			s.relieve(c, conv.Owner)
			s.remove(conv)
			s.expect(conv.Department, c)
		}
		return
	}
	if conv == nil {
		conv = &Conversation{ID: c.Conversation, Contact: c.Contact, Channel: c.Channel}
		s.Conversations[conv.ID] = conv
	} else {
		s.unlist(conv)
	}
	before := conv.Owner
	conv.apply(c)
	s.list(conv)
	if conv.Owner != before {
		if delete(s.suspect, conv.ID); conv.Owner != "" {
			s.suspect[conv.ID] = conv
		}
		s.relieve(c, before)
		s.give(c, conv)
	}
	s.offer(c, conv)
	s.tell(kindConversation, conv.ID)
	s.schedule(conv)
	s.answers(conv)
	if c.Before != nil && c.Before.State == thread.StateOutOfHours && c.Before.Department != conv.Department {
		s.expect(c.Before.Department, c)
	}
	if conv.State == thread.StateOutOfHours || c.Before != nil && c.Before.State == thread.StateOutOfHours {
		s.expect(conv.Department, c)
	}
}

func (conv *Conversation) apply(c *domain.Commit) {
	conv.Clock = conv.Clock.Fold(c, conv.State)
	conv.Department, conv.State, conv.Owner, conv.Revision = c.After.Department, c.After.State, c.After.Owner, c.Position
	conv.Live = conv.Live || c.Origin == domain.OriginLive
	if conv.State != thread.StateBot {
		conv.Silent = nil
	}
	for _, e := range c.Events {
		switch e := e.(type) {
		case thread.Opened:
			conv.Fresh, conv.Former = true, ""
		case thread.Reopened:
			conv.Former = ""
		case thread.Released:
			conv.Former = ""
			if e.Cause == thread.CauseUnattended {
				conv.Former = e.Operator
			}
		case thread.Transferred:
			conv.Former, conv.Fresh = "", false
		case thread.MenuShown:
			if conv.Silent = nil; e.CloseAfter > 0 {
				conv.Silent = &Silence{Message: e.Message, Until: c.Time.Add(time.Duration(e.CloseAfter) * time.Second), Cause: c.ID}
			}
		case thread.Queued:
			conv.Since, conv.Entry, conv.Cause, conv.Told, conv.Rule = c.Time, c.Position, c.ID, false, ""
			conv.moved()
		case thread.Taken:
			conv.Since, conv.Entry, conv.Cause = c.Time, c.Position, c.ID
			conv.Former, conv.Fresh, conv.Told, conv.Rule = "", false, false, ""
			conv.moved()
		case thread.Paused:
			conv.moved()
			conv.Until, conv.Pause = e.Until, c.ID
		case thread.Resumed:
			conv.moved()
		case thread.WorkflowAdvanced:
			if e.Rule != "" {
				conv.Rule = e.Rule
			}
		case thread.MessageReceived:
			conv.Silent = nil
		case thread.MessageSent:
			conv.Told = conv.Told || c.Actor.Via == ViaDistribution
		}
	}
}

// moved forgets what held only while it was where it was.
func (conv *Conversation) moved() {
	conv.Offer, conv.Rounds, conv.Asked, conv.Passed = nil, 0, nil, false
	conv.Until, conv.Pause, conv.Reminded, conv.AlertedFor = nil, "", false, ""
}

// offer notes what a commit says of offers and alerts, once the conversation is where the commit put it.
func (s *State) offer(c *domain.Commit, conv *Conversation) {
	for _, e := range c.Events {
		switch e := e.(type) {
		case thread.Offered:
			conv.Offer = &Offer{Operators: e.Operators, Until: e.Until, Transfer: e.Cause == thread.OfferedByTransfer}
			conv.Rounds, conv.Asked = e.Round, append(slices.Clip(conv.Asked), e.Joined...)
			for _, id := range e.Joined {
				s.hand(id).Offered = c.Time
				s.tell(kindHand, id)
			}
		case thread.OfferDeclined:
			if conv.Offer != nil {
				rest := *conv.Offer
				rest.Operators = slices.DeleteFunc(slices.Clone(rest.Operators), func(id string) bool { return id == e.Operator })
				conv.Offer = &rest
			}
		case thread.OfferEnded:
			conv.Offer, conv.Passed = nil, e.Cause == thread.OfferExhausted
		case thread.Alerted:
			switch e.Cause {
			case thread.AlertPauseOver:
				conv.Reminded = true
			case thread.AlertUnattended:
				conv.AlertedFor = s.hand(conv.Owner).absence()
			}
		}
	}
}

func (s *State) applySetting(c *domain.Commit) {
	s.Image = s.Image.Apply(nameless(c))
	s.applyWorkflow(c)
	for _, e := range c.Events {
		for _, k := range settingKeys(e) {
			s.tell(k.kind, k.id)
		}
		switch e := e.(type) {
		case presence.Connected:
			s.met(c, e.Operator)
		case presence.Disconnected:
			s.met(c, e.Operator)
			s.Hands[e.Operator].Left = c.Time
		}
	}
	switch c.Aggregate.Category {
	case domain.CategoryOperator:
		for id, conv := range s.owned[c.Aggregate.ID] {
			s.suspect[id] = conv
		}
	case domain.CategoryPresence:
		for _, conv := range s.owned[c.Aggregate.ID] {
			s.schedule(conv)
		}
	case domain.CategorySetting:
		for id := range s.listed {
			s.expect(id, c)
		}
	case domain.CategoryDepartment:
		s.expect(c.Aggregate.ID, c)
		for _, conv := range s.Conversations {
			if conv.Department == c.Aggregate.ID {
				s.schedule(conv)
			}
		}
	}
}

// met notes when an operator came or went.
func (s *State) met(c *domain.Commit, id string) {
	h := s.hand(id)
	h.Since, h.Cause = c.Time, c.ID
	h.Idle = latest(h.Idle, c.Time)
	s.tell(kindHand, id)
}

// relieve notes that a conversation has left an operator.
func (s *State) relieve(c *domain.Commit, id string) {
	if id == "" {
		return
	}
	h := s.hand(id)
	h.Idle = c.Time
	s.tell(kindHand, id)
}

// give notes what came to an owner.
func (s *State) give(c *domain.Commit, conv *Conversation) {
	if conv.Owner == "" {
		return
	}
	h := s.hand(conv.Owner)
	for _, e := range c.Events {
		if e, ok := e.(thread.Taken); ok && e.Assignment != nil {
			h.Assigned = c.Time
			s.tell(kindHand, h.ID)
		}
	}
	for _, slot := range h.Slots {
		if slot.Conversation == conv.ID {
			s.await(h, slot, c)
		}
	}
}

func (s *State) hand(id string) *Hand {
	h := s.Hands[id]
	if h == nil {
		h = &Hand{ID: id}
		s.Hands[id] = h
	}
	return h
}

func (s *State) tell(kind, id string) {
	if s.changed != nil {
		s.changed(key{kind, id})
	}
}

func (s *State) remove(conv *Conversation) {
	s.unlist(conv)
	delete(s.Conversations, conv.ID)
	delete(s.suspect, conv.ID)
	s.tell(kindConversation, conv.ID)
	s.unanswered(conv)
	for _, k := range s.Timers.of(conv.ID) {
		s.Timers.stop(k)
		s.tell(kindTimer, k.String())
	}
}

func (s *State) list(conv *Conversation) {
	if conv.Owner != "" {
		add(s.owned, conv.Owner, conv)
		return
	}
	add(s.listed, conv.Department, conv)
}

func (s *State) unlist(conv *Conversation) {
	delete(s.owned[conv.Owner], conv.ID)
	delete(s.listed[conv.Department], conv.ID)
}

func add(lists map[string]map[string]*Conversation, id string, conv *Conversation) {
	if lists[id] == nil {
		lists[id] = map[string]*Conversation{}
	}
	lists[id][conv.ID] = conv
}

// List is a department's conversations in one of the states without an owner, in the order in which they entered it.
func (s *State) List(department, state string) []*Conversation {
	var all []*Conversation
	for _, conv := range s.listed[department] {
		if conv.State == state {
			all = append(all, conv)
		}
	}
	slices.SortFunc(all, func(a, b *Conversation) int { return cmp.Compare(a.Entry, b.Entry) })
	return all
}

// Owned is an operator's open conversations, by id.
func (s *State) Owned(operator string) []*Conversation {
	var all []*Conversation
	for _, conv := range s.owned[operator] {
		all = append(all, conv)
	}
	slices.SortFunc(all, func(a, b *Conversation) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// Suspects are the owned conversations whose owner is new, or may have fewer rights than before, by id: each is given out
// until Cleared.
func (s *State) Suspects() []*Conversation {
	var all []*Conversation
	for _, conv := range s.suspect {
		all = append(all, conv)
	}
	slices.SortFunc(all, func(a, b *Conversation) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// Cleared says that the conversation is rightly its owner's.
func (s *State) Cleared(conv *Conversation) { delete(s.suspect, conv.ID) }

// Present reports whether a member of the department who answers there is connected.
func (s *State) Present(department string) bool {
	for _, op := range s.Image.MembersOf(department) {
		if op.Role != "auditor" && s.Image.Presence[op.ID].Connected {
			return true
		}
	}
	return false
}

// Anyone reports whether a conversation of the department is in the state, without an owner and not an import's.
func (s *State) Anyone(department, state string) bool {
	for _, conv := range s.listed[department] {
		if conv.State == state && conv.Live {
			return true
		}
	}
	return false
}

// Departments are those that have conversations without an owner, by id.
func (s *State) Departments() []string {
	var ids []string
	for id, list := range s.listed {
		if len(list) > 0 {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
