package http_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/turno-desk/turno/api/http"
	"github.com/turno-desk/turno/projections/deliveries"
)

// post is who delivers for a test: one secret signs, nobody is stopped, and a receiver takes what is not of a dead address.
type post struct{}

func (post) Secret(context.Context, string, string) ([]byte, error) { return []byte("secret"), nil }
func (post) Stop(context.Context, string, string) error             { return nil }
func (post) Call(_ context.Context, c deliveries.Call) deliveries.Answer {
	if c.URL == "https://dead.example.com" {
		return deliveries.Answer{Error: "connect"}
	}
	return deliveries.Answer{Status: 204}
}

// TestDeliveriesAreListedAndSentAgain: N18, the list and the redelivery as the contract says, over HTTP.
func TestDeliveriesAreListedAndSentAgain(t *testing.T) {
	var image http.Image
	d := newDesk(t, func(p *http.Parts, _ *http.Options) { image = p.Settings })
	for id, url := range map[string]string{"crm": "https://crm.example.com", "dead": "https://dead.example.com"} {
		d.must(d.do("admin", "PUT", "/v1/subscriptions/"+id, fmt.Sprintf(`{"url": %q, "types": ["conversation.*"]}`, url)), 200)
		d.must(d.do("admin", "POST", "/v1/subscriptions/"+id+"/secrets", `{}`), 201)
	}
	runner := deliveries.NewRunner(deliveries.Parts{Log: d.log, Views: d.views, Settings: image, Codec: d.codec, Desk: post{}, Caller: post{}},
		"default", deliveries.Options{Look: 5 * time.Millisecond})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := runner.Run(ctx, "test"); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); running.Wait() })
	from := d.head()
	d.customer("a", "hola")
	await := func(path string, is func(answer) bool) answer {
		t.Helper()
		for limit := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			a := d.must(d.do("admin", "GET", path, ""), 200)
			if is(a) {
				return a
			}
			if time.Now().After(limit) {
				t.Fatalf("in vain: %s", a.body)
			}
		}
	}
	all := await("/v1/subscriptions/crm/deliveries?state=delivered", func(a answer) bool { return a.value("items.2") != nil })
	if all.value("items.0.status") != 204.0 || all.value("items.0.attempts") != 1.0 || all.text("items.0.type") != "turno.conversation.message_received.v2" || all.value("pending") != 0.0 {
		t.Errorf("delivered are %s", all.body)
	}
	down := await("/v1/subscriptions/dead/deliveries?state=pending", func(a answer) bool { return a.value("items.2.error") == "connect" })
	if down.value("items.2.next_at") == nil || down.value("items.0.attempts") != 0.0 || down.value("pending") != 3.0 {
		t.Errorf("pending are %s", down.body)
	}
	d.must(d.do("admin", "POST", "/v1/subscriptions/crm/redeliver", fmt.Sprintf(`{"from": %d}`, from)), 200)
	await("/v1/subscriptions/crm/deliveries?limit=6", func(a answer) bool { return a.value("items.5") != nil && a.value("items.4.state") == "delivered" })
	first := d.must(d.do("admin", "GET", "/v1/subscriptions/crm/deliveries?limit=4", ""), 200)
	rest := d.must(d.do("admin", "GET", "/v1/subscriptions/crm/deliveries?limit=4&cursor="+first.text("next"), ""), 200)
	if first.value("has_more") != true || rest.value("items.1") == nil || rest.value("items.2") != nil {
		t.Errorf("in pages: %s\n%s", first.body, rest.body)
	}
}
