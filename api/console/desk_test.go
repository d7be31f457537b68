package console_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/turno-desk/turno/adapters/codec"
	"github.com/turno-desk/turno/adapters/memory"
	"github.com/turno-desk/turno/adapters/vault"
	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/api/console"
	apihttp "github.com/turno-desk/turno/api/http"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/directory"
	"github.com/turno-desk/turno/projections/history"
	"github.com/turno-desk/turno/projections/queue"
	"github.com/turno-desk/turno/projections/stats"
	"github.com/turno-desk/turno/projections/viewtest"
)

const adminToken = "the-administrator-of-these-tests"

// desk is the whole of Turno but for the program, with its console: the log in memory, the views on SQLite, on a port.
type desk struct {
	t      testing.TB
	log    *memory.Store
	views  *projections.Tracker
	engine *command.Engine
	ahead  atomic.Int64 // of the engine's clock, a time.Duration
	url    string
	cut    func() // every connection that is open
	tokens map[string]string
}

// newDesk serves departments soporte and ventas (where a close asks for a category and a summary); operators ana (soporte),
// beto (soporte and ventas), sara (supervisor of soporte) and aldo (auditor); channel web.
func newDesk(t testing.TB) *desk {
	t.Helper()
	d := bareDesk(t, nil)
	for _, step := range []struct{ path, body string }{
		{"/v1/departments/soporte", `{"name":"Soporte"}`},
		{"/v1/departments/ventas", `{"name":"Ventas","close":{"category":true,"summary":true}}`},
		{"/v1/channels/web", `{"type":"generic","name":"Web","department":"soporte"}`},
		{"/v1/operators/ana", `{"name":"Ana Prado","role":"operator","departments":["soporte"]}`},
		{"/v1/operators/beto", `{"name":"Beto Lima","role":"operator","departments":["soporte","ventas"]}`},
		{"/v1/operators/sara", `{"name":"Sara Molina","role":"supervisor","departments":["soporte"]}`},
		{"/v1/operators/aldo", `{"name":"Aldo Ruiz","role":"auditor"}`},
	} {
		d.api("PUT", step.path, step.body)
	}
	for _, op := range []string{"ana", "beto", "sara", "aldo"} {
		d.tokens[op] = d.api("POST", "/v1/operators/"+op+"/tokens", `{}`).text("token")
	}
	d.tokens["crm"] = d.api("POST", "/v1/service-tokens", `{"service":"crm","scopes":["conversations:write"]}`).text("token")
	return d
}

// bareDesk serves a workspace with nothing in it but the administrator's token. now is the console's clock.
func bareDesk(t testing.TB, now func() time.Time) *desk {
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
	settings := command.NewSettings(command.SettingsOptions{Log: log, Image: image, Keys: keys, Secrets: keys, Hasher: keys})
	if _, err := settings.EnsureAdmin(ctx, adminToken); err != nil {
		t.Fatal(err)
	}
	tracker, err := projections.NewTracker(log, views.Reader)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tracker.Close)
	for _, p := range []projections.Projection{queue.New(), history.New(views.Dialect()), directory.New()} {
		runner := projections.NewRunner(log, views, p, log, projections.Options{Linger: -1, Heartbeat: 50 * time.Millisecond, Strict: true})
		start(func(ctx context.Context) {
			if err := runner.Run(ctx); err != nil && ctx.Err() == nil {
				t.Errorf("projection %s: %v", p.Name(), err)
			}
		})
	}
	past, rows := history.NewQueries(views.Reader("history"), views.Dialect()), queue.NewQueries(views.Reader("queue"))
	d := &desk{t: t}
	engine := command.NewEngine(command.Options{
		Now: func() time.Time { return time.Now().Add(time.Duration(d.ahead.Load())) },
		Log: log, Image: image, Keys: keys, Hasher: keys, Numbers: command.NewNumbers(log, "default", nil),
		Index: history.NewMessageIndex(past, nil),
	})
	pages, err := console.New(console.Parts{
		Conversations: engine, People: settings, Settings: image, Hasher: keys, Progress: tracker, Queue: rows, History: past,
	}, console.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	server := apihttp.New(apihttp.Parts{
		Conversations: engine, Commands: settings, Settings: image, Log: log, Aggregates: log, Structured: seal, Hasher: keys, Progress: tracker,
		Contacts: command.NewContacts(command.ContactsOptions{Log: log, Image: image, Keys: keys, Threads: engine}),
		Status: func(ctx context.Context, view string) (projections.Status, bool, error) {
			return projections.ReadStatus(ctx, views.Reader(view))
		},
		Queue: rows, History: past, Stats: stats.NewQueries(views.Reader("stats")), Directory: directory.NewQueries(views.Reader("directory")),
	}, apihttp.Options{Version: "test", Mount: pages.Mount})
	start(server.Follow)
	serving := httptest.NewServer(server.Handler())
	t.Cleanup(func() { server.Stop(); serving.CloseClientConnections(); serving.Close() })
	d.log, d.views, d.engine, d.url = log, tracker, engine, serving.URL
	d.cut, d.tokens = serving.CloseClientConnections, map[string]string{"admin": adminToken}
	return d
}

// said is a JSON answer of the API.
type said struct {
	t    testing.TB
	body []byte
}

func (s said) text(path string) string {
	s.t.Helper()
	var v any
	if err := json.Unmarshal(s.body, &v); err != nil {
		s.t.Fatal(err)
	}
	for _, step := range strings.Split(path, ".") {
		m, _ := v.(map[string]any)
		v = m[step]
	}
	text, _ := v.(string)
	return text
}

// api calls the API as the administrator, or as whom headers say; everything else than a success fails the test.
func (d *desk) api(method, path, body string, headers ...string) said {
	d.t.Helper()
	req, err := http.NewRequest(method, d.url+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	if resp.StatusCode >= 300 {
		d.t.Fatalf("%s %s answered %d: %s", method, path, resp.StatusCode, data)
	}
	return said{d.t, data}
}

// customer writes a message and returns the conversation's id.
func (d *desk) customer(name, text string) string {
	d.t.Helper()
	body, _ := json.Marshal(map[string]any{"from": map[string]string{"address": "+54 11 " + name, "name": name}, "text": text})
	return d.api("POST", "/v1/channels/web/messages", string(body)).text("conversation.id")
}

// operator does one thing to a conversation over the API.
func (d *desk) operator(id, conversation, action, body string) {
	d.t.Helper()
	d.api("POST", "/v1/conversations/"+conversation+"/"+action, body, "Turno-Actor", "operator:"+id)
}

// turno does to a conversation what Turno's own effects would, and reports whether it changed anything.
func (d *desk) turno(conversation string, c thread.Command) bool {
	d.t.Helper()
	actor := domain.Actor{Kind: domain.ActorSystem}
	if _, ok := c.(thread.Converse); ok {
		actor.Kind = domain.ActorBot
	}
	r, err := d.engine.Do(context.Background(), command.Request{Workspace: "default", Principal: "effect", Actor: actor}, conversation, c)
	if err != nil {
		d.t.Fatal(err)
	}
	return len(r.Commit.Events) > 0
}

// caughtUp waits until the views have seen all that was written.
func (d *desk) caughtUp() {
	d.t.Helper()
	head, err := d.log.Head(context.Background())
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, view := range []string{"queue", "history"} {
		if err := d.views.Wait(ctx, view, head); err != nil {
			d.t.Fatalf("the view %s does not come to %d: %v", view, head, err)
		}
	}
}

// browser is somebody with cookies and no scripts.
type browser struct {
	d      *desk
	client *http.Client
	csrf   string
}

func (d *desk) browser() *browser {
	jar, _ := cookiejar.New(nil)
	return &browser{d: d, client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// signedIn is a browser in which somebody signed in.
func (d *desk) signedIn(who string) *browser {
	d.t.Helper()
	b := d.browser()
	b.get("/console/sign-in")
	if p := b.post("/console/sign-in", "token", d.tokens[who]); p.status != http.StatusSeeOther {
		d.t.Fatalf("%s could not sign in: %d %s", who, p.status, p.body)
	}
	b.get("/console")
	return b
}

// shown is what a page answered.
type shown struct {
	status int
	header http.Header
	body   string
}

func (s shown) has(parts ...string) bool {
	for _, p := range parts {
		if !strings.Contains(s.body, p) {
			return false
		}
	}
	return true
}

var csrfIn = regexp.MustCompile(`<meta name="csrf" content="([^"]+)">`)

// get reads a page, once the views have seen everything. Headers are pairs.
func (b *browser) get(path string, headers ...string) shown {
	b.d.t.Helper()
	b.d.caughtUp()
	return b.send("GET", path, "", headers...)
}

// post sends a form with the CSRF token of the page seen last. Fields are pairs.
func (b *browser) post(path string, fields ...string) shown {
	b.d.t.Helper()
	form := url.Values{"csrf": {b.csrf}}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.send("POST", path, form.Encode())
}

func (b *browser) send(method, path, body string, headers ...string) shown {
	b.d.t.Helper()
	req, err := http.NewRequest(method, b.d.url+path, strings.NewReader(body))
	if err != nil {
		b.d.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := b.client.Do(req)
	if err != nil {
		b.d.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		b.d.t.Fatal(err)
	}
	s := shown{resp.StatusCode, resp.Header, string(data)}
	if m := csrfIn.FindStringSubmatch(s.body); m != nil {
		b.csrf = m[1]
	}
	return s
}

// head is the newest position of the log.
func (d *desk) head() string {
	d.t.Helper()
	p, err := d.log.Head(context.Background())
	if err != nil {
		d.t.Fatal(err)
	}
	return strconv.FormatUint(uint64(p), 10)
}
