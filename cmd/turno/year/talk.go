package year

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/turno-desk/turno/domain/survey"
	"github.com/turno-desk/turno/domain/thread"
)

// customer is a contact on one channel.
type customer struct {
	queue *queue
	busy  bool      // a conversation is open, or what they write next is a comment
	asked time.Time // the last survey
	talks int
}

// The states of a conversation while it is generated.
const (
	waiting = iota
	parked
	attending
	paused
	over
)

// talk is one conversation.
type talk struct {
	contact int
	begun   *queue // whose channel it is
	q       *queue
	state   int
	owner   *worker
	speaker *worker // the last who wrote
	taker   *worker // who is about to take it by hand
	epoch   int     // moves with every change of hands: what was to happen before does not
	turns   int     // exchanges left
	moves   int     // transfers so far
	replied bool    // a person has written
	round   int     // of offers, since it came onto its list
	asked   []string
	passed  bool // all were asked: everybody may take it
}

// tell writes a line about a conversation.
func (g *generator) tell(t *talk, l said) {
	l.Channel, l.Address = t.begun.id, address(t.contact)
	g.say(l)
}

func address(contact int) string { return fmt.Sprintf("+99 000 %07d", contact) }

// later schedules what happens unless the conversation changes hands before.
func (g *generator) later(t *talk, d time.Duration, do func()) {
	epoch := t.epoch
	g.after(d, func() {
		if t.epoch == epoch {
			do()
		}
	})
}

// arrive lets a contact write who has no conversation: often a new one, sometimes one who was here lately.
func (g *generator) arrive(q *queue) {
	contact := -1
	switch {
	case len(g.closed) > 0 && g.chance(14):
		contact = g.closed[g.random.IntN(len(g.closed))]
	case len(g.contacts) > 100 && g.chance(45):
		contact = g.random.IntN(len(g.contacts))
	}
	if contact < 0 || g.contacts[contact].busy {
		contact = len(g.contacts)
		g.contacts = append(g.contacts, customer{queue: q})
	}
	c := &g.contacts[contact]
	c.busy = true
	c.talks++
	g.talked++
	t := &talk{contact: contact, begun: c.queue, q: c.queue, turns: 1 + g.random.IntN(3)}
	g.w.Conversations++
	g.w.Open++
	if g.chance(2) && g.outbound(t) {
		return
	}
	g.w.ReceivedBy[t.q.id]++
	list := ""
	if g.outOfHours(t.q) {
		list = "out_of_hours"
	}
	g.receive(t, oneOf(g, t.q.tongue.begins), list)
	if list == "" {
		g.wait(t)
		g.settle(t.q)
		return
	}
	g.park(t)
	g.later(t, 2*time.Second, func() {
		g.tell(t, said{Command: "send", Actor: "system", Sender: "machine", Text: t.q.tongue.away})
		g.w.Machine++
	})
}

// outbound lets somebody who is there write first.
func (g *generator) outbound(t *talk) bool {
	for _, w := range t.q.staff {
		if w.connected && !w.leaving {
			g.tell(t, said{Command: "open", Actor: w.actor(), Name: g.name(t.contact), Text: oneOf(g, t.q.tongue.answers)})
			g.w.Outbound++
			g.sent(t, w)
			t.owner = w
			g.own(t, w)
			return true
		}
	}
	return false
}

func (g *generator) receive(t *talk, text, list string) {
	g.write(t, text, list)
	g.w.In++
	g.w.InBy[t.q.id]++
}

// write is a message of the contact, which may be an answer to a survey.
func (g *generator) write(t *talk, text, list string) {
	g.messages++
	g.tell(t, said{Command: "receive", Name: g.name(t.contact), MessageID: fmt.Sprintf("m-%d", g.messages), Text: text, List: list})
}

// park puts it onto the out-of-hours list.
func (g *generator) park(t *talk) {
	t.state = parked
	t.epoch++
	t.q.parked = append(t.q.parked, t)
	g.w.OutOfHours++
	q := t.q
	if opens, ok := q.calendar.Opening(g.now, q.zones); ok && len(q.parked) == 1 {
		g.at(opens, func() { g.drain(q) })
	}
}

// wait puts it onto the list of those who wait; whoever waits may lose patience.
func (g *generator) wait(t *talk) {
	t.state, t.owner, t.round, t.asked, t.passed = waiting, nil, 0, nil, false
	t.epoch++
	t.q.waiting = append(t.q.waiting, t)
	if g.chance(30) {
		g.later(t, g.between(60, 400), func() { g.receive(t, oneOf(g, t.q.tongue.waits), "") })
	}
	patience := time.Duration(-math.Log(1-g.random.Float64())*40*60) * time.Second
	g.later(t, 45*time.Second+patience, func() {
		t.q.waiting = slices.DeleteFunc(t.q.waiting, func(o *talk) bool { return o == t })
		free := t.forgo()
		g.tell(t, said{Command: "close", Actor: "contact"})
		if !t.replied {
			g.w.Abandoned++
		}
		g.over(t)
		g.ask(t, survey.Close{Reason: string(thread.ClosedByContact)})
		g.settle(free...)
	})
}

// forgo lets whoever was about to take it do something else, in these departments.
func (t *talk) forgo() []*queue {
	w := t.taker
	if w == nil {
		return nil
	}
	w.promised--
	t.taker = nil
	return w.queues
}

// own makes an operator its owner, who answers soon.
func (g *generator) own(t *talk, w *worker) {
	t.q.waiting = slices.DeleteFunc(t.q.waiting, func(o *talk) bool { return o == t })
	t.state, t.owner = attending, w
	t.epoch++
	w.load++
	w.attending++
	w.mine = append(w.mine, t)
	g.w.TakenBy[w.id]++
	g.later(t, g.between(12, 90)*time.Duration(2+w.load)/3, func() { g.reply(t) })
}

// disown takes it from its owner.
func (g *generator) disown(t *talk) {
	w := t.owner
	w.load--
	if t.state == attending {
		w.attending--
	}
	w.idle = g.now
	w.mine = slices.DeleteFunc(w.mine, func(o *talk) bool { return o == t })
	t.epoch++
	g.gone(w)
}

func (g *generator) sent(t *talk, w *worker) {
	t.replied, t.speaker = true, w
	g.w.Out++
	g.w.OutBy[t.q.id]++
	g.w.SentBy[w.id]++
}

// reply is the owner's next message, which resumes what was paused, and what comes of it.
func (g *generator) reply(t *talk) {
	w := t.owner
	if !w.connected {
		return // tomorrow, then
	}
	if t.state == paused {
		t.state = attending
		w.attending++
	}
	last := t.turns == 0
	text := oneOf(g, t.q.tongue.answers)
	if last {
		text = oneOf(g, t.q.tongue.ends)
	}
	g.tell(t, said{Command: "send", Actor: w.actor(), Text: text})
	g.sent(t, w)
	switch {
	case last:
		g.later(t, g.between(5, 60), func() { g.close(t) })
	case t.moves == 0 && g.chance(7) && len(g.queues) > 1:
		g.later(t, g.between(10, 60), func() { g.transfer(t) })
	case g.chance(9):
		g.later(t, g.between(5, 40), func() { g.pause(t, false) })
	default:
		g.later(t, g.between(20, 300), func() { g.answered(t) })
	}
}

// answered is the contact's next message.
func (g *generator) answered(t *talk) {
	t.turns--
	text := oneOf(g, t.q.tongue.asks)
	if t.turns == 0 {
		text = oneOf(g, t.q.tongue.thanks)
	}
	g.receive(t, text, "")
	if t.state == attending {
		g.later(t, g.between(15, 150), func() { g.reply(t) })
	}
}

// pause sets it aside: for a while, or until tomorrow.
func (g *generator) pause(t *talk, tomorrow bool) {
	w := t.owner
	l := said{Command: "pause", Actor: w.actor(), Reason: t.q.tongue.reason}
	t.epoch++
	if tomorrow {
		until := g.now.Add(12 * time.Hour).UTC()
		l.Until = &until
	} else {
		g.later(t, g.between(180, 1500), func() { g.reply(t) })
	}
	t.state = paused
	w.attending--
	g.tell(t, l)
	g.w.Pauses++
	g.gone(w)
}

// transfer moves it to another department.
func (g *generator) transfer(t *talk) {
	w := t.owner
	to := g.queues[(t.q.n+1+g.random.IntN(len(g.queues)-1))%len(g.queues)]
	g.disown(t)
	from := t.q
	t.q, t.moves = to, t.moves+1
	list := ""
	if g.outOfHours(to) {
		list = "out_of_hours"
	}
	g.tell(t, said{Command: "transfer", Actor: w.actor(), Department: to.id, Reason: t.q.tongue.reason, List: list})
	g.w.Transfers++
	g.w.TransferredIn[to.id]++
	if list != "" {
		t.owner = nil
		g.park(t)
	} else {
		g.wait(t)
	}
	g.settle(append(slices.Clone(w.queues), from, to)...)
}

// close ends it, in one gesture with tags and what it was about.
func (g *generator) close(t *talk) {
	w := t.owner
	l := said{Command: "close", Actor: w.actor(), Category: oneOf(g, categories)}
	if g.chance(60) {
		l.Tags = []string{oneOf(g, t.q.tags)}
	}
	if g.chance(35) {
		l.Summary = t.q.tongue.note
	}
	if g.chance(25) {
		outcome := "won"
		if g.chance(40) {
			outcome = "lost"
		}
		l.Classify = map[string]any{"outcome": outcome, "score": 1 + g.random.IntN(5)}
	}
	about := survey.Close{Reason: string(thread.ClosedResolved), Declined: g.chance(3)}
	if about.Declined {
		l.Survey = new(bool)
	}
	if g.chance(10) {
		g.tell(t, said{Command: "note", Actor: w.actor(), Text: t.q.tongue.note})
	}
	g.tell(t, l)
	g.w.OwnedAtClose[w.id]++
	g.disown(t)
	g.over(t)
	g.ask(t, about)
	g.settle(w.queues...)
}

// over is the end of it: the contact may come again.
func (g *generator) over(t *talk) {
	t.state = over
	t.epoch++
	g.w.Closed++
	g.w.Open--
	g.w.ClosedBy[t.q.id]++
	g.contacts[t.contact].busy = false
	if len(g.closed) < 400 {
		g.closed = append(g.closed, t.contact)
	} else {
		g.closed[g.random.IntN(len(g.closed))] = t.contact
	}
}
