package history

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

// placeBits is how far a position stands to the left in an entry's place; the index within the commit is behind it.
const placeBits = 7

// maxPosition is the last position whose places fit: epoch 65,535.
const maxPosition = domain.Position(1)<<(63-placeBits) - 1

// place is where an event stands in the log.
func place(p domain.Position, index int) int64 { return int64(p)<<placeBits | int64(index) }

// placed is what place was made of.
func placed(at int64) (p domain.Position, index int) {
	return domain.Position(at >> placeBits), int(at & (1<<placeBits - 1))
}

// batch folds commits into rows. Entries, words and intervals are written as they come, conversations once at the end.
type batch struct {
	ctx   context.Context
	tx    *sql.Tx
	p     *Projection
	dirty map[domain.Position]*record

	entries, sights, tags *projections.Bulk
	words                 []said

	erased bool // words were taken out of the index
}

const writeConversation = `INSERT INTO conversations (
	opened, workspace, thread, number, ticket, contact, channel, direction, opened_department, opened_at,
	revision, sight_from, state, department, owner, owner_at_close, mentioned, archived, hidden,
	closed_at, category, facts, personal, person
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, coalesce((SELECT m.person FROM merges m WHERE m.workspace = ? AND m.contact = ?), ?))
ON CONFLICT (opened) DO UPDATE SET
	revision = excluded.revision, sight_from = excluded.sight_from, state = excluded.state, department = excluded.department,
	owner = excluded.owner, owner_at_close = excluded.owner_at_close, mentioned = excluded.mentioned,
	archived = excluded.archived, hidden = excluded.hidden, closed_at = excluded.closed_at, category = excluded.category,
	facts = excluded.facts, personal = excluded.personal`

func newBatch(ctx context.Context, tx *sql.Tx, p *Projection) *batch {
	return &batch{
		ctx: ctx, tx: tx, p: p, dirty: map[domain.Position]*record{},
		entries: projections.NewBulk("INSERT INTO entries",
			"at", "workspace", "conversation", "type", "actor", "via", "time", "recorded", "id_hash", "data"),
		sights: projections.NewUpsert("sights", 2,
			"conversation", "from_position", "to_position", "workspace", "state", "department", "owner", "owner_at_close",
			"mentioned", "archived", "hidden", "closed_at"),
		tags: projections.NewBulk("INSERT INTO tags", "conversation", "tag", "from_position", "to_position", "workspace"),
	}
}

// Apply takes in the commits of threads, of tickets, and what happens to contacts, whom both are about.
func (b *batch) Apply(c *domain.Commit) error {
	switch c.Aggregate.Category {
	case domain.CategoryThread:
	case domain.CategoryTicket:
		return b.ticket(c)
	case domain.CategoryContact:
		return b.contact(c)
	default:
		return nil
	}
	if c.Position > maxPosition || len(c.Events) > 1<<placeBits {
		return fmt.Errorf("commit %d has no place: too far, or too many events", c.Position)
	}
	r, err := b.record(c)
	if err != nil {
		return err
	}
	for i, e := range c.Events {
		event, ok := e.(thread.Event)
		if !ok {
			return fmt.Errorf("commit %d of a thread holds a %T", c.Position, e)
		}
		if r != nil {
			if err := b.event(c, i, r, event); err != nil {
				return err
			}
		}
		if _, ok := event.(thread.Erased); ok {
			if err := b.erase(c.Aggregate.Workspace, c.Aggregate.ID, r); err != nil {
				return err
			}
		}
	}
	if r == nil {
		return nil
	}
	r.revision = c.Position
	b.dirty[r.opened] = r
	b.look(c, r)
	return nil
}

// record finds the conversation of a commit, or makes that of an opening. It is nil when the commit is about none.
func (b *batch) record(c *domain.Commit) (*record, error) {
	if o, ok := c.Events[0].(thread.Opened); ok {
		if c.After == nil {
			return nil, fmt.Errorf("commit %d opens a conversation and doesn't say who may see it", c.Position)
		}
		return open(c.Aggregate.Workspace, c.Aggregate.ID, c.Position, millis(c.Time), o), nil
	}
	if c.Opened == 0 {
		return nil, nil
	}
	if r := b.dirty[c.Opened]; r != nil {
		return r, nil
	}
	if r := b.p.open[c.Opened]; r != nil {
		return r, nil
	}
	r, err := scanRecord(b.tx.QueryRowContext(b.ctx, selectRecord+" WHERE c.opened = ?", int64(c.Opened)))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("commit %d is about a conversation that was never opened", c.Position)
	}
	if err != nil {
		return nil, fmt.Errorf("read the conversation of commit %d: %w", c.Position, err)
	}
	return r, nil
}

// event writes the entry of one event and folds it.
func (b *batch) event(c *domain.Commit, index int, r *record, event thread.Event) error {
	typ, err := typeOf(event)
	if err != nil {
		return err
	}
	data, err := json.Marshal(event)
	if err != nil {
		return fmt.Errorf("entry %s of commit %d: %w", typ, c.Position, err)
	}
	at, actor := place(c.Position, index), c.Actor.String()
	b.entries.Add(at, r.workspace, int64(r.opened), typ, actor, c.Actor.Via,
		millis(c.Time), millis(c.Recorded), idHash(event), string(data))
	if _, text := words(event); text != "" {
		b.words = append(b.words, said{at, text})
	}
	before := r.facts.Tags
	if !ofSurvey(c, event) {
		r.fold(event, actor, millis(c.Time))
	}
	switch e := event.(type) {
	case thread.Tagged, thread.Untagged:
		return b.tag(c, r, before)
	case thread.TicketLinked:
		return b.link(c, r, e.Ticket)
	}
	return nil
}

// tag ends the intervals of the tags that are gone and begins those of new ones.
func (b *batch) tag(c *domain.Commit, r *record, before []string) error {
	for _, t := range r.facts.Tags {
		if !slices.Contains(before, t) {
			b.tags.Add(int64(r.opened), t, int64(c.Position), int64(forever), r.workspace)
		}
	}
	for _, t := range before {
		if slices.Contains(r.facts.Tags, t) {
			continue
		}
		if err := b.tags.Flush(b.ctx, b.tx); err != nil {
			return err
		}
		_, err := b.tx.ExecContext(b.ctx, `UPDATE tags SET to_position = ? WHERE conversation = ? AND tag = ? AND to_position = ?`,
			int64(c.Position), int64(r.opened), t, int64(forever))
		if err != nil {
			return fmt.Errorf("end tag: %w", err)
		}
	}
	return nil
}

// look notes who may see the conversation from this commit on, when that has changed.
func (b *batch) look(c *domain.Commit, r *record) {
	if c.After == nil || r.sightFrom != 0 && r.sight.Equal(c.After) {
		return
	}
	if r.sightFrom != 0 {
		b.sight(r, c.Position)
	}
	r.sight, r.sightFrom, r.sightClosed = *c.After, c.Position, r.closedAt
	r.sight.Mentioned = slices.Clone(c.After.Mentioned)
	b.sight(r, forever)
}

// sight writes the interval of the record's sight up to a position.
func (b *batch) sight(r *record, to domain.Position) {
	s := &r.sight
	b.sights.Add(int64(r.opened), int64(r.sightFrom), int64(to), r.workspace, s.State, s.Department, s.Owner,
		s.OwnerAtClose, spaced(s.Mentioned), flag(s.Archived), flag(s.Hidden), r.sightClosed)
}

// Flush writes what is left, and the conversations that changed.
func (b *batch) Flush(ctx context.Context) error {
	b.ctx = ctx
	for _, rows := range []*projections.Bulk{b.entries, b.sights, b.tags} {
		if err := rows.Flush(ctx, b.tx); err != nil {
			return err
		}
	}
	if err := b.write(); err != nil {
		return err
	}
	if err := b.say(); err != nil {
		return err
	}
	if b.erased {
		if err := b.p.index.purge(ctx, b.tx); err != nil {
			return err
		}
	}
	b.remember()
	return nil
}

// said is the text of one place.
type said struct {
	at   int64
	text string
}

// say puts the words into their index.
func (b *batch) say() error {
	if len(b.words) == 0 {
		return nil
	}
	if err := b.p.index.add(b.ctx, b.tx, b.words); err != nil {
		return fmt.Errorf("index words: %w", err)
	}
	b.words = b.words[:0]
	return nil
}

// write writes the conversations that changed, in the order of their openings.
func (b *batch) write() error {
	if len(b.dirty) == 0 {
		return nil
	}
	stmt, err := b.tx.PrepareContext(b.ctx, writeConversation)
	if err != nil {
		return fmt.Errorf("write conversations: %w", err)
	}
	defer stmt.Close()
	for _, opened := range slices.Sorted(maps.Keys(b.dirty)) {
		r := b.dirty[opened]
		f, err := json.Marshal(&r.facts)
		if err != nil {
			return fmt.Errorf("conversation %s: %w", r.id(), err)
		}
		own, err := json.Marshal(&r.personal)
		if err != nil {
			return fmt.Errorf("conversation %s: %w", r.id(), err)
		}
		s := &r.sight
		_, err = stmt.ExecContext(b.ctx, int64(r.opened), r.workspace, r.thread, r.number, r.ticket, r.contact, r.channel,
			string(r.direction), r.openedDepartment, r.openedAt, int64(r.revision), int64(r.sightFrom), s.State, s.Department,
			s.Owner, s.OwnerAtClose, spaced(s.Mentioned), flag(s.Archived), flag(s.Hidden), r.closedAt, r.category,
			string(f), string(own), r.workspace, r.contact, r.contact)
		if err != nil {
			return fmt.Errorf("conversation %s: %w", r.id(), err)
		}
	}
	return nil
}

// ofSurvey reports whether a message is an invitation to a survey, or the contact's answer to one: they are not among the
// messages that are counted.
func ofSurvey(c *domain.Commit, event thread.Event) bool {
	in := func(is func(domain.Event) bool) bool { return slices.ContainsFunc(c.Events, is) }
	switch event.(type) {
	case thread.MessageReceived:
		return in(func(e domain.Event) bool { _, is := e.(thread.Rated); return is })
	case thread.MessageSent:
		return in(func(e domain.Event) bool { _, is := e.(thread.SurveySent); return is })
	}
	return false
}

// remember keeps the open ones for the next batch.
func (b *batch) remember() {
	if len(b.p.open) > remembered {
		clear(b.p.open)
	}
	for p, r := range b.dirty {
		if r.sight.State == thread.StateClosed {
			delete(b.p.open, p)
		} else {
			b.p.open[p] = r
		}
	}
}

// idHash is what the channel's message id was made into; nil where there is none.
func idHash(event thread.Event) any {
	var h string
	switch e := event.(type) {
	case thread.MessageReceived:
		h = e.IDHash
	case thread.MessageSent:
		h = e.IDHash
	}
	if h == "" {
		return nil
	}
	return h
}

// spaced writes ids between spaces, so that one is found by LIKE '% id %'.
func spaced(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return " " + strings.Join(ids, " ") + " "
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
