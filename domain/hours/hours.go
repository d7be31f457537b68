// Package hours says when a desk is open: calendars of opening hours in a time zone, with holidays, and with the versions
// that were in force at each instant, so that a change of the hours changes no past.
package hours

import (
	"fmt"
	"strings"
	"time"
)

// Calendar is the whole of one; every event carries it.
type Calendar struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Versions []Version `json:"versions"` // by From; the first is in force from ever
}

// Version is the opening hours from an instant on, until the next version.
type Version struct {
	From     time.Time `json:"from,omitzero"` // UTC; zero: from ever
	Zone     string    `json:"zone"`          // IANA: "America/Argentina/Buenos_Aires"
	Week     Week      `json:"week"`
	Holidays []Holiday `json:"holidays,omitempty"` // by date
}

// Week is what is open on which day; a day without intervals is closed.
type Week struct {
	Monday    []Interval `json:"monday,omitempty"`
	Tuesday   []Interval `json:"tuesday,omitempty"`
	Wednesday []Interval `json:"wednesday,omitempty"`
	Thursday  []Interval `json:"thursday,omitempty"`
	Friday    []Interval `json:"friday,omitempty"`
	Saturday  []Interval `json:"saturday,omitempty"`
	Sunday    []Interval `json:"sunday,omitempty"`
}

// Interval is open from its first minute up to its last, exclusive, by the clock on the wall: "09:00" to "13:00". "24:00" is
// the end of a day.
type Interval struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Holiday is a date with hours of its own; none: closed.
type Holiday struct {
	Date string     `json:"date"` // 2026-12-25
	Name string     `json:"name,omitempty"`
	Open []Interval `json:"open,omitempty"`
}

// Zones finds time zones. Loading one reads the machine's zone database, so whoever asks often keeps them: see Loaded.
type Zones func(name string) (*time.Location, error)

// Loaded returns the zones of the calendar as they are now. Those that the machine does not know are UTC.
func (c Calendar) Loaded() Zones {
	known := map[string]*time.Location{}
	for _, v := range c.Versions {
		if l, err := time.LoadLocation(v.Zone); err == nil {
			known[v.Zone] = l
		}
	}
	return func(name string) (*time.Location, error) {
		if l := known[name]; l != nil {
			return l, nil
		}
		return time.UTC, nil
	}
}

// Open reports whether the calendar is open at an instant. One without versions always is.
func (c Calendar) Open(t time.Time, zones Zones) bool {
	v, ok := c.at(t)
	if !ok {
		return true
	}
	return v.open(t, zones)
}

// Newest is the version with the latest beginning, which may still be to come; false when there is none.
func (c Calendar) Newest() (Version, bool) {
	if len(c.Versions) == 0 {
		return Version{}, false
	}
	return c.Versions[len(c.Versions)-1], true
}

// at is the version in force at an instant.
func (c Calendar) at(t time.Time) (Version, bool) {
	for i := len(c.Versions) - 1; i >= 0; i-- {
		if i == 0 || !t.Before(c.Versions[i].From) {
			return c.Versions[i], true
		}
	}
	return Version{}, false
}

func (v Version) open(t time.Time, zones Zones) bool {
	local := t.In(v.location(zones))
	minute := local.Hour()*60 + local.Minute()
	for _, i := range v.on(local) {
		if from, to, err := i.minutes(); err == nil && from <= minute && minute < to {
			return true
		}
	}
	return false
}

func (v Version) location(zones Zones) *time.Location {
	if l, err := zones(v.Zone); err == nil {
		return l
	}
	return time.UTC
}

// on is what is open on the day of a local time.
func (v Version) on(local time.Time) []Interval {
	date := local.Format(time.DateOnly)
	for _, h := range v.Holidays {
		if h.Date == date {
			return h.Open
		}
	}
	return v.Week.day(local.Weekday())
}

func (w Week) day(d time.Weekday) []Interval {
	return [...][]Interval{w.Sunday, w.Monday, w.Tuesday, w.Wednesday, w.Thursday, w.Friday, w.Saturday}[d]
}

// minutes are the ends of the interval in minutes of the day.
func (i Interval) minutes() (from, to int, err error) {
	if from, err = minute(i.From); err != nil {
		return 0, 0, err
	}
	if to, err = minute(i.To); err != nil {
		return 0, 0, err
	}
	if from >= to {
		return 0, 0, fmt.Errorf("the interval from %s ends at %s", i.From, i.To)
	}
	return from, to, nil
}

func minute(s string) (int, error) {
	h, m, ok := strings.Cut(s, ":")
	if !ok || len(h) != 2 || len(m) != 2 {
		return 0, fmt.Errorf("%q is no time of day, want HH:MM", s)
	}
	for _, r := range h + m {
		if r < '0' || r > '9' {
			return 0, fmt.Errorf("%q is no time of day, want HH:MM", s)
		}
	}
	hour, min := int(h[0]-'0')*10+int(h[1]-'0'), int(m[0]-'0')*10+int(m[1]-'0')
	if min > 59 || hour > 24 || hour == 24 && min > 0 {
		return 0, fmt.Errorf("%q is no time of day, want HH:MM", s)
	}
	return hour*60 + min, nil
}

// horizon is how far ahead an opening is looked for: past a year of holidays.
const horizon = 400

// Opening is the first instant at or after t at which the calendar is open; false when there is none within 400 days.
func (c Calendar) Opening(t time.Time, zones Zones) (time.Time, bool) {
	if c.Open(t, zones) {
		return t, true
	}
	var best time.Time
	for i, v := range c.Versions {
		from, until := t, t.AddDate(0, 0, horizon)
		if i > 0 && v.From.After(from) {
			from = v.From
		}
		if i+1 < len(c.Versions) && c.Versions[i+1].From.Before(until) {
			until = c.Versions[i+1].From
		}
		if !best.IsZero() && best.Before(until) {
			until = best
		}
		if first, ok := v.first(from, until, zones); ok {
			best = first
		}
	}
	return best.UTC(), !best.IsZero()
}

// first is the first instant of [from, until) at which the version is open.
func (v Version) first(from, until time.Time, zones Zones) (time.Time, bool) {
	if !from.Before(until) {
		return time.Time{}, false
	}
	if v.open(from, zones) {
		return from, true
	}
	local := from.In(v.location(zones))
	y, m, d := local.Date()
	for k := range horizon + 2 {
		noon := time.Date(y, m, d+k, 12, 0, 0, 0, local.Location())
		var best time.Time
		for _, i := range v.on(noon) {
			start, _, err := i.minutes()
			if err != nil {
				continue
			}
			at := time.Date(y, m, d+k, 0, start, 0, 0, local.Location())
			for n := 0; n < 180 && !v.open(at, zones); n++ { // a clock that is put forward may pass the very minute by,
				at = at.Add(time.Minute)
			}
			for n := 0; n < 180 && v.open(at.Add(-time.Minute), zones); n++ { // and the time that stands for it may be late
				at = at.Add(-time.Minute)
			}
			if !at.Before(from) && v.open(at, zones) && (best.IsZero() || at.Before(best)) {
				best = at
			}
		}
		if !best.IsZero() {
			return best, best.Before(until)
		}
		if noon.After(until.AddDate(0, 0, 1)) {
			break
		}
	}
	return time.Time{}, false
}
