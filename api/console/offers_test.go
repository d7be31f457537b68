package console_test

import (
	"context"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
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
	w.sees("#announcer", "Dino") // what a notice would have said, for it stands above the list already
	w.lacks("#notices", "Dino")
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

// F011: an offer can be answered with the keyboard alone, on a telephone's width. F056: the icon at the top is there too.
func TestAnOfferIsAnsweredOnATelephone(t *testing.T) {
	w := newWindow(t, 390, 844, true)
	d := newDesk(t)
	d.offering()
	id := d.offer("Carla", "Hola")
	w.signIn(d, "ana")
	w.unhurried()
	w.sees(".asked", "Carla")
	w.keep("offers-phone")
	var inside bool
	w.do("look for the way home, and out", chromedp.WaitVisible(".rail .brand"), chromedp.Evaluate(`[...document.querySelectorAll(".rail .brand, .rail .state, .rail [data-sign-out] button")]
		.every((n) => { const r = n.getBoundingClientRect(); return r.width > 20 && r.left >= 0 && r.right <= innerWidth; })`, &inside))
	if !inside {
		t.Error("a telephone's width does not hold what the rail holds")
	}
	w.tabTo(".asked a", false)
	w.do("look at it", chromedp.KeyEvent("\r"))
	w.sees(".offer-bar", "Se le ofrece a usted")
	w.focused("#text") // ready to write
	w.keep("offered-phone")
	w.tabTo(".offer-bar [data-act-name=decline]", true)
	w.do("decline it", chromedp.KeyEvent("\r"))
	w.sees(".thread", "Ana Prado la rechazó")
	w.focused("#pane")                              // its button is gone, and the next key is about the same conversation
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

// F011: who is a moment too late with an answer beside a conversation is told so there, and keeps it; whether the other is
// still in sight or not.
func TestAnAnswerThatComesTooLateLeavesTheOpenConversation(t *testing.T) {
	d := newDesk(t)
	d.offering()
	open, declined, taken := d.customer("Carla", "Hola"), d.offer("Dino", "Buenas"), d.offer("Eva", "Hola")
	d.operator("ana", open, "take", `{}`)
	d.operator("ana", declined, "offers/decline", `{}`)
	d.operator("sara", taken, "take", `{}`)
	ana := d.signedIn("ana")
	for _, late := range []string{declined, taken} {
		for _, answer := range []string{"accept", "decline"} {
			path := "/console/c/" + late + "/" + answer
			if p := ana.post(path, "list", "attending", "beside", "1", "open", open); p.status < 400 || !p.has(`data-open="`+open+`"`, "Esa conversación ya no se le ofrece a usted.", "data-refusal") {
				t.Errorf("%s beside a conversation, too late: %d, its conversation is there: %t", answer, p.status, p.has(`data-open="`+open+`"`))
			}
			form := url.Values{"csrf": {ana.csrf}, "list": {"attending"}, "beside": {"1"}}.Encode()
			if p := ana.send("POST", path, form, "Turno-Parts", "rail,list,pane"); p.status < 400 || p.has("data-open") || !p.has("no-pane", "Esa conversación ya no se le ofrece a usted.") {
				t.Errorf("%s beside none, too late: %d, one is open: %t", answer, p.status, p.has("data-open"))
			}
		}
	}
}

// F011: while somebody writes, an offer ends: what is written, focus, caret, scrolling and an open sheet stay, and what was
// begun as a note among colleagues does not become a reply.
func TestAnOfferThatEndsDoesNotDisturbWhoWrites(t *testing.T) {
	w := newWindow(t, 1280, 800, false)
	d := newDesk(t)
	d.api("PUT", "/v1/departments/soporte", `{"name":"Soporte","settings":{"offer_to":1}}`)
	for _, who := range []string{"ana", "beto"} {
		d.api("POST", "/v1/operators/"+who+"/presence", "")
	}
	id := d.customer("Carla", "Hola")
	for i := range 20 {
		d.customer("Carla", fmt.Sprint("Mensaje ", i))
	}
	round := 0
	offer := func(who string) {
		round++
		d.turno(id, thread.Offer{Operators: []string{who}, Department: "soporte", Round: round, For: time.Hour, Assignment: routing.Assignment{
			Rule: routing.LongestIdle, Candidates: []routing.Candidate{{Operator: who}},
		}})
	}
	withdraw := func() { d.turno(id, thread.Withdraw{Round: round, Cause: thread.OfferExhausted}) }
	const look = `window.kept = ["#text", ".composer", ".thread", ".toolbar", "#list .rows", "#list .item"].map((s) => document.querySelector(s));
		text.setSelectionRange(3, 3); kept[2].scrollTop = 40; 0`
	const same = `[kept.every((n) => n.isConnected), document.activeElement === kept[0], kept[0].value, kept[0].selectionStart, kept[2].scrollTop,
		document.querySelector("input[name=as]:checked").value].join()`
	check := func(what, want string) {
		t.Helper()
		var got string
		w.do(what, chromedp.Evaluate(same, &got))
		if got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}

	offer("ana")
	w.signIn(d, "ana")
	w.do("open it", chromedp.WaitVisible(".asked"), chromedp.Click("#list .asked a"), chromedp.WaitVisible(".offer-bar"),
		chromedp.SendKeys("#text", "ya le digo"), chromedp.Evaluate(look, nil))
	withdraw()
	w.gone(".offer-bar, .asked")
	check("ana writes a reply", "true,true,ya le digo,3,40,reply")

	offer("beto") // from here on she may write nothing but notes
	w.do("see it", chromedp.WaitNotPresent("input[name=as][value=reply]"))
	check("ana's reply has become a note", "true,true,ya le digo,3,40,note")
	withdraw()
	w.gone(".bar")
	w.do("see that one may reply", chromedp.WaitReady("input[name=as][value=reply]"))
	check("ana writes a note", "true,true,ya le digo,3,40,note")

	offer("ana")
	w.do("open a sheet", chromedp.WaitVisible(".offer-bar"), chromedp.Click(".toolbar [popovertarget=sheet-transfer]"), chromedp.WaitVisible("#transfer-reason"))
	withdraw()
	w.gone(".offer-bar, .asked")
	var open bool
	w.do("look at the sheet", chromedp.Evaluate(`document.querySelector("#sheet-transfer").matches(":popover-open") && document.querySelector("#sheet-transfer").contains(document.activeElement)`, &open))
	if !open {
		t.Error("the sheet that was open is shut")
	}
}

// F011: how long an offer stands is by the server's clock, whatever the reader's says.
func TestTheTimeLeftIsByTheServersClock(t *testing.T) {
	w := newWindow(t, 1280, 800, false)
	w.do("set the clock wrong", chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(`{ const now = Date.now; Date.now = () => now() + 3600_000; }`).Do(ctx)
		return err
	}))
	d := newDesk(t)
	d.offering()
	d.offer("Carla", "Hola")
	w.signIn(d, "ana")
	const right = `/^(9:\d\d|8:\d\d|10:00)$/.test(document.querySelector(".asked time[data-as=left]")?.textContent)`
	w.do("see the time left on the page", chromedp.Poll(right, nil))
	w.do("see it in what is fetched", chromedp.Click(".state.paused"), chromedp.Poll(`document.querySelector("#list h1").innerText === "En pausa" && `+right, nil))
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
	if p := ana.get("/console/c/" + id); !p.has("Soporte la ofrece: se la queda quien acepte primero.", `data-act-name="accept"`, "Ofrecidas a usted") {
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
