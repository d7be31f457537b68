package thread_test

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/hours"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/presence"
	"github.com/turno-desk/turno/domain/routing"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/survey"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/domain/ticket"
	"github.com/turno-desk/turno/domain/workflow"
)

// A scenario file holds lines of the form
//
//	[+5m] actor: command args => events | state department owner
//	[+5m] actor: command args => refused code missing…
//
// under a line "scenario <ids>: <what it shows>". "=> nothing" is a success without events. What stands behind | is checked
// where it is given; of what is offered "offered" and to whom, in the place of the owner. See desk for who is who.
func TestScenariosOfAConversation(t *testing.T) {
	files, err := filepath.Glob("testdata/scenarios/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		for _, sc := range readScenarios(t, file) {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txt")+"/"+sc.name, func(t *testing.T) {
				w := newWorld()
				for _, l := range sc.lines {
					l.run(t, w)
				}
			})
		}
	}
}

type scenario struct {
	name  string
	lines []line
}

type line struct {
	where  string
	text   string
	actor  string
	verb   string
	args   []string
	events string
	state  string
}

var lineForm = regexp.MustCompile(`^(\+\S+ )?([a-z]+): ([a-z]+)(.*?) => ([^|]+?)(?: \| (.+))?$`)
var argForm = regexp.MustCompile(`"[^"]*"|\S+`)

func readScenarios(t *testing.T, file string) []scenario {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []scenario
	for n, in := 1, bufio.NewScanner(f); in.Scan(); n++ {
		text := strings.TrimSpace(in.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		if name, ok := strings.CutPrefix(text, "scenario "); ok {
			all = append(all, scenario{name: name})
			continue
		}
		m := lineForm.FindStringSubmatch(text)
		if m == nil || len(all) == 0 {
			t.Fatalf("%s:%d: can't read %q", file, n, text)
		}
		l := line{where: fmt.Sprintf("%s:%d", file, n), text: text, actor: m[2], verb: m[3], events: m[5], state: m[6]}
		if m[1] != "" {
			l.args = append(l.args, strings.TrimSpace(m[1]))
		}
		for _, a := range argForm.FindAllString(m[4], -1) {
			l.args = append(l.args, strings.Trim(a, `"`))
		}
		s := &all[len(all)-1]
		s.lines = append(s.lines, l)
	}
	return all
}

// world is one thread at the desk, with a clock.
type world struct {
	state thread.State
	image *setting.Image
	now   time.Time
	seq   domain.Position

	record func(domain.Commit) // may be nil
	last   domain.Commit       // the newest
	asked  thread.Asking       // what is known of the contact and the ticket
}

func newWorld() *world {
	return &world{
		state: thread.State{ID: "t1"}, image: desk(), now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC),
	}
}

// desk: ana, beto and eva (not connected) answer in soporte; carla in ventas; dora in both; greta in garantia; quique in
// cobros; tito in tienda; mia, max, mel and mudo (not connected) in mesa, which offers, mel in soporte too; nora (not connected) in oficina and
// rigida, which have hours. sara supervises soporte, susi cobros and tienda, suso mesa and soporte, adela administers, otto audits. old was deactivated.
// menweb, offweb, ofimen and sinweb have a menu. chat, garchat, cobchat and menchat are live chats; soporte alone has words for the end of one.
func desk() *setting.Image {
	img := &setting.Image{
		Workspace: "default", Position: 1,
		Operators: map[string]operator.Definition{}, Presence: map[string]presence.Status{},
		Departments: map[string]department.Definition{
			"soporte": {ID: "soporte", Name: "Soporte", Settings: department.Settings{
				SessionEndedMessage: "{{contact.name}}, terminó su chat con {{operator.name}} de {{department.name}}: {{ticket.number}}."}},
			"ventas": {ID: "ventas", Name: "Ventas"},
			"cobros": {ID: "cobros", Name: "Cobros", Close: department.Guards{
				Fields: []string{"motivo"}, Classification: true, Category: true, Summary: true}},
			"garantia": {ID: "garantia", Name: "Garantía", Settings: department.Settings{
				ResumeOnInbound: true, KeepOnClose: true, ReopenWithin: 3600}},
			"tienda": {ID: "tienda", Name: "Tienda", Close: department.Guards{
				Parts: []string{"interests", "origin", "score"}, Funnel: "b2b", TicketLink: department.LinkRequired}},
			"oficina": {ID: "oficina", Name: "Oficina", Settings: department.Settings{Calendar: "horario"}},
			"rigida":  {ID: "rigida", Name: "Rígida", Settings: department.Settings{Calendar: "horario", StrictCalendar: true}},
			"mesa":    {ID: "mesa", Name: "Mesa", Settings: department.Settings{OfferTo: 2, TransferAccept: true}},
			"cerrada": {ID: "cerrada", Name: "Cerrada", Retired: true},
		},
		Left: map[string]time.Time{},
		Calendars: map[string]hours.Calendar{"horario": {ID: "horario", Versions: []hours.Version{{Zone: "UTC", Week: hours.Week{
			Monday: []hours.Interval{{From: "09:00", To: "18:00"}}, Tuesday: []hours.Interval{{From: "09:00", To: "18:00"}}}}}}},
		Channels: map[string]setting.Channel{
			"ofiweb":  {ID: "ofiweb", Type: "generic", Department: "oficina"},
			"rigweb":  {ID: "rigweb", Type: "generic", Department: "rigida"},
			"web":     {ID: "web", Type: "generic", Department: "soporte"},
			"garweb":  {ID: "garweb", Type: "generic", Department: "garantia"},
			"cobweb":  {ID: "cobweb", Type: "generic", Department: "cobros"},
			"tieweb":  {ID: "tieweb", Type: "generic", Department: "tienda"},
			"mesweb":  {ID: "mesweb", Type: "generic", Department: "mesa"},
			"menweb":  {ID: "menweb", Type: "generic", Name: "Menú", Department: "soporte", Menu: "principal"},
			"offweb":  {ID: "offweb", Type: "generic", Department: "soporte", Menu: "principal", BotStaysOff: true},
			"ofimen":  {ID: "ofimen", Type: "generic", Department: "oficina", Menu: "principal"},
			"sinweb":  {ID: "sinweb", Type: "generic", Department: "soporte", Menu: "vieja"},
			"chat":    {ID: "chat", Type: "webchat", Name: "Chat", Department: "soporte"},
			"garchat": {ID: "garchat", Type: "webchat", Department: "garantia"},
			"cobchat": {ID: "cobchat", Type: "webchat", Department: "cobros"},
			"menchat": {ID: "menchat", Type: "webchat", Department: "soporte", Menu: "principal"},
			"vieja":   {ID: "vieja", Type: "generic", Department: "soporte", Retired: true},
		},
		Definitions: map[setting.Name]setting.Definition{},
	}
	for _, d := range []setting.Definition{
		setting.Field{ID: "motivo", Name: "Motivo", On: setting.OnConversation, Type: setting.FieldText},
		setting.Field{ID: "monto", Name: "Monto", On: setting.OnConversation, Type: setting.FieldNumber},
		setting.Field{ID: "viejo", Name: "Viejo", On: setting.OnConversation, Type: setting.FieldText, Retired: true},
		setting.Funnel{ID: "b2b", Name: "Empresas", Fields: []string{"motivo", "viejo"}, Stages: []setting.Stage{
			{ID: "oferta", Name: "Oferta"}, {ID: "firma", Name: "Firma", Fields: []string{"monto"}}}},
		setting.Catalog{ID: setting.CatalogInterests, Items: []setting.Item{{ID: "fibra", Name: "Fibra"}}},
		setting.Catalog{ID: setting.CatalogCategories, Items: []setting.Item{{ID: "pago", Name: "Pago"}}},
		principal(), setting.Menu{ID: "vieja", Name: "Vieja", Retired: true},
	} {
		img.Definitions[setting.Name{Kind: d.Kind(), ID: d.Ident()}] = d
	}
	add := func(id string, role operator.Role, connected bool, departments ...string) {
		img.Operators[id] = operator.Definition{ID: id, Role: role, Departments: departments, Active: id != "old"}
		img.Presence[id] = presence.Status{Operator: id, Connected: connected, Available: connected}
	}
	add("ana", "operator", true, "soporte")
	add("beto", "operator", true, "soporte")
	add("eva", "operator", false, "soporte")
	add("carla", "operator", true, "ventas")
	add("dora", "operator", true, "soporte", "ventas")
	add("greta", "operator", true, "garantia")
	add("quique", "operator", true, "cobros")
	add("nora", "operator", false, "oficina", "rigida")
	add("sara", "supervisor", true, "soporte")
	add("tito", "operator", true, "tienda")
	add("susi", "supervisor", true, "cobros", "tienda")
	add("adela", "admin", true)
	add("mia", "operator", true, "mesa")
	add("max", "operator", true, "mesa")
	add("mel", "operator", true, "mesa", "soporte")
	add("mudo", "operator", false, "mesa")
	add("suso", "supervisor", true, "mesa", "soporte")
	add("otto", "auditor", true, "soporte")
	add("old", "operator", false, "soporte")
	return img
}

// principal is the menu of menweb, offweb and ofimen: ventas and soporte, whose node has a deeper one.
func principal() setting.Menu {
	return setting.Menu{
		ID: "principal", Name: "Principal", CloseAfter: 3600,
		Nodes: []setting.Node{
			{ID: "inicio", Text: "Hola {{contact.name}}, su caso es {{ticket.number}}.", Choices: []setting.Choice{
				{ID: "ventas", Title: "Ventas", Action: setting.ActionHandOff, Department: "ventas", Tags: []string{"lead"}, Text: "Ya le atienden."},
				{ID: "soporte", Title: "Soporte técnico", Action: setting.ActionOpen, Node: "tecnico"},
				{ID: "horario", Title: "Horario", Action: setting.ActionAnswer, Text: "De 9 a 18."},
				{ID: "listo", Title: "Nada más", Action: setting.ActionClose, Text: "¡Hasta luego!", Tags: []string{"bot"}},
			}},
			{ID: "tecnico", Text: "¿Qué falla?", Choices: []setting.Choice{
				{ID: "internet", Title: "Internet", Action: setting.ActionHandOff, Department: "soporte"},
				{ID: "volver", Title: "Volver", Action: setting.ActionStart},
				{ID: "oficina", Title: "Oficina", Action: setting.ActionHandOff, Department: "oficina"},
			}},
		},
		Person:   setting.Person{Title: "Una persona", Words: []string{"socorro"}},
		Fallback: setting.Fallback{Text: "No entendí."},
	}
}

func (w *world) actor(name string) domain.Actor {
	switch name {
	case "contact", "bot", "system":
		return domain.Actor{Kind: domain.ActorKind(name)}
	case "service":
		return domain.Actor{Kind: domain.ActorService, ID: "crm"}
	}
	return domain.Actor{Kind: domain.ActorOperator, ID: name}
}

// do decides a command on the newest conversation (or on number, when it isn't 0) and applies what it makes.
func (w *world) do(actor domain.Actor, number int, cmd thread.Command) ([]thread.Event, *domain.Refusal) {
	conv := w.state.Current()
	if number != 0 {
		conv = w.state.Conversations[number]
	}
	facts := thread.Facts{Image: w.image, Actor: actor, Thread: w.state.ID, Now: w.now, Run: w.asked}
	facts.Run.Message = thread.Heard(&w.last)
	events, refusal := thread.Decide(&w.state, conv, cmd, facts)
	if refusal != nil || len(events) == 0 {
		return nil, refusal
	}
	w.seq++
	c := domain.Commit{
		ID: "cmd" + strconv.Itoa(int(w.seq)), Position: w.seq, Version: domain.Version(w.seq), Recorded: w.now, Time: w.now, Actor: actor, Key: "k1",
	}
	for _, e := range events {
		c.Events = append(c.Events, e)
		if o, ok := e.(thread.Opened); ok {
			c.Conversation = thread.ConversationID(w.state.ID, o.Number)
		}
	}
	if c.Conversation == "" {
		named := conv
		switch cmd.(type) {
		case thread.Receive, thread.Open:
			named = nil
		}
		c.Conversation = thread.About(&w.state, named, events).ID
	}
	w.state.Apply(&c)
	w.last = c
	if w.record != nil {
		w.record(c)
	}
	return events, nil
}

// presence is a line "desk: connect ana => nothing", or disconnect.
func (w *world) presence(verb, id string) {
	connected := verb == "connect"
	w.image.Presence[id] = presence.Status{Operator: id, Connected: connected, Available: connected}
	if !connected {
		w.image.Left[id] = w.now
	}
}

// knows is a line "desk: knows plan=Fibra company=ACME tags=vip ticket=pending => nothing": what is on record of the contact, by line or
// custom field, and how the ticket stands.
func (w *world) knows(args []string) {
	person := &w.asked.Contact
	person.Known = true
	person.Profile.Fields = maps.Clone(person.Profile.Fields)
	for _, a := range args {
		name, v, _ := strings.Cut(a, "=")
		v = strings.Trim(v, `"`)
		switch line := person.Profile.Line(name); {
		case name == "tags":
			person.Tags = strings.Split(v, ",")
		case name == "ticket":
			w.asked.Ticket.Status = ticket.Status(v)
		case line != nil:
			*line = domain.Personal(v)
		default:
			if person.Profile.Fields == nil {
				person.Profile.Fields = map[string]domain.Personal{}
			}
			person.Profile.Fields[name] = domain.Personal(v)
		}
	}
}

// retire is a line "desk: retire ventas => nothing": everybody leaves the department, and it is taken out of use.
func (w *world) retire(id string) {
	for op, d := range w.image.Operators {
		d.Departments = slices.DeleteFunc(slices.Clone(d.Departments), func(has string) bool { return has == id })
		w.image.Operators[op] = d
	}
	d := w.image.Departments[id]
	d.Retired = true
	w.image.Departments[id] = d
}

// menu is a line "desk: menu <what> => nothing": the menu changes in the middle.
func (w *world) menu(t *testing.T, l line, what string) {
	t.Helper()
	m := principal()
	switch what {
	case "retired":
		m.Retired = true
	case "turned": // the first node's choices stand the other way round, and ventas is another department's
		slices.Reverse(m.Nodes[0].Choices)
		m.Nodes[0].Choices[3].Department = "cobros"
	case "cut": // the deeper node is gone
		m.Nodes = m.Nodes[:1]
		m.Nodes[0].Choices = slices.Delete(m.Nodes[0].Choices, 1, 2)
	case "closed": // the department that ventas hands off to is out of use
		v := w.image.Departments["ventas"]
		v.Retired = true
		w.image.Departments["ventas"] = v
	default:
		t.Fatalf("%s: no change %q", l.where, what)
	}
	w.image.Definitions[setting.Name{Kind: setting.KindMenu, ID: m.ID}] = m
}

func (l line) run(t *testing.T, w *world) {
	t.Helper()
	args := l.args
	if len(args) > 0 && strings.HasPrefix(args[0], "+") {
		d, err := time.ParseDuration(args[0][1:])
		if err != nil {
			t.Fatalf("%s: %v", l.where, err)
		}
		w.now, args = w.now.Add(d), args[1:]
	}
	if l.actor == "desk" && l.verb == "menu" {
		w.menu(t, l, args[0])
		return
	}
	if l.actor == "desk" && l.verb == "knows" {
		w.knows(args)
		return
	}
	if l.actor == "desk" && l.verb == "retire" {
		w.retire(args[0])
		return
	}
	if l.actor == "desk" {
		w.presence(l.verb, args[0])
		return
	}
	number := 0
	if len(args) > 0 && strings.HasPrefix(args[0], "#") {
		number, _ = strconv.Atoi(args[0][1:])
		args = args[1:]
	}
	actor := w.actor(l.actor)
	if run, ok := runOf(w, l.verb, args); ok {
		actor = workflow.Actor(run.Workflow)
	}
	cmd := command(t, w, l, args)
	var events []thread.Event
	var refusal *domain.Refusal
	if cmd != nil {
		events, refusal = w.do(actor, number, cmd)
	}
	got := "nothing"
	if refusal != nil {
		got = strings.Join(append([]string{"refused", string(refusal.Code)}, refusal.Missing...), " ")
	} else if len(events) > 0 {
		names := make([]string, len(events))
		for i, e := range events {
			names[i] = strings.ToLower(reflect.TypeOf(e).Name())
		}
		got = strings.Join(names, " ")
	}
	if got != l.events {
		t.Fatalf("%s: %s\n got %s", l.where, l.text, got)
	}
	if l.state == "" {
		return
	}
	conv := w.state.Current()
	if number != 0 {
		conv = w.state.Conversations[number]
	}
	who := conv.Owner
	if conv.Offer != nil {
		who = "offered " + strings.Join(conv.Offer.Operators, ",")
	}
	if got := strings.TrimSpace(strings.Join([]string{conv.State, conv.Department, who}, " ")); got != l.state {
		t.Fatalf("%s: %s\n now %s", l.where, l.text, got)
	}
}

// command reads the words behind a verb. k=v arguments are named, the others stand in order.
func command(t *testing.T, w *world, l line, args []string) thread.Command {
	t.Helper()
	named, plain := map[string]string{}, []string{}
	for _, a := range args {
		if k, v, ok := strings.Cut(a, "="); ok {
			named[k] = strings.Trim(v, `"`)
		} else {
			plain = append(plain, a)
		}
	}
	first := strings.Join(plain, " ")
	text := thread.Content{Kind: thread.KindText, Text: domain.Personal(first), Choice: named["choice"]}
	if named["kind"] != "" {
		text = thread.Content{Kind: thread.Kind(named["kind"]), Text: domain.Personal(first)}
	}
	list := func(s string) []string {
		if s == "" {
			return nil
		}
		return strings.Split(s, ",")
	}
	if named["kind"] != "" {
		text.Kind = thread.Kind(named["kind"])
	}
	channel := named["channel"]
	if channel == "" {
		channel = "web"
	}
	hash := named["id"]
	if hash == "" {
		hash = fmt.Sprintf("h%d", w.seq)
	}
	switch l.verb {
	case "receive":
		return thread.Receive{Channel: channel, Contact: "c1", IDHash: hash, Content: text, Ticket: 100 + int64(w.seq)}
	case "open":
		return thread.Open{Channel: channel, Contact: "c1", Department: named["department"], IDHash: hash, Content: text, Ticket: 100 + int64(w.seq)}
	case "send":
		return thread.Send{Content: text, Sender: thread.Sender(named["sender"])}
	case "take":
		return thread.Take{}
	case "assign":
		return thread.Assign{Operator: first}
	case "release":
		return thread.Release{Cause: named["cause"], Operator: named["operator"]}
	case "transfer":
		return thread.Transfer{Department: named["department"], Operator: named["operator"], Force: named["force"] == "yes"}
	case "pause":
		p := thread.Pause{Reason: domain.Personal(first)}
		if in := named["for"]; in != "" {
			d, err := time.ParseDuration(in)
			if err != nil {
				t.Fatalf("%s: %v", l.where, err)
			}
			until := w.now.Add(d)
			p.Until = &until
		}
		return p
	case "resume":
		return thread.Resume{}
	case "tag":
		return thread.Tag{Add: list(named["add"]), Remove: list(named["remove"])}
	case "note":
		return thread.Note{Text: domain.Personal(first), Mentions: list(named["mentions"])}
	case "classify":
		return thread.Classify{Classified: classified(named)}
	case "close", "endsession":
		c := thread.Close{
			NoSurvey: named["survey"] == "no",
			Reason:   thread.CloseReason(named["reason"]), Category: named["category"], Summary: domain.Personal(first),
			Tags: list(named["tags"]), Override: domain.Personal(named["override"]),
		}
		if k := classified(named); named["outcome"] != "" || named["category"] == "" && named["origin"] != "" || len(k.Fields) > 0 {
			c.Classify = &k
		}
		switch {
		case named["link"] != "":
			c.Ticket = thread.Link{Number: number(t, l, named["link"]), Ticket: number(t, l, named["link"])}
		case named["requester"] != "":
			c.Ticket = thread.OpenTicket{Requester: named["requester"]}
		}
		if l.verb == "endsession" {
			return thread.EndSession{Close: c}
		}
		return c
	case "link":
		return thread.Link{Number: number(t, l, first), Ticket: of(t, l, first, named)}
	case "propose":
		return thread.Propose{Number: number(t, l, first), Ticket: of(t, l, first, named)}
	case "openticket":
		return thread.OpenTicket{Requester: named["requester"], Subject: domain.Personal(first), Unknown: named["requester"] == "nadie"}
	case "confirm":
		return thread.Confirm{}
	case "reject":
		return thread.Reject{Reason: domain.Personal(first)}
	case "reopen":
		return thread.Reopen{}
	case "survey":
		about := w.state.Current()
		for _, a := range l.args {
			if n, ok := strings.CutPrefix(a, "#"); ok {
				about = w.state.Conversations[int(number(t, l, n))]
			}
		}
		s := thread.Survey{Scale: survey.Stars, Text: domain.Personal(first), Expires: survey.DefaultExpires, Close: about.Close, Until: w.now.Add(time.Minute)}
		if named["scale"] != "" {
			s.Scale = survey.Scale(named["scale"])
		}
		return s
	case "thank":
		return thread.Thank{Text: domain.Personal(first)}
	case "rate":
		r := thread.Rate{Survey: named["survey"]}
		if n, err := strconv.Atoi(first); err == nil {
			r.Score = n
		} else if first != "" {
			yes := first == "yes"
			r.Satisfied = &yes
		}
		return r
	case "archive":
		return thread.Archive{}
	case "unarchive":
		return thread.Unarchive{}
	case "ignore":
		return thread.Ignore{}
	case "delete":
		return thread.Hide{}
	case "read":
		return thread.MarkRead{Message: first}
	case "drain":
		return thread.Drain{}
	case "offer":
		round, _ := strconv.Atoi(named["round"])
		return thread.Offer{Operators: list(named["to"]), Department: w.state.Current().Department, Round: round, For: 30 * time.Second}
	case "withdraw":
		round, _ := strconv.Atoi(named["round"])
		return thread.Withdraw{Round: round, Cause: thread.OfferEnd(first)}
	case "accept":
		return thread.Accept{}
	case "decline":
		return thread.Decline{}
	case "alert":
		return thread.Alert{Cause: thread.AlertCause(first)}
	case "distribute":
		return thread.Distribute{
			Operator: first, Department: w.state.Current().Department, Expires: w.now.Add(10 * time.Second),
			Assignment: routing.Assignment{Rule: routing.Rule(named["rule"])},
		}
	case "converse": // the bot's turn, about the contact's k-th message of the conversation; without a number it begins
		if first == "" {
			return thread.Converse{}
		}
		return thread.Converse{Message: w.state.Current().MessageID(int(number(t, l, first)))}
	case "silence":
		return thread.FallSilent{Message: w.state.Current().MessageID(int(number(t, l, first)))}
	case "botpause":
		return thread.PauseBot{}
	case "botresume":
		return thread.ResumeBot{}
	case "erase":
		return thread.Erase{}
	case "start":
		return starting(t, w, l, first, named)
	case "step":
		run, _ := runOf(w, l.verb, args)
		return thread.Advance{Run: run.ID, Step: run.Done + 1, Text: domain.Personal(named["text"])}
	}
	t.Fatalf("%s: no command %q", l.where, l.verb)
	return nil
}

func number(t *testing.T, l line, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", l.where, err)
	}
	return n
}

// of is the ticket that a number stands for: itself, or what of= says (0: there is none).
func of(t *testing.T, l line, s string, named map[string]string) int64 {
	t.Helper()
	if named["of"] != "" {
		s = named["of"]
	}
	return number(t, l, s)
}

func classified(named map[string]string) thread.Classified {
	c := thread.Classified{Outcome: named["outcome"], Origin: named["origin"], Stage: named["stage"]}
	if named["interests"] != "" {
		c.Interests = strings.Split(named["interests"], ",")
	}
	c.Score, _ = strconv.Atoi(named["score"])
	for _, id := range []string{"motivo", "monto", "viejo", "otro"} {
		if v := named[id]; v != "" {
			if c.Fields == nil {
				c.Fields = map[string]domain.Personal{}
			}
			c.Fields[id] = domain.Personal(v)
		}
	}
	return c
}
