package queue

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/turno-desk/turno/domain"
)

// mark is where a page ended: what a cursor holds.
type mark struct {
	Position domain.Position `json:"p"`
	List     uint32          `json:"l"` // fingerprint of the question
	State    int             `json:"s"`
	Read     bool            `json:"r,omitempty"`
	Order    int64           `json:"o"`
	Conv     int64           `json:"c"`
}

func (m mark) key() key { return key{state: m.State, read: m.Read, order: m.Order, conv: m.Conv} }

// fingerprint tells lists apart; the length of a page is no part of the question.
func (f Filter) fingerprint(workspace string) uint32 {
	h := fnv.New32a()
	states := slices.Sorted(slices.Values(f.States))
	fmt.Fprintf(h, "%q %q %q %q %q %q %t %d", workspace, f.Department, strings.Join(slices.Compact(states), ","), f.Operator, f.Contact, f.OfferedTo,
		f.Archived, f.AsOf)
	return h.Sum32()
}

func (f Filter) cursor(workspace string, at domain.Position, last key) string {
	b, err := json.Marshal(mark{
		Position: at, List: f.fingerprint(workspace), State: last.state, Read: last.read, Order: last.order, Conv: last.conv,
	})
	if err != nil {
		return "" // numbers and a boolean: it can't be
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func (f Filter) resume(workspace string) (mark, error) {
	var m mark
	b, err := base64.RawURLEncoding.DecodeString(f.Cursor)
	if err != nil || json.Unmarshal(b, &m) != nil {
		return m, ErrCursor
	}
	if m.List != f.fingerprint(workspace) || m.Conv <= 0 || m.Position == 0 {
		return m, ErrCursor
	}
	return m, nil
}
