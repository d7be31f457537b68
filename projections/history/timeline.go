package history

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/projections"
)

// Timeline returns every event of a conversation. ErrNotFound.
func (q *Queries) Timeline(ctx context.Context, workspace string, v access.Viewer, id string, asOf domain.Position) (Timeline, error) {
	var t Timeline
	err := q.read(ctx, workspace, v, asOf, func(r *reading) error {
		now, err := r.byID(id)
		if err != nil {
			return err
		}
		t, err = r.timeline([]*record{now})
		return err
	})
	return t, err
}

// TicketTimeline returns every event of those conversations of the ticket that the viewer may see (each is an action in it,
// F108), and the ticket's own, which have no conversation. ErrNotFound.
func (q *Queries) TicketTimeline(ctx context.Context, workspace string, v access.Viewer, number int64, asOf domain.Position) (Timeline, error) {
	var t Timeline
	err := q.read(ctx, workspace, v, asOf, func(r *reading) error {
		all, ticket, err := r.byTicket(number)
		if err != nil {
			return err
		}
		edits, err := r.edits(ticket)
		if err != nil {
			return err
		}
		t, err = r.timeline(all)
		if errors.Is(err, ErrNotFound) && len(edits) > 0 { // a ticket without conversations has a timeline of its own
			var alone bool
			if alone, err = r.alone(ticket); err == nil && !alone {
				err = ErrNotFound
			}
			t = Timeline{Position: r.asOf}
		}
		if err != nil {
			return err
		}
		t.Ticket, t.Entries = ticket, append(t.Entries, edits...)
		inOrder(t.Entries)
		return nil
	})
	return t, err
}

// timeline reads the events of conversations, in the log's order.
func (r *reading) timeline(of []*record) (Timeline, error) {
	of = slices.DeleteFunc(of, func(c *record) bool { return c.opened > r.asOf })
	if len(of) == 0 {
		return Timeline{}, ErrNotFound
	}
	t := Timeline{Ticket: of[0].ticket, Position: r.asOf}
	for _, c := range of {
		entries, err := readEntries(r.ctx, r.tx, c.opened, 0, r.asOf, "", "")
		if err != nil {
			return Timeline{}, err
		}
		for _, e := range entries {
			p, index := placed(e.at)
			t.Entries = append(t.Entries, Entry{
				Position: p, Index: index, Conversation: c.id(), Ticket: c.ticket, Type: e.typ, Actor: e.actor, Via: e.via,
				Time: projections.Millis(e.time), Recorded: projections.Millis(e.recorded), Data: json.RawMessage(e.data),
			})
		}
	}
	inOrder(t.Entries)
	return t, nil
}

// inOrder sorts entries as the log has them.
func inOrder(entries []Entry) {
	slices.SortStableFunc(entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.Index, b.Index))
	})
}
