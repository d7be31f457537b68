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

// byHand is the reason of what a person parked.
const byHand = "parked by hand"

// Park takes an aggregate out of the active version of a view from now on, whoever is at work on it: what the view holds
// of it stays as it is. fresh is false when it was parked already. It comes back with a rebuild, and only so: commits that
// were passed by can't be put in where they are missing, since a projection may count on the log's order.
func Park(ctx context.Context, store Store, projection, aggregate string) (fresh bool, err error) {
	version, found, err := store.Active(ctx, projection)
	if err != nil {
		return false, err
	}
	if !found {
		return false, fmt.Errorf("park an aggregate of %s: %w", projection, ErrNoVersion)
	}
	db, err := writer(ctx, store, projection, version, "")
	if err != nil {
		return false, err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return false, fmt.Errorf("park %s: %w", aggregate, err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	// The runner's next batch finds another revision, and reads anew what is parked.
	if _, err := tx.ExecContext(ctx, `UPDATE runner_checkpoint SET revision = revision + 1`); err != nil {
		return false, fmt.Errorf("park %s: %w", aggregate, err)
	}
	at, err := PositionOf(ctx, tx)
	if err != nil {
		return false, err
	}
	done, err := tx.ExecContext(ctx, `INSERT INTO runner_parked (aggregate, position, reason, skipped, wall_since) VALUES (?, ?, ?, 0, ?)
		ON CONFLICT (aggregate) DO NOTHING`, aggregate, int64(at)+1, byHand, time.Now().UnixMilli())
	if err != nil {
		return false, fmt.Errorf("park %s: %w", aggregate, err)
	}
	n, err := done.RowsAffected()
	if err != nil {
		return false, fmt.Errorf("park %s: %w", aggregate, err)
	}
	if err := tx.Commit(); err != nil {
		return false, fmt.Errorf("park %s: %w", aggregate, err)
	}
	return n == 1, nil
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
