package console

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/turno-desk/turno/domain"
)

type plainHash struct{}

func (plainHash) Hash(parts ...string) string { return strings.Join(parts, "|") }

// FuzzWhatABrowserSends holds what is read of a request before anybody is known: a cookie that was not sealed here opens
// nothing, and whatever comes, a language, an id and a link come of it, or none.
func FuzzWhatABrowserSends(f *testing.F) {
	seal, err := newSealer(plainHash{}, "default")
	if err != nil {
		f.Fatal(err)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	genuine, err := seal.close(session{ID: "id", Token: "turno_k_s", Begun: now})
	if err != nil {
		f.Fatal(err)
	}
	all, err := readCatalogue()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(genuine)
	f.Add(genuine[:20])
	f.Add("es-UY,es;q=0.9,*;q=0.1")
	f.Add("Envío urgente, ñandú")
	f.Add("https://example.org/a?b#c")
	f.Fuzz(func(t *testing.T, s string) {
		if v, ok := seal.open(s, now); ok && v.Token != "turno_k_s" {
			t.Errorf("%q opened as %+v", s, v)
		}
		r := httptest.NewRequest("POST", "/console", nil)
		r.Header.Set("Accept-Language", s)
		r.Header.Set("Cookie", "turno_language="+s)
		r.Header.Set("Origin", s)
		if all.of(r) == nil {
			t.Errorf("%q is spoken to in no language", s)
		}
		_ = sameOrigin(r)
		if id := slug(s); id != "" && !domain.ValidID(id) {
			t.Errorf("%q became the id %q", s, id)
		}
		if l := linkOf(s); l != "" && !strings.HasPrefix(strings.ToLower(l), "http") {
			t.Errorf("%q became a link", s)
		}
		if initials(s) == "" {
			t.Errorf("%q has no initials", s)
		}
	})
}
