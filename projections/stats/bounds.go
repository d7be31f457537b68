package stats

import (
	"fmt"
	"sort"
	"time"
	_ "time/tzdata" // buckets must not depend on what the machine knows of time zones

	"github.com/turno-desk/turno/domain"
)

// maxBuckets is how many buckets a report may have: more than a year of hours.
const maxBuckets = 10000

// bounds cuts [from, to) at the beginnings of the zone's hours, days or weeks. The first and the last bucket may be parts.
func bounds(from, to time.Time, loc *time.Location, b Bucket) ([]int64, error) {
	cut := []int64{from.UnixMilli()}
	if b != BucketNone {
		for at := next(from, loc, b); at.Before(to); at = next(at, loc, b) {
			if len(cut) > maxBuckets {
				return nil, invalid(fmt.Sprintf("The period has more than %d buckets.", maxBuckets), "bucket")
			}
			cut = append(cut, at.UnixMilli())
		}
	}
	return append(cut, to.UnixMilli()), nil
}

// next is where the bucket after the one that holds t begins.
func next(t time.Time, loc *time.Location, b Bucket) time.Time {
	local := t.In(loc)
	switch b {
	case BucketHour:
		into := time.Duration(local.Minute())*time.Minute + time.Duration(local.Second())*time.Second + time.Duration(local.Nanosecond())
		return t.Add(time.Hour - into)
	case BucketWeek:
		days := 7 - (int(local.Weekday())+6)%7
		return midnight(local, days)
	}
	return midnight(local, 1)
}

// midnight is the first instant of the day that is so many days after t's: not always 00:00, where a change of daylight
// saving skips or repeats it.
func midnight(t time.Time, days int) time.Time {
	y, m, d := t.Date()
	noon := time.Date(y, m, d+days, 12, 0, 0, 0, time.UTC)
	wanted := noon.Format(time.DateOnly)
	guess := time.Date(y, m, d+days, 0, 0, 0, 0, t.Location())
	const around = 27 * 60 * 60
	// Of the seconds around the guess, the first that belongs to the wanted date, or to the one after a date that a zone
	// left out when it moved over the date line.
	begin := guess.Add(-around * time.Second)
	n := sort.Search(2*around, func(i int) bool {
		return begin.Add(time.Duration(i)*time.Second).In(t.Location()).Format(time.DateOnly) >= wanted
	})
	return begin.Add(time.Duration(n) * time.Second)
}

func invalid(detail string, field string) error {
	return &domain.Refusal{Code: domain.CodeInvalid, Detail: detail, Missing: []string{field}}
}
