package console_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/turno-desk/turno/domain/thread"
)

// D2 D13: an alert stands at the row and in the conversation of who is meant by it, and nobody else's.
func TestAlertsAreShownToWhomTheyAreFor(t *testing.T) {
	d := newDesk(t)
	id := d.customer("Carla", "¿Hay alguien?")
	d.operator("ana", id, "take", `{}`)
	d.operator("ana", id, "pause", fmt.Sprintf(`{"until":%q}`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339Nano)))
	d.turno(id, thread.Alert{Cause: thread.AlertUnattended})
	if d.turno(id, thread.Alert{Cause: thread.AlertPauseOver}) {
		t.Error("the pause is over before its time")
	}
	d.ahead.Store(int64(2 * time.Hour))
	if !d.turno(id, thread.Alert{Cause: thread.AlertPauseOver}) {
		t.Fatal("the pause is not over after its time")
	}
	const list, at = "/console?list=paused", "/console/c/"
	for who, want := range map[string]struct{ shown, hidden string }{
		"ana":  {"Terminó la pausa", "Sin atender"},
		"sara": {"Sin atender", "Terminó la pausa"},
		"aldo": {"Ana Prado", "alert-mark"},
	} {
		b := d.signedIn(who)
		row, pane := b.get(list), b.get(at+id)
		if pane.has("alert-bar") != (who != "aldo") {
			t.Errorf("the conversation of %s has the wrong bars", who)
		}
		if !row.has(want.shown) || !pane.has(want.shown) || row.has(want.hidden) || pane.has(want.hidden) {
			t.Errorf("%s sees otherwise: row %t, conversation %t; what is not for them: %t, %t", who, row.has(want.shown), pane.has(want.shown), row.has(want.hidden), pane.has(want.hidden))
		}
	}
	if p := d.signedIn("sara").get(at + id); !p.has("El cliente espera respuesta, y Ana Prado, que la tiene en pausa, no está.", "Aviso a supervisión") {
		t.Error("the supervisor is not told why")
	}
	for who, want := range map[string]string{"ana": "Terminó la pausa", "sara": "Sin atender", "beto": "", "aldo": ""} {
		p := d.signedIn(who).get("/console/notices?alerted=" + id)
		if want == "" && strings.TrimSpace(p.body) != "" || !p.has(want) {
			t.Errorf("%s is told to notice %q, want %q", who, p.body, want)
		}
	}
	if p := d.signedIn("sara").get(list); strings.Count(p.body, `class="mark alert-mark"`) != 1 {
		t.Error("the supervisor's row has not its one mark")
	}
}

// F056: from a conversation, and from any list, the icon at the top leads back to the main screen.
func TestTheIconAtTheTopLeadsHome(t *testing.T) {
	d := newDesk(t)
	id := d.customer("Carla", "Hola")
	ana := d.signedIn("ana")
	for _, path := range []string{"/console/c/" + id, "/console?list=paused"} {
		if p := ana.get(path); !p.has(`<a class="brand" href="/console" data-nav aria-label="Turno: pantalla principal"`) {
			t.Errorf("nothing leads home from %s", path)
		}
	}
	if p := ana.get("/console"); p.status != 200 || !p.has("En espera", "Carla") || p.has("data-open") {
		t.Errorf("the main screen: %d", p.status)
	}
}

// Of what one may not see no notice is given, and of no more than twenty at once.
func TestNoticesAreOfWhatOneSeesAndNotTooMany(t *testing.T) {
	d := newDesk(t)
	secret := d.customer("Carla", "el secreto de Carla")
	d.operator("ana", secret, "take", `{}`)
	ids := []string{secret, "tnothing-1", "nonsense", ""}
	for i := range 22 {
		ids = append(ids, d.customer(fmt.Sprint("Cliente ", i), "Hola"))
	}
	beto := d.signedIn("beto")
	for _, kind := range []string{"message", "assigned", "offered", "alerted"} {
		p := beto.get("/console/notices?" + kind + "=" + strings.Join(ids, ","))
		n := strings.Count(p.body, `<section class="notice`)
		want := 17 // of the first twenty, three are none of his
		if kind == "offered" || kind == "alerted" {
			want = 0 // nothing is
		}
		if p.status != 200 || n != want || p.has("secreto") {
			t.Errorf("%s: %d, %d notices, want %d: %s", kind, p.status, n, want, p.body)
		}
	}
}

// D2: a pause may have a time, at which its owner is told.
func TestAPauseMayHaveATime(t *testing.T) {
	d := newDesk(t)
	id := d.customer("Carla", "Hola")
	ana := d.signedIn("ana")
	ana.post("/console/c/"+id+"/take", "list", "waiting")
	if p := ana.get("/console/c/" + id); !p.has(`id="sheet-pause"`, `<option value="15">En 15 minutos</option>`, "En una hora", "En 24 horas") {
		t.Error("there is no time to choose")
	}
	times := 0
	for _, minutes := range []string{"", "60", "61", "x"} { // 61 is none of those to choose
		ana.post("/console/c/"+id+"/pause", "list", "attending", "minutes", minutes, "reason", "espera al taller")
		p := ana.get("/console/c/" + id)
		told := regexp.MustCompile(`hasta\s+<time datetime="([^"]+)"`).FindAllStringSubmatch(p.body, -1)
		if times += strings.Count(minutes, "60"); len(told) != times || !p.has("espera al taller", `class="chip paused"`) {
			t.Errorf("of the pauses until %q, %d are told with their time, want %d", minutes, len(told), times)
			continue
		}
		if minutes == "60" {
			until, err := time.Parse(time.RFC3339, told[len(told)-1][1])
			if left := time.Until(until); err != nil || left < 55*time.Minute || left > time.Hour {
				t.Errorf("an hour's pause is until %v, %v", until, err)
			}
		}
		ana.post("/console/c/"+id+"/resume", "list", "paused")
	}
}

// withBot gives the channel web a menu.
func (d *desk) withBot() {
	d.t.Helper()
	d.api("PUT", "/v1/menus/welcome", `{"name":"Welcome","person":{"title":"Hablar con una persona"},"nodes":[{"id":"start","text":"Hola, ¿en qué ayudo?","choices":[
		{"id":"hours","title":"Horario","action":"answer","text":"De nueve a seis."},{"id":"buy","title":"Comprar","action":"hand_off","department":"ventas"}]}]}`)
	d.api("PUT", "/v1/channels/web", `{"type":"generic","name":"Web","department":"soporte","menu":"welcome"}`)
}

// F013 F014: what a bot has is a list of its own; its choices are shown as such and what the customer chose in words; it is
// paused, and gets back what waits.
func TestTheBotsConversationsAreSeenPausedAndGivenBack(t *testing.T) {
	d := newDesk(t)
	ana := d.signedIn("ana")
	if p := ana.get("/console"); p.has(`data-key="bot"`) {
		t.Error("where there is no bot there is a list of its own")
	}
	d.withBot()
	id := d.customer("Carla", "Hola")
	d.turno(id, thread.Converse{Message: id + "-m1"})
	d.customer("Carla", "1")
	d.turno(id, thread.Converse{Message: id + "-m3"})

	if p := ana.get("/console?list=bot"); !p.has(`class="state bot"`, "Con el bot", "Carla", "De nueve a seis.") {
		t.Errorf("the bot's list lacks something: %d", p.status)
	}
	p := ana.get("/console/c/" + id + "?list=bot")
	if !p.has(`class="chip bot"`, `<ul class="choices"`, "<li dir=\"auto\">Horario</li>", "Hablar con una persona", `Eligió: <strong dir="auto">Horario</strong>`, `data-act-name="pause-bot"`) {
		t.Errorf("the conversation with the bot lacks something: %d", p.status)
	}
	if p.has(`data-act-name="resume-bot"`) {
		t.Error("what the bot has can be given to it")
	}
	p = ana.post("/console/c/"+id+"/pause-bot", "list", "bot")
	if want := "/console/c/" + id + "?list=waiting"; p.header.Get("Location") != want {
		t.Fatalf("pausing the bot leads to %q, want %q", p.header.Get("Location"), want)
	}
	if p := ana.get("/console/c/" + id); !p.has(`class="chip waiting"`, "Ana Prado pausó el bot", `data-act-name="resume-bot"`) || p.has(`data-act-name="pause-bot"`) {
		t.Errorf("the bot is not paused: %d", p.status)
	}
	p = ana.post("/console/c/"+id+"/resume-bot", "list", "waiting")
	if want := "/console/c/" + id + "?list=bot"; p.header.Get("Location") != want {
		t.Fatalf("giving it back leads to %q, want %q", p.header.Get("Location"), want)
	}
	if p := ana.get("/console/c/" + id); !p.has(`class="chip bot"`, "Ana Prado activó el bot") {
		t.Errorf("the bot has not got it back: %d", p.status)
	}
}

// F013: the bot's messages and what was chosen, as an operator sees them.
func TestAMenuIsReadableInTheConversation(t *testing.T) {
	w := newWindow(t, 1280, 800, false)
	d := newDesk(t)
	d.withBot()
	w.signIn(d, "ana")
	id := d.customer("Carla", "Buenos días")
	d.turno(id, thread.Converse{Message: id + "-m1"})
	d.customer("Carla", "1")
	d.turno(id, thread.Converse{Message: id + "-m3"})
	w.do("open the bot's list", chromedp.Click(".state.bot"))
	w.sees("#list", "Carla")
	w.do("open it", chromedp.Click("#list a.item"))
	w.sees(".chosen", "Horario")
	w.sees(".choices", "Hablar con una persona")
	w.keep("bot")
	var pressable int
	w.do("press a choice", chromedp.Evaluate(`document.querySelectorAll(".choices :is(a, button, [tabindex])").length`, &pressable))
	if pressable != 0 {
		t.Error("an operator can press the customer's choices")
	}
}

// F008: each conversation shows, by an icon with a name, of which sort its channel is. F098: a live chat alone has a session to
// end, which is asked about first, and what the department demands of a close it demands here.
func TestOfALiveChatTheSessionIsEnded(t *testing.T) {
	w := newWindow(t, 1280, 800, false)
	d := newDesk(t)
	d.api("PUT", "/v1/channels/chat", `{"type":"webchat","name":"Chat","department":"soporte"}`)
	other := d.customer("Dino", "Por la API")
	id := d.api("POST", "/v1/channels/chat/messages", `{"from":{"address":"visitor-1","name":"Carla"},"text":"Hola desde la página"}`).text("conversation.id")
	for _, c := range []string{id, other} {
		d.operator("ana", c, "take", `{}`)
	}
	ana := d.signedIn("ana")
	if p := ana.get("/console?list=attending"); !p.has(`role="img" aria-label="Chat web"`, `role="img" aria-label="Canal por API"`) {
		t.Error("the rows do not show the sorts of their channels")
	}
	if p := ana.get("/console/c/" + other); p.has("end-session") || !p.has(`aria-label="Canal por API"`) {
		t.Error("what is no live chat has a session to end")
	}
	w.signIn(d, "ana")
	w.do("open it", chromedp.Navigate(d.url+"/console/c/"+id+"?list=attending"), chromedp.WaitVisible("#text"),
		chromedp.Click(".toolbar [popovertarget=sheet-end-session]"), chromedp.WaitVisible("#end-session-summary"))
	w.keep("ending-session")
	w.do("end it", chromedp.SendKeys("#end-session-summary", "Todo dicho"), chromedp.Click("[data-act-name=end-session]"))
	w.sees(".chip", "Finalizada")
	w.sees(".thread", "Ana Prado terminó el chat; se avisó al visitante")
	if got := d.api("GET", "/v1/conversations/"+id, "").text("state"); got != "closed" {
		t.Errorf("it is %s", got)
	}
}

// F023: a new message raises a notice that names its channel, wherever one is; none is raised about what one is looking at,
// and it goes when its conversation is opened, when it is dismissed, and after its time.
func TestANewMessageRaisesANoticeThatNamesItsChannel(t *testing.T) {
	w := newWindow(t, 1280, 800, false)
	d := newDesk(t)
	w.signIn(d, "ana")
	w.unhurried()
	w.do("look elsewhere", chromedp.Click(".state.paused"))
	w.sees("#list", "Nada en pausa.")
	d.customer("Carla", "¿Me ayudan?")
	w.sees(".notice.message", "Mensaje nuevo")
	w.sees(".notice .channel", "Web")
	w.sees(".notice", "¿Me ayudan?")
	d.customer("Dino", "Yo también")
	w.sees("#notices", "Yo también")
	w.keep("notices")
	w.do("open what it tells of", chromedp.Click(".notice a"), chromedp.WaitVisible("#text"))
	w.sees("#who", "Carla")
	w.lacks("#notices", "Carla")
	w.do("dismiss the other with the keyboard", chromedp.Focus("[data-shut]"), chromedp.KeyEvent("\r"))
	w.lacks("#notices", "Dino")
	d.customer("Carla", "Es urgente")
	w.sees(".thread", "Es urgente")
	d.customer("Dino", "Sigo aquí") // what is told of later has been asked for later
	w.sees("#notices", "Sigo aquí")
	w.lacks("#notices", "Es urgente")

	w.do("hurry", chromedp.Evaluate(`document.querySelector("#notices").dataset.stays = "1"; window.came = 0;
		new MutationObserver((all) => { for (const m of all) window.came += m.addedNodes.length; }).observe(document.querySelector("#notices"), { childList: true })`, nil))
	d.customer("Eva", "Hola") // by itself it goes after its time
	w.do("see it come and go", chromedp.Poll(`window.came === 1 && ![...document.querySelectorAll(".notice")].some((n) => n.innerText.includes("Eva"))`, nil))
}
