package effects_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/turno-desk/turno/adapters/codec"
	"github.com/turno-desk/turno/adapters/memory"
	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	people "github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/effects"
	"github.com/turno-desk/turno/projections/floor"
	"github.com/turno-desk/turno/projections/viewtest"
)

// clock is the time of a whole desk; only the test moves it.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.ns.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

type keys struct{ made atomic.Int64 }

func (k *keys) NewKey(context.Context) (string, error)   { return fmt.Sprintf("k%d", k.made.Add(1)), nil }
func (k *keys) DestroyKey(context.Context, string) error { return nil }
func (k *keys) Key(_ context.Context, id string) ([]byte, error) {
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

// desk is a log with command handlers and views: real ones, on a log in memory and a clock of the test's.
type desk struct {
	t         *testing.T
	clock     *clock
	log       *memory.Store
	image     *command.Image
	engine    *command.Engine
	settings  *command.Settings
	workloads *command.Workloads
	contacts  *command.Contacts
	surveys   *command.Surveys
	views     viewtest.Store
	fail      atomic.Int64 // so many commands of effects fail after they were done
	said      atomic.Int64
}

var admin = command.Request{Workspace: "default", Principal: "admin", Actor: domain.Actor{Kind: domain.ActorAdmin}}

func newDesk(t *testing.T) *desk {
	t.Helper()
	views, err := viewtest.OpenPatient(t.TempDir(), 10*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { views.Close() })
	d, stop := bareDesk(t)
	d.views = views
	t.Cleanup(stop)
	return d
}

// bareDesk is one without views, until it is stopped.
func bareDesk(t *testing.T) (d *desk, stop func()) {
	k := &keys{}
	d = &desk{t: t, clock: &clock{}, log: memory.New(codec.New(k))}
	d.clock.ns.Store(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC).UnixNano()) // a Monday
	d.image = command.NewImage(d.log, "default", command.ImageOptions{})
	d.engine = command.NewEngine(command.Options{
		Log: d.log, Image: d.image, Keys: k, Hasher: hasher{}, Numbers: command.NewNumbers(d.log, "default", nil), Now: d.clock.now,
	})
	d.contacts = command.NewContacts(command.ContactsOptions{Log: d.log, Image: d.image, Keys: k, Threads: d.engine, Now: d.clock.now})
	d.workloads = command.NewWorkloads(d.log, "default", d.clock.now)
	d.contacts = command.NewContacts(command.ContactsOptions{Log: d.log, Image: d.image, Keys: k, Threads: d.engine, Now: d.clock.now})
	d.surveys = command.NewSurveys(d.engine, d.contacts)
	d.settings = command.NewSettings(command.SettingsOptions{
		Log: d.log, Image: d.image, Keys: k, Secrets: &secrets{}, Hasher: hasher{}, Now: d.clock.now,
	})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = d.image.Run(ctx) })
	return d, func() { cancel(); running.Wait() }
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

func (d *desk) department(id string, s department.Settings, capacity int) {
	d.t.Helper()
	d.place(id, s, capacity)
	d.line(id, id, "")
}

// place is a department without a channel.
func (d *desk) place(id string, s department.Settings, capacity int) {
	d.t.Helper()
	ok[command.SettingResult](d.t)(d.settings.PutDepartment(d.t.Context(), admin, department.Put{ID: id, Name: id, Settings: s, Capacity: capacity}))
}

// line makes a channel that leads to an extension.
func (d *desk) line(id, department, extension string) {
	d.t.Helper()
	ok[command.SettingResult](d.t)(d.settings.PutChannel(d.t.Context(), admin, setting.PutChannel{
		ID: id, Type: "generic", Name: id, Department: department, Extension: extension,
	}))
}

// answers makes an operator with an extension.
func (d *desk) answers(id, extension, department string) {
	d.t.Helper()
	ok[command.SettingResult](d.t)(d.settings.PutOperator(d.t.Context(), admin, operator.Put{
		ID: id, Name: domain.Personal(id), Role: "operator", Departments: []string{department}, Extension: extension,
	}))
}

func (d *desk) operator(id string, departments ...string) {
	d.t.Helper()
	ok[command.SettingResult](d.t)(d.settings.PutOperator(d.t.Context(), admin, operator.Put{
		ID: id, Name: domain.Personal(id), Role: "operator", Departments: departments,
	}))
}

func (d *desk) connect(id string) {
	d.t.Helper()
	ok[command.SettingResult](d.t)(d.settings.Heartbeat(d.t.Context(), as(id), id))
}

func (d *desk) disconnect(id string) {
	d.t.Helper()
	ok[command.SettingResult](d.t)(d.settings.Disconnect(d.t.Context(), as(id), id))
}

func as(id string) command.Request {
	return command.Request{Workspace: "default", Principal: "operator:" + id, Actor: domain.Actor{Kind: domain.ActorOperator, ID: id}}
}

var contact = command.Request{Workspace: "default", Principal: "service:web", Actor: domain.Actor{Kind: domain.ActorContact}}

// writes lets a contact write on the department's channel, and returns the conversation's id.
func (d *desk) writes(channel, address string) string {
	d.t.Helper()
	r := ok[command.Result](d.t)(d.engine.Receive(d.t.Context(), contact, command.Inbound{
		Channel: channel, Address: address, Content: thread.Content{Kind: thread.KindText, Text: "Hola"},
	}))
	return r.Conversation.ID
}

func (d *desk) do(req command.Request, conversation string, cmd thread.Command) command.Result {
	d.t.Helper()
	return ok[command.Result](d.t)(d.engine.Do(d.t.Context(), req, conversation, cmd))
}

// Do is effects.Desk.
func (d *desk) Do(ctx context.Context, c effects.Command) (domain.Position, error) {
	d.said.Add(1)
	position, err := d.command(ctx, c)
	if err == nil && d.fail.Add(-1) >= 0 {
		return 0, errors.New("the answer is lost")
	}
	return position, err
}

func (d *desk) command(ctx context.Context, c effects.Command) (domain.Position, error) {
	req := command.Request{Workspace: "default", Principal: "effect:" + c.Effect, Actor: c.Actor(), Key: c.Key(), IfMatch: c.IfMatch}
	return command.Effects{Engine: d.engine, Workloads: d.workloads, Contacts: d.contacts, Surveys: d.surveys}.Do(ctx, req, command.Effect{
		Reserve: c.Reserve, Free: c.Free, Conversation: c.Conversation, Do: c.Do, Ask: c.Ask,
	})
}

// worker is a process's part that runs the effects.
type worker struct {
	*effects.Runner
	stop func()
}

var quick = effects.Options{Beat: 20 * time.Millisecond, Patience: 200 * time.Millisecond, Retry: 10 * time.Millisecond}

// work starts a worker; it ends with the test, or when it is stopped.
func (d *desk) work(list ...effects.Effect) *worker {
	d.t.Helper()
	o := quick
	o.Now = d.clock.now
	if list == nil {
		list = effects.All()
	}
	w := &worker{Runner: effects.NewRunner(d.log, d.views, d, "default", list, o)}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	holder := fmt.Sprintf("%p", w)
	go func() {
		defer close(ended)
		if err := w.Run(ctx, holder); err != nil {
			d.t.Error(err)
		}
	}()
	w.stop = func() { cancel(); <-ended }
	d.t.Cleanup(w.stop)
	return w
}

// leads waits until the worker leads.
func (d *desk) leads(w *worker) {
	d.t.Helper()
	d.until("the worker leads", w.Leading)
}

// until waits for something that no position tells.
func (d *desk) until(what string, is func() bool) {
	d.t.Helper()
	for limit := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			d.t.Fatalf("in vain: %s", what)
		}
	}
}

// happens waits for a commit after a position that the test wants to see.
func (d *desk) happens(what string, after domain.Position, is func(domain.Commit) bool) domain.Commit {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), 10*time.Second)
	defer cancel()
	var found domain.Commit
	done := errors.New("found")
	err := d.log.Read(ctx, after, projections.ReadOptions{Open: true}, func(chunk []domain.Commit) error {
		for _, c := range chunk {
			if is(c) {
				found = c
				return done
			}
		}
		return nil
	})
	if !errors.Is(err, done) {
		d.t.Fatalf("in vain: %s: %v\n%s", what, err, d.story())
	}
	return found
}

// story is the log, one commit a line.
func (d *desk) story() string {
	var b strings.Builder
	for _, c := range d.commits() {
		fmt.Fprintf(&b, "%d %s %s %s via %s:", c.Position, c.Time.Format(time.TimeOnly), c.Aggregate, c.Actor, c.Actor.Via)
		for _, e := range c.Events {
			fmt.Fprintf(&b, " %T%+v", e, e)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func (d *desk) commits() []domain.Commit {
	d.t.Helper()
	var all []domain.Commit
	err := d.log.Read(context.Background(), 0, projections.ReadOptions{Open: true, ToHead: true}, func(chunk []domain.Commit) error {
		all = append(all, chunk...)
		return nil
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return all
}

func (d *desk) head() domain.Position {
	d.t.Helper()
	return ok[domain.Position](d.t)(d.log.Head(d.t.Context()))
}

// project builds the view of the floor up to the head, so that workers start from it.
func (d *desk) project() {
	d.t.Helper()
	if err := projections.NewRunner(d.log, d.views, floor.NewProjection(), nil, projections.Options{}).RunToHead(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
}

// has reports whether the commit holds an event of the type.
func has[E any](c domain.Commit) bool {
	_, ok := event[E](c)
	return ok
}

func event[E any](c domain.Commit) (E, bool) {
	for _, e := range c.Events {
		if e, ok := e.(E); ok {
			return e, true
		}
	}
	var none E
	return none, false
}

func inbound(channel, address, id string) command.Inbound {
	return command.Inbound{Channel: channel, Address: address, MessageID: id, Content: thread.Content{Kind: thread.KindText, Text: "Hola"}}
}

// assignee gives the contact of a conversation to an operator for good.
func (d *desk) assignee(conversation, operator string) {
	d.t.Helper()
	_, conv, err := d.engine.Conversation(d.t.Context(), "default", conversation)
	if err != nil {
		d.t.Fatal(err)
	}
	id, _, _ := thread.SplitConversationID(conv.ID)
	ok[command.SettingResult](d.t)(d.contacts.Assign(d.t.Context(), admin, people.ID(id), operator))
}
