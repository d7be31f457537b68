package http

import (
	"fmt"
	"net/http"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/ticket"
)

type ticketRecordBody struct {
	Requester *string                    `json:"requester"`
	Subject   *domain.Personal           `json:"subject"`
	Status    *ticket.Status             `json:"status"`
	Fields    map[string]domain.Personal `json:"fields"`
}

func (b ticketRecordBody) change() ticket.Change {
	return ticket.Change{Requester: b.Requester, Subject: b.Subject, Status: b.Status, Fields: b.Fields}
}

// TicketAnswer is the success of a command on a ticket.
type TicketAnswer struct {
	Answer
	Ticket int64 `json:"ticket"` // its number, never an alias
}

// openTicket begins a ticket without a conversation.
func (s *Server) openTicket(c *call) error {
	var b ticketRecordBody
	if err := c.bind(&b); err != nil {
		return err
	}
	r, err := c.request(b)
	if err != nil {
		return err
	}
	result, number, err := s.Tickets.Open(c.ctx(), r, b.change())
	if err != nil {
		return err
	}
	return s.ticketSettled(c, http.StatusCreated, result, number)
}

// patchTicket edits what is known of the ticket that a number stands for, if the caller may see it.
func (s *Server) patchTicket(c *call) error {
	var b ticketRecordBody
	if err := c.bind(&b); err != nil {
		return err
	}
	n, err := c.number()
	if err != nil {
		return err
	}
	if err := s.settledTickets(c); err != nil {
		return err
	}
	shown, err := s.History.Ticket(c.ctx(), s.workspace, c.viewer, n, 0)
	if err != nil {
		return err
	}
	r, err := c.request(b)
	if err != nil {
		return err
	}
	known := ticket.Definition{Number: shown.Number, Requester: shown.Requester, Subject: domain.Personal(shown.Subject), Status: ticket.Status(shown.Status)}
	result, err := s.Tickets.Change(c.ctx(), r, known, b.change())
	if err != nil {
		return err
	}
	return s.ticketSettled(c, http.StatusOK, result, shown.Number)
}

// settledTickets waits until the view that knows which ticket a number stands for holds everything that the log holds now: an edit
// that took an alias for a ticket would begin a record that nobody finds.
func (s *Server) settledTickets(c *call) error {
	if _, err := c.ready(viewHistory); err != nil {
		return err
	}
	head, err := s.Log.Head(c.ctx())
	if err != nil {
		return fmt.Errorf("head of the log: %w", err)
	}
	return s.reached(c.ctx(), viewHistory, head)
}

func (s *Server) ticketSettled(c *call, status int, r command.SettingResult, number int64) error {
	events, err := s.events(&r.Commit)
	if err != nil {
		return err
	}
	return c.position(r.Position).JSON(status, TicketAnswer{Answer: Answer{Position: r.Position, Events: events, Replayed: r.Replayed}, Ticket: number})
}
