package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/projections/deliveries"
)

// TestTheSignatureIsThePublishedOne is the vector that the libraries of Standard Webhooks are tested with.
func TestTheSignatureIsThePublishedOne(t *testing.T) { // N18: signed
	key, ok := setting.ParseSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if !ok {
		t.Fatal("it is no secret")
	}
	got := Sign([][]byte{key}, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestOnlyTheOpenInternetIsOpen(t *testing.T) { // N18: never to private addresses
	for address, want := range map[string]bool{
		"0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false, "10.255.255.255": false, "100.64.0.1": false, "100.127.255.255": false,
		"127.0.0.1": false, "127.255.255.254": false, "169.254.169.254": false, "172.16.0.1": false, "172.31.255.255": false, "192.0.0.8": false,
		"192.0.2.1": false, "192.88.99.1": false, "192.168.1.1": false, "198.18.0.1": false, "198.19.255.255": false, "198.51.100.1": false,
		"203.0.113.9": false, "224.0.0.1": false, "239.255.255.255": false, "240.0.0.1": false, "255.255.255.255": false,
		"1.1.1.1": true, "9.255.255.255": true, "11.0.0.0": true, "100.63.255.255": true, "100.128.0.0": true, "126.255.255.255": true, "128.0.0.1": true,
		"172.15.255.255": true, "172.32.0.0": true, "192.167.255.255": true, "192.169.0.0": true, "223.255.255.255": true,

		"::": false, "::1": false, "::127.0.0.1": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:169.254.169.254": false, "::ffff:0:127.0.0.1": false,
		"fe80::1": false, "fe80::1%eth0": false, "febf::1": false, "fec0::1": false, "fc00::1": false, "fd12:3456::1": false, "ff02::1": false, "ff0e::1": false,
		"64:ff9b::10.0.0.1": false, "64:ff9b::7f00:1": false, "64:ff9b:1::1": false, "100::1": false, "2001::1": false, "2001:0:7f00:1::": false,
		"2001:db8::1": false, "2002:7f00:1::": false, "2002:a00:1::1": false, "3fff::1": false, "5f00::1": false, "4000::1": false,
		"::ffff:1.1.1.1": true, "64:ff9b::101:101": true, "2606:4700::1111": true, "2a00:1450::1": true, "2001:4860::8888": true, "2400:cb00::1": true,
		"2606:4700::1111%eth0": false,
	} {
		a := netip.MustParseAddr(address)
		if isOpen(a) != want {
			t.Errorf("%s is open: %v", address, !want)
		}
		if got := onlyOpen("tcp", netip.AddrPortFrom(a, 443).String(), nil); errors.Is(got, errAddress) == want {
			t.Errorf("connecting to %s: %v", address, got)
		}
	}
	if onlyOpen("tcp", "no address", nil) == nil {
		t.Error("what is no address is connected to")
	}
}

func receiver(t *testing.T, answer http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return s
}

func call(url string) deliveries.Call {
	return deliveries.Call{URL: url, ID: "c1-0", At: time.Unix(1700000000, 0), Body: []byte(`{"id":"c1.0"}`), Keys: [][]byte{[]byte("new"), []byte("old")}}
}

var inside = Options{AllowHTTP: true, AllowPrivate: true}

func TestACallIsSignedByEachKey(t *testing.T) { // N18: signatures while a secret is rotated
	got := make(chan *http.Request, 1)
	s := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		got <- r
		w.WriteHeader(204)
	})
	if a := New(inside).Call(t.Context(), call(s.URL+"/hook?x=1")); a != (deliveries.Answer{Status: 204}) {
		t.Fatalf("%+v", a)
	}
	r := <-got
	body, _ := io.ReadAll(r.Body)
	if r.Method != "POST" || r.URL.String() != "/hook?x=1" || r.Header.Get("Content-Type") != "application/cloudevents+json" || string(body) != `{"id":"c1.0"}` {
		t.Errorf("%s %s %v %s", r.Method, r.URL, r.Header, body)
	}
	signatures := strings.Split(r.Header.Get("webhook-signature"), " ")
	if len(signatures) != 2 {
		t.Fatalf("%q", signatures)
	}
	for i, key := range []string{"new", "old"} { // as a receiver does it
		mac := hmac.New(sha256.New, []byte(key))
		fmt.Fprintf(mac, "%s.%s.%s", r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp"), body)
		if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); signatures[i] != want {
			t.Errorf("signature %d is %s, want %s", i, signatures[i], want)
		}
	}
}

// TestNobodyInsideIsCalled: not by address, not by a name that leads there, and not because a proxy would.
func TestNobodyInsideIsCalled(t *testing.T) {
	called := false
	s := receiver(t, func(http.ResponseWriter, *http.Request) { called = true })
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	c := New(Options{AllowHTTP: true})
	if transport, _ := c.client.Transport.(*http.Transport); transport.Proxy != nil {
		t.Error("proxies are asked")
	}
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0"} {
		if a := c.Call(t.Context(), call("http://"+host+":"+port)); a.Error != "address" {
			t.Errorf("%s: %+v", host, a)
		}
	}
	if called {
		t.Error("it was called")
	}
	if a := New(Options{AllowPrivate: true}).Call(t.Context(), call(s.URL)); a.Error != "insecure" || called {
		t.Errorf("without TLS: %+v", a)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	called := false
	other := receiver(t, func(http.ResponseWriter, *http.Request) { called = true })
	s := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	if a := New(inside).Call(t.Context(), call(s.URL)); a.Status != http.StatusTemporaryRedirect || called {
		t.Errorf("%+v", a)
	}
}

func TestCertificatesAreVerified(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(s.Close)
	if a := New(Options{AllowPrivate: true}).Call(t.Context(), call(s.URL)); a.Error != "certificate" {
		t.Errorf("one that nobody knows: %+v", a)
	}
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	if a := New(Options{AllowPrivate: true, Roots: roots}).Call(t.Context(), call(s.URL)); a.Status != 200 {
		t.Errorf("one that is known: %+v", a)
	}
	if a := New(Options{AllowPrivate: true, Roots: roots}).Call(t.Context(), call(strings.Replace(s.URL, "127.0.0.1", "localhost", 1))); a.Error != "certificate" {
		t.Errorf("one of another name: %+v", a)
	}
}

func TestAnAttemptEndsInTimeWithOneWord(t *testing.T) {
	hung := make(chan struct{})
	s := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hangs":
			select {
			case <-r.Context().Done():
			case <-hung:
			}
		case "/long":
			for range 64 {
				if _, err := w.Write(make([]byte, 16<<10)); err != nil {
					return
				}
			}
		case "/head":
			w.Header().Set("X-Long", strings.Repeat("x", 64<<10))
		case "/later":
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(503)
		}
	})
	t.Cleanup(func() { close(hung) })
	closed := httptest.NewServer(nil)
	closed.Close()
	quick := inside
	quick.Within = 200 * time.Millisecond
	for url, c := range map[string]struct {
		o    Options
		want deliveries.Answer
	}{
		s.URL + "/hangs":             {quick, deliveries.Answer{Error: "timeout"}},
		s.URL + "/long":              {inside, deliveries.Answer{Status: 200}},
		s.URL + "/head":              {inside, deliveries.Answer{Error: "answer"}},
		s.URL + "/later":             {inside, deliveries.Answer{Status: 503, After: 2 * time.Minute}},
		closed.URL:                   {inside, deliveries.Answer{Error: "connect"}},
		"http://nowhere.invalid/":    {inside, deliveries.Answer{Error: "name"}},
		"http://[::1":                {inside, deliveries.Answer{Error: "url"}},
		"gopher://example.invalid/x": {inside, deliveries.Answer{Error: "answer"}},
	} {
		if a := New(c.o).Call(t.Context(), call(url)); a != c.want {
			t.Errorf("%s: %+v, want %+v", url, a, c.want)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if a := New(inside).Call(ended, call(s.URL)); a.Status != 0 || a.Error == "" {
		t.Errorf("broken off: %+v", a)
	}
}

func FuzzARetryAfterIsNeverNegativeNorEndless(f *testing.F) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for _, seed := range []string{"", "0", "120", "-1", "99999999999999999999", "Wed, 04 Mar 2026 12:02:00 GMT", "Wed, 04 Mar 1026 12:02:00 GMT", "soon"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if d := retryAfter(header, now); d < 0 || d > maxSeconds*time.Second {
			t.Errorf("%q is %s", header, d)
		}
	})
}

func TestARetryAfterIsSecondsOrADate(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"120": 2 * time.Minute, "Wed, 04 Mar 2026 12:02:00 GMT": 2 * time.Minute, "Wed, 04 Mar 2026 11:00:00 GMT": 0, "soon": 0, "-5": 0,
	} {
		if got := retryAfter(header, now); got != want {
			t.Errorf("%q is %s, want %s", header, got, want)
		}
	}
}
