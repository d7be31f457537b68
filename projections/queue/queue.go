package queue

import (
	"context"
	"database/sql"
	_ "embed"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

// Name of the projection.
const Name = "queue"

// version grows with every change of what the tables hold.
const version = 2

//go:embed schema.sql
var schema string

// mostKept is how many open conversations are remembered between two batches; beyond it all are read again.
const mostKept = 200_000

// Projection builds the view. It remembers the open conversations between batches.
type Projection struct {
	open map[int64]*conversation

	conversations *projections.Bulk
	intervals     *projections.Bulk
	moments       *projections.Bulk
}

var _ projections.Projection = (*Projection)(nil)

// New makes the projection, for one runner.
func New() *Projection {
	p := &Projection{
		conversations: projections.NewBulk("INSERT INTO conversation",
			"conv", "workspace", "id", "ticket", "contact", "name", "address", "channel", "direction", "opened_at"),
		intervals: projections.NewBulk("INSERT INTO interval", intervalColumns...),
		moments: projections.NewBulk("INSERT INTO moment",
			"conv", "place", "at", "direction", "kind", "number", "preview", "unread", "waiting_since", "line"),
	}
	p.Forget()
	return p
}

// Name is "queue".
func (*Projection) Name() string { return Name }

// Version is that of the tables' meaning.
func (*Projection) Version() int { return version }

// Schema creates the tables.
func (*Projection) Schema() string { return schema }

// Opens is true: names and last lines are shown.
func (*Projection) Opens() bool { return true }

// Forget drops the remembered conversations.
func (p *Projection) Forget() {
	p.open = map[int64]*conversation{}
	p.conversations.Drop()
	p.intervals.Drop()
	p.moments.Drop()
}

// Begin starts a batch.
func (p *Projection) Begin(ctx context.Context, tx *sql.Tx) (projections.Batch, error) {
	if len(p.open) > mostKept {
		p.Forget()
	}
	return &batch{p: p, ctx: ctx, tx: tx}, nil
}

// batch folds commits in memory: an interval that begins and ends in one batch is written once.
type batch struct {
	p   *Projection
	ctx context.Context
	tx  *sql.Tx

	touched []*conversation // their current interval is not what the table says
	ended   []ended         // intervals of the table that this batch ends
	closed  []int64         // need not be remembered after the batch
}

// Apply folds a commit of a thread; all others are none of a queue's business.
func (b *batch) Apply(c *domain.Commit) error {
	if c.Aggregate.Category != domain.CategoryThread {
		return nil
	}
	return b.fold(c)
}

// Flush writes what was folded.
func (b *batch) Flush(ctx context.Context) error {
	if err := b.write(ctx); err != nil {
		return err
	}
	for _, conv := range b.closed {
		if c := b.p.open[conv]; c != nil && c.now.state == stateClosed {
			delete(b.p.open, conv)
		}
	}
	return nil
}
