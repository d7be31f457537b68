package ticket_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/ticket"
)

func TestATicketBeginsWithItsFirstEditAndIsChangedWhole(t *testing.T) {
	known := ticket.Definition{Number: 57, Requester: "cmaria", Subject: "La factura"}
	solved, pending, subject, nobody, odd := ticket.Solved, ticket.Pending, domain.Personal(" Otra "), "", ticket.Status("lost")
	is := ticket.Definition{Number: 57, Requester: "cmaria", Status: ticket.Solved}
	for name, c := range map[string]struct {
		is      ticket.Definition
		when    ticket.Change
		then    []ticket.Event
		missing []string
	}{
		"the first edit begins it with what its conversations tell": {when: ticket.Change{Status: &solved},
			then: []ticket.Event{ticket.Opened{Definition: ticket.Definition{Number: 57, Requester: "cmaria", Subject: "La factura", Status: ticket.Solved}}}},
		"a first edit that changes nothing begins nothing": {when: ticket.Change{}},
		"a later one carries the whole": {is: is, when: ticket.Change{Subject: &subject, Fields: map[string]domain.Personal{"pedido": "7"}},
			then: []ticket.Event{ticket.Changed{Definition: ticket.Definition{Number: 57, Requester: "cmaria", Subject: "Otra", Status: ticket.Solved,
				Fields: map[string]domain.Personal{"pedido": "7"}}}}},
		"the same again is nothing":         {is: is, when: ticket.Change{Status: &solved}},
		"nobody can't request":              {is: is, when: ticket.Change{Requester: &nobody}, missing: []string{"requester"}},
		"there is no such status":           {is: is, when: ticket.Change{Status: &odd}, missing: []string{"status"}},
		"pending is one":                    {is: is, when: ticket.Change{Status: &pending}, then: []ticket.Event{ticket.Changed{Definition: ticket.Definition{Number: 57, Requester: "cmaria", Status: ticket.Pending}}}},
		"a field without a value goes away": {is: is, when: ticket.Change{Fields: map[string]domain.Personal{"x": ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, r := ticket.DecideChange(c.is, known, c.when)
			if d := cmp.Diff(c.then, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			var missing []string
			if r != nil {
				missing = r.Missing
			}
			if d := cmp.Diff(c.missing, missing); d != "" {
				t.Errorf("missing (-want +got)\n%s", d)
			}
		})
	}
}

func TestATicketOpenedApartTakesARequester(t *testing.T) {
	if _, r := ticket.DecideOpen(ticket.Definition{}, 90, ticket.Change{}); r == nil || r.Missing[0] != "requester" {
		t.Errorf("without one it is refused with %v", r)
	}
	who := "cmaria"
	events, r := ticket.DecideOpen(ticket.Definition{}, 90, ticket.Change{Requester: &who})
	want := []ticket.Event{ticket.Opened{Definition: ticket.Definition{Number: 90, Requester: who, Status: ticket.Open}}}
	if d := cmp.Diff(want, events); d != "" || r != nil {
		t.Errorf("%v\n%s", r, d)
	}
	if again, r := ticket.DecideOpen(want[0].(ticket.Opened).Definition, 90, ticket.Change{}); len(again) > 0 || r != nil {
		t.Errorf("again makes %v, %v", again, r)
	}
}
