package hours_test

import (
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"

	"github.com/turno-desk/turno/domain/hours"
)

func day(intervals ...string) []hours.Interval {
	var all []hours.Interval
	for i := 0; i < len(intervals); i += 2 {
		all = append(all, hours.Interval{From: intervals[i], To: intervals[i+1]})
	}
	return all
}

// office is open on weekdays in the morning and the afternoon, on Saturdays in the morning.
func office(zone string) hours.Version {
	work := day("09:00", "13:00", "14:00", "18:00")
	return hours.Version{Zone: zone, Week: hours.Week{Monday: work, Tuesday: work, Wednesday: work, Thursday: work, Friday: work, Saturday: day("09:00", "13:00")},
		Holidays: []hours.Holiday{{Date: "2026-12-24", Open: day("09:00", "12:00")}, {Date: "2026-12-25"}}}
}

func at(t *testing.T, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestWhenItIsOpenAndWhenItOpensNext(t *testing.T) {
	for name, c := range map[string]struct {
		zone, at string
		open     bool
		opening  string // "": now
	}{
		"a Monday at nine":                    {"America/Argentina/Buenos_Aires", "2026-03-02T09:00:00-03:00", true, ""},
		"a second before":                     {"America/Argentina/Buenos_Aires", "2026-03-02T08:59:59-03:00", false, "2026-03-02T09:00:00-03:00"},
		"lunch":                               {"America/Argentina/Buenos_Aires", "2026-03-02T13:00:00-03:00", false, "2026-03-02T14:00:00-03:00"},
		"a Saturday afternoon":                {"America/Argentina/Buenos_Aires", "2026-03-07T13:30:00-03:00", false, "2026-03-09T09:00:00-03:00"},
		"another zone's morning":              {"Europe/Madrid", "2026-03-02T09:00:00-03:00", false, "2026-03-02T14:00:00+01:00"},
		"Christmas Eve is short":              {"Europe/Madrid", "2026-12-24T12:30:00+01:00", false, "2026-12-26T09:00:00+01:00"},
		"the day of the clock put forward":    {"Europe/Madrid", "2026-03-29T20:00:00+02:00", false, "2026-03-30T09:00:00+02:00"},
		"the last minute before summer time":  {"Europe/Madrid", "2026-03-28T12:59:00+01:00", true, ""},
		"the morning after summer time ended": {"Europe/Madrid", "2026-10-26T08:30:00+01:00", false, "2026-10-26T09:00:00+01:00"},
	} {
		t.Run(name, func(t *testing.T) {
			cal := hours.Calendar{ID: "c", Versions: []hours.Version{office(c.zone)}}
			now := at(t, c.at)
			if got := cal.Open(now, cal.Loaded()); got != c.open {
				t.Errorf("open: %t", got)
			}
			want := now
			if c.opening != "" {
				want = at(t, c.opening)
			}
			if got, ok := cal.Opening(now, cal.Loaded()); !ok || !got.Equal(want) {
				t.Errorf("opens at %s, %t, want %s", got, ok, want)
			}
		})
	}
}

func TestAMinuteThatTheClockPassesByOpensAtTheNextOne(t *testing.T) {
	// On 29 March 2026 it is 03:00 in Madrid after 01:59.
	cal := hours.Calendar{ID: "c", Versions: []hours.Version{{Zone: "Europe/Madrid", Week: hours.Week{Sunday: day("02:30", "05:00")}}}}
	got, ok := cal.Opening(at(t, "2026-03-29T00:00:00+01:00"), cal.Loaded())
	if want := at(t, "2026-03-29T03:00:00+02:00"); !ok || !got.Equal(want) {
		t.Errorf("opens at %s, want %s", got, want)
	}
}

func TestACalendarWithoutHoursIsAlwaysOpenAndOneWithEmptyOnesNever(t *testing.T) {
	now := at(t, "2026-03-01T03:00:00Z")
	var none hours.Calendar
	if !none.Open(now, none.Loaded()) {
		t.Error("closed without hours")
	}
	never := hours.Calendar{ID: "c", Versions: []hours.Version{{Zone: "UTC"}}}
	if _, ok := never.Opening(now, never.Loaded()); ok || never.Open(now, never.Loaded()) {
		t.Error("it opens")
	}
}

func put(week hours.Week) hours.Put {
	return hours.Put{ID: "c", Name: "Office", Zone: "Europe/Madrid", Week: week}
}

func TestNewHoursChangeNoPast(t *testing.T) {
	now := at(t, "2026-03-02T10:00:00Z")
	created, r := hours.DecidePut(hours.Calendar{}, put(hours.Week{Monday: day("09:00", "18:00")}), now)
	if r != nil || len(created) != 1 {
		t.Fatal(created, r)
	}
	first := hours.CalendarOf(created[0])
	if again, r := hours.DecidePut(first, put(hours.Week{Monday: day("09:00", "18:00")}), now.Add(time.Hour)); r != nil || len(again) != 0 {
		t.Errorf("said again: %v, %v", again, r)
	}
	changed, r := hours.DecidePut(first, put(hours.Week{Tuesday: day("09:00", "18:00")}), now)
	if r != nil {
		t.Fatal(r)
	}
	second := hours.CalendarOf(changed[0])
	if !second.Open(now.Add(-time.Second), second.Loaded()) || second.Open(now, second.Loaded()) {
		t.Error("the change is not in force from its instant on")
	}
	past := put(hours.Week{})
	past.From = now.Add(-time.Hour)
	if _, r := hours.DecidePut(second, past, now); r == nil {
		t.Error("the past was changed")
	}
	later := put(hours.Week{Sunday: day("00:00", "24:00")})
	later.From = now.Add(24 * time.Hour)
	planned, r := hours.DecidePut(second, later, now)
	if r != nil || len(hours.CalendarOf(planned[0]).Versions) != 3 {
		t.Fatalf("planned: %v, %v", planned, r)
	}
	for _, now := range []time.Time{now, now.Add(48 * time.Hour)} { // before and after it has come into force
		if again, r := hours.DecidePut(hours.CalendarOf(planned[0]), later, now); r != nil || len(again) != 0 {
			t.Errorf("what is planned, said again at %s: %v, %v", now, again, r)
		}
	}
}

func TestMalformedHoursAreRefused(t *testing.T) {
	for field, change := range map[string]func(*hours.Put){
		"zone":         func(p *hours.Put) { p.Zone = "Mars/Olympus" },
		"name":         func(p *hours.Put) { p.Name = " " },
		"week.monday":  func(p *hours.Put) { p.Week.Monday = day("18:00", "09:00") },
		"week.tuesday": func(p *hours.Put) { p.Week.Tuesday = day("09:00", "12:00", "11:00", "13:00") },
		"week.sunday":  func(p *hours.Put) { p.Week.Sunday = day("9:00", "12:00") },
		"holidays":     func(p *hours.Put) { p.Holidays = []hours.Holiday{{Date: "2026-02-30"}} },
	} {
		p := put(hours.Week{})
		change(&p)
		if _, r := hours.DecidePut(hours.Calendar{}, p, time.Time{}); r == nil || len(r.Missing) != 1 || r.Missing[0] != field {
			t.Errorf("%s: %+v", field, r)
		}
	}
}

// TestNothingIsOpenBeforeTheOpening draws calendars and instants: from the instant up to the opening all is closed, and at it
// it is open.
func TestNothingIsOpenBeforeTheOpening(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) []hours.Interval {
			if rapid.Bool().Draw(t, label) {
				return nil
			}
			from := rapid.IntRange(0, 23).Draw(t, label+" from")
			clock := func(h int) string { return time.Date(2000, 1, 1, h, 0, 0, 0, time.UTC).Format("15:04") }
			to := "24:00"
			if h := rapid.IntRange(from+1, 24).Draw(t, label+" to"); h < 24 {
				to = clock(h)
			}
			return day(clock(from), to)
		}
		zone := rapid.SampledFrom([]string{"UTC", "Europe/Madrid", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Santiago"})
		begun := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		cal := hours.Calendar{ID: "c"}
		for i := range rapid.IntRange(1, 3).Draw(t, "versions") {
			v := hours.Version{Zone: zone.Draw(t, "zone"), Week: hours.Week{Monday: draw("monday"), Thursday: draw("thursday"), Sunday: draw("sunday")}}
			if i > 0 {
				v.From = begun.Add(time.Duration(i) * 60 * time.Hour)
			}
			cal.Versions = append(cal.Versions, v)
		}
		now := begun.Add(time.Duration(rapid.IntRange(0, 60*24*60).Draw(t, "minutes")) * time.Minute)
		zones := cal.Loaded()
		opening, ok := cal.Opening(now, zones)
		if ok && !cal.Open(opening, zones) {
			t.Fatalf("closed at its opening %s", opening)
		}
		until := now.Add(15 * 24 * time.Hour)
		if ok && opening.Before(until) {
			until = opening
		}
		for at := now; at.Before(until); at = at.Add(10 * time.Minute) {
			if cal.Open(at, zones) {
				t.Fatalf("open at %s, before the opening %s", at, opening)
			}
		}
	})
}
