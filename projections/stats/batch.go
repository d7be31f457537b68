package stats

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/metric"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

// kinds is how many kinds of samples a workspace has room for.
const kinds = 64

// batch folds commits in memory and writes the rows at its end.
type batch struct {
	ctx context.Context
	tx  *sql.Tx
	*knowledge

	at     *conversation // the one whose commit is being folded; nil for presence
	space  int64         // its workspace
	gone   metric.Gone
	dirty  map[domain.Position]*conversation
	staff  []person // whose presence changed
	ends   []end
	points *projections.Bulk // samples without a stretch
	spans  *projections.Bulk
	nths   *projections.Bulk // samples of which their event makes several
	others []row             // rows of the small tables, in their order
}

// end is a sample that no longer counts.
type end struct {
	series int64
	key    metric.Key
	by     metric.Ref
}

// row is a statement to be run once.
type row struct {
	query string
	args  []any
}

func newBatch(ctx context.Context, tx *sql.Tx, m *knowledge) *batch {
	b := &batch{
		ctx: ctx, tx: tx, knowledge: m, dirty: map[domain.Position]*conversation{},
		points: projections.NewBulk("INSERT INTO samples", "series", "at", "ref", "conversation", "dim", "opened", "value"),
		spans: projections.NewBulk("INSERT INTO samples",
			"series", "at", "ref", "conversation", "dim", "opened", "start_ref", "start", "value", "net"),
	}
	b.nths = projections.NewBulk("INSERT INTO samples",
		"series", "at", "ref", "nth", "conversation", "dim", "opened", "start_ref", "start", "value", "net")
	b.gone = func(op string, at int64) int64 {
		if p := b.operators[person{b.space, op}]; p != nil {
			return p.Gone(at)
		}
		return 0
	}
	return b
}

// Apply folds one commit. It fails on a commit about a conversation whose opening it has not seen.
func (b *batch) Apply(c *domain.Commit) error {
	if err := b.clock.tick(b.ctx, b.tx, c.Position, c.Recorded.UnixMilli()); err != nil {
		return err
	}
	switch c.Aggregate.Category {
	case domain.CategoryThread:
		if c.Conversation == "" {
			return nil
		}
		b.space = b.workspace(c.Aggregate.Workspace)
		return b.thread(c)
	case domain.CategoryPresence:
		b.space, b.at = b.workspace(c.Aggregate.Workspace), nil
		b.presence(c)
	case domain.CategoryOperator:
		b.space = b.workspace(c.Aggregate.Workspace)
		b.operator(c)
	}
	return nil
}

func (b *batch) thread(c *domain.Commit) error {
	v, err := b.conversation(c)
	if err != nil {
		return err
	}
	b.at = v
	if v.Apply(c, b.gone, b) && !v.dirty {
		v.dirty = true
		b.dirty[v.opened] = v
	}
	return nil
}

var errNotOpened = errors.New("the conversation's opening is not in the view")

// conversation finds the fold of a commit's conversation, in memory or in its row.
func (b *batch) conversation(c *domain.Commit) (*conversation, error) {
	opened := c.Opened
	for _, e := range c.Events {
		if _, ok := e.(thread.Opened); ok {
			v := &conversation{workspace: b.space, opened: c.Position}
			b.conversations.Add(c.Position, v)
			return v, nil
		}
	}
	if v, ok := b.conversations.Get(opened); ok && (v.ID == c.Conversation) {
		return v, nil
	}
	if v, ok := b.dirty[opened]; ok && v.ID == c.Conversation {
		return v, nil
	}
	v := &conversation{opened: opened, stored: true}
	var state []byte
	err := b.tx.QueryRowContext(b.ctx, `SELECT c.workspace, c.id, c.ticket, c.channel, f.state
		FROM conversations c JOIN folds f USING (opened) WHERE c.opened = ? AND c.id = ?`, int64(opened), c.Conversation).
		Scan(&v.workspace, &v.ID, &v.Ticket, &v.Channel, &state)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errNotOpened
	}
	if err != nil {
		return nil, fmt.Errorf("read a conversation back: %w", err)
	}
	if err := v.UnmarshalBinary(state); err != nil {
		return nil, err
	}
	v.listed = v.State != "" && v.State != thread.StateClosed
	b.conversations.Add(opened, v)
	return v, nil
}

func (b *batch) presence(c *domain.Commit) {
	who := person{b.space, c.Aggregate.ID}
	p := b.operators[who]
	if p == nil {
		p = &metric.Presence{}
		b.operators[who] = p
	}
	p.Apply(c, b)
	if !slices.Contains(b.staff, who) {
		b.staff = append(b.staff, who)
	}
}

// operator follows who belongs to which department.
func (b *batch) operator(c *domain.Commit) {
	for i, e := range c.Events {
		var d operator.Definition
		switch e := e.(type) {
		case operator.Registered:
			d = e.Definition
		case operator.Changed:
			d = e.Definition
		case operator.Deactivated:
			d = e.Definition
		case operator.Reactivated:
			d = e.Definition
		default:
			continue
		}
		b.belongs(person{b.space, c.Aggregate.ID}, d.Departments, metric.NewRef(c.Position, i))
	}
}

func (b *batch) belongs(who person, departments []string, at metric.Ref) {
	before := b.members[who]
	now := make(map[string]metric.Ref, len(departments))
	for _, d := range departments {
		if since, ok := before[d]; ok {
			now[d] = since
			continue
		}
		if _, twice := now[d]; twice {
			continue
		}
		now[d] = at
		b.others = append(b.others, row{`INSERT INTO members (workspace, operator, department, ref) VALUES (?, ?, ?, ?)`,
			[]any{who.workspace, who.operator, d, int64(at)}})
	}
	for d, since := range before {
		if _, still := now[d]; !still {
			b.others = append(b.others, row{`UPDATE members SET until = ? WHERE workspace = ? AND operator = ? AND department = ? AND ref = ?`,
				[]any{int64(at), who.workspace, who.operator, d, int64(since)}})
		}
	}
	b.members[who] = now
}

func (b *batch) workspace(name string) int64 {
	id, ok := b.workspaces[name]
	if !ok {
		id = int64(len(b.workspaces) + 1)
		b.workspaces[name] = id
		b.others = append(b.others, row{`INSERT INTO workspaces (id, name) VALUES (?, ?)`, []any{id, name}})
	}
	return id
}

// dim is the number of what a sample is broken down by.
func (b *batch) dim(d dim) int64 {
	id, ok := b.dims[d]
	if !ok {
		id = int64(len(b.dims) + 1)
		b.dims[d], b.chain = id, d.chain(b.chain)
		b.others = append(b.others, row{`INSERT INTO dims (id, operator, department, channel, detail, machine, chain) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			[]any{id, d.operator, d.department, d.channel, d.detail, d.machine, int64(b.chain)}})
	}
	return id
}

// chain is the hash over all dims up to this one, that of the ones before being given.
func (d dim) chain(before uint64) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%x\x00%s\x00%s\x00%s\x00%s\x00%t", before, d.operator, d.department, d.channel, d.detail, d.machine)
	return h.Sum64()
}

// Add takes a sample of the commit that is being folded.
func (b *batch) Add(s *metric.Sample) {
	series := b.space*kinds + int64(s.Kind)
	id := b.dim(dim{s.Operator, s.Department, s.Channel, s.Detail, s.Machine})
	var conversation int64
	if b.at != nil {
		conversation = int64(b.at.opened)
	}
	if s.Nth > 0 {
		var start, from any
		if s.Start != 0 {
			start, from = int64(s.Start), s.From
		}
		b.nths.Add(series, s.At, int64(s.Ref), s.Nth, conversation, id, s.Opened, start, from, s.Value, s.Net)
		return
	}
	if s.Start == 0 {
		var value any
		if s.Value != 1 {
			value = s.Value
		}
		b.points.Add(series, s.At, int64(s.Ref), conversation, id, s.Opened, value)
		return
	}
	var net any
	if s.Net != s.Value {
		net = s.Net
	}
	b.spans.Add(series, s.At, int64(s.Ref), conversation, id, s.Opened, int64(s.Start), s.From, s.Value, net)
}

// End takes that a sample no longer counts.
func (b *batch) End(k metric.Key, by metric.Ref) {
	b.ends = append(b.ends, end{b.space*kinds + int64(k.Kind), k, by})
}
