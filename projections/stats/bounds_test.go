package stats

import (
	"errors"
	"testing"
	"time"

	"github.com/turno-desk/turno/domain"
	"pgregory.net/rapid"
)

func in(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// hours is how long each bucket is.
func hours(t *testing.T, from, to time.Time, loc *time.Location, b Bucket) []float64 {
	t.Helper()
	cut, err := bounds(from, to, loc, b)
	if err != nil {
		t.Fatal(err)
	}
	var out []float64
	for i := range cut[1:] {
		out = append(out, float64(cut[i+1]-cut[i])/3600_000)
	}
	return out
}

func equal(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%s: %v, want %v", what, got, want)
		}
	}
}

func TestDaysAreThoseOfTheNamedZoneAlsoWhenItChangesItsClocks(t *testing.T) {
	madrid := in(t, "Europe/Madrid")
	equal(t, "Madrid, spring", hours(t, time.Date(2026, 3, 28, 0, 0, 0, 0, madrid), time.Date(2026, 3, 31, 0, 0, 0, 0, madrid), madrid, BucketDay),
		[]float64{24, 23, 24})
	equal(t, "Madrid, autumn", hours(t, time.Date(2026, 10, 24, 0, 0, 0, 0, madrid), time.Date(2026, 10, 27, 0, 0, 0, 0, madrid), madrid, BucketDay),
		[]float64{24, 25, 24})
	// In Chile the clocks change at midnight: Sunday begins at 01:00, and one Saturday in April has its 23:00 twice.
	santiago := in(t, "America/Santiago")
	equal(t, "Santiago, spring", hours(t, time.Date(2026, 9, 5, 12, 0, 0, 0, santiago), time.Date(2026, 9, 7, 12, 0, 0, 0, santiago), santiago, BucketDay),
		[]float64{12, 23, 12})
	equal(t, "Santiago, autumn", hours(t, time.Date(2026, 4, 4, 12, 0, 0, 0, santiago), time.Date(2026, 4, 6, 12, 0, 0, 0, santiago), santiago, BucketDay),
		[]float64{13, 24, 12})
}

func TestADateThatAZoneLeftOutHasNoBucket(t *testing.T) {
	apia := in(t, "Pacific/Apia") // there was no 30 December 2011
	equal(t, "Apia", hours(t, time.Date(2011, 12, 29, 0, 0, 0, 0, apia), time.Date(2012, 1, 1, 0, 0, 0, 0, apia), apia, BucketDay),
		[]float64{24, 24})
}

func TestWeeksBeginOnMonday(t *testing.T) {
	utc := time.UTC
	equal(t, "from a Wednesday", hours(t, time.Date(2026, 9, 9, 0, 0, 0, 0, utc), time.Date(2026, 9, 22, 0, 0, 0, 0, utc), utc, BucketWeek),
		[]float64{5 * 24, 7 * 24, 24})
	equal(t, "from a Sunday", hours(t, time.Date(2026, 9, 13, 12, 0, 0, 0, utc), time.Date(2026, 9, 21, 0, 0, 0, 0, utc), utc, BucketWeek),
		[]float64{12, 7 * 24})
}

func TestHoursAreThoseOfTheZonesClock(t *testing.T) {
	kathmandu := in(t, "Asia/Kathmandu") // 5:45 ahead
	from := time.Date(2026, 9, 9, 0, 0, 0, 0, time.UTC)
	equal(t, "Kathmandu", hours(t, from, from.Add(150*time.Minute), kathmandu, BucketHour), []float64{0.25, 1, 1, 0.25})
	madrid := in(t, "Europe/Madrid")
	from = time.Date(2026, 10, 25, 0, 0, 0, 0, time.UTC)
	equal(t, "an hour that comes twice", hours(t, from, from.Add(3*time.Hour), madrid, BucketHour), []float64{1, 1, 1})
}

func TestBucketsFollowEachOtherWithoutGapInAnyZone(t *testing.T) {
	zones := []string{"UTC", "America/Santiago", "America/Sao_Paulo", "Europe/Madrid", "Asia/Beirut", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo"}
	rapid.Check(t, func(t *rapid.T) {
		loc, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		b := rapid.SampledFrom([]Bucket{BucketHour, BucketDay, BucketWeek}).Draw(t, "bucket")
		from := time.Unix(rapid.Int64Range(1_000_000_000, 1_900_000_000).Draw(t, "from"), 0)
		to := from.Add(time.Duration(rapid.Int64Range(1, 24*60).Draw(t, "hours")) * time.Hour)
		cut, err := bounds(from, to, loc, b)
		if err != nil {
			t.Fatal(err)
		}
		if cut[0] != from.UnixMilli() || cut[len(cut)-1] != to.UnixMilli() {
			t.Fatalf("the buckets reach from %d to %d", cut[0], cut[len(cut)-1])
		}
		most := map[Bucket]time.Duration{BucketHour: 90 * time.Minute, BucketDay: 49 * time.Hour, BucketWeek: 7*24*time.Hour + 25*time.Hour}[b]
		for i := range cut[1:] {
			length := time.Duration(cut[i+1]-cut[i]) * time.Millisecond
			if length <= 0 || length > most {
				t.Fatalf("bucket %d lasts %s", i, length)
			}
			if i > 0 && b != BucketHour {
				begins, before := time.UnixMilli(cut[i]).In(loc), time.UnixMilli(cut[i]-1000).In(loc)
				if begins.Format(time.DateOnly) == before.Format(time.DateOnly) {
					t.Fatalf("%s is not the first instant of its day", begins)
				}
			}
		}
	})
}

func TestAReportOfTooManyBucketsIsRefused(t *testing.T) {
	from := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	_, err := bounds(from, from.AddDate(2, 0, 0), time.UTC, BucketHour)
	var refusal *domain.Refusal
	if !errors.As(err, &refusal) || refusal.Code != domain.CodeInvalid {
		t.Errorf("got %v", err)
	}
}
