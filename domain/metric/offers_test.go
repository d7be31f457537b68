package metric_test

import (
	"testing"

	"github.com/turno-desk/turno/domain/metric"
	"github.com/turno-desk/turno/domain/metric/metrictest"
	"github.com/turno-desk/turno/domain/thread"
	"pgregory.net/rapid"
)

// TestOffersAreCreditedToWhoWasAsked is D8: what each of several operators was offered, missed, lost to another and declined.
func TestOffersAreCreditedToWhoWasAsked(t *testing.T) {
	s := tell(t)
	asks := func(round int, operators ...string) thread.Offered {
		return thread.Offered{Operators: operators, Joined: operators, Round: round, Until: at(t, "12:00"), Cause: thread.OfferedByRule}
	}
	s.says("09:00", contact, opens("soporte")...)
	s.says("09:00:01", system, asks(1, "ana", "beto"))
	s.says("09:00:11", by("beto"), thread.OfferDeclined{Operator: "beto"})
	s.says("09:00:31", system, asks(2, "caro", "dora"))
	s.says("09:00:41", by("caro"), takes("caro"))

	s.in("t2-1", "09:10", contact, opens("soporte")...)
	s.in("t2-1", "09:10:01", system, asks(1, "ana"))
	s.in("t2-1", "09:10:31", system, thread.OfferEnded{Cause: thread.OfferExhausted})
	s.in("t2-1", "09:11", by("ana"), takes("ana"))

	s.in("t3-1", "09:20", contact, opens("soporte")...)
	s.in("t3-1", "09:20:01", system, asks(1, "ana"))
	s.in("t3-1", "09:20:05", by("sara"), thread.Transferred{FromDepartment: "soporte", Department: "ventas"},
		thread.Queued{Department: "ventas", List: thread.StateWaiting, Cause: "transferred"})

	for _, want := range []struct {
		operator                        string
		offered, missed, lost, declined int
	}{{"ana", 3, 2, 0, 0}, {"beto", 1, 0, 0, 1}, {"caro", 1, 0, 0, 0}, {"dora", 1, 0, 1, 0}, {"", 6, 2, 1, 1}} {
		s.counts(asked{metric: "offered", operator: want.operator}, want.offered)
		s.counts(asked{metric: "missed", operator: want.operator}, want.missed)
		s.counts(asked{metric: "lost_to_another", operator: want.operator}, want.lost)
		s.counts(asked{metric: "declined", operator: want.operator}, want.declined)
	}
	s.counts(asked{metric: "offered", department: "ventas"}, 0)
}

func TestAnOfferEndsAtMostOnceAndAlwaysWasOne(t *testing.T) {
	type offer struct {
		conversation, operator string
		at                     metric.Ref
	}
	seen := 0
	rapid.Check(t, func(t *rapid.T) {
		offers, ends := map[offer]bool{}, map[offer]metric.Kind{}
		for _, s := range metric.Recount(metrictest.Workspace, history(t)).Samples {
			switch s.Kind {
			case metric.Offered:
				o := offer{s.Conversation, s.Operator, s.Ref}
				if offers[o] {
					t.Fatalf("%+v is counted twice", o)
				}
				offers[o] = true
			case metric.OfferMissed, metric.OfferLost, metric.OfferDeclined:
				o := offer{s.Conversation, s.Operator, s.Start}
				if ends[o] != 0 || !offers[o] {
					t.Fatalf("%v of %+v, after %v", s.Kind, o, ends[o])
				}
				ends[o] = s.Kind
				seen++
			}
		}
	})
	if seen == 0 {
		t.Error("no offer has ended: this shows nothing")
	}
}
