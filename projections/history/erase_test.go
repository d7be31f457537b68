package history_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/turno-desk/turno/adapters/codec"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/history"
	"github.com/turno-desk/turno/projections/viewtest"
)

// files is every byte that the views of v have on the disk, after a checkpoint.
func (v *view) files() []byte {
	v.t.Helper()
	db, err := v.store.Writer(context.Background(), history.Name, 1, "") // the store numbers versions from 1
	if err != nil {
		v.t.Fatal(err)
	}
	defer db.Close()
	if done, err := v.store.Scrub(context.Background(), db); err != nil || !done {
		v.t.Fatalf("the scrub is done: %t (%v)", done, err)
	}
	all, err := viewtest.Holdings(v.store, v.dir, history.Name)
	if err != nil {
		v.t.Fatal(err)
	}
	return bytes.ToLower(all)
}

// secret is a word that stands nowhere else. Neighbours differ late, so that the index needs all of the number to tell them
// apart.
func secret(n int, what string) string { return fmt.Sprintf("%s%05dq%s", what, n, what) }

func TestAnErasureLeavesNoWordBehind(t *testing.T) {
	ctx := context.Background()
	log := viewtest.NewLog("erasure")
	d := viewtest.NewDesk(log, 3)
	const threads = 100
	for n := range threads {
		id := threadID(n)
		first := d.Receive(id, "web", domain.Personal("hola, soy "+secret(n, "texto")))
		first.Name, first.Address, first.ExternalID = domain.Personal(secret(n, "nombre")), domain.Personal(secret(n, "calle")), domain.Personal(secret(n, "crm"))
		first.ChannelID = domain.Personal(secret(n, "wamid"))
		do(t, d, time.Second, "contact", id, first)
		do(t, d, time.Second, "ana", id, thread.Send{Content: thread.Content{
			Kind: thread.KindDocument, Text: domain.Personal("para " + secret(n, "respuesta")),
			Attachments: []thread.Attachment{{URL: domain.Personal("https://x.example/" + secret(n, "url")), Name: domain.Personal(secret(n, "archivo")), Type: "application/pdf"}},
			Location:    &thread.Location{Latitude: "1.5", Longitude: "1", Label: domain.Personal(secret(n, "plaza"))},
		}})
		do(t, d, time.Second, "ana", id, thread.Note{Text: domain.Personal("ojo " + secret(n, "nota"))})
		do(t, d, time.Second, "contact", id, thread.Propose{Number: 7, Ticket: 7})
		do(t, d, time.Second, "ana", id, thread.Reject{Reason: domain.Personal(secret(n, "rechazo"))})
		do(t, d, time.Second, "ana", id, thread.OpenTicket{Requester: "c" + id[1:], Subject: domain.Personal(secret(n, "asunto"))})
		do(t, d, time.Second, "ana", id, thread.Pause{Reason: domain.Personal(secret(n, "pausa"))})
		do(t, d, time.Second, "ana", id, thread.Close{
			Summary: domain.Personal(secret(n, "resumen")), Comment: domain.Personal(secret(n, "porque")),
			Classify: &thread.Classified{Fields: map[string]domain.Personal{"motivo": domain.Personal(secret(n, "motivo"))}},
		})
		do(t, d, time.Second, "contact", id, thread.Rate{Score: 5, Comment: domain.Personal(secret(n, "voto"))})
		do(t, d, time.Second, "contact", id, d.Receive(id, "web", domain.Personal("otra vez "+secret(n, "vuelta"))))
	}
	whats := []string{
		"texto", "nombre", "calle", "crm", "wamid", "respuesta", "url", "archivo", "plaza", "nota", "pausa", "resumen",
		"porque", "motivo", "voto", "vuelta", "asunto", "rechazo",
	}
	v := newView(t, log).build(1000)
	before := v.files()
	for _, what := range whats {
		if !bytes.Contains(before, []byte(secret(0, what))) {
			t.Fatalf("%s is not there before the erasure: the test looks in the wrong place", secret(0, what))
		}
	}
	for n := 0; n < threads; n += 2 {
		do(t, d, time.Second, "adela", threadID(n), thread.Erase{})
	}
	v.build(40)

	after := v.files()
	for n := range threads {
		for _, what := range whats {
			// A whole word, and the part of it that is its own: no other word begins like that.
			for _, word := range []string{secret(n, what), secret(n, what)[:len(what)+5]} {
				there := bytes.Contains(after, []byte(word))
				if n%2 == 0 && there {
					t.Errorf("%q of the erased thread %d is still in the files", word, n)
				}
				if n%2 == 1 && word == secret(n, what) && !there {
					t.Errorf("%q of thread %d, which was not erased, is gone", word, n)
				}
			}
		}
	}
	for n, want := range map[int]int{0: 0, 1: 1, 98: 0, 99: 1} {
		for _, what := range []string{"texto", "nombre", "respuesta", "nota", "resumen", "voto", "vuelta"} {
			found, err := v.Search(ctx, workspace, auditor, secret(n, what), history.Filter{}, "", 0)
			if err != nil || len(found.Items) != want {
				t.Errorf("search for %s: %d found, want %d (%v)", secret(n, what), len(found.Items), want, err)
			}
		}
	}
	conv, err := v.Conversation(ctx, workspace, admin, threadID(0)+"-1", 5)
	if err != nil || conv.Contact.Name != "[erased]" {
		t.Errorf("as of a position before the erasure: %+v, %v", conv.Contact, err)
	}

	// A rebuild reads what the keys no longer open: it must come to the same rows.
	if got := newView(t, sealed(t, log, d)).build(400).digest(); got != v.digest() {
		t.Error("a rebuild after the erasure has other rows")
	}
}

// keyring has every key but those that were destroyed.
type keyring map[string]bool

func (k keyring) Key(_ context.Context, id string) ([]byte, error) {
	if k[id] {
		return nil, codec.ErrNoKey
	}
	return []byte(fmt.Sprintf("%-32.32s", id)), nil
}

// sealed is the log as the codec reads it once the keys of its erased threads are gone.
func sealed(t *testing.T, log *viewtest.Log, d *viewtest.Desk) *viewtest.Log {
	t.Helper()
	ctx := context.Background()
	destroyed := keyring{}
	kept := codec.New(destroyed)
	copied := viewtest.NewLog(log.ID())
	var written [][]byte
	for _, c := range log.Commits() {
		b, err := kept.Encode(ctx, &c)
		if err != nil {
			t.Fatal(err)
		}
		written = append(written, b)
	}
	for _, c := range log.Commits() {
		if d.Thread(c.Aggregate.ID).Erased {
			destroyed[c.Key] = true
		}
	}
	for i, c := range log.Commits() {
		back, err := kept.Decode(ctx, written[i], true)
		if err != nil {
			t.Fatal(err)
		}
		copied.Append(back, c.Opened == c.Position)
	}
	return copied
}

func TestAnErasureInTheSameBatchLeavesNothingEither(t *testing.T) {
	log := viewtest.NewLog("same batch")
	d := viewtest.NewDesk(log, 1)
	do(t, d, time.Second, "contact", threadID(1), d.Receive(threadID(1), "web", "xylophon"))
	do(t, d, time.Second, "ana", threadID(1), thread.Take{})
	do(t, d, time.Second, "adela", threadID(1), thread.Erase{})
	v := newView(t, log).build(500)
	if bytes.Contains(v.files(), []byte("xylophon")) {
		t.Error("the word is in the files")
	}
	if got := newView(t, sealed(t, log, d)).build(1).digest(); got != v.digest() {
		t.Error("a rebuild has other rows")
	}
}

// TestTheIndexForgetsErasedWords looks into the pages of PostgreSQL's index, which keeps a word whose last row is gone.
func TestTheIndexForgetsErasedWords(t *testing.T) {
	log := viewtest.NewLog("forgets")
	d := viewtest.NewDesk(log, 1)
	for n := range 3 {
		do(t, d, time.Second, "contact", threadID(n), d.Receive(threadID(n), "web", domain.Personal("xylophon"+string(rune('a'+n)))))
	}
	v := newView(t, log).build(500)
	if v.store.Dialect() != projections.PostgreSQL {
		t.Skip("SQLite's files are looked into by the other tests")
	}
	do(t, d, time.Second, "adela", threadID(1), thread.Erase{})
	v.build(500)
	db, err := v.store.Writer(context.Background(), history.Name, 1, "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`CREATE EXTENSION IF NOT EXISTS pageinspect SCHEMA public`); err != nil {
		t.Fatal(err)
	}
	index := func() (pages []byte) {
		if err := db.QueryRow(`SELECT string_agg(public.get_raw_page(current_schema() || '.texts_words', CAST(n AS INT)), '')
			FROM generate_series(0, pg_relation_size('texts_words') / 8192 - 1) AS n`).Scan(&pages); err != nil {
			t.Fatal(err)
		}
		return pages
	}
	if !bytes.Contains(index(), []byte("xylophonb")) {
		t.Fatal("the word is not in the index before the scrub: the test looks in the wrong place")
	}
	if done, err := v.store.Scrub(context.Background(), db); err != nil || !done {
		t.Fatalf("the scrub is done: %t (%v)", done, err)
	}
	after := index()
	if bytes.Contains(after, []byte("xylophonb")) || !bytes.Contains(after, []byte("xylophona")) {
		t.Error("the index holds the erased word still, or has lost another")
	}
	var mark sql.NullString
	if err := db.QueryRow(`SELECT obj_description('texts'::regclass, 'pg_class')`).Scan(&mark); err != nil || mark.Valid {
		t.Errorf("the mark is still there: %q (%v)", mark.String, err)
	}
}
