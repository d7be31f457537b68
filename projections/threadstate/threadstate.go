package threadstate

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

// Name of the projection.
const Name = "threadstate"

const (
	version = 4

	// first is after how many commits about one conversation a thread's state is kept, and every how many commits from then
	// on. A command walks back 200 commits before it asks, so a state is of use while it is not older than that.
	first = 200
	every = 100

	mostKept = 200_000
)

// schema: walk counts the commits about a conversation, which is named by the position of its opening. state is JSON as of
// position, whose personal fields are as the log seals them; there is none once the thread was erased.
const schema = `
CREATE TABLE IF NOT EXISTS walk (
	opened INTEGER PRIMARY KEY,
	commits INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS state (
	workspace TEXT NOT NULL,
	thread TEXT NOT NULL,
	position INTEGER NOT NULL,
	state TEXT NOT NULL,
	PRIMARY KEY (workspace, thread)
) WITHOUT ROWID;
`

// Projection builds the view.
type Projection struct {
	log    projections.Source
	counts map[int64]int // commits by opening
	writes *projections.Bulk
}

var _ projections.Projection = (*Projection)(nil)

// New makes the projection. It reads the commits of long threads again from the log, sealed.
func New(log projections.Source) *Projection {
	p := &Projection{log: log, writes: projections.NewUpsert("walk", 1, "opened", "commits")}
	p.Forget()
	return p
}

// Name is "threadstate".
func (*Projection) Name() string { return Name }

// Version is that of the tables' meaning, and of a state's form.
func (*Projection) Version() int { return version }

// Schema creates the tables.
func (*Projection) Schema() string { return schema }

// Opens is false: what is personal stays sealed.
func (*Projection) Opens() bool { return false }

// Forget drops the remembered counts.
func (p *Projection) Forget() {
	p.counts = map[int64]int{}
	p.writes.Drop()
}

// Begin starts a batch.
func (p *Projection) Begin(ctx context.Context, tx *sql.Tx) (projections.Batch, error) {
	if len(p.counts) > mostKept {
		p.Forget()
	}
	return &batch{p: p, ctx: ctx, tx: tx, touched: map[int64]bool{}}, nil
}

type batch struct {
	p       *Projection
	ctx     context.Context
	tx      *sql.Tx
	touched map[int64]bool
	order   []int64
}

// Apply counts the commit, and keeps the thread's state when it is time to.
func (b *batch) Apply(c *domain.Commit) error {
	if c.Aggregate.Category != domain.CategoryThread || c.Opened == 0 {
		return nil
	}
	n, err := b.count(c)
	if err != nil {
		return err
	}
	for _, e := range c.Events {
		if _, erased := e.(thread.Erased); erased || c.Position == c.Opened {
			return b.drop(c)
		}
	}
	if n < first || (n-first)%every != 0 {
		return nil
	}
	return b.keep(c)
}

// Flush writes the counts.
func (b *batch) Flush(ctx context.Context) error {
	for _, opened := range b.order {
		b.p.writes.Add(opened, b.p.counts[opened])
	}
	return b.p.writes.Flush(ctx, b.tx)
}

// count is how many commits there are about the conversation, this one included.
func (b *batch) count(c *domain.Commit) (int, error) {
	opened := int64(c.Opened)
	n, known := b.p.counts[opened]
	if !known && c.Position != c.Opened {
		err := b.tx.QueryRowContext(b.ctx, `SELECT commits FROM walk WHERE opened = ?`, opened).Scan(&n)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return 0, fmt.Errorf("read the count of a conversation: %w", err)
		}
	}
	n++
	b.p.counts[opened] = n
	if !b.touched[opened] {
		b.touched[opened] = true
		b.order = append(b.order, opened)
	}
	return n, nil
}

// drop forgets the state: the thread was erased, or a new conversation begins that is short to walk.
func (b *batch) drop(c *domain.Commit) error {
	_, err := b.tx.ExecContext(b.ctx, `DELETE FROM state WHERE workspace = ? AND thread = ?`, c.Aggregate.Workspace, c.Aggregate.ID)
	if err != nil {
		return fmt.Errorf("drop the state of a thread: %w", err)
	}
	return nil
}

// keep folds what the thread has become since its state was kept last, or since the conversation's opening.
func (b *batch) keep(c *domain.Commit) error {
	s := &thread.State{ID: c.Aggregate.ID}
	var kept string
	err := b.tx.QueryRowContext(b.ctx, `SELECT state FROM state WHERE workspace = ? AND thread = ?`, c.Aggregate.Workspace, c.Aggregate.ID).Scan(&kept)
	switch {
	case err == nil:
		if err := json.Unmarshal([]byte(kept), s); err != nil {
			return fmt.Errorf("read the state of a thread: %w", err)
		}
	case !errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("read the state of a thread: %w", err)
	}
	commits, err := b.walk(c, s.Position)
	if err != nil {
		return err
	}
	for i := len(commits) - 1; i >= 0; i-- {
		s.Apply(&commits[i])
	}
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write the state of a thread: %w", err)
	}
	_, err = b.tx.ExecContext(b.ctx, `INSERT INTO state (workspace, thread, position, state) VALUES (?, ?, ?, ?)
		ON CONFLICT (workspace, thread) DO UPDATE SET position = excluded.position, state = excluded.state`,
		c.Aggregate.Workspace, c.Aggregate.ID, int64(s.Position), string(data))
	if err != nil {
		return fmt.Errorf("write the state of a thread: %w", err)
	}
	return nil
}

// walk gives the thread's commits from c back to the one after `until`, or to the conversation's opening, newest first. It
// reads c again, too: from a shared source it comes with its personal fields open.
func (b *batch) walk(c *domain.Commit, until domain.Position) ([]domain.Commit, error) {
	var commits []domain.Commit
	for at := c.Position; at > until; {
		commit, err := b.p.log.At(b.ctx, at)
		if err != nil {
			return nil, fmt.Errorf("walk back along a thread: %w: %w", projections.ErrInterrupted, err)
		}
		commits = append(commits, commit)
		if at = commit.Prev; commit.Position == c.Opened {
			break
		}
	}
	return commits, nil
}
