package memory

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

// chunk is how many commits Read delivers at once when it is not told.
const chunk = 500

// Read delivers the log in order. See projections.Source.
func (s *Store) Read(ctx context.Context, after domain.Position, o projections.ReadOptions, fn func([]domain.Commit) error) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	limit := o.Max
	if limit <= 0 {
		limit = chunk
	}
	records, grown := s.snapshot()
	head := uint64(len(records))
	if uint64(after) > head {
		return fmt.Errorf("read after %d of a log of %d: %w", after, head, projections.ErrAhead)
	}
	next := uint64(after) + 1
	for {
		for next <= uint64(len(records)) {
			end := min(next+uint64(limit)-1, uint64(len(records)))
			if o.ToHead {
				end = min(end, head)
			}
			if end < next {
				return nil
			}
			commits := make([]domain.Commit, 0, end-next+1)
			for ; next <= end; next++ {
				c, err := s.decode(ctx, records, next, o.Open)
				if err != nil {
					return err
				}
				commits = append(commits, c)
			}
			if err := fn(commits); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		if o.ToHead {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-grown:
		}
		records, grown = s.snapshot()
	}
}

// Latest returns the newest commit of every aggregate of the categories. See command.SettingsLog.
func (s *Store) Latest(ctx context.Context, workspace string, categories ...domain.Category) ([]domain.Commit, domain.Position, error) {
	if err := s.ready(ctx); err != nil {
		return nil, 0, err
	}
	s.mu.RLock()
	records := s.records
	var at []uint64
	for _, seq := range s.tails {
		if belongs(records[seq-1].aggregate, workspace, categories) {
			at = append(at, seq)
		}
	}
	s.mu.RUnlock()
	slices.Sort(at)
	commits := make([]domain.Commit, 0, len(at))
	for _, seq := range at {
		c, err := s.decode(ctx, records, seq, true)
		if err != nil {
			return nil, 0, err
		}
		commits = append(commits, c)
	}
	return commits, domain.Position(len(records)), nil
}

// Newest returns the position of the newest commit of the categories. See command.SettingsLog.
func (s *Store) Newest(ctx context.Context, workspace string, categories ...domain.Category) (newest, upTo domain.Position, err error) {
	if err := s.ready(ctx); err != nil {
		return 0, 0, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, seq := range s.tails {
		if belongs(s.records[seq-1].aggregate, workspace, categories) {
			newest = max(newest, domain.Position(seq))
		}
	}
	return newest, domain.Position(len(s.records)), nil
}

// freshly is how often Follow says that it has delivered everything.
const freshly = 200 * time.Millisecond

// Follow delivers the commits of the categories as they come. See command.SettingsLog.
func (s *Store) Follow(ctx context.Context, workspace string, after domain.Position, categories []domain.Category, fn func(domain.Commit), fresh func()) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	tick := time.NewTicker(freshly)
	defer tick.Stop()
	records, grown := s.snapshot()
	if uint64(after) > uint64(len(records)) {
		return fmt.Errorf("follow after %d of a log of %d: %w", after, len(records), projections.ErrAhead)
	}
	for next := uint64(after) + 1; ; records, grown = s.snapshot() {
		for ; next <= uint64(len(records)); next++ {
			if !belongs(records[next-1].aggregate, workspace, categories) {
				continue
			}
			c, err := s.decode(ctx, records, next, true)
			if err != nil {
				return err
			}
			fn(c)
		}
		fresh()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-grown:
		case <-tick.C:
		}
	}
}

func belongs(a domain.Aggregate, workspace string, categories []domain.Category) bool {
	return a.Workspace == workspace && slices.Contains(categories, a.Category)
}
