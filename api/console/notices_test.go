package console_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/turno-desk/turno/domain/thread"
)

// F023: a message is to be noticed while somebody waits for an answer: what was answered, closed or is the bot's is none, and
// what the desk said last is not shown as the contact's words. One named twice is told of once, by what still stands.
func TestANoticeTellsOnlyWhatStillStands(t *testing.T) {
	d := newDesk(t)
	d.offering()
	ana, beto := d.signedIn("ana"), d.signedIn("beto")
	of := func(b *browser, query string) shown { return b.get("/console/notices?" + query) }

	id := d.customer("Carla", "¿Me ayudan?")
	d.api("POST", "/v1/conversations/"+id+"/messages", `{"text":"En breve le atendemos."}`) // no person's answer
	if p := of(ana, "message="+id); !p.has("Mensaje nuevo", "Carla") || p.has("En breve") || p.has("notice-text") {
		t.Errorf("after what was said by itself: %s", p.body)
	}
	d.operator("ana", id, "take", `{}`)
	d.customer("Carla", "¿Hola?")
	if p := of(ana, "message="+id); !p.has("Mensaje nuevo", "¿Hola?") {
		t.Errorf("in her own: %s", p.body)
	}
	d.operator("ana", id, "messages", `{"text":"Aquí estoy."}`)
	if p := of(ana, "message="+id); strings.TrimSpace(p.body) != "" {
		t.Errorf("once answered: %s", p.body)
	}
	d.customer("Carla", "Gracias")
	d.operator("ana", id, "close", `{}`)
	if p := of(ana, "message="+id); strings.TrimSpace(p.body) != "" {
		t.Errorf("once closed: %s", p.body)
	}

	second := d.offer("Dino", "Buenas")
	if p := of(ana, "message="+second+"&offered="+second); strings.Count(p.body, "<section") != 1 || !p.has(`data-kind="offered"`) {
		t.Errorf("while it is offered: %s", p.body)
	}
	if p := of(beto, "message="+second+"&offered="+second); strings.TrimSpace(p.body) != "" {
		t.Errorf("while it is offered to another: %s", p.body)
	}
	d.operator("ana", second, "offers/decline", `{}`)
	d.turno(second, thread.Withdraw{Round: 1, Cause: thread.OfferRefused})
	for _, b := range []*browser{ana, beto} {
		if p := of(b, "message="+second+"&offered="+second); strings.Count(p.body, "<section") != 1 || !p.has(`data-kind="message"`, "Buenas") {
			t.Errorf("after the offer: %s", p.body)
		}
	}
}

// D1 D4 D8: what is offered to somebody while the department is closed stands above their lists like any other.
func TestWhatIsOfferedOutOfHoursIsSeenByWhoIsAsked(t *testing.T) {
	d := newDesk(t)
	d.api("PUT", "/v1/calendars/never", `{"name":"Nunca","zone":"UTC"}`)
	d.api("PUT", "/v1/departments/soporte", `{"name":"Soporte","settings":{"transfer_accept":true,"offer_timeout_s":600,"calendar":"never","strict_calendar":true}}`)
	d.api("POST", "/v1/operators/ana/presence", "")
	id := d.offer("Carla", "Hola")
	d.caughtUp()
	if got := d.api("GET", "/v1/conversations/"+id, "").text("state"); got != "out_of_hours" {
		t.Fatalf("it is %s", got)
	}
	if p := d.signedIn("ana").get("/console?list=paused"); !p.has("Ofrecidas a usted", `data-key="asked-`+id+`"`, `class="unseen">quedan</span>`) {
		t.Errorf("what is offered is not shown: %d", p.status)
	}
}

// D5 F014: of what is closed, who had it at the end may tag it, and turn the bot on that stays off in the contact's next one;
// others of the department may not, and nobody once there is a next one.
func TestWhatIsClosedIsForWhoHadItAtTheEnd(t *testing.T) {
	d := newDesk(t)
	d.withBot()
	id := d.customer("Carla", "Hola")
	d.operator("ana", id, "bot/pause", `{}`)
	d.operator("ana", id, "take", `{}`)
	d.operator("ana", id, "close", `{}`)
	offers := func(who string) (bot, tag bool) {
		p := d.signedIn(who).get("/console/c/" + id)
		return p.has(`data-act-name="resume-bot"`), p.has(`data-key="tag-new"`)
	}
	for who, want := range map[string]bool{"ana": true, "sara": true, "aldo": false} {
		if bot, tag := offers(who); bot != want || tag != want {
			t.Errorf("%s may turn the bot on: %t, tag: %t; want %t", who, bot, tag, want)
		}
	}
	d.api("PUT", "/v1/departments/soporte", `{"name":"Soporte","settings":{"reopen_within_s":0}}`)
	next := d.customer("Carla", "Otra cosa")
	if next == id {
		t.Fatal("there is no next one")
	}
	d.operator("beto", next, "take", `{}`) // so beto sees what the contact had before
	if p := d.signedIn("beto").get("/console/c/" + id); !p.has(`class="chip closed"`) {
		t.Fatalf("beto does not see it: %d", p.status)
	}
	for who, want := range map[string]bool{"ana": true, "sara": true, "beto": false} {
		if bot, tag := offers(who); bot || tag != want {
			t.Errorf("with a next one %s may turn the bot on: %t, tag: %t; want false, %t", who, bot, tag, want)
		}
	}
}

// F023 F011: in a burst the most pressing notices stay. An offer's stays while it stands, whatever else is said of the
// conversation, and goes with it.
func TestTheMostPressingNoticesStay(t *testing.T) {
	w := newWindow(t, 390, 844, true)
	d := newDesk(t)
	d.offering()
	w.signIn(d, "ana")
	w.unhurried()
	other := d.customer("Aldo", "Hola")
	d.operator("ana", other, "take", `{}`)
	d.caughtUp()
	w.do("open one, so that the list is out of sight", chromedp.Navigate(d.url+"/console/c/"+other), chromedp.WaitVisible("#text"))
	w.unhurried()
	id := d.offer("Carla", "¿Está abierto?")
	w.sees(".notice.offered", "Carla")
	for _, who := range []string{"Uno", "Dos", "Tres", "Cuatro", "Cinco"} {
		d.customer(who, "Hola")
	}
	w.sees(".notice.message", "Cinco")
	w.lacks("#notices", "Dos")
	w.sees(".notice.offered", "Carla")
	d.customer("Carla", "¿Hoy también?")
	w.sees(".notice.offered", "¿Hoy también?")
	d.operator("sara", id, "notes", `{"text":"Es cliente de años."}`)
	d.customer("Seis", "Hola") // what is told later has been asked with it, or later
	w.sees(".notice.message", "Seis")
	w.sees(".notice.offered", "Carla")
	w.keep("notices-phone")
	d.operator("sara", id, "take", `{}`)
	w.lacks("#notices", "Carla")
}

// F023: what is over before its notice could be fetched is not shown any more.
func TestANoticeThatIsOverBeforeItComesIsNotShown(t *testing.T) {
	w := newWindow(t, 390, 844, false)
	d := newDesk(t)
	d.offering()
	w.signIn(d, "ana")
	other := d.customer("Aldo", "Hola")
	d.operator("ana", other, "take", `{}`)
	d.caughtUp()
	w.do("open one", chromedp.Navigate(d.url+"/console/c/"+other), chromedp.WaitVisible("#text"))
	w.unhurried()
	w.do("hold what comes of notices", chromedp.Evaluate(`window.held = [];
		window.came = [];
		const real = window.fetch;
		window.fetch = async (...of) => {
			const answer = await real(...of);
			if (String(of[0]).includes("/notices?") && held) await new Promise((go) => held.push(go));
			return answer;
		};
		new MutationObserver((all) => { for (const m of all) for (const n of m.addedNodes) came.push(n.innerText); }).observe(document.querySelector("#notices"), { childList: true })`, nil))
	id := d.offer("Carla", "¿Está abierto?")
	w.do("wait for its answer", chromedp.Poll(`held.length === 1`, nil))
	d.operator("sara", id, "take", `{}`)
	d.customer("Aldo", "¿Sigue ahí?") // comes after it by the same stream
	w.sees(".thread", "¿Sigue ahí?")
	w.do("let it go on", chromedp.Evaluate(`const waiting = held; held = null; waiting.forEach((go) => go())`, nil))
	d.customer("Dino", "Buenas")
	w.sees(".notice.message", "Dino")
	var shown bool
	w.do("look", chromedp.Evaluate(`came.some((text) => text.includes("Carla"))`, &shown))
	if shown {
		t.Error("what was over is shown")
	}
}
