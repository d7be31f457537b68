package history_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/turno-desk/turno/domain/routing"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections/history"
	"github.com/turno-desk/turno/projections/viewtest"
)

// TestWhySomethingWasAssignedAndOfferedAsItWas is N15, under D3.
func TestWhySomethingWasAssignedAndOfferedAsItWas(t *testing.T) {
	log := viewtest.NewLog("routing")
	d := viewtest.NewDesk(log, 1)
	id := threadID(1)
	candidates := []routing.Candidate{{Operator: "ana", Load: 2, Capacity: 3}, {Operator: "beto", Load: 1, Capacity: 3}, {Operator: "dora", Load: 3, Capacity: 3}}
	do(t, d, time.Second, "contact", id, d.Receive(id, "web", "Hola"))
	offered := do(t, d, time.Second, "system", id, thread.Offer{
		Operators: routing.Next(1, candidates), Department: "soporte", Round: 1, For: 30 * time.Second,
		Assignment: routing.Explained(routing.LongestIdle, 1, 1, candidates),
	})
	do(t, d, time.Second, "ana", id, thread.Decline{})
	do(t, d, time.Second, "system", id, thread.Withdraw{Round: 1, Cause: thread.OfferExhausted})
	given := do(t, d, time.Second, "system", id, thread.Distribute{
		Operator: "beto", Department: "soporte", Expires: d.Now.Add(time.Minute),
		Assignment: routing.Explained(routing.LeastBusy, 4, 1, candidates),
	})
	do(t, d, time.Second, "sara", id, thread.Assign{Operator: "ana"}) // by hand: there is nothing to explain
	v := newView(t, log).build(100)
	ctx := context.Background()
	for _, who := range []string{"sara", "ana"} {
		r, err := v.Routing(ctx, workspace, as(d, who), id+"-1", 0)
		if err != nil || len(r.Decisions) != 2 || r.Conversation != id+"-1" {
			t.Fatalf("%s is shown %+v, %v", who, r, err)
		}
		first, second := r.Decisions[0], r.Decisions[1]
		if first.Position != offered.Position || first.How != "offered" || first.Department != "soporte" || first.Round != 1 || first.Until == nil ||
			!slices.Equal(first.Chosen, []string{"ana"}) || !slices.Equal(first.Again, first.Chosen) || !first.Same || len(first.Candidates) != 3 {
			t.Errorf("%s is shown the offer %+v", who, first)
		}
		if second.Position != given.Position || second.How != "automatic" || second.Rule != routing.LeastBusy || second.Read != 4 || second.Entry != 1 ||
			!slices.Equal(second.Chosen, []string{"beto"}) || !second.Same || second.Until != nil {
			t.Errorf("%s is shown the assignment %+v", who, second)
		}
	}
	if r, err := v.Routing(ctx, workspace, as(d, "sara"), id+"-1", offered.Position); err != nil || len(r.Decisions) != 1 {
		t.Errorf("as of the offer: %+v, %v", r, err)
	}
	for _, who := range []string{"beto", "carla"} { // beto had it, and has no sight of it any more
		if _, err := v.Routing(ctx, workspace, as(d, who), id+"-1", 0); !errors.Is(err, history.ErrNotFound) {
			t.Errorf("%s: %v", who, err)
		}
	}
}
