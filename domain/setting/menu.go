package setting

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/turno-desk/turno/domain"
)

// Limits of a menu. Nine choices and the person are the ten rows, and 24 characters the longest row, that the strictest
// platform shows as a list; where it shows buttons it cuts a title behind 20.
const (
	MaxNodes     = 50
	MaxChoices   = 9 // of one node, the person apart
	MaxDepth     = 5 // nodes from the first one down to the deepest
	MaxTitle     = 24
	MaxBotText   = 1024     // bytes of one text
	MaxMenuTexts = 64 << 10 // bytes of all of them
	MaxWrong     = 10
	MaxWords     = 20

	MinSilence = 60               // seconds
	MaxSilence = 7 * 24 * 60 * 60 // seconds

	defaultWrong = 3
)

// PersonChoice is the id of the choice that every node ends with: a person takes over. No other has it.
const PersonChoice = "person"

// What a choice does.
const (
	ActionOpen    = "open"     // shows another node
	ActionAnswer  = "answer"   // says a text, with the same choices again
	ActionHandOff = "hand_off" // a person of a department takes over
	ActionClose   = "close"    // the conversation is answered
	ActionStart   = "start"    // shows the first node again
)

// Menu is the bot's part of a talk on a channel (F004, F013): nodes with choices, the first node being the greeting. From
// each node a person is one answer away.
type Menu struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Nodes    []Node   `json:"nodes"`
	Person   Person   `json:"person"`
	Fallback Fallback `json:"fallback"`
	// CloseAfter is how long a contact may be silent before the bot closes, in seconds; 0: for ever.
	CloseAfter int64 `json:"close_after_s,omitempty"`
	Retired    bool  `json:"retired,omitempty"`
}

// Node is one text of the bot with what the contact may choose.
type Node struct {
	ID      string   `json:"id"`
	Text    string   `json:"text"` // may hold variables
	Choices []Choice `json:"choices"`
}

// Choice is one answer that the bot understands. Its id is its own in the whole menu, so that a button is never taken for
// another node's.
type Choice struct {
	ID         string   `json:"id"`
	Title      string   `json:"title"`
	Action     string   `json:"action"`
	Node       string   `json:"node,omitempty"`       // open: which
	Text       string   `json:"text,omitempty"`       // answer: what is said; hand_off and close: said before, when there is one. May hold variables
	Department string   `json:"department,omitempty"` // hand_off: to whom
	Tags       []string `json:"tags,omitempty"`       // hand_off and close: what the conversation is tagged
}

// Person is the choice that every node ends with.
type Person struct {
	Title      string   `json:"title"`
	Text       string   `json:"text,omitempty"`       // said at the hand-off; may hold variables
	Department string   `json:"department,omitempty"` // the conversation's own, when empty
	Tags       []string `json:"tags,omitempty"`
	Words      []string `json:"words,omitempty"` // that ask for a person, besides those that the bot knows
}

// Fallback is what the bot makes of an answer that fits no choice.
type Fallback struct {
	After int    `json:"after,omitempty"` // so many in a row, and a person takes over; 0: 3
	Text  string `json:"text,omitempty"`  // said to each but the last, with the choices; the node's own, when empty. May hold variables
}

// MenuDefined makes a menu, or replaces its definition. Aggregate setting/menu.<id>.
type MenuDefined struct{ Menu }

// MenuRetired takes it out of use: channels that name it have no bot.
type MenuRetired struct{ Menu }

func (MenuDefined) event() {}
func (MenuRetired) event() {}

// Kind is menu.
func (Menu) Kind() Kind { return KindMenu }

// Ident is its id.
func (m Menu) Ident() string { return m.ID }

// OutOfUse reports whether it was retired.
func (m Menu) OutOfUse() bool { return m.Retired }

func (Menu) wants() string {
	return "A menu takes a name, 1 to 50 nodes of at most 5 levels without circles, each with a text of up to 1024 bytes and 1 to 9 choices, a person with a title, " +
		"and optionally a fallback after up to 10 wrong answers and a time of silence from 60 s to 7 days. A choice takes an id of its own in the menu, a title of up to 24 characters and " +
		"an action: open (node), answer (text), hand_off (department), close, start. All texts together have at most 64 KiB, and of variables contact.name, ticket.number, department.name and channel.name."
}

func (m Menu) defined() Event { return MenuDefined{m} }
func (m Menu) retired() Event { m.Retired = true; return MenuRetired{m} }

// Menu finds a menu, retired or not.
func (i *Image) Menu(id string) (Menu, bool) { return find[Menu](i, KindMenu, id) }

// MenuOf is the menu that the bot of a channel talks by; false when it has none in use.
func (i *Image) MenuOf(channel string) (Menu, bool) {
	m, ok := i.Menu(i.Channels[channel].Menu)
	return m, ok && !m.Retired
}

// Node finds a node; the first one for an empty id.
func (m Menu) Node(id string) (Node, bool) {
	for _, n := range m.Nodes {
		if n.ID == id || id == "" {
			return n, true
		}
	}
	return Node{}, false
}

// Wrong is after how many wrong answers in a row a person takes over.
func (m Menu) Wrong() int {
	if m.Fallback.After == 0 {
		return defaultWrong
	}
	return m.Fallback.After
}

// ToPerson is the choice of a person.
func (m Menu) ToPerson() Choice {
	return Choice{ID: PersonChoice, Title: m.Person.Title, Action: ActionHandOff, Text: m.Person.Text, Department: m.Person.Department, Tags: m.Person.Tags}
}

// Offered are the choices of a node, the person last.
func (m Menu) Offered(n Node) []Choice { return append(slices.Clone(n.Choices), m.ToPerson()) }

func (m Menu) settled(img *Image) (Definition, []string) {
	m.Name, m.Retired = strings.TrimSpace(m.Name), false
	m.Person.Title, m.Person.Tags = strings.TrimSpace(m.Person.Title), tidy(m.Person.Tags)
	m.Person.Words = tidy(m.Person.Words)
	m.Nodes = slices.Clone(m.Nodes)
	for i := range m.Nodes {
		n := &m.Nodes[i]
		n.Choices = slices.Clone(n.Choices)
		for k := range n.Choices {
			c := &n.Choices[k]
			c.Title, c.Tags = strings.TrimSpace(c.Title), tidy(c.Tags)
		}
	}
	v := menuFaults{menu: m, image: img, choices: map[string]bool{PersonChoice: true}}
	return m, v.find()
}

// tidy is ids or words in their normal form: trimmed, sorted, none twice; nil for none.
func tidy(all []string) []string {
	var kept []string
	for _, s := range all {
		kept = append(kept, strings.TrimSpace(s))
	}
	return slices.Compact(slices.Sorted(slices.Values(kept)))
}

// menuFaults looks for all that is wrong with a menu.
type menuFaults struct {
	menu    Menu
	image   *Image
	choices map[string]bool // ids that are taken
	texts   int             // bytes
	found   []string
}

func (v *menuFaults) add(format string, args ...any) {
	if fault := fmt.Sprintf(format, args...); !slices.Contains(v.found, fault) {
		v.found = append(v.found, fault)
	}
}

func (v *menuFaults) find() []string {
	m := v.menu
	if !line(m.Name, MaxName) {
		v.add("name")
	}
	if len(m.Nodes) == 0 || len(m.Nodes) > MaxNodes {
		v.add("nodes")
	}
	ids := map[string]bool{}
	for i, n := range m.Nodes {
		if !domain.ValidID(n.ID) || ids[n.ID] {
			v.add("nodes.%d.id", i)
		}
		ids[n.ID] = true
	}
	for _, n := range m.Nodes {
		v.node(n)
	}
	v.person()
	if m.Fallback.After < 0 || m.Fallback.After > MaxWrong {
		v.add("fallback.after")
	}
	v.text("fallback.text", m.Fallback.Text, false)
	if m.CloseAfter != 0 && (m.CloseAfter < MinSilence || m.CloseAfter > MaxSilence) {
		v.add("close_after_s")
	}
	if v.texts > MaxMenuTexts {
		v.add("texts")
	}
	if len(v.found) == 0 {
		v.ways()
	}
	return v.found
}

func (v *menuFaults) node(n Node) {
	where := "nodes." + n.ID
	v.text(where+".text", n.Text, true)
	if len(n.Choices) == 0 || len(n.Choices) > MaxChoices {
		v.add("%s.choices", where)
	}
	titles := map[string]bool{plain(v.menu.Person.Title): true}
	for i, c := range n.Choices {
		where := fmt.Sprintf("%s.choices.%s", where, c.ID)
		if !domain.ValidID(c.ID) {
			where = fmt.Sprintf("nodes.%s.choices.%d", n.ID, i)
		}
		if !domain.ValidID(c.ID) || v.choices[c.ID] {
			v.add("%s.id", where)
		}
		v.choices[c.ID] = true
		if !title(c.Title) || titles[plain(c.Title)] {
			v.add("%s.title", where)
		}
		titles[plain(c.Title)] = true
		v.choice(where, c)
	}
}

// choice names what the action lacks, and what it has no place for.
func (v *menuFaults) choice(where string, c Choice) {
	takes := map[string][]string{
		ActionOpen: {"node"}, ActionAnswer: {"text"}, ActionHandOff: {"text", "department", "tags"}, ActionClose: {"text", "tags"}, ActionStart: {},
	}
	of, ok := takes[c.Action]
	if !ok {
		v.add("%s.action", where)
		return
	}
	for _, f := range []struct {
		name string
		said bool
	}{{"node", c.Node != ""}, {"text", c.Text != ""}, {"department", c.Department != ""}, {"tags", len(c.Tags) > 0}} {
		if f.said && !slices.Contains(of, f.name) {
			v.add("%s.%s", where, f.name)
		}
	}
	if c.Action == ActionOpen {
		if _, ok := v.menu.Node(c.Node); !ok || c.Node == "" {
			v.add("%s.node", where)
		}
	}
	v.text(where+".text", c.Text, c.Action == ActionAnswer)
	if c.Action == ActionHandOff {
		v.department(where, c.Department, true)
	}
	v.tags(where, c.Tags)
}

func (v *menuFaults) person() {
	p := v.menu.Person
	if !title(p.Title) {
		v.add("person.title")
	}
	v.text("person.text", p.Text, false)
	v.department("person", p.Department, false)
	v.tags("person", p.Tags)
	if len(p.Words) > MaxWords || slices.ContainsFunc(p.Words, func(w string) bool { return !line(w, MaxName) || plain(w) == "" }) {
		v.add("person.words")
	}
}

func (v *menuFaults) department(where, id string, needed bool) {
	if id == "" {
		if needed {
			v.add("%s.department", where)
		}
		return
	}
	if d, ok := v.image.Department(id); !ok || d.Retired {
		v.add("department:%s", id)
	}
}

func (v *menuFaults) tags(where string, tags []string) {
	if !ids(tags, MaxWords) {
		v.add("%s.tags", where)
	}
}

// text checks one that may hold variables, those that the bot knows.
func (v *menuFaults) text(where, text string, needed bool) {
	if text == "" && !needed {
		return
	}
	v.texts += len(text)
	if strings.TrimSpace(text) == "" || !domain.Fits(domain.Personal(text), MaxBotText) {
		v.add("%s", where)
		return
	}
	for _, name := range domain.Variables(text) {
		if !slices.Contains([]string{VarContactName, VarTicketNumber, VarDepartmentName, VarChannelName}, name) {
			v.add("variable:%s", name)
		}
	}
}

// ways walks from the first node: it must reach every other, meet none twice on one way, and not go too deep.
func (v *menuFaults) ways() {
	reached := map[string]bool{}
	var walk func(id string, way []string)
	walk = func(id string, way []string) {
		if slices.Contains(way, id) {
			v.add("circle:%s", id)
			return
		}
		if len(way) == MaxDepth {
			v.add("depth:%s", id)
			return
		}
		reached[id] = true
		n, _ := v.menu.Node(id)
		for _, c := range n.Choices {
			if c.Action == ActionOpen {
				walk(c.Node, append(slices.Clone(way), id))
			}
		}
	}
	walk(v.menu.Nodes[0].ID, nil)
	for _, n := range v.menu.Nodes {
		if !reached[n.ID] {
			v.add("unreached:%s", n.ID)
		}
	}
}

// title reports whether s may stand on a button: 1 to 24 characters in one line, and no number, which would be taken for
// another choice's.
func title(s string) bool {
	return line(s, 4*MaxTitle) && utf8.RuneCountInString(s) <= MaxTitle && plain(s) != "" && !number(plain(s))
}
