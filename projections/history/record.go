package history

import (
	"slices"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

// forever is the to_position of what holds now.
const forever = domain.Position(1<<63 - 1)

// record is a conversation as it is at one position: what its events say, folded.
type record struct {
	opened           domain.Position
	workspace        string
	thread           string
	number           int
	ticket           int64
	contact          string
	channel          string
	direction        thread.Direction
	openedDepartment string
	openedAt         int64

	revision    domain.Position
	sight       domain.Sight
	sightFrom   domain.Position
	sightClosed int64 // closedAt when the sight began: only a change of state changes it
	closedAt    int64
	category    string
	facts       facts
	personal    personal
}

// facts are what else is clear about a conversation. Spans are milliseconds, of the latest episode.
type facts struct {
	Operators  []string `json:"operators,omitempty"`
	Tags       []string `json:"tags,omitempty"`
	Reason     string   `json:"reason,omitempty"`
	Closer     string   `json:"closer,omitempty"`
	Incomplete []string `json:"incomplete,omitempty"`

	Outcome   string   `json:"outcome,omitempty"`
	Interests []string `json:"interests,omitempty"`
	Origin    string   `json:"origin,omitempty"`
	Stage     string   `json:"stage,omitempty"`
	Score     int      `json:"score,omitempty"`

	OfferedTo    []string  `json:"offered_to,omitempty"` // while it is offered; those who declined left out
	OfferedUntil int64     `json:"offered_until,omitempty"`
	Alerts       []alerted `json:"alerts,omitempty"` // that stand

	Linked    int64  `json:"linked,omitempty"`   // the ticket that it was put into
	Proposed  int64  `json:"proposed,omitempty"` // by the contact, and not judged yet
	Requester string `json:"requester,omitempty"`

	RatedAt   int64  `json:"rated_at,omitempty"`
	Rated     int    `json:"rated,omitempty"`
	Satisfied *bool  `json:"satisfied,omitempty"`
	Credited  string `json:"credited,omitempty"`

	In        int `json:"in,omitempty"`
	Out       int `json:"out,omitempty"`
	Machine   int `json:"machine,omitempty"`
	Notes     int `json:"notes,omitempty"`
	Transfers int `json:"transfers,omitempty"`

	Episodes      int    `json:"episodes"`
	EpisodeAt     int64  `json:"episode_at"`
	FirstInbound  int64  `json:"first_inbound,omitempty"`
	Answered      bool   `json:"answered,omitempty"` // a public human message was sent in this episode
	FirstResponse *int64 `json:"first_response,omitempty"`
	PausedAt      int64  `json:"paused_at,omitempty"`
	Paused        int64  `json:"paused,omitempty"`
	Resolution    *int64 `json:"resolution,omitempty"`
}

// alerted is an alert of an event.
type alerted struct {
	Cause    thread.AlertCause `json:"cause"`
	Operator string            `json:"operator,omitempty"`
	Role     string            `json:"role,omitempty"`
	At       int64             `json:"at"`
}

// moved forgets what holds only until a conversation moves.
func (f *facts) moved() { f.OfferedTo, f.OfferedUntil, f.Alerts = nil, 0, nil }

// personal is what an erasure blanks.
type personal struct {
	Name       domain.Personal            `json:"name,omitempty"`
	Address    domain.Personal            `json:"address,omitempty"`
	ExternalID domain.Personal            `json:"external_id,omitempty"`
	Summary    domain.Personal            `json:"summary,omitempty"`
	Comment    domain.Personal            `json:"comment,omitempty"`
	Fields     map[string]domain.Personal `json:"fields,omitempty"`
	Rating     domain.Personal            `json:"rating,omitempty"`
	Subject    domain.Personal            `json:"subject,omitempty"`
}

// open makes the record of a conversation that begins.
func open(workspace, threadID string, at domain.Position, when int64, e thread.Opened) *record {
	return &record{
		opened: at, workspace: workspace, thread: threadID, number: e.Number, ticket: e.Ticket, contact: e.Contact,
		channel: e.Channel, direction: e.Direction, openedDepartment: e.Department, openedAt: when,
		facts:    facts{Episodes: 1, EpisodeAt: when},
		personal: personal{Name: e.Name, Address: e.Address, ExternalID: e.ExternalID},
	}
}

// fold brings the record past one more of its events. What the access rule needs to know is not folded: commits carry it.
func (r *record) fold(event thread.Event, actor string, when int64) {
	f := &r.facts
	switch e := event.(type) {
	case thread.MessageReceived:
		f.In++
		if f.FirstInbound == 0 {
			f.FirstInbound = when
		}
	case thread.MessageSent:
		r.sent(e.Sender, when)
	case thread.Queued:
		r.resume(when)
		f.moved()
	case thread.Taken:
		r.resume(when)
		f.moved()
		if !slices.Contains(f.Operators, e.Operator) {
			f.Operators = append(f.Operators, e.Operator)
		}
	case thread.Offered:
		f.OfferedTo, f.OfferedUntil = e.Operators, millis(e.Until)
	case thread.OfferDeclined:
		f.OfferedTo = slices.DeleteFunc(slices.Clone(f.OfferedTo), func(id string) bool { return id == e.Operator })
	case thread.OfferEnded:
		f.OfferedTo, f.OfferedUntil = nil, 0
	case thread.Alerted:
		f.Alerts = append(slices.Clip(f.Alerts), alerted{e.Cause, e.Operator, e.Role, when})
	case thread.Transferred:
		f.Transfers++
	case thread.Paused:
		f.moved()
		if f.PausedAt == 0 {
			f.PausedAt = when
		}
	case thread.Resumed:
		r.resume(when)
		f.moved()
	case thread.Tagged:
		f.Tags = union(f.Tags, e.Tags)
	case thread.Untagged:
		f.Tags = slices.DeleteFunc(slices.Clone(f.Tags), func(t string) bool { return slices.Contains(e.Tags, t) })
	case thread.Noted:
		f.Notes++
	case thread.Classified:
		r.classify(e)
	case thread.TicketLinked:
		f.Linked, f.Proposed = e.Ticket, unless(f.Proposed, e.Ticket)
		if e.How == thread.LinkedNew {
			f.Requester, r.personal.Subject = e.Requester, e.Subject
		}
	case thread.TicketLinkProposed:
		f.Proposed = e.Ticket
	case thread.TicketLinkRejected:
		f.Proposed = 0
	case thread.Closed:
		r.close(e, actor, when)
	case thread.Reopened:
		r.reopen(when)
	case thread.Rated:
		f.RatedAt, f.Rated, f.Satisfied, f.Credited = when, e.Score, e.Satisfied, e.CreditOperator
		r.personal.Rating = e.Comment
	case thread.Opened, thread.Released, thread.Mentioned, thread.SurveySent, thread.Archived, thread.Unarchived, thread.Hidden, thread.Read, thread.NetworkSeen, thread.Erased,
		thread.MenuShown, thread.MenuAnswered, thread.BotPaused, thread.BotResumed:
		// They change nothing that is kept here: a sight, or nothing at all.
	}
}

// unless is n, or 0 where it is what it must not be.
func unless(n, not int64) int64 {
	if n == not {
		return 0
	}
	return n
}

// sent counts a message of ours. The first of a person in an episode answers its first message of the contact; when ours
// was first, or the conversation was begun by us, there is no first response.
func (r *record) sent(s thread.Sender, when int64) {
	f := &r.facts
	if s == thread.SenderMachine {
		f.Machine++
		return
	}
	f.Out++
	if !f.Answered && f.FirstInbound != 0 && (r.direction == thread.Inbound || f.Episodes > 1) {
		took := when - f.FirstInbound
		f.FirstResponse = &took
	}
	f.Answered = true
}

// resume ends a pause, if there is one.
func (r *record) resume(when int64) {
	if r.facts.PausedAt != 0 {
		r.facts.Paused += when - r.facts.PausedAt
		r.facts.PausedAt = 0
	}
}

func (r *record) classify(e thread.Classified) {
	f := &r.facts
	if e.Outcome != "" {
		f.Outcome = e.Outcome
	}
	if e.Interests != nil {
		f.Interests = e.Interests
	}
	if e.Origin != "" {
		f.Origin = e.Origin
	}
	if e.Stage != "" {
		f.Stage = e.Stage
	}
	if e.Score != 0 {
		f.Score = e.Score
	}
	if len(e.Fields) == 0 {
		return
	}
	fields := make(map[string]domain.Personal, len(r.personal.Fields)+len(e.Fields))
	for id, v := range r.personal.Fields {
		fields[id] = v
	}
	for id, v := range e.Fields {
		fields[id] = v
	}
	r.personal.Fields = fields
}

func (r *record) close(e thread.Closed, actor string, when int64) {
	r.resume(when)
	r.facts.moved()
	took := when - r.facts.EpisodeAt
	r.facts.Resolution = &took
	r.facts.Reason, r.facts.Closer, r.facts.Incomplete = string(e.Reason), actor, e.Incomplete
	r.closedAt, r.category = when, e.Category
	r.personal.Summary, r.personal.Comment = e.Summary, e.Comment
}

// reopen begins a new episode. What was said of the last close is in the timeline only.
func (r *record) reopen(when int64) {
	f := &r.facts
	f.Episodes++
	f.EpisodeAt, f.FirstInbound, f.Answered, f.FirstResponse = when, 0, false, nil
	f.PausedAt, f.Paused, f.Resolution = 0, 0, nil
	f.Reason, f.Closer, f.Incomplete = "", "", nil
	r.closedAt, r.category = 0, ""
	r.personal.Summary, r.personal.Comment = "", ""
}

// id is the conversation's.
func (r *record) id() string { return thread.ConversationID(r.thread, r.number) }

// union is a and b without repeats, sorted; neither is changed.
func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

func millis(t time.Time) int64 { return t.UnixMilli() }
