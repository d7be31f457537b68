package command_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/survey"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

const surveyCap = 12 * time.Hour

// polled is a bureau whose department asks after every close, on two channels.
type polled struct{ *bureau }

func newPolled(t *testing.T) *polled {
	t.Helper()
	b := newBureau(t)
	put := department.Put{ID: "soporte", Name: "Soporte", Settings: department.Settings{Survey: survey.Settings{Scale: survey.Stars, Text: "¿Cómo le fue?"}}}
	if _, err := b.settings.PutDepartment(t.Context(), admin, put); err != nil {
		t.Fatal(err)
	}
	if _, err := b.settings.PutChannel(t.Context(), admin, setting.PutChannel{ID: "tel", Type: "generic", Name: "Tel", Department: "soporte"}); err != nil {
		t.Fatal(err)
	}
	return &polled{b}
}

// process is what a process does: commands of its own memory, until its log has taken so many commits.
func (p *polled) process(commits int) (*command.Engine, *command.Contacts, *command.Surveys) {
	log := &ending{Log: p.log, left: commits}
	engine := command.NewEngine(command.Options{
		Log: log, Image: p.image, Keys: p.keys, Hasher: hasher{}, Numbers: command.NewNumbers(log, "default", nil), Now: p.clock.read,
	})
	contacts := command.NewContacts(command.ContactsOptions{Log: log, Image: p.image, Keys: p.keys, Threads: engine, Now: p.clock.read})
	return engine, contacts, command.NewSurveys(engine, contacts)
}

const forGood = 1 << 40

var effect = command.Request{Workspace: "default", Principal: "effect:surveys", Actor: domain.Actor{Kind: domain.ActorSystem, Via: "effect:surveys"}}

// question is a survey that an effect wants sent.
type question struct {
	conversation string
	about        domain.Position
}

// ask has it sent, and reports whether that came to an end.
func (p *polled) ask(t *testing.T, s *command.Surveys, q question) bool {
	req := effect
	req.Key = fmt.Sprint(q.about)
	_, err := s.Ask(t.Context(), req, q.conversation, q.about)
	var refused *domain.Refusal
	switch {
	case err == nil || errors.As(err, &refused):
		return true
	case !errors.Is(err, command.ErrUnavailable):
		t.Errorf("asking about %s: %v", q.conversation, err)
	}
	return false
}

// F113 D7: no history of closes, merges and un-merges over channels, with processes that die between any two commits, lets a
// survey break its cap; and what was reserved is told the outcome of.
func TestNoHistoryLetsASurveyBreakItsCap(t *testing.T) {
	p := newPolled(t)
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		engine, contacts, surveys := p.process(forGood)
		var begun domain.Position
		people := make([]string, 4)
		messages := 0
		writes := func(i int) command.Result {
			messages++
			r, err := engine.Receive(t.Context(), channel, command.Inbound{
				Channel: []string{"web", "tel"}[i%2], Address: fmt.Sprintf("%d-%d", round, i), MessageID: fmt.Sprint(messages),
				Content: thread.Content{Kind: thread.KindText, Text: "Hola"},
			})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		for i := range people {
			r := writes(i)
			people[i] = r.Commit.Contact
			if i == 0 {
				begun = r.Position - 1
			}
		}
		var waiting []question
		who := rapid.IntRange(0, len(people)-1)
		died := func() int {
			return rapid.SampledFrom([]int{0, 1, 2, 3, forGood, forGood}).Draw(rt, "commits until it dies")
		}
		for range rapid.IntRange(4, 25).Draw(rt, "length") {
			switch rapid.IntRange(0, 7).Draw(rt, "what") {
			case 0, 1, 2: // a conversation is closed, perhaps several at once
				var at once
				for range rapid.IntRange(1, 3).Draw(rt, "closes") {
					conv := writes(who.Draw(rt, "who")).Conversation
					if r, err := engine.Do(t.Context(), as("sara"), conv.ID, thread.Close{}); err == nil && len(r.Commit.Events) > 0 {
						waiting = append(waiting, question{conv.ID, r.Position})
					}
				}
				for _, q := range waiting {
					_, _, s := p.process(died())
					at.go_(q, func() bool { return p.ask(t, s, q) })
				}
				waiting = at.wait()
			case 3: // a merge
				_, c, _ := p.process(died())
				_, err := c.Merge(t.Context(), as("sara"), people[who.Draw(rt, "survivor")], people[who.Draw(rt, "other")])
				fine(t, err)
			case 4, 5: // an un-merge
				_, c, _ := p.process(died())
				_, err := c.Unmerge(t.Context(), as("sara"), people[who.Draw(rt, "survivor")], people[who.Draw(rt, "other")])
				fine(t, err)
			case 6:
				p.clock.turn(time.Duration(rapid.IntRange(1, 13*60).Draw(rt, "minutes")) * time.Minute)
			case 7:
				p.clock.turn(time.Duration(rapid.IntRange(1, 90).Draw(rt, "seconds")) * time.Second)
			}
		}
		for try := 0; len(waiting) > 0; try++ {
			if try == 20 {
				rt.Fatalf("these never came to an end: %v", waiting)
			}
			rest := waiting[:0]
			for _, q := range waiting {
				if !p.ask(t, surveys, q) {
					rest = append(rest, q)
				}
			}
			waiting = rest
		}
		_ = contacts
		p.judge(t, rt, begun)
	})
}

// once runs things at the same time, and keeps what did not come to an end.
type once struct {
	running sync.WaitGroup
	mu      sync.Mutex
	rest    []question
}

func (o *once) go_(q question, done func() bool) {
	o.running.Go(func() {
		if !done() {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.rest = append(o.rest, q)
		}
	})
}

func (o *once) wait() []question {
	o.running.Wait()
	return o.rest
}

// fine lets refusals and the lights going out pass.
func fine(t *testing.T, err error) {
	t.Helper()
	var refused *domain.Refusal
	if err != nil && !errors.As(err, &refused) && !errors.Is(err, command.ErrUnavailable) {
		t.Error(err)
	}
}

// judge reads the log: whoever was asked had not been asked within the cap, nor had anybody who was one with them both when the
// survey was reserved and when it was sent.
func (p *polled) judge(t *testing.T, rt *rapid.T, begun domain.Position) {
	type sending struct {
		contact string
		at      time.Time
	}
	states := map[string]contact.State{}
	group := map[string]map[string]bool{} // by survey: who it counts for
	open := map[string]bool{}
	var sent []sending
	err := p.log.Read(t.Context(), begun, projections.ReadOptions{ToHead: true}, func(chunk []domain.Commit) error {
		for _, c := range chunk {
			for _, e := range c.Events {
				if e, ok := e.(contact.Event); ok {
					states[c.Aggregate.ID] = states[c.Aggregate.ID].Evolve(e)
				}
				switch e := e.(type) {
				case contact.SurveyReserved:
					group[e.Survey] = map[string]bool{c.Aggregate.ID: true}
					for _, id := range states[c.Aggregate.ID].Order {
						group[e.Survey][id] = true
					}
					open[e.Survey] = true
				case contact.SurveyConfirmed:
					delete(open, e.Survey)
				case contact.SurveyReleased:
					delete(open, e.Survey)
				case thread.SurveySent:
					for _, s := range sent {
						if group[e.Survey][s.contact] && one(states, c.Contact, s.contact) && c.Time.Sub(s.at) < surveyCap {
							rt.Fatalf("%s was asked %s after %s, of the same person", e.Survey, c.Time.Sub(s.at), s.contact)
						}
					}
					sent = append(sent, sending{c.Contact, c.Time})
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(open) > 0 {
		rt.Fatalf("nobody told the outcome of %v", open)
	}
}

// one reports whether two contacts are the same person.
func one(states map[string]contact.State, a, b string) bool {
	if a == b || states[a].Holds[b].Held || states[b].Holds[a].Held {
		return true
	}
	for _, s := range states {
		if s.Holds[a].Held && s.Holds[b].Held {
			return true
		}
	}
	return false
}

// F111: a token answers its survey and no other, and is known by nobody who has not the workspace's key.
func TestATokenAnswersItsSurveyUntilItExpires(t *testing.T) {
	p := newPolled(t)
	engine, _, surveys := p.process(forGood)
	r, err := engine.Receive(t.Context(), channel, contactWrites("+34 600", "m1", "Hola"))
	if err != nil {
		t.Fatal(err)
	}
	id := r.Conversation.ID
	closed, err := engine.Do(t.Context(), as("sara"), id, thread.Close{})
	if err != nil {
		t.Fatal(err)
	}
	token := surveys.Token("default", thread.SurveyID(id, closed.Position))
	_, err = surveys.Question(t.Context(), "default", token)
	refused(t, err, domain.CodeNotFound) // it was not sent
	if !p.ask(t, surveys, question{id, closed.Position}) {
		t.Fatal("it was not asked")
	}
	q, err := surveys.Question(t.Context(), "default", token)
	if err != nil || q.Scale != survey.Stars || q.Expired || q.Rating != nil || q.Department != "Soporte" {
		t.Fatalf("%+v, %v", q, err)
	}
	for _, wrong := range []string{"", "x", token[:len(token)-1], token + "a", thread.SurveyID(id, closed.Position), surveys.Token("other", thread.SurveyID(id, closed.Position))} {
		_, err := surveys.Answer(t.Context(), channel, wrong, thread.Rate{Score: 5})
		refused(t, err, domain.CodeNotFound)
	}
	if _, err = surveys.Answer(t.Context(), channel, token, thread.Rate{Score: 5}); err != nil {
		t.Fatal(err)
	}
	q, err = surveys.Question(t.Context(), "default", token)
	if err != nil || q.Rating == nil || q.Rating.Score != 5 || q.Rating.Way != thread.RatedByLink {
		t.Fatalf("%+v, %v", q, err)
	}
	yes := true
	_, err = surveys.Answer(t.Context(), channel, token, thread.Rate{Satisfied: &yes})
	refused(t, err, thread.CodeSurveyScale)
	p.clock.turn(24 * time.Hour)
	_, err = surveys.Answer(t.Context(), channel, token, thread.Rate{Score: 4})
	refused(t, err, thread.CodeSurveyExpired)
	if q, err = surveys.Question(t.Context(), "default", token); err != nil || !q.Expired {
		t.Errorf("%+v, %v", q, err)
	}
}
