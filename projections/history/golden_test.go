package history_test

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections/viewtest"
)

var update = flag.Bool("update", false, "write the golden files anew")

func text(s string) thread.Content {
	return thread.Content{Kind: thread.KindText, Text: domain.Personal(s)}
}

// worked is the conversation that METRICS.md works out by hand, and one more after it.
func worked(t *testing.T, d *viewtest.Desk) string {
	t.Helper()
	d.Image.Operators["beto"] = moved(d.Image.Operators["beto"], "ventas")
	id := threadID(1)
	minute := time.Minute
	in := func(after time.Duration, s string) {
		do(t, d, after, "contact", id, d.Receive(id, "web", domain.Personal(s)))
	}
	in(0, "Hola, mi teléfono no enciende")
	do(t, d, 5*time.Second, "system", id, thread.Send{Content: text("En un momento lo atendemos"), Sender: thread.SenderMachine})
	do(t, d, 4*minute-5*time.Second, "ana", id, thread.Take{})
	do(t, d, minute, "ana", id, thread.Send{Content: text("Hola, soy Ana. ¿Qué modelo es?")})
	in(5*minute, "El azul")
	do(t, d, 2*minute, "ana", id, thread.Pause{Reason: "busco el manual"})
	in(8*minute, "¿Sigue ahí?")
	do(t, d, 10*minute, "ana", id, thread.Send{Content: text("Ventas lo cambia")})
	do(t, d, 5*minute, "ana", id, thread.Transfer{Department: "ventas", Reason: "garantía"})
	do(t, d, 6*minute, "beto", id, thread.Take{})
	do(t, d, 2*minute, "beto", id, thread.Send{Content: text("Hola, soy Beto")})
	in(7*minute, "Gracias")
	do(t, d, 2*minute, "beto", id, thread.Send{Content: text("Mañana llega el nuevo")})
	do(t, d, 3*minute, "beto", id, thread.Note{Text: "cliente paciente", Mentions: []string{"dora"}})
	do(t, d, 5*minute, "beto", id, thread.Close{
		Category: "garantia", Summary: "Se cambia el equipo", Tags: []string{"queja"},
		Classify: &thread.Classified{Outcome: "won", Interests: []string{"equipos"}, Fields: map[string]domain.Personal{"motivo": "no enciende"}},
	})
	do(t, d, 7*minute, "contact", id, thread.Rate{Score: 4, Comment: "muy amables"})
	do(t, d, 24*time.Hour, "contact", id, thread.Receive{
		Channel: "web", Contact: "c" + id[1:], Name: "Sr. " + domain.Personal(id), IDHash: "hx", Ticket: 2000,
		Content: thread.Content{
			Kind: thread.KindDocument, Text: "La factura", ReplyTo: id + "-1-m8",
			Attachments: []thread.Attachment{{URL: "https://files.example/1", Name: "factura.pdf", Type: "application/pdf", Size: 1234}},
		},
	})
	return id
}

// golden compares got, as indented JSON, with a file.
func golden(t *testing.T, name string, got any) {
	t.Helper()
	b, err := json.MarshalIndent(got, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, '\n')
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(b), "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestTheWorkedConversationReadsAsWrittenDown(t *testing.T) {
	ctx := context.Background()
	log := viewtest.NewLog("golden")
	d := viewtest.NewDesk(log, 1)
	id := worked(t, d)
	v := newView(t, log).build(500)

	conv, err := v.Conversation(ctx, workspace, admin, id+"-1", 0)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "conversation.json", conv)
	for name, got := range map[string]*float64{"first response": conv.FirstResponse, "resolution": conv.Resolution, "net": conv.ResolutionNet} {
		want := map[string]float64{"first response": 300, "resolution": 3600, "net": 2520}[name]
		if got == nil || *got != want {
			t.Errorf("%s is %v, want %v s", name, got, want)
		}
	}
	if conv.MessagesIn != 4 || conv.MessagesOut != 4 || conv.MessagesMachine != 1 {
		t.Errorf("messages: %d in, %d out, %d by machines; want 4, 4, 1", conv.MessagesIn, conv.MessagesOut, conv.MessagesMachine)
	}

	messages, err := v.Messages(ctx, workspace, admin, id+"-1", true, "", 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "messages.json", messages)

	ticket, err := v.Ticket(ctx, workspace, admin, conv.Ticket, 0)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "ticket.json", ticket)

	timeline, err := v.TicketTimeline(ctx, workspace, admin, conv.Ticket, 0)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "timeline.json", timeline)
	same, err := v.Timeline(ctx, workspace, admin, id+"-1", 0)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(timeline, same); diff != "" {
		t.Errorf("a conversation's timeline is not its ticket's:\n%s", diff)
	}

	past, err := v.ContactHistory(ctx, workspace, admin, "c"+id[1:], "", 0)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "contact.json", past)
}

func TestTheTimelineHoldsEveryEventOnce(t *testing.T) {
	log := viewtest.NewLog("every")
	d := viewtest.NewDesk(log, 7)
	d.Random(400, 12)
	v := newView(t, log).build(500)
	want := map[string]int{}
	for _, c := range log.Commits() {
		want[c.Conversation] += len(c.Events)
	}
	for id, n := range want {
		line, err := v.Timeline(context.Background(), workspace, auditor, id, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(line.Entries) != n {
			t.Errorf("%s has %d entries, want %d", id, len(line.Entries), n)
		}
	}
}

func moved(o operator.Definition, department string) operator.Definition {
	o.Departments = []string{department}
	return o
}
