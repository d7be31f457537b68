package history_test

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/domain/ticket"
	"github.com/turno-desk/turno/projections/history"
	"github.com/turno-desk/turno/projections/viewtest"
)

// cases is which ticket each number stands for, by the plainest rule there is: the model that the view is held to.
type cases map[int64]int64

func (c cases) link(own, to int64) {
	root := c[to]
	for n, in := range c {
		if in == own || n == own {
			c[n] = root
		}
	}
}

func (c cases) members(root int64) (own []int64) {
	for n, in := range c {
		if in == root {
			own = append(own, n)
		}
	}
	slices.Sort(own)
	return own
}

// D9: however conversations are linked, also in circles and by commands that did not know of each other, every number
// stands for one ticket, every conversation is in one, and the past stays as it was.
func TestEveryNumberStandsForOneTicketWhateverIsLinkedToWhat(t *testing.T) {
	for seed := range uint64(6) {
		log := viewtest.NewLog("tickets")
		d := viewtest.NewDesk(log, 1)
		rnd := rand.New(rand.NewPCG(seed, 7))
		model, numbers := cases{}, []int64{}
		then := map[domain.Position]cases{}
		for n := range 8 {
			c := do(t, d, time.Second, "contact", threadID(n), d.Receive(threadID(n), "web", "hola"))
			numbers = append(numbers, c.Ticket)
			model[c.Ticket] = c.Ticket
		}
		for range 30 {
			n, to := rnd.IntN(len(numbers)), numbers[rnd.IntN(len(numbers))]
			d.Now = d.Now.Add(time.Second)
			c, ok := d.Do("ana", threadID(n), 0, thread.Link{Number: to, Ticket: to}) // as if its view knew of no link
			if !ok {
				continue
			}
			model.link(numbers[n], to)
			then[c.Position] = maps.Clone(model)
		}
		v := newView(t, log).build(1000)
		for at, want := range then {
			holds(t, v, at, want)
		}
		holds(t, v, 0, model)
		if one, many := newView(t, log).build(1).digest(), v.digest(); one != many {
			t.Errorf("seed %d: batches of one make other rows than one batch", seed)
		}
	}
}

func holds(t *testing.T, v *view, at domain.Position, want cases) {
	t.Helper()
	for number, root := range want {
		got, err := v.Ticket(context.Background(), workspace, admin, number, at)
		if err != nil {
			t.Fatalf("#%d at %d: %v", number, at, err)
		}
		var own []int64
		for _, c := range got.Conversations {
			own = append(own, c.Ticket)
		}
		slices.Sort(own)
		if got.Number != root || !slices.Equal(own, want.members(root)) {
			t.Fatalf("#%d at %d is #%d with %v, want #%d with %v", number, at, got.Number, own, root, want.members(root))
		}
		aliases := slices.DeleteFunc(slices.Clone(own), func(n int64) bool { return n == root })
		slices.Sort(got.Aliases)
		if d := cmp.Diff(aliases, got.Aliases); len(aliases)+len(got.Aliases) > 0 && d != "" {
			t.Fatalf("#%d has the aliases (-want +got)\n%s", root, d)
		}
	}
}

// F104: who may know of none of a ticket's conversations finds no ticket.
func TestATicketIsFoundByWhoMayKnowOfOneOfItsConversations(t *testing.T) {
	log := viewtest.NewLog("find")
	d := viewtest.NewDesk(log, 1)
	number := do(t, d, time.Second, "contact", threadID(1), d.Receive(threadID(1), "web", "hola")).Ticket
	do(t, d, time.Second, "ana", threadID(1), thread.Take{})
	v := newView(t, log).build(10)
	never := errors.New("nobody waits")
	index := history.NewTicketIndex(v.Queries, func(context.Context, domain.Position) error { return never })
	for who, want := range map[string]bool{"ana": true, "sara": true, "beto": false, "carla": false, "adela": true} {
		root, found, err := index.FindTicket(context.Background(), workspace, as(d, who), number, 0)
		if err != nil || found != want || found && root != number {
			t.Errorf("%s: %d %v %v", who, root, found, err)
		}
	}
	if _, found, err := index.FindTicket(context.Background(), workspace, admin, 999, 0); found || err != nil {
		t.Errorf("a number that nobody has: %v %v", found, err)
	}
	if _, _, err := index.FindTicket(context.Background(), workspace, admin, number, 999); !errors.Is(err, never) {
		t.Errorf("a position that is waited for in vain: %v", err)
	}
}

// F104 F108: what is said of a ticket by itself is found, is part of its timeline, and goes with its requester.
func TestATicketThatWasOpenedApartIsFoundAndForgotten(t *testing.T) {
	ctx, log := context.Background(), viewtest.NewLog("apart")
	d := viewtest.NewDesk(log, 1)
	do(t, d, time.Second, "contact", threadID(1), d.Receive(threadID(1), "web", "hola"))
	who := contact.ID(threadID(1))
	apart := ticket.Definition{Number: 5000, Requester: who, Subject: "Visita del Técnico 100%", Status: ticket.Open}
	d.Settings(domain.CategoryTicket, "key.hx", "ana", ticket.Numbered{Number: 5000})
	d.Settings(domain.CategoryTicket, "5000", "ana", ticket.Opened{Definition: apart})
	apart.Status, apart.Fields = ticket.Solved, map[string]domain.Personal{"pedido": "A-7"}
	changed := d.Settings(domain.CategoryTicket, "5000", "beto", ticket.Changed{Definition: apart})
	find := func(v *view, q string) (numbers []int64) {
		t.Helper()
		page, err := v.Search(ctx, workspace, as(d, "carla"), q, history.Filter{}, "", 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Items {
			numbers = append(numbers, m.Ticket)
		}
		return numbers
	}
	v := newView(t, log).build(2)
	for q, want := range map[string][]int64{"#5000": {5000}, "visita técnico": {5000}, "100%": {5000}, "factura": nil, "10_%": nil} {
		if d := cmp.Diff(want, find(v, q)); d != "" {
			t.Errorf("%q (-want +got)\n%s", q, d)
		}
	}
	is, err := v.Ticket(ctx, workspace, as(d, "carla"), 5000, 0)
	if err != nil || is.Status != "solved" || is.Fields["pedido"] != "A-7" || is.Requester != who {
		t.Errorf("it is %+v, %v", is, err)
	}
	was, err := v.Ticket(ctx, workspace, admin, 5000, changed.Position-1)
	if err != nil || was.Status != "open" || was.Fields != nil {
		t.Errorf("it was %+v, %v", was, err)
	}
	line, err := v.TicketTimeline(ctx, workspace, as(d, "carla"), 5000, 0)
	if err != nil || len(line.Entries) != 2 || line.Entries[1].Type != "ticket_changed" || line.Entries[1].Actor != "operator:beto" {
		t.Errorf("its timeline is %+v, %v", line, err)
	}

	d.Settings(domain.CategoryContact, who, "adela", contact.Erased{Threads: []string{threadID(1)}})
	v.build(2)
	if is, err = v.Ticket(ctx, workspace, admin, 5000, 0); err != nil || is.Subject != string(domain.Erased) || is.Fields["pedido"] != string(domain.Erased) || is.Status != "solved" {
		t.Errorf("after the erasure it is %+v, %v", is, err)
	}
	if was, err = v.Ticket(ctx, workspace, admin, 5000, changed.Position-1); err != nil || was.Subject != string(domain.Erased) {
		t.Errorf("after the erasure it was %+v, %v", was, err)
	}
	if got := find(v, "visita"); got != nil {
		t.Errorf("after the erasure its words find %v", got)
	}
}
