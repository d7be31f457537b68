package metric_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/metric"
	"github.com/turno-desk/turno/domain/presence"
	"github.com/turno-desk/turno/domain/thread"
)

// story is a log that a test tells, commit by commit, on one Monday.
type story struct {
	t       *testing.T
	commits []domain.Commit
	opened  map[string]domain.Position
}

func tell(t *testing.T) *story { return &story{t: t, opened: map[string]domain.Position{}} }

// at reads "09:30", "09:00:05", "09:00:05.250" or "tue 09:30".
func at(t testing.TB, clock string) time.Time {
	day := 7
	var name string
	if n, _ := fmt.Sscanf(clock, "tue %s", &name); n == 1 {
		day, clock = 8, name
	}
	for _, layout := range []string{"15:04:05.000", "15:04:05", "15:04"} {
		if c, err := time.Parse(layout, clock); err == nil {
			return time.Date(2026, 9, day, c.Hour(), c.Minute(), c.Second(), c.Nanosecond(), time.UTC)
		}
	}
	t.Fatalf("no time: %q", clock)
	return time.Time{}
}

var (
	contact = domain.Actor{Kind: domain.ActorContact}
	system  = domain.Actor{Kind: domain.ActorSystem}
)

func by(operator string) domain.Actor {
	return domain.Actor{Kind: domain.ActorOperator, ID: operator}
}

func (s *story) commit(clock string, a domain.Aggregate, conversation string, who domain.Actor, events ...domain.Event) {
	when := at(s.t, clock)
	c := domain.Commit{
		ID: fmt.Sprint("c", len(s.commits)+1), Aggregate: a, Position: domain.Position(len(s.commits) + 1),
		Recorded: when, Time: when, Origin: domain.OriginLive, Actor: who, Conversation: conversation, Events: events,
	}
	if conversation != "" {
		if _, ok := s.opened[conversation]; !ok {
			s.opened[conversation] = c.Position
		}
		c.Opened, c.Channel = s.opened[conversation], "web"
	}
	s.commits = append(s.commits, c)
}

// says is something that happens in the conversation t1-1.
func (s *story) says(clock string, who domain.Actor, events ...domain.Event) {
	s.in("t1-1", clock, who, events...)
}

func (s *story) in(conversation, clock string, who domain.Actor, events ...domain.Event) {
	id, _, _ := thread.SplitConversationID(conversation)
	s.commit(clock, domain.Aggregate{Workspace: "default", Category: domain.CategoryThread, ID: id}, conversation, who, events...)
}

func (s *story) presence(clock, operator string, e domain.Event) {
	s.commit(clock, domain.Aggregate{Workspace: "default", Category: domain.CategoryPresence, ID: operator}, "", by(operator), e)
}

// there connects an operator who takes new conversations.
func (s *story) there(clock string, operators ...string) {
	for _, o := range operators {
		s.presence(clock, o, presence.Connected{Status: presence.Status{Operator: o, Connected: true, Available: true}})
	}
}

func (s *story) gone(clock, operator string) {
	s.presence(clock, operator, presence.Disconnected{Status: presence.Status{Operator: operator, Available: true}, Cause: "lost"})
}

func opens(department string) []domain.Event {
	return []domain.Event{
		thread.Opened{Number: 1, Ticket: 1, Direction: thread.Inbound, Channel: "web", Department: department},
		thread.Queued{Department: department, List: thread.StateWaiting, Cause: "opened"},
		thread.MessageReceived{},
	}
}

func takes(operator string) domain.Event {
	return thread.Taken{Operator: operator, Department: "soporte", How: thread.TakenByHand}
}

func writes() domain.Event { return thread.MessageSent{Sender: thread.SenderHuman} }

func closes(owner string) domain.Event {
	return thread.Closed{Reason: thread.ClosedResolved, Owner: owner, Department: "soporte"}
}

// asked is a number over the whole Monday, or over [from, to).
type asked struct {
	metric     string
	operator   string
	department string
	detail     string
	from, to   string
	actors     string
	version    int // 0: the newest
}

func (s *story) number(q asked) metric.Pair {
	s.t.Helper()
	return s.numberOf(metric.Recount("default", s.commits), q)
}

func (s *story) numberOf(b *metric.Book, q asked) metric.Pair {
	s.t.Helper()
	d, ok := metric.Find(q.metric, q.version)
	if !ok {
		s.t.Fatalf("no metric %s", q.metric)
	}
	from, to := at(s.t, "00:00"), at(s.t, "tue 00:00")
	if q.from != "" {
		from = at(s.t, q.from)
	}
	if q.to != "" {
		to = at(s.t, q.to)
	}
	table := b.Tabulate(metric.Question{Definition: d, Bounds: []int64{from.UnixMilli(), to.UnixMilli()}},
		q.actors != "machine", q.actors != "", func(x *metric.Sample) bool {
			return (q.operator == "" || x.Operator == q.operator) && (q.department == "" || x.Department == q.department) &&
				(q.detail == "" || x.Detail == q.detail)
		})
	return table.Total.Total
}

// counts says how many there are.
func (s *story) counts(q asked, want int) {
	s.t.Helper()
	if got := s.number(q).With; got.N != want {
		s.t.Errorf("%+v: n = %d, want %d", q, got.N, want)
	}
}

// lasts says how many there are and how long in all, with and without pauses, in seconds.
func (s *story) lasts(q asked, n int, sum, without float64) {
	s.t.Helper()
	got := s.number(q)
	if got.With.N != n || got.Without.N != n {
		s.t.Errorf("%+v: n = %d, without pauses %d, want %d", q, got.With.N, got.Without.N, n)
	}
	if n == 0 {
		if got.With.Sum != nil || got.With.Mean != nil || got.With.P50 != nil {
			s.t.Errorf("%+v: no sample, and yet a number: %+v", q, got.With)
		}
		return
	}
	if got.With.Sum == nil || *got.With.Sum != sum {
		s.t.Errorf("%+v: sum = %v, want %v", q, show(got.With.Sum), sum)
	}
	if got.Without.Sum == nil || *got.Without.Sum != without {
		s.t.Errorf("%+v: sum without pauses = %v, want %v", q, show(got.Without.Sum), without)
	}
}

func (s *story) mean(q asked, want float64) {
	s.t.Helper()
	if got := s.number(q).With.Mean; got == nil || *got != want {
		s.t.Errorf("%+v: mean = %v, want %v", q, show(got), want)
	}
}

func show(x *float64) any {
	if x == nil {
		return nil
	}
	return *x
}
