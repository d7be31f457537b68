package deliveries_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections/deliveries"
)

// TestAReceiverThatIsDownForAnHourGetsEverythingInOrder.
//
// N18: receiver down for an hour: all delivered, in order per conversation, signed, with a delivery log.
func TestAReceiverThatIsDownForAnHourGetsEverythingInOrder(t *testing.T) {
	r := newRig(t)
	r.subscribe(nil)
	down := r.clock.now().Add(time.Hour)
	r.receiver.says(func(got) int {
		if r.clock.now().Before(down) {
			return 503
		}
		return 204
	})
	w := r.work(nil)
	for i := range 120 {
		r.writes(fmt.Sprint("+", i%7), fmt.Sprint("text ", i))
		r.clock.advance(30 * time.Second)
		if i%8 == 0 {
			r.until("what is due is tried", func() bool {
				all := r.listed(deliveries.Pending)
				return len(all) > 0 && all[0].Attempts > 0 && !slices.ContainsFunc(all, func(d deliveries.Delivery) bool {
					return d.Next != nil && !d.Next.After(r.clock.now())
				})
			})
		}
	}
	if len(r.receiver.taken()) > 0 {
		t.Fatal("something was taken while nobody was there")
	}
	want := r.messages()
	r.meanwhile("everything is delivered", 10*time.Second, func() bool { return count(r.receiver.taken()) == 120 })
	if d := cmp.Diff(want, r.receiver.taken()); d != "" {
		t.Errorf("(-written +delivered)\n%s", d)
	}
	r.until("the list says so", func() bool { return len(r.listed(deliveries.Delivered)) == 120 })
	tried := 0
	for _, d := range r.listed("") {
		if d.State != deliveries.Delivered || d.Status != 204 || d.Tried == nil || d.Next != nil || d.Type != "turno.conversation.message_received.v2" {
			t.Errorf("%+v", d)
		}
		tried = max(tried, d.Attempts)
	}
	if tried < 3 {
		t.Errorf("nothing was tried more than %d times", tried)
	}
	if n, age := w.Standing(); n != 0 || age != 0 {
		t.Errorf("%d are pending, since %s", n, age)
	}
}

// N18: in order per conversation, whatever fails when; other conversations meanwhile.
func TestAConversationsEventsComeInOrderWhateverFails(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := newRig(t)
			r.subscribe(func(s *setting.Subscription) { s.Types = []string{"*"}; s.Channels = []string{"web"} })
			random := rand.New(rand.NewPCG(seed, seed))
			var mu sync.Mutex
			fails := map[string]int{} // how often each is refused yet
			r.receiver.says(func(g got) int {
				mu.Lock()
				defer mu.Unlock()
				left, known := fails[g.id]
				if !known {
					left = max(0, random.IntN(6)-2)
				}
				if fails[g.id] = left - 1; left > 0 {
					return []int{400, 500, 302, 429}[left]
				}
				return 200
			})
			r.work(nil)
			for i := range 40 {
				r.writes(fmt.Sprint("+", random.IntN(5)), fmt.Sprint(i))
			}
			want := r.events()
			r.meanwhile("everything is delivered", 5*time.Second, func() bool { return count(r.receiver.taken()) == count(want) })
			if d := cmp.Diff(want, r.receiver.taken()); d != "" {
				t.Errorf("(-written +delivered)\n%s", d)
			}
		})
	}
}

// events are all events of conversations, by conversation.
func (r *rig) events() map[string][]string {
	all := map[string][]string{}
	for _, c := range r.commits() {
		for i := range c.Events {
			if c.Conversation != "" {
				all[c.Conversation] = append(all[c.Conversation], deliveries.WebhookID(c.ID, i))
			}
		}
	}
	return all
}

// killed loses what the receiver has answered, as a process does that is killed in that moment.
type killed struct {
	deliveries.Caller
	after atomic.Int64
	died  chan struct{}
}

func (k *killed) Call(ctx context.Context, c deliveries.Call) deliveries.Answer {
	a := k.Caller.Call(ctx, c)
	switch n := k.after.Add(-1); {
	case n > 0:
		return a
	case n == 0:
		close(k.died)
	}
	<-ctx.Done()
	return deliveries.Answer{Error: "answer"}
}

// N18: what was called and not written down is called again: at least once, and never lost.
func TestALeaderThatDiesBetweenTheCallAndItsNoteLosesNothing(t *testing.T) {
	r := newRig(t)
	r.subscribe(nil)
	k := &killed{died: make(chan struct{})}
	k.after.Store(11)
	first := r.work(func(p *deliveries.Parts, o *deliveries.Options) {
		k.Caller, p.Caller, o.Grace = p.Caller, k, time.Nanosecond
	})
	for i := range 30 {
		r.writes(fmt.Sprint("+", i%3), fmt.Sprint(i))
	}
	<-k.died
	first.stop()
	before := len(r.listed(deliveries.Delivered))
	if before < 7 || before > 10 {
		t.Errorf("%d are written down as delivered, want 10, less those that were being written down", before)
	}
	r.work(nil)
	r.until("all are delivered", func() bool { return len(r.listed(deliveries.Delivered)) == 30 })
	twice := 0
	for subject, ids := range r.messages() {
		got := r.receiver.taken()[subject]
		twice += len(got) - len(ids)
		if d := cmp.Diff(ids, slices.Compact(got)); d != "" { // what comes again comes at once
			t.Errorf("%s (-written +delivered)\n%s", subject, d)
		}
	}
	if twice == 0 || twice > 13-before {
		t.Errorf("%d came twice, want those that were on their way", twice)
	}
}

func TestOneOfManyWorkersDelivers(t *testing.T) {
	r := newRig(t)
	r.subscribe(nil)
	workers := []*worker{r.work(nil), r.work(nil), r.work(nil)}
	r.until("one leads", func() bool {
		return slices.ContainsFunc(workers, func(w *worker) bool { return w.Leading() })
	})
	for i := range 30 {
		r.writes(fmt.Sprint("+", i%4), fmt.Sprint(i))
		if i%10 == 5 {
			for k, w := range workers {
				if w.Leading() {
					w.stop()
					workers[k] = r.work(nil)
				}
			}
		}
	}
	r.until("all are delivered", func() bool { return count(r.receiver.taken()) >= 30 })
	if d := cmp.Diff(r.messages(), r.receiver.taken()); d != "" {
		t.Errorf("one that is told to stop ends its calls: each comes once (-written +delivered)\n%s", d)
	}
}

// N18: signed by the former secret too, until its time.
func TestBothSecretsSignWhileOneIsRotated(t *testing.T) {
	r := newRig(t)
	r.subscribe(nil)
	r.work(nil)
	signatures := func(text string) int {
		n := len(r.receiver.calls())
		r.writes("+1", text)
		r.until("it is called", func() bool { return len(r.receiver.calls()) > n })
		return r.receiver.calls()[n].signatures
	}
	if n := signatures("before"); n != 1 {
		t.Errorf("%d signatures before", n)
	}
	r.secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", time.Hour)
	r.until("both sign", func() bool { return signatures("meanwhile") == 2 })
	r.clock.advance(time.Hour)
	if n := signatures("after"); n != 1 {
		t.Errorf("%d signatures after", n)
	}
}

func TestADeliveryFailsAfterTheWholeScheduleAndItsLaneGoesOn(t *testing.T) {
	r := newRig(t)
	r.subscribe(nil)
	begun := r.clock.now()
	first, failed := "", time.Time{}
	r.receiver.says(func(g got) int {
		if strings.Contains(g.body, `"text"`) && (first == "" || g.id == first) { // one at a time: they are of one lane
			first, failed = g.id, r.clock.now()
			return 500
		}
		return 200
	})
	r.work(nil)
	r.writes("+1", "poison")
	r.writes("+1", "next")
	r.meanwhile("the second comes", 10*time.Minute, func() bool { return count(r.receiver.taken()) == 1 })
	all := r.listed("")
	if all[0].State != deliveries.Failed || all[0].Attempts != deliveries.Attempts() || all[0].Status != 500 || all[1].State != deliveries.Delivered {
		t.Errorf("%+v", all)
	}
	if took := failed.Sub(begun); took < 27*time.Hour {
		t.Errorf("it was tried for %s", took)
	}
}

// N18: manual redelivery from any position, beside what is under way.
func TestWhatWasDeliveredIsDeliveredAgainFromAnyPosition(t *testing.T) {
	r := newRig(t)
	r.subscribe(nil)
	r.work(nil)
	var at []domain.Position
	for i := range 12 {
		at = append(at, r.writes(fmt.Sprint("+", i%2), fmt.Sprint(i)))
	}
	r.until("all are delivered", func() bool { return count(r.receiver.taken()) == 12 })
	again := func(re setting.Redeliver) {
		t.Helper()
		ok[command.SettingResult](t)(r.settings.Redeliver(t.Context(), admin, "crm", re))
	}
	again(setting.Redeliver{From: at[4], To: at[7]})
	r.until("four come again", func() bool { return count(r.receiver.taken()) == 16 })
	again(setting.Redeliver{From: at[10]})
	r.until("two come again", func() bool { return count(r.receiver.taken()) == 18 })
	again(setting.Redeliver{From: 1})
	r.until("what came before it was ever asked for comes too", func() bool { return count(r.receiver.taken()) == 30 })
	for subject, ids := range r.messages() {
		if got := r.receiver.taken()[subject]; !slices.Equal(got[len(got)-6:], ids) || !slices.Equal(got[:6], ids) {
			t.Errorf("%s came as %v, is %v", subject, got, ids)
		}
	}
	r.until("the list has them", func() bool { return len(r.listed(deliveries.Delivered)) == 30 })

	var stuck atomic.Bool // redeliveries of +0 are not taken: what is new of it is
	stuck.Store(true)
	r.receiver.says(func(g got) int {
		if stuck.Load() && slices.Contains(r.messages()[g.subject][:6], g.id) {
			return 500
		}
		return 200
	})
	again(setting.Redeliver{From: at[0]})
	r.until("it is tried", func() bool { return len(r.receiver.calls()) > 31 })
	r.writes("+0", "new")
	r.until("what is new comes", func() bool { return count(r.receiver.taken()) == 31 })
	stuck.Store(false)
	r.meanwhile("the rest comes", time.Second, func() bool { return count(r.receiver.taken()) == 43 })
}

func TestWhatHasFailedIsDeliveredAgain(t *testing.T) {
	r := newRig(t)
	r.subscribe(nil)
	var down atomic.Bool
	down.Store(true)
	r.receiver.says(func(g got) int {
		if down.Load() && g.subject != "" && strings.HasSuffix(g.id, "-2") { // of a first message: opened, queued, received
			return 500
		}
		return 200
	})
	r.work(nil)
	for i := range 6 {
		r.writes(fmt.Sprint("+", i%3), fmt.Sprint(i))
	}
	r.meanwhile("three have failed", time.Hour, func() bool { return len(r.listed(deliveries.Failed)) == 3 })
	r.until("the others came", func() bool { return count(r.receiver.taken()) == 3 })
	down.Store(false)
	ok[command.SettingResult](t)(r.settings.Redeliver(t.Context(), admin, "crm", setting.Redeliver{From: 1, FailedOnly: true}))
	r.until("those came too", func() bool { return count(r.receiver.taken()) == 6 })
	r.until("and are written down", func() bool { return len(r.listed(deliveries.Delivered)) == 6 })
	ok[command.SettingResult](t)(r.settings.Redeliver(t.Context(), admin, "crm", setting.Redeliver{From: 1, FailedOnly: true}))
	r.writes("+9", "a last one")
	r.until("a last one comes, and nothing failed is left", func() bool { return count(r.receiver.taken()) == 7 })
	if len(r.listed("")) != 10 {
		t.Errorf("%d are listed", len(r.listed("")))
	}
}

func TestAReceiverThatIsGoneIsCalledNoMoreAndGoesOnWhereItWas(t *testing.T) {
	r := newRig(t)
	r.subscribe(nil)
	r.receiver.says(func(got) int { return http.StatusGone })
	r.work(nil)
	r.writes("+1", "one")
	stopped := func() bool {
		img, err := r.image.Snapshot(t.Context())
		s, _ := img.Subscription("crm")
		return err == nil && !s.Enabled && s.Stopped == setting.StoppedGone
	}
	r.until("it is disabled", stopped)
	r.writes("+1", "two")
	r.writes("+2", "three")
	r.clock.advance(time.Hour)
	r.receiver.says(func(got) int { return 200 })
	if n := len(r.receiver.calls()); n != 1 {
		t.Errorf("it was called %d times", n)
	}
	r.define(nil)
	r.meanwhile("all is delivered", time.Second, func() bool { return count(r.receiver.taken()) == 3 })
	if d := cmp.Diff(r.messages(), r.receiver.taken()); d != "" {
		t.Errorf("(-written +delivered)\n%s", d)
	}
}

func TestASubscriptionBeginsWithItsDefinitionAndIsForgottenWhenRetired(t *testing.T) {
	r := newRig(t)
	r.work(nil)
	r.writes("+1", "before")
	r.define(nil)
	r.writes("+1", "between the definition and its first secret")
	r.secret("", 0)
	r.until("one comes", func() bool { return count(r.receiver.taken()) == 1 })
	r.receiver.says(func(got) int { return 500 })
	r.writes("+1", "pending when it is retired")
	r.until("it is tried", func() bool { return len(r.receiver.calls()) > 1 })
	ok[command.SettingResult](t)(r.settings.RetireDefinition(t.Context(), admin, setting.KindSubscription, "crm"))
	r.until("nothing is pending", func() bool { return len(r.listed(deliveries.Pending)) == 0 })
	r.writes("+1", "while it is retired")
	r.receiver.says(func(got) int { return 200 })
	r.subscribe(nil)
	r.writes("+1", "after it came back")
	r.meanwhile("that comes", time.Second, func() bool { return count(r.receiver.taken()) == 2 })
	for _, ids := range r.messages() {
		if got := r.receiver.taken()[r.listed("")[0].Subject]; !slices.Equal(got, []string{ids[1], ids[4]}) {
			t.Errorf("%v came of %v", got, ids)
		}
	}
}

func TestAnImportIsNotDelivered(t *testing.T) {
	r := newRig(t)
	r.subscribe(nil)
	r.work(nil)
	imported := contact
	imported.Import, imported.At, imported.Key = true, r.clock.now().Add(-time.Hour), "k"
	_, err := r.engine.Receive(t.Context(), imported, command.Inbound{Channel: "web", Address: "+1", MessageID: "m", Content: thread.Content{Kind: thread.KindText, Text: "old"}})
	if err != nil {
		t.Fatal(err)
	}
	r.writes("+2", "new")
	ok[command.SettingResult](t)(r.settings.Redeliver(t.Context(), admin, "crm", setting.Redeliver{From: 1}))
	r.until("the new one comes, and again", func() bool { return count(r.receiver.taken()) == 2 })
	if len(r.receiver.taken()) != 1 {
		t.Errorf("%v", r.receiver.taken())
	}
}

// TestARatingReachesTheCRM: F114, the score and what it is about, as the CRM has asked for no more.
func TestARatingReachesTheCRM(t *testing.T) {
	r := newRig(t)
	r.subscribe(func(s *setting.Subscription) { s.Types = []string{"conversation.rated"} })
	r.work(nil)
	id := r.conversation("+1", "hola")
	for _, do := range []thread.Command{thread.Close{}, thread.Rate{Score: 4}} {
		ok[command.Result](t)(r.engine.Do(t.Context(), admin, id, do))
	}
	r.until("the rating comes", func() bool { return len(r.receiver.calls()) == 1 })
	g := r.receiver.calls()[0]
	var e struct {
		Contact string
		Data    struct{ Score int }
	}
	if err := json.Unmarshal([]byte(g.body), &e); err != nil || g.subject != id || g.kind != "turno.conversation.rated.v2" || e.Data.Score != 4 || e.Contact == "" {
		t.Errorf("%v: %s", err, g.body)
	}
}

// TestAWorkflowsCallGoesToTheSubscriptionThatItNames: F136, to that one alone, whatever anybody listens to.
func TestAWorkflowsCallGoesToTheSubscriptionThatItNames(t *testing.T) {
	r := newRig(t)
	r.subscribe(func(s *setting.Subscription) { s.Types = nil })
	other := newReceiver(t)
	ok[command.SettingResult](t)(r.settings.Define(t.Context(), admin, setting.Subscription{
		ID: "other", URL: other.server.URL, Types: []string{"conversation.*"}, Enabled: true,
	}))
	other.secret(ok[command.SubscriptionSecret](t)(r.settings.AddSecret(t.Context(), admin, "other", command.SecretOrder{})).Plain)
	r.work(nil)
	id := r.conversation("+1", "hola")
	for _, to := range []string{"crm", "nobody"} {
		r.append(id, thread.WebhookRequested{Run: id + "-w1", Workflow: "w", Step: 1, Subscription: to})
	}
	r.writes("+1", "and on")
	r.until("both got theirs", func() bool { return len(r.receiver.calls()) == 1 && len(other.calls()) == 4 })
	if g := r.receiver.calls()[0]; g.kind != "turno.conversation.webhook_requested.v1" || g.subject != id {
		t.Errorf("%+v", g)
	}
	for _, g := range other.calls() {
		if strings.Contains(g.kind, "webhook_requested") {
			t.Errorf("another one got %s", g.body)
		}
	}
}

// TestPersonalFieldsAreSealedUnlessTheSubscriptionIsPersonal, and never in the list or its tables (N8).
func TestPersonalFieldsAreSealedUnlessTheSubscriptionIsPersonal(t *testing.T) {
	for _, personal := range []bool{false, true} {
		r := newRig(t)
		r.subscribe(func(s *setting.Subscription) { s.Personal = personal; s.Types = []string{"conversation.*"} })
		r.work(nil)
		r.writes("+1", "My secret wish")
		r.until("it comes", func() bool { return count(r.receiver.taken()) == 3 })
		all := r.receiver.story()
		for _, g := range r.receiver.calls() {
			all += g.body
		}
		if strings.Contains(all, "My secret wish") != personal || strings.Contains(all, "Clara Personal") != personal {
			t.Errorf("personal: %v, and it is sent as\n%s", personal, all)
		}
		if rows := r.rows(); strings.Contains(rows, "wish") || strings.Contains(rows, "Clara") || strings.Contains(rows, "+1") || !strings.Contains(rows, "message_received") {
			t.Errorf("the tables hold\n%s", rows)
		}
		r.receiver.says(func(g got) int {
			if strings.Contains(g.body, "message_received") {
				return 500
			}
			return 200
		})
		id := r.messagesOf()[0]
		n := len(r.receiver.calls())
		r.writes("+1", "My second wish")
		r.until("it is tried, and refused: none is under way", func() bool { return len(r.receiver.calls()) > n })
		if err := r.engine.EraseThread(t.Context(), admin, id, ""); err != nil {
			t.Fatal(err)
		}
		r.receiver.says(func(got) int { return 200 })
		r.meanwhile("all comes", time.Second, func() bool { return len(r.listed(deliveries.Pending)) == 0 && count(r.receiver.taken()) > 4 })
		for _, g := range r.receiver.calls() {
			if g.status == 200 && strings.Contains(g.body, "My second wish") {
				t.Errorf("what was erased is sent: %s", g.body)
			}
			if strings.Contains(g.body, "[erased]") && !personal {
				t.Errorf("what is sealed is opened: %s", g.body)
			}
		}
	}
}

func TestWhatTheLogHasLostFailsAtOnce(t *testing.T) {
	r := newRig(t)
	r.subscribe(nil)
	r.receiver.says(func(got) int { return 500 })
	lost := &forgetful{Log: r.log}
	r.work(func(p *deliveries.Parts, _ *deliveries.Options) { p.Log = lost })
	at := r.writes("+1", "one")
	r.until("it is tried", func() bool { return len(r.listed(deliveries.Pending)) == 1 && r.listed("")[0].Attempts == 1 })
	lost.at.Store(uint64(at))
	r.receiver.says(func(got) int { return 200 })
	r.writes("+1", "two")
	r.meanwhile("the second comes", time.Second, func() bool { return count(r.receiver.taken()) == 1 })
	if d := r.listed(deliveries.Failed); len(d) != 1 || d[0].Error != "lost" || d[0].Attempts != 1 || d[0].Position != at {
		t.Errorf("%+v", d)
	}
}

func TestACursorThatIsOffTheLogGoesBackAndDeliversNothingTwice(t *testing.T) {
	r := newRig(t)
	r.subscribe(nil)
	first := r.work(nil)
	for i := range 5 {
		r.writes("+1", fmt.Sprint(i))
	}
	r.until("all are delivered", func() bool { return len(r.listed(deliveries.Delivered)) == 5 })
	first.stop()
	r.exec(`UPDATE cursor SET commit_id = 'another'`)
	r.work(nil)
	r.writes("+1", "new")
	r.until("what is new comes", func() bool { return count(r.receiver.taken()) == 6 })
	if d := cmp.Diff(r.messages(), r.receiver.taken()); d != "" {
		t.Errorf("(-written +delivered)\n%s", d)
	}
}

func TestTheCursorWaitsWhileTooMuchIsPending(t *testing.T) {
	r := newRig(t)
	r.subscribe(nil)
	r.receiver.says(func(got) int { return 500 })
	w := r.work(func(_ *deliveries.Parts, o *deliveries.Options) { o.Most, o.MostOf = 5, 5 })
	for i := range 5 {
		r.writes(fmt.Sprint("+", i), "x")
	}
	r.until("enough is pending", func() bool { n, _ := w.Standing(); return n >= 5 })
	for i := range 40 {
		r.writes(fmt.Sprint("+", i%5), "y")
	}
	r.until("everything was tried", func() bool { return len(r.receiver.calls()) >= 5 })
	if n, _ := w.Standing(); n > 6 {
		t.Errorf("%d are pending", n)
	}
	r.receiver.says(func(got) int { return 200 })
	r.meanwhile("all is delivered", time.Second, func() bool { return count(r.receiver.taken()) == 45 })
	if d := cmp.Diff(r.messages(), r.receiver.taken()); d != "" {
		t.Errorf("(-written +delivered)\n%s", d)
	}
}

func TestAReceiverThatAsksForRestIsLeftAlone(t *testing.T) {
	r := newRig(t)
	r.subscribe(nil)
	tired := func(got) (int, http.Header) { return http.StatusTooManyRequests, http.Header{"Retry-After": {"300"}} }
	r.receiver.answer.Store(&tired)
	r.work(nil)
	r.writes("+1", "one")
	r.until("it is called", func() bool { return len(r.listed(deliveries.Pending)) == 1 && r.listed("")[0].Attempts == 1 })
	if next := r.listed("")[0].Next.Sub(r.clock.now()); next != 5*time.Minute {
		t.Errorf("it is tried again in %s", next)
	}
	r.receiver.says(func(got) int { return 200 })
	r.writes("+2", "another conversation")
	r.until("it is pending", func() bool { return len(r.listed(deliveries.Pending)) == 2 })
	r.clock.advance(299 * time.Second)
	time.Sleep(20 * time.Millisecond) // a call that is too early would have to show itself
	if n := len(r.receiver.calls()); n != 1 {
		t.Errorf("it was called %d times", n)
	}
	r.clock.advance(time.Second)
	r.until("both come", func() bool { return count(r.receiver.taken()) == 2 })
}

func TestDeliveriesThatAreOverAreListedForAMonth(t *testing.T) {
	r := newRig(t)
	r.subscribe(nil)
	first := r.work(nil)
	r.writes("+1", "old")
	r.until("it is over", func() bool { return len(r.listed(deliveries.Delivered)) == 1 })
	first.stop()
	r.clock.advance(29 * 24 * time.Hour)
	second := r.work(nil)
	for i := range 4 {
		r.writes("+1", fmt.Sprint(i))
	}
	r.until("they are over", func() bool { return len(r.listed(deliveries.Delivered)) == 5 })
	second.stop()
	r.clock.advance(2 * 24 * time.Hour)
	third := r.work(nil)
	r.until("the old one is gone", func() bool { return len(r.listed("")) == 4 })
	third.stop()
	r.work(func(_ *deliveries.Parts, o *deliveries.Options) { o.KeepMost = 1 })
	r.until("no more than one is kept, or those that ended in the same moment", func() bool { return len(r.listed("")) <= 1 })
}

func TestTheListIsGivenInPagesAndItsCursorIsItsOwn(t *testing.T) {
	r := newRig(t)
	r.subscribe(nil)
	r.work(nil)
	for i := range 20 {
		r.writes("+1", fmt.Sprint(i))
	}
	r.until("all are delivered", func() bool { return len(r.listed(deliveries.Delivered)) == 20 })
	q := deliveries.NewQueries(r.views.Reader(deliveries.Name))
	for _, bad := range []string{"x", "MQ", "MSAxIEE", "IA=="} {
		if _, err := q.Deliveries(t.Context(), "default", "crm", deliveries.Filter{Cursor: bad, Limit: 5}); err != deliveries.ErrCursor {
			t.Errorf("the cursor %q: %v", bad, err)
		}
	}
	none := ok[deliveries.Page](t)(q.Deliveries(t.Context(), "default", "other", deliveries.Filter{Limit: 5}))
	if len(none.Items) > 0 || none.Position != 0 || none.HasMore {
		t.Errorf("of another subscription: %+v", none)
	}
}
