package directory

import (
	"context"
	"database/sql"
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/hours"
	"github.com/turno-desk/turno/domain/identity"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/presence"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

// Name of the projection.
const Name = "directory"

// version grows with every change of what the tables hold.
const version = 3

//go:embed schema.sql
var schema string

// Projection builds the view. It remembers nothing between batches.
type Projection struct{}

var _ projections.Projection = (*Projection)(nil)

// New makes the projection.
func New() *Projection { return &Projection{} }

// Name is "directory".
func (*Projection) Name() string { return Name }

// Version is that of the tables' meaning.
func (*Projection) Version() int { return version }

// Schema creates the tables.
func (*Projection) Schema() string { return schema }

// Opens is true: names and addresses are shown and searched.
func (*Projection) Opens() bool { return true }

// Forget has nothing to drop.
func (*Projection) Forget() {}

// Begin starts a batch.
func (*Projection) Begin(ctx context.Context, tx *sql.Tx) (projections.Batch, error) {
	return &batch{ctx: ctx, tx: tx, contacts: map[contactKey]*record{}, stmts: map[string]*sql.Stmt{}}, nil
}

// batch writes as it goes, save contacts, which it folds in memory.
type batch struct {
	ctx context.Context
	tx  *sql.Tx

	contacts map[contactKey]*record
	touched  []*record
	stmts    map[string]*sql.Stmt
}

// Apply takes in what a commit says of who and what there is. Most commits say nothing of it.
func (b *batch) Apply(c *domain.Commit) error {
	switch c.Aggregate.Category {
	case domain.CategoryThread, domain.CategoryContact, domain.CategoryIdentity, domain.CategoryOperator,
		domain.CategoryPresence, domain.CategoryDepartment, domain.CategorySetting:
	default:
		return nil
	}
	for i, e := range c.Events {
		if err := b.event(c, e); err != nil {
			return fmt.Errorf("%T: %w", e, err)
		}
		if err := b.change(c, i, e); err != nil {
			return fmt.Errorf("%T: %w", e, err)
		}
	}
	return nil
}

func (b *batch) event(c *domain.Commit, event domain.Event) error {
	switch e := event.(type) {
	case thread.Opened:
		return b.opened(c, e)
	case thread.Erased:
		return b.erasedThread(c, e)
	case contact.Event:
		return b.contact(c, e)
	case identity.Claimed:
		return b.identity(c, identityRow{
			id: c.Aggregate.ID, thread: e.Thread, contact: e.Contact, channel: e.Channel, address: string(e.Address),
		})
	case identity.Released:
		return b.exec(`DELETE FROM identity WHERE workspace = ? AND id = ? AND thread = ?`, c.Aggregate.Workspace, c.Aggregate.ID, e.Thread)
	case operator.Erased:
		return b.erasedOperator(c, e.Definition)
	case operator.Event:
		return b.operator(c, operator.DefinitionOf(e))
	case presence.Event:
		return b.presence(c, presence.StatusOf(e))
	case department.Event:
		return b.definition(c, `department`, department.DefinitionOf(e).ID, department.DefinitionOf(e))
	case hours.Event:
		return b.definition(c, `calendar`, hours.CalendarOf(e).ID, hours.CalendarOf(e))
	case setting.ChannelCreated, setting.ChannelChanged, setting.ChannelRetired:
		channel := setting.ChannelOf(e.(setting.Event))
		return b.definition(c, `channel`, channel.ID, channel)
	case setting.TokenIssued, setting.TokenRevoked:
		return b.token(c, setting.TokenOf(e.(setting.Event)))
	case setting.Event:
		if d := setting.DefinitionOf(e); d != nil {
			return b.defined(c, d)
		}
	}
	return nil
}

// Flush writes the contacts.
func (b *batch) Flush(context.Context) error {
	for _, r := range b.touched {
		if err := b.save(r); err != nil {
			return err
		}
	}
	persons := map[*record]bool{}
	for _, r := range b.touched {
		for _, id := range []string{r.id, r.person} { // who was merged away is shown no more, by whoever survives
			p, err := b.look(contactKey{r.workspace, id})
			if err != nil {
				return err
			}
			if persons[p] {
				continue
			}
			persons[p] = true
			if err := b.show(p); err != nil {
				return err
			}
		}
	}
	for _, s := range b.stmts {
		if err := s.Close(); err != nil {
			return fmt.Errorf("end a batch: %w", err)
		}
	}
	return nil
}

// stmt is a statement of this batch, prepared once.
func (b *batch) stmt(query string) (*sql.Stmt, error) {
	if s := b.stmts[query]; s != nil {
		return s, nil
	}
	s, err := b.tx.PrepareContext(b.ctx, query)
	if err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	b.stmts[query] = s
	return s, nil
}

func (b *batch) exec(query string, args ...any) error {
	s, err := b.stmt(query)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(b.ctx, args...)
	return err
}

func (b *batch) operator(c *domain.Commit, d operator.Definition) error {
	departments, err := list(d.Departments)
	if err != nil {
		return err
	}
	return b.exec(`INSERT INTO operator (workspace, id, name, email, role, departments, capacity, extension, active, revision)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (workspace, id) DO UPDATE
		SET name = excluded.name, email = excluded.email, role = excluded.role, departments = excluded.departments,
			capacity = excluded.capacity, extension = excluded.extension, active = excluded.active, revision = excluded.revision`,
		c.Aggregate.Workspace, d.ID, string(d.Name), string(d.Email), string(d.Role), departments, d.Capacity, d.Extension, d.Active, int64(c.Position))
}

// erasedOperator blanks what there is of the operator, whatever the event still says.
func (b *batch) erasedOperator(c *domain.Commit, d operator.Definition) error {
	d.Name, d.Email = blank(d.Name), blank(d.Email)
	if err := b.operator(c, d); err != nil {
		return err
	}
	w := c.Aggregate.Workspace
	if err := b.exec(`UPDATE presence SET reason = ? WHERE workspace = ? AND operator = ? AND reason <> ''`, string(domain.Erased), w, d.ID); err != nil {
		return err
	}
	return b.exec(`UPDATE token SET name = ? WHERE workspace = ? AND owner = ? AND name <> ''`, string(domain.Erased), w, "operator:"+d.ID)
}

func blank(p domain.Personal) domain.Personal {
	if p == "" {
		return ""
	}
	return domain.Erased
}

func (b *batch) presence(c *domain.Commit, s presence.Status) error {
	return b.exec(`INSERT INTO presence (workspace, operator, connected, available, reason, since) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (workspace, operator) DO UPDATE SET connected = excluded.connected, available = excluded.available,
			reason = excluded.reason, since = excluded.since`,
		c.Aggregate.Workspace, s.Operator, s.Connected, s.Available, string(s.Reason), c.Time.UnixMilli())
}

func (b *batch) definition(c *domain.Commit, table, id string, definition any) error {
	body, err := json.Marshal(definition)
	if err != nil {
		return err
	}
	return b.exec(`INSERT INTO `+table+` (workspace, id, body, revision) VALUES (?, ?, ?, ?)
		ON CONFLICT (workspace, id) DO UPDATE SET body = excluded.body, revision = excluded.revision`,
		c.Aggregate.Workspace, id, string(body), int64(c.Position))
}

func (b *batch) token(c *domain.Commit, t setting.Token) error {
	scopes, err := list(t.Scopes)
	if err != nil {
		return err
	}
	return b.exec(`INSERT INTO token (workspace, id, owner, name, scopes, fingerprint, revoked, issued_at, revision)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (workspace, id) DO UPDATE
		SET owner = ?3, name = ?4, scopes = ?5, fingerprint = ?6, revoked = ?7, revision = ?9, issued_at = CASE WHEN token.fingerprint = ?6 THEN token.issued_at ELSE ?8 END`,
		c.Aggregate.Workspace, t.ID, t.Owner, string(t.Name), scopes, t.Fingerprint, t.Revoked, c.Time.UnixMilli(), int64(c.Position))
}

// list is the JSON of a list, [] for none.
func list(of []string) (string, error) {
	if len(of) == 0 {
		return "[]", nil
	}
	b, err := json.Marshal(of)
	return string(b), err
}
