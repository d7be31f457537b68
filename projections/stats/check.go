package stats

import (
	"context"
	"errors"

	"github.com/turno-desk/turno/projections"
)

var _ projections.Checker = (*Projection)(nil)

// Check looks for what can't be of samples and open conversations. See projections.Checker.
func (*Projection) Check(ctx context.Context, q projections.Querier) error {
	var errs []error
	for _, rule := range [...]struct{ broken, query string }{
		{"a sample ends before it begins",
			`SELECT ref FROM samples WHERE start > at LIMIT 1`},
		{"a sample was taken back before it was taken",
			`SELECT ref FROM samples WHERE until <> 0 AND until < ref LIMIT 1`},
		{"a sample has no dimensions",
			`SELECT ref FROM samples s WHERE NOT EXISTS (SELECT 1 FROM dims d WHERE d.id = s.dim) LIMIT 1`},
		{"an open conversation is none",
			`SELECT opened FROM open_conversations o WHERE NOT EXISTS (SELECT 1 FROM conversations c WHERE c.opened = o.opened) LIMIT 1`},
		{"a fold is of no conversation",
			`SELECT opened FROM folds f WHERE NOT EXISTS (SELECT 1 FROM conversations c WHERE c.opened = f.opened) LIMIT 1`},
	} {
		errs = append(errs, projections.Never(ctx, q, rule.broken, rule.query))
	}
	return errors.Join(errs...)
}
