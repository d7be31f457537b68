package viewtest

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/presence"
	"github.com/turno-desk/turno/domain/routing"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
)

// Desk is a service desk whose commands the domain decides and whose events go to a Log. ana and beto answer in soporte,
// carla in ventas, dora in both; sara supervises soporte; adela administers; otto audits.
type Desk struct {
	Log       *Log
	Workspace string
	Image     *setting.Image
	Now       time.Time

	Erases bool // whether Random erases threads too

	threads map[string]*thread.State
	tickets int64
	erased  int
	rand    *rand.Rand
}

// NewDesk opens a desk on the log. seed is for Random.
func NewDesk(log *Log, seed uint64) *Desk {
	d := &Desk{
		Log: log, Workspace: "default", Now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC),
		threads: map[string]*thread.State{}, tickets: 1000, rand: rand.New(rand.NewPCG(seed, seed)),
	}
	d.Image = &setting.Image{
		Workspace: d.Workspace, Operators: map[string]operator.Definition{}, Presence: map[string]presence.Status{},
		Departments: map[string]department.Definition{
			"soporte": {ID: "soporte", Name: "Soporte"},
			"ventas":  {ID: "ventas", Name: "Ventas", Settings: department.Settings{ReopenWithin: 3600, KeepOnClose: true}},
		},
		Channels: map[string]setting.Channel{
			"web":    {ID: "web", Type: "generic", Department: "soporte"},
			"tienda": {ID: "tienda", Type: "generic", Department: "ventas"},
		},
	}
	for _, o := range []operator.Definition{
		{ID: "ana", Role: operator.RoleOperator, Departments: []string{"soporte"}},
		{ID: "beto", Role: operator.RoleOperator, Departments: []string{"soporte"}},
		{ID: "carla", Role: operator.RoleOperator, Departments: []string{"ventas"}},
		{ID: "dora", Role: operator.RoleOperator, Departments: []string{"soporte", "ventas"}},
		{ID: "sara", Role: operator.RoleSupervisor, Departments: []string{"soporte"}},
		{ID: "adela", Role: operator.RoleAdmin},
		{ID: "otto", Role: operator.RoleAuditor},
	} {
		o.Active, o.Name = true, domain.Personal("Sra. "+o.ID)
		d.Image.Operators[o.ID] = o
		d.Image.Presence[o.ID] = presence.Status{Operator: o.ID, Connected: true, Available: true}
	}
	return d
}

// Thread is the state of a thread.
func (d *Desk) Thread(id string) *thread.State {
	s := d.threads[id]
	if s == nil {
		s = &thread.State{ID: id}
		d.threads[id] = s
	}
	return s
}

// Actor reads "contact", "system", "admin", or the id of an operator.
func (d *Desk) Actor(name string) domain.Actor {
	if _, ok := d.Image.Operators[name]; ok {
		return domain.Actor{Kind: domain.ActorOperator, ID: name}
	}
	return domain.Actor{Kind: domain.ActorKind(name)}
}

// Receive is the command by which the contact of the thread writes.
func (d *Desk) Receive(threadID, channel string, text domain.Personal) thread.Receive {
	d.tickets++
	return thread.Receive{
		Channel: channel, Identity: "i" + threadID[1:], Contact: contact.ID(threadID), Name: domain.Personal("Sr. " + threadID),
		Address: domain.Personal("+54 " + threadID), IDHash: fmt.Sprintf("h%d", d.tickets), Ticket: d.tickets,
		Content: thread.Content{Kind: thread.KindText, Text: text},
	}
}

// Do lets the domain decide the command on the thread's n-th conversation (0: the newest one) and appends what comes of it.
// ok is false when it was refused or nothing had to be done.
func (d *Desk) Do(actor, threadID string, n int, cmd thread.Command) (c domain.Commit, ok bool) {
	s := d.Thread(threadID)
	if n == 0 {
		n = s.Latest
	}
	conv := s.Conversations[n]
	f := thread.Facts{Image: d.Image, Actor: d.Actor(actor), Thread: threadID, Now: d.Now}
	events, refusal := thread.Decide(s, conv, cmd, f)
	if refusal != nil || len(events) == 0 {
		return domain.Commit{}, false
	}
	return d.append(s, conv, f.Actor, events), true
}

func (d *Desk) append(s *thread.State, conv *thread.Conversation, actor domain.Actor, events []thread.Event) domain.Commit {
	c := domain.Commit{
		ID: fmt.Sprintf("%s-%d", s.ID, s.Position+1), Aggregate: domain.Aggregate{Workspace: d.Workspace, Category: domain.CategoryThread, ID: s.ID},
		Recorded: d.Now, Time: d.Now, Origin: domain.OriginLive, Actor: actor, Key: "k" + s.ID[1:], Contact: s.Contact, Channel: s.Channel,
	}
	opens := false
	for _, e := range events {
		c.Events = append(c.Events, e)
		switch e := e.(type) {
		case thread.Opened:
			opens, conv = true, nil
			c.Conversation, c.Ticket, c.Contact, c.Channel = thread.ConversationID(s.ID, e.Number), e.Ticket, e.Contact, e.Channel
		case thread.MessageReceived:
			if conv == nil && !opens {
				conv = s.Current()
			}
		case thread.Reopened:
			if conv == nil {
				conv = s.Current()
			}
		}
	}
	if conv != nil {
		c.Conversation, c.Ticket, c.Before = conv.ID, conv.Ticket, conv.Sight()
	}
	c.After = thread.SightAfter(conv, &c)
	c = d.Log.Append(c, opens)
	s.Apply(&c)
	return c
}

// Settings appends a commit on any other aggregate.
func (d *Desk) Settings(category domain.Category, id, actor string, events ...domain.Event) domain.Commit {
	head := len(d.Log.Commits())
	return d.Log.Append(domain.Commit{
		ID: fmt.Sprintf("%s-%s-%d", category, id, head+1), Aggregate: domain.Aggregate{Workspace: d.Workspace, Category: category, ID: id},
		Recorded: d.Now, Time: d.Now, Origin: domain.OriginLive, Actor: d.Actor(actor), Events: events,
	}, false)
}

// Dialogues appends n conversations, open of them at a time, as service desks have them: a first message, a reply that takes
// it, twenty messages back and forth, and a close with a tag and a rating.
func (d *Desk) Dialogues(n, open int) {
	const turns = 22
	texts := []domain.Personal{"Hola, no me anda internet desde ayer a la noche.", "¿Ya probó apagar y prender el equipo?", "Sí, tres veces, y nada."}
	for first := 0; first < n; first += open {
		last := min(first+open, n)
		for turn := range turns {
			for i := first; i < last; i++ {
				d.Now = d.Now.Add(40 * time.Millisecond)
				id, text := fmt.Sprintf("t%025d", i), texts[(i+turn)%len(texts)]
				actor := []string{"ana", "beto", "dora"}[i%3]
				switch {
				case turn == turns-2:
					d.Do(actor, id, 0, thread.Close{Tags: []string{"soporte"}})
				case turn == turns-1:
					d.Do("contact", id, 0, thread.Rate{Score: 1 + i%5})
				case turn%2 == 0:
					d.Do("contact", id, 0, d.Receive(id, "web", text))
				default:
					d.Do(actor, id, 0, thread.Send{Content: thread.Content{Kind: thread.KindText, Text: text}})
				}
			}
		}
	}
}

// Random appends n commits of a random service over as many threads, 1 ms to 20 s after each other.
func (d *Desk) Random(n, threads int) {
	for n > 0 {
		d.Now = d.Now.Add(time.Duration(1+d.rand.IntN(20_000)) * time.Millisecond)
		id := fmt.Sprintf("t%020d%05d", d.rand.IntN(threads), d.erased)
		actor, cmd := d.any(id)
		if _, ok := d.Do(actor, id, 0, cmd); ok {
			n--
		}
		if d.Thread(id).Erased {
			d.erased++ // what comes now is of other threads
		}
	}
}

func (d *Desk) any(id string) (actor string, cmd thread.Command) {
	pick := func(all ...string) string { return all[d.rand.IntN(len(all))] }
	actor = pick("ana", "beto", "carla", "dora", "sara", "adela")
	if conv := d.Thread(id).Current(); conv != nil && conv.Owner != "" && d.rand.IntN(3) > 0 {
		actor = conv.Owner
	}
	text := thread.Content{Kind: thread.KindText, Text: domain.Personal(pick("hola", "gracias", "¿sigue ahí?", "un momento"))}
	if conv := d.Thread(id).Current(); conv != nil && conv.PausedTill != nil && len(conv.Alerts) == 0 && d.Now.After(*conv.PausedTill) {
		return "system", thread.Alert{Cause: thread.AlertPauseOver}
	}
	switch d.rand.IntN(28) {
	default:
		return "contact", d.Receive(id, pick("web", "tienda"), text.Text)
	case 0, 1, 2, 3, 4, 5, 6:
		return actor, thread.Send{Content: text}
	case 7, 8:
		return actor, thread.Take{}
	case 9:
		return actor, thread.Assign{Operator: pick("ana", "beto", "carla", "dora")}
	case 10:
		return actor, thread.Release{}
	case 11:
		return actor, thread.Transfer{Department: pick("soporte", "ventas"), Operator: pick("", "", "dora"), Reason: "saber"}
	case 12:
		until := d.Now.Add(time.Duration(1+d.rand.IntN(120)) * time.Second)
		return actor, thread.Pause{Until: &until}
	case 13:
		return actor, thread.Tag{Add: []string{pick("vip", "queja", "alta")}, Remove: []string{pick("vip", "queja")}}
	case 14:
		return actor, thread.Note{Text: "mirar", Mentions: []string{pick("ana", "beto", "carla")}}
	case 15:
		return actor, thread.Close{}
	case 16:
		return actor, thread.Reopen{}
	case 17:
		return actor, thread.Archive{}
	case 18:
		cmd := thread.MarkRead{}
		if conv := d.Thread(id).Current(); conv != nil && len(conv.Unread) > 0 && d.rand.IntN(2) == 0 {
			cmd.Message = conv.MessageID(conv.Unread[d.rand.IntN(len(conv.Unread))])
		}
		return actor, cmd
	case 24, 25:
		conv := d.Thread(id).Current()
		if conv == nil {
			return "system", thread.Drain{}
		}
		var asked []routing.Candidate
		for _, op := range d.Image.MembersOf(conv.Department) {
			if !conv.Offer.To(op.ID) {
				asked = append(asked, routing.Candidate{Operator: op.ID, Load: d.rand.IntN(3)})
			}
		}
		return "system", thread.Offer{
			Operators: routing.Next(1+d.rand.IntN(2), asked), Department: conv.Department, Round: conv.Rounds + 1, For: 30 * time.Second,
			Assignment: routing.Explained(routing.LongestIdle, domain.Position(len(d.Log.Commits())), conv.Opened, asked),
		}
	case 26:
		if conv := d.Thread(id).Current(); conv != nil && conv.Offer != nil && len(conv.Offer.Operators) > 0 {
			return conv.Offer.Operators[d.rand.IntN(len(conv.Offer.Operators))], []thread.Command{thread.Decline{}, thread.Accept{}}[d.rand.IntN(2)]
		}
		return actor, thread.Accept{}
	case 27:
		if conv := d.Thread(id).Current(); conv != nil {
			return "system", thread.Withdraw{Round: conv.Rounds, Cause: thread.OfferExhausted}
		}
		return "system", thread.Drain{}
	case 19:
		if d.Erases && d.rand.IntN(8) == 0 {
			return "adela", thread.Erase{}
		}
		return "adela", thread.Rate{Score: 1 + d.rand.IntN(5)}
	}
}
