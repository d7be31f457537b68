package projections

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/turno-desk/turno/domain"
)

// parked is an aggregate that the projection could not digest: from position on the view lacks it.
type parked struct {
	position domain.Position
	reason   string
	skipped  int
	since    time.Time
}

// Parked is an aggregate that a view lacks from Position on, because its projection could not digest the commit there.
type Parked struct {
	Aggregate string          `json:"aggregate"`
	Position  domain.Position `json:"position"`
	Reason    string          `json:"reason"`
	Skipped   int             `json:"skipped"` // commits passed by so far
	Since     Time            `json:"since"`
}

// ListParked gives the parked aggregates of the view behind q, oldest first.
func ListParked(ctx context.Context, q Querier) ([]Parked, error) {
	rows, err := q.QueryContext(ctx, `SELECT aggregate, position, reason, skipped, wall_since FROM runner_parked ORDER BY position, aggregate`)
	if err != nil {
		return nil, fmt.Errorf("list what is parked: %w", err)
	}
	defer rows.Close()
	var all []Parked
	for rows.Next() {
		var p Parked
		var position, since int64
		if err := rows.Scan(&p.Aggregate, &position, &p.Reason, &p.Skipped, &since); err != nil {
			return nil, fmt.Errorf("list what is parked: %w", err)
		}
		p.Position, p.Since = domain.Position(position), Millis(since)
		all = append(all, p)
	}
	return all, rows.Err()
}

// Release has the view of p built anew from the beginning of the log, by whatever runner is at work on it, so that what is
// parked gets another chance: with a projection that was mended. That is the only way. The commits that were passed by
// can't be put in where they are missing, since a projection may count on the log's order. While the view grows again,
// its answers say how far it is.
func Release(ctx context.Context, store Store, p Projection) error {
	version, err := store.EnsureVersion(ctx, p.Name(), p.Version())
	if err != nil {
		return fmt.Errorf("release what %s has parked: %w", p.Name(), err)
	}
	db, err := store.Writer(ctx, p.Name(), version, schema+p.Schema())
	if err != nil {
		return fmt.Errorf("release what %s has parked: %w", p.Name(), err)
	}
	defer db.Close()
	// No projection has version 0: the runner finds that the view is not its own.
	if _, err := db.ExecContext(ctx, `UPDATE runner_checkpoint SET version = 0`); err != nil {
		return fmt.Errorf("release what %s has parked: %w", p.Name(), err)
	}
	return nil
}

func loadParked(ctx context.Context, q Querier) (map[string]parked, error) {
	list, err := ListParked(ctx, q)
	if err != nil {
		return nil, err
	}
	all := make(map[string]parked, len(list))
	for _, p := range list {
		all[p.Aggregate] = parked{position: p.Position, reason: p.Reason, skipped: p.Skipped, since: p.Since.Time}
	}
	return all, nil
}

// park writes what was parked and passed by in a batch, and returns all that is parked then.
func park(ctx context.Context, tx *sql.Tx, before, fresh map[string]parked, skipped map[string]int) (map[string]parked, error) {
	if len(skipped) == 0 {
		return before, nil
	}
	all := make(map[string]parked, len(before)+len(fresh))
	for a, p := range before {
		all[a] = p
	}
	for a, p := range fresh {
		all[a] = p
	}
	for a, n := range skipped {
		p := all[a]
		p.skipped += n
		all[a] = p
		if _, err := tx.ExecContext(ctx, `INSERT INTO runner_parked (aggregate, position, reason, skipped, wall_since) VALUES (?1, ?2, ?3, ?4, ?5)
			ON CONFLICT (aggregate) DO UPDATE SET skipped = ?4`,
			a, int64(p.position), p.reason, p.skipped, p.since.UnixMilli()); err != nil {
			return nil, fmt.Errorf("park %s: %w", a, err)
		}
	}
	return all, nil
}
