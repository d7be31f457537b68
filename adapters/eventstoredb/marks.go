package eventstoredb

import (
	"slices"
	"sync"
	"time"

	"github.com/turno-desk/turno/domain"
)

// spacing is how many bytes of the log lie between two marks.
const spacing = 1 << 20

// marks are commits that were met while reading, about one in each MiB of log: places to begin from when all that is known
// is a time, or a number that is no commit's position. They also tell how large a commit is.
type marks struct {
	mu      sync.Mutex
	at      []mark // ascending
	bytes   uint64 // that lay between `commits` commits
	commits uint64
}

type mark struct {
	position domain.Position
	recorded time.Time
}

// note remembers a commit and the one that was read before it, which may be 0.
func (m *marks) note(before, p domain.Position, recorded time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if before > 0 && before < p {
		m.bytes += uint64(p - before)
		m.commits++
	}
	i := m.after(p)
	if i > 0 && p-m.at[i-1].position < spacing || i < len(m.at) && m.at[i].position-p < spacing {
		return
	}
	m.at = slices.Insert(m.at, i, mark{p, recorded})
}

// after is the index of the first mark behind p.
func (m *marks) after(p domain.Position) int {
	i, exact := slices.BinarySearchFunc(m.at, p, func(k mark, p domain.Position) int {
		switch {
		case k.position < p:
			return -1
		case k.position > p:
			return 1
		}
		return 0
	})
	if exact {
		i++
	}
	return i
}

// upTo is the last mark that is not behind p, 0 when there is none.
func (m *marks) upTo(p domain.Position) domain.Position {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := m.after(p); i > 0 {
		return m.at[i-1].position
	}
	return 0
}

// before is the last mark that was recorded before t, 0 when there is none.
func (m *marks) before(t time.Time) domain.Position {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := len(m.at) - 1; i >= 0; i-- {
		if m.at[i].recorded.Before(t) {
			return m.at[i].position
		}
	}
	return 0
}

// usual is a commit's size when none was measured: text, two sights, the server's own fields.
const usual = 2048

// between is how many commits fit between two positions.
func (m *marks) between(from, to domain.Position) uint64 {
	if to <= from {
		return 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	size := uint64(usual)
	if m.commits > 0 {
		size = max(1, m.bytes/m.commits)
	}
	return max(1, uint64(to-from)/size)
}

func (m *marks) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = nil
}

// Between is how many commits lie after one position up to another, as far as their usual size tells; 0 only when there is
// none. See projections.Sparse.
func (s *Store) Between(from, to domain.Position) uint64 { return s.marks.between(from, to) }

// Before is the position of a commit that was recorded before t: the latest that this process has met on its way, 0 when it
// has met none.
func (s *Store) Before(t time.Time) domain.Position { return s.marks.before(t) }
