package setting

import (
	"slices"
	"strings"

	"github.com/turno-desk/turno/domain"
)

// Myself stands for the operator who looks.
const Myself = "me"

// Inbox is a saved list of conversations besides those of the states (F048). It shows nobody more than the access rule does.
type Inbox struct {
	ID      string        `json:"id"`
	Name    string        `json:"name"`
	Filter  Conversations `json:"filter"`
	Retired bool          `json:"retired,omitempty"`
}

// Conversations is what an inbox asks of a conversation: all that is set must hold.
type Conversations struct {
	States     []string `json:"states,omitempty"` // one of them
	Department string   `json:"department,omitempty"`
	Operator   string   `json:"operator,omitempty"` // its owner, or who that was at the close; Myself
	Channel    string   `json:"channel,omitempty"`
	Tag        string   `json:"tag,omitempty"`
	Category   string   `json:"category,omitempty"`
	Archived   *bool    `json:"archived,omitempty"`
}

// InboxDefined makes an inbox, or replaces its definition. Aggregate setting/inbox.<id>.
type InboxDefined struct{ Inbox }

// InboxRetired takes it out of use.
type InboxRetired struct{ Inbox }

func (InboxDefined) event() {}
func (InboxRetired) event() {}

// Kind is inbox.
func (Inbox) Kind() Kind { return KindInbox }

// Ident is its id.
func (x Inbox) Ident() string { return x.ID }

// OutOfUse reports whether it was retired.
func (x Inbox) OutOfUse() bool { return x.Retired }

func (x Inbox) settled(*Image) (Definition, []string) {
	x.Name, x.Retired = strings.TrimSpace(x.Name), false
	f := &x.Filter
	if f.States = slices.Compact(slices.Sorted(slices.Values(f.States))); len(f.States) == 0 {
		f.States = nil
	}
	var bad []string
	if !line(x.Name, MaxName) {
		bad = append(bad, "name")
	}
	if slices.ContainsFunc(f.States, func(s string) bool { return !slices.Contains(states(), s) }) {
		bad = append(bad, "filter.states")
	}
	for _, part := range []struct{ name, id string }{{"department", f.Department}, {"operator", f.Operator}, {"channel", f.Channel},
		{"tag", f.Tag}, {"category", f.Category}} {
		if part.id != "" && !domain.ValidID(part.id) {
			bad = append(bad, "filter."+part.name)
		}
	}
	return x, bad
}

// states are those that a conversation can be in.
func states() []string {
	return []string{"bot", "waiting", "attending", "paused", "out_of_hours", "closed"}
}

func (Inbox) wants() string {
	return "An inbox takes a name and a filter: states, department, operator, channel, tag, category, archived."
}

func (x Inbox) defined() Event { return InboxDefined{x} }
func (x Inbox) retired() Event { x.Retired = true; return InboxRetired{x} }

// Inbox finds an inbox, retired or not.
func (i *Image) Inbox(id string) (Inbox, bool) { return find[Inbox](i, KindInbox, id) }
