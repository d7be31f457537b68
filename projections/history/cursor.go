package history

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// cursor is where a page ended: two numbers whose meaning is the list's, and the list's name, so that one list's cursor is
// no other's.
func cursor(list string, a, b int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte(list + "." + strconv.FormatInt(a, 36) + "." + strconv.FormatInt(b, 36)))
}

// readCursor reads what cursor wrote. ok is false for the empty cursor: the beginning.
func readCursor(list, s string) (a, b int64, ok bool, err error) {
	if s == "" {
		return 0, 0, false, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return 0, 0, false, ErrCursor
	}
	parts := strings.Split(string(raw), ".")
	if len(parts) != 3 || parts[0] != list {
		return 0, 0, false, fmt.Errorf("%w of %s", ErrCursor, list)
	}
	a, errA := strconv.ParseInt(parts[1], 36, 64)
	b, errB := strconv.ParseInt(parts[2], 36, 64)
	if errA != nil || errB != nil {
		return 0, 0, false, ErrCursor
	}
	return a, b, true, nil
}

// capped is the size of a page: limit, within 1 and MaxLimit; DefaultLimit for 0 and less.
func capped(limit int) int {
	if limit <= 0 {
		return DefaultLimit
	}
	return min(limit, MaxLimit)
}
