package directory

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/projections"
)

// Change is one change of a setting: who did what to it, and what it became.
type Change struct {
	Position domain.Position  `json:"position"`
	Kind     string           `json:"kind"` // department, channel, operator, token, field, template …
	ID       string           `json:"id"`
	Did      string           `json:"did"` // the event: created, changed, defined, retired …
	Actor    string           `json:"actor"`
	Via      string           `json:"via,omitempty"`
	At       projections.Time `json:"at"`
	Became   json.RawMessage  `json:"became,omitempty"` // the whole of it; absent for operators and tokens, who have something personal
}

// ChangeFilter narrows the changes; fields that are set must hold.
type ChangeFilter struct {
	Kind string
	ID   string
	Range
}

// change notes what a commit changed of the settings. Presence and claims of extensions are none.
func (b *batch) change(c *domain.Commit, index int, event domain.Event) error {
	what, id, did := "", "", ""
	var became any
	switch e := event.(type) {
	case operator.Event:
		what, id = "operator", operator.DefinitionOf(e).ID
	case department.Event:
		what, id, became = "department", department.DefinitionOf(e).ID, department.DefinitionOf(e)
	case setting.ChannelCreated, setting.ChannelChanged, setting.ChannelRetired:
		channel := setting.ChannelOf(e.(setting.Event))
		what, id, became = "channel", channel.ID, channel
	case setting.TokenIssued, setting.TokenRevoked:
		what, id = "token", setting.TokenOf(e.(setting.Event)).ID
	case setting.Event:
		d := setting.DefinitionOf(e)
		if d == nil {
			return nil
		}
		what, id, became = string(d.Kind()), d.Ident(), toEverybody(d)
	default:
		return nil
	}
	if id == "" {
		return nil
	}
	name := fmt.Sprintf("%T", event)
	did = strings.ToLower(strings.TrimPrefix(name[strings.LastIndexByte(name, '.')+1:], titled(what)))
	body := ""
	if became != nil {
		data, err := json.Marshal(became)
		if err != nil {
			return err
		}
		body = string(data)
	}
	return b.exec(`INSERT INTO change (position, place, workspace, what, id, did, actor, via, at, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		int64(c.Position), index, c.Aggregate.Workspace, what, id, did, c.Actor.String(), c.Actor.Via, c.Time.UnixMilli(), body)
}

// toEverybody is a definition as everybody who reads settings may see it: of the address of a subscription, which may itself be a
// secret, only where it is.
func toEverybody(d setting.Definition) setting.Definition {
	s, ok := d.(setting.Subscription)
	if !ok {
		return d
	}
	u, err := url.Parse(s.URL)
	if s.URL = ""; err == nil {
		s.URL = u.Scheme + "://" + u.Host
	}
	return s
}

func titled(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// Changes lists the changes of settings, the newest first.
func (q *Queries) Changes(ctx context.Context, workspace string, f ChangeFilter) (Page[Change], error) {
	const list = "changes"
	after, err := f.after(list)
	if err != nil {
		return Page[Change]{}, err
	}
	before := int64(1)<<62 - 1
	if after != "" {
		if before, err = strconv.ParseInt(after, 10, 64); err != nil {
			return Page[Change]{}, ErrCursor
		}
	}
	where, args := `workspace = ? AND position < ?`, []any{workspace, before}
	if f.Kind != "" {
		where, args = where+` AND what = ?`, append(args, f.Kind)
	}
	if f.ID != "" {
		where, args = where+` AND id = ?`, append(args, f.ID)
	}
	p := Page[Change]{Items: []Change{}}
	p.Position, err = q.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT position, what, id, did, actor, via, at, body FROM change WHERE `+where+
			` ORDER BY position DESC, place DESC LIMIT ?`, append(args, f.limit()+1)...)
		if err != nil {
			return fmt.Errorf("list changes: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var c Change
			var at int64
			var body string
			if err := rows.Scan(&c.Position, &c.Kind, &c.ID, &c.Did, &c.Actor, &c.Via, &at, &body); err != nil {
				return fmt.Errorf("list changes: %w", err)
			}
			c.At = projections.Millis(at)
			if body != "" {
				c.Became = json.RawMessage(body)
			}
			p.Items = append(p.Items, c)
		}
		return rows.Err()
	})
	if len(p.Items) > f.limit() { // a commit of a setting has one event
		p.Items = p.Items[:f.limit()]
		p.HasMore, p.Next = true, cursor(list, strconv.FormatUint(uint64(p.Items[f.limit()-1].Position), 10))
	}
	return p, err
}
