package history

import (
	"fmt"
	"strings"

	"github.com/turno-desk/turno/domain/access"
)

// rights turn the access rule into SQL. The SQL lets through no less than the rule; the rule itself, in domain/access,
// judges every row that comes back.
type rights struct {
	viewer      access.Viewer
	all, hidden bool
}

func newRights(v access.Viewer) rights {
	all, hidden := access.SeesAll(v)
	return rights{viewer: v, all: all, hidden: hidden}
}

// serving is SQL that is 1 where the viewer serves the contact of c now, or one that it is merged with.
func (r rights) serving() (string, []any) {
	if r.all || r.viewer.Operator == "" {
		return "0", nil
	}
	return `EXISTS (SELECT 1 FROM conversations s WHERE s.workspace = c.workspace AND s.person = c.person
		AND s.owner = ? AND s.state IN ('attending', 'paused') AND s.hidden = 0)`, []any{r.viewer.Operator}
}

// where is SQL for the conversations c that the viewer may see.
func (r rights) where() (string, []any) {
	switch {
	case r.all && r.hidden:
		return "1 = 1", nil
	case r.all:
		return "c.hidden = 0", nil
	case r.viewer.Operator == "":
		return "1 = 0", nil
	}
	me := r.viewer.Operator
	serving, args := r.serving()
	sql := `c.hidden = 0 AND (c.owner = ? OR c.owner_at_close = ? OR c.mentioned LIKE ? ESCAPE '\' OR (c.state = 'closed' AND ` + serving + `)`
	all := append([]any{me, me, "% " + strings.ReplaceAll(me, "_", `\_`) + " %"}, args...)
	if len(r.viewer.Departments) > 0 {
		sql += " OR c.department IN (" + marks(len(r.viewer.Departments)) + ")"
		for _, d := range r.viewer.Departments {
			all = append(all, d)
		}
	}
	return sql + ")", all
}

// sees judges one conversation as it is now.
func (r rights) sees(now *record, serving bool) bool {
	return access.MaySeeServing(r.viewer, &now.sight, serving)
}

// find returns the one conversation that the condition picks, if the viewer may see it: otherwise ErrNotFound.
func (r *reading) find(condition string, args ...any) (*record, error) {
	all, err := r.findAll(condition, args...)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, ErrNotFound
	}
	return all[0], nil
}

// findAll returns those that the condition picks and the viewer may see.
func (r *reading) findAll(condition string, args ...any) ([]*record, error) {
	serving, before := r.serving()
	found, err := r.tx.QueryContext(r.ctx, `SELECT `+recordColumns+`, `+serving+` FROM conversations c WHERE c.workspace = ? AND `+condition,
		append(append(before, r.workspace), args...)...)
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	defer found.Close()
	var all []*record
	for found.Next() {
		var serves bool
		now, err := scanRecord(found, &serves)
		if err != nil {
			return nil, fmt.Errorf("history: %w", err)
		}
		if r.sees(now, serves) {
			all = append(all, now)
		}
	}
	return all, found.Err()
}

func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }
