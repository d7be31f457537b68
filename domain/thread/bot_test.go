package thread_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
)

// anyMenu draws a menu and has it defined: what the rules of a definition let through.
func anyMenu(t *rapid.T, img *setting.Image) setting.Menu {
	m := setting.Menu{
		ID: "principal", Name: "Cualquiera", Person: setting.Person{Title: "Persona", Department: rapid.SampledFrom([]string{"", "ventas"}).Draw(t, "person's")},
		Fallback: setting.Fallback{After: rapid.IntRange(0, 4).Draw(t, "wrong")},
	}
	n := rapid.IntRange(1, 6).Draw(t, "nodes")
	for i := range n {
		m.Nodes = append(m.Nodes, setting.Node{ID: fmt.Sprint("n", i), Text: "Elija."})
	}
	for i := range n {
		node := &m.Nodes[i]
		add := func(c setting.Choice) {
			c.ID, c.Title = fmt.Sprint("c", i, "-", len(node.Choices)), fmt.Sprint("Opción ", string(rune('a'+len(node.Choices))))
			node.Choices = append(node.Choices, c)
		}
		// Every node but the first hangs below one before it; a second way to it makes no circle.
		for k := i + 1; k < n && len(node.Choices) < 4; k++ {
			if k == i+1 || rapid.Bool().Draw(t, "second way") {
				add(setting.Choice{Action: setting.ActionOpen, Node: fmt.Sprint("n", k)})
			}
		}
		for range rapid.IntRange(1, 4).Draw(t, "choices") {
			add(rapid.SampledFrom([]setting.Choice{
				{Action: setting.ActionAnswer, Text: "Así es."}, {Action: setting.ActionHandOff, Department: "ventas"}, {Action: setting.ActionHandOff, Department: "oficina", Text: "Ya."},
				{Action: setting.ActionClose}, {Action: setting.ActionStart},
			}).Draw(t, "choice"))
		}
	}
	events, r := setting.DecideDefine(nil, m, img)
	if r != nil {
		if strings.HasPrefix(r.Missing[0], "depth:") {
			t.Skip("too deep")
		}
		t.Fatalf("%+v is refused: %v", m, r)
	}
	return setting.DefinitionOf(events[0]).(setting.Menu)
}

// talker is a contact and the bot's turns, and remembers the commits.
type talker struct {
	*world
	t       *rapid.T
	commits []domain.Commit
	due     []int // the contact's messages whose turn has not come, by ordinal
}

func newTalker(t *rapid.T) *talker {
	k := &talker{world: newWorld(), t: t}
	m := anyMenu(t, k.image)
	k.image.Definitions[setting.Name{Kind: setting.KindMenu, ID: m.ID}] = m
	k.record = func(c domain.Commit) { k.commits = append(k.commits, c) }
	return k
}

// again is another world with the same history.
func (k *talker) again() *talker {
	w := &talker{world: newWorld(), t: k.t}
	w.image, w.now, w.seq = k.image, k.now, k.seq
	for _, c := range k.commits {
		w.state.Apply(&c)
	}
	return w
}

func (k *talker) writes(said thread.Content) {
	k.t.Helper()
	_, r := k.do(k.actor("contact"), 0, thread.Receive{Channel: "menweb", Contact: "c1", IDHash: fmt.Sprint("m", k.seq), Content: said, Ticket: int64(1000 + k.seq)})
	if r != nil {
		k.t.Fatalf("the contact's message is refused: %v", r)
	}
	k.due = append(k.due, k.state.Current().Messages)
}

func (k *talker) turn(ordinal int) []thread.Event {
	k.t.Helper()
	c := k.state.Current()
	events, r := k.do(k.actor("bot"), 0, thread.Converse{Message: c.MessageID(ordinal)})
	if r != nil {
		k.t.Fatalf("the bot's turn is refused: %v", r)
	}
	return events
}

func says(text string) thread.Content {
	return thread.Content{Kind: thread.KindText, Text: domain.Personal(text)}
}

// anyAnswer draws what a contact may send: what is shown, by number, button and title, and whatever else.
func anyAnswer(t *rapid.T, c *thread.Conversation) thread.Content {
	if c != nil && len(c.Bot.Choices) > 0 && rapid.IntRange(0, 3).Draw(t, "fits") > 0 {
		i := rapid.IntRange(0, len(c.Bot.Choices)-2).Draw(t, "which") // never a person
		choice := c.Bot.Choices[i]
		return []thread.Content{says(setting.NumberOf(choice.ID, i)), says(choice.Title), {Kind: thread.KindText, Text: "x", Choice: choice.ID}}[rapid.IntRange(0, 2).Draw(t, "how")]
	}
	return rapid.SampledFrom([]thread.Content{
		says("hola"), says("99"), says("no entiendo nada de esto"), {Kind: thread.KindImage, Text: "1"}, {Kind: thread.KindText, Text: "x", Choice: "vieja"},
	}).Draw(t, "else")
}

// F013: every message that a bot has gets one answer: words, a person or the close. Those that came right after the bot's words,
// and mean nothing, have them for an answer. Said again, a turn makes nothing.
func TestEveryMessageToABotIsAnsweredOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := newTalker(t)
		for range rapid.IntRange(1, 25).Draw(t, "length") {
			k.now = k.now.Add(time.Duration(rapid.SampledFrom([]int{0, 500, 2900, 3000, 60000}).Draw(t, "ms")) * time.Millisecond)
			if k.state.Current() == nil || len(k.due) == 0 || rapid.Bool().Draw(t, "writes") {
				if c := k.state.Current(); c != nil && c.State != thread.StateBot {
					return
				}
				k.writes(anyAnswer(t, k.state.Current()))
				continue
			}
			ordinal := k.due[0]
			k.due = k.due[1:]
			before := k.state.Current().Bot
			i := slices.IndexFunc(before.Heard, func(s thread.Said) bool { return s.Message == ordinal })
			inBot := k.state.Current().State == thread.StateBot
			events := k.turn(ordinal)
			after := k.state.Current()
			switch {
			case !inBot:
				if len(events) > 0 {
					t.Fatalf("the bot says %v in a conversation that it has not", names(events))
				}
			case i < 0:
				t.Fatalf("message %d was answered before its turn: %+v", ordinal, before)
			case len(events) == 0:
				_, fits := setting.ReadAnswer(string(before.Heard[i].Text), before.Heard[i].Button, before.Choices, nil)
				if before.Node == "" || fits || before.Heard[i].At.Sub(before.At) >= 3*time.Second {
					t.Fatalf("message %d %+v has no answer: %+v", ordinal, before.Heard[i], before)
				}
			case after.State == thread.StateBot && after.Bot.Shown != after.Messages:
				t.Fatalf("%v says nothing", names(events))
			}
			if again := k.turn(ordinal); len(again) > 0 {
				t.Fatalf("message %d is answered again by %s", ordinal, names(again))
			}
		}
	})
}

// F004 F013: from every node that a talk comes to, a person is one answer away; and who never gives one that fits gets there too.
func TestFromEveryNodeAPersonIsReached(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := newTalker(t)
		k.writes(says("hola"))
		for range rapid.IntRange(0, 12).Draw(t, "length") {
			for _, ordinal := range k.due {
				k.turn(ordinal)
			}
			k.due = nil
			c := k.state.Current()
			if c.State != thread.StateBot {
				return
			}
			for _, word := range []string{"0", "Persona", "agente", "an AGENT please", "Atendente"} {
				w := k.again()
				w.now = w.now.Add(time.Millisecond)
				w.writes(says(word))
				w.turn(w.due[0])
				if s := w.state.Current().State; s != thread.StateWaiting && s != thread.StateOutOfHours {
					t.Fatalf("%q in node %q leads to %s", word, c.Bot.Node, s)
				}
			}
			w := k.again()
			m := w.image.Definitions[setting.Name{Kind: setting.KindMenu, ID: "principal"}].(setting.Menu)
			for range m.Wrong() {
				w.now = w.now.Add(time.Minute)
				w.writes(says("???"))
				w.turn(w.due[len(w.due)-1])
			}
			if s := w.state.Current().State; s != thread.StateWaiting && s != thread.StateOutOfHours {
				t.Fatalf("%d wrong answers in node %q lead to %s", m.Wrong(), c.Bot.Node, s)
			}
			k.now = k.now.Add(time.Minute)
			k.writes(anyAnswer(t, c))
		}
	})
}

func TestTheBotsTextsHoldNoVariableThatNothingIsKnownOf(t *testing.T) {
	w := newWorld()
	first := func() thread.MessageSent {
		t.Helper()
		if _, r := w.do(w.actor("contact"), 0, thread.Receive{Channel: "menweb", Contact: "c1", IDHash: fmt.Sprint(w.seq), Content: says("hola"), Ticket: 57}); r != nil {
			t.Fatal(r)
		}
		events, r := w.do(w.actor("bot"), 0, thread.Converse{Message: w.state.Current().MessageID(1)})
		if r != nil || len(events) != 2 {
			t.Fatalf("the bot begins with %v, %v", names(events), r)
		}
		return events[0].(thread.MessageSent)
	}
	m := first()
	if m.Text != "Hola, su caso es 57." || m.Sender != thread.SenderMachine {
		t.Errorf("it says %q as %s", m.Text, m.Sender)
	}
	want := "Hola, su caso es 57.\n1. Ventas\n2. Soporte técnico\n3. Horario\n4. Nada más\n0. Una persona"
	if got := m.Written(); string(got) != want {
		t.Errorf("without buttons it reads\n%s\nwant\n%s", got, want)
	}
}

// An import has no bot: no effect would ever speak in it.
func TestAHistoryFromElsewhereBeginsWithoutABot(t *testing.T) {
	w := newWorld()
	events, r := thread.Decide(&w.state, nil, thread.Receive{Channel: "menweb", Contact: "c1", IDHash: "h", Content: says("hola"), Ticket: 1},
		thread.Facts{Image: w.image, Actor: w.actor("contact"), Thread: "t1", Now: w.now, Import: true})
	if r != nil {
		t.Fatal(r)
	}
	if q := events[1].(thread.Queued); q.List != thread.StateWaiting {
		t.Errorf("it is %s", q.List)
	}
}

func TestAnErasureBlanksWhatTheBotHeard(t *testing.T) {
	w := newWorld()
	if _, r := w.do(w.actor("contact"), 0, thread.Receive{Channel: "menweb", Contact: "c1", IDHash: "h", Content: says("me llamo Ana"), Ticket: 1}); r != nil {
		t.Fatal(r)
	}
	w.state.Apply(&domain.Commit{ID: "x", Position: 99, Conversation: w.state.Current().ID, Events: []domain.Event{thread.Erased{}}})
	if heard := w.state.Current().Bot.Heard; len(heard) != 1 || heard[0].Text != domain.Erased {
		t.Errorf("it still holds %+v", heard)
	}
}
