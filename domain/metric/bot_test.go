package metric_test

import (
	"testing"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

var bot = domain.Actor{Kind: domain.ActorBot, Via: "effect:bot"}

// meets is what a bot gets.
func meets(department string) []domain.Event {
	events := opens(department)
	events[1] = thread.Queued{Department: department, List: thread.StateBot, Cause: "opened"}
	return events
}

func speaks() domain.Event { return thread.MessageSent{Sender: thread.SenderMachine} }

func hands(department string) domain.Event {
	return thread.Queued{Department: department, List: thread.StateWaiting, Cause: thread.CauseHandedOff}
}

// F004: what the bot alone has settled is contained, and keeps nobody waiting.
func TestWhatTheBotAloneClosesIsContained(t *testing.T) {
	s := tell(t)
	s.says("09:00", contact, meets("soporte")...)
	s.says("09:00", bot, speaks())
	s.says("09:02", contact, thread.MessageReceived{})
	s.says("09:02", bot, speaks(), closes(""))
	s.counts(asked{metric: "contained", department: "soporte", detail: "resolved"}, 1)
	s.counts(asked{metric: "abandoned"}, 0)
	s.counts(asked{metric: "handed_off"}, 0)
	s.counts(asked{metric: "received"}, 1)
	s.counts(asked{metric: "closed", actors: "machine"}, 1)
	s.counts(asked{metric: "closed"}, 0)
	s.counts(asked{metric: "messages_out", actors: "machine"}, 2)
	s.lasts(asked{metric: "bot_time"}, 1, 120, 120)
	s.lasts(asked{metric: "wait"}, 0, 0, 0)
	s.lasts(asked{metric: "unanswered"}, 0, 0, 0)
	s.lasts(asked{metric: "customer_waiting"}, 0, 0, 0)
	s.lasts(asked{metric: "resolution"}, 1, 120, 120)
	s.counts(asked{metric: "backlog"}, 0)
}

func TestASilenceInTheBotIsContainedAndOneOfAQueueIsNot(t *testing.T) {
	s := tell(t)
	closed := thread.Closed{Reason: thread.ClosedInactive, Department: "soporte"}
	s.in("t1-1", "09:00", contact, meets("soporte")...)
	s.in("t1-1", "10:00", bot, closed)
	s.in("t2-1", "09:00", contact, meets("soporte")...)
	s.in("t2-1", "09:10", bot, hands("soporte"))
	s.in("t2-1", "10:00", system, closed)
	s.in("t3-1", "09:00", contact, meets("soporte")...)
	s.in("t3-1", "10:00", contact, thread.Closed{Reason: thread.ClosedByContact, Department: "soporte"})
	s.in("t4-1", "09:00", contact, meets("soporte")...)
	s.in("t4-1", "10:00", by("sup"), closed)
	s.counts(asked{metric: "contained"}, 1)
	s.counts(asked{metric: "contained", detail: "inactive"}, 1)
	s.counts(asked{metric: "abandoned"}, 1)
}

// F004: a bot's time is no wait, and the first response is also measured from the hand-off.
func TestAfterABotTheFirstResponseIsAlsoMeasuredFromTheHandOff(t *testing.T) {
	s := tell(t)
	s.says("09:00", contact, meets("soporte")...)
	s.says("09:00", bot, speaks())
	s.counts(asked{metric: "backlog", department: "soporte", detail: "bot", from: "08:00", to: "09:01"}, 1)
	s.says("09:05", contact, thread.MessageReceived{})
	s.says("09:05", bot, speaks(), hands("ventas"))
	s.says("09:07", by("caro"), thread.Taken{Operator: "caro", Department: "ventas", How: thread.TakenByHand})
	s.says("09:08", by("caro"), writes())
	s.says("09:20", by("caro"), thread.Closed{Reason: thread.ClosedResolved, Owner: "caro", Department: "ventas"})
	s.lasts(asked{metric: "wait", department: "ventas"}, 1, 120, 120)
	s.lasts(asked{metric: "wait"}, 1, 120, 120)
	s.lasts(asked{metric: "first_response", operator: "caro"}, 1, 480, 480)
	s.lasts(asked{metric: "first_response_from_hand_off", operator: "caro", department: "ventas"}, 1, 180, 180)
	s.lasts(asked{metric: "first_response_from_take", operator: "caro"}, 1, 60, 60)
	s.lasts(asked{metric: "bot_time", department: "soporte"}, 1, 300, 300)
	s.counts(asked{metric: "handed_off", department: "ventas", detail: "handed_off"}, 1)
	s.counts(asked{metric: "transfers_in"}, 0)
	s.counts(asked{metric: "contained"}, 0)
}

func TestWithoutAHandOffThereIsNoResponseFromOne(t *testing.T) {
	s := tell(t)
	s.in("t1-1", "09:00", contact, meets("soporte")...)
	s.in("t1-1", "09:03", by("ana"), takes("ana"), writes())
	s.in("t2-1", "09:00", contact, opens("soporte")...)
	s.in("t2-1", "09:03", by("ana"), takes("ana"), writes())
	s.lasts(asked{metric: "first_response"}, 2, 360, 360)
	s.lasts(asked{metric: "first_response_from_hand_off"}, 0, 0, 0)
	s.lasts(asked{metric: "wait"}, 1, 180, 180)
}

// F014: who gives a conversation back to the bot ends its wait; what it was handed off for last is what counts.
func TestAConversationThatGoesBackToTheBotWaitsForNobody(t *testing.T) {
	s := tell(t)
	s.says("09:00", contact, meets("soporte")...)
	s.says("09:10", by("ana"), thread.BotPaused{}, thread.Queued{Department: "soporte", List: thread.StateWaiting, Cause: thread.CauseBotPaused})
	s.says("09:14", by("ana"), thread.BotResumed{}, thread.Queued{Department: "soporte", List: thread.StateBot, Cause: thread.CauseBotResumed})
	s.says("09:30", bot, hands("soporte"))
	s.says("09:33", by("ana"), takes("ana"), writes())
	s.lasts(asked{metric: "wait", detail: "bot"}, 1, 240, 240)
	s.lasts(asked{metric: "wait"}, 2, 240+180, 420)
	s.lasts(asked{metric: "bot_time"}, 2, 600+960, 1560)
	s.lasts(asked{metric: "first_response_from_hand_off"}, 1, 180, 180)
	s.counts(asked{metric: "handed_off"}, 2)
	s.counts(asked{metric: "handed_off", detail: "bot_paused"}, 1)
}
