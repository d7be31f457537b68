package http

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

// clockSkew is how far the clocks of two engines may lie apart. Within one thread `recorded` never goes back; across
// threads it may, by this much.
const clockSkew = 5 * time.Second

// errFound ends a read of the log that has seen enough.
var errFound = errors.New("found")

// parsePosition reads a position as clients write it.
func parsePosition(field, s string) (domain.Position, error) {
	n, err := strconv.ParseUint(s, 10, 53)
	if err != nil {
		return 0, invalid(field, fmt.Sprintf("%q is a position: an integer from 0 to 2^53-1.", field))
	}
	return domain.Position(n), nil
}

// asOf is the position that `as_of` names: itself, or for a time the largest position whose running maximum of `recorded`
// is not later. 0 stands for now, when s is empty. A position before the first commit is 0 too, so it is refused.
func asOf(ctx context.Context, log Log, s string) (domain.Position, error) {
	if s == "" {
		return 0, nil
	}
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		p, err := positionAt(ctx, log, at)
		if err == nil && p == 0 {
			err = invalid("as_of", "The log begins later.")
		}
		return p, err
	}
	p, err := parsePosition("as_of", s)
	if err != nil {
		return 0, invalid("as_of", `"as_of" is a position or an RFC 3339 time.`)
	}
	if p == 0 {
		return 0, invalid("as_of", "The log begins at position 1.")
	}
	head, err := log.Head(ctx)
	if err != nil {
		return 0, err
	}
	if p > head {
		return 0, projections.ErrAhead
	}
	return p, nil
}

// positionAt is the largest position whose running maximum of `recorded` is not later than at; 0 when the first commit is.
//
// That is the position before the first commit that was recorded later. Because clocks lie at most clockSkew apart, all up
// to a commit of at-clockSkew were recorded in time: such a one is found by bisection, and the few behind it are read.
func positionAt(ctx context.Context, log Log, at time.Time) (domain.Position, error) {
	if sparse, ok := log.(signposted); ok {
		return readTo(ctx, log, sparse.Before(at.Add(-clockSkew)), at)
	}
	head, err := log.Head(ctx)
	if err != nil || head == 0 {
		return 0, err
	}
	epoch := head >> domain.EpochBits
	sure, last := domain.Position(0), head&(1<<domain.EpochBits-1) // sequences: sure is in time, above last nobody asks
	result := domain.Position(0)
	for lo, hi := domain.Position(1), last; lo <= hi; {
		mid := lo + (hi-lo)/2
		c, err := atSequence(ctx, log, epoch, mid)
		if err != nil {
			return 0, err
		}
		if c.Recorded.After(at.Add(-clockSkew)) {
			hi = mid - 1
		} else {
			lo, sure, result = mid+1, mid, c.Position
		}
	}
	if sure == last {
		return result, nil
	}
	return readTo(ctx, log, result, at)
}

// signposted is a log whose positions can't be bisected: most numbers are none. It knows places to read on from.
type signposted interface {
	// Before is the position of a commit that was recorded before t, 0 for the beginning.
	Before(t time.Time) domain.Position
}

// readTo reads on from a position that is in time, and returns the last before the first commit that is not.
func readTo(ctx context.Context, log Log, from domain.Position, at time.Time) (domain.Position, error) {
	result := from
	err := log.Read(ctx, from, projections.ReadOptions{ToHead: true}, func(chunk []domain.Commit) error {
		for i := range chunk {
			if chunk[i].Recorded.After(at) {
				return errFound
			}
			result = chunk[i].Position
		}
		return nil
	})
	if err != nil && !errors.Is(err, errFound) {
		return 0, fmt.Errorf("find the position of a time: %w", err)
	}
	return result, nil
}

// atSequence finds the commit with a sequence, whichever epoch gave it its position.
func atSequence(ctx context.Context, log Log, epoch, sequence domain.Position) (domain.Commit, error) {
	for e := epoch; ; e-- {
		c, err := log.At(ctx, e<<domain.EpochBits|sequence)
		if err == nil || !errors.Is(err, projections.ErrNoCommit) || e == 0 {
			return c, err
		}
	}
}
