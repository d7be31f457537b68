package console_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// inline is what the policy forbids, and what would be dead on the page.
var inline = regexp.MustCompile(`<script(?:\s+type="module")?>|<style|\sstyle="|\son[a-z]+="|javascript:`)

func TestEveryPageIsBehindAStrictPolicyAndHasNothingInline(t *testing.T) {
	d := newDesk(t)
	id := d.customer("Carla", "Hola")
	stranger, ana, admin := d.browser(), d.signedIn("ana"), d.signedIn("admin")
	for _, p := range []shown{
		stranger.get("/"), stranger.get("/console"), stranger.get("/console/sign-in"), stranger.get("/console/assets/x/console.css"),
		stranger.get("/console/assets/x/none"), ana.get("/console"), ana.get("/console/c/" + id), ana.get("/console/c/tnothing-1"),
		ana.post("/console/c/"+id+"/take", "csrf", "x"), admin.get("/console"), admin.get("/console/first-steps"),
	} {
		csp := p.header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%d: the policy lacks %s: %q", p.status, want, csp)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
			t.Errorf("the policy allows too much: %q", csp)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY"} {
			if got := p.header.Get(name); got != want {
				t.Errorf("%d: %s is %q", p.status, name, got)
			}
		}
		if found := inline.FindString(p.body); found != "" {
			t.Errorf("the page has %q in it", found)
		}
	}
	if p := ana.get("/console"); p.header.Get("Cache-Control") != "no-store" {
		t.Errorf("a page may be kept: %q", p.header.Get("Cache-Control"))
	}
}

func TestAssetsMayBeKeptAsLongAsTheirAddressIsTheirs(t *testing.T) {
	d := newDesk(t)
	b := d.browser()
	p := b.get("/console/sign-in")
	sheet := regexp.MustCompile(`href="(/console/assets/[0-9a-f]+/console\.css)"`).FindStringSubmatch(p.body)
	if sheet == nil {
		t.Fatal("the page has no stylesheet")
	}
	if css := b.get(sheet[1]); css.status != http.StatusOK || !strings.Contains(css.header.Get("Cache-Control"), "immutable") || !strings.HasPrefix(css.header.Get("Content-Type"), "text/css") {
		t.Errorf("the stylesheet: %d %v", css.status, css.header)
	}
	if old := b.get("/console/assets/000000000000/console.js"); old.status != http.StatusOK || strings.Contains(old.header.Get("Cache-Control"), "immutable") {
		t.Errorf("an address of another version: %d %q", old.status, old.header.Get("Cache-Control"))
	}
	if none := b.get("/console/assets/000000000000/..%2fconsole.go"); none.status != http.StatusNotFound {
		t.Errorf("what is no asset: %d", none.status)
	}
}

func TestEachSeesInTheConsoleWhatTheRuleShowsAndNothingElse(t *testing.T) {
	d := newDesk(t)
	attended := d.customer("Carla", "el secreto de Carla")
	d.operator("ana", attended, "take", `{}`)
	waiting := d.customer("Dino", "el saludo de Dino")
	all := []string{"ana", "beto", "sara", "aldo", "admin"}
	sees := map[string]map[string]bool{
		attended: {"ana": true, "sara": true, "aldo": true, "admin": true}, // its owner, her supervisor, who audits, who administers
		waiting:  {"ana": true, "beto": true, "sara": true, "aldo": true, "admin": true},
	}
	text := map[string]string{attended: "el secreto de Carla", waiting: "el saludo de Dino"}
	for _, who := range all {
		b := d.signedIn(who)
		for id, by := range sees {
			want := http.StatusNotFound
			if by[who] {
				want = http.StatusOK
			}
			if p := b.get("/console/c/" + id); p.status != want || p.has(text[id]) != by[who] {
				t.Errorf("%s opens %q: %d, want %d", who, text[id], p.status, want)
			}
			part := b.get("/console/c/"+id, "Turno-Parts", "rail,list,pane")
			if part.has(text[id]) != by[who] {
				t.Errorf("%s is shown %q by parts: %t", who, text[id], !by[who])
			}
		}
		lists := b.get("/console?list=attending").body + b.get("/console?list=waiting").body
		for id, by := range sees {
			if strings.Contains(lists, text[id]) != by[who] {
				t.Errorf("%s has %q in a list: %t", who, text[id], !by[who])
			}
		}
	}

	beto, before := d.signedIn("beto"), d.head()
	for _, act := range []string{"write", "release", "transfer", "pause", "resume", "tags", "close", "read"} {
		p := beto.post("/console/c/"+attended+"/"+act, "text", "hola", "as", "note", "add", "x", "department", "ventas", "operator", "beto")
		if p.status != http.StatusNotFound || p.has("secreto") {
			t.Errorf("beto does %s to what he may not see: %d", act, p.status)
		}
	}
	if p := beto.post("/console/c/"+attended+"/assign", "operator", "beto"); p.status != http.StatusForbidden || p.has("secreto", "Ana Prado") {
		t.Errorf("beto, who supervises nobody, assigns: %d", p.status)
	}
	for _, id := range []string{"tnothing-1", "nonsense", "..", "t-1-2-3", "%00"} {
		if p := beto.get("/console/c/" + id); p.status != http.StatusNotFound {
			t.Errorf("/console/c/%s: %d, want 404", id, p.status)
		}
	}
	if after := d.head(); after != before {
		t.Errorf("the log went from %s to %s", before, after)
	}
}

func TestWhoOnlyLooksHasNoButtonsAndDoesNothing(t *testing.T) {
	d := newDesk(t)
	id := d.customer("Carla", "Hola")
	for _, who := range []string{"admin", "aldo"} {
		b := d.signedIn(who)
		if p := b.get("/console/c/" + id); p.has("data-act") || !p.has("Hola", "no intervenir") {
			t.Errorf("%s has something to press: %d", who, p.status)
		}
		before := d.head()
		if p := b.post("/console/c/"+id+"/take", "list", "waiting"); p.status != http.StatusForbidden || !p.has("Su rol no permite") {
			t.Errorf("%s takes: %d", who, p.status)
		}
		if p := b.post("/console/presence"); p.status != http.StatusNoContent {
			t.Errorf("%s says to be there: %d", who, p.status)
		}
		if after := d.head(); after != before {
			t.Errorf("%s made the log go from %s to %s", who, before, after)
		}
	}
	if p := d.signedIn("admin").get("/console"); !p.has("Usted está mirando", "api -X POST $TURNO/operators/nora/tokens") {
		t.Error("the administrator is not told how to become somebody")
	}
}

func TestACustomersWordsAreTextAndNothingElse(t *testing.T) {
	d := newDesk(t)
	body, _ := json.Marshal(map[string]any{
		"from": map[string]string{"address": "x", "name": `<img src=x onerror=alert(1)>`}, "text": `<script>alert("hola")</script>`,
		"attachments": []map[string]any{
			{"url": "http://javascript:alert(1)", "name": "trampa", "type": "image/png"}, {"url": "https://example.org/a.png", "name": "foto", "type": "image/png"},
		},
	})
	id := d.api("POST", "/v1/channels/web/messages", string(body)).text("conversation.id")
	p := d.signedIn("ana").get("/console/c/" + id)
	if p.status != http.StatusOK || p.has("<script>alert") || p.has("<img") || p.has("javascript:") {
		t.Errorf("what a customer wrote became markup: %d", p.status)
	}
	if !p.has("&lt;script&gt;alert", "trampa", `href="https://example.org/a.png" target="_blank" rel="noopener noreferrer"`) {
		t.Error("what a customer wrote is not shown")
	}
}

func TestPartsOfThePageAreAnsweredAlone(t *testing.T) {
	d := newDesk(t)
	id := d.customer("Carla", "Hola")
	b := d.signedIn("ana")
	p := b.get("/console/c/"+id, "Turno-Parts", "rail,list")
	if p.has("<html") || !p.has(`id="facts"`, `id="rail"`, `id="list"`) || p.has(`id="pane"`) {
		t.Errorf("asked for rail and list: %s", p.body)
	}
	p = b.get("/console/c/"+id, "Turno-Parts", "rail,list,pane")
	if !p.has(`id="pane"`, `data-open="`+id+`"`) {
		t.Errorf("asked for the pane too: %s", p.body)
	}
	p = b.get("/console?list=nonsense&cursor=")
	if p.status != http.StatusOK || !p.has(`class="state waiting"`) {
		t.Errorf("a list that there is not: %d", p.status)
	}
	if p = b.get("/console?cursor=nonsense"); p.status != http.StatusBadRequest {
		t.Errorf("a cursor that nobody gave: %d", p.status)
	}
	if p = b.get("/console", "Turno-Position", "x"); p.status != http.StatusBadRequest {
		t.Errorf("a position that is none: %d", p.status)
	}
}

func TestALongListIsTurnedOver(t *testing.T) {
	d := newDesk(t)
	for i := range 103 {
		d.customer("Cliente "+string(rune('A'+i/26))+string(rune('A'+i%26)), "Hola")
	}
	b := d.signedIn("ana")
	rows := regexp.MustCompile(`<li data-key="t[a-z0-9]+-1">`)
	first := b.get("/console")
	next := regexp.MustCompile(`href="(/console\?cursor=[^"]+)"`).FindStringSubmatch(first.body)
	if n := len(rows.FindAllString(first.body, -1)); n != 100 || next == nil {
		t.Fatalf("the first part has %d rows", n)
	}
	second := b.get(strings.ReplaceAll(next[1], "&amp;", "&"))
	if n := len(rows.FindAllString(second.body, -1)); n != 3 {
		t.Errorf("the second part has %d rows", n)
	}
}

func TestAnEmptyDeskExplainsItself(t *testing.T) {
	d := bareDesk(t, nil)
	b := d.signedIn("admin")
	if p := b.get("/console"); p.status != http.StatusSeeOther || p.header.Get("Location") != "/console/first-steps" {
		t.Errorf("an empty desk answers %d, %q", p.status, p.header.Get("Location"))
	}
	p := b.get("/console/first-steps")
	if !p.has("Primeros pasos", "export TURNO="+d.url+"/v1", "$TURNO/departments/support", "$TURNO/channels/web", "$TURNO/operators/nora") || p.has(`class="done"`) {
		t.Errorf("the first steps: %s", p.body)
	}
	d.api("PUT", "/v1/departments/support", `{"name":"Support"}`)
	if p := b.get("/console/first-steps"); strings.Count(p.body, `class="done"`) != 1 {
		t.Error("the first step is not shown as done")
	}
	d.api("PUT", "/v1/channels/web", `{"type":"generic","name":"Web","department":"support"}`)
	d.api("PUT", "/v1/operators/ana", `{"name":"Ana","role":"operator","departments":["support"]}`)
	if p := b.get("/console"); p.status != http.StatusOK {
		t.Errorf("a desk with all that it needs answers %d", p.status)
	}
}

// bare is a key of the catalogue where a text should be.
var bare = regexp.MustCompile(`[>"]\s*(?:state|order|nothing|act|role|event|kind|trouble|sign_in|first|write|refusal|offer|alert|notice|step|channel|choice)\.[a-z_.]+\s*[<"]`)

func TestEveryPageSpeaksEveryLanguage(t *testing.T) {
	d := newDesk(t)
	id := d.customer("Carla", "Hola")
	d.operator("ana", id, "take", `{}`)
	stranger, ana, admin := d.browser(), d.signedIn("ana"), d.signedIn("admin")
	says := map[string][]string{
		"es": {"Pegue su token", "En espera", "Ana Prado la tomó", "Usted está mirando", "Primeros pasos", "Aquí no hay nada"},
		"en": {"Paste your Turno token", "Waiting", "Ana Prado took it", "You are looking on", "First steps", "There is nothing here"},
		"pt": {"Cole seu token", "Em espera", "Ana Prado a assumiu", "Você está apenas olhando", "Primeiros passos", "Não há nada aqui"},
	}
	for lang, want := range says {
		for i, p := range []shown{
			stranger.get("/console/sign-in", "Accept-Language", lang), ana.get("/console", "Accept-Language", lang),
			ana.get("/console/c/"+id+"?list=attending", "Accept-Language", lang), admin.get("/console", "Accept-Language", lang),
			admin.get("/console/first-steps", "Accept-Language", lang), ana.get("/console/c/tnothing-1", "Accept-Language", lang),
		} {
			if !p.has(`<html lang="`+lang+`">`, want[i]) {
				t.Errorf("page %d does not say %q in %s (%d)", i, want[i], lang, p.status)
			}
			if key := bare.FindString(p.body); key != "" {
				t.Errorf("page %d says %s in %s", i, key, lang)
			}
		}
	}
}

func TestALanguageIsChosenAndLeadsBack(t *testing.T) {
	d := newDesk(t)
	b := d.signedIn("ana")
	p := b.post("/console/language", "language", "pt", "back", "/console?list=paused")
	if p.status != http.StatusSeeOther || p.header.Get("Location") != "/console?list=paused" {
		t.Errorf("choosing answers %d, %q", p.status, p.header.Get("Location"))
	}
	if p := b.get("/console", "Accept-Language", "en"); !p.has(`<html lang="pt">`, `value="pt" lang="pt" aria-pressed="true"`) {
		t.Error("the choice is not kept")
	}
	for _, elsewhere := range []string{"https://example.org/", "//example.org", "/v1/me", "/consoles", `/\example.org`, ""} {
		if p := b.post("/console/language", "language", "es", "back", elsewhere); p.header.Get("Location") != "/console" {
			t.Errorf("%q leads to %q", elsewhere, p.header.Get("Location"))
		}
	}
}
