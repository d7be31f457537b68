package jetstream

import (
	"encoding/json"
	"testing"
	"time"
)

func TestALeaderIsBelievedWhileAMajorityHasHeardFromIt(t *testing.T) {
	asked := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for name, test := range map[string]struct {
		answer string
		want   time.Duration // after it was asked; 0: not at all
	}{
		"three, both others heard":      {`{"cluster":{"replicas":[{"active":400000000},{"active":900000000}]}}`, leaseSpan - 400*time.Millisecond},
		"three, one never heard":        {`{"cluster":{"replicas":[{"active":900000000},{"active":0}]}}`, leaseSpan - 900*time.Millisecond},
		"three, just chosen":            {`{"cluster":{"replicas":[{},{}]}}`, 0},
		"five, one other heard":         {`{"cluster":{"replicas":[{"active":1},{},{},{}]}}`, 0},
		"five, two others heard":        {`{"cluster":{"replicas":[{"active":1000},{},{},{"active":2000000000}]}}`, leaseSpan - 2*time.Second},
		"it says nothing of the others": {`{"cluster":{"leader":"n1"}}`, 0},
	} {
		var info streamInfo
		if err := json.Unmarshal([]byte(test.answer), &info); err != nil {
			t.Fatal(err)
		}
		want := asked.Add(test.want)
		if test.want == 0 {
			want = time.Time{}
		}
		if got := info.ledUntil(asked); !got.Equal(want) {
			t.Errorf("%s: until %v, want %v", name, got, want)
		}
	}
}
