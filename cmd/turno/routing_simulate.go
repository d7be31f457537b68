package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/routing"
	"github.com/turno-desk/turno/domain/simulation"
)

type routingSimulateCmd struct {
	logFlags
	From       moment        `required:"" help:"The period begins: a time or a day (UTC)."`
	To         moment        `required:"" help:"It ends before: a time or a day (UTC)."`
	Rule       string        `help:"Who gets what waits: longest_idle, least_busy, round_robin, or manual: people take it. Otherwise as each department has it."`
	Operators  []string      `placeholder:"N" help:"So many operators in each department, there all the time, instead of its members as they came and went; or DEPARTMENT=N, for some departments."`
	Capacity   int           `help:"So many conversations at once for each operator, instead of what is set."`
	Department string        `help:"Change this department alone, and show it alone."`
	Pickup     time.Duration `default:"20s" help:"Where people take what waits: how long after they could (${default})."`
	Format     string        `enum:"text,json" default:"text" help:"text: a table. json: one object, durations in seconds."`
}

// Run replays the arrivals of a period under a plan, and writes waiting times side by side: as it was, and as it would have been.
func (cmd routingSimulateCmd) Run(p *program) error {
	if cmd.From.time.IsZero() || cmd.To.time.IsZero() || !cmd.From.time.Before(cmd.To.time) {
		return errors.New("--from and --to are times or days, the first before the second")
	}
	r, err := openToRead(p, cmd.logFlags)
	if err != nil {
		return stopped(p.ctx, err)
	}
	defer r.close()
	recording := simulation.NewRecording(r.workspace, cmd.From.time, cmd.To.time)
	position, err := r.toHead(p.ctx, false, recording.Apply)
	if err != nil {
		return err
	}
	plan, err := cmd.plan(recording)
	if err != nil {
		return err
	}
	c := comparison{From: cmd.From.time, To: cmd.To.time, Position: position, Plan: wished(plan, recording.Departments())}
	was, would := recording.AsItWas(), recording.Run(plan)
	for _, id := range append([]string{""}, recording.Departments()...) {
		if cmd.Department != "" && id != cmd.Department {
			continue
		}
		c.Departments = append(c.Departments, sideBySide{id, figuresOf(was.Figures(id)), figuresOf(would.Figures(id))})
	}
	if cmd.Format == "json" {
		out := json.NewEncoder(p.stdout)
		out.SetIndent("", "  ")
		return out.Encode(c)
	}
	return c.write(p.stdout)
}

// plan is what the flags ask for.
func (cmd routingSimulateCmd) plan(r *simulation.Recording) (simulation.Plan, error) {
	plan := simulation.Plan{Departments: map[string]simulation.Change{}, Pickup: cmd.Pickup}
	departments := r.Departments()
	if cmd.Department != "" {
		departments = []string{cmd.Department}
	}
	for _, id := range departments {
		plan.Departments[id] = simulation.Change{Rule: routing.Rule(cmd.Rule), Capacity: cmd.Capacity}
	}
	for _, given := range cmd.Operators {
		of := departments
		id, count, named := strings.Cut(given, "=")
		if named {
			of = []string{id}
		} else {
			count = given
		}
		n, err := strconv.Atoi(count)
		if err != nil || n < 1 {
			return plan, fmt.Errorf("--operators %s: it is a number from 1 on, or DEPARTMENT=NUMBER", given)
		}
		for _, id := range of {
			change := plan.Departments[id]
			change.Operators = n
			plan.Departments[id] = change
		}
	}
	return plan, r.Check(plan)
}

// comparison is what was asked and what came of it.
type comparison struct {
	From        time.Time       `json:"from"`
	To          time.Time       `json:"to"`
	Position    domain.Position `json:"position"` // of the log, up to which it was read
	Plan        wishedPlan      `json:"plan"`
	Departments []sideBySide    `json:"departments"` // all of them together first, with an empty name
}

type wishedPlan struct {
	Pickup  float64        `json:"pickup_s"`
	Changes []wishedChange `json:"changes"`
}

type wishedChange struct {
	Department string `json:"department"`
	Rule       string `json:"rule,omitempty"`
	Operators  int    `json:"operators,omitempty"`
	Capacity   int    `json:"capacity,omitempty"`
}

type sideBySide struct {
	Department string  `json:"department"`
	Was        figures `json:"as_it_was"`
	Would      figures `json:"simulated"`
}

type figures struct {
	N         int           `json:"n"`
	Answered  int           `json:"answered"`
	Abandoned int           `json:"abandoned"`
	Left      int           `json:"left"`
	Waiting   int           `json:"waiting"`
	Mean      *float64      `json:"mean_s"`
	P50       *float64      `json:"p50_s"`
	P90       *float64      `json:"p90_s"`
	P95       *float64      `json:"p95_s"`
	Max       *float64      `json:"max_s"`
	Levels    []withinLevel `json:"service_levels"`
	Occupancy *float64      `json:"occupancy"`
}

type withinLevel struct {
	Within float64  `json:"within_s"`
	Share  *float64 `json:"share"`
}

func wished(p simulation.Plan, order []string) wishedPlan {
	t := wishedPlan{Pickup: p.Pickup.Seconds(), Changes: []wishedChange{}}
	for _, id := range order {
		if c := p.Departments[id]; c != (simulation.Change{}) {
			t.Changes = append(t.Changes, wishedChange{id, string(c.Rule), c.Operators, c.Capacity})
		}
	}
	return t
}

func figuresOf(f simulation.Figures) figures {
	out := figures{N: f.N, Answered: f.Answered, Abandoned: f.Abandoned, Left: f.Left, Waiting: f.Waiting, Occupancy: f.Occupancy}
	if f.N > 0 { // null is not zero
		out.Mean, out.P50, out.P90, out.P95, out.Max = seconds(f.Mean), seconds(f.P50), seconds(f.P90), seconds(f.P95), seconds(f.Max)
	}
	for i, t := range simulation.Thresholds() {
		level := withinLevel{Within: t.Seconds()}
		if f.Levels != nil {
			level.Share = &f.Levels[i]
		}
		out.Levels = append(out.Levels, level)
	}
	return out
}

// seconds are those of a duration, to the millisecond.
func seconds(d time.Duration) *float64 {
	s := d.Round(time.Millisecond).Seconds()
	return &s
}

// write writes a table for people.
func (c comparison) write(out io.Writer) error {
	fmt.Fprintf(out, "Waits that began from %s to %s, by the log up to position %d.\n", stampOf(c.From), stampOf(c.To), c.Position)
	if len(c.Plan.Changes) == 0 {
		fmt.Fprintln(out, "Simulated: rules and presence as they were.")
	}
	var order []string
	where := map[string][]string{} // departments by what is changed there
	for _, change := range c.Plan.Changes {
		if where[change.String()] == nil {
			order = append(order, change.String())
		}
		where[change.String()] = append(where[change.String()], change.Department)
	}
	for _, change := range order {
		fmt.Fprintf(out, "Simulated in %s: %s.\n", strings.Join(where[change], ", "), change)
	}
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', tabwriter.AlignRight)
	head := []string{"", "", "n", "mean", "p50", "p90", "p95", "max"}
	for _, t := range simulation.Thresholds() {
		head = append(head, "in "+shortly(t))
	}
	fmt.Fprintln(w, strings.Join(append(head, "abandoned", "left", "waiting", "occupancy", ""), "\t"))
	for _, d := range c.Departments {
		name := d.Department
		if name == "" {
			name = "all"
		}
		fmt.Fprintf(w, "%s\tas it was\t%s\t\n", name, d.Was)
		fmt.Fprintf(w, "\tsimulated\t%s\t\n", d.Would)
	}
	return w.Flush()
}

func (c wishedChange) String() string {
	var parts []string
	if c.Rule != "" {
		parts = append(parts, "rule "+c.Rule)
	}
	switch {
	case c.Operators == 1:
		parts = append(parts, "one operator all the time")
	case c.Operators > 1:
		parts = append(parts, fmt.Sprintf("%d operators all the time", c.Operators))
	}
	if c.Capacity > 0 {
		parts = append(parts, fmt.Sprintf("%d at once each", c.Capacity))
	}
	return strings.Join(parts, ", ")
}

func (f figures) String() string {
	cells := []string{strconv.Itoa(f.N)}
	for _, s := range []*float64{f.Mean, f.P50, f.P90, f.P95, f.Max} {
		cell := "-"
		if s != nil {
			cell = shortly(time.Duration(*s * float64(time.Second)))
		}
		cells = append(cells, cell)
	}
	for _, l := range f.Levels {
		cells = append(cells, percent(l.Share))
	}
	return strings.Join(append(cells, strconv.Itoa(f.Abandoned), strconv.Itoa(f.Left), strconv.Itoa(f.Waiting), percent(f.Occupancy)), "\t")
}

func percent(share *float64) string {
	if share == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f%%", 100**share)
}

// shortly is a duration for people: to the second, to the tenth of one below a minute.
func shortly(d time.Duration) string {
	if d < time.Minute {
		return strconv.FormatFloat(d.Round(100*time.Millisecond).Seconds(), 'f', -1, 64) + "s"
	}
	s := d.Round(time.Second).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func stampOf(t time.Time) string { return t.UTC().Format(time.RFC3339) }
