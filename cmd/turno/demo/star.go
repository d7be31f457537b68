package demo

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// Dialogue is one dialogue of the STAR data set (RasaHQ/STAR), as far as a service desk has a use for it.
type Dialogue struct {
	ID         int
	Customer   string // anonymous id of the person who played the customer
	Wizard     string // … of the one who played the agent
	Department string // the first of Departments among its domains
	Turns      []Turn
	Complete   bool  // the customer ended it
	Satisfied  *bool // the customer's answer to whether the agent stayed calm and helpful
}

// Turn is one message, or one task that the agent chose.
type Turn struct {
	Inbound bool
	Text    string
	Task    string // a tag; then there is no text
}

// StarDepartments are the domains that the selection is made of.
var StarDepartments = []string{"bank", "hotel", "doctor", "ride"}

// starLine is a line of the file.
type starLine struct {
	DialogueID               int
	AnonymizedUserWorkerID   string
	AnonymizedWizardWorkerID string
	Scenario                 struct{ Domains []string }
	UserQuestionnaire        []struct {
		Question string
		Answer   any
	}
	Events []struct{ Agent, Action, Text, Task string }
}

// ReadStar calls fn with every dialogue of a file of one JSON document a line, gzipped or not, in order.
func ReadStar(path string, fn func(Dialogue) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var in io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		zr, err := gzip.NewReader(f)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		defer zr.Close()
		in = zr
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for n := 1; lines.Scan(); n++ {
		var l starLine
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return fmt.Errorf("%s, line %d: %w", path, n, err)
		}
		if err := fn(l.dialogue()); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func (l starLine) dialogue() Dialogue {
	d := Dialogue{ID: l.DialogueID, Customer: l.AnonymizedUserWorkerID, Wizard: l.AnonymizedWizardWorkerID, Department: "ride"}
	for _, domain := range l.Scenario.Domains {
		if isDepartment(domain) {
			d.Department = domain
			break
		}
	}
	for _, e := range l.Events {
		switch e.Agent + "/" + e.Action {
		case "User/utter":
			d.Turns = append(d.Turns, Turn{Inbound: true, Text: e.Text})
		case "Wizard/utter", "Wizard/pick_suggestion":
			d.Turns = append(d.Turns, Turn{Text: e.Text})
		case "Wizard/select_task":
			d.Turns = append(d.Turns, Turn{Task: e.Task})
		case "User/complete":
			d.Complete = true
		}
	}
	for _, q := range l.UserQuestionnaire {
		if yes, ok := q.Answer.(bool); ok && strings.Contains(q.Question, "calm and helpful") {
			d.Satisfied = &yes
		}
	}
	return d
}

func isDepartment(domain string) bool {
	for _, d := range StarDepartments {
		if d == domain {
			return true
		}
	}
	return false
}

// Messages counts the messages of both directions.
func (d Dialogue) Messages() (in, out int) {
	for _, t := range d.Turns {
		switch {
		case t.Task != "":
		case t.Inbound:
			in++
		default:
			out++
		}
	}
	return in, out
}
