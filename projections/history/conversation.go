package history

import (
	"context"
	"fmt"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

// Conversation returns one conversation. ErrNotFound.
func (q *Queries) Conversation(ctx context.Context, workspace string, v access.Viewer, id string, asOf domain.Position) (ConversationAnswer, error) {
	var a ConversationAnswer
	err := q.read(ctx, workspace, v, asOf, func(r *reading) error {
		now, err := r.byID(id)
		if err != nil {
			return err
		}
		then, err := r.then(now)
		if err != nil {
			return err
		}
		if then == nil {
			return ErrNotFound
		}
		a = ConversationAnswer{Conversation: then.answer(), Position: r.asOf}
		a.Contact.Known, err = r.acquainted(now)
		return err
	})
	return a, err
}

// acquainted reports whether somebody had entered a profile of the conversation's contact by the reading's position, or of one
// that is merged with it today.
func (r *reading) acquainted(c *record) (*bool, error) {
	var yes bool
	err := r.tx.QueryRowContext(r.ctx, `SELECT EXISTS (SELECT 1 FROM conversations c JOIN known k ON k.workspace = c.workspace
		WHERE c.opened = ? AND k.from_position <= ? AND (k.contact = c.contact OR k.contact = c.person
			OR k.contact IN (SELECT m.contact FROM merges m WHERE m.workspace = c.workspace AND m.person = c.person)))`,
		int64(c.opened), int64(r.asOf)).Scan(&yes)
	if err != nil {
		return nil, fmt.Errorf("history: is the contact of %s known: %w", c.id(), err)
	}
	return &yes, nil
}

// byID finds a conversation by its id.
func (r *reading) byID(id string) (*record, error) {
	threadID, n, ok := thread.SplitConversationID(id)
	if !ok {
		return nil, ErrNotFound
	}
	return r.find("c.thread = ? AND c.number = ?", threadID, n)
}

// answer is the record as it is shown.
func (r *record) answer() Conversation {
	f, own := &r.facts, &r.personal
	c := Conversation{
		ID: r.id(), Ticket: r.ticket, State: r.sight.State, Direction: string(r.direction), Channel: r.channel,
		Department: r.sight.Department, OpenedDepartment: r.openedDepartment, Operator: r.sight.Owner, OwnerAtClose: r.sight.OwnerAtClose,
		Contact: r.whom(), Mentioned: r.sight.Mentioned, Operators: f.Operators,
		Hidden: r.sight.Hidden, Revision: r.revision,
		OpenedAt: projections.MillisOrNil(r.openedAt), ClosedAt: projections.MillisOrNil(r.closedAt), Episodes: f.Episodes,
		Reason: f.Reason, Closer: f.Closer, Category: r.category, Summary: string(own.Summary), Comment: string(own.Comment),
		Incomplete: f.Incomplete, LinkedTicket: f.Linked, ProposedTicket: f.Proposed, Outcome: f.Outcome, Interests: f.Interests, Origin: f.Origin, Stage: f.Stage, Score: f.Score,
		Details: &Details{
			Tags: append([]string{}, f.Tags...), Archived: r.sight.Archived,
			FirstResponse: seconds(f.FirstResponse), Resolution: seconds(f.Resolution),
			MessagesIn: f.In, MessagesOut: f.Out, MessagesMachine: f.Machine, Notes: f.Notes, Transfers: f.Transfers,
		},
	}
	if f.OfferedUntil != 0 {
		c.Offered = &Offered{Operators: append([]string{}, f.OfferedTo...), Until: projections.Millis(f.OfferedUntil)}
	}
	for _, a := range f.Alerts {
		c.Alerts = append(c.Alerts, Alert{Cause: string(a.Cause), Operator: a.Operator, Role: a.Role, At: projections.Millis(a.At)})
	}
	if len(own.Fields) > 0 {
		c.Fields = make(map[string]string, len(own.Fields))
		for id, v := range own.Fields {
			c.Fields[id] = string(v)
		}
	}
	if f.Resolution != nil {
		net := *f.Resolution - f.Paused
		c.ResolutionNet = seconds(&net)
	}
	if f.RatedAt != 0 {
		c.Rating = &Rating{
			Score: f.Rated, Satisfied: f.Satisfied, Comment: string(own.Rating), Operator: f.Credited, At: projections.Millis(f.RatedAt),
		}
	}
	return c
}

func (r *record) whom() *Contact {
	return &Contact{ID: r.contact, Name: string(r.personal.Name), Address: string(r.personal.Address), ExternalID: string(r.personal.ExternalID)}
}

// known is what may be known of an open conversation by who serves its contact and may not see it.
func (r *record) known() Conversation {
	return Conversation{
		Ticket: r.ticket, Channel: r.channel, Department: r.sight.Department, Operator: r.sight.Owner, Restricted: true,
	}
}

func seconds(ms *int64) *float64 {
	if ms == nil {
		return nil
	}
	s := float64(*ms) / 1000
	return &s
}
