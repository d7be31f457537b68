package http_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	nethttp "net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/api/http"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// slow lets a command begin, and finish when it is told to.
type slow struct {
	http.Conversations
	begun, finish chan struct{}
}

func (s slow) Do(ctx context.Context, r command.Request, id string, c thread.Command) (command.Result, error) {
	close(s.begun)
	select {
	case <-s.finish:
	case <-ctx.Done():
	}
	return s.Conversations.Do(ctx, r, id, c)
}

func TestAGracefulStopEndsFeedsAndFinishesWhatItAccepted(t *testing.T) {
	gate := slow{begun: make(chan struct{}), finish: make(chan struct{})}
	d := newDesk(t, func(p *http.Parts, _ *http.Options) { gate.Conversations = p.Conversations; p.Conversations = gate })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := d.customer("a", "hola")
	d.url = "http://" + l.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- d.server.Serve(ctx, l) }()
	feed := d.listen("ana", "")
	taken := make(chan answer, 1)
	go func() { taken <- d.do("ana", "POST", "/v1/conversations/"+c+"/take", "") }()
	<-gate.begun
	stop()
	for {
		if end, ok := feed.next(); !ok {
			t.Fatal("the stream broke off without an end")
		} else if end.name == "end" && end.text("reason") == "stopping" {
			break
		}
	}
	close(gate.finish)
	if a := <-taken; a.status != 200 {
		t.Errorf("the command that was accepted was answered %d %s", a.status, a.body)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	if _, err := net.DialTimeout("tcp", l.Addr().String(), time.Second); err == nil {
		t.Error("the port is still open")
	}
}

// TestAClientThatDoesNotReadIsCutOff fills a connection whose client never reads, and sees it end.
func TestAClientThatDoesNotReadIsCutOff(t *testing.T) {
	d := newDesk(t, func(_ *http.Parts, o *http.Options) { o.WriteWithin = 50 * time.Millisecond })
	for i := range 8 {
		d.customer(fmt.Sprint(i), strings.Repeat("x", 60_000))
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(d.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET /v1/events?after=0&stream=true&open=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", adminToken)
	deadline := time.Now().Add(20 * time.Second)
	for d.counted("turno_http_requests_total", `route="/v1/events"`) == "" {
		if time.Now().After(deadline) {
			t.Fatal("the feed goes on although nobody reads it")
		}
		d.customer("more", strings.Repeat("x", 60_000))
	}
}

// counted is the line of a metric that has these labels, empty when there is none.
func (d *desk) counted(name, labels string) string {
	d.t.Helper()
	for _, line := range strings.Split(string(d.do("", "GET", "/metrics", "").body), "\n") {
		if strings.HasPrefix(line, name) && strings.Contains(line, labels) {
			return line
		}
	}
	return ""
}

func TestTheFeedAsLinesGoesOnWithWhatComesAndEndsWhereItIsTold(t *testing.T) {
	d := newDesk(t)
	c := d.customer("a", "uno")
	ctx, cut := context.WithTimeout(context.Background(), 20*time.Second)
	defer cut()
	req, _ := nethttp.NewRequestWithContext(ctx, "GET", d.url+"/v1/events?stream=true&types=turno.conversation.message_received,turno.conversation.taken", nil)
	req.Header.Set("Authorization", "Bearer "+d.tokens["crm"])
	resp, err := d.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	read := func() (e struct{ Type, Subject, Sequence string }) {
		for lines.Scan() {
			if lines.Text() == "" {
				continue
			}
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				t.Fatal(err)
			}
			return e
		}
		t.Fatal("the feed ended")
		return e
	}
	if e := read(); e.Type != "turno.conversation.message_received.v2" || e.Subject != c {
		t.Errorf("the first line is %v", e)
	}
	d.must(d.do("ana", "POST", "/v1/conversations/"+c+"/take", ""), 200)
	if e := read(); e.Type != "turno.conversation.taken.v1" || e.Sequence != fmt.Sprint(d.head()) {
		t.Errorf("the next line is %v", e)
	}
	whole := d.must(d.do("admin", "GET", fmt.Sprintf("/v1/events?stream=true&to=%d", d.head()), ""), 200)
	if n := strings.Count(string(whole.body), "\n"); n != len(d.since(0)) { // less the log's own birth, and a reservation of numbers more
		t.Errorf("the whole log has %d lines, want %d", n, len(d.since(0)))
	}
}

func TestReadinessFailsWhenTheLogOrAViewIsBehind(t *testing.T) {
	d := newDesk(t, func(p *http.Parts, _ *http.Options) {
		real := p.Status
		p.Status = func(ctx context.Context, view string) (projections.Status, bool, error) {
			s, found, err := real(ctx, view)
			switch view {
			case "queue":
				s.LagSeconds = 60
			case "history":
				s.Heartbeat.Time = s.Heartbeat.Add(-time.Minute)
			case "stats":
				return s, false, nil
			}
			return s, found, err
		}
	})
	d.reported("queue", "history", "directory")
	a := d.must(d.do("", "GET", "/readyz", ""), 503)
	for i, ready := range []bool{false, false, false, true} {
		if a.value(fmt.Sprintf("views.%d.ready", i)) != ready {
			t.Errorf("view %d: %s", i, a.body)
		}
	}
	gone := newDesk(t, func(p *http.Parts, _ *http.Options) { p.Log = lost{p.Log} })
	if a := gone.must(gone.do("", "GET", "/readyz", ""), 503); a.value("log.ready") != false {
		t.Errorf("%s", a.body)
	}
}

// lost is a log that can't be reached.
type lost struct{ http.Log }

func (lost) Head(context.Context) (domain.Position, error) {
	return 0, errors.Join(errors.New("no route to host"), command.ErrUnavailable)
}

func TestABalancerMayAskForTheHeadAlone(t *testing.T) {
	d := newDesk(t)
	d.reported("queue", "history", "stats", "directory")
	for _, path := range []string{"/healthz", "/readyz"} {
		resp, err := d.client.Head(d.url + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 200 && resp.StatusCode != 503 { // a view may not be there yet
			t.Errorf("HEAD %s answered %d", path, resp.StatusCode)
		}
	}
}

func TestMetricsCountRoutesAndCodesAndNameNobody(t *testing.T) {
	d := newDesk(t)
	c := d.customer("+34600111222", "hola")
	d.do("ana", "POST", "/v1/conversations/"+c+"/take", "")
	d.do("beto", "POST", "/v1/conversations/"+c+"/take", "")
	d.do("ana", "PROPFIND", "/v1/queues", "")
	d.do("ana", "GET", "/v1/unheard/of/"+c, "")
	d.get("ana", "/v1/queues")
	d.reported("queue", "history")
	for name, labels := range map[string]string{
		"turno_http_requests_total":       `method="POST",route="/v1/conversations/:id/take",status="409"`,
		"turno_http_problems_total":       `code="taken_by_another",route="/v1/conversations/:id/take"`,
		"turno_commands_total":            `command="take",outcome="taken_by_another"`,
		"turno_command_duration_seconds":  `command="receive"`,
		"turno_projection_lag_events":     `projection="queue"`,
		"turno_projection_lag_seconds":    `projection="history"`,
		"turno_build_info":                `version="test"`,
		"turno_http_request_duration_sec": `route="/v1/queues"`,
	} {
		if d.counted(name, labels) == "" {
			t.Errorf("there is no %s with %s", name, labels)
		}
	}
	all := string(d.do("", "GET", "/metrics", "").body)
	for _, personal := range []string{"600111222", c, "PROPFIND", "unheard"} {
		if strings.Contains(all, personal) {
			t.Errorf("the metrics tell of %q", personal)
		}
	}
}
