package deliveries_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/turno-desk/turno/adapters/codec"
	"github.com/turno-desk/turno/adapters/memory"
	"github.com/turno-desk/turno/adapters/webhook"
	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/deliveries"
	"github.com/turno-desk/turno/projections/viewtest"
)

func TestMain(m *testing.M) { os.Exit(viewtest.Main(m)) }

// clock is the time of a whole desk; only the test moves it.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.ns.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

// keys are keys of the test's, which can be destroyed.
type keys struct {
	made atomic.Int64
	gone sync.Map
}

func (k *keys) NewKey(context.Context) (string, error) { return fmt.Sprintf("k%d", k.made.Add(1)), nil }
func (k *keys) DestroyKey(_ context.Context, id string) error {
	k.gone.Store(id, true)
	return nil
}
func (k *keys) Key(_ context.Context, id string) ([]byte, error) {
	if _, gone := k.gone.Load(id); gone {
		return nil, codec.ErrNoKey
	}
	sum := sha256.Sum256([]byte(id))
	return sum[:], nil
}

type secrets struct{ sync.Map }

func (s *secrets) PutSecret(_ context.Context, name string, v []byte) error {
	s.Store(name, v)
	return nil
}
func (s *secrets) DeleteSecret(_ context.Context, name string) error { s.Delete(name); return nil }
func (s *secrets) Secret(_ context.Context, name string) ([]byte, error) {
	v, _ := s.Load(name)
	b, _ := v.([]byte)
	return b, nil
}

type hasher struct{}

func (hasher) Hash(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:13])
}

// rig is a log with command handlers, a store of views and a receiver: real ones, on a log in memory and a clock of the test's.
type rig struct {
	t        *testing.T
	clock    *clock
	log      *memory.Store
	codec    *codec.Codec
	image    *command.Image
	engine   *command.Engine
	settings *command.Settings
	secrets  *secrets
	views    viewtest.Store
	receiver *receiver
}

var admin = command.Request{Workspace: "default", Principal: "admin", Actor: domain.Actor{Kind: domain.ActorAdmin}}
var contact = command.Request{Workspace: "default", Principal: "service:web", Actor: domain.Actor{Kind: domain.ActorContact}}

func newRig(t *testing.T) *rig {
	t.Helper()
	views, err := viewtest.OpenPatient(t.TempDir(), 10*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { views.Close() })
	k := &keys{}
	r := &rig{t: t, clock: &clock{}, codec: codec.New(k), secrets: &secrets{}, views: views}
	r.log = memory.New(r.codec)
	r.clock.ns.Store(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC).UnixNano())
	r.image = command.NewImage(r.log, "default", command.ImageOptions{})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = r.image.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	r.engine = command.NewEngine(command.Options{
		Log: r.log, Image: r.image, Keys: k, Hasher: hasher{}, Numbers: command.NewNumbers(r.log, "default", nil), Now: r.clock.now,
	})
	r.settings = command.NewSettings(command.SettingsOptions{
		Log: r.log, Image: r.image, Keys: k, Secrets: r.secrets, Hasher: hasher{}, Now: r.clock.now,
	})
	r.receiver = newReceiver(t)
	ok[command.SettingResult](t)(r.settings.PutDepartment(t.Context(), admin, department.Put{ID: "soporte", Name: "Soporte"}))
	ok[command.SettingResult](t)(r.settings.PutChannel(t.Context(), admin, setting.PutChannel{ID: "web", Type: "generic", Name: "web", Department: "soporte"}))
	return r
}

// ok ends the test on an error.
func ok[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// subscribe makes the subscription crm to the receiver, with a secret.
func (r *rig) subscribe(change func(*setting.Subscription)) {
	r.t.Helper()
	r.define(change)
	r.secret("", 0)
}

func (r *rig) define(change func(*setting.Subscription)) {
	r.t.Helper()
	s := setting.Subscription{ID: "crm", URL: r.receiver.server.URL, Types: []string{"conversation.message_received"}, Enabled: true}
	if change != nil {
		change(&s)
	}
	ok[command.SettingResult](r.t)(r.settings.Define(r.t.Context(), admin, s))
}

// secret adds a secret, and lets the receiver know it.
func (r *rig) secret(given string, keep time.Duration) {
	r.t.Helper()
	s := ok[command.SubscriptionSecret](r.t)(r.settings.AddSecret(r.t.Context(), admin, "crm", command.SecretOrder{Secret: given, Keep: keep}))
	if s.Plain == "" {
		s.Plain = given
	}
	r.receiver.secret(s.Plain)
}

// writes lets a contact write, and returns the position.
func (r *rig) writes(address, text string) domain.Position {
	r.t.Helper()
	return r.received(address, text).Position
}

// conversation lets a contact write, and returns the conversation.
func (r *rig) conversation(address, text string) string {
	r.t.Helper()
	return r.received(address, text).Conversation.ID
}

func (r *rig) received(address, text string) command.Result {
	r.t.Helper()
	return ok[command.Result](r.t)(r.engine.Receive(r.t.Context(), contact, command.Inbound{
		Channel: "web", Address: address, Name: "Clara Personal", Content: thread.Content{Kind: thread.KindText, Text: domain.Personal(text)},
	}))
}

// worker is a process's part that delivers.
type worker struct {
	*deliveries.Runner
	stop func()
}

// work starts a worker; it ends with the test, or when it is stopped.
func (r *rig) work(change func(*deliveries.Parts, *deliveries.Options)) *worker {
	r.t.Helper()
	p := deliveries.Parts{
		Log: r.log, Views: r.views, Settings: r.image, Codec: r.codec, Desk: desk{r},
		Caller: webhook.New(webhook.Options{AllowHTTP: true, AllowPrivate: true}),
	}
	o := deliveries.Options{
		Beat: 20 * time.Millisecond, Patience: 2 * time.Second, Retry: 5 * time.Millisecond, Look: 2 * time.Millisecond, Now: r.clock.now,
	}
	if change != nil {
		change(&p, &o)
	}
	w := &worker{Runner: deliveries.NewRunner(p, "default", o)}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := w.Run(ctx, fmt.Sprintf("%p", w)); err != nil {
			r.t.Error(err)
		}
	}()
	w.stop = func() { cancel(); <-ended }
	r.t.Cleanup(w.stop)
	return w
}

// desk is deliveries.Desk.
type desk struct{ *rig }

func (d desk) Secret(ctx context.Context, subscription, fingerprint string) ([]byte, error) {
	return d.secrets.Secret(ctx, command.SecretName(subscription, fingerprint))
}

func (d desk) Stop(ctx context.Context, subscription, url string) error {
	_, err := d.settings.StopSubscription(ctx, admin, subscription, url)
	return err
}

// until waits for something that no position tells.
func (r *rig) until(what string, is func() bool) {
	r.t.Helper()
	for limit := time.Now().Add(20 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			r.t.Fatalf("in vain: %s\n%s", what, r.receiver.story())
		}
	}
}

// meanwhile moves the clock on until something is so.
func (r *rig) meanwhile(what string, step time.Duration, is func() bool) {
	r.t.Helper()
	r.until(what, func() bool { r.clock.advance(step); return is() })
}

// listed are the deliveries as the API lists them, the oldest first.
func (r *rig) listed(state string) []deliveries.Delivery {
	r.t.Helper()
	q := deliveries.NewQueries(r.views.Reader(deliveries.Name))
	var all []deliveries.Delivery
	for cursor := ""; ; {
		page, err := q.Deliveries(r.t.Context(), "default", "crm", deliveries.Filter{State: state, Cursor: cursor, Limit: 7})
		if errors.Is(err, projections.ErrUnavailable) {
			return nil // no worker has begun yet
		}
		if err != nil {
			r.t.Fatal(err)
		}
		all = append(all, page.Items...)
		if cursor = page.Next; !page.HasMore {
			slices.Reverse(all)
			return all
		}
	}
}

// messages are the conversation messages of the log, by conversation: the ids that deliveries of them have.
func (r *rig) messages() map[string][]string {
	r.t.Helper()
	all := map[string][]string{}
	err := r.log.Read(context.Background(), 0, projections.ReadOptions{ToHead: true}, func(chunk []domain.Commit) error {
		for _, c := range chunk {
			for i, e := range c.Events {
				if _, is := e.(thread.MessageReceived); is {
					all[c.Conversation] = append(all[c.Conversation], deliveries.WebhookID(c.ID, i))
				}
			}
		}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}

// receiver is somebody's endpoint. It verifies what it gets, and answers as it is told.
type receiver struct {
	t      *testing.T
	server *httptest.Server
	answer atomic.Pointer[func(got) (status int, header http.Header)]

	mu   sync.Mutex
	keys [][]byte
	got  []got
}

// got is one call that a receiver answered.
type got struct {
	id, subject, kind string
	signatures        int
	body              string
	status            int
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{t: t}
	r.says(func(got) int { return 204 })
	r.server = httptest.NewServer(http.HandlerFunc(r.handle))
	t.Cleanup(r.server.Close)
	return r
}

func (r *receiver) says(status func(got) int) {
	fn := func(g got) (int, http.Header) { return status(g), nil }
	r.answer.Store(&fn)
}

func (r *receiver) secret(plain string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(plain, "whsec_"))
	if err != nil {
		r.t.Error(err)
	}
	r.keys = append([][]byte{text}, r.keys...)
}

// verified counts the signatures that a secret of the receiver's has made, written out as the page on webhooks tells it.
func (r *receiver) verified(h http.Header, body []byte) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, s := range strings.Fields(h.Get("webhook-signature")) {
		for _, key := range r.keys {
			mac := hmac.New(sha256.New, key)
			io.WriteString(mac, h.Get("webhook-id")+"."+h.Get("webhook-timestamp")+"."+string(body))
			if s == "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
				n++
			}
		}
	}
	return n
}

func (r *receiver) handle(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	g := got{id: req.Header.Get("webhook-id"), signatures: r.verified(req.Header, body), body: string(body)}
	var e struct {
		ID, Subject, Type string
	}
	if err := json.Unmarshal(body, &e); err != nil || strings.ReplaceAll(e.ID, ".", "-") != g.id {
		r.t.Errorf("%s: %v in %s", g.id, err, body)
	}
	if g.signatures == 0 {
		r.t.Errorf("%s is signed by nobody known: %s", g.id, req.Header.Get("webhook-signature"))
	}
	g.subject, g.kind = e.Subject, e.Type
	status, header := (*r.answer.Load())(g)
	g.status = status
	r.mu.Lock()
	r.got = append(r.got, g)
	r.mu.Unlock()
	for name, values := range header {
		w.Header()[name] = values
	}
	w.WriteHeader(status)
}

// taken are the ids that the receiver took, by subject, in the order of their coming.
func (r *receiver) taken() map[string][]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := map[string][]string{}
	for _, g := range r.got {
		if g.status < 300 {
			all[g.subject] = append(all[g.subject], g.id)
		}
	}
	return all
}

func (r *receiver) calls() []got {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func (r *receiver) story() string {
	var b strings.Builder
	for _, g := range r.calls() {
		fmt.Fprintf(&b, "%s %s %s: %d\n", g.subject, g.kind, g.id, g.status)
	}
	return b.String()
}

func count(all map[string][]string) (n int) {
	for _, ids := range all {
		n += len(ids)
	}
	return n
}
