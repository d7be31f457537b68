package thread_test

import (
	"testing"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/survey"
	"github.com/turno-desk/turno/domain/thread"
)

// surveyed is a world whose conversation ran as told, was closed, and whose contact was asked.
func surveyed(t *testing.T, run func(w *world)) *world {
	t.Helper()
	w := newWorld()
	say := func(actor string, cmd thread.Command) []thread.Event {
		t.Helper()
		events, r := w.do(w.actor(actor), 0, cmd)
		if r != nil {
			t.Fatalf("%T by %s: %v", cmd, actor, r)
		}
		return events
	}
	say("contact", thread.Receive{Channel: "web", Contact: "c1", IDHash: "h1", Content: words("Hola"), Ticket: 100})
	run(w)
	say("system", thread.Survey{Scale: survey.Stars, Text: "¿Cómo le fue?", Expires: time.Hour, Close: w.state.Current().Close, Until: w.now.Add(time.Minute)})
	return w
}

func words(text string) thread.Content {
	return thread.Content{Kind: thread.KindText, Text: domain.Personal(text)}
}

// F112 D12: a rating is credited to the human owner at the close, whoever closed; without one to who spoke last; else to the
// department alone; in whatever way it comes, and the survey that asked for it says the same.
func TestARatingIsCreditedAlikeInWhateverWayItComes(t *testing.T) {
	for name, c := range map[string]struct {
		run    func(t *testing.T, w *world)
		credit string
		closer string
	}{
		"the owner at the close": {func(t *testing.T, w *world) {
			must(t, w, "ana", thread.Send{Content: words("Buenas")})
			must(t, w, "ana", thread.Transfer{Operator: "beto", Department: "soporte"})
			must(t, w, "beto", thread.Close{})
		}, "beto", "operator:beto"},
		"the owner, though a supervisor closed": {func(t *testing.T, w *world) {
			must(t, w, "ana", thread.Send{Content: words("Buenas")})
			must(t, w, "sara", thread.Close{})
		}, "ana", "operator:sara"},
		"the owner, though a machine closed": {func(t *testing.T, w *world) {
			must(t, w, "ana", thread.Take{})
			must(t, w, "bot", thread.Close{})
		}, "ana", "bot"},
		"who spoke last, where nobody owned it": {func(t *testing.T, w *world) {
			must(t, w, "ana", thread.Send{Content: words("Buenas")})
			must(t, w, "ana", thread.Release{})
			must(t, w, "sara", thread.Close{})
		}, "ana", "operator:sara"},
		"the department, where nobody spoke": {func(t *testing.T, w *world) {
			must(t, w, "sara", thread.Close{})
		}, "", "operator:sara"},
	} {
		for way, rate := range map[string]func(w *world) thread.Command{
			"over the API": func(*world) thread.Command { return thread.Rate{Score: 4} },
			"by the link": func(w *world) thread.Command {
				return thread.Rate{Score: 4, Survey: w.state.Asked.Survey, Way: thread.RatedByLink}
			},
			"in the channel": func(*world) thread.Command {
				return thread.Receive{Channel: "web", Contact: "c1", IDHash: "h2", Content: words("4"), Ticket: 101}
			},
		} {
			t.Run(name+", "+way, func(t *testing.T) {
				var sent thread.SurveySent
				w := surveyed(t, func(w *world) {
					c.run(t, w)
					w.record = func(c domain.Commit) {
						if e, ok := c.Events[0].(thread.SurveySent); ok {
							sent = e
						}
					}
				})
				must(t, w, "contact", rate(w))
				got := w.state.Current().Rating
				if got.Score != 4 || got.CreditOperator != c.credit || got.CreditDepartment != "soporte" || got.Closer != c.closer || got.Survey != sent.Survey {
					t.Errorf("%+v", got)
				}
				if sent.CreditOperator != c.credit || sent.CreditDepartment != "soporte" {
					t.Errorf("the survey says %+v", sent)
				}
			})
		}
	}
}

func must(t *testing.T, w *world, actor string, cmd thread.Command) {
	t.Helper()
	if _, r := w.do(w.actor(actor), 0, cmd); r != nil {
		t.Fatalf("%T by %s: %v", cmd, actor, r)
	}
}

// D18: an answer in the channel is a message of the conversation that was asked about, kept with its channel's id, and waits for
// nobody.
func TestAnAnswerIsAMessageOfTheClosedConversation(t *testing.T) {
	w := surveyed(t, func(w *world) {
		must(t, w, "ana", thread.Send{Content: words("Buenas")})
		must(t, w, "ana", thread.Close{})
	})
	must(t, w, "contact", thread.Receive{Channel: "web", Contact: "c1", IDHash: "h2", Content: words("5"), Ticket: 101})
	must(t, w, "contact", thread.Receive{Channel: "web", Contact: "c1", IDHash: "h3", Content: words("Muy bien"), Ticket: 102})
	conv := w.state.Current()
	if conv.Number != 1 || conv.State != thread.StateClosed || len(conv.Unread) > 1 || conv.Messages != 5 {
		t.Errorf("%+v", conv)
	}
	if r := conv.Rating; r.Score != 5 || r.Comment != "Muy bien" || r.Way != thread.RatedInChannel || !r.Replaces {
		t.Errorf("%+v", r)
	}
	if s := w.state.Seen["h3"]; s.Conversation != conv.ID || s.Message != conv.MessageID(5) {
		t.Errorf("the comment was seen as %+v", s)
	}
}

func TestASurveysIDNamesItsConversationAndClose(t *testing.T) {
	for id, want := range map[string]string{
		"t1-2-s3": "t1-2", "t1-2-s": "", "t1-2-s0": "", "t1-2-s03": "", "t1-s1": "", "s1": "", "": "", "t1-2-s1-s2": "", "t1-2-s-3": "",
	} {
		got, k, ok := thread.SplitSurveyID(id)
		if ok != (want != "") || ok && (got != want || k != 3) {
			t.Errorf("%q: %q %d %t", id, got, k, ok)
		}
	}
}
