package thread_test

import (
	"testing"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

func TestAnErasureBlanksWhatIsRememberedOfTheThread(t *testing.T) {
	w := newWorld()
	do := func(actor string, cmd thread.Command) {
		t.Helper()
		if events, r := w.do(w.actor(actor), 0, cmd); r != nil || len(events) == 0 {
			t.Fatalf("%T: %v", cmd, r)
		}
	}
	do("contact", thread.Receive{Channel: "web", Contact: "c1", Name: "Eva", IDHash: "h", Content: thread.Content{Kind: thread.KindText, Text: "Hola"}})
	do("sara", thread.Classify{Classified: thread.Classified{Fields: map[string]domain.Personal{"motivo": "12345678Z"}}})
	do("sara", thread.Close{})
	do("contact", thread.Rate{Score: 5, Comment: "Gracias, Sara"})
	do("system", thread.Erase{})
	conv := w.state.Current()
	if w.state.Name != domain.Erased || conv.Classification.Fields["motivo"] != domain.Erased || conv.Rating.Comment != domain.Erased || conv.Rating.Score != 5 {
		t.Fatalf("remembered: %+v, %+v, %+v", w.state.Name, conv.Classification, conv.Rating)
	}
}

func TestASupervisorsOverrideNeedsAReason(t *testing.T) {
	w := newWorld()
	if _, r := w.do(w.actor("contact"), 0, thread.Receive{Channel: "cobweb", Contact: "c1", IDHash: "h", Content: thread.Content{Kind: thread.KindText, Text: "Hola"}}); r != nil {
		t.Fatal(r)
	}
	if _, r := w.do(w.actor("susi"), 0, thread.Close{Override: " \n"}); r == nil || r.Code != thread.CodeCloseRequirements {
		t.Fatalf("an override without a reason: %v", r)
	}
}
