package metric

import (
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

// Mark is a place in an episode that something is measured from.
type Mark struct {
	At     int64 // milliseconds since 1970
	Ref    Ref   // 0: not set
	Paused int64 // the episode's paused time up to here
}

func (m Mark) set() bool { return m.Ref != 0 }

// Holder is what one operator had of a conversation.
type Holder struct {
	Operator string
	Handled  int64 // attending time, milliseconds
	At       int64 // of the sample that stands
	Ref      Ref   // of the sample that stands; 0: none yet
}

// Offer is one operator's, who has neither answered it nor had their time.
type Offer struct {
	Operator string
	Mark
}

// Conversation is what the numbers of one conversation need to remember between two events. The zero value has seen none.
type Conversation struct {
	ID      string
	Ticket  int64
	Channel string
	Last    int64 // time of the newest event: time never runs backwards

	// The span that it is in.
	State      string // empty before the first
	Department string
	Owner      string
	Since      Mark
	Gone       int64 // how long its owner had been disconnected, ever, at Since

	// The episode.
	Episode  Mark
	Outbound bool
	Paused   int64 // its finished pauses
	Entry    Mark  // of the queue, while it queues
	Waits    int
	Waited   int64
	Assigned bool // it was taken once
	First    Mark // the first customer message, until it is answered
	Answered bool // a public human message came
	Run      Mark // the first unanswered customer message
	Runs     int
	RunSum   int64 // finished runs
	RunNet   int64
	Take     Mark // of its owner
	Silent   bool // its owner has not written since
	Offers   []Offer
	HandOff  Mark // the bot's, until a person answers
	Queued   bool // a person was owed: it stood on a list once, or had an owner

	// The whole conversation.
	Begun   Mark
	Human   int // public human messages
	Handled int64
	Holders []Holder
	Touch   Key // the samples that stand, for those that a later close or rating replaces
	Handle  Key
	Rating  Key
	Survey  Asked // the newest one
}

// Asked is a survey that was sent, as far as an answer needs to know it.
type Asked struct {
	Key        // of the sample that was added at the sending; its Kind is 0 when there is none
	Answered   bool
	Expires    int64
	Operator   string
	Department string
	Scale      string
}

// Gone tells how long an operator had been disconnected, ever, up to a time: between each `disconnected` and the next
// `connected`, milliseconds.
type Gone func(operator string, at int64) int64

// step is the fold of one event.
type step struct {
	*Conversation
	c    *domain.Commit
	t    int64
	ref  Ref
	gone Gone
	sink Sink
}

// Apply folds a commit about this conversation; they come in the order of the log. It reports whether the commit meant
// anything to any number: notes, tags and marks don't.
func (v *Conversation) Apply(c *domain.Commit, gone Gone, sink Sink) bool {
	if !meaningful(c) {
		return false
	}
	s := step{Conversation: v, c: c, t: max(c.Time.UnixMilli(), v.Last), gone: gone, sink: sink}
	v.Last = s.t
	for i, e := range c.Events {
		s.ref = NewRef(c.Position, i)
		s.event(e)
	}
	return true
}

func meaningful(c *domain.Commit) bool {
	for _, e := range c.Events {
		switch e.(type) {
		case thread.Opened, thread.Reopened, thread.Queued, thread.Taken, thread.Released, thread.Transferred, thread.Paused,
			thread.Offered, thread.OfferDeclined, thread.OfferEnded, thread.Resumed, thread.MessageReceived, thread.MessageSent, thread.Closed, thread.SurveySent, thread.Rated:
			return true
		}
	}
	return false
}

func (s *step) event(e domain.Event) {
	switch e := e.(type) {
	case thread.Opened:
		s.opened(e)
	case thread.Reopened:
		s.reopened(e)
	case thread.Queued:
		s.queued(e)
	case thread.Taken:
		s.taken(e)
	case thread.Offered:
		s.offered(e)
	case thread.OfferDeclined:
		s.declined(e.Operator)
	case thread.OfferEnded:
		s.missed()
	case thread.Released:
		if e.Cause != "transferred" {
			s.count(Released, e.Operator, s.Department, e.Cause)
		}
	case thread.Transferred:
		s.transferred(e)
	case thread.Paused:
		s.move(thread.StatePaused, s.Department, s.Owner)
	case thread.Resumed:
		s.move(thread.StateAttending, s.Department, s.Owner)
	case thread.MessageReceived:
		s.received()
	case thread.MessageSent:
		s.sent(e)
	case thread.Closed:
		s.closed(e)
	case thread.SurveySent:
		s.surveyed(e)
	case thread.Rated:
		s.rated(e)
	}
}

func (s *step) opened(e thread.Opened) {
	*s.Conversation = Conversation{
		ID: s.c.Conversation, Ticket: e.Ticket, Channel: e.Channel, Department: e.Department, Last: s.t,
		Begun: Mark{At: s.t, Ref: s.ref}, Episode: Mark{At: s.t, Ref: s.ref}, Outbound: e.Direction == thread.Outbound,
	}
	switch e.Direction {
	case thread.Inbound:
		detail := "returning"
		if e.Number <= 1 {
			detail = "new"
		}
		s.count(Received, "", e.Department, detail)
	case thread.Outbound:
		s.count(Outbound, s.actor(), e.Department, "")
	}
}

func (s *step) reopened(e thread.Reopened) {
	v := s.Conversation
	v.Episode, v.Outbound = Mark{At: s.t, Ref: s.ref}, false
	v.Paused, v.Entry, v.Waits, v.Waited, v.Assigned = 0, Mark{}, 0, 0, false
	v.First, v.Answered, v.Run, v.Runs, v.RunSum, v.RunNet = Mark{}, false, Mark{}, 0, 0, 0
	v.HandOff, v.Queued = Mark{}, false
	// Where it was closed it comes back, be it to leave at once by a transfer.
	s.count(Reopened, s.actor(), s.Department, e.By)
	s.Department = e.Department
}

func (s *step) transferred(e thread.Transferred) {
	detail := "department"
	if e.Operator != "" {
		detail = "operator"
	}
	s.count(TransferOut, e.FromOperator, e.FromDepartment, detail)
	s.count(TransferIn, e.Operator, e.Department, detail)
}

func (s *step) received() {
	if within[thread.Rated](s.c) {
		return // it is an answer, counted as that
	}
	s.count(MessageIn, s.Owner, s.Department, "")
	if !s.open() {
		return
	}
	if !s.Run.set() {
		s.Run = s.mark()
	}
	if !s.Outbound && !s.Answered && !s.First.set() {
		s.First = s.mark()
	}
}

func (s *step) sent(e thread.MessageSent) {
	if within[thread.SurveySent](s.c) {
		return // it is an invitation, counted as that
	}
	by := s.actor()
	if e.Sender == thread.SenderMachine {
		by = "" // although an operator's command made it
	}
	s.add(&Sample{Kind: MessageOut, Value: 1, Operator: by, Detail: string(e.Sender), Machine: e.Sender == thread.SenderMachine})
	if e.Sender == thread.SenderMachine {
		return
	}
	s.Human++
	if !s.open() {
		return
	}
	if s.First.set() {
		s.since(FirstResponse, s.First, by, "")
		s.First = Mark{}
		if s.HandOff.set() {
			s.since(FirstResponseFromHandOff, s.HandOff, by, "")
		}
	}
	s.HandOff = Mark{}
	s.Answered = true
	own := by != "" && by == s.Owner
	if s.Run.set() {
		value, net := s.since(Reply, s.Run, by, "")
		s.Runs, s.RunSum, s.RunNet = s.Runs+1, s.RunSum+value, s.RunNet+net
		if own {
			from := s.Run
			if s.Take.At > from.At {
				from = s.Take
			}
			s.since(OwnReply, from, by, "")
		}
		s.Run = Mark{}
	}
	if own && s.Silent {
		s.since(FirstResponseFromTake, s.Take, by, "")
		s.Silent = false
	}
}

func (s *step) rated(e thread.Rated) {
	r := Sample{Kind: Rating, Value: int64(e.Score), Operator: e.CreditOperator, Department: e.CreditDepartment}
	if e.Satisfied != nil {
		r.Kind, r.Value = Satisfied, 0
		if *e.Satisfied {
			r.Value = 1
		}
	}
	s.replace(&s.Conversation.Rating, &r)
	if e.Survey != "" {
		s.surveyAnswered()
	}
}

// surveyed counts a survey, unanswered as yet, for whom an answer will be credited to.
func (s *step) surveyed(e thread.SurveySent) {
	s.Survey = Asked{
		Key: Key{Kind: Surveyed, At: s.t, Ref: s.ref}, Expires: e.Expires.UnixMilli(), Operator: e.CreditOperator, Department: e.CreditDepartment, Scale: string(e.Scale),
	}
	s.put(s.Survey.sample())
}

// surveyAnswered counts it as answered from here on, in the period in which it was sent.
func (s *step) surveyAnswered() {
	a := &s.Survey
	if a.Kind == 0 || a.Answered {
		return
	}
	a.Answered = true
	s.sink.End(a.Key, s.ref)
	s.put(a.sample())
}

// sample is one of the survey. It is of the time of the sending, which is all of its stretch.
func (a *Asked) sample() *Sample {
	s := &Sample{
		Kind: Surveyed, At: a.At, Start: a.Ref, From: a.At, Value: a.Expires - a.At,
		Operator: a.Operator, Department: a.Department, Detail: a.Scale, Machine: true,
	}
	if a.Answered {
		s.Net = s.Value
	}
	return s
}

// within reports whether a commit holds an event of the type.
func within[E thread.Event](c *domain.Commit) bool {
	for _, e := range c.Events {
		if _, is := e.(E); is {
			return true
		}
	}
	return false
}

// actor is the operator who did it, or empty.
func (s *step) actor() string {
	if s.c.Actor.Kind == domain.ActorOperator {
		return s.c.Actor.ID
	}
	return ""
}

// machine reports whether no person acted.
func (s *step) machine() bool {
	return !s.c.Actor.Human() && s.c.Actor.Kind != domain.ActorContact
}

// open reports whether the episode is running: messages that an import or a late echo puts outside answer nothing.
func (v *Conversation) open() bool { return v.State != "" && v.State != thread.StateClosed }

// paused is the episode's paused time up to t.
func (v *Conversation) paused(t int64) int64 {
	if v.State == thread.StatePaused {
		return v.Paused + t - v.Since.At
	}
	return v.Paused
}

func (s *step) mark() Mark { return Mark{At: s.t, Ref: s.ref, Paused: s.paused(s.t)} }

// count adds a sample of something that has no length.
func (s *step) count(k Kind, operator, department, detail string) {
	s.add(&Sample{Kind: k, Value: 1, Operator: operator, Department: department, Detail: detail, Machine: s.machine()})
}

// since adds the stretch from a mark up to now.
func (s *step) since(k Kind, m Mark, operator, detail string) (value, net int64) {
	value = s.t - m.At
	net = value - (s.paused(s.t) - m.Paused)
	s.add(&Sample{Kind: k, Start: m.Ref, From: m.At, Value: value, Net: net, Operator: operator, Detail: detail})
	return value, net
}

// add fills in what all samples of this event share. A sample without a department is the present one's.
func (s *step) add(p *Sample) {
	p.At = s.t
	s.put(p)
}

// put is add for a sample that says its own time.
func (s *step) put(p *Sample) {
	p.Ref, p.Opened = s.ref, s.Episode.At
	p.Conversation, p.Ticket, p.Channel = s.ID, s.Ticket, s.Channel
	if p.Department == "" {
		p.Department = s.Department
	}
	if p.Start == 0 {
		p.From, p.Net = s.t, p.Value
	}
	s.sink.Add(p)
}

// replace adds a sample in the place of the one that stood.
func (s *step) replace(old *Key, p *Sample) {
	if old.Ref != 0 {
		s.sink.End(*old, s.ref)
	}
	s.add(p)
	*old = p.Key()
}
