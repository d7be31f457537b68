package console_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

// listen reads the lines of the console's push stream until the test ends.
func (b *browser) listen(headers ...string) (status int, lines <-chan string) {
	b.d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	b.d.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, "GET", b.d.url+"/console/stream", nil)
	if err != nil {
		b.d.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := b.client.Do(req)
	if err != nil {
		b.d.t.Fatal(err)
	}
	out := make(chan string, 256)
	go func() {
		defer close(out)
		defer resp.Body.Close()
		for scan := bufio.NewScanner(resp.Body); scan.Scan(); {
			out <- scan.Text()
		}
	}()
	return resp.StatusCode, out
}

// until reads lines up to one that holds the text.
func until(t *testing.T, lines <-chan string, text string) (before string) {
	t.Helper()
	for line := range lines {
		if strings.Contains(line, text) {
			return before
		}
		before += line + "\n"
	}
	t.Fatalf("the stream ended without %q: %s", text, before)
	return ""
}

func TestThePushesAreThoseOfTheSessionsViewer(t *testing.T) {
	d := newDesk(t)
	if status, _ := d.browser().listen(); status != http.StatusUnauthorized {
		t.Errorf("a stranger listens: %d", status)
	}
	_, ana := d.signedIn("ana").listen()
	// A session says who one is; nothing that the browser sends along may say otherwise.
	_, beto := d.signedIn("beto").listen("Turno-Actor", "operator:ana", "Authorization", "Bearer "+adminToken)
	until(t, ana, ": still here")
	until(t, beto, ": still here")
	id := d.customer("Carla", "Hola")
	until(t, ana, id)
	until(t, beto, id)
	d.operator("ana", id, "take", `{}`)
	until(t, beto, `"gone"`)
	d.operator("ana", id, "messages", `{"text":"para Carla"}`)
	second := d.customer("Dino", "Hola")
	if between := until(t, beto, second); strings.Contains(between, id) {
		t.Errorf("beto is pushed what ana does: %s", between)
	}
}

func TestAStreamGoesOnFromWhereItWasCut(t *testing.T) {
	d := newDesk(t)
	b := d.signedIn("ana")
	before := d.head()
	id := d.customer("Carla", "Hola")
	_, lines := b.listen("Last-Event-ID", before)
	until(t, lines, id)
}
