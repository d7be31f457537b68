package stats

import (
	"fmt"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/metric/metrictest"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/presence"
	"github.com/turno-desk/turno/domain/thread"
)

// lines is a log that a test writes line by line.
type lines struct {
	commits []domain.Commit
	opened  map[string]domain.Position
}

func (l *lines) open(conversation, clock, department, list string) {
	if l.opened == nil {
		l.opened = map[string]domain.Position{}
	}
	l.opened[conversation] = domain.Position(len(l.commits) + 1)
	l.say(conversation, clock, "", thread.Opened{Number: 1, Direction: thread.Inbound, Channel: "web", Department: department},
		thread.Queued{Department: department, List: list, Cause: "opened"}, thread.MessageReceived{})
}

// say is something that an operator does, or the contact when there is none.
func (l *lines) say(conversation, clock, who string, events ...domain.Event) {
	id, _, _ := thread.SplitConversationID(conversation)
	actor := domain.Actor{Kind: domain.ActorContact}
	if who != "" {
		actor = domain.Actor{Kind: domain.ActorOperator, ID: who}
	}
	l.add(clock, domain.Commit{
		Aggregate:    domain.Aggregate{Workspace: metrictest.Workspace, Category: domain.CategoryThread, ID: id},
		Conversation: conversation, Opened: l.opened[conversation], Channel: "web", Actor: actor, Events: events,
	})
}

func (l *lines) add(clock string, c domain.Commit) {
	day, err := time.Parse("15:04", clock)
	if err != nil {
		panic(err)
	}
	c.Time = metrictest.WorkedDay.Add(time.Duration(day.Hour())*time.Hour + time.Duration(day.Minute())*time.Minute)
	c.Recorded, c.Position = c.Time, domain.Position(len(l.commits)+1)
	c.ID = fmt.Sprint("l", c.Position)
	l.commits = append(l.commits, c)
}

// membersAndPresence: ana answers in both departments and beto in ventas, both are there for an hour; then ana leaves ventas.
func membersAndPresence() []domain.Commit {
	var l lines
	member := func(clock, who string, e domain.Event) {
		l.add(clock, domain.Commit{Aggregate: domain.Aggregate{Workspace: metrictest.Workspace, Category: domain.CategoryOperator, ID: who}, Events: []domain.Event{e}})
	}
	there := func(clock, who string, e domain.Event) {
		l.add(clock, domain.Commit{Aggregate: domain.Aggregate{Workspace: metrictest.Workspace, Category: domain.CategoryPresence, ID: who}, Events: []domain.Event{e}})
	}
	member("08:00", "ana", operator.Registered{Definition: operator.Definition{ID: "ana", Departments: []string{"soporte", "ventas"}}})
	member("08:00", "beto", operator.Registered{Definition: operator.Definition{ID: "beto", Departments: []string{"ventas"}}})
	for _, who := range []string{"ana", "beto"} {
		there("09:00", who, presence.Connected{Status: presence.Status{Operator: who, Connected: true}})
	}
	for _, who := range []string{"ana", "beto"} {
		there("10:00", who, presence.Disconnected{Status: presence.Status{Operator: who}, Cause: "left"})
	}
	member("11:00", "ana", operator.Changed{Definition: operator.Definition{ID: "ana", Departments: []string{"soporte"}}})
	return l.commits
}
