package history

import (
	"context"
	"fmt"
	"slices"

	"github.com/turno-desk/turno/domain/access"
)

// ContactHistory lists the conversations of a contact and of those that it is merged with now, newest first. Whoever serves the contact now finds in it, Restricted,
// the open ones that are not theirs to see. ErrNotFound when there is nothing that the viewer may know of. ErrCursor.
func (q *Queries) ContactHistory(ctx context.Context, workspace string, v access.Viewer, contact, from string, limit int) (Page[Conversation], error) {
	var page Page[Conversation]
	err := q.read(ctx, workspace, v, 0, func(r *reading) error {
		when, opened, more, err := readCursor("contact", from)
		if err != nil {
			return err
		}
		known, err := r.known(contact)
		if err != nil {
			return err
		}
		if len(known) == 0 {
			return ErrNotFound
		}
		if more {
			i := slices.IndexFunc(known, func(k knownOf) bool {
				return k.openedAt < when || k.openedAt == when && int64(k.opened) < opened
			})
			if i < 0 {
				i = len(known)
			}
			known = known[i:]
		}
		limit = capped(limit)
		page = Page[Conversation]{Items: make([]Conversation, 0, min(limit, len(known))), Position: r.at}
		for i, k := range known {
			if i == limit {
				last := known[i-1]
				page.HasMore, page.Next = true, cursor("contact", last.openedAt, int64(last.opened))
				break
			}
			if k.seen {
				page.Items = append(page.Items, k.answer())
			} else {
				page.Items = append(page.Items, k.record.known())
			}
		}
		return nil
	})
	return page, err
}

// knownOf is a conversation that the viewer may know of, and whether they may see it too.
type knownOf struct {
	*record
	seen bool
}

// known reads all that the viewer may know of the conversations of a contact and of those it is merged with, newest first. A contact has tens, not thousands.
func (r *reading) known(contact string) ([]knownOf, error) {
	serving, args := r.serving()
	found, err := r.tx.QueryContext(r.ctx, "SELECT "+recordColumns+", "+serving+
		" FROM conversations c WHERE c.workspace = ? AND c.person = "+personOf+" ORDER BY c.opened_at DESC, c.opened DESC",
		append(args, r.workspace, contact, contact)...)
	if err != nil {
		return nil, fmt.Errorf("history: contact: %w", err)
	}
	defer found.Close()
	var all []knownOf
	for found.Next() {
		var serves bool
		now, err := scanRecord(found, &serves)
		if err != nil {
			return nil, fmt.Errorf("history: contact: %w", err)
		}
		seen := r.sees(now, serves)
		if seen || access.MayKnowOf(r.viewer, &now.sight, serves) {
			all = append(all, knownOf{now, seen})
		}
	}
	return all, found.Err()
}

// Serves reports whether an operator serves the contact now: owns an attended or paused conversation of it, or of one that
// it is merged with.
func (q *Queries) Serves(ctx context.Context, workspace, operator, contact string) (bool, error) {
	var serves bool
	err := q.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM conversations c
		WHERE c.workspace = ? AND c.person = `+personOf+` AND c.owner = ? AND c.state IN ('attending', 'paused') AND c.hidden = 0)`,
		workspace, contact, contact, operator).Scan(&serves)
	if err != nil {
		return false, fmt.Errorf("history: who serves: %w", err)
	}
	return serves, nil
}
