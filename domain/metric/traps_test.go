package metric_test

import (
	"testing"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/metric"
	"github.com/turno-desk/turno/domain/presence"
	"github.com/turno-desk/turno/domain/survey"
	"github.com/turno-desk/turno/domain/thread"
)

func TestTheChannelsOwnTimestampMovesNoNumber(t *testing.T) {
	s := tell(t)
	yesterday := at(t, "09:00").Add(-24 * time.Hour)
	events := opens("soporte")
	events[2] = thread.MessageReceived{SentAt: &yesterday}
	s.says("09:00", contact, events...)
	s.says("09:01", contact, thread.MessageReceived{SentAt: &yesterday})
	s.says("09:02", by("ana"), takes("ana"), writes())
	s.lasts(asked{metric: "first_response"}, 1, 120, 120)
	s.lasts(asked{metric: "reply_time"}, 1, 120, 120)
}

func TestAnEventTimeNeverRunsBackwardsWithinAConversation(t *testing.T) {
	s := tell(t)
	s.says("09:00", contact, opens("soporte")...)
	s.says("08:50", by("ana"), takes("ana"), writes())
	s.says("09:10", by("ana"), closes("ana"))
	s.lasts(asked{metric: "first_response"}, 1, 0, 0)
	s.lasts(asked{metric: "resolution"}, 1, 600, 600)
}

func TestEventsWithinOneMillisecondKeepTheirOrder(t *testing.T) {
	s := tell(t)
	s.says("09:00", contact, opens("soporte")...)
	s.says("09:00", by("ana"), takes("ana"), writes())
	s.says("09:00", contact, thread.MessageReceived{})
	s.says("09:00", by("ana"), writes())
	s.says("09:00", by("ana"), closes("ana"))
	s.lasts(asked{metric: "first_response"}, 1, 0, 0)
	s.lasts(asked{metric: "reply_time"}, 2, 0, 0)
	s.lasts(asked{metric: "wait"}, 1, 0, 0)
	s.lasts(asked{metric: "handle"}, 1, 0, 0)
	s.lasts(asked{metric: "resolution"}, 1, 0, 0)
	s.counts(asked{metric: "attended", operator: "ana"}, 1)
	s.counts(asked{metric: "backlog"}, 0)
}

func TestAPauseOfNoLengthIsAPause(t *testing.T) {
	s := tell(t)
	s.says("09:00", contact, opens("soporte")...)
	s.says("09:01", by("ana"), takes("ana"))
	s.says("09:02", by("ana"), thread.Paused{Operator: "ana"})
	s.says("09:02", by("ana"), thread.Resumed{Operator: "ana", Cause: "reply"}, writes())
	s.says("09:03", by("ana"), closes("ana"))
	s.lasts(asked{metric: "paused"}, 1, 0, 0)
	s.lasts(asked{metric: "first_response"}, 1, 120, 120)
	s.lasts(asked{metric: "resolution"}, 1, 180, 180)
	s.lasts(asked{metric: "handle"}, 1, 120, 120)
}

func TestAPauseOverMidnightBelongsToTheDayOnWhichItEnds(t *testing.T) {
	s := tell(t)
	s.says("09:00", contact, opens("soporte")...)
	s.says("09:01", by("ana"), takes("ana"))
	s.says("23:00", by("ana"), thread.Paused{Operator: "ana"})
	s.says("tue 01:00", by("ana"), thread.Resumed{Operator: "ana", Cause: "manual"})
	s.lasts(asked{metric: "paused"}, 0, 0, 0)
	s.lasts(asked{metric: "paused", from: "tue 00:00", to: "tue 09:00"}, 1, 7200, 7200)
}

// N13: the wait of a customer with the pause and without.
func TestAPauseThatGoesOnWhenTheCustomerWritesIsTakenOutOfTheRun(t *testing.T) {
	s := tell(t)
	s.says("09:00", contact, opens("soporte")...)
	s.says("09:01", by("ana"), takes("ana"), writes())
	s.says("09:10", by("ana"), thread.Paused{Operator: "ana"})
	s.says("09:20", contact, thread.MessageReceived{})
	s.says("09:30", by("ana"), thread.Resumed{Operator: "ana", Cause: "manual"})
	s.says("09:34", by("ana"), writes())
	s.lasts(asked{metric: "reply_time"}, 2, 60+840, 60+240)
}

func TestATransferWhileTheCustomerWaitsDoesNotRestartTheRun(t *testing.T) {
	s := tell(t)
	s.says("09:00", contact, opens("soporte")...)
	s.says("09:02", by("ana"), takes("ana"))
	s.says("09:05", by("ana"), thread.Transferred{FromDepartment: "soporte", FromOperator: "ana", Department: "ventas"},
		thread.Queued{Department: "ventas", List: thread.StateWaiting, Cause: "transferred"})
	s.says("09:06", by("sup"), thread.Transferred{FromDepartment: "ventas", Department: "cobros"},
		thread.Queued{Department: "cobros", List: thread.StateWaiting, Cause: "transferred"})
	s.says("09:10", by("caro"), thread.Taken{Operator: "caro", Department: "cobros", How: thread.TakenByHand})
	s.says("09:15", by("caro"), writes())
	s.lasts(asked{metric: "reply_time", operator: "caro", department: "cobros"}, 1, 900, 900)
	s.lasts(asked{metric: "own_reply_time", operator: "caro"}, 1, 300, 300)
	s.lasts(asked{metric: "first_response", operator: "caro"}, 1, 900, 900)
	s.lasts(asked{metric: "first_response_from_take"}, 1, 300, 300)
	s.lasts(asked{metric: "wait"}, 3, 120+60+240, 420)
	s.lasts(asked{metric: "wait", department: "ventas", detail: "transfer"}, 1, 60, 60)
	s.lasts(asked{metric: "handle", operator: "ana"}, 1, 180, 180)
	s.counts(asked{metric: "participated", operator: "ana"}, 0)
	s.counts(asked{metric: "attended", operator: "ana"}, 1)
	s.counts(asked{metric: "transfers_out", department: "ventas"}, 1)
}

func TestWhileTheOwnerIsDisconnectedNobodyHandlesTheConversation(t *testing.T) {
	s := tell(t)
	s.there("08:00", "ana")
	s.says("09:00", contact, opens("soporte")...)
	s.says("09:00", by("ana"), takes("ana"))
	s.gone("09:10", "ana")
	s.there("09:25", "ana")
	s.says("09:40", by("ana"), closes("ana"))
	s.lasts(asked{metric: "handle"}, 1, 1500, 1500)
	s.lasts(asked{metric: "handle_conversation"}, 1, 1500, 1500)
	s.lasts(asked{metric: "unattended", operator: "ana"}, 1, 900, 900)
	s.lasts(asked{metric: "resolution"}, 1, 2400, 2400)
	s.lasts(asked{metric: "connected", from: "09:00", to: "10:00"}, 1, 1500, 1500) // up to 09:40, the log's newest time
	s.lasts(asked{metric: "occupied", from: "09:00", to: "10:00"}, 1, 1500, 1500)
	s.mean(asked{metric: "occupancy", from: "09:00", to: "10:00"}, 1)
}

func TestAnOperatorWhoWasNeverThereIsNotMissed(t *testing.T) {
	s := tell(t)
	s.says("09:00", contact, opens("soporte")...)
	s.says("09:00", by("ana"), takes("ana"))
	s.says("09:40", by("ana"), closes("ana"))
	s.lasts(asked{metric: "handle"}, 1, 2400, 2400)
	s.lasts(asked{metric: "unattended"}, 0, 0, 0)
	if got := s.number(asked{metric: "occupancy"}).With; got.Mean != nil || got.N != 0 {
		t.Errorf("without available time the occupancy is %v of %d", show(got.Mean), got.N)
	}
}

func TestACloseEndsTheRunThatNobodyAnswered(t *testing.T) {
	s := tell(t)
	s.says("09:00", contact, opens("soporte")...)
	s.says("09:01", by("ana"), takes("ana"), writes())
	s.says("09:10", contact, thread.MessageReceived{})
	s.says("09:30", by("ana"), closes("ana"))
	s.lasts(asked{metric: "reply_time"}, 1, 60, 60)
	s.lasts(asked{metric: "unanswered"}, 1, 1200, 1200)
	s.lasts(asked{metric: "customer_waiting"}, 1, 1260, 1260)
}

func TestASupervisorWhoClosesForAnotherClosedItAndDidNotOwnIt(t *testing.T) {
	s := tell(t)
	s.says("09:00", contact, opens("soporte")...)
	s.says("09:01", by("ana"), takes("ana"), writes())
	s.says("09:30", by("sup"), closes("ana"))
	s.counts(asked{metric: "closed", operator: "sup"}, 1)
	s.counts(asked{metric: "closed", operator: "ana"}, 0)
	s.counts(asked{metric: "owned_at_close", operator: "ana"}, 1)
	s.counts(asked{metric: "owned_at_close", operator: "sup"}, 0)
	s.lasts(asked{metric: "handle", operator: "ana"}, 1, 1740, 1740)
	s.mean(asked{metric: "one_touch"}, 1)
}

func TestACustomersCloseIsNoMachinesAndNobodysCredit(t *testing.T) {
	s := tell(t)
	s.says("09:00", contact, opens("soporte")...)
	s.says("09:01", by("ana"), takes("ana"), writes())
	s.says("09:30", contact, thread.Closed{Reason: thread.ClosedByContact, Owner: "ana", Department: "soporte"})
	s.counts(asked{metric: "closed"}, 1)
	s.counts(asked{metric: "closed", operator: "ana"}, 0)
	s.counts(asked{metric: "owned_at_close", operator: "ana"}, 1)
	s.counts(asked{metric: "closed", actors: "machine"}, 0)
}

func TestAnErasureChangesNoNumber(t *testing.T) {
	s := worked(t)
	before := metric.Recount("default", s.commits)
	s.says("11:00", domain.Actor{Kind: domain.ActorAdmin}, thread.Erased{})
	s.commit("11:00", domain.Aggregate{Workspace: "default", Category: domain.CategoryThread, ID: "t1"}, "", domain.Actor{Kind: domain.ActorAdmin}, thread.Erased{})
	after := metric.Recount("default", s.commits)
	if len(before.Samples) != len(after.Samples) {
		t.Errorf("%d samples became %d", len(before.Samples), len(after.Samples))
	}
}

func TestWhatIsStillOpenIsInTheBacklogAndInNoDuration(t *testing.T) {
	s := tell(t)
	s.says("09:00", contact, opens("soporte")...)
	s.says("09:10", by("ana"), takes("ana"))
	s.in("t2-1", "09:20", contact, opens("soporte")...)
	s.lasts(asked{metric: "resolution"}, 0, 0, 0)
	s.lasts(asked{metric: "handle"}, 0, 0, 0)
	s.lasts(asked{metric: "wait"}, 1, 600, 600)
	s.counts(asked{metric: "backlog"}, 2)
	s.counts(asked{metric: "backlog", operator: "ana"}, 1)
	s.counts(asked{metric: "backlog", from: "08:00", to: "09:00"}, 0)
	s.counts(asked{metric: "backlog", from: "08:00", to: "09:05"}, 1)
	s.counts(asked{metric: "attended", operator: "ana"}, 1)
	if got := s.number(asked{metric: "backlog_flow"}).With.Sum; got == nil || *got != 2 {
		t.Errorf("the flow is %v, want 2", show(got))
	}
}

func TestATeamsMeanIsTheSumOverTheCount(t *testing.T) {
	s := tell(t)
	s.says("09:00", contact, opens("soporte")...)
	s.says("09:01", by("ana"), takes("ana"), writes())
	for _, minute := range []string{"10", "20", "30"} {
		s.says("09:"+minute, contact, thread.MessageReceived{})
		s.says("09:"+minute+":30", by("ana"), writes())
	}
	s.in("t2-1", "10:00", contact, opens("soporte")...)
	s.in("t2-1", "10:10", by("beto"), takes("beto"), writes())
	s.mean(asked{metric: "reply_time", operator: "ana"}, 37.5)
	s.mean(asked{metric: "reply_time", operator: "beto"}, 600)
	s.mean(asked{metric: "reply_time"}, 150)
	got := s.number(asked{metric: "reply_time"}).With
	for name, x := range map[string]*float64{"p50": got.P50, "p90": got.P90, "max": got.Max} {
		want := map[string]float64{"p50": 30, "p90": 600, "max": 600}[name]
		if x == nil || *x != want {
			t.Errorf("%s is %v, want %v", name, show(x), want)
		}
	}
}

func TestNotesMachinesAndOtherDevicesAnswerAsTheRulesSay(t *testing.T) {
	s := tell(t)
	s.says("09:00", contact, opens("soporte")...)
	s.says("09:01", by("ana"), takes("ana"), thread.Noted{})
	s.says("09:02", domain.Actor{Kind: domain.ActorBot}, thread.MessageSent{Sender: thread.SenderMachine})
	s.lasts(asked{metric: "first_response"}, 0, 0, 0)
	// Typed in the platform's own app: it answers the customer, and is nobody's take.
	s.says("09:03", domain.Actor{Kind: domain.ActorService, ID: "crm"}, thread.MessageSent{Sender: thread.SenderOtherDevice})
	s.lasts(asked{metric: "first_response"}, 1, 180, 180)
	s.lasts(asked{metric: "reply_time"}, 1, 180, 180)
	s.lasts(asked{metric: "own_reply_time"}, 0, 0, 0)
	s.counts(asked{metric: "messages_out", detail: "other_device"}, 1)
	s.says("09:05", by("ana"), writes())
	s.lasts(asked{metric: "first_response_from_take", operator: "ana"}, 1, 240, 240)
	s.lasts(asked{metric: "reply_time"}, 1, 180, 180)
}

// D17: who wrote first is not answered.
func TestAnOutboundConversationIsNotReceivedAndHasNoFirstResponse(t *testing.T) {
	s := tell(t)
	s.says("09:00", by("ana"), thread.Opened{Number: 1, Ticket: 1, Direction: thread.Outbound, Channel: "web", Department: "ventas"},
		thread.Taken{Operator: "ana", Department: "ventas", How: thread.TakenOutbound}, writes())
	s.says("09:30", contact, thread.MessageReceived{})
	s.says("09:40", by("ana"), writes())
	s.says("10:00", by("ana"), closes("ana"))
	s.counts(asked{metric: "received"}, 0)
	s.counts(asked{metric: "outbound", operator: "ana"}, 1)
	s.lasts(asked{metric: "first_response"}, 0, 0, 0)
	s.lasts(asked{metric: "first_response_from_take"}, 0, 0, 0)
	s.lasts(asked{metric: "time_to_first_assignment"}, 0, 0, 0)
	s.lasts(asked{metric: "reply_time"}, 1, 600, 600)
	s.lasts(asked{metric: "resolution"}, 1, 3600, 3600)
	s.counts(asked{metric: "taken", detail: "outbound"}, 1)
}

func TestAReopeningStartsANewEpisodeAndCorrectsWhatIsOfTheConversation(t *testing.T) {
	s := tell(t)
	s.says("09:00", contact, opens("soporte")...)
	s.says("09:10", by("ana"), takes("ana"), writes())
	s.says("09:20", by("ana"), closes("ana"))
	s.mean(asked{metric: "one_touch"}, 1)
	s.says("10:00", contact, thread.Reopened{By: "contact", Department: "soporte"},
		thread.Queued{Department: "soporte", List: thread.StateWaiting, Cause: "reopened"}, thread.MessageReceived{})
	s.counts(asked{metric: "closed_state"}, 0)
	s.counts(asked{metric: "closed_state", to: "09:30"}, 1)
	s.says("10:05", by("ana"), takes("ana"), writes())
	s.lasts(asked{metric: "handle", operator: "ana"}, 1, 600, 600)
	s.says("10:20", by("ana"), closes("ana"))

	s.counts(asked{metric: "received"}, 1)
	s.counts(asked{metric: "reopened", detail: "contact"}, 1)
	s.counts(asked{metric: "closed"}, 2)
	s.counts(asked{metric: "closed_state"}, 1)
	s.counts(asked{metric: "owned_at_close", operator: "ana"}, 1)
	s.lasts(asked{metric: "first_response"}, 2, 600+300, 900)
	s.lasts(asked{metric: "resolution"}, 2, 1200+1200, 2400)
	// One sample per conversation and operator: the later one took the earlier's place.
	s.lasts(asked{metric: "handle", operator: "ana"}, 1, 600+900, 1500)
	s.lasts(asked{metric: "handle", operator: "ana", to: "09:30"}, 0, 0, 0)
	s.lasts(asked{metric: "handle_conversation"}, 1, 1500, 1500)
	s.mean(asked{metric: "one_touch"}, 0)
	s.counts(asked{metric: "one_touch"}, 1)
}

func TestATransferOutOfTheArchiveMovesTheBacklogOfItsTargetOnly(t *testing.T) {
	s := tell(t)
	s.says("09:00", contact, opens("soporte")...)
	s.says("09:10", by("ana"), takes("ana"), writes())
	s.says("09:20", by("ana"), closes("ana"))
	s.says("10:00", by("sup"), thread.Reopened{By: "transfer", Department: "ventas"},
		thread.Transferred{FromDepartment: "soporte", Department: "ventas"},
		thread.Queued{Department: "ventas", List: thread.StateWaiting, Cause: "transferred"})
	for department, want := range map[string]float64{"soporte": 0, "ventas": 1} {
		if got := s.number(asked{metric: "backlog_flow", department: department}).With.Sum; got == nil || *got != want {
			t.Errorf("the flow of %s is %v, want %v", department, show(got), want)
		}
	}
	s.counts(asked{metric: "backlog", department: "ventas"}, 1)
	s.counts(asked{metric: "backlog", department: "soporte"}, 0)
}

// D15: ignored ones are no closed, abandoned or resolved ones.
func TestIgnoredAndSupersededAreCountedApart(t *testing.T) {
	for _, reason := range []thread.CloseReason{thread.ClosedIgnored, thread.ClosedSuperseded} {
		s := tell(t)
		s.says("09:00", contact, opens("soporte")...)
		s.says("09:10", by("ana"), thread.Closed{Reason: reason, Department: "soporte"})
		s.counts(asked{metric: string(reason)}, 1)
		for _, name := range []string{"closed", "closed_state", "abandoned", "resolution", "customer_waiting", "unanswered", "one_touch", "owned_at_close"} {
			s.counts(asked{metric: name}, 0)
		}
		s.lasts(asked{metric: "wait", detail: "close"}, 1, 600, 600)
		s.counts(asked{metric: "backlog"}, 0)
	}
}

func TestAbandonedIsClosedWhileAPersonWasOwed(t *testing.T) {
	s := tell(t)
	s.says("09:00", contact, opens("soporte")...)
	s.says("09:01", system, thread.MessageSent{Sender: thread.SenderMachine})
	s.says("09:10", contact, thread.Closed{Reason: thread.ClosedByContact, Department: "soporte"})
	// Answered once, released, and closed while it waited: somebody had come.
	s.in("t2-1", "09:00", contact, opens("soporte")...)
	s.in("t2-1", "09:01", by("ana"), takes("ana"), writes())
	s.in("t2-1", "09:02", by("ana"), thread.Released{Operator: "ana", Cause: "manual"},
		thread.Queued{Department: "soporte", List: thread.StateWaiting, Cause: "released"})
	s.in("t2-1", "09:10", contact, thread.Closed{Reason: thread.ClosedByContact, Department: "soporte"})
	s.counts(asked{metric: "abandoned", department: "soporte"}, 1)
	s.counts(asked{metric: "wait", detail: "abandonment"}, 1)
	s.counts(asked{metric: "closed"}, 2)
	s.counts(asked{metric: "unassigned", operator: "ana", detail: "manual"}, 1)
}

func TestAnAssignmentIsATakeThatAnotherDecided(t *testing.T) {
	s := tell(t)
	s.says("09:00", contact, opens("soporte")...)
	s.says("09:04", by("sup"), thread.Taken{Operator: "ana", Department: "soporte", How: thread.TakenAssigned, By: "sup"})
	s.says("09:06", by("ana"), writes())
	s.says("09:08", by("sup"), thread.Released{Operator: "ana", Cause: "assigned"},
		thread.Taken{Operator: "beto", Department: "soporte", How: thread.TakenAssigned, By: "sup"})
	s.says("09:11", by("beto"), writes())
	s.counts(asked{metric: "taken"}, 2)
	s.counts(asked{metric: "assigned", operator: "ana"}, 1)
	s.counts(asked{metric: "assigned", operator: "beto"}, 1)
	s.counts(asked{metric: "unassigned", operator: "ana"}, 1)
	s.lasts(asked{metric: "wait", detail: "assignment", operator: "ana"}, 1, 240, 240)
	s.lasts(asked{metric: "first_response_from_take"}, 2, 120+180, 300)
	s.lasts(asked{metric: "time_to_first_assignment", operator: "ana"}, 1, 240, 240)
	s.lasts(asked{metric: "handle", operator: "ana"}, 1, 240, 240)
}

// D12: yes and no are a scale of their own.
func TestALaterRatingReplacesTheEarlierAndYesIsNoScore(t *testing.T) {
	s := worked(t)
	yes := true
	s.says("10:10", contact, thread.Rated{Satisfied: &yes, CreditOperator: "beto", CreditDepartment: "ventas", Replaces: true})
	s.counts(asked{metric: "satisfaction"}, 0)
	s.mean(asked{metric: "satisfaction_yes", operator: "beto"}, 1)
	s.says("10:12", contact, thread.Rated{Score: 2, CreditOperator: "beto", CreditDepartment: "ventas", Replaces: true})
	s.counts(asked{metric: "satisfaction_yes"}, 0)
	s.mean(asked{metric: "satisfaction"}, 2)
}

func TestConcurrencyIsWeightedByTimeWhileSomethingIsAttended(t *testing.T) {
	s := tell(t)
	s.says("09:00", contact, opens("soporte")...)
	s.in("t2-1", "09:00", contact, opens("soporte")...)
	s.says("09:10", by("ana"), takes("ana"))
	s.in("t2-1", "09:20", by("ana"), takes("ana"))
	s.says("09:40", by("ana"), closes("ana"))
	s.in("t2-1", "09:50", by("ana"), closes("ana"))
	got := s.number(asked{metric: "concurrency", operator: "ana"}).With
	if got.N != 2 || got.Mean == nil || *got.Mean != 1.5 || got.Max == nil || *got.Max != 2 {
		t.Errorf("concurrency is %v, at most %v, over %d conversations", show(got.Mean), show(got.Max), got.N)
	}
	s.there("09:00", "ana")
	s.mean(asked{metric: "occupancy", operator: "ana", from: "09:00", to: "09:50"}, 0.8)
}

func TestAwayTimeIsConnectedAndNotAvailable(t *testing.T) {
	s := tell(t)
	s.there("09:00", "ana")
	s.presence("09:30", "ana", presence.BecameUnavailable{Status: presence.Status{Operator: "ana", Connected: true}})
	s.presence("09:40", "ana", presence.BecameAvailable{Status: presence.Status{Operator: "ana", Connected: true, Available: true}})
	s.gone("10:00", "ana")
	s.presence("10:05", "ana", presence.BecameUnavailable{Status: presence.Status{Operator: "ana"}})
	s.lasts(asked{metric: "connected"}, 1, 3600, 3600)
	s.lasts(asked{metric: "available"}, 1, 3000, 3000)
	s.lasts(asked{metric: "away"}, 1, 600, 600)
}

// N5: what a rule assigns was no assignment in version 1, and ended a wait as a take; it is one in version 2. Both are computed from
// the same events.
func TestBothVersionsOfAnAssignmentAreCountedSideBySide(t *testing.T) {
	s := tell(t)
	system := domain.Actor{Kind: domain.ActorSystem, Via: "effect:distribution"}
	s.says("09:00", contact, opens("soporte")...)
	s.says("09:01", system, thread.Taken{Operator: "ana", Department: "soporte", How: thread.TakenByRule})
	s.says("09:02", by("ana"), thread.Released{Operator: "ana", Cause: "manual"}, thread.Queued{Department: "soporte", List: thread.StateWaiting, Cause: "released"})
	s.says("09:04", by("sup"), thread.Taken{Operator: "beto", Department: "soporte", How: thread.TakenAssigned, By: "sup"})
	s.says("09:05", by("beto"), thread.Released{Operator: "beto", Cause: "manual"}, thread.Queued{Department: "soporte", List: thread.StateWaiting, Cause: "released"})
	s.says("09:08", by("ana"), thread.Taken{Operator: "ana", Department: "soporte", How: thread.TakenByHand})
	s.says("09:09", by("ana"), thread.Released{Operator: "ana", Cause: "manual"}, thread.Queued{Department: "soporte", List: thread.StateWaiting, Cause: "released"})
	s.says("09:13", system, thread.Taken{Operator: "beto", Department: "soporte", How: thread.TakenSticky})

	s.counts(asked{metric: "taken"}, 4)
	s.counts(asked{metric: "assigned", version: 1}, 1)
	s.counts(asked{metric: "assigned", version: 1, detail: "automatic"}, 0)
	s.counts(asked{metric: "assigned", version: 2}, 3)
	s.counts(asked{metric: "assigned"}, 3) // the newest, where nobody asks for one
	for how, n := range map[string]int{"automatic": 1, "sticky": 1, "assigned": 1, "manual": 0} {
		s.counts(asked{metric: "assigned", version: 2, detail: how}, n)
	}
	s.lasts(asked{metric: "wait", version: 1}, 4, 60+120+180+240, 600)
	s.lasts(asked{metric: "wait", version: 2}, 4, 60+120+180+240, 600) // the same waits by other names
	s.lasts(asked{metric: "wait", version: 1, detail: "take"}, 3, 60+180+240, 480)
	s.lasts(asked{metric: "wait", version: 1, detail: "assignment"}, 1, 120, 120)
	s.lasts(asked{metric: "wait", version: 2, detail: "take"}, 1, 180, 180)
	s.lasts(asked{metric: "wait", version: 2, detail: "assignment"}, 3, 60+120+240, 420)
	s.lasts(asked{metric: "wait_first", version: 1, detail: "take"}, 1, 60, 60)
	s.lasts(asked{metric: "wait_first", version: 2, detail: "assignment"}, 1, 60, 60)
	for version := range 3 {
		s.counts(asked{metric: "wait", version: version, detail: "rule"}, 0) // a name of no version
	}
}

func TestEveryDefinitionIsWholeAndNamedOnce(t *testing.T) {
	seen := map[string]int{} // the newest version of each
	for _, d := range metric.Catalogue() {
		if d.Version != seen[d.Name]+1 || d.Unit == "" || d.Formula == "" || d.Clock == "" || d.Cohort == "" || d.Attribution == "" || len(d.Kinds()) == 0 {
			t.Errorf("%s is not whole, or there twice: %+v", d.Name, d)
		}
		seen[d.Name] = d.Version
		if found, ok := metric.Find(d.Name, d.Version); !ok || found.Name != d.Name {
			t.Errorf("%s version %d is not found", d.Name, d.Version)
		}
	}
	for name, newest := range seen {
		if d, ok := metric.Find(name, 0); !ok || d.Version != newest {
			t.Errorf("the newest %s is %+v", name, d)
		}
	}
	if _, ok := metric.Find("received", 99); ok {
		t.Error("a version that is not there was found")
	}
}

// D7: the response rate is of the surveys that have expired, in the period in which they were sent, whenever they were answered;
// a second answer is no second survey.
func TestTheResponseRateIsOfSurveysThatHaveExpired(t *testing.T) {
	s := tell(t)
	for i, c := range []string{"t1-1", "t2-1", "t3-1"} {
		s.in(c, "09:00", contact, opens("soporte")...)
		s.in(c, "09:10", by("ana"), takes("ana"))
		s.in(c, "09:20", by("ana"), closes("ana"))
		s.in(c, "09:20", system, thread.SurveySent{Survey: c + "-s1", Scale: survey.Stars, Expires: at(t, "10:20").Add(time.Duration(i) * time.Minute),
			CreditOperator: "ana", CreditDepartment: "soporte"}, thread.MessageSent{Sender: thread.SenderMachine})
	}
	rated := func(c, at string, score int) {
		s.in(c, at, contact, thread.MessageReceived{Message: c + "-m3"}, thread.Rated{Score: score, CreditOperator: "ana", CreditDepartment: "soporte", Survey: c + "-s1"})
	}
	rated("t1-1", "09:30", 5)
	rated("t1-1", "09:40", 4)
	s.counts(asked{metric: "surveys"}, 3)
	s.counts(asked{metric: "response_rate"}, 0)
	s.counts(asked{metric: "messages_out", actors: "machine"}, 0)
	s.counts(asked{metric: "messages_in"}, 3)

	rated("t3-1", "10:21", 2)
	s.counts(asked{metric: "response_rate", operator: "ana", department: "soporte"}, 2)
	s.mean(asked{metric: "response_rate"}, 0.5)
	s.mean(asked{metric: "response_rate", from: "09:00", to: "10:00"}, 0.5)
	s.counts(asked{metric: "response_rate", from: "10:00", to: "11:00"}, 0)

	s.in("t4-1", "10:22", contact, opens("soporte")...)
	s.counts(asked{metric: "response_rate"}, 3)
	s.mean(asked{metric: "response_rate"}, 0.666667)
	s.counts(asked{metric: "satisfaction"}, 2)
}

// F098: the words at the end of a session are a machine's, although an operator ended it; and the close is the operator's, for its
// own reason.
func TestTheWordsAtTheEndOfASessionAreNobodys(t *testing.T) {
	s := tell(t)
	s.says("09:00", contact, opens("soporte")...)
	s.says("09:01", by("ana"), takes("ana"))
	s.says("09:03", by("ana"), thread.MessageSent{Sender: thread.SenderMachine}, thread.Closed{Reason: thread.ClosedSessionEnded, Owner: "ana", Department: "soporte"})
	s.counts(asked{metric: "messages_out"}, 0)
	s.counts(asked{metric: "messages_out", actors: "machine"}, 1)
	s.counts(asked{metric: "messages_out", actors: "machine", operator: "ana"}, 0)
	s.counts(asked{metric: "closed", operator: "ana"}, 1)
	s.lasts(asked{metric: "first_response"}, 0, 0, 0)
}
