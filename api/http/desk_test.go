package http_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/turno-desk/turno/adapters/codec"
	"github.com/turno-desk/turno/adapters/memory"
	"github.com/turno-desk/turno/adapters/telemetry"
	"github.com/turno-desk/turno/adapters/vault"
	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/api/http"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/deliveries"
	"github.com/turno-desk/turno/projections/directory"
	"github.com/turno-desk/turno/projections/history"
	"github.com/turno-desk/turno/projections/queue"
	"github.com/turno-desk/turno/projections/stats"
	"github.com/turno-desk/turno/projections/viewtest"
)

const adminToken = "the-administrator-of-these-tests"

// desk is the whole of Turno but for the program: the log in memory, the views on SQLite, the API on a port.
type desk struct {
	t       testing.TB
	log     *memory.Store
	views   viewtest.Store
	codec   *codec.Codec
	tracker *projections.Tracker
	engine  *command.Engine
	server  *http.Server
	url     string
	client  *nethttp.Client
	tokens  map[string]string
	checks  *contract // nil: answers are not held against it
}

// part is what a test may put in the place of the real thing.
type part func(*http.Parts, *http.Options)

// newDesk serves an empty workspace with departments soporte and ventas; operators ana (soporte), beto (soporte and
// ventas), sara (supervisor of soporte), ada (admin) and aldo (auditor); channel web, and a service crm with every scope.
// Their tokens are tokens["ana"], … and tokens["admin"].
func newDesk(t testing.TB, parts ...part) *desk {
	t.Helper()
	return furnished(bareDesk(t, nil, parts...))
}

// newDeskAt is newDesk with a clock of the test's for everything that is appended.
func newDeskAt(t testing.TB, now func() time.Time) *desk {
	t.Helper()
	return furnished(bareDesk(t, now))
}

func furnished(d *desk) *desk {
	d.t.Helper()
	for _, step := range []struct{ method, path, body string }{
		{"PUT", "/v1/departments/soporte", `{"name":"Soporte","settings":{"reopen_within_s":3600}}`},
		{"PUT", "/v1/departments/ventas", `{"name":"Ventas","close":{"category":true,"summary":true}}`},
		{"PUT", "/v1/channels/web", `{"type":"generic","name":"Web","department":"soporte"}`},
		{"PUT", "/v1/operators/ana", `{"name":"Ana","role":"operator","departments":["soporte"],"extension":"101"}`},
		{"PUT", "/v1/operators/beto", `{"name":"Beto","role":"operator","departments":["soporte","ventas"]}`},
		{"PUT", "/v1/operators/sara", `{"name":"Sara","role":"supervisor","departments":["soporte"]}`},
		{"PUT", "/v1/operators/ada", `{"name":"Ada","role":"admin","departments":["soporte"]}`},
		{"PUT", "/v1/operators/aldo", `{"name":"Aldo","role":"auditor"}`},
	} {
		d.must(d.do("admin", step.method, step.path, step.body), 200)
	}
	for _, op := range []string{"ana", "beto", "sara", "ada", "aldo"} {
		r := d.must(d.do("admin", "POST", "/v1/operators/"+op+"/tokens", `{}`), 201)
		d.tokens[op] = r.text("token")
	}
	r := d.must(d.do("admin", "POST", "/v1/service-tokens", `{"service":"crm","scopes":["intake:write","conversations:write","contacts:write",
		"settings:write","stats:read","events:read","personal:write","audit:read"]}`), 201)
	d.tokens["crm"] = r.text("token")
	return d
}

// bareDesk serves a workspace with nothing in it but the administrator's token.
func bareDesk(t testing.TB, now func() time.Time, parts ...part) *desk {
	t.Helper()
	views, err := viewtest.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { views.Close() })
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	t.Cleanup(func() { cancel(); running.Wait() }) // before the views are closed
	start := func(run func(context.Context)) {
		running.Add(1)
		go func() { defer running.Done(); run(ctx) }()
	}

	keys := vault.NewMemory("default")
	seal := codec.New(keys)
	log := memory.New(seal)
	image := command.NewImage(log, "default", command.ImageOptions{})
	start(func(ctx context.Context) { _ = image.Run(ctx) })
	settings := command.NewSettings(command.SettingsOptions{Log: log, Image: image, Keys: keys, Secrets: keys, Hasher: keys, Now: now})
	if _, err := settings.EnsureAdmin(ctx, adminToken); err != nil {
		t.Fatal(err)
	}
	tracker, err := projections.NewTracker(log, views.Reader)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tracker.Close)
	for _, p := range []projections.Projection{queue.New(), history.New(views.Dialect()), stats.New(), directory.New()} {
		runner := projections.NewRunner(log, views, p, log, projections.Options{Linger: -1, Heartbeat: 200 * time.Millisecond, Strict: true})
		start(func(ctx context.Context) {
			if err := runner.Run(ctx); err != nil && ctx.Err() == nil {
				t.Errorf("projection %s: %v", p.Name(), err)
			}
		})
	}
	past := history.NewQueries(views.Reader("history"), views.Dialect())
	numbers := command.NewNumbers(log, "default", now)
	engine := command.NewEngine(command.Options{
		Log: log, Image: image, Keys: keys, Hasher: keys, Numbers: numbers, Now: now,
		Tickets: history.NewTicketIndex(past, func(ctx context.Context, p domain.Position) error { return tracker.Wait(ctx, "history", p) }),
		Index:   history.NewMessageIndex(past, func(ctx context.Context, p domain.Position) error { return tracker.Wait(ctx, "history", p) }),
	})
	contacts := command.NewContacts(command.ContactsOptions{Log: log, Image: image, Keys: keys, Threads: engine, Now: now})
	p := http.Parts{
		Conversations: engine, Threads: engine, Commands: settings, Settings: image, Log: log, Aggregates: log, Structured: seal, Hasher: keys, Progress: tracker,
		Contacts: contacts,
		Surveys:  command.NewSurveys(engine, contacts),
		Tickets:  command.NewTickets(command.TicketsOptions{Log: log, Image: image, Numbers: numbers, Now: now}),
		Status: func(ctx context.Context, view string) (projections.Status, bool, error) {
			return projections.ReadStatus(ctx, views.Reader(view))
		},
		Queue: queue.NewQueries(views.Reader("queue")), History: past,
		Stats: stats.NewQueries(views.Reader("stats")), Directory: directory.NewQueries(views.Reader("directory")),
		Deliveries: deliveries.NewQueries(views.Reader(deliveries.Name)),
	}
	tables, err := deliveries.Open(ctx, views) // as a worker has made them
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tables.Close() })
	meters := telemetry.New("test")
	o := http.Options{Version: "test", Meter: meters.HTTP(), Metrics: meters.Handler()}
	for _, change := range parts {
		change(&p, &o)
	}
	server := http.New(p, o)
	meters.Standing(server.Probe().Read)
	start(server.Follow)
	serving := httptest.NewUnstartedServer(server.Handler())
	serving.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if err := c.(*net.TCPConn).SetWriteBuffer(16 << 10); err != nil { // so that a client that doesn't read is noticed soon
			t.Error(err)
		}
		return ctx
	}
	serving.Start()
	t.Cleanup(func() { server.Stop(); serving.Close() })
	return &desk{
		t: t, log: log, views: views, codec: seal, tracker: tracker, engine: engine, server: server, url: serving.URL, client: serving.Client(),
		tokens: map[string]string{"admin": adminToken}, checks: newContract(t),
	}
}

// answer is what a request was answered with.
type answer struct {
	d      *desk
	asked  string
	status int
	header nethttp.Header
	body   []byte
}

// do sends a request as somebody; "" sends no token. Headers are pairs. Every answer is held against the contract.
func (d *desk) do(as, method, path, body string, headers ...string) answer {
	d.t.Helper()
	req, err := nethttp.NewRequest(method, d.url+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	name, actor, _ := strings.Cut(as, "/")
	if name != "" {
		token, ok := d.tokens[name]
		if !ok {
			d.t.Fatalf("there is no token of %q", name)
		}
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if actor != "" {
		req.Header.Set("Turno-Actor", actor)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return d.send(req, body)
}

func (d *desk) send(req *nethttp.Request, body string) answer {
	d.t.Helper()
	resp, err := d.client.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	a := answer{d: d, asked: req.Method + " " + req.URL.RequestURI(), status: resp.StatusCode, header: resp.Header, body: data}
	if d.checks != nil {
		d.checks.hold(d.t, req, body, a)
	}
	return a
}

// chunked sends a request that doesn't tell how long its body is.
func (d *desk) chunked(as, method, path, body string) answer {
	d.t.Helper()
	req, err := nethttp.NewRequest(method, d.url+path, io.MultiReader(strings.NewReader(body)))
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+d.tokens[as])
	return d.send(req, body)
}

// must fails the test unless the answer has the status.
func (d *desk) must(a answer, status int) answer {
	d.t.Helper()
	if a.status != status {
		d.t.Fatalf("%s answered %d, want %d: %s", a.asked, a.status, status, a.body)
	}
	return a
}

// listed is the answer's body, or the JSON list of its lines.
func (a answer) listed() []byte {
	media, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	if media != "application/x-ndjson" && media != "text/csv" {
		return a.body
	}
	lines := []json.RawMessage{}
	for line := range bytes.Lines(a.body) {
		if media == "text/csv" {
			line, _ = json.Marshal(strings.TrimRight(string(line), "\r\n"))
		}
		lines = append(lines, line)
	}
	list, err := json.Marshal(lines)
	if err != nil {
		a.d.t.Fatalf("%s answered lines that are no JSON: %s", a.asked, a.body)
	}
	return list
}

// value is the part of the answer at the path: names and indexes with dots between; nil when there is none.
func (a answer) value(path string) any {
	a.d.t.Helper()
	var v any
	if err := json.Unmarshal(a.listed(), &v); err != nil {
		a.d.t.Fatalf("%s answered no JSON: %q", a.asked, a.body)
	}
	for _, step := range strings.Split(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(at) {
				return nil
			}
			v = at[i]
		default:
			return nil
		}
	}
	return v
}

func (a answer) text(path string) string {
	s, _ := a.value(path).(string)
	return s
}

// position is the position that the answer names in its header.
func (a answer) position() domain.Position {
	a.d.t.Helper()
	p, err := strconv.ParseUint(a.header.Get("Turno-Position"), 10, 64)
	if err != nil {
		a.d.t.Fatalf("%s answered without a position: %d %s", a.asked, a.status, a.body)
	}
	return domain.Position(p)
}

// head is the newest position of the log.
func (d *desk) head() domain.Position {
	d.t.Helper()
	p, err := d.log.Head(context.Background())
	if err != nil {
		d.t.Fatal(err)
	}
	return p
}

// get reads as somebody, once the view has seen everything that was written so far.
func (d *desk) get(as, path string) answer {
	d.t.Helper()
	return d.do(as, "GET", path, "", "Turno-Position", strconv.FormatUint(uint64(d.head()), 10))
}

// since names the events after a position, without their prefix and version. Reservations of numbers are left out: they
// come whenever a block is used up.
func (d *desk) since(after domain.Position) []string {
	d.t.Helper()
	names := []string{}
	err := d.log.Read(context.Background(), after, projections.ReadOptions{ToHead: true}, func(chunk []domain.Commit) error {
		for i := range chunk {
			events, err := d.codec.Structured(&chunk[i])
			if err != nil {
				return err
			}
			for _, e := range events {
				var head struct {
					Type string `json:"type"`
				}
				if err := json.Unmarshal(e, &head); err != nil {
					return err
				}
				name := strings.TrimPrefix(head.Type, "turno.")
				if chunk[i].Aggregate.Category != domain.CategorySequence {
					names = append(names, name[:strings.LastIndex(name, ".v")])
				}
			}
		}
		return nil
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return names
}

// customer writes a message from an address and returns the conversation's id.
func (d *desk) customer(address, text string) string {
	d.t.Helper()
	var body bytes.Buffer
	_ = json.NewEncoder(&body).Encode(map[string]any{"from": map[string]string{"address": address, "name": "Cliente " + address}, "text": text})
	return d.must(d.do("crm", "POST", "/v1/channels/web/messages", body.String()), 202).text("conversation.id")
}

// reported waits until the runner of the view has told how it stands, which it does with its first heartbeat.
func (d *desk) reported(views ...string) {
	d.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); ; <-tick.C {
		body := string(d.do("", "GET", "/metrics", "").body)
		missing := slices.DeleteFunc(slices.Clone(views), func(v string) bool {
			return strings.Contains(body, `turno_projection_lag_events{projection="`+v+`"}`)
		})
		if len(missing) == 0 {
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("no word of %v", missing)
		}
	}
}
