package projections

import (
	"fmt"
	"time"
)

// TimeFormat is how every time reads in answers: RFC 3339 in UTC with milliseconds.
const TimeFormat = "2006-01-02T15:04:05.000Z"

// Time is a time in an answer.
type Time struct{ time.Time }

// Millis is the Time of what a view stores: Unix milliseconds.
func Millis(ms int64) Time { return Time{time.UnixMilli(ms).UTC()} }

// MillisOrNil is Millis, or nil for 0.
func MillisOrNil(ms int64) *Time {
	if ms == 0 {
		return nil
	}
	t := Millis(ms)
	return &t
}

// MarshalJSON writes TimeFormat.
func (t Time) MarshalJSON() ([]byte, error) {
	return []byte(`"` + t.UTC().Format(TimeFormat) + `"`), nil
}

// UnmarshalJSON reads any RFC 3339 time.
func (t *Time) UnmarshalJSON(b []byte) error {
	if len(b) < 2 || b[0] != '"' {
		return fmt.Errorf("a time in quotes is wanted, not %s", b)
	}
	v, err := time.Parse(time.RFC3339Nano, string(b[1:len(b)-1]))
	if err != nil {
		return err
	}
	t.Time = v.UTC()
	return nil
}
