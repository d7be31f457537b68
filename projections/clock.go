package projections

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/turno-desk/turno/domain"
)

// PositionAt is the position that `as_of=<time>` means: the largest whose running maximum of `recorded` is not later than
// t; 0 when the log began later. view knows the time of each second's first commit; the rest is read from the log. It is
// no further than the view has come.
func PositionAt(ctx context.Context, view Querier, log Source, t time.Time) (domain.Position, error) {
	at, err := PositionOf(ctx, view)
	if err != nil {
		return 0, err
	}
	var known, ahead int64
	err = view.QueryRowContext(ctx, `SELECT
		coalesce((SELECT position FROM runner_clock WHERE recorded <= ?1 ORDER BY recorded DESC LIMIT 1), 0),
		coalesce((SELECT position FROM runner_clock WHERE recorded > ?1 ORDER BY recorded LIMIT 1), 0)`, t.UnixMilli()).Scan(&known, &ahead)
	if err != nil {
		return 0, fmt.Errorf("read the view's clock: %w", err)
	}
	p := domain.Position(known)
	found := errors.New("found")
	err = log.Read(ctx, p, ReadOptions{Max: 500, ToHead: true}, func(chunk []domain.Commit) error {
		for i := range chunk {
			if chunk[i].Recorded.After(t) || chunk[i].Position > at || chunk[i].Position == domain.Position(ahead) {
				return found
			}
			p = chunk[i].Position
		}
		return nil
	})
	if err != nil && !errors.Is(err, found) {
		return 0, fmt.Errorf("find the position of %s: %w", t.UTC().Format(TimeFormat), err)
	}
	return p, nil
}

// Now is what a request with a position takes for the present: the largest `recorded` up to p, as of the beginning of its
// second in the log. The zero time when there is none.
func Now(ctx context.Context, view Querier, p domain.Position) (time.Time, error) {
	var ms int64
	err := view.QueryRowContext(ctx, `SELECT coalesce((SELECT recorded FROM runner_clock WHERE position <= ? ORDER BY position DESC LIMIT 1), 0)`,
		int64(p)).Scan(&ms)
	if err != nil {
		return time.Time{}, fmt.Errorf("read the view's clock: %w", err)
	}
	if ms == 0 {
		return time.Time{}, nil
	}
	return time.UnixMilli(ms).UTC(), nil
}
