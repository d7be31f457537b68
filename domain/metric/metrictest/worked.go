package metrictest

import (
	"fmt"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/presence"
	"github.com/turno-desk/turno/domain/survey"
	"github.com/turno-desk/turno/domain/thread"
)

// WorkedDay is the Monday of the worked conversation, UTC.
var WorkedDay = time.Date(2026, 9, 7, 0, 0, 0, 0, time.UTC)

// Worked is the conversation that the definitions of the metrics work out by hand: received in Soporte, answered and paused
// by Ana, transferred to Ventas, answered and closed by Beto, rated 4. Both operators are available from 09:00 on.
func Worked() []domain.Commit {
	w := &worked{opened: 3}
	for _, o := range []string{"ana", "beto"} {
		w.at("09:00:00", by(o), domain.Aggregate{Workspace: Workspace, Category: domain.CategoryPresence, ID: o}, "",
			presence.Connected{Status: presence.Status{Operator: o, Connected: true, Available: true}})
	}
	ana, beto := by("ana"), by("beto")
	w.says("09:00:00", customer,
		thread.Opened{Number: 1, Ticket: 57, Direction: thread.Inbound, Channel: "web", Department: "soporte", Contact: "ct1", Name: "Carla"},
		thread.Queued{Department: "soporte", List: thread.StateWaiting, Cause: "opened"},
		thread.MessageReceived{Message: "t1-1-m1", Content: words("Hola, no me anda internet."), IDHash: "h1"})
	w.says("09:00:05", machine, thread.MessageSent{Message: "t1-1-m2", Content: words("Ya le respondemos."), Sender: thread.SenderMachine})
	w.says("09:04:00", ana, thread.Taken{Operator: "ana", Department: "soporte", How: thread.TakenByHand})
	w.says("09:05:00", ana, thread.MessageSent{Message: "t1-1-m3", Content: words("¿Qué luces ve?"), Sender: thread.SenderHuman})
	w.says("09:10:00", customer, thread.MessageReceived{Message: "t1-1-m4", Content: words("Una roja."), IDHash: "h4"})
	w.says("09:12:00", ana, thread.Paused{Operator: "ana"})
	w.says("09:20:00", customer, thread.MessageReceived{Message: "t1-1-m5", Content: words("¿Sigue ahí?"), IDHash: "h5"})
	w.says("09:30:00", ana, thread.Resumed{Operator: "ana", Cause: "reply"},
		thread.MessageSent{Message: "t1-1-m6", Content: words("Hay que cambiar el equipo."), Sender: thread.SenderHuman})
	w.says("09:35:00", ana, thread.Transferred{FromDepartment: "soporte", FromOperator: "ana", Department: "ventas"},
		thread.Queued{Department: "ventas", List: thread.StateWaiting, Cause: "transferred"})
	w.says("09:41:00", beto, thread.Taken{Operator: "beto", Department: "ventas", How: thread.TakenByHand})
	w.says("09:43:00", beto, thread.MessageSent{Message: "t1-1-m7", Content: words("Le ofrezco dos modelos."), Sender: thread.SenderHuman})
	w.says("09:50:00", customer, thread.MessageReceived{Message: "t1-1-m8", Content: words("El primero."), IDHash: "h8"})
	w.says("09:52:00", beto, thread.MessageSent{Message: "t1-1-m9", Content: words("Va mañana."), Sender: thread.SenderHuman})
	w.says("10:00:00", beto, thread.Closed{Reason: thread.ClosedResolved, Owner: "beto", Department: "ventas"}, thread.Archived{Cause: "close"})
	w.says("10:00:00", machine,
		thread.SurveySent{Survey: "t1-1-s1", Message: "t1-1-m10", Scale: survey.Stars, Expires: WorkedDay.Add(34 * time.Hour), CreditOperator: "beto", CreditDepartment: "ventas"},
		thread.MessageSent{Message: "t1-1-m10", Content: words("¿Cómo le fue, del 1 al 5?"), Sender: thread.SenderMachine})
	w.says("10:07:00", customer, thread.Rated{
		Score: 4, CreditOperator: "beto", CreditDepartment: "ventas", Participants: []string{"ana", "beto"}, Closer: "operator:beto",
		Survey: "t1-1-s1", Way: thread.RatedByLink,
	})
	return w.commits
}

func words(s domain.Personal) thread.Content {
	return thread.Content{Kind: thread.KindText, Text: s}
}

type worked struct {
	opened  domain.Position
	commits []domain.Commit
}

func (w *worked) says(clock string, who domain.Actor, events ...domain.Event) {
	w.at(clock, who, domain.Aggregate{Workspace: Workspace, Category: domain.CategoryThread, ID: "t1"}, "t1-1", events...)
}

func (w *worked) at(clock string, who domain.Actor, a domain.Aggregate, conversation string, events ...domain.Event) {
	var h, m, s int
	fmt.Sscanf(clock, "%d:%d:%d", &h, &m, &s) //nolint:errcheck // the clocks above are well-formed
	when := WorkedDay.Add(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second)
	c := domain.Commit{
		ID: fmt.Sprint("w", len(w.commits)+1), Aggregate: a, Position: domain.Position(len(w.commits) + 1), Recorded: when, Time: when,
		Origin: domain.OriginLive, Actor: who, Conversation: conversation, Events: events,
	}
	if conversation != "" {
		c.Opened, c.Channel, c.Ticket, c.Contact = w.opened, "web", 57, "ct1"
	}
	w.commits = append(w.commits, c)
}
