package http_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/turno-desk/turno/api/http"
	"github.com/turno-desk/turno/domain"
)

// waited is a view of which nobody knows how far it is before they wait, and how far they waited.
type waited struct {
	http.Progress
	history atomic.Uint64
}

func (w *waited) Position(view string) domain.Position {
	if view == "history" {
		return 0
	}
	return w.Progress.Position(view)
}

func (w *waited) Wait(ctx context.Context, view string, p domain.Position) error {
	if view == "history" {
		w.history.Store(uint64(p))
	}
	return w.Progress.Wait(ctx, view, p)
}

// D9: a number that was linked a moment ago stands for the other ticket in the very next command.
func TestAnEditOfATicketKnowsOfEveryLinkBeforeIt(t *testing.T) {
	var view *waited
	d := newDesk(t, func(p *http.Parts, _ *http.Options) { view = &waited{Progress: p.Progress}; p.Progress = view })
	var numbers, conversations []string
	for _, from := range []string{"k1", "k2"} {
		r := d.must(d.do("crm", "POST", "/v1/channels/web/messages", `{"from":{"address":"`+from+`"},"text":"hola"}`), 202)
		numbers = append(numbers, strconv.FormatFloat(r.value("conversation.ticket").(float64), 'f', -1, 64))
		conversations = append(conversations, r.text("conversation.id"))
	}
	linked := d.must(d.do("ana", "POST", "/v1/conversations/"+conversations[1]+"/ticket", `{"link":{"number":`+numbers[0]+`}}`), 200)
	edited := d.must(d.do("ana", "PATCH", "/v1/tickets/"+numbers[1], `{"status":"pending"}`), 200)
	if got := edited.value("ticket"); got != linked.value("conversation.linked_ticket") {
		t.Errorf("ticket %v was edited; number %s stands for %s", got, numbers[1], numbers[0])
	}
	if got := domain.Position(view.history.Load()); got < linked.position() {
		t.Errorf("the edit waited for the history of %d, the link is at %d", got, linked.position())
	}
}
