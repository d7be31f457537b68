package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// hooked is a receiver of webhooks that notes what it gets, by conversation.
type hooked struct {
	*httptest.Server
	mu  sync.Mutex
	got map[string][]string // texts
}

func newHooked(t *testing.T) *hooked {
	h := &hooked{got: map[string][]string{}}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var e struct {
			Subject string
			Data    struct{ Text string }
		}
		if err != nil || json.Unmarshal(body, &e) != nil || !strings.HasPrefix(r.Header.Get("webhook-signature"), "v1,") {
			t.Errorf("got %v %s, %v", r.Header, body, err)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.got[e.Subject] = append(h.got[e.Subject], e.Data.Text)
	}))
	t.Cleanup(h.Close)
	return h
}

// await waits until every conversation has its texts in order. One that is sent twice comes twice in a row.
func (h *hooked) await(t *testing.T, want map[string][]string) {
	t.Helper()
	for limit := time.Now().Add(40 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		h.mu.Lock()
		all := true
		for id, texts := range want {
			all = all && slices.Equal(slices.Compact(slices.Clone(h.got[id])), texts)
		}
		got := fmt.Sprint(h.got)
		h.mu.Unlock()
		if all {
			return
		}
		if time.Now().After(limit) {
			t.Fatalf("came as\n%s\nwant\n%v", got, want)
		}
	}
}

// TestAWorkerThatIsKilledLosesNoWebhook: N18, with processes: the one that delivers is killed with SIGKILL, another goes on.
func TestAWorkerThatIsKilledLosesNoWebhook(t *testing.T) {
	dir, receiver := t.TempDir(), newHooked(t)
	host := start(t, "serve", "--parts", "log,engine,projectors", "--http", "127.0.0.1:0", "--webhook-allow-http", "--data", dir)
	worker := func() *process {
		return start(t, "worker", "--webhook-allow-http", "--webhook-allow-private", "--data", dir)
	}
	desk := host.api()
	desk.furnish()
	desk.put("/v1/subscriptions/crm", object{"url": receiver.URL, "types": []string{"conversation.message_received"}, "personal": true})
	desk.call(201, "", "POST", "/v1/subscriptions/crm/secrets", object{})
	first := worker()
	want, written := map[string][]string{}, 0
	writes := func(n int) {
		for range n {
			written++
			text := fmt.Sprint("text ", written)
			id, _ := desk.receive(text, fmt.Sprint("+", written%5), text)
			want[id] = append(want[id], text)
		}
	}
	writes(10)
	receiver.await(t, want)
	second := worker()
	writes(60)
	first.kill()
	writes(20)
	receiver.await(t, want)
	list := desk.get("/v1/subscriptions/crm/deliveries?limit=200")
	if n := len(list["items"].([]any)); n != 90 {
		t.Errorf("%d deliveries are listed", n)
	}
	second.end()
	host.end()
}

// TestAReceiverInsideIsNotCalledUnlessThatIsAllowed: N18: never to private addresses unless allowed.
func TestAReceiverInsideIsNotCalledUnlessThatIsAllowed(t *testing.T) {
	receiver := newHooked(t)
	s := serveOn(t, t.TempDir(), "--webhook-allow-http")
	s.furnish()
	s.put("/v1/subscriptions/crm", object{"url": receiver.URL, "types": []string{"conversation.*"}})
	s.call(201, "", "POST", "/v1/subscriptions/crm/secrets", object{})
	s.receive("m", "+1", "Hello")
	for limit := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		items, _ := s.patiently("/v1/subscriptions/crm/deliveries?state=pending")["items"].([]any)
		if len(items) > 0 {
			if last, _ := items[len(items)-1].(map[string]any); last["error"] == "address" {
				break
			}
		}
		if time.Now().After(limit) {
			t.Fatalf("the list says %v", items)
		}
	}
	if len(receiver.got) > 0 {
		t.Errorf("it was called: %v", receiver.got)
	}
	plain := serveOn(t, t.TempDir())
	plain.call(422, "", "PUT", "/v1/subscriptions/crm", object{"url": receiver.URL})
}
