package console_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestAnOperatorWorksWithoutAnyScript(t *testing.T) {
	d := newDesk(t)
	id := d.customer("Carla", "Hola")
	ana := d.signedIn("ana")
	at := "/console/c/" + id
	for _, step := range []struct {
		act    string
		fields []string
		to     string // the list that it leads to
		shows  []string
	}{
		{"take", nil, "attending", []string{"Ana Prado la tomó", `class="chip attending"`}},
		{"read", nil, "waiting", []string{`data-unread="0"`}},
		{"write", []string{"as", "reply", "text", "Buenas, ¿en qué ayudo?"}, "waiting", []string{"Buenas, ¿en qué ayudo?", `class="said out"`}},
		{"write", []string{"as", "note", "text", "cliente nueva"}, "waiting", []string{"cliente nueva", `class="said note"`, "Nota interna"}},
		{"tags", []string{"add", "Envío Urgente, Factura "}, "waiting", []string{"envio-urgente", "factura"}},
		{"tags", []string{"remove", "factura"}, "waiting", []string{"Ana Prado quitó factura"}},
		{"pause", nil, "paused", []string{"Ana Prado la puso en pausa", `class="chip paused"`}},
		{"resume", nil, "attending", []string{"Ana Prado la reanudó"}},
		{"release", nil, "waiting", []string{"Ana Prado la liberó", `class="chip waiting"`}},
		{"write", []string{"as", "reply", "text", "Sigo yo"}, "waiting", []string{"Sigo yo", `class="chip attending"`}},
		{"close", []string{"category", "Envío", "summary", "Llegó"}, "waiting", []string{"Ana Prado la finalizó · envio", "Llegó", `class="chip closed"`}},
	} {
		p := ana.post(at+"/"+step.act, append(step.fields, "list", "waiting")...)
		if want := at + "?list=" + step.to; p.status != http.StatusSeeOther || p.header.Get("Location") != want {
			t.Fatalf("%s answers %d, %q, want %s: %s", step.act, p.status, p.header.Get("Location"), want, p.body)
		}
		if page := ana.get(p.header.Get("Location")); page.status != http.StatusOK || !page.has(step.shows...) {
			t.Errorf("after %s %v the page (%d) lacks one of %q", step.act, step.fields, page.status, step.shows)
		}
	}
}

func TestWhoComesLateIsToldWhoHasIt(t *testing.T) {
	d := newDesk(t)
	id := d.customer("Carla", "algo muy suyo")
	beto := d.signedIn("beto")
	if p := beto.get("/console/c/" + id); !p.has(`data-act-name="take"`) {
		t.Fatal("there is nothing to take")
	}
	d.operator("ana", id, "take", `{}`)
	d.caughtUp()
	for _, act := range []string{"take", "write"} {
		p := beto.post("/console/c/"+id+"/"+act, "list", "waiting", "as", "reply", "text", "¡Hola!")
		if p.status != http.StatusConflict || !p.has("Ana Prado está atendiendo esta conversación.", `role="alert"`) || p.has("algo muy suyo") {
			t.Errorf("%s too late: %d", act, p.status)
		}
	}
}

func TestARefusalSaysAllThatIsMissingAndKeepsWhatWasTyped(t *testing.T) {
	d := newDesk(t)
	id := d.customer("Carla", "Quiero comprar")
	d.operator("ana", id, "transfer", `{"department":"ventas"}`)
	d.operator("beto", id, "take", `{}`)
	beto := d.signedIn("beto")
	if p := beto.post("/console/c/"+id+"/close", "list", "attending"); p.status != http.StatusUnprocessableEntity || !p.has("Para finalizar falta: la categoría, el resumen.") {
		t.Errorf("a close without what ventas asks for: %d", p.status)
	}
	long := strings.Repeat("x", 70<<10)
	p := beto.post("/console/c/"+id+"/write", "list", "attending", "as", "reply", "text", long, "key", "k1")
	if p.status != http.StatusRequestEntityTooLarge || !p.has("El texto es demasiado largo.", long, `value="k1"`) {
		t.Errorf("too long a message: %d", p.status)
	}
	if p := beto.post("/console/c/"+id+"/write", "list", "attending", "as", "reply", "text", "  "); p.status != http.StatusBadRequest {
		t.Errorf("an empty message: %d", p.status)
	}
	if p := beto.post("/console/c/"+id+"/transfer", "list", "attending", "operator", "ana"); p.status != http.StatusConflict || !p.has("Esa persona no está disponible") {
		t.Errorf("a transfer to somebody who is not there: %d", p.status)
	}
	if p := beto.post("/console/c/"+id+"/write", "list", "attending", "text", strings.Repeat("x", 300<<10)); p.status != http.StatusForbidden && p.status != http.StatusBadRequest {
		t.Errorf("a form that is larger than any: %d", p.status)
	}
}

func TestATransferOutOfSightLeadsBackToTheList(t *testing.T) {
	d := newDesk(t)
	id := d.customer("Carla", "Quiero comprar")
	ana := d.signedIn("ana")
	ana.post("/console/c/"+id+"/take", "list", "waiting")
	p := ana.post("/console/c/"+id+"/transfer", "list", "attending", "department", "ventas", "reason", "quiere comprar")
	if p.status != http.StatusSeeOther || p.header.Get("Location") != "/console?list=attending&told=transferred" {
		t.Fatalf("the transfer answers %d, %q", p.status, p.header.Get("Location"))
	}
	if p := ana.get(p.header.Get("Location")); !p.has("La conversación fue transferida.") || p.has("Quiero comprar") {
		t.Errorf("the list afterwards: %d", p.status)
	}
	beto := d.signedIn("beto")
	if p := beto.get("/console/c/" + id); !p.has("Ana Prado la transfirió a Ventas", "quiere comprar") {
		t.Errorf("who received it is shown: %d", p.status)
	}
}

func TestASupervisorSeesHersAndAssigns(t *testing.T) {
	d := newDesk(t)
	id := d.customer("Carla", "Hola")
	d.operator("ana", id, "take", `{}`)
	sara := d.signedIn("sara")
	p := sara.get("/console/c/" + id + "?list=attending")
	if !p.has("sheet-assign", "Tomar para mí", "Ana Prado", `name="as" value="note" checked`) || p.has(`name="as" value="reply"`) {
		t.Errorf("a supervisor before another's conversation: %d", p.status)
	}
	if p := sara.post("/console/c/"+id+"/assign", "list", "attending", "operator", "beto"); p.status != http.StatusSeeOther {
		t.Fatalf("assigning answers %d: %s", p.status, p.body)
	}
	if p := sara.get("/console/c/" + id); !p.has("Sara Molina la asignó a Beto Lima") {
		t.Errorf("the assignment is not shown: %d", p.status)
	}
	before := d.head()
	if p := d.signedIn("beto").post("/console/c/"+id+"/assign", "operator", "beto"); p.status != http.StatusForbidden {
		t.Errorf("an operator assigns: %d", p.status)
	}
	if d.head() != before {
		t.Error("an operator's assignment reached the log")
	}
}

func TestAMessageThatIsSentTwiceStandsOnce(t *testing.T) {
	d := newDesk(t)
	id := d.customer("Carla", "Hola")
	ana := d.signedIn("ana")
	page := ana.get("/console/c/" + id)
	key := regexp.MustCompile(`name="key" value="([^"]+)"`).FindStringSubmatch(page.body)
	if key == nil {
		t.Fatal("the composer has no key")
	}
	for range 2 {
		if p := ana.post("/console/c/"+id+"/write", "as", "reply", "text", "una sola vez", "key", key[1]); p.status != http.StatusSeeOther {
			t.Fatalf("sending answers %d", p.status)
		}
	}
	if p := ana.get("/console/c/" + id); strings.Count(p.body, `<p class="text" dir="auto">una sola vez</p>`) != 1 {
		t.Error("the message does not stand once")
	}
}

func TestAScriptIsAnsweredWithThePartsAndTheNewPlace(t *testing.T) {
	d := newDesk(t)
	id := d.customer("Carla", "Hola")
	ana := d.signedIn("ana")
	p := ana.send("POST", "/console/c/"+id+"/take", "list=waiting", "X-CSRF-Token", ana.csrf, "Turno-Parts", "rail,list,pane")
	if p.status != http.StatusOK || p.header.Get("Turno-Location") != "/console/c/"+id+"?list=attending" || !p.has(`id="pane"`, "Ana Prado la tomó") {
		t.Errorf("taking answers %d, %q", p.status, p.header.Get("Turno-Location"))
	}
	beto := d.signedIn("beto")
	p = beto.send("POST", "/console/c/"+id+"/release", "list=waiting", "X-CSRF-Token", beto.csrf, "Turno-Parts", "rail,list,pane")
	if p.status != http.StatusNotFound || !p.has("ya no está a su vista") {
		t.Errorf("what a script may not see answers %d", p.status)
	}
}
