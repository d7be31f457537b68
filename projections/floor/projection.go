package floor

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/hours"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/presence"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/projections"
)

// Name of the projection.
const Name = "floor"

const version = 4

// schema: item holds the floor itself, one JSON text for each thing on it; there is none for what is not there any more.
// timer is the table of due times, in Unix milliseconds.
const schema = `
CREATE TABLE IF NOT EXISTS item (
	workspace TEXT NOT NULL,
	kind TEXT NOT NULL,
	id TEXT NOT NULL,
	data TEXT NOT NULL,
	PRIMARY KEY (workspace, kind, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS timer (
	workspace TEXT NOT NULL,
	kind TEXT NOT NULL,
	target TEXT NOT NULL,
	due INTEGER NOT NULL,
	cause TEXT NOT NULL,
	PRIMARY KEY (workspace, kind, target)
) WITHOUT ROWID;
`

// The kinds of things on a floor.
const (
	kindConversation = "conversation"
	kindHand         = "hand"
	kindOperator     = "operator"
	kindPresence     = "presence"
	kindDepartment   = "department"
	kindCalendar     = "calendar"
	kindChannel      = "channel"
	kindAssignee     = "assignee"
	kindWorkflow     = "workflow"
	kindRun          = "run"
	kindTimer        = "timer"
)

type key struct{ kind, id string }

// settingKeys are the things that an event of the settings is about.
func settingKeys(e domain.Event) []key {
	switch e := e.(type) {
	case operator.Event:
		return []key{{kindOperator, operator.DefinitionOf(e).ID}}
	case presence.Event:
		return []key{{kindPresence, presence.StatusOf(e).Operator}}
	case department.Event:
		return []key{{kindDepartment, department.DefinitionOf(e).ID}}
	case hours.Event:
		return []key{{kindCalendar, hours.CalendarOf(e).ID}}
	case setting.ChannelCreated, setting.ChannelChanged, setting.ChannelRetired:
		return []key{{kindChannel, setting.ChannelOf(e.(setting.Event)).ID}}
	}
	return nil
}

// nameless is the commit as the floor keeps it: without what is personal, and without the settings that it has no use for.
func nameless(c *domain.Commit) domain.Commit {
	bare := *c
	bare.Events = nil
	for _, e := range c.Events {
		switch e := e.(type) {
		case operator.Event:
			d := operator.DefinitionOf(e)
			d.Name, d.Email = "", ""
			bare.Events = append(bare.Events, operator.Changed{Definition: d})
		case presence.Event:
			status := presence.StatusOf(e)
			status.Reason = ""
			if _, left := e.(presence.Disconnected); left {
				bare.Events = append(bare.Events, presence.Disconnected{Status: status})
				continue
			}
			bare.Events = append(bare.Events, presence.Connected{Status: status})
		case department.Event, hours.Event, setting.ChannelCreated, setting.ChannelChanged, setting.ChannelRetired:
			bare.Events = append(bare.Events, e)
		}
	}
	return bare
}

// Projection keeps the rows of every workspace's floor.
type Projection struct {
	floors map[string]*State
	dirty  map[string]map[key]struct{}
	loaded bool
}

var _ projections.Projection = (*Projection)(nil)

// NewProjection makes the projection.
func NewProjection() *Projection {
	p := &Projection{}
	p.Forget()
	return p
}

// Name is "floor".
func (*Projection) Name() string { return Name }

// Version is that of the tables' meaning.
func (*Projection) Version() int { return version }

// Schema creates the tables.
func (*Projection) Schema() string { return schema }

// Opens is false: nothing personal is on the floor.
func (*Projection) Opens() bool { return false }

// Forget drops the floors.
func (p *Projection) Forget() {
	p.floors, p.dirty, p.loaded = map[string]*State{}, map[string]map[key]struct{}{}, false
}

// Begin starts a batch. The first one reads the floors from their rows.
func (p *Projection) Begin(ctx context.Context, tx *sql.Tx) (projections.Batch, error) {
	if !p.loaded {
		floors, err := loadAll(ctx, tx, "")
		if err != nil {
			return nil, err
		}
		p.loaded = true
		for _, s := range floors {
			p.adopt(s)
		}
	}
	return batch{p, tx}, nil
}

func (p *Projection) adopt(s *State) {
	p.floors[s.Workspace] = s
	dirty := map[key]struct{}{}
	p.dirty[s.Workspace] = dirty
	s.changed = func(k key) { dirty[k] = struct{}{} }
}

type batch struct {
	p  *Projection
	tx *sql.Tx
}

// Apply folds the commit into its workspace's floor.
func (b batch) Apply(c *domain.Commit) error {
	s := b.p.floors[c.Aggregate.Workspace]
	if s == nil {
		s = New(c.Aggregate.Workspace)
		b.p.adopt(s)
	}
	s.Apply(c)
	return nil
}

// Flush writes what has changed.
func (b batch) Flush(ctx context.Context) error {
	for workspace, dirty := range b.p.dirty {
		for k := range dirty {
			if err := b.write(ctx, b.p.floors[workspace], k); err != nil {
				return fmt.Errorf("write the %s %s: %w", k.kind, k.id, err)
			}
		}
		clear(dirty)
	}
	return nil
}

func (b batch) write(ctx context.Context, s *State, k key) error {
	if k.kind == kindTimer {
		return b.writeTimer(ctx, s, timerKeyOf(k.id))
	}
	value, found := s.item(k)
	if !found {
		_, err := b.tx.ExecContext(ctx, `DELETE FROM item WHERE workspace = ? AND kind = ? AND id = ?`, s.Workspace, k.kind, k.id)
		return err
	}
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, err = b.tx.ExecContext(ctx, `INSERT INTO item (workspace, kind, id, data) VALUES (?, ?, ?, ?)
		ON CONFLICT (workspace, kind, id) DO UPDATE SET data = excluded.data`, s.Workspace, k.kind, k.id, string(data))
	return err
}

func (b batch) writeTimer(ctx context.Context, s *State, k TimerKey) error {
	timer, found := s.Timers.Get(k)
	if !found {
		_, err := b.tx.ExecContext(ctx, `DELETE FROM timer WHERE workspace = ? AND kind = ? AND target = ?`, s.Workspace, string(k.Kind), k.Target)
		return err
	}
	_, err := b.tx.ExecContext(ctx, `INSERT INTO timer (workspace, kind, target, due, cause) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (workspace, kind, target) DO UPDATE SET due = excluded.due, cause = excluded.cause`,
		s.Workspace, string(k.Kind), k.Target, timer.Due.UnixMilli(), timer.Cause)
	return err
}

// item is what is kept of one thing.
func (s *State) item(k key) (value any, found bool) {
	switch k.kind {
	case kindConversation:
		value, found = s.Conversations[k.id]
	case kindHand:
		value, found = s.Hands[k.id]
	case kindOperator:
		value, found = s.Image.Operators[k.id]
	case kindPresence:
		value, found = s.Image.Presence[k.id]
	case kindDepartment:
		value, found = s.Image.Departments[k.id]
	case kindCalendar:
		value, found = s.Image.Calendars[k.id]
	case kindChannel:
		value, found = s.Image.Channels[k.id]
	case kindAssignee:
		value, found = s.Assignees[k.id]
	case kindWorkflow:
		value, found = s.Workflows[k.id]
	case kindRun:
		value, found = s.Runs[k.id]
	}
	return value, found
}

// Load reads the floor of a workspace, and the position that the view has come to, as of one moment. db reads the view.
func Load(ctx context.Context, db *sql.DB, workspace string) (*State, error) {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("read the floor: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // reading only
	floors, err := loadAll(ctx, tx, workspace)
	if err != nil {
		return nil, err
	}
	s := floors[workspace]
	if s == nil {
		s = New(workspace)
	}
	s.Position, err = projections.PositionOf(ctx, tx)
	return s, err
}

// loadAll reads the floors of all workspaces, or of one.
func loadAll(ctx context.Context, q projections.Querier, only string) (map[string]*State, error) {
	floors := map[string]*State{}
	rows, err := q.QueryContext(ctx, `SELECT workspace, kind, id, data FROM item WHERE workspace = ?1 OR ?1 = ''`, only)
	if err != nil {
		return nil, fmt.Errorf("read the floor: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var workspace, data string
		var k key
		if err := rows.Scan(&workspace, &k.kind, &k.id, &data); err != nil {
			return nil, fmt.Errorf("read the floor: %w", err)
		}
		s := floors[workspace]
		if s == nil {
			s = New(workspace)
			s.Image.Operators, s.Image.Presence = map[string]operator.Definition{}, map[string]presence.Status{}
			s.Image.Departments, s.Image.Calendars = map[string]department.Definition{}, map[string]hours.Calendar{}
			s.Image.Channels = map[string]setting.Channel{}
			s.Image.Left = map[string]time.Time{}
			floors[workspace] = s
		}
		if err := s.put(k, []byte(data)); err != nil {
			return nil, fmt.Errorf("read the %s %s: %w", k.kind, k.id, err)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the floor: %w", err)
	}
	for _, s := range floors {
		maps.Copy(s.suspect, s.Conversations)
		maps.DeleteFunc(s.suspect, func(_ string, c *Conversation) bool { return c.Owner == "" })
	}
	return floors, loadTimers(ctx, q, only, floors)
}

func (s *State) put(k key, data []byte) error {
	switch k.kind {
	case kindConversation:
		conv := &Conversation{}
		if err := json.Unmarshal(data, conv); err != nil {
			return err
		}
		s.Conversations[k.id] = conv
		s.list(conv)
		return nil
	case kindHand:
		if err := into(s.Hands, k.id, data); err != nil {
			return err
		}
		if h := s.Hands[k.id]; !h.Left.IsZero() {
			s.Image.Left[k.id] = h.Left
		}
		return nil
	case kindOperator:
		return into(s.Image.Operators, k.id, data)
	case kindPresence:
		return into(s.Image.Presence, k.id, data)
	case kindDepartment:
		return into(s.Image.Departments, k.id, data)
	case kindCalendar:
		return into(s.Image.Calendars, k.id, data)
	case kindChannel:
		return into(s.Image.Channels, k.id, data)
	case kindAssignee:
		return into(s.Assignees, k.id, data)
	case kindWorkflow:
		return into(s.Workflows, k.id, data)
	case kindRun:
		w := &Waiting{}
		if err := json.Unmarshal(data, w); err != nil {
			return err
		}
		s.hold(w)
		return nil
	}
	return errors.New("the floor knows no such kind of thing")
}

func into[V any](m map[string]V, id string, data []byte) error {
	var v V
	err := json.Unmarshal(data, &v)
	m[id] = v
	return err
}

func loadTimers(ctx context.Context, q projections.Querier, only string, floors map[string]*State) error {
	rows, err := q.QueryContext(ctx, `SELECT workspace, kind, target, due, cause FROM timer WHERE workspace = ?1 OR ?1 = ''`, only)
	if err != nil {
		return fmt.Errorf("read the timers: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var workspace, kind, target, cause string
		var due int64
		if err := rows.Scan(&workspace, &kind, &target, &due, &cause); err != nil {
			return fmt.Errorf("read the timers: %w", err)
		}
		if s := floors[workspace]; s != nil {
			s.Timers.start(Timer{TimerKey: TimerKey{TimerKind(kind), target}, Due: time.UnixMilli(due), Cause: cause})
		}
	}
	return rows.Err()
}
