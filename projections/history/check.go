package history

import (
	"context"
	"errors"

	"github.com/turno-desk/turno/projections"
)

var _ projections.Checker = (*Projection)(nil)

// Check looks for what can't be of conversations and their entries. See projections.Checker.
func (*Projection) Check(ctx context.Context, q projections.Querier) error {
	var errs []error
	for _, rule := range [...]struct{ broken, query string }{
		{"an entry is of no conversation",
			`SELECT at FROM entries e WHERE NOT EXISTS (SELECT 1 FROM conversations c WHERE c.opened = e.conversation) LIMIT 1`},
		{"a conversation has no entry",
			`SELECT opened FROM conversations c WHERE NOT EXISTS (SELECT 1 FROM entries e WHERE e.conversation = c.opened) LIMIT 1`},
		{"a conversation was never to be seen",
			`SELECT opened FROM conversations c WHERE NOT EXISTS (SELECT 1 FROM sights s WHERE s.conversation = c.opened) LIMIT 1`},
		{"a sight ends before it begins",
			`SELECT from_position FROM sights WHERE to_position <= from_position LIMIT 1`},
		{"a tag ends before it begins",
			`SELECT from_position FROM tags WHERE to_position <= from_position LIMIT 1`},
	} {
		errs = append(errs, projections.Never(ctx, q, rule.broken, rule.query))
	}
	return errors.Join(errs...)
}
