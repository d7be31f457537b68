package jetstream

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/turno-desk/turno/api/command"
)

const (
	defaultReserve = 1 << 30
	leastReserve   = 64 << 20

	// spaceAge is how long a look at the volume stays good.
	spaceAge = 250 * time.Millisecond
)

// reserve refuses appends while the log's volume has less free space than it must keep: the server does not even answer
// when a write fails, and never writes again until it is restarted.
type reserve struct {
	dir  string // empty: the log is elsewhere, and nothing is known of its disk
	keep uint64 // bytes; 0: the default

	mu   sync.Mutex
	seen time.Time
	err  error
}

// check returns command.ErrFull, wrapped with the figures, while the volume is below its reserve.
func (r *reserve) check() error {
	if r.dir == "" {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := time.Now(); now.Sub(r.seen) > spaceAge {
		r.seen, r.err = now, r.look()
	}
	return r.err
}

// Space is how much the log's volume has free, and below what it refuses appends, in bytes; an error where the log's disk is
// another machine's.
func (s *Store) Space() (free, reserve uint64, err error) {
	if s.reserve.dir == "" {
		return 0, 0, errors.New("the log is on another machine's disk")
	}
	return s.reserve.measure()
}

func (r *reserve) look() error {
	free, keep, err := r.measure()
	if err != nil {
		return err
	}
	if free < keep {
		return fmt.Errorf("%d MiB free, %d MiB are kept in reserve: %w", free>>20, keep>>20, command.ErrFull)
	}
	return nil
}

// measure is what is free and what must be.
func (r *reserve) measure() (free, keep uint64, err error) {
	free, total, err := space(r.dir)
	if err != nil {
		return 0, 0, fmt.Errorf("%w: %w", command.ErrUnavailable, err)
	}
	if keep = r.keep; keep == 0 {
		keep = min(defaultReserve, max(total/100, leastReserve))
	}
	return free, keep, nil
}
