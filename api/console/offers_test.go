package console_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/turno-desk/turno/domain/routing"
	"github.com/turno-desk/turno/domain/thread"
)

// offering makes transfers to people of soporte offers, for as long as it takes.
func (d *desk) offering() {
	d.t.Helper()
	d.api("PUT", "/v1/departments/soporte", `{"name":"Soporte","settings":{"transfer_accept":true,"offer_timeout_s":600}}`)
	d.api("POST", "/v1/operators/ana/presence", "")
}

// offer is a conversation that sara wants to hand to ana.
func (d *desk) offer(customer, text string) string {
	d.t.Helper()
	id := d.customer(customer, text)
	d.operator("sara", id, "transfer", `{"operator":"ana"}`)
	return id
}

// F011 D8 D4: what is offered to somebody stands out in every list and in the conversation, with who offers it and until when,
// and is accepted or declined there; to others it says to whom it is offered, and they have nothing to take.
func TestAnOfferIsSeenByWhoIsAskedAndAcceptedOrDeclined(t *testing.T) {
	d := newDesk(t)
	d.offering()
	first, second := d.offer("Carla", "Hola"), d.offer("Dino", "Buenas")
	ana, beto := d.signedIn("ana"), d.signedIn("beto")

	for _, list := range []string{"waiting", "paused"} {
		p := ana.get("/console?list=" + list)
		if !p.has("Ofrecidas a usted", `data-key="asked-`+first+`"`, `data-key="asked-`+second+`"`, `data-as="left"`, "Sara Molina quiere pasársela.") {
			t.Errorf("the list %s does not show what is offered: %d", list, p.status)
		}
	}
	if p := ana.get("/console?list=waiting"); !p.has(`class="item unread offered"`, "Se le ofrece a usted") {
		t.Error("the row does not stand out")
	}
	p := ana.get("/console/c/" + first)
	if !p.has("Se le ofrece a usted", "Sara Molina quiere pasársela.", `data-act-name="accept"`, `data-act-name="decline"`, "Se ofreció a Ana Prado") || p.has(`data-act-name="take"`) {
		t.Errorf("the conversation does not say what is offered: %d", p.status)
	}
	p = beto.get("/console/c/" + first)
	if !p.has("Se ofrece a Ana Prado; por ahora nadie más la puede tomar.") || p.has(`data-act-name="take"`) || p.has(`data-act-name="accept"`) || p.has("Ofrecidas a usted") {
		t.Errorf("another is shown the offer otherwise: %d", p.status)
	}
	if p := beto.post("/console/c/"+first+"/accept", "list", "waiting"); !p.has("Ya no se le ofrece a usted, o se ofrece a otros.") {
		t.Errorf("another accepts: %d", p.status)
	}

	p = ana.post("/console/c/"+second+"/decline", "list", "paused", "beside", "1", "open", first)
	if want := "/console/c/" + first + "?list=paused"; p.header.Get("Location") != want {
		t.Errorf("declining beside another conversation leads to %q, want %q", p.header.Get("Location"), want)
	}
	if p := ana.get("/console/c/" + second); !p.has("Ana Prado la rechazó") || p.has(`data-act-name="accept"`) || p.has(`data-key="asked-`+second+`"`) {
		t.Error("what was declined is still offered")
	}
	p = ana.post("/console/c/"+first+"/accept", "list", "paused")
	if want := "/console/c/" + first + "?list=attending"; p.header.Get("Location") != want {
		t.Errorf("accepting leads to %q, want %q", p.header.Get("Location"), want)
	}
	if p := ana.get("/console/c/" + first + "?list=attending"); !p.has(`class="chip attending"`) || p.has("Ofrecidas a usted") {
		t.Errorf("what was accepted is still offered: %d", p.status)
	}
}

// F011 F023: an offer comes by the push stream wherever one is, with a notice; it goes when somebody else has the
// conversation, and accepting it opens it.
func TestAnOfferComesAndGoesByItself(t *testing.T) {
	w := newWindow(t, 1280, 800, false)
	d := newDesk(t)
	d.offering()
	w.signIn(d, "ana")
	w.do("look elsewhere", chromedp.Click(".state.paused"))
	w.sees("#list", "Nada en pausa.")
	first := d.offer("Carla", "Hola")
	w.sees(".asked", "Carla")
	second := d.offer("Dino", "¿Está abierto hoy?")
	w.sees(".asked", "Dino")
	w.lacks("#notices", "Dino") // it stands above the list already
	w.keep("offers")
	d.operator("sara", first, "take", `{}`)
	w.lacks(".asked", "Carla")
	w.do("look at it", chromedp.Click(".asked a"))
	w.sees(".offer-bar", "Sara Molina quiere pasársela.")
	w.keep("offered")
	w.do("accept it", chromedp.Click(".offer-bar [data-act-name=accept]"))
	w.sees(".chip", "En atención")
	w.lacks("#list", "Ofrecidas a usted")
	if got := d.api("GET", "/v1/conversations/"+second, "").text("operator"); got != "ana" {
		t.Errorf("it is %q's", got)
	}
}

// F011: an offer can be answered with the keyboard alone, on a telephone's width.
func TestAnOfferIsAnsweredOnATelephone(t *testing.T) {
	w := newWindow(t, 390, 844, true)
	d := newDesk(t)
	d.offering()
	id := d.offer("Carla", "Hola")
	w.signIn(d, "ana")
	w.unhurried()
	w.sees(".asked", "Carla")
	w.keep("offers-phone")
	w.do("look at it", chromedp.Click(".asked a"))
	w.sees(".offer-bar", "Se le ofrece a usted")
	w.keep("offered-phone")
	w.do("decline it", chromedp.Focus(".offer-bar [data-act-name=decline]"), chromedp.KeyEvent("\r"))
	w.sees(".thread", "Ana Prado la rechazó")
	second := d.offer("Dino", "¿Está abierto hoy?") // the list is out of sight
	w.sees(".notice.offered", "Se le ofrece")
	w.sees(".notice.offered .channel", "Web")
	w.keep("noticed-phone")
	d.operator("sara", second, "take", `{}`)
	w.lacks("#notices", "Dino")
	if got := d.api("GET", "/v1/conversations/"+id, "").text("state"); got != "waiting" {
		t.Errorf("it is %s", got)
	}
}

// F011 D8: an offer that a rule made says which department offers it, and ends for all: then everybody may take it.
func TestAnOfferOfARuleIsShownUntilItEnds(t *testing.T) {
	d := newDesk(t)
	d.api("PUT", "/v1/departments/soporte", `{"name":"Soporte","settings":{"offer_to":1}}`)
	d.api("POST", "/v1/operators/ana/presence", "")
	id := d.customer("Carla", "Hola")
	d.turno(id, thread.Offer{Operators: []string{"ana"}, Department: "soporte", Round: 1, For: time.Minute, Assignment: routing.Assignment{
		Rule: routing.LongestIdle, Candidates: []routing.Candidate{{Operator: "ana"}},
	}})
	ana, beto := d.signedIn("ana"), d.signedIn("beto")
	if p := ana.get("/console/c/" + id); !p.has("Soporte la ofrece: la tiene quien acepte primero.", `data-act-name="accept"`, "Ofrecidas a usted") {
		t.Errorf("who is asked is not told: %d", p.status)
	}
	if p := beto.get("/console/c/" + id); !p.has("Se ofrece a Ana Prado") || p.has(`data-act-name="take"`) {
		t.Errorf("another is not told: %d", p.status)
	}
	d.turno(id, thread.Withdraw{Round: 1, Cause: thread.OfferExhausted})
	for _, b := range []*browser{ana, beto} {
		if p := b.get("/console/c/" + id); !p.has("Nadie la aceptó: ahora la puede tomar cualquiera", `data-act-name="take"`) || p.has("offer-bar") || p.has("Ofrecidas a usted") {
			t.Errorf("the offer has not ended: %d", p.status)
		}
	}
}
