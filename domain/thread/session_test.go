package thread_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

// F098: the visitor reads the department's words, filled, from a machine; and whoever follows the conversation finds in the close
// that the session was ended.
func TestTheEndOfASessionIsToldInWordsAndByTheClose(t *testing.T) {
	w := newWorld()
	ana := w.image.Operators["ana"]
	ana.Name = "Ana"
	w.image.Operators["ana"] = ana
	said := thread.Content{Kind: thread.KindText, Text: "Hola"}
	w.do(w.actor("contact"), 0, thread.Receive{Channel: "chat", Contact: "c1", Name: "Eva", IDHash: "h1", Content: said, Ticket: 77})
	w.do(w.actor("ana"), 0, thread.Take{})
	events, r := w.do(w.actor("sara"), 0, thread.EndSession{Close: thread.Close{Comment: "Se fue."}})
	want := []thread.Event{
		thread.MessageSent{Message: "t1-1-m2", Sender: thread.SenderMachine,
			Content: thread.Content{Kind: thread.KindText, Text: "Eva, terminó su chat con Ana de Soporte: 77."}},
		thread.Closed{Reason: thread.ClosedSessionEnded, Owner: "ana", Department: "soporte", Comment: "Se fue."},
		thread.Archived{Cause: "close"},
	}
	if diff := cmp.Diff(want, events); r != nil || diff != "" {
		t.Fatalf("%v (-want +got):\n%s", r, diff)
	}
	if conv := w.state.Current(); conv.CloseReason != thread.ClosedSessionEnded || conv.Replied || conv.LastSpeaker != "" {
		t.Errorf("closed as %q, replied %t by %q", conv.CloseReason, conv.Replied, conv.LastSpeaker)
	}
}

// F098: the operator whom a visitor is told of is the owner, or else whoever ends the session; who has no name is left out.
func TestWhoseNameAVisitorIsToldAtTheEndOfASession(t *testing.T) {
	for by, want := range map[string]domain.Personal{
		"sara": "terminó su chat con Sara de Soporte: 77.", "service": "terminó su chat con de Soporte: 77.",
	} {
		w := newWorld()
		sara := w.image.Operators["sara"]
		sara.Name = "Sara"
		w.image.Operators["sara"] = sara
		w.do(w.actor("contact"), 0, thread.Receive{Channel: "chat", Contact: "c1", IDHash: "h1", Content: thread.Content{Kind: thread.KindText, Text: "Hola"}, Ticket: 77})
		events, r := w.do(w.actor(by), 0, thread.EndSession{})
		if r != nil || len(events) != 3 {
			t.Fatalf("%s: %v, %v", by, events, r)
		}
		if said := events[0].(thread.MessageSent).Text; said != ", "+want {
			t.Errorf("%s: %q, want %q", by, said, ", "+want)
		}
	}
}

// F098: an imported end of a session says nothing of its own: what was said then is a line of the history.
func TestAnImportedEndOfASessionSaysNothing(t *testing.T) {
	w := newWorld()
	w.do(w.actor("contact"), 0, thread.Receive{Channel: "chat", Contact: "c1", IDHash: "h1", Content: thread.Content{Kind: thread.KindText, Text: "Hola"}})
	events, r := thread.Decide(&w.state, w.state.Current(), thread.EndSession{}, thread.Facts{
		Image: w.image, Actor: w.actor("sara"), Thread: w.state.ID, Now: w.now, Import: true,
	})
	want := []thread.Event{thread.Closed{Reason: thread.ClosedSessionEnded, Department: "soporte"}, thread.Archived{Cause: "close"}}
	if diff := cmp.Diff(want, events); r != nil || diff != "" {
		t.Fatalf("%v (-want +got):\n%s", r, diff)
	}
}

// F098: a refusal names the end of the session as allowed where there is one to end.
func TestOnlyALiveChatIsToldThatItsSessionMayBeEnded(t *testing.T) {
	for channel, live := range map[string]bool{"web": false, "chat": true} {
		w := newWorld()
		w.do(w.actor("contact"), 0, thread.Receive{Channel: channel, Contact: "c1", IDHash: "h1", Content: thread.Content{Kind: thread.KindText, Text: "Hola"}})
		_, r := w.do(w.actor("ana"), 0, thread.Pause{})
		if r == nil || r.Code != domain.CodeNotAllowed || slices.Contains(r.Allowed, "end-session") != live || !slices.Contains(r.Allowed, "close") {
			t.Errorf("%s: %+v", channel, r)
		}
	}
}
