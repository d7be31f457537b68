package http

import (
	"strconv"
	"strings"

	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections/history"
	"github.com/turno-desk/turno/projections/queue"
)

// The views, as the runner names them.
const (
	viewQueue     = "queue"
	viewHistory   = "history"
	viewStats     = "stats"
	viewDirectory = "directory"
)

// queues counts what the departments' lists hold.
func (s *Server) queues(c *call) error {
	at, err := c.ready(viewQueue)
	if err != nil {
		return err
	}
	answer, err := s.Queue.Queues(c.ctx(), s.workspace, c.viewer, at)
	if err != nil {
		return err
	}
	board, err := s.board(c, answer.Items, at == 0)
	if err != nil {
		return err
	}
	return c.ok(answer.Position, page[QueueCount]{Items: board, Position: answer.Position})
}

// queue lists one department's conversations, in order.
func (s *Server) queue(c *call) error {
	at, err := c.ready(viewQueue)
	if err != nil {
		return err
	}
	f := queue.Filter{Cursor: c.QueryParam("cursor"), AsOf: at}
	if f.Department, err = c.id("department"); err != nil {
		return err
	}
	if f.Operator, err = c.idParam("operator"); err != nil {
		return err
	}
	if f.OfferedTo, err = c.idParam("offered_to"); err != nil {
		return err
	}
	if f.States, err = c.states(); err != nil {
		return err
	}
	if f.Limit, err = c.limit(); err != nil {
		return err
	}
	archived, err := c.flag("archived")
	if err != nil {
		return err
	}
	f.Archived = archived != nil && *archived
	answer, err := s.Queue.List(c.ctx(), s.workspace, c.viewer, f)
	if err != nil {
		return err
	}
	return c.ok(answer.Position, answer)
}

// states reads `state`: names of states with commas between them.
func (c *call) states() ([]string, error) {
	states := c.list("state")
	for _, st := range states {
		switch st {
		case thread.StateBot, thread.StateWaiting, thread.StateAttending, thread.StatePaused, thread.StateOutOfHours, thread.StateClosed:
		default:
			return nil, invalid("state", "A state is bot, waiting, attending, paused, out_of_hours or closed.")
		}
	}
	return states, nil
}

// filter reads what narrows a list of history.
func (c *call) filter() (history.Filter, error) {
	var f history.Filter
	var err error
	if f.States, err = c.states(); err != nil {
		return f, err
	}
	if f.Archived, err = c.flag("archived"); err != nil {
		return f, err
	}
	if f.From, err = c.instant("from"); err != nil {
		return f, err
	}
	if f.To, err = c.instant("to"); err != nil {
		return f, err
	}
	return f, c.ids(map[string]*string{"operator": &f.Operator, "department": &f.Department, "channel": &f.Channel, "contact": &f.Contact,
		"tag": &f.Tag, "category": &f.Category})
}

// conversations lists conversations, closed ones too.
func (s *Server) conversations(c *call) error {
	at, err := c.ready(viewHistory)
	if err != nil {
		return err
	}
	f, err := c.filter()
	if err == nil {
		f, err = s.inbox(c, f)
	}
	if err != nil {
		return err
	}
	limit, err := c.limit()
	if err != nil {
		return err
	}
	answer, err := s.History.Conversations(c.ctx(), s.workspace, c.viewer, f, c.QueryParam("cursor"), limit, at)
	if err != nil {
		return err
	}
	return c.ok(answer.Position, answer)
}

// conversation shows one.
func (s *Server) conversation(c *call) error {
	at, err := c.ready(viewHistory)
	if err != nil {
		return err
	}
	id, err := c.conversation()
	if err != nil {
		return err
	}
	answer, err := s.History.Conversation(c.ctx(), s.workspace, c.viewer, id, at)
	if err != nil {
		return err
	}
	c.Response().Header().Set("ETag", etag(answer.Revision))
	return c.ok(answer.Position, answer)
}

// messages lists those of a conversation, oldest first.
func (s *Server) messages(c *call) error {
	at, err := c.ready(viewHistory)
	if err != nil {
		return err
	}
	id, err := c.conversation()
	if err != nil {
		return err
	}
	limit, err := c.limit()
	if err != nil {
		return err
	}
	notes, err := c.flag("notes")
	if err != nil {
		return err
	}
	answer, err := s.History.Messages(c.ctx(), s.workspace, c.viewer, id, notes != nil && *notes, c.QueryParam("cursor"), limit, at)
	if err != nil {
		return err
	}
	return c.ok(answer.Position, answer)
}

// timeline shows every event of a conversation.
func (s *Server) timeline(c *call) error {
	at, err := c.ready(viewHistory)
	if err != nil {
		return err
	}
	id, err := c.conversation()
	if err != nil {
		return err
	}
	answer, err := s.History.Timeline(c.ctx(), s.workspace, c.viewer, id, at)
	if err != nil {
		return err
	}
	return c.ok(answer.Position, answer)
}

// routing shows why a conversation was assigned and offered as it was.
func (s *Server) routing(c *call) error {
	at, err := c.ready(viewHistory)
	if err != nil {
		return err
	}
	id, err := c.conversation()
	if err != nil {
		return err
	}
	answer, err := s.History.Routing(c.ctx(), s.workspace, c.viewer, id, at)
	if err != nil {
		return err
	}
	return c.ok(answer.Position, answer)
}

// number is the path's ticket number.
func (c *call) number() (int64, error) {
	s := c.Param("number")
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 || strconv.FormatInt(n, 10) != s {
		return 0, notFound()
	}
	return n, nil
}

// ticket shows a case over its conversations.
func (s *Server) ticket(c *call) error {
	at, err := c.ready(viewHistory)
	if err != nil {
		return err
	}
	n, err := c.number()
	if err != nil {
		return err
	}
	answer, err := s.History.Ticket(c.ctx(), s.workspace, c.viewer, n, at)
	if err != nil {
		return err
	}
	return c.ok(answer.Position, answer)
}

// ticketTimeline shows every event of a case.
func (s *Server) ticketTimeline(c *call) error {
	at, err := c.ready(viewHistory)
	if err != nil {
		return err
	}
	n, err := c.number()
	if err != nil {
		return err
	}
	answer, err := s.History.TicketTimeline(c.ctx(), s.workspace, c.viewer, n, at)
	if err != nil {
		return err
	}
	return c.ok(answer.Position, answer)
}

// maxQuery is the longest search, in bytes.
const maxQuery = 256

// words reads `q`.
func (c *call) words(name string) (string, error) {
	q := strings.TrimSpace(c.QueryParam(name))
	if len(q) > maxQuery || strings.ToValidUTF8(q, "") != q || strings.ContainsRune(q, 0) {
		return "", invalid(name, "A search is at most 256 bytes of UTF-8.")
	}
	return q, nil
}

// search finds tickets by number and by content.
func (s *Server) search(c *call) error {
	if _, err := c.ready(viewHistory); err != nil {
		return err
	}
	f, err := c.filter()
	if err != nil {
		return err
	}
	q, err := c.words("q")
	if err != nil {
		return err
	}
	limit, err := c.limit()
	if err != nil {
		return err
	}
	answer, err := s.History.Search(c.ctx(), s.workspace, c.viewer, q, f, c.QueryParam("cursor"), limit)
	if err != nil {
		return err
	}
	return c.ok(answer.Position, answer)
}

// contactHistory lists a contact's conversations, newest first.
func (s *Server) contactHistory(c *call) error {
	if _, err := c.ready(viewHistory); err != nil {
		return err
	}
	id, err := c.id("id")
	if err != nil {
		return err
	}
	limit, err := c.limit()
	if err != nil {
		return err
	}
	answer, err := s.History.ContactHistory(c.ctx(), s.workspace, c.viewer, id, c.QueryParam("cursor"), limit)
	if err != nil {
		return err
	}
	return c.ok(answer.Position, answer)
}
