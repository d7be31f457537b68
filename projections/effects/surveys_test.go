package effects_test

import (
	"sync"
	"testing"
	"time"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	people "github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/survey"
	"github.com/turno-desk/turno/domain/thread"
)

var asking = department.Settings{Survey: survey.Settings{
	Scale: survey.Stars, Text: "Hola {{contact.name}}, ¿cómo le fue con {{operator.name}}? {{survey.link}}", Page: "https://example.org/s/",
	Thanks: "Gracias de parte de {{department.name}}.",
}}

// served lets a contact write and be served, up to the close.
func (d *desk) served(channel, address string) string {
	d.t.Helper()
	id := d.writes(channel, address)
	d.do(as("ana"), id, thread.Send{Content: thread.Content{Kind: thread.KindText, Text: "Buenas"}})
	return id
}

func (d *desk) closes(id string) domain.Position {
	d.t.Helper()
	return d.do(as("ana"), id, thread.Close{}).Position
}

func invited(id string) func(domain.Commit) bool {
	return func(c domain.Commit) bool { return c.Conversation == id && has[thread.SurveySent](c) }
}

// surveysSent is how many were sent, but for those by which settles finds out.
func (d *desk) surveysSent() (n int) {
	for _, c := range d.commits() {
		if has[thread.SurveySent](c) && c.Channel != "otros" {
			n++
		}
	}
	return n
}

// asks makes two departments that ask, and a worker.
func (d *desk) asks() *worker {
	d.t.Helper()
	for _, id := range []string{"ventas", "soporte", "otros"} {
		d.department(id, asking, 0)
	}
	d.operator("ana", "soporte", "ventas", "otros")
	d.connect("ana")
	w := d.work()
	d.leads(w)
	return w
}

// settles waits until the worker has done all that follows from what is in the log, which two closes elsewhere show: what
// is read after something was done is acted on after all that was read with it.
func (d *desk) settles(name string) {
	d.t.Helper()
	for _, half := range []string{" one", " two"} {
		id := d.served("otros", name+half)
		d.happens("another contact is asked", d.closes(id), invited(id))
	}
}

// F110 F111: the invitation is a machine's message after the close, with its variables filled; a rating is thanked for once.
func TestAContactIsAskedAfterTheCloseAndThanked(t *testing.T) {
	d := newDesk(t)
	d.asks()
	id := d.served("soporte", "1")
	closed := d.closes(id)
	c := d.happens("the contact is asked", closed, invited(id))
	sent, _ := event[thread.SurveySent](c)
	said, _ := event[thread.MessageSent](c)
	link := "https://example.org/s/" + d.surveys.Token("default", sent.Survey)
	if want := domain.Personal("Hola, ¿cómo le fue con ana? " + link); said.Text != want || said.Sender != thread.SenderMachine || said.Message != sent.Message {
		t.Errorf("it says %q, want %q", said.Text, want)
	}
	if sent.Scale != survey.Stars || sent.CreditOperator != "ana" || sent.CreditDepartment != "soporte" || !sent.Expires.Equal(c.Time.Add(24*time.Hour)) || c.Actor.Via != "effect:surveys" {
		t.Errorf("%+v via %s", sent, c.Actor.Via)
	}

	rated := ok[command.Result](t)(d.surveys.Answer(t.Context(), admin, d.surveys.Token("default", sent.Survey), thread.Rate{Score: 5}))
	thanked := func(c domain.Commit) bool {
		e, ok := event[thread.MessageSent](c)
		return ok && c.Conversation == id && e.Text == "Gracias de parte de soporte."
	}
	thanks := d.happens("thanks are said", rated.Position, thanked)
	ok[command.Result](t)(d.surveys.Answer(t.Context(), admin, d.surveys.Token("default", sent.Survey), thread.Rate{Score: 4, Comment: "Mejor así"}))
	d.settles("2")
	for _, c := range d.commits() {
		if c.Position > thanks.Position && thanked(c) {
			t.Error("thanks are said again")
		}
	}
}

// D15, and `survey: false` of the close: who was ignored, declined, blocked or hidden is not asked; nor where the department is silent.
func TestWhoIsNotAsked(t *testing.T) {
	d := newDesk(t)
	d.department("callada", department.Settings{}, 0)
	d.asks()
	ignored := d.writes("soporte", "1")
	d.do(as("ana"), ignored, thread.Ignore{})
	declined := d.served("soporte", "2")
	d.do(as("ana"), declined, thread.Close{NoSurvey: true})
	silent := d.served("ventas", "3")
	d.do(as("ana"), silent, thread.Transfer{Department: "callada"})
	d.do(admin, silent, thread.Close{})
	blocked := d.served("soporte", "4")
	id, _, _ := thread.SplitConversationID(blocked)
	ok[command.SettingResult](t)(d.contacts.Block(t.Context(), admin, people.ID(id), "spam"))
	d.closes(blocked)
	d.settles("5")
	if n := d.surveysSent(); n != 0 {
		t.Errorf("%d were asked\n%s", n, d.story())
	}
}

// F113 D7: a contact is asked once in twelve hours, over channels, departments, a merge, and closes at the same moment.
func TestOfManyClosesAtOnceOverChannelsAndAMergeOneSurveyComes(t *testing.T) {
	d := newDesk(t)
	d.asks()
	ids := []string{d.served("soporte", "1"), d.served("ventas", "1"), d.served("soporte", "2")}
	contacts := make([]string, len(ids))
	for i, id := range ids {
		thread, _, _ := thread.SplitConversationID(id)
		contacts[i] = people.ID(thread)
	}
	for _, other := range contacts[1:] {
		ok[command.SettingResult](t)(d.contacts.Merge(t.Context(), admin, contacts[0], other))
	}
	var all sync.WaitGroup
	for _, id := range ids {
		all.Go(func() { d.closes(id) })
	}
	all.Wait()
	d.settles("9")
	if n := d.surveysSent(); n != 1 {
		t.Fatalf("%d surveys for one person\n%s", n, d.story())
	}
	d.clock.advance(11*time.Hour + 59*time.Minute)
	d.connect("ana")
	again := d.served("ventas", "1")
	d.closes(again)
	d.settles("10")
	if n := d.surveysSent(); n != 1 {
		t.Fatalf("%d surveys: the cap is broken\n%s", n, d.story())
	}
	d.clock.advance(2 * time.Minute)
	later := d.served("soporte", "2")
	d.happens("after twelve hours one is asked again", d.closes(later), invited(later))
}

// F113: answers that are lost, and a change of the leader, send no second survey and leave none out.
func TestLostAnswersAndAChangeOfTheLeaderSendEachSurveyOnce(t *testing.T) {
	d := newDesk(t)
	w := d.asks()
	var ids []string
	closed := d.head()
	for i := range 6 {
		d.fail.Store(2)
		id := d.served("soporte", string(rune('a'+i)))
		d.closes(id)
		ids = append(ids, id)
		if i%2 == 1 {
			w.stop()
			w = d.work()
			d.leads(w)
		}
	}
	for _, id := range ids {
		d.happens("each contact is asked", closed, invited(id))
	}
	d.settles("z")
	per := map[string]int{}
	for _, c := range d.commits() {
		if has[thread.SurveySent](c) {
			per[c.Conversation]++
		}
	}
	for _, id := range ids {
		if per[id] != 1 {
			t.Errorf("%s was asked %d times", id, per[id])
		}
	}
	d.until("all are confirmed", func() bool {
		open := map[string]bool{}
		for _, c := range d.commits() {
			if e, is := event[people.SurveyReserved](c); is {
				open[e.Survey] = true
			}
			if e, is := event[people.SurveyConfirmed](c); is {
				delete(open, e.Survey)
			}
		}
		return len(open) == 0
	})
}

// D7: no survey comes of what an import brought, nor of a log that is read again from its beginning.
func TestAnImportAndAReplaySendNoSurvey(t *testing.T) {
	d := newDesk(t)
	w := d.asks()
	past := d.clock.now().Add(-time.Hour)
	bring := func(actor domain.Actor, at time.Time) command.Request {
		return command.Request{Workspace: "default", Principal: "import", Actor: actor, Import: true, At: at}
	}
	r := ok[command.Result](t)(d.engine.Receive(t.Context(), bring(domain.Actor{Kind: domain.ActorContact}, past), inbound("soporte", "1", "m1")))
	d.do(bring(domain.Actor{Kind: domain.ActorOperator, ID: "ana"}, past), r.Conversation.ID, thread.Take{})
	d.do(bring(domain.Actor{Kind: domain.ActorOperator, ID: "ana"}, past), r.Conversation.ID, thread.Close{})
	d.settles("2")
	w.stop()
	d.project()
	d.leads(d.work())
	d.settles("3")
	if n := d.surveysSent(); n != 0 {
		t.Errorf("%d surveys were sent\n%s", n, d.story())
	}
}

// An imported survey counts for the cap, and can be answered.
func TestAnImportedSurveyCounts(t *testing.T) {
	d := newDesk(t)
	d.asks()
	past := d.clock.now().Add(-time.Hour)
	bring := func(kind domain.ActorKind, id string, at time.Time) command.Request {
		return command.Request{Workspace: "default", Principal: "import", Actor: domain.Actor{Kind: kind, ID: id}, Import: true, At: at, Key: id + at.String()}
	}
	r := ok[command.Result](t)(d.engine.Receive(t.Context(), bring(domain.ActorContact, "", past), inbound("soporte", "1", "m1")))
	d.do(bring(domain.ActorOperator, "ana", past), r.Conversation.ID, thread.Take{})
	d.do(bring(domain.ActorOperator, "ana", past.Add(time.Second)), r.Conversation.ID, thread.Close{})
	sent := thread.Survey{Scale: survey.YesNo, Text: "¿Quedó conforme?", Expires: 24 * time.Hour}
	for range 2 {
		ok[command.Result](t)(d.surveys.Import(t.Context(), bring(domain.ActorSystem, "", past.Add(2*time.Second)), r.Conversation.ID, sent))
	}
	in := inbound("soporte", "1", "m2")
	in.Content.Text = "sí"
	if got := ok[command.Result](t)(d.engine.Receive(t.Context(), contact, in)); !has[thread.Rated](got.Commit) {
		t.Errorf("it was not rated: %+v", got.Commit.Events)
	}
	d.clock.advance(11 * time.Minute)
	d.connect("ana")
	id := d.served("soporte", "1")
	d.closes(id)
	d.settles("2")
	for _, c := range d.commits() {
		if invited(id)(c) {
			t.Errorf("asked again within twelve hours\n%s", d.story())
		}
	}
}
