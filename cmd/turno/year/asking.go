package year

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/turno-desk/turno/domain/survey"
)

// page is where the invitations lead to: nowhere.
const page = "https://turno.example/survey/"

// survey are the settings of a department that asks in this language on a scale; none without one.
func (t tongue) survey(scale survey.Scale) survey.Settings {
	switch scale {
	case survey.Stars:
		return survey.Settings{Scale: scale, Text: t.stars}
	case survey.YesNo:
		return survey.Settings{Scale: scale, Text: t.thumbs}
	}
	return survey.Settings{}
}

// ask sends the department's survey a moment after a close, if the rules call for it then and the contact was not asked within the
// cap. Some contacts answer.
func (g *generator) ask(t *talk, about survey.Close) {
	talks := g.contacts[t.contact].talks
	g.after(time.Duration(200+g.random.IntN(1800))*time.Millisecond, func() {
		c, asks := &g.contacts[t.contact], t.q.survey
		about.Open = c.talks != talks
		if !survey.Calls(asks, about) || !c.asked.IsZero() && g.now.Before(c.asked.Add(asks.CapFor())) {
			return
		}
		c.asked = g.now
		g.surveys++
		link := asks.Page + strconv.FormatInt(int64(g.surveys), 36)
		g.tell(t, said{Command: "survey", Actor: "system", Scale: string(asks.Scale), Text: strings.ReplaceAll(asks.Text, "{{"+survey.VarLink+"}}", link)})
		g.w.Surveys++
		g.w.SurveysBy[t.credit()]++
		switch n := g.random.IntN(100); {
		case n < 20:
			g.unlessBack(t, g.between(40, 4*3600), func() { g.rate(t) })
		case n < 36:
			g.unlessBack(t, g.between(10, 1800), func() { g.typed(t) })
		}
	})
}

// unlessBack schedules what a contact does about their last conversation: nothing once they have begun another, which the lines are
// about then.
func (g *generator) unlessBack(t *talk, d time.Duration, do func()) {
	talks := g.contacts[t.contact].talks
	g.after(d, func() {
		if g.contacts[t.contact].talks == talks {
			do()
		}
	})
}

// rate is an answer on the page.
func (g *generator) rate(t *talk) {
	answer, comment := g.judge(t)
	l := said{Command: "rate", Actor: "contact", Score: answer.Score, Satisfied: answer.Satisfied}
	if g.chance(30) {
		l.Comment = comment
		g.w.Commented++
	}
	g.tell(t, l)
}

// typed is an answer in the channel: a message that is only that. Within a while after it, another one is its comment, so for so
// long the contact begins no conversation.
func (g *generator) typed(t *talk) {
	answer, comment := g.judge(t)
	g.write(t, g.spelled(t, answer), "")
	g.w.Typed++
	g.contacts[t.contact].busy = true
	g.after(survey.CommentWithin, func() { g.contacts[t.contact].busy = false })
	if g.chance(25) {
		g.after(g.between(10, 400), func() {
			g.write(t, comment, "")
			g.w.Commented++
		})
	}
}

// judge is what a contact thinks of it, in one word and in a sentence: less of it where they gave up.
func (g *generator) judge(t *talk) (survey.Answer, string) {
	score := 5 - int(math.Abs(g.random.NormFloat64())*1.2)
	if t.owner == nil {
		score -= 2
	}
	score = max(1, score)
	pleased := score > 3
	comment := oneOf(g, t.q.tongue.upset)
	if pleased {
		comment = oneOf(g, t.q.tongue.pleased)
	}
	who := t.credit()
	g.w.Rated++
	g.w.AnsweredBy[who]++
	if t.q.survey.Scale == survey.Stars {
		g.w.RatedBy[who]++
		g.w.ScoreBy[who] += score
		return survey.Answer{Score: score}, comment
	}
	g.w.JudgedBy[who]++
	if pleased {
		g.w.SatisfiedBy[who]++
	}
	return survey.Answer{Satisfied: &pleased}, comment
}

// spelled is an answer as it is typed.
func (g *generator) spelled(t *talk, a survey.Answer) string {
	n := g.random.IntN(10)
	switch {
	case a.Satisfied != nil && *a.Satisfied:
		return oneOf(g, t.q.tongue.yes)
	case a.Satisfied != nil:
		return oneOf(g, t.q.tongue.no)
	case n == 0:
		return strings.Repeat("⭐", a.Score)
	case n == 1:
		return strconv.Itoa(a.Score) + "/5"
	}
	return strconv.Itoa(a.Score)
}

// credit is whom a rating is credited to: the owner at the close, else who wrote last; empty: the department alone.
func (t *talk) credit() string {
	switch {
	case t.owner != nil:
		return t.owner.id
	case t.speaker != nil:
		return t.speaker.id
	}
	return ""
}
