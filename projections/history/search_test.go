package history_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections/history"
	"github.com/turno-desk/turno/projections/viewtest"
)

// archive is a desk with something to look for.
func archive(t testing.TB) *viewtest.Log {
	log := viewtest.NewLog("archive")
	d := viewtest.NewDesk(log, 1)
	say := func(actor string, n int, cmd thread.Command) {
		d.Now = d.Now.Add(time.Minute)
		if _, ok := d.Do(actor, threadID(n), 0, cmd); !ok {
			t.Fatalf("%s could not %T", actor, cmd)
		}
	}
	say("contact", 1, d.Receive(threadID(1), "web", "Mi tarjeta de CRÉDITO está bloqueada"))
	say("ana", 1, thread.Send{Content: text("La tarjeta se desbloquea mañana")})
	say("contact", 2, d.Receive(threadID(2), "web", "No llegó el pedido 1001"))
	say("beto", 2, thread.Note{Text: "revisar tarjeta postal"})
	say("beto", 2, thread.Take{})
	say("beto", 2, thread.Close{Summary: "Reenvío gratuito", Tags: []string{"envios"}})
	card := d.Receive(threadID(3), "tienda", "")
	card.Content = thread.Content{
		Kind: thread.KindContact, ContactCard: &thread.ContactCard{Name: "Zoë Núñez", Phone: "099 123 456"},
	}
	card.Name = "Ñandú O'Higgins"
	say("contact", 3, card)
	return log
}

func TestSearchFindsWordsWhereverTheyWereSaid(t *testing.T) {
	v := newView(t, archive(t)).build(500)
	for q, want := range map[string][]string{
		"tarjeta":                    {"2 note", "1 message"},
		"TARJETA crédito":            {"1 message"},
		"credito":                    {"1 message"},
		`"tarjeta de credito"`:       {"1 message"},
		`"credito de tarjeta"`:       nil,
		"bloq*":                      {"1 message"},
		"bloq":                       nil,
		"tarjeta AND postal":         nil, // words, no operators
		"reenvio":                    {"2 summary"},
		"higgins":                    {"3 contact"},
		"O'Higgins ñandu":            {"3 contact"},
		"nunez 123":                  {"3 message"},
		"1001":                       {"1 ticket", "2 message"},
		" #1002 ":                    {"2 ticket"},
		"999999":                     nil,
		"!!! ***":                    nil,
		`tarjeta "unterminated`:      nil,
		`"`:                          nil,
		"text:tarjeta":               nil,
		"NEAR(tarjeta postal)":       nil,
		"tarjeta OR nada":            nil,
		"tarjeta NOT postal":         nil,
		"tarjeta; DROP TABLE":        nil,
		strings.Repeat("tarj* ", 16): {"2 note", "1 message"},
	} {
		page, err := v.Search(context.Background(), workspace, admin, q, history.Filter{}, "", 0)
		if err != nil {
			t.Errorf("%q: %v", q, err)
			continue
		}
		var got []string
		for _, m := range page.Items {
			if m.Match == nil {
				t.Fatalf("%q: found, and not said where", q)
			}
			got = append(got, m.ID[len(threadID(0))-1:len(threadID(0))]+" "+m.Match.In)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", q, diff)
		}
	}
	for name, q := range map[string]string{"words": strings.Repeat("a ", 17), "letters": strings.Repeat("a", 65)} {
		if _, err := v.Search(context.Background(), workspace, admin, q, history.Filter{}, "", 0); !errors.Is(err, history.ErrSearch) {
			t.Errorf("too many %s: %v, want ErrSearch", name, err)
		}
	}
}

func TestSearchObeysItsFilter(t *testing.T) {
	v := newView(t, archive(t)).build(500)
	for q, f := range map[string]history.Filter{
		"tarjeta": {Tag: "envios"}, "1002": {States: []string{"closed"}, Operator: "beto"}, "": {Tag: "envios", Channel: "web"},
	} {
		page, err := v.Search(context.Background(), workspace, admin, q, f, "", 0)
		if err != nil || len(page.Items) != 1 || page.Items[0].ID != threadID(2)+"-1" {
			t.Errorf("%q: %+v, %v; want the second alone", q, page.Items, err)
		}
	}
	for q, f := range map[string]history.Filter{"tarjeta": {Tag: "no"}, "1001": {Department: "ventas"}, "higgins": {Category: "x"}} {
		page, err := v.Search(context.Background(), workspace, admin, q, f, "", 0)
		if err != nil || len(page.Items) != 0 || page.HasMore {
			t.Errorf("%q: %+v, %v; want nothing", q, page.Items, err)
		}
	}
}

func TestAConversationIsFoundOnceByItsNewestText(t *testing.T) {
	log := viewtest.NewLog("once")
	d := viewtest.NewDesk(log, 1)
	for i := range 40 {
		id := threadID(i % 4)
		do(t, d, time.Minute, "contact", id, d.Receive(id, "web", domain.Personal("eco "+string(rune('a'+i/4)))))
	}
	v := newView(t, log).build(500)
	for limit := 1; limit <= 5; limit++ {
		found := all(t, func(cursor string) (history.Page[history.Match], error) {
			return v.Search(context.Background(), workspace, admin, "eco", history.Filter{}, cursor, limit)
		})
		var got []string
		for _, m := range found {
			got = append(got, m.ID[25:26]+m.Match.Text)
		}
		if diff := cmp.Diff([]string{"3eco j", "2eco j", "1eco j", "0eco j"}, got); diff != "" {
			t.Errorf("pages of %d (-want +got):\n%s", limit, diff)
		}
	}
}

// FuzzSearch: whatever is typed, the search answers or says that it asks for too much.
func FuzzSearch(f *testing.F) {
	for _, s := range []string{
		"tarjeta", `"a b`, `""`, "*", "a*b*", "#1", "-1", "a AND", "NEAR(", "{text}:x", "^a", "a+b", "\x00", "\xff", "e\u0301", "字", "🙂", "a\u200bb",
		"'; DROP TABLE texts; --", `"\"`, "ﬁ", "\U0001E900", "٣", "½", "\u00ad", "a\u0345",
	} {
		f.Add(s, "")
	}
	v := newView(f, archive(f)).build(500)
	f.Fuzz(func(t *testing.T, q, cursor string) {
		page, err := v.Search(context.Background(), workspace, admin, q, history.Filter{}, cursor, 2)
		switch {
		case errors.Is(err, history.ErrCursor) && cursor != "":
		case errors.Is(err, history.ErrSearch):
			if utf8.RuneCountInString(q) < 17 {
				t.Errorf("%q is not too much", q)
			}
		case err != nil:
			t.Errorf("%q: %v", q, err)
		case len(page.Items) > 2:
			t.Errorf("%q: %d items of at most 2", q, len(page.Items))
		}
	})
}
