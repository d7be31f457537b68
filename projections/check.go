package projections

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// ErrBroken says that a version breaks a rule that its projection states about its own rows.
var ErrBroken = errors.New("the version breaks its own rules")

// Checker is what a Projection is besides that knows what must be true of its rows.
type Checker interface {
	// Check says what of it is not; nil when all is. It names rows by keys and numbers, nothing personal.
	Check(ctx context.Context, q Querier) error
}

// Never is a rule for Check: query selects a number or an id of what breaks it, and must find nothing.
func Never(ctx context.Context, q Querier, rule, query string) error {
	var key string
	switch err := q.QueryRowContext(ctx, query).Scan(&key); {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("check that never %s: %w", rule, err)
	}
	return fmt.Errorf("%s: %s", rule, key)
}

// sound has the projection check the open version.
func (r *Runner) sound(ctx context.Context) error {
	c, ok := r.projection.(Checker)
	if !ok {
		return nil
	}
	db, err := r.store.ReaderOf(ctx, r.projection.Name(), r.version)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := c.Check(ctx, db); err != nil {
		return fmt.Errorf("projection %s version %d: %w: %w", r.projection.Name(), r.version, ErrBroken, err)
	}
	return nil
}
