package command_test

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
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
)

// keys are the test's vault: a key is the hash of its id, until it is destroyed.
type keys struct {
	made      atomic.Int64
	destroyed sync.Map
}

func (k *keys) NewKey(context.Context) (string, error) { return fmt.Sprintf("k%d", k.made.Add(1)), nil }

func (k *keys) DestroyKey(_ context.Context, id string) error {
	k.destroyed.Store(id, true)
	return nil
}

func (k *keys) Key(_ context.Context, id string) ([]byte, error) {
	if _, gone := k.destroyed.Load(id); gone {
		return nil, codec.ErrNoKey
	}
	sum := sha256.Sum256([]byte(id))
	return sum[:], nil
}

type hasher struct{}

func (hasher) Hash(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:13])
}

// office is a log with a desk on it: department soporte with ana, beto and sara (supervisor), and a channel web.
type office struct {
	log    *memory.Store
	keys   *keys
	image  *command.Image
	engine *command.Engine
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{keys: &keys{}}
	o.log = memory.New(codec.New(o.keys))
	for id, ev := range map[string]domain.Event{
		"department/soporte":  department.Created{Definition: department.Definition{ID: "soporte", Name: "Soporte"}},
		"operator/ana":        operator.Registered{Definition: operator.Definition{ID: "ana", Name: "Ana", Role: "operator", Departments: []string{"soporte"}, Active: true}},
		"operator/beto":       operator.Registered{Definition: operator.Definition{ID: "beto", Name: "Beto", Role: "operator", Departments: []string{"soporte"}, Active: true}},
		"operator/sara":       operator.Registered{Definition: operator.Definition{ID: "sara", Name: "Sara", Role: "supervisor", Departments: []string{"soporte"}, Active: true}},
		"setting/channel.web": setting.ChannelCreated{Channel: setting.Channel{ID: "web", Type: "generic", Name: "Web", Department: "soporte"}},
	} {
		category, name, _ := strings.Cut(id, "/")
		o.append(t, domain.Aggregate{Workspace: "default", Category: domain.Category(category), ID: name}, 0, ev)
	}
	o.image = command.NewImage(o.log, "default", command.ImageOptions{})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = o.image.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	o.engine = o.another()
	return o
}

// another is a second engine on the same log: its memory is its own.
func (o *office) another() *command.Engine {
	return command.NewEngine(command.Options{
		Log: o.log, Image: o.image, Keys: o.keys, Hasher: hasher{}, Numbers: command.NewNumbers(o.log, "default", nil),
	})
}

func (o *office) append(t *testing.T, a domain.Aggregate, v domain.Version, ev domain.Event) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	_, _, err := o.log.Append(t.Context(), domain.Commit{
		ID: "set-" + strings.ReplaceAll(a.ID, ".", "-") + fmt.Sprint(v), Aggregate: a, Recorded: now, Time: now, Origin: domain.OriginLive,
		Actor: domain.Actor{Kind: domain.ActorAdmin}, Key: "kdesk", Events: []domain.Event{ev},
	}, v)
	if err != nil {
		t.Fatal(err)
	}
}

func as(operator string) command.Request {
	return command.Request{Workspace: "default", Principal: "operator:" + operator, Actor: domain.Actor{Kind: domain.ActorOperator, ID: operator}}
}

func contactWrites(address, id, text string) command.Inbound {
	return command.Inbound{Channel: "web", Address: address, Name: "Cliente", MessageID: id, Content: thread.Content{Kind: thread.KindText, Text: domain.Personal(text)}}
}

var channel = command.Request{Workspace: "default", Principal: "service:web", Actor: domain.Actor{Kind: domain.ActorContact}}

func (o *office) receive(t *testing.T, e *command.Engine, in command.Inbound) command.Result {
	t.Helper()
	r, err := e.Receive(t.Context(), channel, in)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func refused(t *testing.T, err error, code domain.Code) *domain.Refusal {
	t.Helper()
	var r *domain.Refusal
	if !errors.As(err, &r) || r.Code != code {
		t.Fatalf("got %v, want the refusal %s", err, code)
	}
	return r
}

func TestAMessageOpensAConversationAndAnotherEngineCarriesOn(t *testing.T) {
	o := newOffice(t)
	first := o.receive(t, o.engine, contactWrites("+34 600", "m1", "Hola"))
	if len(first.Commit.Events) != 3 || first.Conversation.State != thread.StateWaiting || first.Conversation.Ticket != 1 {
		t.Fatalf("opened as %+v", first.Conversation)
	}
	if !first.Commit.Time.Equal(first.Commit.Recorded) {
		t.Fatalf("recorded at %s, happened at %s", first.Commit.Recorded, first.Commit.Time)
	}
	other := o.another()
	taken, err := other.Do(t.Context(), as("ana"), first.Conversation.ID, thread.Take{})
	if err != nil {
		t.Fatal(err)
	}
	if taken.Commit.Before.State != thread.StateWaiting || taken.Commit.After.Owner != "ana" || taken.Commit.Prev != first.Position {
		t.Fatalf("taken as %+v", taken.Commit)
	}
	_, err = o.engine.Do(t.Context(), as("beto"), first.Conversation.ID, thread.Take{})
	if r := refused(t, err, thread.CodeTakenByAnother); r.Owner != "ana" {
		t.Fatalf("the refusal names %q", r.Owner)
	}
	second := o.receive(t, o.engine, contactWrites("+34 600", "m2", "¿Hay alguien?"))
	if second.Conversation.ID != first.Conversation.ID || second.Conversation.Owner != "ana" {
		t.Fatalf("the second message went to %+v", second.Conversation)
	}
}

// N2: whatever the view knows.
func TestTheSameMessageIsTakenInOnceForEver(t *testing.T) {
	o := newOffice(t)
	var wg sync.WaitGroup
	results := make([]command.Result, 20)
	engines := []*command.Engine{o.engine, o.another(), o.another()}
	for i := range results {
		wg.Go(func() {
			r, err := engines[i%len(engines)].Receive(context.Background(), channel, contactWrites("+34 600", "m1", "Hola"))
			if err != nil {
				t.Error(err)
			}
			results[i] = r
		})
	}
	wg.Wait()
	for _, r := range results {
		if r.Commit.Conversation != results[0].Commit.Conversation || r.Position != results[0].Position || r.Message != results[0].Message {
			t.Fatalf("one answer is %+v, another %+v", results[0], r)
		}
	}
	conversation := results[0].Commit.Conversation
	for range 2 { // across two closes, by an engine that has loaded the newest conversation alone
		if _, err := o.engine.Do(t.Context(), as("ana"), o.current(t, "+34 600"), thread.Take{}); err != nil {
			t.Fatal(err)
		}
		if _, err := o.engine.Do(t.Context(), as("ana"), o.current(t, "+34 600"), thread.Close{}); err != nil {
			t.Fatal(err)
		}
		o.receive(t, o.engine, contactWrites("+34 600", fmt.Sprint("later", o.current(t, "+34 600")), "Otra cosa"))
	}
	again := o.receive(t, o.another(), contactWrites("+34 600", "m1", "Hola"))
	if !again.Replayed || again.Position != results[0].Position || again.Commit.Conversation != conversation {
		t.Fatalf("the first message came again as %+v", again)
	}
}

func (o *office) current(t *testing.T, address string) string {
	t.Helper()
	id, err := o.engine.Current(t.Context(), "default", "web", address)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// N1 F044: of many takes at once one wins.
func TestOneOfManyTakesWinsAndTheOthersLearnWho(t *testing.T) {
	o := newOffice(t)
	engines := []*command.Engine{o.engine, o.another()}
	for round := range 20 {
		conv := o.receive(t, o.engine, contactWrites(fmt.Sprint("+34 ", round), "m", "Hola")).Conversation.ID
		var wins atomic.Int32
		owners := make(chan string, 100)
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				who := []string{"ana", "beto", "sara"}[i%3]
				req := as(who)
				req.Key = fmt.Sprint("k", i)
				r, err := engines[i%2].Do(context.Background(), req, conv, thread.Take{})
				var refusal *domain.Refusal
				switch {
				case err == nil && len(r.Commit.Events) > 0 && !r.Replayed:
					wins.Add(1)
					owners <- who
				case err == nil:
					owners <- who // it was theirs already
				case errors.As(err, &refusal) && refusal.Code == thread.CodeTakenByAnother:
					owners <- refusal.Owner
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		close(owners)
		_, c, err := o.engine.Conversation(t.Context(), "default", conv)
		if err != nil || wins.Load() != 1 {
			t.Fatalf("round %d: %d winners, %v", round, wins.Load(), err)
		}
		for who := range owners {
			if who != c.Owner {
				t.Fatalf("round %d: %s owns it, and somebody was told %s", round, c.Owner, who)
			}
		}
	}
}

func TestTheSameKeyIsTheSameSuccess(t *testing.T) {
	o := newOffice(t)
	conv := o.receive(t, o.engine, contactWrites("+34 600", "m1", "Hola")).Conversation.ID
	req := as("ana")
	req.Key, req.BodyHash = "once", "b1"
	send := thread.Send{Content: thread.Content{Kind: thread.KindText, Text: "Buenas"}}
	first, err := o.engine.Do(t.Context(), req, conv, send)
	if err != nil {
		t.Fatal(err)
	}
	again, err := o.another().Do(t.Context(), req, conv, send)
	if err != nil || !again.Replayed || again.Position != first.Position || again.Message != first.Message {
		t.Fatalf("again: %+v, %v", again, err)
	}
	req.BodyHash = "b2"
	_, err = o.engine.Do(t.Context(), req, conv, send)
	refused(t, err, domain.CodeKeyReused)
	req.Principal, req.Actor.ID = "operator:sara", "sara"
	_, err = o.engine.Do(t.Context(), req, conv, send)
	refused(t, err, thread.CodeTakenByAnother) // another principal's key is another key
}

func TestAStaleRevisionIsRefused(t *testing.T) {
	o := newOffice(t)
	r := o.receive(t, o.engine, contactWrites("+34 600", "m1", "Hola"))
	req := as("ana")
	req.IfMatch = r.Position
	o.receive(t, o.another(), contactWrites("+34 600", "m2", "¿?"))
	_, err := o.engine.Do(t.Context(), req, r.Conversation.ID, thread.Take{})
	refused(t, err, domain.CodeStale)
}

func TestWhatIsWrongIsRefusedAndNothingAppended(t *testing.T) {
	o := newOffice(t)
	conv := o.receive(t, o.engine, contactWrites("+34 600", "m1", "Hola")).Conversation.ID
	head, err := o.log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		code domain.Code
		do   func() error
	}{
		"an unknown conversation": {domain.CodeNotFound, func() error {
			_, err := o.engine.Do(t.Context(), as("ana"), "tnobody-1", thread.Take{})
			return err
		}},
		"a conversation yet to come": {domain.CodeNotFound, func() error {
			_, err := o.engine.Do(t.Context(), as("ana"), strings.TrimSuffix(conv, "1")+"2", thread.Take{})
			return err
		}},
		"a hostile id": {domain.CodeNotFound, func() error {
			_, err := o.engine.Do(t.Context(), as("ana"), "t>.*-1", thread.Take{})
			return err
		}},
		"an unknown operator": {domain.CodeForbidden, func() error {
			_, err := o.engine.Do(t.Context(), as("nadie"), conv, thread.Take{})
			return err
		}},
		"an unknown channel": {domain.CodeUnknownSetting, func() error {
			in := contactWrites("+34 601", "m1", "Hola")
			in.Channel = "nada"
			_, err := o.engine.Receive(t.Context(), channel, in)
			return err
		}},
		"a message without an address": {domain.CodeInvalid, func() error {
			_, err := o.engine.Receive(t.Context(), channel, contactWrites("", "m1", "Hola"))
			return err
		}},
		"a text that is too long": {domain.CodeTooLarge, func() error {
			_, err := o.engine.Receive(t.Context(), channel, contactWrites("+34 602", "m1", strings.Repeat("x", thread.MaxText+1)))
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) { refused(t, c.do(), c.code) })
	}
	if after, _ := o.log.Head(t.Context()); after != head {
		t.Fatalf("the log went from %d to %d", head, after)
	}
}

func TestAnImportIsRestartableAndKeepsTheOrder(t *testing.T) {
	o := newOffice(t)
	start := time.Date(2025, 3, 2, 9, 0, 0, 0, time.UTC)
	run := func(e *command.Engine) []domain.Position {
		var at []domain.Position
		line := func(n int, actor domain.Actor, do func(command.Request) (command.Result, error)) {
			r, err := do(command.Request{
				Workspace: "default", Principal: "import", Actor: actor, Key: fmt.Sprint("line", n), Import: true, At: start.Add(time.Duration(n) * time.Minute),
			})
			if err != nil {
				t.Fatalf("line %d: %v", n, err)
			}
			at = append(at, r.Position)
		}
		ana, contact := domain.Actor{Kind: domain.ActorOperator, ID: "ana"}, domain.Actor{Kind: domain.ActorContact}
		for n := 0; n < 9; n += 3 {
			line(n, contact, func(req command.Request) (command.Result, error) {
				return e.Receive(t.Context(), req, contactWrites("+34 600", "", "Hola"))
			})
			line(n+1, ana, func(req command.Request) (command.Result, error) {
				return e.Do(t.Context(), req, o.current(t, "+34 600"), thread.Take{})
			})
			line(n+2, ana, func(req command.Request) (command.Result, error) {
				return e.Do(t.Context(), req, o.current(t, "+34 600"), thread.Close{})
			})
		}
		return at
	}
	first := run(o.engine)
	head, _ := o.log.Head(t.Context())
	current := o.current(t, "+34 600")
	if !strings.HasSuffix(current, "-3") {
		t.Fatalf("the third conversation is %s", current)
	}
	late := command.Request{Workspace: "default", Principal: "import", Actor: channel.Actor, Key: "late", Import: true, At: start}
	_, err := o.engine.Receive(t.Context(), late, contactWrites("+34 600", "", "Tarde"))
	refused(t, err, domain.CodeOutOfOrder)
	if second := run(o.another()); fmt.Sprint(second) != fmt.Sprint(first) {
		t.Logf("first %v, second %v", first, second)
		t.Fatal("the second run gave other positions")
	}
	if after, _ := o.log.Head(t.Context()); after != head {
		t.Fatalf("the second run appended: %d, then %d", head, after)
	}
}

func TestAnErasureLeavesNothingToReadAndTheNextMessageBeginsAnew(t *testing.T) {
	o := newOffice(t)
	r := o.receive(t, o.engine, contactWrites("+34 600", "m1", "Mi secreto"))
	other := o.another()
	o.receive(t, other, contactWrites("+34 600", "m2", "Otro"))
	if err := o.engine.EraseThread(t.Context(), command.Request{Workspace: "default", Principal: "admin", Actor: domain.Actor{Kind: domain.ActorAdmin}}, r.State.ID, ""); err != nil {
		t.Fatal(err)
	}
	commits, _, err := o.log.Load(t.Context(), r.Commit.Aggregate, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if m := commits[0].Events[2].(thread.MessageReceived); m.Text != domain.Erased {
		t.Fatalf("the message still reads %q", m.Text)
	}
	next := o.receive(t, other, contactWrites("+34 600", "m3", "Hola de nuevo"))
	if next.State.ID == r.State.ID || next.Replayed {
		t.Fatalf("the next message went to the erased thread %s", next.State.ID)
	}
}
