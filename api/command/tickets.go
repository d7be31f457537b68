package command

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/domain/ticket"
)

// TicketIndex answers which ticket a number stands for: itself, or the one that it is an alias of. found is false when there
// is none that the viewer may know of. The projection `history` is behind it; it waits until that has passed upTo, and
// returns ErrUnavailable when it doesn't in time.
type TicketIndex interface {
	FindTicket(ctx context.Context, workspace string, v access.Viewer, number int64, upTo domain.Position) (ticket int64, found bool, err error)
}

// resolved is a command on a ticket with what only the log and the views know: which ticket a number stands for, and whether
// there is such a requester. Other commands come back as they are.
func (e *Engine) resolved(ctx context.Context, req Request, t *entry, image *setting.Image, cmd thread.Command) (thread.Command, error) {
	var err error
	switch c := cmd.(type) {
	case thread.Link:
		c.Ticket, err = e.ticketOf(ctx, req, image, c.Number)
		return c, err
	case thread.Propose:
		c.Ticket, err = e.ticketOf(ctx, req, image, c.Number)
		return c, err
	case thread.OpenTicket:
		if domain.ValidID(c.Requester) && c.Requester != t.state.Contact {
			exists, err := contactExists(ctx, e.o.Log, req.Workspace, c.Requester)
			c.Unknown = !exists
			return c, err
		}
		return c, nil
	case thread.Close:
		if c.Ticket != nil {
			c.Ticket, err = e.resolved(ctx, req, t, image, c.Ticket)
		}
		return c, err
	case thread.EndSession:
		if c.Ticket != nil {
			c.Ticket, err = e.resolved(ctx, req, t, image, c.Ticket)
		}
		return c, err
	}
	return cmd, nil
}

// ticketOf is the ticket that a number stands for; 0 when there is none that the actor may know of. An import's numbers are
// taken at their word, as is every number where there is no view to ask.
func (e *Engine) ticketOf(ctx context.Context, req Request, image *setting.Image, number int64) (int64, error) {
	if number <= 0 {
		return 0, nil
	}
	if e.o.Tickets == nil || req.Import {
		return number, nil
	}
	v := access.Viewer{Role: operator.RoleAdmin}
	if req.Actor.Kind == domain.ActorOperator {
		op := image.Operators[req.Actor.ID]
		v = access.Viewer{Operator: op.ID, Role: op.Role, Departments: op.Departments}
	}
	n, found, err := e.o.Tickets.FindTicket(ctx, req.Workspace, v, number, req.After)
	if err != nil || found {
		return n, err
	}
	// It may be younger than the view.
	head, err := e.o.Image.Head(ctx)
	if err != nil {
		return 0, err
	}
	if n, found, err = e.o.Tickets.FindTicket(ctx, req.Workspace, v, number, head); err != nil || !found {
		return 0, err
	}
	return n, nil
}

// TicketsOptions is what Tickets are made of. All but Now are required.
type TicketsOptions struct {
	Log     Log
	Image   *Image
	Numbers *Numbers
	Now     func() time.Time
}

// Tickets handles the commands on what is known of a case apart from its conversations. It is safe for concurrent use.
type Tickets struct {
	o TicketsOptions
	w writer
}

// NewTickets returns the tickets of o's image's workspace.
func NewTickets(o TicketsOptions) *Tickets {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Tickets{o: o, w: writer{log: o.Log, now: o.Now}}
}

// Open begins a ticket without a conversation, under a number of the conversations' own row (D9). The same key opens the
// same ticket.
func (t *Tickets) Open(ctx context.Context, req Request, c ticket.Change) (SettingResult, int64, error) {
	if _, r := ticket.DecideOpen(ticket.Definition{}, 0, c); r != nil {
		return SettingResult{}, 0, r
	}
	if err := t.checked(ctx, req, c); err != nil {
		return SettingResult{}, 0, err
	}
	number, err := t.number(ctx, req)
	if err != nil {
		return SettingResult{}, 0, err
	}
	r, err := t.change(ctx, req, number, "open", func(is ticket.Definition) ([]ticket.Event, *domain.Refusal) {
		return ticket.DecideOpen(is, number, c)
	})
	return r, number, err
}

// Change edits a ticket. known is what its conversations tell of it, for the first edit, which begins its record.
func (t *Tickets) Change(ctx context.Context, req Request, known ticket.Definition, c ticket.Change) (SettingResult, error) {
	if err := t.checked(ctx, req, c); err != nil {
		return SettingResult{}, err
	}
	return t.change(ctx, req, known.Number, "change", func(is ticket.Definition) ([]ticket.Event, *domain.Refusal) {
		return ticket.DecideChange(is, known, c)
	})
}

// checked refuses a requester whom there isn't, and fields that tickets don't have.
func (t *Tickets) checked(ctx context.Context, req Request, c ticket.Change) error {
	if req.After != 0 {
		if err := t.o.Image.WaitFor(ctx, req.After); err != nil {
			return err
		}
	}
	img, err := t.o.Image.Snapshot(ctx)
	if err != nil {
		return err
	}
	if r := img.CheckFields(setting.OnTicket, c.Fields); r != nil {
		if img, _, err = t.o.Image.Confirm(ctx, img); err != nil {
			return err
		}
		if r := img.CheckFields(setting.OnTicket, c.Fields); r != nil {
			return r
		}
	}
	if c.Requester == nil || !domain.ValidID(*c.Requester) {
		return nil
	}
	exists, err := contactExists(ctx, t.o.Log, t.o.Image.workspace, *c.Requester)
	if err == nil && !exists {
		return &domain.Refusal{Code: domain.CodeUnknownSetting, Missing: []string{"requester"}, Detail: "There is no such contact."}
	}
	return err
}

// number is a fresh one; for a request with a key the one that its first attempt got.
func (t *Tickets) number(ctx context.Context, req Request) (int64, error) {
	if req.Key == "" {
		return t.o.Numbers.Next(ctx)
	}
	a := t.aggregate("key." + CommandID(req, "tickets", "open"))
	var number int64
	_, err := change(ctx, t.w, edit[int64]{
		req: req, aggregate: a, action: "number",
		evolve: func(n *int64, c *domain.Commit) {
			for _, e := range c.Events {
				if e, ok := e.(ticket.Numbered); ok {
					*n = e.Number
				}
			}
			number = *n
		},
		decide: func(n *int64, _ time.Time) ([]domain.Event, error) {
			if *n != 0 {
				return nil, nil
			}
			fresh, err := t.o.Numbers.Next(ctx)
			number = fresh
			return []domain.Event{ticket.Numbered{Number: fresh}}, err
		},
	})
	return number, err
}

func (t *Tickets) change(ctx context.Context, req Request, number int64, action string,
	decide func(ticket.Definition) ([]ticket.Event, *domain.Refusal)) (SettingResult, error) {
	img, err := t.o.Image.Snapshot(ctx)
	if err != nil {
		return SettingResult{}, err
	}
	var requester string
	return change(ctx, t.w, edit[ticket.Definition]{
		req: req, aggregate: t.aggregate(strconv.FormatInt(number, 10)), action: action, image: img, tail: true,
		evolve: latest(ticket.DefinitionOf),
		decide: func(is *ticket.Definition, _ time.Time) ([]domain.Event, error) {
			decided, r := decide(*is)
			if len(decided) > 0 {
				requester = ticket.DefinitionOf(decided[0]).Requester
			}
			return events(decided, r)
		},
		key: func(string) (string, error) { return contactKey(ctx, t.o.Log, t.o.Image.workspace, requester) },
	})
}

func (t *Tickets) aggregate(id string) domain.Aggregate {
	return domain.Aggregate{Workspace: t.o.Image.workspace, Category: domain.CategoryTicket, ID: id}
}

// contactExists reports whether there is a contact of this id: its thread, or its own aggregate, has a commit.
func contactExists(ctx context.Context, log Log, workspace, id string) (bool, error) {
	threadID, ok := contact.Thread(id)
	if !ok {
		return false, nil
	}
	for _, a := range []domain.Aggregate{
		{Workspace: workspace, Category: domain.CategoryThread, ID: threadID},
		{Workspace: workspace, Category: domain.CategoryContact, ID: id},
	} {
		commits, _, err := log.Load(ctx, a, 0, func(*domain.Commit) bool { return true })
		if err != nil {
			return false, fmt.Errorf("load %s: %w", a, err)
		}
		if len(commits) > 0 {
			return true, nil
		}
	}
	return false, nil
}

// contactKey is the key that seals what is said of a contact elsewhere: its own, or that of the thread that it came with.
// Both are destroyed with an erasure, after which nothing more is said.
func contactKey(ctx context.Context, log Log, workspace, id string) (string, error) {
	threadID, _ := contact.Thread(id)
	for _, a := range []domain.Aggregate{
		{Workspace: workspace, Category: domain.CategoryContact, ID: id},
		{Workspace: workspace, Category: domain.CategoryThread, ID: threadID},
	} {
		key, erased := "", false
		_, _, err := log.Load(ctx, a, 0, func(c *domain.Commit) bool {
			for _, e := range c.Events {
				switch e.(type) {
				case contact.Erased, thread.Erased:
					erased = true
				}
			}
			key = c.Key
			return key != ""
		})
		switch {
		case err != nil:
			return "", fmt.Errorf("load %s: %w", a, err)
		case erased:
			return "", &domain.Refusal{Code: contact.CodeErased, Detail: "The requester was erased."}
		case key != "":
			return key, nil
		}
	}
	return "", errors.New("contact " + id + " has no key")
}
