package metric_test

import (
	"testing"

	"github.com/turno-desk/turno/domain/metric/metrictest"
)

// worked is the conversation that the definitions work out by hand.
func worked(t *testing.T) *story {
	s := tell(t)
	s.commits = metrictest.Worked()
	s.opened["t1-1"] = 3
	return s
}

func TestTheWorkedConversationComesOutNumberByNumber(t *testing.T) {
	s := worked(t)
	s.counts(asked{metric: "received"}, 1)
	s.counts(asked{metric: "received", department: "soporte", detail: "new"}, 1)
	s.counts(asked{metric: "outbound"}, 0)

	// Waiting 240 + 360 = 600 s · attending, Ana 480 + 300 = 780 s · paused 1,080 s · Beto 1,140 s · in all 3,600 s.
	s.lasts(asked{metric: "wait"}, 2, 600, 600)
	s.lasts(asked{metric: "wait", department: "soporte"}, 1, 240, 240)
	s.lasts(asked{metric: "wait", department: "ventas", operator: "beto"}, 1, 360, 360)
	s.lasts(asked{metric: "wait_first"}, 1, 240, 240)
	s.lasts(asked{metric: "wait_total"}, 1, 600, 600)
	s.lasts(asked{metric: "time_to_first_assignment", operator: "ana"}, 1, 240, 240)
	s.lasts(asked{metric: "time_to_first_assignment"}, 1, 240, 240)
	s.lasts(asked{metric: "paused", operator: "ana"}, 1, 1080, 1080)
	s.lasts(asked{metric: "paused"}, 1, 1080, 1080)
	s.lasts(asked{metric: "resolution"}, 1, 3600, 2520)

	s.lasts(asked{metric: "first_response"}, 1, 300, 300)
	s.lasts(asked{metric: "first_response", operator: "ana", department: "soporte"}, 1, 300, 300)
	s.lasts(asked{metric: "first_response_from_take", operator: "ana"}, 1, 60, 60)
	s.lasts(asked{metric: "first_response_from_take", operator: "beto"}, 1, 120, 120)
	s.mean(asked{metric: "first_response_from_take"}, 90)

	// Reply times 300, 1,200, 120 s; Beto's message at 09:43 is none.
	s.lasts(asked{metric: "reply_time"}, 3, 1620, 540)
	s.mean(asked{metric: "reply_time"}, 540)
	if got := s.number(asked{metric: "reply_time"}).Without.Mean; got == nil || *got != 180 {
		t.Errorf("the mean reply time without pauses is %v, want 180", show(got))
	}
	s.lasts(asked{metric: "reply_time", operator: "ana", department: "soporte"}, 2, 1500, 420)
	s.lasts(asked{metric: "reply_time", operator: "beto", department: "ventas"}, 1, 120, 120)
	s.lasts(asked{metric: "own_reply_time", operator: "ana"}, 2, 60+1200, 60+120)
	s.lasts(asked{metric: "own_reply_time", operator: "beto"}, 1, 120, 120)
	s.lasts(asked{metric: "customer_waiting"}, 1, 1620, 540)
	s.lasts(asked{metric: "unanswered"}, 0, 0, 0)

	s.lasts(asked{metric: "handle", operator: "ana"}, 1, 780, 780)
	s.lasts(asked{metric: "handle", operator: "beto"}, 1, 1140, 1140)
	s.lasts(asked{metric: "handle_conversation"}, 1, 1920, 1920)
	s.lasts(asked{metric: "unattended"}, 0, 0, 0)

	// One transfer: out of Ana and Soporte, into Ventas; Beto has one take.
	s.counts(asked{metric: "transfers_out"}, 1)
	s.counts(asked{metric: "transfers_out", operator: "ana", department: "soporte"}, 1)
	s.counts(asked{metric: "transfers_in"}, 1)
	s.counts(asked{metric: "transfers_in", department: "ventas"}, 1)
	s.counts(asked{metric: "transfers_in", operator: "beto"}, 0)
	s.counts(asked{metric: "taken", operator: "beto", detail: "manual"}, 1)
	s.counts(asked{metric: "taken"}, 2)
	s.counts(asked{metric: "assigned"}, 0)
	s.counts(asked{metric: "unassigned"}, 0)

	// Messages in 4, out 4 human (Ana 2, Beto 2) and 1 machine.
	s.counts(asked{metric: "messages_in"}, 4)
	s.counts(asked{metric: "messages_out"}, 4)
	s.counts(asked{metric: "messages_out", operator: "ana"}, 2)
	s.counts(asked{metric: "messages_out", operator: "beto"}, 2)
	s.counts(asked{metric: "messages_out", actors: "machine"}, 1)
	s.counts(asked{metric: "messages_out", actors: "all"}, 5)

	// Closed by Beto; the rating is his.
	s.counts(asked{metric: "closed", operator: "beto", department: "ventas"}, 1)
	s.counts(asked{metric: "closed"}, 1)
	s.counts(asked{metric: "closed_state"}, 1)
	s.counts(asked{metric: "owned_at_close", operator: "beto"}, 1)
	s.counts(asked{metric: "owned_at_close"}, 1)
	s.counts(asked{metric: "attended", operator: "ana"}, 1)
	s.counts(asked{metric: "attended"}, 1)
	s.counts(asked{metric: "participated", operator: "ana"}, 1)
	s.counts(asked{metric: "participated"}, 1)
	s.counts(asked{metric: "abandoned"}, 0)
	s.mean(asked{metric: "one_touch"}, 0)
	s.mean(asked{metric: "satisfaction", operator: "beto"}, 4)
	rated := s.number(asked{metric: "satisfaction"}).With
	if rated.N != 1 || rated.Share == nil || *rated.Share != 1 || rated.Distribution != [5]int{0, 0, 0, 1, 0} {
		t.Errorf("satisfaction is %+v", rated)
	}
	s.counts(asked{metric: "satisfaction_yes"}, 0)
	s.counts(asked{metric: "surveys", operator: "beto", department: "ventas", detail: "1-5"}, 1)
	s.counts(asked{metric: "response_rate"}, 0) // it has not expired yet
}

func TestOccupancyOfTheWorkedConversationIsTheUnionOfAttendingWithinAvailableTime(t *testing.T) {
	s := worked(t)
	hour := asked{metric: "occupancy", operator: "ana", from: "09:00", to: "10:00"}
	s.mean(hour, 0.216667)
	hour.operator = "beto"
	s.mean(hour, 0.316667)
	// Of the team: the sums of both, never a mean of means.
	hour.operator = ""
	s.mean(hour, 0.266667)
	for name, want := range map[string]float64{"connected": 7200, "available": 7200, "away": 0, "occupied": 1920, "idle": 5280} {
		s.lasts(asked{metric: name, from: "09:00", to: "10:00"}, 2, want, want)
	}
}
