package metrictest

import (
	"fmt"
	"slices"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/survey"
	"github.com/turno-desk/turno/domain/thread"
)

// talk does something that the conversation's state allows.
func (t *teller) talk(v *talk) {
	switch {
	case v.state == thread.StateClosed && v.number > 0 && t.choose(3) > 0:
		t.afterwards(v)
	case v.state == thread.StateClosed:
		t.open(v)
	case v.state == thread.StateBot:
		t.bot(v)
	case t.choose(8) == 0:
		t.end(v)
	case v.owner == "":
		t.queued(v)
	default:
		t.owned(v)
	}
}

func (t *teller) open(v *talk) {
	v.number++
	v.ticket = int64(len(t.commits) + 1)
	v.rated, v.survey = false, ""
	v.department, v.owner, v.state = t.any(departments), "", thread.StateWaiting
	o := thread.Opened{Number: v.number, Ticket: v.ticket, Direction: thread.Inbound, Channel: v.channel, Department: v.department}
	switch t.choose(7) {
	case 5, 6:
		v.state = thread.StateBot
		t.say(v, customer, o, thread.Queued{Department: v.department, List: v.state, Cause: "opened"}, thread.MessageReceived{})
	case 0:
		o.Direction = thread.Outbound
		v.state, v.owner = thread.StateAttending, t.any(operators)
		t.say(v, by(v.owner), o, thread.Taken{Operator: v.owner, Department: v.department, How: thread.TakenOutbound}, human())
	case 1:
		v.state = thread.StateOutOfHours
		fallthrough
	default:
		t.say(v, customer, o, thread.Queued{Department: v.department, List: v.state, Cause: "opened"}, thread.MessageReceived{})
	}
}

// bot is something that happens while a bot has the conversation.
func (t *teller) bot(v *talk) {
	who := t.any(operators)
	switch t.choose(9) {
	case 0:
		t.say(v, customer, thread.MessageReceived{})
	case 1:
		t.say(v, bot, thread.MenuAnswered{}, thread.MessageSent{Sender: thread.SenderMachine}, thread.MenuShown{})
	case 2:
		v.state, v.department = t.any([]string{thread.StateWaiting, thread.StateOutOfHours}), t.any(departments)
		t.say(v, bot, thread.MenuAnswered{}, thread.Queued{Department: v.department, List: v.state, Cause: thread.CauseHandedOff})
	case 3:
		v.state = thread.StateWaiting
		t.say(v, by(who), thread.BotPaused{}, thread.Queued{Department: v.department, List: v.state, Cause: thread.CauseBotPaused})
	case 4:
		t.transfer(v, who)
	case 5:
		t.take(v, who, thread.TakenByReply, who, human())
	case 6, 7:
		reason := thread.ClosedResolved
		if t.choose(2) == 0 {
			reason = thread.ClosedInactive
		}
		department := v.department
		v.state = thread.StateClosed
		t.say(v, bot, thread.Closed{Reason: reason, Department: department}, thread.Archived{Cause: "close"})
	default:
		t.end(v)
	}
}

func human() domain.Event { return thread.MessageSent{Sender: thread.SenderHuman} }

func (t *teller) queued(v *talk) {
	who := t.any(operators)
	if t.choose(3) == 0 {
		t.offer(v)
		return
	}
	switch t.choose(7) {
	case 6:
		v.state = thread.StateBot
		t.say(v, by(who), thread.BotResumed{}, thread.Queued{Department: v.department, List: v.state, Cause: thread.CauseBotResumed})
	case 0:
		t.say(v, customer, thread.MessageReceived{})
	case 1:
		t.speak(v)
	case 2:
		t.transfer(v, who)
	case 3:
		if v.state == thread.StateOutOfHours {
			v.state = thread.StateWaiting
			t.say(v, machine, thread.Queued{Department: v.department, List: v.state, Cause: "opening"})
			return
		}
		t.take(v, who, thread.TakenAssigned, t.any(operators))
	case 4:
		t.take(v, who, thread.TakenByReply, who, human())
	default:
		t.take(v, who, thread.TakenByHand, who)
	}
}

// offer asks somebody, or ends an offer, or has it declined.
func (t *teller) offer(v *talk) {
	var joined []string
	for _, id := range operators {
		if !slices.Contains(v.asked, id) && t.choose(2) == 0 {
			joined = append(joined, id)
		}
	}
	switch {
	case v.asked != nil && t.choose(4) == 0:
		v.asked = nil
		t.say(v, machine, thread.OfferEnded{Cause: thread.OfferExhausted})
	case len(v.asked) > 0 && t.choose(3) == 0:
		who := t.any(v.asked)
		v.asked = append([]string{}, slices.DeleteFunc(slices.Clone(v.asked), func(id string) bool { return id == who })...)
		t.say(v, by(who), thread.OfferDeclined{Operator: who})
	case len(joined) > 0:
		v.asked, v.round = append(slices.Clone(v.asked), joined...), v.round+1
		t.say(v, machine, thread.Offered{Operators: v.asked, Joined: joined, Round: v.round, Until: t.now.Add(30 * time.Second), Cause: thread.OfferedByRule})
	default:
		t.speak(v)
	}
}

func (t *teller) take(v *talk, who string, how thread.How, actor string, more ...domain.Event) {
	v.state, v.owner = thread.StateAttending, who
	t.say(v, by(actor), append([]domain.Event{thread.Taken{Operator: who, Department: v.department, How: how}}, more...)...)
}

// speak is a message of nobody who owns it, a note or a tag.
func (t *teller) speak(v *talk) {
	switch t.choose(4) {
	case 0:
		t.say(v, machine, thread.MessageSent{Sender: thread.SenderMachine})
	case 1:
		t.say(v, machine, thread.MessageSent{Sender: thread.SenderOtherDevice})
	case 2:
		t.say(v, by(t.any(operators)), thread.Noted{})
	default:
		t.say(v, by(t.any(operators)), thread.Tagged{Tags: []string{"vip"}})
	}
}

func (t *teller) owned(v *talk) {
	owner := v.owner
	switch t.choose(9) {
	case 0, 1:
		t.say(v, customer, thread.MessageReceived{})
	case 2, 3:
		if v.state == thread.StatePaused {
			v.state = thread.StateAttending
			t.say(v, by(owner), thread.Resumed{Operator: owner, Cause: "reply"}, human())
			return
		}
		t.say(v, by(owner), human())
	case 4:
		if v.state == thread.StatePaused {
			v.state = thread.StateAttending
			t.say(v, by(owner), thread.Resumed{Operator: owner, Cause: "manual"})
			return
		}
		v.state = thread.StatePaused
		t.say(v, by(owner), thread.Paused{Operator: owner})
	case 5:
		v.state, v.owner = thread.StateWaiting, ""
		t.say(v, by(owner), thread.Released{Operator: owner, Cause: "manual"},
			thread.Queued{Department: v.department, List: v.state, Cause: "released"})
	case 6:
		t.transfer(v, owner)
	case 7:
		who := t.any(operators)
		if who == owner {
			t.speak(v)
			return
		}
		v.state, v.owner = thread.StateAttending, who
		t.say(v, by(who), thread.Released{Operator: owner, Cause: "taken_over"},
			thread.Taken{Operator: who, Department: v.department, How: thread.TakenOver})
	default:
		t.speak(v)
	}
}

func (t *teller) transfer(v *talk, actor string) {
	to := thread.Transferred{FromDepartment: v.department, FromOperator: v.owner, Department: t.any(departments)}
	var then domain.Event
	if t.choose(2) == 0 {
		to.Operator = t.any(operators)
		then = thread.Taken{Operator: to.Operator, Department: to.Department, How: thread.TakenTransfer}
		v.state = thread.StateAttending
	} else {
		if to.Department == v.department && v.owner == "" {
			t.speak(v)
			return
		}
		v.state = thread.StateWaiting
		then = thread.Queued{Department: to.Department, List: v.state, Cause: "transferred"}
	}
	v.department, v.owner = to.Department, to.Operator
	t.say(v, by(actor), to, then)
}

func (t *teller) end(v *talk) {
	closed := thread.Closed{Reason: thread.ClosedResolved, Owner: v.owner, Department: v.department}
	who := by(t.any(operators))
	switch t.choose(6) {
	case 0:
		closed.Reason, who = thread.ClosedByContact, customer
	case 1:
		closed.Reason, who = thread.ClosedInactive, machine
	case 2:
		closed.Reason = thread.ClosedIgnored
	case 3:
		closed.Reason, who = thread.ClosedSuperseded, machine
	}
	v.state, v.owner = thread.StateClosed, ""
	t.say(v, who, closed, thread.Archived{Cause: "close"})
}

// afterwards rates or reopens a closed conversation.
func (t *teller) afterwards(v *talk) {
	switch t.choose(6) {
	case 5:
		v.survey = fmt.Sprintf("%s-%d-s%d", v.id, v.number, len(t.commits))
		t.say(v, machine, thread.SurveySent{
			Survey: v.survey, Scale: survey.Stars, Expires: t.now.Add(time.Duration(1+t.choose(3)) * time.Hour),
			CreditOperator: t.any(operators), CreditDepartment: v.department,
		}, thread.MessageSent{Sender: thread.SenderMachine})
	case 0, 1:
		r := thread.Rated{Score: 1 + t.choose(5), CreditOperator: t.any(operators), CreditDepartment: v.department, Replaces: v.rated}
		if t.choose(3) == 0 {
			yes := t.choose(2) == 0
			r.Score, r.Satisfied = 0, &yes
		}
		v.rated, r.Survey = true, v.survey
		t.say(v, customer, r)
	case 2:
		v.state = thread.StateWaiting
		t.say(v, customer, thread.Reopened{By: "contact", Department: v.department},
			thread.Queued{Department: v.department, List: v.state, Cause: "reopened"}, thread.MessageReceived{})
	case 3:
		v.state, v.owner = thread.StateAttending, t.any(operators)
		t.say(v, by(v.owner), thread.Reopened{By: "operator", Department: v.department},
			thread.Taken{Operator: v.owner, Department: v.department, How: thread.TakenByReopener})
	default:
		to := t.any(departments)
		from := v.department
		v.state, v.department = thread.StateWaiting, to
		t.say(v, by(t.any(operators)), thread.Reopened{By: "transfer", Department: to},
			thread.Transferred{FromDepartment: from, Department: to}, thread.Queued{Department: to, List: v.state, Cause: "transferred"})
	}
}
