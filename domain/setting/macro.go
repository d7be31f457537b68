package setting

import (
	"slices"
	"strings"

	"github.com/turno-desk/turno/domain"
)

const maxSteps = 20

// Macro is several actions on a conversation under one name (F051, F072). It runs as one request: each step is a command of
// its own, and the first that is refused ends it.
type Macro struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Steps   []Step `json:"steps"`
	Retired bool   `json:"retired,omitempty"`
}

// Step is one action of a macro, named as in the API. Which of the others it takes is the action's.
type Step struct {
	Action     string   `json:"action"`             // take, messages, notes, tags, classify, transfer, pause, resume, close
	Template   string   `json:"template,omitempty"` // messages and notes: an id, instead of a text
	Text       string   `json:"text,omitempty"`     // messages and notes; may hold variables
	Add        []string `json:"add,omitempty"`      // tags
	Remove     []string `json:"remove,omitempty"`
	Outcome    string   `json:"outcome,omitempty"` // classify
	Origin     string   `json:"origin,omitempty"`
	Interests  []string `json:"interests,omitempty"`
	Stage      string   `json:"stage,omitempty"`
	Department string   `json:"department,omitempty"` // transfer
	Operator   string   `json:"operator,omitempty"`
	Category   string   `json:"category,omitempty"` // close
	Summary    string   `json:"summary,omitempty"`  // may hold variables
}

// MacroDefined makes a macro, or replaces its definition. Aggregate setting/macro.<id>.
type MacroDefined struct{ Macro }

// MacroRetired takes it out of use.
type MacroRetired struct{ Macro }

func (MacroDefined) event() {}
func (MacroRetired) event() {}

// Kind is macro.
func (Macro) Kind() Kind { return KindMacro }

// Ident is its id.
func (m Macro) Ident() string { return m.ID }

// OutOfUse reports whether it was retired.
func (m Macro) OutOfUse() bool { return m.Retired }

func (m Macro) settled(img *Image) (Definition, []string) {
	m.Name, m.Retired = strings.TrimSpace(m.Name), false
	var bad []string
	if !line(m.Name, MaxName) {
		bad = append(bad, "name")
	}
	if len(m.Steps) == 0 || len(m.Steps) > maxSteps {
		bad = append(bad, "steps")
	}
	for _, s := range m.Steps {
		bad = append(bad, s.wrong(img)...)
	}
	return m, slices.Compact(bad)
}

func (Macro) wants() string {
	return "A macro takes a name and 1 to 20 steps; a step has an action and what that takes: a text or a template, tags to add or remove, a department or an operator."
}

func (m Macro) defined() Event { return MacroDefined{m} }
func (m Macro) retired() Event { m.Retired = true; return MacroRetired{m} }

// Macro finds a macro, retired or not.
func (i *Image) Macro(id string) (Macro, bool) { return find[Macro](i, KindMacro, id) }

// wrong names what is wrong with a step.
func (s Step) wrong(img *Image) []string {
	switch s.Action {
	case "take", "pause", "resume", "classify":
		return nil
	case "messages", "notes":
		if (s.Template == "") == (s.Text == "") {
			return []string{"steps.text"}
		}
		if s.Template == "" {
			return checkText("steps.text", s.Text)
		}
		if t, ok := img.Template(s.Template); !ok || t.Retired {
			return []string{"template:" + s.Template}
		}
		return nil
	case "tags":
		if len(s.Add)+len(s.Remove) == 0 || slices.ContainsFunc(slices.Concat(s.Add, s.Remove), func(t string) bool { return !domain.ValidID(t) }) {
			return []string{"steps.tags"}
		}
		return nil
	case "transfer":
		if s.Department == "" && s.Operator == "" {
			return []string{"steps.department"}
		}
		return nil
	case "close":
		if s.Summary == "" {
			return nil
		}
		return checkText("steps.summary", s.Summary)
	}
	return []string{"steps.action"}
}
