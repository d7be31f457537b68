package directory

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/hours"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/projections"
)

var operators = kind[Operator]{
	list: "operators", id: "o.id", idOf: func(o Operator) string { return o.ID },
	rows: `SELECT o.id, o.name, o.email, o.role, o.departments, o.capacity, o.extension, o.active, o.revision,
			coalesce(p.connected, 0), coalesce(p.available, 1), coalesce(p.reason, ''), coalesce(p.since, 0)
		FROM operator o LEFT JOIN presence p ON p.workspace = o.workspace AND p.operator = o.id WHERE o.workspace = ?`,
	scan: func(row interface{ Scan(...any) error }) (o Operator, err error) {
		var departments string
		var since int64
		if err := row.Scan(&o.ID, &o.Name, &o.Email, &o.Role, &departments, &o.Capacity, &o.Extension, &o.Active, &o.Revision,
			&o.Presence.Connected, &o.Presence.Available, &o.Presence.Reason, &since); err != nil {
			return o, err
		}
		o.Presence.Since = projections.MillisOrNil(since)
		return o, json.Unmarshal([]byte(departments), &o.Departments)
	},
}

// Operators lists all by id, deactivated ones too.
func (q *Queries) Operators(ctx context.Context, workspace string, r Range) (Page[Operator], error) {
	return page(ctx, q, operators, workspace, r)
}

// FindOperators gives the active ones who are meant by a search for a name or an extension (F083): each word of it is part of the
// name, whatever its case and accents, or begins the extension.
func (q *Queries) FindOperators(ctx context.Context, workspace, text string, r Range) (Page[Operator], error) {
	asked := strings.Fields(fold(text))
	means := func(o Operator) bool {
		name := fold(o.Name)
		return o.Active && !slices.ContainsFunc(asked, func(w string) bool {
			return !strings.Contains(name, w) && (o.Extension == "" || !strings.HasPrefix(o.Extension, w))
		})
	}
	found := Page[Operator]{Items: []Operator{}}
	for all := (Range{Cursor: r.Cursor, Limit: mostPage}); ; {
		p, err := q.Operators(ctx, workspace, all)
		if err != nil {
			return p, err
		}
		found.Position = p.Position
		for _, o := range p.Items {
			if !means(o) {
				continue
			}
			if n := len(found.Items); n == r.limit() {
				found.HasMore, found.Next = true, cursor(operators.list, found.Items[n-1].ID)
				return found, nil
			}
			found.Items = append(found.Items, o)
		}
		if all.Cursor = p.Next; !p.HasMore {
			return found, nil
		}
	}
}

// Operator gives one.
func (q *Queries) Operator(ctx context.Context, workspace, id string) (o Operator, at domain.Position, found bool, err error) {
	return one(ctx, q, operators, workspace, id)
}

var departments = kind[Department]{
	list: "departments", id: "id", idOf: func(d Department) string { return d.ID },
	rows: `SELECT body, revision FROM department WHERE workspace = ?`,
	scan: func(row interface{ Scan(...any) error }) (d Department, err error) {
		var body string
		if err := row.Scan(&body, &d.Revision); err != nil {
			return d, err
		}
		var def department.Definition
		if err := json.Unmarshal([]byte(body), &def); err != nil {
			return d, err
		}
		d.ID, d.Name, d.Retired, d.Capacity = def.ID, def.Name, def.Retired, def.Capacity
		d.Close = guards(def.Close)
		d.Settings = Settings(def.Settings)
		return d, nil
	},
}

func guards(g department.Guards) Guards {
	link := string(g.TicketLink)
	if link == "" {
		link = "auto"
	}
	return Guards{
		Fields: g.Fields, Classification: g.Classification, Parts: g.Parts, Funnel: g.Funnel, Category: g.Category, Summary: g.Summary,
		TicketLink: link,
	}
}

// Departments lists all by id, retired ones too.
func (q *Queries) Departments(ctx context.Context, workspace string, r Range) (Page[Department], error) {
	return page(ctx, q, departments, workspace, r)
}

// Department gives one.
func (q *Queries) Department(ctx context.Context, workspace, id string) (d Department, at domain.Position, found bool, err error) {
	return one(ctx, q, departments, workspace, id)
}

var channels = kind[Channel]{
	list: "channels", id: "id", idOf: func(c Channel) string { return c.ID },
	rows: `SELECT body, revision FROM channel WHERE workspace = ?`,
	scan: func(row interface{ Scan(...any) error }) (c Channel, err error) {
		var body string
		if err := row.Scan(&body, &c.Revision); err != nil {
			return c, err
		}
		var def setting.Channel
		if err := json.Unmarshal([]byte(body), &def); err != nil {
			return c, err
		}
		c.ID, c.Type, c.Name, c.Department, c.Extension, c.Retired = def.ID, def.Type, def.Name, def.Department, def.Extension, def.Retired
		c.Menu, c.BotStaysOff = def.Menu, def.BotStaysOff
		return c, nil
	},
}

// Channels lists all by id, retired ones too.
func (q *Queries) Channels(ctx context.Context, workspace string, r Range) (Page[Channel], error) {
	return page(ctx, q, channels, workspace, r)
}

// Channel gives one.
func (q *Queries) Channel(ctx context.Context, workspace, id string) (c Channel, at domain.Position, found bool, err error) {
	return one(ctx, q, channels, workspace, id)
}

var calendars = kind[Calendar]{
	list: "calendars", id: "id", idOf: func(c Calendar) string { return c.ID },
	rows: `SELECT body, revision FROM calendar WHERE workspace = ?`,
	scan: func(row interface{ Scan(...any) error }) (c Calendar, err error) {
		var body string
		if err := row.Scan(&body, &c.Revision); err != nil {
			return c, err
		}
		var def hours.Calendar
		if err := json.Unmarshal([]byte(body), &def); err != nil {
			return c, err
		}
		c.ID, c.Name, c.Versions = def.ID, def.Name, def.Versions
		return c, nil
	},
}

// Calendars lists all by id.
func (q *Queries) Calendars(ctx context.Context, workspace string, r Range) (Page[Calendar], error) {
	return page(ctx, q, calendars, workspace, r)
}

// Calendar gives one.
func (q *Queries) Calendar(ctx context.Context, workspace, id string) (c Calendar, at domain.Position, found bool, err error) {
	return one(ctx, q, calendars, workspace, id)
}

var tokens = kind[Token]{
	list: "tokens", id: "id", idOf: func(t Token) string { return t.ID },
	rows: `SELECT id, owner, name, scopes, fingerprint, revoked, issued_at, revision FROM token WHERE workspace = ?`,
	scan: func(row interface{ Scan(...any) error }) (t Token, err error) {
		var scopes string
		var issued int64
		if err := row.Scan(&t.ID, &t.Owner, &t.Name, &scopes, &t.Fingerprint, &t.Revoked, &issued, &t.Revision); err != nil {
			return t, err
		}
		t.IssuedAt = projections.Millis(issued)
		return t, json.Unmarshal([]byte(scopes), &t.Scopes)
	},
}

// Tokens lists those of an owner ("operator:ana", "service:crm", "admin"), of all owners of a kind ("service:"), or all when
// owner is empty, by id; revoked ones too.
func (q *Queries) Tokens(ctx context.Context, workspace, owner string, r Range) (Page[Token], error) {
	k := tokens
	switch {
	case strings.HasSuffix(owner, ":"):
		k.filter, k.arg = `substr(owner, 1, length(?3)) = ?3`, owner // behind the workspace and the place to begin at
	case owner != "":
		k.filter, k.arg = `owner = ?`, owner
	}
	return page(ctx, q, k, workspace, r)
}
