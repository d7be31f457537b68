package http_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestScenarios runs testdata/scenarios/*.txt, each on a desk of its own. A file is read line by line:
//
//	# a comment
//	== the sentence that the steps below it show
//	ana POST /v1/conversations/{c}/take      as whom ("-": without a token; crm/contact: for the contact), what, where
//	| If-Match: "{r}"                        a header of the request
//	> {"reason": "…"}                        its body, which may go on over several such lines
//	200                                      the status of the answer
//	? ETag: "{r}"                            a header of the answer
//	< {"conversation": {"id": "{c}"}}        what the answer holds, at least; {name} takes a value, or compares with what it took;
//	                                         JSON lines and CSV are a list of their lines
//	log conversation.taken …                 the events that the step appended; without this line it must append none
//	save position p                          takes a value of the answer by its path
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/scenarios/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			steps, err := readSteps(file)
			if err != nil {
				t.Fatal(err)
			}
			d := newDesk(t)
			d.reported("queue", "history", "stats", "directory") // for /readyz
			play{t: t, d: d, file: file, vars: map[string]any{}}.run(steps)
		})
	}
}

// step is one request of a scenario, and all that is expected of it.
type step struct {
	line     int
	title    string
	as       string
	method   string
	path     string
	headers  []string
	body     string
	status   int
	expected []string // headers, in pairs
	answer   string
	log      []string
	saves    [][2]string
}

func readSteps(file string) ([]step, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var steps []step
	title := ""
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		mark, rest, _ := strings.Cut(line, " ")
		var at *step
		if len(steps) > 0 {
			at = &steps[len(steps)-1]
		}
		switch mark {
		case "", "#":
		case "==":
			title = rest
		case "|", "?":
			name, value, _ := strings.Cut(rest, ": ")
			if mark == "|" {
				at.headers = append(at.headers, name, value)
			} else {
				at.expected = append(at.expected, name, value)
			}
		case ">":
			at.body += rest + "\n"
		case "<":
			at.answer += rest + "\n"
		case "log":
			at.log = strings.Fields(rest)
		case "save":
			path, name, _ := strings.Cut(rest, " ")
			at.saves = append(at.saves, [2]string{path, name})
		default:
			if status, err := strconv.Atoi(mark); err == nil {
				at.status = status
				continue
			}
			words := strings.Fields(line)
			if len(words) != 3 {
				return nil, fmt.Errorf("%s:%d: %q is no step", file, n, line)
			}
			steps = append(steps, step{line: n, title: title, as: words[0], method: words[1], path: words[2]})
		}
	}
	return steps, lines.Err()
}

// play is a scenario that runs.
type play struct {
	t    *testing.T
	d    *desk
	file string
	vars map[string]any
}

func (p play) run(steps []step) {
	for _, s := range steps {
		where := fmt.Sprintf("%s:%d: %s", filepath.Base(p.file), s.line, s.title)
		before := p.d.head()
		headers := []string{}
		for _, h := range s.headers {
			headers = append(headers, p.fill(h))
		}
		if s.method == "GET" && !strings.Contains(s.path, "after=") && s.as != "-" {
			headers = append([]string{"Turno-Position", strconv.FormatUint(uint64(before), 10)}, headers...)
		}
		a := p.d.do(strings.TrimPrefix(s.as, "-"), s.method, p.fill(s.path), p.fill(strings.TrimSpace(s.body)), headers...)
		if a.status != s.status {
			p.t.Fatalf("%s\n%s answered %d, want %d: %s", where, a.asked, a.status, s.status, a.body)
		}
		for i := 0; i < len(s.expected); i += 2 {
			if err := p.match(s.expected[i], s.expected[i+1], a.header.Get(s.expected[i])); err != nil {
				p.t.Errorf("%s: %v", where, err)
			}
		}
		for _, save := range s.saves {
			if p.vars[save[1]] = a.value(save[0]); p.vars[save[1]] == nil {
				p.t.Fatalf("%s: the answer has no %s: %s", where, save[0], a.body)
			}
		}
		p.answered(where, s, a)
		if got := p.d.since(before); strings.Join(got, " ") != strings.Join(s.log, " ") {
			p.t.Errorf("%s\n%s appended %v, want %v", where, a.asked, got, s.log)
		}
	}
}

func (p play) answered(where string, s step, a answer) {
	if s.answer == "" {
		return
	}
	var want, got any
	if err := json.Unmarshal([]byte(s.answer), &want); err != nil {
		p.t.Fatalf("%s: the expected answer is no JSON: %v", where, err)
	}
	if err := json.Unmarshal(a.listed(), &got); err != nil {
		p.t.Fatalf("%s: the answer is no JSON: %s", where, a.body)
	}
	if err := p.match("answer", want, got); err != nil {
		p.t.Errorf("%s\n%s: %v\nin %s", where, a.asked, err, a.body)
	}
}

// fill puts values in the place of their names.
func (p play) fill(s string) string {
	for name, v := range p.vars {
		if f, ok := v.(float64); ok {
			v = strconv.FormatFloat(f, 'f', -1, 64)
		}
		s = strings.ReplaceAll(s, "{"+name+"}", fmt.Sprint(v))
	}
	return s
}

// match compares what is wanted with what is there: of objects the fields that are wanted, of lists every element.
func (p play) match(path string, want, got any) error {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return fmt.Errorf("%s is %v, want an object", path, got)
		}
		for name, w := range want {
			g, there := object[name]
			if w == "absent" {
				if there {
					return fmt.Errorf("%s.%s is there: %v", path, name, g)
				}
				continue
			}
			if err := p.match(path+"."+name, w, g); err != nil {
				return err
			}
		}
		return nil
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return fmt.Errorf("%s is %v, want %d elements", path, got, len(want))
		}
		for i := range want {
			if err := p.match(fmt.Sprintf("%s.%d", path, i), want[i], list[i]); err != nil {
				return err
			}
		}
		return nil
	case string:
		return p.matchText(path, want, got)
	}
	if want != got {
		return fmt.Errorf("%s is %v, want %v", path, got, want)
	}
	return nil
}

func (p play) matchText(path, want string, got any) error {
	if want == "{any}" {
		if got == nil || got == "" {
			return fmt.Errorf("%s is missing", path)
		}
		return nil
	}
	if f, ok := got.(float64); ok {
		got = strconv.FormatFloat(f, 'f', -1, 64)
	}
	if before, name, after, ok := placeholder(p.fill(want)); ok {
		text, isText := got.(string)
		text, begins := strings.CutPrefix(text, before)
		text, ends := strings.CutSuffix(text, after)
		if !isText || !begins || !ends || text == "" {
			return fmt.Errorf("%s is %v, want %q", path, got, want)
		}
		p.vars[name] = text
		return nil
	}
	if filled := p.fill(want); got != filled {
		return fmt.Errorf("%s is %v, want %q", path, got, filled)
	}
	return nil
}

// placeholder finds the first {name} that is still without a value.
func placeholder(s string) (before, name, after string, ok bool) {
	before, rest, opened := strings.Cut(s, "{")
	name, after, closed := strings.Cut(rest, "}")
	return before, name, after, opened && closed
}
