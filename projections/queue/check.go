package queue

import (
	"context"
	"errors"

	"github.com/turno-desk/turno/projections"
)

var _ projections.Checker = (*Projection)(nil)

// Check looks for what can't be of intervals and messages. See projections.Checker.
func (*Projection) Check(ctx context.Context, q projections.Querier) error {
	var errs []error
	for _, rule := range [...]struct{ broken, query string }{
		{"a conversation has two open intervals",
			`SELECT conv FROM interval WHERE to_position IS NULL GROUP BY conv HAVING count(*) > 1 LIMIT 1`},
		{"an interval ends before it begins",
			`SELECT from_position FROM interval WHERE to_position <= from_position LIMIT 1`},
		{"an interval is of no conversation",
			`SELECT from_position FROM interval i WHERE NOT EXISTS (SELECT 1 FROM conversation c WHERE c.conv = i.conv) LIMIT 1`},
		{"a conversation is in no state",
			`SELECT conv FROM conversation c WHERE NOT EXISTS (SELECT 1 FROM interval i WHERE i.conv = c.conv) LIMIT 1`},
		{"a message is of no conversation",
			`SELECT conv FROM moment m WHERE NOT EXISTS (SELECT 1 FROM conversation c WHERE c.conv = m.conv) LIMIT 1`},
	} {
		errs = append(errs, projections.Never(ctx, q, rule.broken, rule.query))
	}
	return errors.Join(errs...)
}
