package effects_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
)

// menu gives the channel of soporte a menu: 1 is ventas, 2 opens a node whose 1 is soporte, 3 says the hours.
func (d *desk) menu(m setting.Menu) {
	d.t.Helper()
	d.department("ventas", department.Settings{}, 0)
	m.ID, m.Name, m.Person = "main", "Main", setting.Person{Title: "Una persona"}
	m.Nodes = []setting.Node{
		{ID: "start", Text: "Hola", Choices: []setting.Choice{
			{ID: "ventas", Title: "Ventas", Action: setting.ActionHandOff, Department: "ventas"},
			{ID: "more", Title: "Soporte", Action: setting.ActionOpen, Node: "deep"},
			{ID: "hours", Title: "Horario", Action: setting.ActionAnswer, Text: "Siempre"},
		}},
		{ID: "deep", Text: "¿Qué falla?", Choices: []setting.Choice{{ID: "net", Title: "Internet", Action: setting.ActionHandOff, Department: "soporte"}}},
	}
	ok[command.SettingResult](d.t)(d.settings.Define(d.t.Context(), admin, m))
	ok[command.SettingResult](d.t)(d.settings.PutChannel(d.t.Context(), admin, setting.PutChannel{
		ID: "soporte", Type: "generic", Name: "Soporte", Department: "soporte", Menu: "main",
	}))
}

// says lets a contact say something on the channel of soporte, and returns the conversation's id.
func (d *desk) says(address, id string, content thread.Content) string {
	d.t.Helper()
	r := ok[command.Result](d.t)(d.engine.Receive(d.t.Context(), contact, command.Inbound{Channel: "soporte", Address: address, MessageID: id, Content: content}))
	return r.Conversation.ID
}

func text(s string) thread.Content {
	return thread.Content{Kind: thread.KindText, Text: domain.Personal(s)}
}

// words are the bot's messages in a conversation, in order.
func (d *desk) words(conversation string) (said []string) {
	for _, c := range d.commits() {
		if m, ok := event[thread.MessageSent](c); ok && c.Conversation == conversation && c.Actor.Kind == domain.ActorBot {
			said = append(said, string(m.Text))
		}
	}
	return said
}

func (d *desk) state(conversation string) string {
	d.t.Helper()
	_, conv, err := d.engine.Conversation(d.t.Context(), "default", conversation)
	if err != nil {
		d.t.Fatal(err)
	}
	return conv.State + " " + conv.Department
}

func (d *desk) becomes(conversation, state string) {
	d.t.Helper()
	d.until(conversation+" is "+state, func() bool { return d.state(conversation) == state })
}

// F004 F013: the bot greets, answers and hands off, each once, although the answer to every one of its commands is lost.
func TestTheBotTalksAndHandsOffThoughEveryAnswerIsLost(t *testing.T) {
	d := newDesk(t)
	d.department("soporte", department.Settings{}, 0)
	d.menu(setting.Menu{})
	d.fail.Store(4)
	d.leads(d.work())
	id := d.says("1", "a", text("Hola"))
	for n, answer := range []string{"Horario", "2", "1"} {
		d.until("the bot speaks", func() bool { return len(d.words(id)) > n })
		d.clock.advance(time.Minute)
		d.says("1", answer, text(answer))
	}
	d.becomes(id, "waiting soporte")
	if got := d.words(id); !slices.Equal(got, []string{"Hola", "Siempre", "¿Qué falla?"}) {
		t.Errorf("the bot says %q\n%s", got, d.story())
	}
	for _, c := range d.commits() {
		if q, ok := event[thread.Queued](c); ok && q.Cause == thread.CauseHandedOff && (c.Actor.Kind != domain.ActorBot || c.Actor.Via != "effect:bot") {
			t.Errorf("%s hands off via %s", c.Actor, c.Actor.Via)
		}
	}
	if d.fail.Load() > 0 {
		t.Errorf("%d answers were not lost", d.fail.Load())
	}
}

// F013: an album of thirty pictures that come at once gets one greeting, and costs no wrong answer.
func TestAnAlbumIsAnsweredOnce(t *testing.T) {
	d := newDesk(t)
	d.department("soporte", department.Settings{}, 0)
	d.menu(setting.Menu{})
	d.leads(d.work())
	picture := thread.Content{Kind: thread.KindImage, Attachments: []thread.Attachment{{URL: "https://example.com/a.jpg", Type: "image/jpeg"}}}
	var all sync.WaitGroup
	for i := range 30 {
		all.Go(func() { d.says("1", fmt.Sprint("p", i), picture) })
	}
	all.Wait()
	id := d.says("1", "last", picture)
	head := d.head()
	d.until("the bot's turns are over", func() bool { return d.said.Load() >= 31 })
	d.clock.advance(time.Minute)
	d.says("1", "answer", text("2"))
	d.happens("it opens the node", head, func(c domain.Commit) bool { m, ok := event[thread.MenuShown](c); return ok && m.Node == "deep" })
	if got := d.words(id); !slices.Equal(got, []string{"Hola", "¿Qué falla?"}) {
		t.Errorf("the bot says %q", got)
	}
}

// F013: what contacts wrote while nobody worked is answered in its order when somebody does, each once.
func TestWhatCameWhileNobodyWorkedIsAnsweredInItsOrder(t *testing.T) {
	d := newDesk(t)
	d.department("soporte", department.Settings{}, 0)
	d.menu(setting.Menu{})
	w := d.work()
	d.leads(w)
	id := d.says("1", "a", text("Hola"))
	d.until("the bot greets", func() bool { return len(d.words(id)) == 1 })
	w.stop()
	d.clock.advance(time.Minute)
	d.says("1", "b", text("2"))
	d.says("1", "c", text("1"))
	other := d.says("2", "d", text("Hola"))
	d.project()
	d.leads(d.work())
	d.becomes(id, "waiting soporte")
	d.until("the other is greeted", func() bool { return len(d.words(other)) == 1 })
	if got := d.words(id); !slices.Equal(got, []string{"Hola", "¿Qué falla?"}) {
		t.Errorf("the bot says %q", got)
	}
}

// F014: a paused bot says nothing; resumed, it begins anew.
func TestAPausedBotIsSilentUntilItIsResumed(t *testing.T) {
	d := newDesk(t)
	d.department("soporte", department.Settings{}, 0)
	d.menu(setting.Menu{})
	d.operator("ana", "soporte")
	d.leads(d.work())
	id := d.says("1", "a", text("Hola"))
	d.until("the bot greets", func() bool { return len(d.words(id)) == 1 })
	d.do(as("ana"), id, thread.PauseBot{})
	d.clock.advance(time.Minute)
	d.says("1", "b", text("3"))
	if s := d.state(id); s != "waiting soporte" {
		t.Fatalf("it is %s", s)
	}
	d.do(as("ana"), id, thread.ResumeBot{})
	d.until("the bot greets again", func() bool { return len(d.words(id)) == 2 })
	d.clock.advance(time.Minute)
	d.says("1", "c", text("0"))
	d.becomes(id, "waiting soporte")
	if got := d.words(id); !slices.Equal(got, []string{"Hola", "Hola"}) {
		t.Errorf("the bot says %q", got)
	}
}

// F013: who is silent for the menu's time is let go, also when nobody worked at that moment; who spoke meanwhile is not.
func TestTheBotClosesWhatItsContactHasLeftLying(t *testing.T) {
	d := newDesk(t)
	d.department("soporte", department.Settings{}, 0)
	d.menu(setting.Menu{CloseAfter: 600})
	w := d.work()
	d.leads(w)
	id, other, taken := d.says("1", "a", text("Hola")), d.says("2", "b", text("Hola")), d.says("3", "c", text("Hola"))
	for _, c := range []string{id, other, taken} {
		d.until("the bot greets "+c, func() bool { return len(d.words(c)) == 1 })
	}
	d.operator("ana", "soporte")
	d.connect("ana")
	d.do(as("ana"), taken, thread.Take{})
	d.clock.advance(5 * time.Minute)
	d.says("2", "d", text("3"))
	d.until("the bot answers", func() bool { return len(d.words(other)) == 2 })
	w.stop()
	d.clock.advance(6 * time.Minute)
	d.project()
	d.leads(d.work())
	c := d.happens("the silent one is closed", 0, func(c domain.Commit) bool { return has[thread.Closed](c) && c.Conversation == id })
	if e, _ := event[thread.Closed](c); e.Reason != thread.ClosedInactive || c.Actor.Kind != domain.ActorBot {
		t.Errorf("%s closes it as %s", c.Actor, e.Reason)
	}
	d.clock.advance(5 * time.Minute)
	d.operator("beto") // the log moves, so the clock is looked at
	d.becomes(other, "closed soporte")
	if s := d.state(taken); s != "attending soporte" {
		t.Errorf("the taken one is %s", s)
	}
}

// D1 F004: the bot speaks out of hours; the away message comes with the hand-off, once.
func TestOutOfHoursTheAwayMessageComesWithTheHandOff(t *testing.T) {
	d := newDesk(t)
	d.office(department.Settings{AwayMessage: "Cerrado"})
	d.menu(setting.Menu{})
	d.leads(d.work())
	d.clock.advance(10 * time.Hour)
	id := d.says("1", "a", text("Hola"))
	d.until("the bot greets", func() bool { return len(d.words(id)) == 1 })
	d.clock.advance(time.Minute)
	d.says("1", "b", text("0"))
	d.becomes(id, "out_of_hours soporte")
	c := d.happens("the contact is told", 0, func(c domain.Commit) bool { m, ok := event[thread.MessageSent](c); return ok && m.Text == "Cerrado" })
	if c.Before.State != thread.StateOutOfHours {
		t.Errorf("it is told while it is %s", c.Before.State)
	}
}
