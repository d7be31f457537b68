package year

import (
	"fmt"
	"slices"
	"time"

	"github.com/turno-desk/turno/domain/hours"
	"github.com/turno-desk/turno/domain/routing"
	"github.com/turno-desk/turno/domain/survey"
)

// queue is a department while it is generated.
type queue struct {
	n        int
	id       string
	calendar hours.Calendar
	zones    hours.Zones
	zone     *time.Location
	rule     routing.Rule // empty: people take what waits
	offerTo  int          // so many are asked at a time; 0: everybody may take it
	capacity int
	tags     []string
	tongue   tongue
	survey   survey.Settings
	staff    []*worker
	waiting  []*talk
	parked   []*talk // out of hours
}

// worker is an operator.
type worker struct {
	id        string
	queues    []*queue
	late      bool
	capacity  int // 0: the department's
	connected bool
	available bool
	leaving   bool // the shift is over: they go once nobody is left with them
	left      time.Time
	load      int // attended and paused
	attending int
	promised  int // what they are about to take by hand
	assigned  time.Time
	idle      time.Time
	mine      []*talk
}

func (w *worker) actor() string { return "operator:" + w.id }

// closedGrace is how long who has disconnected still counts for the hours: that of the rules.
const closedGrace = 60 * time.Second

// furnish writes the settings.
func (g *generator) furnish() {
	week := hours.Week{Saturday: []hours.Interval{{From: "09:00", To: "14:00"}}}
	day := []hours.Interval{{From: "08:00", To: "20:00"}}
	week.Monday, week.Tuesday, week.Wednesday, week.Thursday, week.Friday = day, day, day, day, day
	holidays := []hours.Holiday{}
	for year := g.From.Year(); year <= g.end.Year(); year++ {
		holidays = append(holidays, hours.Holiday{Date: fmt.Sprintf("%d-01-01", year)}, hours.Holiday{Date: fmt.Sprintf("%d-05-01", year)},
			hours.Holiday{Date: fmt.Sprintf("%d-12-25", year)})
	}
	for n := range g.Departments {
		d := desks[n]
		c := hours.Calendar{ID: "hours-" + d.id, Versions: []hours.Version{{Zone: d.zone, Week: week, Holidays: holidays}}}
		q := &queue{n: n, id: d.id, calendar: c, zones: c.Loaded(), rule: routing.Rule(d.rule), capacity: 2 + n%2, tags: d.tags, tongue: tongues[0]}
		q.zone, _ = q.zones(d.zone)
		switch d.id {
		case "atendimento":
			q.tongue = tongues[1]
		case "support":
			q.tongue = tongues[2]
		}
		if q.survey = q.tongue.survey(survey.Scale(d.scale)); q.survey.On() {
			q.survey.Page, q.survey.Cap = page, int64(survey.DefaultCap/time.Second)
		}
		g.queues = append(g.queues, q)
		g.say(said{Command: "calendar", ID: c.ID, Name: "Horario de " + d.name, Zone: d.zone, Week: &week, Holidays: holidays})
		settings := map[string]any{"calendar": c.ID, "away_message": q.tongue.away}
		if q.rule != "" {
			settings["distribution"], settings["rule"] = "automatic", d.rule
		} else {
			q.offerTo = 2
			settings["offer_to"], settings["offer_timeout_s"] = q.offerTo, offerFor
		}
		if q.survey.On() {
			settings["survey"] = q.survey
		}
		g.say(said{Command: "department", ID: d.id, Name: d.name, Capacity: q.capacity, Settings: settings})
		g.say(said{Command: "channel", ID: d.id, Name: "Web " + d.name, Type: "generic", Department: d.id})
	}
	for n := range g.Operators {
		q := g.queues[n%len(g.queues)]
		w := &worker{id: fmt.Sprintf("op-%04d", n+1), queues: []*queue{q}, late: n/len(g.queues)%2 == 1, available: true}
		if other := g.queues[(n+3)%len(g.queues)]; n%7 == 3 && other != q && other.zone == q.zone {
			w.queues = append(w.queues, other)
		}
		if n%9 == 4 {
			w.capacity = 4
		}
		var ids []string
		for _, q := range w.queues {
			q.staff = append(q.staff, w)
			ids = append(ids, q.id)
		}
		g.staff = append(g.staff, w)
		g.say(said{Command: "operator", ID: w.id, Name: g.name(n * 31), Role: "operator", Departments: ids, Capacity: w.capacity, Extension: fmt.Sprint(1000 + n)})
	}
}

func (g *generator) name(n int) string {
	return firstNames[n%len(firstNames)] + " " + lastNames[n/len(firstNames)%len(lastNames)]
}

// plan schedules a day's shifts and arrivals, each on its department's clock.
func (g *generator) plan(date time.Time, day int) {
	for _, w := range g.staff {
		g.shift(w, date)
	}
	target := int(int64(g.Conversations) * int64(g.share(day+1)) / int64(g.share(g.Days)))
	count := target - g.planned
	g.planned = target
	surge := -1 // something breaks: one department gets more, for three hours
	if g.chance(12) {
		surge = g.random.IntN(len(g.queues))
	}
	from := 9 + g.random.IntN(6)
	for range count {
		q := g.queues[g.random.IntN(len(g.queues))]
		hour := g.hour()
		if surge >= 0 && g.chance(14) {
			q, hour = g.queues[surge], from+g.random.IntN(3)
		}
		at := time.Date(date.Year(), date.Month(), date.Day(), hour, g.random.IntN(60), g.random.IntN(60), g.random.IntN(1000)*1e6, q.zone)
		if at.Before(g.now) || !at.Before(g.end) { // where the last day ends earlier, or the clock is put forward
			at = g.end.Add(-time.Duration(1+g.random.IntN(3600)) * time.Second)
		}
		g.at(at, func() { g.arrive(q) })
	}
}

// share is how much of everything comes in the first days.
func (g *generator) share(days int) int {
	sum := 0
	for d := range days {
		sum += weekdays[g.From.AddDate(0, 0, d).Weekday()]
	}
	return sum
}

func (g *generator) hour() int {
	sum := 0
	for _, n := range busy {
		sum += n
	}
	at := g.random.IntN(sum)
	for h, n := range busy {
		if at -= n; at < 0 {
			return h
		}
	}
	return 12
}

// shift schedules an operator's day: coming, two breaks, going.
func (g *generator) shift(w *worker, date time.Time) {
	q := w.queues[0]
	clock := func(h, m int) time.Time {
		return time.Date(date.Year(), date.Month(), date.Day(), h, m, 0, 0, q.zone).Add(g.between(-240, 240))
	}
	if !q.calendar.Open(time.Date(date.Year(), date.Month(), date.Day(), 12, 0, 0, 0, q.zone), q.zones) || g.chance(7) { // closed, ill or on holiday
		return
	}
	from, to := 8, 16
	switch {
	case date.Weekday() == time.Saturday && !g.chance(40):
		return
	case date.Weekday() == time.Saturday:
		from, to = 9, 14
	case w.late:
		from, to = 12, 20
	}
	g.at(clock(from, 0), func() { g.come(w) })
	for _, b := range []struct {
		from, minutes int
		reason        string
	}{{from + 2, 15, "pausa"}, {from + 4, 40, "almuerzo"}} {
		if b.from < to-1 {
			begins := clock(b.from, 30)
			g.at(begins, func() { g.away(w, b.reason) })
			g.at(begins.Add(time.Duration(b.minutes)*time.Minute), func() { g.back(w) })
		}
	}
	g.at(clock(to, 5), func() { g.leave(w) })
}

func yes(b bool) *bool { return &b }

func (g *generator) come(w *worker) {
	if w.connected {
		w.leaving = false
		g.back(w)
		return
	}
	w.connected, w.leaving, w.idle = true, false, g.now
	g.say(said{Command: "presence", Actor: w.actor(), Connected: yes(true)})
	g.back(w)
	for _, q := range w.queues {
		g.drain(q)
	}
	for _, t := range w.mine { // what was put aside yesterday
		if t.state == paused {
			g.later(t, g.between(120, 1800), func() { g.reply(t) })
		}
	}
}

// back makes an operator available again.
func (g *generator) back(w *worker) {
	if !w.connected || w.leaving {
		return
	}
	if !w.available {
		w.available = true
		g.say(said{Command: "availability", Actor: w.actor(), Available: yes(true)})
	}
	g.settle(w.queues...)
}

func (g *generator) away(w *worker, reason string) {
	if w.connected && w.available {
		w.available = false
		g.say(said{Command: "availability", Actor: w.actor(), Available: yes(false), Reason: reason})
	}
}

// leave ends a shift: nothing new any more, and gone once nobody is left; what takes too long is put aside until tomorrow.
func (g *generator) leave(w *worker) {
	if !w.connected {
		return
	}
	w.leaving = true
	g.away(w, "fin del turno")
	g.after(75*time.Minute, func() {
		for _, t := range append([]*talk{}, w.mine...) {
			if w.leaving && t.state == attending {
				g.pause(t, true)
			}
		}
		g.gone(w)
	})
	g.gone(w)
}

func (g *generator) gone(w *worker) {
	if w.connected && w.leaving && w.attending == 0 {
		w.connected, w.leaving, w.left, w.idle = false, false, g.now, g.now
		g.say(said{Command: "presence", Actor: w.actor(), Connected: yes(false)})
	}
}

// outOfHours is the rule of the list: closed, and nobody there.
func (g *generator) outOfHours(q *queue) bool {
	if q.calendar.Open(g.now, q.zones) {
		return false
	}
	for _, w := range q.staff {
		if w.connected || !w.left.IsZero() && g.now.Sub(w.left) < closedGrace {
			return false
		}
	}
	return true
}

// drain moves what came out of hours to what waits, in its order, one in each millisecond.
func (g *generator) drain(q *queue) {
	if len(q.parked) == 0 || g.outOfHours(q) {
		return
	}
	for i, t := range q.parked {
		g.later(t, time.Duration(i)*time.Millisecond, func() {
			q.parked = slices.DeleteFunc(q.parked, func(o *talk) bool { return o == t })
			g.tell(t, said{Command: "drain", Actor: "system"})
			g.w.Drained++
			g.wait(t)
			g.settle(q)
		})
	}
}

// settle gives what waits to who has room, by the department's rule; where there is none, somebody is about to take it.
func (g *generator) settle(queues ...*queue) {
	for _, q := range queues {
		for i := 0; i < len(q.waiting); {
			t := q.waiting[i]
			if t.taker != nil {
				i++
				continue
			}
			candidates, staff := q.candidates()
			if q.rule == "" {
				if !g.offer(t, candidates, staff) {
					break
				}
				i++
				continue
			}
			id, ok := routing.Choose(q.rule, candidates)
			if !ok {
				break
			}
			w := staff[id]
			kept := routing.Explained(q.rule, 0, 0, candidates)
			g.tell(t, said{Command: "distribute", Actor: "system", Operator: w.id, Rule: string(q.rule), Candidates: kept.Candidates})
			g.w.Assigned++
			w.assigned = g.now
			g.own(t, w)
		}
	}
}

// candidates are the operators who are there, as the rule sees them.
func (q *queue) candidates() ([]routing.Candidate, map[string]*worker) {
	var all []routing.Candidate
	staff := map[string]*worker{}
	for _, w := range q.staff {
		if w.connected && w.available {
			c := routing.Candidate{Operator: w.id, Load: w.load + w.promised, Capacity: q.capacity, Assigned: w.assigned, Idle: w.idle}
			if w.capacity > 0 {
				c.Capacity = w.capacity
			}
			all, staff[w.id] = append(all, c), w
		}
	}
	return all, staff
}

// offerFor is how long an offer stands, in seconds. Whoever is asked takes it sooner.
const offerFor = 60

// offer asks the next operators, one of whom takes it in a moment. Where all were asked, everybody may. False: nobody has room.
func (g *generator) offer(t *talk, candidates []routing.Candidate, staff map[string]*worker) bool {
	if t.passed {
		if id, ok := routing.Choose(routing.LongestIdle, candidates); ok {
			g.reach(t, staff[id])
			return true
		}
		return false
	}
	left := slices.DeleteFunc(slices.Clone(candidates), func(c routing.Candidate) bool { return slices.Contains(t.asked, c.Operator) })
	next := routing.Next(t.q.offerTo, left)
	switch {
	case len(next) == 0 && t.round > 0:
		g.tell(t, said{Command: "withdraw", Actor: "system", Round: t.round, Cause: "nobody_left"})
		t.passed = true
		return g.offer(t, candidates, staff)
	case len(next) == 0:
		return false
	}
	t.round++
	t.asked = append(t.asked, next...)
	kept := routing.Explained(routing.LongestIdle, 0, 0, left)
	g.tell(t, said{Command: "offer", Actor: "system", Operators: next, Round: t.round, For: offerFor, Candidates: kept.Candidates})
	g.w.Offers++
	g.reach(t, staff[oneOf(g, next)])
	return true
}

// reach lets an operator take a conversation by hand in a moment, if nothing comes between.
func (g *generator) reach(t *talk, w *worker) {
	t.taker = w
	w.promised++
	g.after(g.between(4, 50), func() {
		if t.taker != w {
			return
		}
		t.taker = nil
		w.promised--
		if !w.connected || !w.available {
			g.settle(append(slices.Clone(w.queues), t.q)...)
			return
		}
		g.tell(t, said{Command: "take", Actor: w.actor()})
		g.w.Taken++
		g.own(t, w)
	})
}
