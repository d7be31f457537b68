package deliveries

import "time"

// schedule is how long to wait after each attempt that failed. After the last a delivery has failed. Jitter adds up to a fifth
// to each, so that a delivery is tried 11 times within 27 h 42 min to 33 h 15 min.
var schedule = []time.Duration{
	5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour,
}

const (
	jitter = 0.2

	// maxAfter is the longest that a receiver's Retry-After is heeded.
	maxAfter = 6 * time.Hour

	// maxRest is the longest that a receiver which is overrun is left alone as a whole.
	maxRest = 10 * time.Minute
)

// Attempts is how often a delivery is tried before it has failed.
func Attempts() int { return len(schedule) + 1 }

// again is when to try again after so many attempts in vain, the last of them now; false when it was the last. random is of [0, 1).
func again(attempts int, now time.Time, after time.Duration, random float64) (time.Time, bool) {
	if attempts > len(schedule) {
		return time.Time{}, false
	}
	wait := schedule[attempts-1]
	wait += time.Duration(float64(wait) * jitter * random)
	return now.Add(max(wait, min(after, maxAfter))), true
}
