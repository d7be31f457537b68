// Package year makes up the history of a service desk: who was there when, who wrote, and what the rules made of it, as lines
// of `turno import`.
package year

import (
	"bufio"
	"container/heap"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/turno-desk/turno/domain/hours"
)

// Options say how large the desk is, and how long it goes on. A field that is zero has its default.
type Options struct {
	Operators     int       // 200
	Conversations int       // 500,000: so many are opened
	Days          int       // 365
	Departments   int       // 8; at most MaxDepartments
	Seed          uint64    // the same one gives the same bytes
	From          time.Time // the first day; 2025-01-01
}

// MaxDepartments is how many departments a generated desk can have.
const MaxDepartments = 8

func (y Options) withDefaults() Options {
	def := func(n *int, v int) {
		if *n == 0 {
			*n = v
		}
	}
	def(&y.Operators, 200)
	def(&y.Conversations, 500_000)
	def(&y.Days, 365)
	def(&y.Departments, MaxDepartments)
	if y.From.IsZero() {
		y.From = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	y.From = y.From.UTC().Truncate(24 * time.Hour)
	return y
}

func (y Options) check() error {
	switch {
	case y.Departments < 1 || y.Departments > MaxDepartments:
		return fmt.Errorf("%d departments: they are 1 to %d", y.Departments, MaxDepartments)
	case y.Operators < y.Departments || y.Operators > 10_000:
		return fmt.Errorf("%d operators: they are one for each department to 10000", y.Operators)
	case y.Conversations < 1 || y.Days < 1 || y.Days > 3660:
		return fmt.Errorf("%d conversations in %d days: both are 1 or more, days up to 3660", y.Conversations, y.Days)
	}
	return nil
}

// Generate writes the desk's history as lines of `turno import`, in the order of their times: its settings, who was there
// when, and every conversation with what the rules made of it. Nothing of it happened; what is said is put together from a few
// invented sentences. Memory grows with what is open at once, and by some bytes for each contact.
func Generate(w io.Writer, y Options) (Written, error) {
	y = y.withDefaults()
	if err := y.check(); err != nil {
		return Written{}, err
	}
	out := bufio.NewWriterSize(w, 1<<20)
	g := &generator{
		Options: y, random: rand.New(rand.NewPCG(y.Seed, 0x7475726e6f)), out: out, json: json.NewEncoder(out), w: newWritten(),
	}
	g.json.SetEscapeHTML(false)
	g.end = y.From.AddDate(0, 0, y.Days)
	g.now = y.From.Add(-planAhead - time.Hour)
	g.furnish()
	for day := range y.Days {
		date := y.From.AddDate(0, 0, day)
		g.at(date.Add(-planAhead), func() { g.plan(date, day) })
	}
	for len(g.due) > 0 && g.failed == nil {
		e := heap.Pop(&g.due).(due)
		if g.now = e.at; !g.now.Before(g.end) {
			break
		}
		e.do()
	}
	if g.failed != nil {
		return g.w, g.failed
	}
	return g.w, out.Flush()
}

// planAhead is how long before midnight UTC a day is planned: it has begun nowhere then.
const planAhead = 14 * time.Hour

// generator is a desk that goes on, event by event.
type generator struct {
	Options
	random *rand.Rand
	out    *bufio.Writer
	json   *json.Encoder
	failed error // the first error of the output
	w      Written

	now  time.Time
	end  time.Time
	due  agenda
	said int // events scheduled so far

	queues   []*queue
	staff    []*worker
	contacts []customer
	closed   []int // contacts who were served lately: some of them come again
	talked   int   // conversations so far
	messages int
	surveys  int
	planned  int // of Conversations, how many are planned already
}

// due is something that happens later.
type due struct {
	at    time.Time
	order int
	do    func()
}

type agenda []due

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at.Before(a[j].at) || a[i].at.Equal(a[j].at) && a[i].order < a[j].order
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(due)) }
func (a *agenda) Pop() any {
	last := len(*a) - 1
	d := (*a)[last]
	(*a)[last] = due{}
	*a = (*a)[:last]
	return d
}

func (g *generator) at(t time.Time, do func()) {
	g.said++
	heap.Push(&g.due, due{at: t.Truncate(time.Millisecond), order: g.said, do: do})
}

func (g *generator) after(d time.Duration, do func()) { g.at(g.now.Add(d), do) }

// between is a time of from to `to` seconds.
func (g *generator) between(from, to int) time.Duration {
	return time.Duration(from)*time.Second + time.Duration(g.random.Int64N(int64(to-from)*int64(time.Second)))
}

func (g *generator) chance(percent int) bool { return g.random.IntN(100) < percent }

func oneOf[T any](g *generator, from []T) T { return from[g.random.IntN(len(from))] }

// say writes a line.
func (g *generator) say(l said) {
	l.At = g.now.UTC()
	if err := g.json.Encode(l); err != nil && g.failed == nil {
		g.failed = err
	}
	g.w.Lines++
}

// said is a line of an import. Each command uses some of the fields.
type said struct {
	At      time.Time `json:"at"`
	Command string    `json:"command"`
	ID      string    `json:"id,omitempty"`
	Channel string    `json:"channel,omitempty"`
	Address string    `json:"address,omitempty"`
	Actor   string    `json:"actor,omitempty"`

	Name      string   `json:"name,omitempty"`
	MessageID string   `json:"message_id,omitempty"`
	Text      string   `json:"text,omitempty"`
	Sender    string   `json:"sender,omitempty"`
	List      string   `json:"list,omitempty"`
	Reason    string   `json:"reason,omitempty"`
	Category  string   `json:"category,omitempty"`
	Summary   string   `json:"summary,omitempty"`
	Score     int      `json:"score,omitempty"`
	Satisfied *bool    `json:"satisfied,omitempty"`
	Comment   string   `json:"comment,omitempty"`
	Scale     string   `json:"scale,omitempty"`
	Survey    *bool    `json:"survey,omitempty"` // of a close: false, nobody is to be asked
	Tags      []string `json:"tags,omitempty"`
	Add       []string `json:"add,omitempty"`

	Department  string     `json:"department,omitempty"`
	Departments []string   `json:"departments,omitempty"`
	Operator    string     `json:"operator,omitempty"`
	Rule        string     `json:"rule,omitempty"`
	Operators   []string   `json:"operators,omitempty"`
	Round       int        `json:"round,omitempty"`
	For         int        `json:"for_s,omitempty"`
	Cause       string     `json:"cause,omitempty"`
	Candidates  any        `json:"candidates,omitempty"`
	Until       *time.Time `json:"until,omitempty"`
	Classify    any        `json:"classify,omitempty"`

	Connected *bool           `json:"connected,omitempty"`
	Available *bool           `json:"available,omitempty"`
	Role      string          `json:"role,omitempty"`
	Extension string          `json:"extension,omitempty"`
	Capacity  int             `json:"capacity,omitempty"`
	Type      string          `json:"type,omitempty"`
	Settings  any             `json:"settings,omitempty"`
	Zone      string          `json:"zone,omitempty"`
	Week      *hours.Week     `json:"week,omitempty"`
	Holidays  []hours.Holiday `json:"holidays,omitempty"`
}
