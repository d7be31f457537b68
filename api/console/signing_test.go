package console_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestTheRootLeadsToTheConsoleAndAStrangerToTheSignIn(t *testing.T) {
	d := newDesk(t)
	b := d.browser()
	for path, to := range map[string]string{"/": "/console", "/console": "/console/sign-in", "/console/first-steps": "/console/sign-in"} {
		if p := b.get(path); p.status/100 != 3 || p.header.Get("Location") != to {
			t.Errorf("%s answers %d, Location %q, want %s", path, p.status, p.header.Get("Location"), to)
		}
	}
	if p := b.get("/console", "Turno-Parts", "list"); p.status != http.StatusUnauthorized {
		t.Errorf("a script that is not signed in is answered %d, want 401", p.status)
	}
	if p := b.get("/console/sign-in"); p.status != http.StatusOK || !p.has(`name="token"`) {
		t.Errorf("the sign-in answers %d", p.status)
	}
}

func TestATokenOpensASessionThatTheBrowserCanNeitherReadNorPassOn(t *testing.T) {
	d := newDesk(t)
	b := d.browser()
	b.get("/console/sign-in")
	p := b.post("/console/sign-in", "token", d.tokens["ana"])
	cookie := p.header.Get("Set-Cookie")
	for _, want := range []string{"turno_session=", "HttpOnly", "SameSite=Strict", "Path=/console"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("the cookie lacks %s: %s", want, cookie)
		}
	}
	if strings.Contains(cookie, d.tokens["ana"]) || strings.Contains(cookie, "Secure") {
		t.Errorf("over plain HTTP, and sealed: %s", cookie)
	}
	if p := b.get("/console"); p.status != http.StatusOK || !p.has("Ana Prado") {
		t.Errorf("the console answers %d", p.status)
	}
	if p := b.get("/console/sign-in", "X-Forwarded-Proto", "https"); p.status != http.StatusSeeOther {
		t.Errorf("who is signed in is asked again: %d", p.status)
	}

	stranger := d.browser()
	p = stranger.get("/console/sign-in", "X-Forwarded-Proto", "https")
	if !strings.Contains(p.header.Get("Set-Cookie"), "Secure") {
		t.Errorf("behind TLS the cookie is not Secure: %s", p.header.Get("Set-Cookie"))
	}
}

func TestWhatIsNoTokenOfAPersonDoesNotSignIn(t *testing.T) {
	d := newDesk(t)
	for name, c := range map[string]struct {
		token  string
		status int
		says   string
	}{
		"nothing":        {"", 401, "Este token no existe"},
		"a false token":  {"turno_kabc_def", 401, "Este token no existe"},
		"an endless one": {strings.Repeat("x", 10_000), 401, "Este token no existe"},
		"a service's":    {d.tokens["crm"], 403, "integración"},
	} {
		b := d.browser()
		b.get("/console/sign-in")
		if p := b.post("/console/sign-in", "token", c.token); p.status != c.status || !p.has(c.says, `role="alert"`) {
			t.Errorf("%s: %d, want %d and %q", name, p.status, c.status, c.says)
		}
		if p := b.get("/console"); p.status != http.StatusSeeOther {
			t.Errorf("%s opens the console: %d", name, p.status)
		}
	}
}

func TestASessionEndsWithItsTokenWithSignOutAndWithTime(t *testing.T) {
	d := newDesk(t)
	b := d.signedIn("ana")
	issued := strings.Split(d.tokens["ana"], "_")[1]
	d.api("POST", "/v1/operators/ana/tokens/"+issued+"/revoke", `{}`)
	if p := b.get("/console"); p.status != http.StatusSeeOther {
		t.Errorf("a revoked token still opens the console: %d", p.status)
	}

	b = d.signedIn("beto")
	if p := b.post("/console/presence"); p.status != http.StatusNoContent {
		t.Fatalf("a sign of life answers %d", p.status)
	}
	if p := b.post("/console/sign-out"); p.status != http.StatusSeeOther || p.header.Get("Location") != "/console/sign-in" {
		t.Errorf("signing out answers %d", p.status)
	}
	if p := b.get("/console"); p.status != http.StatusSeeOther {
		t.Errorf("after signing out the console answers %d", p.status)
	}
	d.caughtUp()
	if got := string(d.api("GET", "/v1/operators/beto", "", "Turno-Position", d.head()).body); !strings.Contains(got, `"connected":false`) {
		t.Errorf("who signed out is still connected: %s", got)
	}

	var ahead atomic.Int64
	late := bareDesk(t, func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
	b = late.signedIn("admin")
	if p := b.get("/console/first-steps"); p.status != http.StatusOK {
		t.Fatalf("the session does not hold: %d", p.status)
	}
	ahead.Store(int64(17 * time.Hour))
	if p := b.get("/console/first-steps"); p.status != http.StatusSeeOther {
		t.Errorf("a session of yesterday answers %d", p.status)
	}
}

func TestACookieOfNoOrAnotherMakingIsNoSession(t *testing.T) {
	d, other := newDesk(t), newDesk(t)
	foreign := other.signedIn("ana")
	var sealed string
	for _, c := range foreign.client.Jar.Cookies(mustURL(t, other.url+"/console")) {
		sealed = c.Value
	}
	for name, value := range map[string]string{"another vault's": sealed, "cut short": "abcd", "nonsense": "!!!", "changed": sealed[:len(sealed)-4] + "AAAA"} {
		if p := d.browser().get("/console", "Cookie", "turno_session="+value); p.status != http.StatusSeeOther {
			t.Errorf("%s cookie is answered %d", name, p.status)
		}
	}
}

func TestAFormThatIsNotOfTheSessionDoesNothing(t *testing.T) {
	d := newDesk(t)
	id := d.customer("Carla", "Hola")
	b := d.signedIn("ana")
	mine := b.csrf
	take := "/console/c/" + id + "/take"
	before := d.head()

	b.csrf = ""
	if p := b.post(take); p.status != http.StatusForbidden {
		t.Errorf("without a CSRF token: %d", p.status)
	}
	b.csrf = d.signedIn("beto").csrf
	if p := b.post(take); p.status != http.StatusForbidden {
		t.Errorf("with another session's CSRF token: %d", p.status)
	}
	for name, header := range map[string][2]string{"another site": {"Sec-Fetch-Site", "cross-site"}, "a sister site": {"Sec-Fetch-Site", "same-site"}, "another origin": {"Origin", "https://example.org"}} {
		if p := b.send("POST", take, "csrf="+mine, header[0], header[1]); p.status != http.StatusForbidden {
			t.Errorf("sent by %s: %d", name, p.status)
		}
	}
	for _, path := range []string{"/console/sign-in", "/console/sign-out", "/console/language", "/console/presence"} {
		if p := b.send("POST", path, "csrf=false"); p.status != http.StatusForbidden {
			t.Errorf("%s takes a form without the token: %d", path, p.status)
		}
	}
	if after := d.head(); after != before {
		t.Errorf("the log went from %s to %s", before, after)
	}

	b.csrf = mine
	if p := b.send("POST", take, "csrf="+mine, "Origin", "null"); p.status != http.StatusSeeOther {
		t.Errorf("our own form, whose origin the browser hides, is answered %d", p.status)
	}
}

func TestTheSessionsTokenIsGoneFromAFormAfterTheSignIn(t *testing.T) {
	d := newDesk(t)
	b := d.browser()
	b.get("/console/sign-in")
	before := b.csrf
	b.post("/console/sign-in", "token", d.tokens["ana"])
	b.get("/console")
	if b.csrf == before {
		t.Error("the CSRF token of the visitor is still good after the sign-in")
	}
}
