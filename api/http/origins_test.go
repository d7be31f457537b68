package http_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/turno-desk/turno/api/http"
)

const ours, theirs = "https://www.example.com", "https://elsewhere.example"

// allowed is what an answer lets a browser do, by header; empty ones left out.
func allowed(a answer) map[string]string {
	all := map[string]string{}
	for _, name := range []string{"Origin", "Methods", "Headers", "Credentials", "Private-Network"} {
		if v := a.header.Get("Access-Control-Allow-" + name); v != "" {
			all[name] = v
		}
	}
	return all
}

// F111: a company's own page on another origin asks and answers a survey; a page of an origin that nobody configured may not.
func TestAPageOfAConfiguredOriginAsksAndAnswers(t *testing.T) {
	p := newPolling(t, "1-5", ours, "http://localhost:3000")
	checks := p.checks
	p.checks = nil // browsers ask with OPTIONS, nobody who reads the contract does
	path := "/v1/surveys/" + p.token
	for _, origin := range []string{ours, "http://localhost:3000"} {
		a := p.do("", "OPTIONS", path, "", "Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type")
		got := allowed(a)
		if a.status != 204 || len(got) != 3 || got["Origin"] != origin || got["Methods"] != "GET, POST" || got["Headers"] != "Content-Type" ||
			a.header.Get("Access-Control-Max-Age") != "600" || !slices.Contains(a.header.Values("Vary"), "Origin") {
			t.Errorf("a preflight from %s is answered %d %v", origin, a.status, a.header)
		}
	}
	p.checks = checks
	for _, c := range []struct {
		method, path, body string
		status             int
	}{{"GET", path, "", 200}, {"POST", path, `{"score":4}`, 200}, {"POST", path, `{"score":9}`, 400}, {"GET", "/v1/surveys/nope", "", 404}} {
		a := p.do("", c.method, c.path, c.body, "Origin", ours)
		if got := allowed(a); a.status != c.status || len(got) != 1 || got["Origin"] != ours || !slices.Contains(a.header.Values("Vary"), "Origin") {
			t.Errorf("%s %s is answered %d %v: %s", c.method, c.path, a.status, a.header, a.body)
		}
	}
}

func TestAPageOfAnotherOriginIsToldNothingByItsBrowser(t *testing.T) {
	p := newPolling(t, "1-5", ours)
	p.checks = nil
	path := "/v1/surveys/" + p.token
	for _, origin := range []string{theirs, "null", ours + ".evil.example", ours + ":8443", "http://www.example.com", strings.ToUpper(ours), ""} {
		for _, method := range []string{"OPTIONS", "GET"} {
			a := p.do("", method, path, "", "Origin", origin, "Access-Control-Request-Method", "POST")
			if got := allowed(a); len(got) > 0 || a.status >= 300 || !slices.Contains(a.header.Values("Vary"), "Origin") {
				t.Errorf("%s from %q is answered %d %v", method, origin, a.status, a.header)
			}
		}
	}
}

func TestNoOtherRouteTellsAnotherOriginAnything(t *testing.T) {
	p := newPolling(t, "1-5", ours)
	p.checks = nil
	for _, c := range [][3]string{{"ana", "GET", "/v1/me"}, {"ana", "GET", "/v1/conversations/" + p.conversation}, {"", "GET", "/surveys/" + p.token}, {"", "GET", "/healthz"},
		{"crm", "POST", "/v1/channels/web/messages"}, {"", "OPTIONS", "/v1/me"}, {"", "OPTIONS", "/v1/conversations"}} {
		if a := p.do(c[0], c[1], c[2], "", "Origin", ours, "Access-Control-Request-Method", "GET"); len(allowed(a)) > 0 {
			t.Errorf("%v is answered %d %v", c, a.status, a.header)
		}
	}
	closed := newPolling(t, "1-5") // without origins nothing changes
	closed.checks = nil
	a := closed.do("", "GET", "/v1/surveys/"+closed.token, "", "Origin", ours)
	if len(allowed(a)) > 0 || a.status != 200 || a.header.Get("Vary") != "" {
		t.Errorf("where no origin is configured it is answered %d %v", a.status, a.header)
	}
	if a := closed.do("", "OPTIONS", "/v1/surveys/"+closed.token, "", "Origin", ours, "Access-Control-Request-Method", "POST"); len(allowed(a)) > 0 {
		t.Errorf("where no origin is configured a preflight is answered %d %v", a.status, a.header)
	}
}

func TestAnOriginIsWhatABrowserSends(t *testing.T) {
	for given, want := range map[string]string{
		"https://www.example.com": "https://www.example.com", "https://WWW.Example.com:443": "https://www.example.com", "http://localhost:3000": "http://localhost:3000",
		"http://[::1]:80": "http://[::1]", "https://xn--caf-dma.example": "https://xn--caf-dma.example",
		"https://www.example.com/": "", "https://www.example.com/survey": "", "https://*.example.com": "", "*": "", "null": "", "": "", "www.example.com": "", "https://": "",
		"https://me@example.com": "", "https://example.com?": "", "https://example.com#": "", "file:///etc": "", "https://café.example": "",
	} {
		got, err := http.Origin(given)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q is %q, %v; want %q", given, got, err, want)
		}
	}
}

func FuzzAnOriginIsReadOnceOrRefused(f *testing.F) {
	f.Add("https://www.example.com")
	f.Add("http://[::1]:80")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := http.Origin(s)
		if err != nil {
			return
		}
		if again, err := http.Origin(got); again != got || err != nil {
			t.Errorf("%q is %q, and that is %q, %v", s, got, again, err)
		}
		if u, err := url.Parse(got); err != nil || u.Host == "" || u.Path != "" || u.Scheme+"://"+u.Host != got {
			t.Errorf("%q is %q", s, got)
		}
	})
}
