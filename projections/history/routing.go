package history

import (
	"context"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/routing"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

// Routing is every decision of a rule about a conversation, in the log's order.
type Routing struct {
	Conversation string          `json:"conversation"`
	Decisions    []Decision      `json:"decisions"`
	Position     domain.Position `json:"position"`
}

// Decision is how a rule chose who gets a conversation, or who is asked; Again is the same decision, taken again.
type Decision struct {
	Position   domain.Position     `json:"position"`
	Time       projections.Time    `json:"time"`
	Department string              `json:"department"`
	How        string              `json:"how"`
	Chosen     []string            `json:"chosen"`
	Round      int                 `json:"round,omitempty"`
	Until      *projections.Time   `json:"until,omitempty"`
	Rule       routing.Rule        `json:"rule"`
	Read       domain.Position     `json:"read"`
	Entry      domain.Position     `json:"entry"`
	Candidates []routing.Candidate `json:"candidates"`
	Omitted    int                 `json:"omitted"`
	Again      []string            `json:"again"`
	Same       bool                `json:"same"`
}

// Routing tells why a conversation was assigned and offered as it was (N15). ErrNotFound.
func (q *Queries) Routing(ctx context.Context, workspace string, v access.Viewer, id string, asOf domain.Position) (Routing, error) {
	var all Routing
	err := q.read(ctx, workspace, v, asOf, func(r *reading) error {
		now, err := r.byID(id)
		if err != nil {
			return err
		}
		if now.opened > r.asOf {
			return ErrNotFound
		}
		all, err = r.routing(now)
		return err
	})
	return all, err
}

func (r *reading) routing(of *record) (Routing, error) {
	all := Routing{Conversation: of.id(), Decisions: []Decision{}, Position: r.asOf}
	entries, err := readEntries(r.ctx, r.tx, of.opened, 0, r.asOf, " AND type IN ('queued', 'taken', 'offered')", "")
	if err != nil {
		return Routing{}, err
	}
	department := ""
	for _, e := range entries {
		event, err := parse(e.typ, e.data)
		if err != nil {
			return Routing{}, err
		}
		switch e := event.(type) {
		case thread.Queued:
			department = e.Department
		case thread.Taken:
			department = e.Department
		}
		x, ok := thread.Explain(event)
		if !ok {
			continue
		}
		p, _ := placed(e.at)
		d := Decision{
			Position: p, Time: projections.Millis(e.time), Department: department, How: string(x.How), Chosen: x.Chosen, Round: x.Round,
			Rule: x.Rule, Read: x.Read, Entry: x.Entry, Candidates: x.Candidates, Omitted: x.Omitted, Again: []string{},
		}
		if !x.Until.IsZero() {
			d.Until = &projections.Time{Time: x.Until}
		}
		again, same := x.Again()
		d.Again, d.Same = append(d.Again, again...), same
		all.Decisions = append(all.Decisions, d)
	}
	return all, nil
}
