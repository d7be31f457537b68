package projections

import (
	"context"
	"errors"

	"github.com/turno-desk/turno/domain"
)

const sequenceMask = 1<<domain.EpochBits - 1

// Sequence is a position without its epoch.
func Sequence(p domain.Position) domain.Position { return p & sequenceMask }

// Onto is the position that the log has now at the sequence of p, up to its head: from somewhere on a log that was restored from an
// older copy counts in another epoch.
func Onto(ctx context.Context, source Source, p, head domain.Position) (domain.Position, error) {
	sequence := Sequence(p)
	if _, sparse := source.(Sparse); sparse || sequence == 0 || head <= sequenceMask {
		return p, nil
	}
	if sequence >= Sequence(head) {
		return head, nil
	}
	for epoch := head >> domain.EpochBits; ; epoch-- {
		at := epoch<<domain.EpochBits | sequence
		_, err := source.At(ctx, at)
		switch {
		case err == nil:
			return at, nil
		case !errors.Is(err, ErrNoCommit) && !errors.Is(err, ErrAhead):
			return 0, err
		case epoch == 0:
			return head, nil // never: every sequence up to the head has a position
		}
	}
}

// OnLog reports whether the log has that commit at a position. Without a commit's id a position of today's epoch is on it.
func OnLog(ctx context.Context, source Source, p domain.Position, commit string, head domain.Position) (bool, error) {
	switch {
	case p > head:
		return false, nil
	case commit == "" && p>>domain.EpochBits == head>>domain.EpochBits:
		return true, nil
	}
	c, err := source.At(ctx, p)
	if errors.Is(err, ErrNoCommit) || errors.Is(err, ErrAhead) {
		return false, nil
	}
	return err == nil && (commit == "" || c.ID == commit), err
}
