package http

import (
	"slices"
	"strings"

	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections/queue"
)

// QueueCount is what one department's lists hold, and how many operators could take from them.
type QueueCount struct {
	queue.Department
	OperatorsAvailable *int `json:"operators_available"` // connected and available now; null for a look at the past
}

// board completes the counted departments with those that hold nothing: a department without work is there, with zeros.
// now says that the counts are of the present.
func (s *Server) board(c *call, counted []queue.Department, now bool) ([]QueueCount, error) {
	image, err := s.Settings.Snapshot(c.ctx())
	if err != nil {
		return nil, err
	}
	rows := map[string]queue.Department{}
	for _, d := range counted {
		rows[d.Department] = d
	}
	all, _ := access.SeesAll(c.viewer)
	for id, d := range image.Departments {
		if _, ok := rows[id]; !ok && !d.Retired && (all || c.viewer.Member(id)) {
			rows[id] = queue.Department{Department: id, Counts: noWork()}
		}
	}
	board := make([]QueueCount, 0, len(rows))
	for id, d := range rows {
		row := QueueCount{Department: d}
		if now {
			n := available(image, id)
			row.OperatorsAvailable = &n
		}
		board = append(board, row)
	}
	slices.SortFunc(board, func(a, b QueueCount) int { return strings.Compare(a.Department.Department, b.Department.Department) })
	return board, nil
}

func noWork() map[string]int {
	counts := map[string]int{}
	for _, state := range thread.States() {
		if state != thread.StateClosed {
			counts[state] = 0
		}
	}
	return counts
}

// available counts the department's operators who are connected and take new conversations.
func available(image *setting.Image, department string) int {
	n := 0
	for _, op := range image.MembersOf(department) {
		if p := image.Presence[op.ID]; p.Connected && p.Available {
			n++
		}
	}
	return n
}
