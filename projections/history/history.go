package history

import (
	"context"
	"database/sql"
	_ "embed"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

// Name of the projection.
const Name = "history"

//go:embed schema.sql
var schema string

// remembered is how many open conversations stay in memory between two batches.
const remembered = 20_000

// Projection builds the view.
type Projection struct {
	index fullText
	open  map[domain.Position]*record // by opening; what was read or written of conversations that are not closed
}

var _ projections.Projection = (*Projection)(nil)

// New returns the projection, for a store of that dialect.
func New(d projections.Dialect) *Projection {
	return &Projection{index: fullTextOf(d), open: map[domain.Position]*record{}}
}

// Name is "history".
func (p *Projection) Name() string { return Name }

// Version grows with every change of what the rows hold.
func (p *Projection) Version() int { return 5 }

// Schema creates the tables.
func (p *Projection) Schema() string { return schema + p.index.schema() }

// Opens is true: texts are shown and searched.
func (p *Projection) Opens() bool { return true }

// Forget drops the conversations in memory.
func (p *Projection) Forget() { clear(p.open) }

// Begin starts a batch.
func (p *Projection) Begin(ctx context.Context, tx *sql.Tx) (projections.Batch, error) {
	return newBatch(ctx, tx, p), nil
}
