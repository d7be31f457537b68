package year_test

import (
	"testing"
	"time"

	"github.com/turno-desk/turno/cmd/turno/year"
	"github.com/turno-desk/turno/domain/survey"
)

// asked is what is known of a thread's surveys, as the lines tell it.
type asked struct {
	department string
	open       bool            // a conversation is
	closed     time.Time       // the last close
	asks       survey.Settings // of the department that closed it
	calls      bool            // that close calls for a survey, the cap apart, and none was sent yet
	sent       time.Time       // the last survey
	scale      survey.Scale
	expires    time.Time
	rated      bool      // it was answered
	typed      time.Time // in the channel, without a comment so far
}

// capped reports whether it is too soon for another survey.
func (a *asked) capped(at time.Time) bool {
	return !a.sent.IsZero() && at.Before(a.sent.Add(survey.DefaultCap))
}

// answers reports whether a message in the channel answers the survey, or is the comment of the answer before.
func (a *asked) answers(l said) (score, comment bool) {
	if !l.At.Before(a.expires) {
		return false, false
	}
	if _, ok := survey.Read(a.scale, l.Text); ok {
		return true, false
	}
	return false, !a.typed.IsZero() && l.At.Sub(a.typed) < survey.CommentWithin
}

// follow calls each with every line about a conversation, and with what was known of its thread before; it returns the threads.
func follow(all []said, each func(l said, a *asked)) map[string]*asked {
	settings, threads := map[string]survey.Settings{}, map[string]*asked{}
	for _, l := range all {
		if l.Command == "department" {
			settings[l.ID] = l.Settings.Survey
		}
		if l.Address == "" {
			continue
		}
		a := threads[l.thread()]
		if a == nil {
			a = &asked{}
			threads[l.thread()] = a
		}
		each(l, a)
		switch l.Command {
		case "receive", "open":
			score, comment := a.answers(l)
			switch {
			case l.Command == "receive" && score:
				a.rated, a.typed = true, l.At
			case l.Command == "receive" && comment:
				a.typed = time.Time{}
			case !a.open:
				a.open, a.calls, a.department = true, false, l.Channel
			}
		case "transfer":
			a.department = l.Department
		case "close":
			a.open, a.closed, a.asks = false, l.At, settings[a.department]
			a.calls = survey.Calls(a.asks, survey.Close{Declined: l.Survey != nil})
		case "survey":
			a.sent, a.expires, a.scale, a.calls, a.rated = l.At, l.At.Add(survey.DefaultExpires), survey.Scale(l.Scale), false, false
		case "rate":
			a.rated = true
		}
	}
	return threads
}

// answersTyped counts the messages that answer a survey, and their comments.
func answersTyped(all []said) (n int) {
	follow(all, func(l said, a *asked) {
		if score, comment := a.answers(l); l.Command == "receive" && (score || comment) {
			n++
		}
	})
	return n
}

// TestItsSurveysAreTheRulesOwn is F113 and D7 for a generated desk: whoever the rules ask after a close is asked,
// nobody else and nobody twice within the cap; a rating answers a survey that was sent, once, on its scale and in time; and no other
// message of a contact would be taken for an answer.
func TestItsSurveysAreTheRulesOwn(t *testing.T) {
	monday := time.Date(2025, 3, 3, 0, 0, 0, 0, time.UTC)
	// With this seed somebody is back before they are asked, and others would be while their next message is a comment.
	crowded := year.Options{Operators: 40, Conversations: 2500, Days: 1, Departments: 4, From: monday, Seed: 4}
	out, w := generated(t, crowded)
	const moment = 2 * time.Second // from the close to the survey
	var declined, tooSoon, commented, typed int
	all := lines(t, out)
	end := all[len(all)-1].At
	threads := follow(all, func(l said, a *asked) {
		if a.calls && !a.capped(a.closed) && l.At.Sub(a.closed) > moment {
			t.Fatalf("nobody was asked after the close at %s: %+v", a.closed, l)
		}
		switch l.Command {
		case "close":
			if l.Survey != nil {
				declined++
			} else if a.capped(l.At) {
				tooSoon++
			}
		case "survey":
			if a.capped(l.At) {
				t.Fatalf("asked at %s and %s", a.sent, l.At)
			}
			if !a.calls || a.open || survey.Scale(l.Scale) != a.asks.Scale || a.asks.CapFor() != survey.DefaultCap || l.Text == "" || l.At.Sub(a.closed) > moment {
				t.Fatalf("asked about %+v: %+v", a, l)
			}
		case "rate":
			scale := survey.Answer{Score: l.Score, Satisfied: l.Satisfied}.Scale()
			if a.open || a.rated || a.sent.Before(a.closed) || !l.At.Before(a.expires) || scale != a.scale || (l.Score == 0) == (l.Satisfied == nil) {
				t.Fatalf("rated %+v: %+v", a, l)
			}
		case "receive":
			score, comment := a.answers(l)
			if (score || comment) && (a.open || a.sent.Before(a.closed) || score && a.rated || comment && !a.rated) {
				t.Fatalf("an answer to %+v: %+v", a, l)
			}
			if score {
				typed++
			}
			if comment {
				commented++
			}
		}
		if l.Comment != "" {
			commented++
		}
	})
	for id, a := range threads {
		if a.calls && !a.capped(a.closed) && end.Sub(a.closed) > moment {
			t.Errorf("%s was not asked after %s", id, a.closed)
		}
	}
	if typed != w.Typed || commented != w.Commented || typed == 0 || commented == 0 || typed == w.Rated || declined == 0 || tooSoon == 0 {
		t.Errorf("%d typed, %d comments, %d closed so that nobody is asked, %d too soon; it counted %s", typed, commented, declined, tooSoon, w)
	}
}

// TestItCountsItsSurveysByWhomTheyAreCreditedTo holds the counts by operator to the sums.
func TestItCountsItsSurveysByWhomTheyAreCreditedTo(t *testing.T) {
	_, w := generated(t, week)
	sum := func(by map[string]int) (n int) {
		for _, k := range by {
			n += k
		}
		return n
	}
	if sum(w.SurveysBy) != w.Surveys || sum(w.AnsweredBy) != w.Rated || sum(w.RatedBy)+sum(w.JudgedBy) != w.Rated {
		t.Errorf("%s: %v, %v, %v, %v", w, w.SurveysBy, w.AnsweredBy, w.RatedBy, w.JudgedBy)
	}
	if yes, n := sum(w.SatisfiedBy), sum(w.JudgedBy); yes == 0 || yes == n || sum(w.ScoreBy) <= sum(w.RatedBy) || w.SurveysBy[""] == 0 {
		t.Errorf("%d of %d are satisfied; scores %v; %v", yes, n, w.ScoreBy, w.SurveysBy)
	}
	quiet := year.Options{Operators: 1, Conversations: 50, Days: 2, Departments: 1}
	if _, w := generated(t, quiet); sum(w.JudgedBy) != 0 || w.Surveys == 0 {
		t.Errorf("a desk of one scale: %s, %v", w, w.JudgedBy)
	}
}
