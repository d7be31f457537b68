package metric

import (
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

func queues(state string) bool {
	return state == thread.StateWaiting || state == thread.StateOutOfHours
}

func (s *step) queued(e thread.Queued) {
	if e.List == thread.StateBot {
		s.toBot(e)
		return
	}
	entered := !queues(s.State) || e.Department != s.Department
	if queues(s.State) && entered {
		s.leave("", "transfer")
	}
	s.Offers = nil
	handed := s.State == thread.StateBot
	if handed && e.Cause != "transferred" {
		s.count(HandedOff, "", e.Department, e.Cause)
		s.count(HandedOver, "", s.Department, e.Cause)
	}
	s.move(e.List, e.Department, "")
	s.Queued = true
	if handed && !s.Answered {
		s.HandOff = s.mark()
	}
	if entered {
		s.Entry = s.mark()
	}
}

// toBot gives the conversation to the bot: nobody waits for a person then.
func (s *step) toBot(e thread.Queued) {
	if queues(s.State) {
		s.leave("", "bot")
	}
	s.Offers, s.HandOff = nil, Mark{}
	s.move(thread.StateBot, e.Department, "")
}

// byRule is how a queue entry is kept that a rule's assignment ended. Each version of `wait` has a name of its own for it.
const byRule = "rule"

// How a queue entry ended.
var left = map[thread.How]string{
	thread.TakenAssigned: "assignment", thread.TakenTransfer: "transfer",
	thread.TakenByRule: byRule, thread.TakenSticky: byRule, thread.TakenDirect: byRule, thread.TakenDedicated: byRule,
}

func (s *step) taken(e thread.Taken) {
	s.lost(e.Operator)
	if queues(s.State) {
		how := left[e.How]
		if how == "" {
			how = "take"
		}
		s.leave(e.Operator, how)
	}
	s.move(thread.StateAttending, e.Department, e.Operator)
	s.count(Taken, e.Operator, e.Department, string(e.How))
	if !s.Assigned && !s.Outbound && e.How != thread.TakenByReopener {
		s.since(FirstAssignment, s.Episode, e.Operator, "")
	}
	s.Assigned, s.Queued = true, true
	s.Take, s.Silent = s.mark(), e.How != thread.TakenOutbound
}

// leave ends the queue entry.
func (s *step) leave(operator, how string) {
	value, _ := s.since(Wait, s.Entry, operator, how)
	if s.Waits == 0 {
		s.since(WaitFirst, s.Entry, operator, how)
	}
	s.Waits, s.Waited = s.Waits+1, s.Waited+value
	s.Entry = Mark{}
}

// move ends the span that the conversation is in and begins the next.
func (s *step) move(state, department, owner string) {
	s.finish()
	if s.Owner != "" && s.Owner != owner {
		s.lose()
	}
	s.Since = Mark{At: s.t, Ref: s.ref}
	s.State, s.Department, s.Owner, s.Gone = state, department, owner, 0
	if state == thread.StateAttending {
		s.Gone = s.gone(owner, s.t)
	}
}

// finish counts the span that ends here.
func (s *step) finish() {
	length := s.t - s.Since.At
	switch s.State {
	case thread.StateAttending:
		s.add(&Sample{Kind: Attending, Start: s.Since.Ref, From: s.Since.At, Value: length, Net: length, Operator: s.Owner})
		away := min(max(s.gone(s.Owner, s.t)-s.Gone, 0), length)
		if away > 0 {
			s.add(&Sample{Kind: Unattended, Start: s.Since.Ref, From: s.Since.At, Value: away, Net: away, Operator: s.Owner})
		}
		s.holder().Handled += length - away
		s.Handled += length - away
	case thread.StatePaused:
		s.add(&Sample{Kind: Pause, Start: s.Since.Ref, From: s.Since.At, Value: length, Net: length, Operator: s.Owner})
		s.Paused += length
	case thread.StateBot:
		s.add(&Sample{Kind: Bot, Start: s.Since.Ref, From: s.Since.At, Value: length, Net: length})
	case thread.StateOutOfHours:
		s.add(&Sample{Kind: OutOfHours, Start: s.Since.Ref, From: s.Since.At, Value: length, Net: length})
	}
}

// holder is the part of the present owner.
func (s *step) holder() *Holder {
	for i := range s.Holders {
		if s.Holders[i].Operator == s.Owner {
			return &s.Holders[i]
		}
	}
	s.Holders = append(s.Holders, Holder{Operator: s.Owner})
	return &s.Holders[len(s.Holders)-1]
}

// lose ends an ownership. An operator who had the conversation before gets one sample over all of it.
func (s *step) lose() {
	h := s.holder()
	old := Key{Kind: Handle, At: h.At, Ref: h.Ref}
	s.replace(&old, &Sample{Kind: Handle, Start: s.Begun.Ref, From: s.Begun.At, Value: h.Handled, Net: h.Handled, Operator: s.Owner})
	h.At, h.Ref = old.At, old.Ref
	s.Take, s.Silent = Mark{}, false
}

func (s *step) closed(e thread.Closed) {
	s.Offers = nil
	apart := e.Reason == thread.ClosedIgnored || e.Reason == thread.ClosedSuperseded
	if queues(s.State) {
		how := "close"
		if !s.Answered && !s.Outbound && !apart {
			how = "abandonment"
			s.count(Abandoned, "", s.Department, "")
		}
		s.leave("", how)
	}
	department, by := s.Department, s.actor()
	contained := s.State == thread.StateBot && s.c.Actor.Kind == domain.ActorBot && !s.Queued && !s.Answered && !s.Outbound && !apart
	if contained {
		s.count(Contained, "", department, string(e.Reason))
	}
	s.move(thread.StateClosed, department, "")
	whole := Sample{
		Start: s.Episode.Ref, From: s.Episode.At, Operator: by, Department: department, Detail: string(e.Reason), Machine: s.machine(),
	}
	add := func(k Kind, value, net int64) {
		p := whole
		p.Kind, p.Value, p.Net = k, value, net
		s.add(&p)
	}
	length := s.t - s.Episode.At
	add(Episode, length, length-s.Paused)
	if s.Waits > 0 {
		add(WaitTotal, s.Waited, s.Waited)
	}
	if s.Run.set() && !apart && !contained { // what the bot has settled waits for nobody
		value, net := s.since(Unanswered, s.Run, by, string(e.Reason))
		s.Runs, s.RunSum, s.RunNet = s.Runs+1, s.RunSum+value, s.RunNet+net
	}
	if !apart {
		if s.Runs > 0 {
			add(CustomerWaiting, s.RunSum, s.RunNet)
		}
		if e.Owner != "" {
			s.count(OwnedAtClose, e.Owner, department, string(e.Reason))
		}
		touch := whole
		touch.Kind, touch.Start, touch.From, touch.Value = OneTouch, 0, 0, 0
		if s.Human == 1 {
			touch.Value = 1
		}
		s.replace(&s.Touch, &touch)
	}
	if len(s.Holders) > 0 {
		p := whole
		p.Kind, p.Start, p.From, p.Value, p.Net = HandleConversation, s.Begun.Ref, s.Begun.At, s.Handled, s.Handled
		s.replace(&s.Handle, &p)
	}
	s.Run, s.First, s.Take, s.Silent, s.HandOff = Mark{}, Mark{}, Mark{}, false, Mark{}
}
