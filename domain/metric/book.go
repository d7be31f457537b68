package metric

import (
	"slices"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

// Counted is a sample with the event from which on another one takes its place.
type Counted struct {
	Sample
	Until Ref // 0: it stands
}

// Stands reports whether the sample counts as of a position.
func (c *Counted) Stands(p domain.Position) bool {
	return c.Ref.Position() <= p && (c.Until == 0 || c.Until.Position() > p)
}

// Book is a recount: it holds every sample of one workspace, in memory. The zero value is not ready; use NewBook.
type Book struct {
	Samples  []Counted // in the order of the events
	Position domain.Position
	Now      int64 // the largest `recorded` so far

	workspace     string
	conversations map[string]*Conversation
	order         []*Conversation
	operators     map[string]*Presence
	staff         []*Presence
	at            map[Key]int
}

// NewBook is an empty book of one workspace.
func NewBook(workspace string) *Book {
	return &Book{
		workspace: workspace, conversations: map[string]*Conversation{}, operators: map[string]*Presence{}, at: map[Key]int{},
	}
}

// Recount folds a whole log, or the part of it up to where the commits end.
func Recount(workspace string, commits []domain.Commit) *Book {
	b := NewBook(workspace)
	for i := range commits {
		b.Apply(&commits[i])
	}
	return b
}

// Apply folds the next commit of the log; those of other workspaces only move the position.
func (b *Book) Apply(c *domain.Commit) {
	b.Position, b.Now = c.Position, max(b.Now, c.Recorded.UnixMilli())
	if c.Aggregate.Workspace != b.workspace {
		return
	}
	switch c.Aggregate.Category {
	case domain.CategoryThread:
		if c.Conversation == "" {
			return
		}
		v := b.conversations[c.Conversation]
		if v == nil {
			v = &Conversation{}
			b.conversations[c.Conversation] = v
			b.order = append(b.order, v)
		}
		v.Apply(c, b.Gone, (*bookSink)(b))
	case domain.CategoryPresence:
		p := b.operators[c.Aggregate.ID]
		if p == nil {
			p = &Presence{}
			b.operators[c.Aggregate.ID] = p
			b.staff = append(b.staff, p)
		}
		p.Apply(c, (*bookSink)(b))
	}
}

// Gone is how long the operator had been disconnected after having been there, up to t.
func (b *Book) Gone(operator string, t int64) int64 {
	if p := b.operators[operator]; p != nil {
		return p.Gone(t)
	}
	return 0
}

// Open is the spans that are still running, cut at Now: of conversations (queue entries as Wait), then of presence.
func (b *Book) Open() []Sample {
	var spans []Sample
	for _, v := range b.order {
		if s, ok := v.Running(b.Now); ok {
			spans = append(spans, s)
		}
	}
	for _, p := range b.staff {
		if s, ok := p.Running(b.Now); ok {
			spans = append(spans, s)
		}
	}
	return spans
}

// Tabulate answers a question from the book as it stands. keep, when not nil, is what the samples are filtered by; people and
// machines say whose deeds count.
func (b *Book) Tabulate(q Question, people, machines bool, keep func(*Sample) bool) Table {
	t := NewTabulator(q)
	add := func(x Sample) {
		s := &x
		q.Credit(s)
		if slices.Contains(q.Kinds(), s.Kind) && q.Ripe(s, b.Now) && q.Keeps(s, people, machines) && (keep == nil || q.Follows(s.Kind) || keep(s)) {
			t.Add(s)
		}
	}
	for i := range b.Samples {
		if b.Samples[i].Until == 0 {
			add(b.Samples[i].Sample)
		}
	}
	if q.Spans() {
		open := b.Open()
		for i := range open {
			add(open[i])
		}
	}
	return t.Table()
}

type bookSink Book

func (b *bookSink) Add(s *Sample) {
	b.at[s.Key()] = len(b.Samples)
	b.Samples = append(b.Samples, Counted{Sample: *s})
}

func (b *bookSink) End(k Key, by Ref) {
	if i, ok := b.at[k]; ok {
		b.Samples[i].Until = by
	}
}

// Running is the span that the conversation is in, cut at now; false when it is closed. A queue entry is a Wait from its
// beginning, however many lists it went through.
func (v *Conversation) Running(now int64) (Sample, bool) {
	s := Sample{
		Start: v.Since.Ref, From: v.Since.At, Opened: v.Episode.At,
		Conversation: v.ID, Ticket: v.Ticket, Channel: v.Channel, Operator: v.Owner, Department: v.Department,
	}
	switch {
	case !v.open():
		return Sample{}, false
	case queues(v.State):
		s.Kind, s.Start, s.From = Wait, v.Entry.Ref, v.Entry.At
	case v.State == thread.StatePaused:
		s.Kind = Pause
	case v.State == thread.StateBot:
		s.Kind = Bot
	default:
		s.Kind = Attending
	}
	s.Detail = v.State
	s.At = max(s.From, now)
	s.Value = s.At - s.From
	s.Net = s.Value
	return s, true
}

// Running is the stretch of presence that goes on, cut at now; false while disconnected.
func (p *Presence) Running(now int64) (Sample, bool) {
	if p.State == "" {
		return Sample{}, false
	}
	k := Available
	if p.State == StateAway {
		k = Away
	}
	at := max(p.Since.At, now)
	return Sample{
		Kind: k, Start: p.Since.Ref, From: p.Since.At, At: at, Opened: p.Since.At,
		Value: at - p.Since.At, Net: at - p.Since.At, Operator: p.Operator,
	}, true
}
