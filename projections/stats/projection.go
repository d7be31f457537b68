package stats

import (
	"context"
	"database/sql"
	_ "embed" // the schema
	"fmt"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/metric"
	"github.com/turno-desk/turno/projections"
)

//go:embed schema.sql
var schema string

// Name is the projection's name.
const Name = "stats"

// remembered is how many conversations the projection keeps in memory between batches. Others are read back.
const remembered = 32768

// Projection writes the samples. It is for one runner at a time.
type Projection struct {
	memory *knowledge // nil until the first batch, and after Forget
}

var _ projections.Projection = (*Projection)(nil)

// New makes a projection that remembers nothing yet.
func New() *Projection { return &Projection{} }

// Name is its name.
func (*Projection) Name() string { return Name }

// Version is that of the rows' definition.
func (*Projection) Version() int { return 5 }

// Schema creates its tables.
func (*Projection) Schema() string { return schema }

// Opens is false: no number needs to know what was said, or by whom.
func (*Projection) Opens() bool { return false }

// Forget drops what is remembered of the rows.
func (p *Projection) Forget() { p.memory = nil }

// Begin starts a batch in tx.
func (p *Projection) Begin(ctx context.Context, tx *sql.Tx) (projections.Batch, error) {
	if p.memory == nil {
		m, err := recall(ctx, tx)
		if err != nil {
			return nil, fmt.Errorf("stats: read back what is known: %w", err)
		}
		p.memory = m
	}
	return newBatch(ctx, tx, p.memory), nil
}

// knowledge is what the projection knows of its own rows. It is whole, but for conversations.
type knowledge struct {
	conversations *lru.Cache[domain.Position, *conversation]
	dims          map[dim]int64
	chain         uint64
	workspaces    map[string]int64
	operators     map[person]*metric.Presence
	members       map[person]map[string]metric.Ref // the departments that each belongs to, and since which event
	clock         clock
}

// dim is what a sample is broken down by.
type dim struct {
	operator, department, channel, detail string
	machine                               bool
}

// person is an operator of a workspace.
type person struct {
	workspace int64
	operator  string
}

// conversation is a fold, and where its rows are.
type conversation struct {
	metric.Conversation
	workspace int64
	opened    domain.Position
	stored    bool // its row in conversations was written
	listed    bool // it is in open_conversations
	dirty     bool
}

func recall(ctx context.Context, tx *sql.Tx) (*knowledge, error) {
	m := &knowledge{
		dims: map[dim]int64{}, workspaces: map[string]int64{}, operators: map[person]*metric.Presence{},
		members: map[person]map[string]metric.Ref{},
	}
	var err error
	if m.conversations, err = lru.New[domain.Position, *conversation](remembered); err != nil {
		return nil, err
	}
	err = each(ctx, tx, `SELECT id, operator, department, channel, detail, machine, chain FROM dims ORDER BY id`, nil, func(scan scanner) error {
		var id, chain int64
		var d dim
		if err := scan(&id, &d.operator, &d.department, &d.channel, &d.detail, &d.machine, &chain); err != nil {
			return err
		}
		m.dims[d], m.chain = id, uint64(chain)
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = each(ctx, tx, `SELECT id, name FROM workspaces`, nil, func(scan scanner) error {
		var id int64
		var name string
		if err := scan(&id, &name); err != nil {
			return err
		}
		m.workspaces[name] = id
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = each(ctx, tx, `SELECT workspace, operator, heard, last, state, since, since_ref, left_at, absent FROM presence`, nil, func(scan scanner) error {
		var who person
		p := &metric.Presence{}
		if err := scan(&who.workspace, &who.operator, &p.Heard, &p.Last, &p.State, &p.Since.At, &p.Since.Ref, &p.Left, &p.Absent); err != nil {
			return err
		}
		p.Operator = who.operator
		m.operators[who] = p
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = each(ctx, tx, `SELECT workspace, operator, department, ref FROM members WHERE until = 0`, nil, func(scan scanner) error {
		var who person
		var department string
		var since metric.Ref
		if err := scan(&who.workspace, &who.operator, &department, &since); err != nil {
			return err
		}
		if m.members[who] == nil {
			m.members[who] = map[string]metric.Ref{}
		}
		m.members[who][department] = since
		return nil
	})
	if err != nil {
		return nil, err
	}
	return m, m.clock.recall(ctx, tx)
}

// scanner reads the columns of the row at hand.
type scanner func(into ...any) error

// each calls fn for every row.
func each(ctx context.Context, q projections.Querier, query string, args []any, fn func(scanner) error) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
