package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/turno-desk/turno/domain"
)

// moment is a place in the log as people name it: a position, or a time. The zero value names none.
type moment struct {
	position domain.Position
	time     time.Time
}

// UnmarshalText reads a position (1042), a time (RFC 3339) or a day (2026-03-02, its beginning in UTC).
func (m *moment) UnmarshalText(text []byte) error {
	s := string(text)
	if s == "" {
		return nil
	}
	if n, err := strconv.ParseUint(s, 10, 53); err == nil {
		m.position = domain.Position(n)
		return nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			m.time = t.UTC()
			return nil
		}
	}
	return fmt.Errorf("%q is no position, no RFC 3339 time and no day", s)
}

// after reports whether c comes after m. A time is compared with what was recorded: as commits are in order, whoever reads
// along stops at the first that does.
func (m moment) after(c *domain.Commit) bool {
	switch {
	case m.position != 0:
		return c.Position > m.position
	case !m.time.IsZero():
		return c.Recorded.After(m.time)
	}
	return false
}

// between reports whether c is in [from, to): positions are counted in on both sides, times are when things happened.
func between(c *domain.Commit, from, to moment) bool {
	switch {
	case from.position != 0 && c.Position < from.position,
		to.position != 0 && c.Position > to.position,
		!from.time.IsZero() && c.Time.Before(from.time),
		!to.time.IsZero() && !c.Time.Before(to.time):
		return false
	}
	return true
}
