package thread_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/survey"
	"github.com/turno-desk/turno/domain/thread"
)

// anyCommand draws a command as likely to be legal as not.
func anyCommand(t *rapid.T, w *world) (domain.Actor, int, thread.Command) {
	actors := []string{"ana", "beto", "eva", "carla", "dora", "greta", "quique", "sara", "susi", "adela", "otto", "old", "bot", "system", "service", "contact", "mia", "max", "mel", "suso"}
	operators := []string{"ana", "beto", "eva", "carla", "dora", "sara", "nadie", "old", "mia", "max", "mel"}
	departments := []string{"", "soporte", "ventas", "garantia", "oficina", "mesa", "cerrada", "nada"}
	actor := w.actor(rapid.SampledFrom(actors).Draw(t, "actor"))
	text := thread.Content{Kind: thread.KindText, Text: domain.Personal(rapid.SampledFrom([]string{"hola", "hola", "5", "sí"}).Draw(t, "text"))}
	number := rapid.IntRange(0, max(w.state.Latest, 0)).Draw(t, "number")
	switch rapid.IntRange(0, 26).Draw(t, "command") {
	case 0, 1, 2:
		return w.actor("contact"), 0, thread.Receive{
			Channel: rapid.SampledFrom([]string{"web", "garweb", "cobweb", "ofiweb", "mesweb", "menweb", "offweb", "ofimen", "chat", "cobchat"}).Draw(t, "channel"), Contact: "c1",
			IDHash: fmt.Sprint("h", rapid.IntRange(0, 30).Draw(t, "id")), Content: answer(t), Ticket: int64(1000 + w.seq),
		}
	case 3:
		return actor, 0, thread.Open{Channel: "web", Contact: "c1", IDHash: fmt.Sprint("o", w.seq), Content: text, Ticket: int64(1000 + w.seq)}
	case 4, 5:
		return actor, number, thread.Send{Content: text}
	case 6:
		return actor, number, thread.Take{}
	case 7:
		return actor, number, thread.Assign{Operator: rapid.SampledFrom(operators).Draw(t, "operator")}
	case 8:
		return actor, number, thread.Release{}
	case 9, 10:
		return actor, number, thread.Transfer{
			Department: rapid.SampledFrom(departments).Draw(t, "department"),
			Operator:   rapid.SampledFrom(append(operators, "", "")).Draw(t, "operator"),
			Force:      rapid.Bool().Draw(t, "force"),
		}
	case 11:
		return actor, number, thread.Pause{}
	case 12:
		return actor, number, thread.Resume{}
	case 13:
		return actor, number, thread.Tag{Add: []string{rapid.SampledFrom([]string{"a", "b"}).Draw(t, "tag")}, Remove: []string{"b"}}
	case 14:
		return actor, number, thread.Note{Text: "n", Mentions: []string{rapid.SampledFrom(operators).Draw(t, "mention")}}
	case 15:
		return actor, number, []thread.Command{thread.Close{}, thread.EndSession{}}[rapid.IntRange(0, 1).Draw(t, "which")]
	case 16:
		return actor, number, thread.Reopen{}
	case 17:
		return actor, number, thread.Rate{Score: rapid.IntRange(1, 5).Draw(t, "score")}
	case 18:
		return actor, number, []thread.Command{thread.Archive{}, thread.Unarchive{}, thread.Ignore{}, thread.MarkRead{}, thread.Drain{}}[rapid.IntRange(0, 4).Draw(t, "which")]
	case 21, 22, 23:
		round := 1
		if c := w.state.Current(); c != nil {
			round = c.Rounds + 1
		}
		asked := []string{rapid.SampledFrom(operators).Draw(t, "asked"), rapid.SampledFrom([]string{"mia", "max"}).Draw(t, "asked")}
		which := rapid.IntRange(0, 5).Draw(t, "which")
		if which >= 2 && which <= 3 {
			return actor, number, []thread.Command{thread.Accept{}, thread.Decline{}}[which-2]
		}
		return w.actor("system"), number, []thread.Command{
			thread.Offer{Operators: asked, Department: "mesa", Round: round, For: 30 * time.Second},
			thread.Offer{Operators: asked, Department: "soporte", Round: round, For: 30 * time.Second}, nil, nil,
			thread.Withdraw{Round: round - 1, Cause: thread.OfferExhausted},
			thread.Alert{Cause: thread.AlertUnattended},
		}[which]
	case 20:
		ticket := rapid.Int64Range(0, 3).Draw(t, "ticket")
		return actor, number, []thread.Command{
			thread.Link{Number: ticket, Ticket: ticket}, thread.Propose{Number: ticket, Ticket: ticket}, thread.OpenTicket{Requester: "c1"},
			thread.Confirm{}, thread.Reject{}, thread.Classify{Classified: thread.Classified{Stage: "oferta", Origin: "google"}},
		}[rapid.IntRange(0, 5).Draw(t, "which")]
	case 24:
		message := ""
		if c := w.state.Current(); c != nil {
			message = c.MessageID(rapid.IntRange(0, c.Messages).Draw(t, "message"))
		}
		return w.actor("bot"), 0, []thread.Command{thread.Converse{Message: message}, thread.Converse{}, thread.FallSilent{Message: message}}[rapid.IntRange(0, 2).Draw(t, "which")]
	case 25:
		return actor, number, []thread.Command{thread.PauseBot{}, thread.ResumeBot{}}[rapid.IntRange(0, 1).Draw(t, "which")]
	case 26:
		s := thread.Survey{Scale: survey.Stars, Text: "¿?", Expires: time.Hour, Until: w.now.Add(time.Minute)}
		if conv := w.state.Conversations[number]; conv != nil {
			s.Close = conv.Close
		}
		return w.actor("system"), number, s
	default:
		return actor, number, thread.Hide{}
	}
}

// answer is what a contact writes: perhaps something that a menu understands.
func answer(t *rapid.T) thread.Content {
	said := rapid.SampledFrom([]string{"hola", "1", "2", "3", "4", "0", "volver", "agente"}).Draw(t, "answer")
	return thread.Content{Kind: thread.KindText, Text: domain.Personal(said)}
}

// TestNoAcceptedHistoryBreaksAnInvariant draws histories of legal and illegal commands and checks, after each of them, what
// must hold of every conversation.
func TestNoAcceptedHistoryBreaksAnInvariant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		for range rapid.IntRange(1, 60).Draw(t, "length") {
			w.now = w.now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "seconds")) * time.Second)
			actor, number, cmd := anyCommand(t, w)
			before := sights(w)
			free := mayHave(w, actor, number)
			events, refusal := w.do(actor, number, cmd)
			if op := taker(events); refusal == nil && op != "" && !free {
				t.Fatalf("%T by %s took for %s what is offered to others", cmd, actor, op)
			}
			if refusal != nil {
				if refusal.Code == "" || refusal.Detail == "" {
					t.Fatalf("%T was refused without a code or a reason: %+v", cmd, refusal)
				}
				if diff := cmp.Diff(before, sights(w)); diff != "" {
					t.Fatalf("%T was refused and still changed something:\n%s", cmd, diff)
				}
				continue
			}
			check(t, w, cmd, events)
		}
	})
}

func check(t *rapid.T, w *world, cmd thread.Command, events []thread.Event) {
	open := 0
	for _, c := range w.state.Conversations {
		if c.Open() {
			open++
		}
		switch c.State {
		case thread.StateAttending, thread.StatePaused:
			if c.Owner == "" {
				t.Fatalf("after %T %v: %s without an owner", cmd, events, c.State)
			}
			if op := w.image.Operators[c.Owner]; !op.Active || !(op.Member(c.Department) || op.Role == "admin") {
				t.Fatalf("after %T %v: %s owns a conversation of %s", cmd, events, c.Owner, c.Department)
			}
		case thread.StateWaiting, thread.StateOutOfHours, thread.StateClosed, thread.StateBot:
			if c.Offer != nil && (c.State == thread.StateClosed || c.Offer.Round != c.Rounds) {
				t.Fatalf("after %T %v: %s with the offer %+v of round %d", cmd, events, c.State, c.Offer, c.Rounds)
			}
			if c.Owner != "" {
				t.Fatalf("after %T %v: %s with the owner %s", cmd, events, c.State, c.Owner)
			}
		default:
			t.Fatalf("after %T %v: state %q", cmd, events, c.State)
		}
		if c.Owner != "" && (c.Offer != nil || c.Rounds != 0) || c.State != thread.StatePaused && len(c.Alerts) > 0 {
			t.Fatalf("after %T %v: owned by %q with the offer %+v, %s with the alerts %v", cmd, events, c.Owner, c.Offer, c.State, c.Alerts)
		}
		if c.State != thread.StateBot && (c.Bot.Node != "" || len(c.Bot.Heard) > 0) {
			t.Fatalf("after %T %v: the bot talks on in %s: %+v", cmd, events, c.State, c.Bot)
		}
		if c.State == thread.StateClosed && len(c.Mentioned) > 0 {
			t.Fatalf("after %T: mentions outlive the close", cmd)
		}
		if w.image.Departments[c.Department].ID == "" {
			t.Fatalf("after %T: department %q", cmd, c.Department)
		}
	}
	if open > 1 {
		t.Fatalf("after %T %v: %d conversations of one thread are open", cmd, events, open)
	}
	if len(events) > domain.MaxEvents {
		t.Fatalf("%T made %d events", cmd, len(events))
	}
}

// mayHave reports whether D8 lets the actor have the conversation for somebody, by the rule's own words: it is offered to
// nobody, or to the actor, or the offer has lapsed, or the actor is a supervisor there, an administrator or no operator.
func mayHave(w *world, actor domain.Actor, number int) bool {
	conv := w.state.Current()
	if number != 0 {
		conv = w.state.Conversations[number]
	}
	if conv == nil || conv.Offer == nil || actor.Kind != domain.ActorOperator {
		return true
	}
	op := w.image.Operators[actor.ID]
	return slices.Contains(conv.Offer.Operators, actor.ID) || w.now.After(conv.Offer.Until.Add(5*time.Second)) ||
		op.Role == "admin" || op.Role == "supervisor" && op.Member(conv.Department)
}

// taker is whom the events make the owner, or "".
func taker(events []thread.Event) string {
	for _, e := range events {
		if e, ok := e.(thread.Taken); ok {
			return e.Operator
		}
	}
	return ""
}

func sights(w *world) map[int]domain.Sight {
	all := map[int]domain.Sight{}
	for n, c := range w.state.Conversations {
		all[n] = *c.Sight()
	}
	return all
}

// TestAContactNoticesNoPause: whoever pauses or resumes whatever, nothing is sent to the contact because of it, and what the
// contact writes meanwhile is taken in as ever (D25, F036, F039).
func TestAContactNoticesNoPause(t *testing.T) {
	paused := 0
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		for range rapid.IntRange(1, 60).Draw(t, "length") {
			w.now = w.now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "seconds")) * time.Second)
			actor, number, cmd := anyCommand(t, w)
			if c := w.state.Current(); c != nil && c.Owner != "" && rapid.Bool().Draw(t, "its owner") {
				actor, number = w.actor(c.Owner), c.Number
				cmd = rapid.SampledFrom([]thread.Command{thread.Pause{}, thread.Resume{}}).Draw(t, "sets aside")
			}
			before := sights(w)
			events, refusal := w.do(actor, number, cmd)
			if refusal != nil {
				continue
			}
			_, ours := cmd.(thread.Send)
			switch cmd.(type) {
			case thread.Converse, thread.Survey, thread.EndSession: // a bot's answer; an invitation, after a close; the end of a live chat
				ours = true
			}
			for _, e := range events {
				switch e := e.(type) {
				case thread.Paused, thread.Resumed:
					paused++
				case thread.MessageSent:
					if _, opens := cmd.(thread.Open); !ours && !opens {
						t.Fatalf("%T sent the contact a message: %+v", cmd, e)
					}
				}
			}
			if _, writes := cmd.(thread.Receive); writes && len(events) > 0 && before[w.state.Latest].State == thread.StatePaused {
				if _, taken := events[len(events)-1].(thread.MessageReceived); !taken {
					t.Fatalf("a message to a paused conversation made %v", names(events))
				}
			}
		}
	})
	if paused == 0 {
		t.Fatal("nothing was ever paused: the test shows nothing")
	}
}

// TestSayingItAgainChangesNothing holds for commands that name an end, not a step: the second time nothing is appended, or
// it is refused.
func TestSayingItAgainChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		for range rapid.IntRange(1, 40).Draw(t, "length") {
			actor, number, cmd := anyCommand(t, w)
			if number == 0 {
				number = w.state.Latest
			}
			events, refusal := w.do(actor, number, cmd)
			switch cmd.(type) {
			case thread.Send, thread.Note, thread.Open:
				continue // each is a message or a note of its own
			case thread.Alert:
				continue // each absence of an owner has its own
			}
			if refusal != nil || len(events) == 0 {
				continue
			}
			again, refusal := w.do(actor, number, cmd)
			if refusal == nil && len(again) > 0 {
				t.Fatalf("%T by %s made %s, and again %s", cmd, actor, names(events), names(again))
			}
		}
	})
}

func names(events []thread.Event) string {
	var s []string
	for _, e := range events {
		s = append(s, fmt.Sprintf("%T", e))
	}
	return strings.Join(s, " ")
}

// TestALoadFromTheOpeningDecidesLikeAWholeOne replays the commits of a history from the opening of its newest conversation
// and compares that conversation with what the whole history makes of it.
func TestALoadFromTheOpeningDecidesLikeAWholeOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		var commits []domain.Commit
		w.record = func(c domain.Commit) { commits = append(commits, c) }
		for range rapid.IntRange(1, 60).Draw(t, "length") {
			w.now = w.now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "seconds")) * time.Second)
			actor, number, cmd := anyCommand(t, w)
			w.do(actor, number, cmd)
		}
		if w.state.Latest == 0 {
			return
		}
		short := thread.State{ID: w.state.ID}
		for _, c := range commits {
			if c.Position >= w.state.Current().Opened {
				short.Apply(&c)
			}
		}
		if diff := cmp.Diff(w.state.Current(), short.Current()); diff != "" {
			t.Fatalf("the newest conversation differs:\n%s", diff)
		}
		if diff := cmp.Diff(w.state.Asked, short.Asked); diff != "" {
			t.Fatalf("the survey that is open differs:\n%s", diff)
		}
		if short.Hashed != w.state.Hashed || short.Latest != w.state.Latest || short.Version != w.state.Version {
			t.Fatalf("the thread differs: %d %d %d, want %d %d %d", short.Hashed, short.Latest, short.Version, w.state.Hashed, w.state.Latest, w.state.Version)
		}
	})
}
