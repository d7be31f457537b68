package http_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	nethttp "net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/turno-desk/turno/api/http"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

// pushed is one server-sent event.
type pushed struct {
	id   string
	name string
	data map[string]any
}

func (p pushed) position() domain.Position {
	n, _ := strconv.ParseUint(p.id, 10, 64)
	return domain.Position(n)
}

func (p pushed) text(name string) string { s, _ := p.data[name].(string); return s }

// stream is a console that listens.
type stream struct {
	t      testing.TB
	status int
	lines  *bufio.Reader
	cut    context.CancelFunc
	last   string // id
}

// listen opens a stream; last is the id to go on from, empty for now.
func (d *desk) listen(as, last string) *stream {
	d.t.Helper()
	ctx, cut := context.WithTimeout(context.Background(), 30*time.Second)
	d.t.Cleanup(cut)
	req, err := nethttp.NewRequestWithContext(ctx, "GET", d.url+"/v1/stream", nil)
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+d.tokens[as])
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp, err := d.client.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { resp.Body.Close() })
	return &stream{t: d.t, status: resp.StatusCode, lines: bufio.NewReader(resp.Body), cut: cut, last: last}
}

// next waits for an event; ok is false when the stream has ended.
func (s *stream) next() (p pushed, ok bool) {
	s.t.Helper()
	data := ""
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			return p, false
		}
		line = strings.TrimSuffix(line, "\n")
		field, value, _ := strings.Cut(line, ": ")
		switch {
		case line == "" && data == "": // an event without data moves the id alone
			if p.id != "" {
				s.last = p.id
			}
			p = pushed{}
		case line == "":
			if err := json.Unmarshal([]byte(data), &p.data); err != nil {
				s.t.Fatalf("a push is no JSON: %q", data)
			}
			if p.id != "" {
				s.last = p.id
			}
			return p, true
		case field == "id":
			p.id = value
		case field == "event":
			p.name = value
		case field == "data":
			data += value
		}
	}
}

// until reads events up to and including the first at the position.
func (s *stream) until(at domain.Position) []pushed {
	s.t.Helper()
	var all []pushed
	for {
		p, ok := s.next()
		if !ok {
			s.t.Fatalf("the stream ended before %d; it gave %v", at, all)
		}
		if all = append(all, p); p.position() >= at {
			return all
		}
	}
}

func TestAPushTellsWhatBecameVisibleWhatChangedAndWhatIsGone(t *testing.T) {
	d := newDesk(t)
	ana, beto, sara := d.listen("ana", ""), d.listen("beto", ""), d.listen("sara", "")
	consoles := map[string]*stream{"ana": ana, "beto": beto, "sara": sara}
	c := d.customer("a", "hola")
	opened := map[string][]pushed{}
	for name, s := range consoles {
		opened[name] = s.until(d.head())
	}
	taken := d.must(d.do("beto", "POST", "/v1/conversations/"+c+"/take", ""), 200).position()
	for name, s := range consoles {
		first := opened[name]
		if len(first) != 1 || first[0].text("change") != "changed" || first[0].text("conversation") != c {
			t.Errorf("%s was told %v of a new conversation", name, first)
		}
		row, _ := first[0].data["row"].(map[string]any)
		second := s.until(taken)
		switch gone := second[0].text("change"); {
		case len(second) != 1 || second[0].position() != taken:
			t.Errorf("%s was told %v of the take", name, second)
		case name == "ana" && (gone != "gone" || second[0].data["row"] != nil):
			t.Errorf("ana was told %v", second)
		case name != "ana" && (gone != "changed" || second[0].data["row"] != nil || row["id"] != c):
			t.Errorf("%s was told %v after %v", name, second, first)
		}
	}
}

// TestAPushSaysToWhomSomethingIsOffered is D8: all see the row change, and who is asked is told so.
func TestAPushSaysToWhomSomethingIsOffered(t *testing.T) {
	d := newDesk(t)
	d.must(d.do("admin", "PUT", "/v1/departments/soporte", `{"name":"Soporte","settings":{"transfer_accept":true}}`), 200)
	d.must(d.do("ana", "POST", "/v1/operators/ana/presence", ""), 200)
	c := d.customer("a", "hola")
	consoles := map[string]*stream{"ana": d.listen("ana", ""), "beto": d.listen("beto", "")}
	at := d.must(d.do("sara", "POST", "/v1/conversations/"+c+"/transfer", `{"operator":"ana"}`), 200).position()
	for name, s := range consoles {
		want := map[string]string{"ana": "offered"}[name]
		for _, p := range s.until(at) {
			if p.position() == at && (p.text("notice") != want || p.text("change") != "changed") {
				t.Errorf("%s was told %v", name, p)
			}
		}
	}
}

// What an import brings was answered elsewhere, long ago: it calls nobody.
func TestAnImportCallsNobody(t *testing.T) {
	c := domain.Commit{
		Aggregate: domain.Aggregate{Workspace: "default", Category: domain.CategoryThread, ID: "t1"}, Actor: domain.Actor{Kind: domain.ActorSystem},
		Events: []domain.Event{thread.Offered{Joined: []string{"ana"}}, thread.Alerted{}, thread.Taken{Operator: "ana"}, thread.MessageReceived{}},
	}
	for origin, calls := range map[domain.Origin]bool{domain.OriginLive: true, domain.OriginImport: false} {
		if c.Origin = origin; http.Calls(&c) != calls {
			t.Errorf("a commit of origin %s calls: %v", origin, !calls)
		}
	}
}

// F023 D8: what a contact writes is to be noticed by who should answer it: everybody of the department while it waits there,
// its owner alone afterwards, and nobody yet where a rule says who gets it.
func TestAPushSaysWhoShouldNoticeWhatAContactWrites(t *testing.T) {
	d := newDesk(t)
	consoles := map[string]*stream{"ana": d.listen("ana", ""), "beto": d.listen("beto", ""), "sara": d.listen("sara", ""), "aldo": d.listen("aldo", "")}
	told := func(what string, want map[string]string) {
		t.Helper()
		for name, notice := range want {
			p, ok := consoles[name].next()
			for ok && p.name != "conversation" {
				p, ok = consoles[name].next()
			}
			if !ok || p.text("notice") != notice {
				t.Errorf("%s: %s was told %v, want the notice %q", what, name, p, notice)
			}
		}
	}
	c := d.customer("a", "hola")
	told("a new one", map[string]string{"ana": "message", "beto": "message", "sara": "message", "aldo": ""})
	d.must(d.do("sara", "POST", "/v1/conversations/"+c+"/assign", `{"operator":"ana"}`), 200)
	told("an assignment", map[string]string{"ana": "assigned", "beto": "", "sara": "", "aldo": ""}) // to beto it is gone
	d.customer("a", "¿hola?")
	told("an attended one", map[string]string{"ana": "message", "sara": "", "aldo": ""})
	d.must(d.do("ana", "POST", "/v1/conversations/"+c+"/messages", `{"text":"buenas"}`), 200)
	told("an answer", map[string]string{"ana": "", "sara": "", "aldo": ""})
	d.must(d.do("admin", "PUT", "/v1/departments/soporte", `{"name":"Soporte","settings":{"offer_to":2}}`), 200)
	d.customer("b", "hola")
	told("one that is to be offered", map[string]string{"ana": "", "beto": "", "sara": "", "aldo": ""})
}

// TestACutOffConsoleMissesNothingAndHearsNothingTwice cuts streams at random points, also while they catch up from the log,
// and compares what they heard with what the log says they had to hear.
// N12 D1: whoever listens is connected: an open push stream begins a connection, and says again and again that its operator is
// there.
func TestWhoListensIsConnected(t *testing.T) {
	d := newDesk(t, func(_ *http.Parts, o *http.Options) { o.HeartbeatEvery = 10 * time.Millisecond })
	before := d.head()
	for _, other := range []string{"aldo", "crm", "admin"} { // an auditor answers nobody, and these are no operators
		d.listen(other, "")
	}
	if got := d.since(before); len(got) != 0 {
		t.Errorf("%v", got)
	}
	d.listen("ana", "")
	if got := d.since(before); !slices.Equal(got, []string{"presence.connected"}) {
		t.Errorf("%v", got)
	}
	left := d.must(d.do("ana", "POST", "/v1/operators/ana/presence", `{"connected":false}`), 200).position()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !slices.Equal(d.since(left), []string{"presence.connected"}); <-tick.C { // the stream is still open
		if time.Now().After(deadline) {
			t.Fatalf("%v", d.since(left))
		}
	}
}

// N10 D3: pushes are lossless, in order, and of what one may see.
func TestACutOffConsoleMissesNothingAndHearsNothingTwice(t *testing.T) {
	d := newDesk(t, func(_ *http.Parts, o *http.Options) { o.Ring = 16 }) // so that most resumes read the log
	d.checks = nil
	begin := d.head()
	var ids []string
	random := rand.New(rand.NewPCG(7, 11))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 250 {
			if i%10 == 0 {
				ids = append(ids, d.customer(fmt.Sprint("address-", i), "hola"))
			}
			who, c := []string{"ana", "beto", "sara"}[random.IntN(3)], ids[random.IntN(len(ids))]
			action := []string{"take", "release", "messages", "transfer", "close", "tags", "take", "reopen"}[random.IntN(8)]
			body := map[string]string{"messages": `{"text":"x"}`, "transfer": `{"department":"` + []string{"ventas", "soporte"}[random.IntN(2)] + `"}`,
				"tags": fmt.Sprintf(`{"add":["t%d"]}`, i), "close": `{"category":"c","summary":"s"}`}[action]
			d.do(who, "POST", "/v1/conversations/"+c+"/"+action, body)
		}
	}()
	heard := map[string][]pushed{}
	last := map[string]string{}
	consoles := []string{"ana", "beto", "sara", "admin"}
	for _, who := range consoles {
		last[who] = strconv.FormatUint(uint64(begin), 10)
	}
	// hear listens until it has heard of upTo, n events came, or the connection is cut after some time, amid a line or not.
	hear := func(who string, n int, upTo domain.Position, cutAfter time.Duration) {
		s := d.listen(who, last[who])
		defer s.cut()
		if cutAfter > 0 {
			defer time.AfterFunc(cutAfter, s.cut).Stop()
		}
		for ; n > 0 && (len(heard[who]) == 0 || heard[who][len(heard[who])-1].position() < upTo); n-- {
			p, ok := s.next()
			if last[who] = s.last; !ok {
				return
			}
			heard[who] = append(heard[who], p)
		}
	}
	cuts := rand.New(rand.NewPCG(3, 5))
	for made, running := 0, true; running || made < 20; made++ {
		select {
		case <-done:
			running = false
		default:
		}
		hear(consoles[cuts.IntN(3)], 1+cuts.IntN(12), ^domain.Position(0), time.Duration(1+cuts.IntN(30))*time.Millisecond)
	}
	for _, who := range consoles {
		want := d.mustHear(who, begin)
		hear(who, 1<<30, want[len(want)-1], 0)
		var got []domain.Position
		visible := map[string]bool{}
		for _, p := range heard[who] {
			got = append(got, p.position())
			visible[p.text("conversation")] = p.text("change") == "changed"
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s heard of %v, and had to hear of %v", who, got, want)
		}
		for _, id := range ids {
			if may := d.get(who, "/v1/conversations/"+id).status == 200; may != visible[id] {
				t.Errorf("%s may see %s: %v, and was left with: %v", who, id, may, visible[id])
			}
		}
	}
}

// mustHear is the positions of the commits that somebody could see before or after.
func (d *desk) mustHear(who string, after domain.Position) []domain.Position {
	d.t.Helper()
	v := map[string]access.Viewer{
		"ana":   {Operator: "ana", Role: operator.RoleOperator, Departments: []string{"soporte"}},
		"beto":  {Operator: "beto", Role: operator.RoleOperator, Departments: []string{"soporte", "ventas"}},
		"sara":  {Operator: "sara", Role: operator.RoleSupervisor, Departments: []string{"soporte"}},
		"admin": {Role: operator.RoleAdmin},
	}[who]
	var want []domain.Position
	err := d.log.Read(context.Background(), after, projections.ReadOptions{ToHead: true}, func(chunk []domain.Commit) error {
		for _, c := range chunk {
			if c.Aggregate.Category == domain.CategoryThread && (access.MaySee(v, c.Before) || access.MaySee(v, c.After)) {
				want = append(want, c.Position)
			}
		}
		return nil
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return want
}

func TestAResumeAppliesTodaysRightsAndTellsWhatWasLostMeanwhile(t *testing.T) {
	d := newDesk(t)
	waits, moved := d.customer("a", "uno"), d.customer("b", "dos")
	before := strconv.FormatUint(uint64(d.head()), 10)
	// Beto leaves soporte; what waits there is lost, also what was taken by another after that.
	d.must(d.do("admin", "PUT", "/v1/operators/beto", `{"name":"Beto","departments":["ventas"]}`), 200)
	left := d.head()
	d.must(d.do("ana", "POST", "/v1/conversations/"+moved+"/take", ""), 200)
	unknown := d.customer("c", "tres")
	d.must(d.do("ana", "POST", "/v1/conversations/"+unknown+"/transfer", `{"department":"ventas"}`), 200)
	end := d.head()
	heard := d.listen("beto", before).until(end)
	if len(heard) != 2 || heard[0].name != "rights" || heard[0].position() != left {
		t.Fatalf("beto heard %v", heard)
	}
	lost := fmt.Sprint(heard[0].data["gone"])
	if want := []string{waits, moved}; !strings.Contains(lost, want[0]) || !strings.Contains(lost, want[1]) || strings.Contains(lost, unknown) {
		t.Errorf("beto was told that he lost %s, want %v", lost, want)
	}
	if heard[1].text("conversation") != unknown || heard[1].text("change") != "changed" || heard[1].data["row"] == nil {
		t.Errorf("beto was told %v of what came to ventas", heard[1])
	}
	// He comes back: what waits there is his to see again.
	sees := d.listen("beto", "")
	d.must(d.do("admin", "PUT", "/v1/operators/beto", `{"name":"Beto","departments":["soporte","ventas"]}`), 200)
	back := sees.until(d.head())
	rows, _ := json.Marshal(back[0].data["rows"])
	if back[0].name != "rights" || !strings.Contains(string(rows), waits) || strings.Contains(string(rows), moved) {
		t.Errorf("beto was told %v", back)
	}
}

func TestAStreamEndsWhenItsTokenIsRevokedOrItsOperatorLeavesOrTheServerStops(t *testing.T) {
	d := newDesk(t)
	issued := d.must(d.do("admin", "POST", "/v1/operators/ana/tokens", ""), 201)
	d.tokens["ana2"] = issued.text("token")
	second, beto, sara := d.listen("ana2", ""), d.listen("beto", ""), d.listen("sara", "")
	d.must(d.do("admin", "POST", "/v1/operators/ana/tokens/"+issued.text("id")+"/revoke", ""), 200)
	d.must(d.do("admin", "POST", "/v1/operators/beto/deactivate", ""), 200)
	d.server.Stop()
	for name, s := range map[string]struct {
		*stream
		reason string
	}{"ana": {second, "unauthorized"}, "beto": {beto, "unauthorized"}, "sara": {sara, "stopping"}} {
		end, ok := s.next()
		if !ok || end.name != "end" {
			t.Errorf("%s was told %v", name, end)
		}
		if more, ok := s.next(); ok {
			t.Errorf("%s was told more: %v", name, more)
		}
		if name == "sara" && end.text("reason") != s.reason {
			t.Errorf("%s was told the reason %q", name, end.text("reason"))
		}
	}
}
