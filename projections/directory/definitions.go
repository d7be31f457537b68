package directory

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
)

// Definition is one thing that the company has defined, as its kind has it, with its revision beside its fields.
type Definition struct {
	setting.Definition
	Retired  bool
	Revision domain.Position
}

// MarshalJSON puts revision and retired into the definition's own object.
func (d Definition) MarshalJSON() ([]byte, error) {
	body, err := json.Marshal(d.Definition)
	if err != nil {
		return nil, err
	}
	head := `{"revision":` + strconv.FormatUint(uint64(d.Revision), 10)
	if !d.Retired { // a retired one says so itself
		head += `,"retired":false`
	}
	return append([]byte(head+","), body[1:]...), nil
}

// DefinitionFilter narrows a list of definitions. Fields that are set must all hold.
type DefinitionFilter struct {
	Q        string // words of the name or the text, whatever their case
	Category string
	Language string
	Retired  *bool
	Range
}

// defined writes a definition.
func (b *batch) defined(c *domain.Commit, d setting.Definition) error {
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	category, language, search := described(d)
	return b.exec(`INSERT INTO definition (workspace, kind, id, category, language, retired, search, body, revision)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (workspace, kind, id) DO UPDATE SET category = excluded.category,
		language = excluded.language, retired = excluded.retired, search = excluded.search, body = excluded.body, revision = excluded.revision`,
		c.Aggregate.Workspace, string(d.Kind()), d.Ident(), category, language, flag(d.OutOfUse()), fold(search), string(body), int64(c.Position))
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// described is what a definition is found by besides its id.
func described(d setting.Definition) (category, language, search string) {
	switch d := d.(type) {
	case setting.Template:
		return d.Category, d.Language, d.ID + "\n" + d.Name + "\n" + d.Text
	case setting.Field:
		return "", "", d.ID + "\n" + d.Name
	case setting.Funnel:
		return "", "", d.ID + "\n" + d.Name
	case setting.Catalog:
		search = d.ID
		for _, it := range d.Items {
			search += "\n" + it.Name
		}
		return "", "", search
	case setting.Tag:
		return "", "", d.ID + "\n" + d.Name
	case setting.Macro:
		return "", "", d.ID + "\n" + d.Name
	case setting.Workflow:
		return "", "", d.ID + "\n" + d.Name
	case setting.Segment:
		return "", "", d.ID + "\n" + d.Name
	case setting.Inbox:
		return "", "", d.ID + "\n" + d.Name
	case setting.Subscription:
		return "", "", d.ID + "\n" + d.Name + "\n" + d.URL
	}
	return "", "", d.Ident()
}

// Definitions lists those of a kind by id, retired ones too unless the filter says otherwise.
func (q *Queries) Definitions(ctx context.Context, workspace string, kind setting.Kind, f DefinitionFilter) (Page[Definition], error) {
	name := "definition." + string(kind)
	after, err := f.after(name)
	if err != nil {
		return Page[Definition]{}, err
	}
	where, args := []string{`workspace = ?`, `kind = ?`, `id > ?`}, []any{workspace, string(kind), after}
	add := func(condition string, with any) { where, args = append(where, condition), append(args, with) }
	for _, w := range words(f.Q) {
		add(`search LIKE ? ESCAPE '\'`, w)
	}
	if f.Category != "" {
		add(`category = ?`, f.Category)
	}
	if f.Language != "" {
		add(`language = ?`, strings.ToLower(f.Language))
	}
	if f.Retired != nil {
		add(`retired = ?`, flag(*f.Retired))
	}
	p := Page[Definition]{Items: []Definition{}}
	p.Position, err = q.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT body, retired, revision FROM definition WHERE `+strings.Join(where, ` AND `)+` ORDER BY id LIMIT ?`,
			append(args, f.limit()+1)...)
		if err != nil {
			return fmt.Errorf("list definitions: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			d, err := scanDefinition(kind, rows)
			if err != nil {
				return fmt.Errorf("list definitions: %w", err)
			}
			p.Items = append(p.Items, d)
		}
		return rows.Err()
	})
	if len(p.Items) > f.limit() {
		p.Items = p.Items[:f.limit()]
		p.HasMore, p.Next = true, cursor(name, p.Items[f.limit()-1].Ident())
	}
	return p, err
}

// Definition gives one.
func (q *Queries) Definition(ctx context.Context, workspace string, kind setting.Kind, id string) (d Definition, at domain.Position, found bool, err error) {
	at, err = q.read(ctx, func(tx *sql.Tx) error {
		d, err = scanDefinition(kind, tx.QueryRowContext(ctx, `SELECT body, retired, revision FROM definition WHERE workspace = ? AND kind = ? AND id = ?`,
			workspace, string(kind), id))
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		found = err == nil
		return err
	})
	return d, at, found, err
}

func scanDefinition(kind setting.Kind, row interface{ Scan(...any) error }) (d Definition, err error) {
	var body string
	if err := row.Scan(&body, &d.Retired, &d.Revision); err != nil {
		return d, err
	}
	d.Definition, err = setting.ParseDefinition(kind, []byte(body))
	return d, err
}
