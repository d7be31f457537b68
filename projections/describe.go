package projections

import (
	"context"
	"errors"

	"github.com/turno-desk/turno/domain"
)

// VersionState is how one version of a view stands against the log.
type VersionState struct {
	VersionInfo
	Position domain.Position
	Lag      uint64 // commits of the log that are not in it; an estimate where positions are not contiguous
	Parked   []Parked
}

// Describe lists the versions of a view, by number.
func Describe(ctx context.Context, source Source, store Store, projection string) ([]VersionState, error) {
	head, err := source.Head(ctx)
	if err != nil {
		return nil, err
	}
	versions, err := store.Versions(ctx, projection)
	if err != nil {
		return nil, err
	}
	var all []VersionState
	for _, v := range versions {
		s, err := describe(ctx, store, projection, v)
		if err != nil {
			return nil, err
		}
		s.Lag = distance(source, s.Position, head)
		all = append(all, s)
	}
	return all, nil
}

func describe(ctx context.Context, store Store, projection string, v VersionInfo) (s VersionState, err error) {
	s.VersionInfo = v
	db, err := store.ReaderOf(ctx, projection, v.Number)
	if errors.Is(err, ErrNoVersion) { // entered, and not written to yet
		return s, nil
	}
	if err != nil {
		return s, err
	}
	defer db.Close()
	if s.Position, err = PositionOf(ctx, db); err != nil {
		return s, err
	}
	s.Parked, err = ListParked(ctx, db)
	return s, err
}
