package year_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/turno-desk/turno/cmd/turno/year"
	"github.com/turno-desk/turno/domain/routing"
	"github.com/turno-desk/turno/domain/survey"
)

// week is small, and full: more comes than its people can take at once.
var week = year.Options{Operators: 12, Conversations: 900, Days: 7, Departments: 4}

func generated(t *testing.T, o year.Options) (string, year.Written) {
	t.Helper()
	var out bytes.Buffer
	written, err := year.Generate(&out, o)
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), written
}

// said is a line as this test reads it.
type said struct {
	At                                            time.Time
	Command, ID, Channel, Address, Actor, List    string
	Operator, Department, Rule, Sender, MessageID string
	Connected, Available                          *bool
	Candidates                                    []routing.Candidate
	Text, Scale, Comment                          string
	Score                                         int
	Satisfied, Survey                             *bool
	Settings                                      struct{ Survey survey.Settings }
}

func (l said) thread() string { return l.Channel + " " + l.Address }

func lines(t *testing.T, out string) []said {
	t.Helper()
	var all []said
	for in := bufio.NewScanner(strings.NewReader(out)); in.Scan(); {
		var l said
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	return all
}

func TestTheSameSeedGivesTheSameBytes(t *testing.T) {
	first, _ := generated(t, week)
	if again, _ := generated(t, week); again != first {
		t.Error("the second time it is something else")
	}
	other := week
	other.Seed = 2
	if out, _ := generated(t, other); out == first {
		t.Error("another seed gives the same")
	}
}

func TestTheHistoryIsInOrderAndCountsWhatItHolds(t *testing.T) {
	out, w := generated(t, week)
	all := lines(t, out)
	if len(all) != w.Lines || w.Conversations != week.Conversations {
		t.Errorf("%d lines, %+v", len(all), w)
	}
	if !slices.IsSortedFunc(all, func(a, b said) int { return a.At.Compare(b.At) }) {
		t.Error("the lines are not in the order of their times")
	}
	count := map[string]int{}
	settings := true
	for _, l := range all {
		count[l.Command]++
		switch l.Command {
		case "calendar", "department", "channel", "operator":
			if !settings {
				t.Fatalf("a setting comes behind something else: %+v", l)
			}
		default:
			settings = false
		}
		if l.List == "out_of_hours" {
			count["parked"]++
		}
	}
	for name, want := range map[string]int{
		"receive": w.In + answersTyped(all), "survey": w.Surveys, "distribute": w.Assigned, "take": w.Taken, "offer": w.Offers, "transfer": w.Transfers, "pause": w.Pauses, "close": w.Closed,
		"rate": w.Rated - w.Typed, "drain": w.Drained, "open": w.Outbound, "parked": w.OutOfHours, "operator": week.Operators, "department": week.Departments,
	} {
		if count[name] != want || want == 0 {
			t.Errorf("%d lines say %s, it counted %d", count[name], name, want)
		}
	}
	if count["send"]+w.Outbound != w.Out+w.Machine || w.Abandoned == 0 || w.Closed+w.Open != w.Conversations {
		t.Errorf("%v, %+v", count, w)
	}
}

// TestItsAssignmentsAreTheRulesOwn is F016, D1 and D22 for a generated desk: the rule over the candidates gives the operator, who has
// room and is there; only what came out of hours drains.
func TestItsAssignmentsAreTheRulesOwn(t *testing.T) {
	out, _ := generated(t, week)
	connected, available, parked := map[string]bool{}, map[string]bool{}, map[string]bool{}
	owner, load := map[string]string{}, map[string]int{}
	for _, l := range lines(t, out) {
		who := strings.TrimPrefix(l.Actor, "operator:")
		thread := l.thread()
		switch l.Command {
		case "presence":
			connected[who] = *l.Connected
		case "availability":
			available[who] = *l.Available
		case "distribute":
			a := routing.Assignment{Rule: routing.Rule(l.Rule), Candidates: l.Candidates}
			if again, ok := a.Again(); !ok || again != l.Operator {
				t.Fatalf("the rule gives %q: %+v", again, l)
			}
			for _, c := range l.Candidates {
				if away, known := available[c.Operator]; !connected[c.Operator] || known && !away || c.Load != load[c.Operator] {
					t.Fatalf("%+v is a candidate at %s, with %d", c, l.At, load[c.Operator])
				}
			}
			owner[thread], load[l.Operator] = l.Operator, load[l.Operator]+1
		case "take", "open":
			owner[thread], load[who] = who, load[who]+1
		case "transfer", "close":
			load[owner[thread]]--
			delete(owner, thread)
		case "drain":
			if !parked[thread] {
				t.Fatalf("it drains and is not there: %+v", l)
			}
			delete(parked, thread)
		}
		if l.List == "out_of_hours" {
			parked[thread] = true
		}
	}
}

func TestADeskThatCanNotBeIsRefused(t *testing.T) {
	for _, o := range []year.Options{{Departments: 9}, {Operators: 3}, {Days: -1}, {Conversations: -1}, {Days: 5000}} {
		if _, err := year.Generate(&bytes.Buffer{}, o); err == nil {
			t.Errorf("%+v is made", o)
		}
	}
	if _, err := year.Generate(full{}, week); !errors.Is(err, errFull) {
		t.Errorf("a full disk gives %v", err)
	}
}

var errFull = errors.New("full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
