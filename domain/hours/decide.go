package hours

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/turno-desk/turno/domain"
)

// Limits of a calendar.
const (
	MaxName      = 100 // bytes, of a calendar and of a holiday
	MaxIntervals = 12  // a day
	MaxHolidays  = 400
	MaxVersions  = 100 // the oldest go then
)

// Put gives a calendar new hours from an instant on.
type Put struct {
	ID       string
	Name     string
	Zone     string
	Week     Week
	Holidays []Holiday
	From     time.Time // zero: from now on; the first hours of a calendar are in force from ever
}

// Event is one fact about a calendar.
type Event interface{ event() }

// Created adds a calendar.
type Created struct{ Calendar }

// Changed replaces it.
type Changed struct{ Calendar }

func (Created) event() {}
func (Changed) event() {}

// CalendarOf is what an event says the calendar is.
func CalendarOf(e Event) Calendar {
	switch e := e.(type) {
	case Created:
		return e.Calendar
	case Changed:
		return e.Calendar
	}
	return Calendar{}
}

// DecidePut says what a Put makes at now of the calendar as it is (zero: there is none). What is planned for later than the
// new hours is replaced by them. Saying the same again makes nothing. Hours don't change the past.
func DecidePut(is Calendar, p Put, now time.Time) ([]Event, *domain.Refusal) {
	p.Name = strings.TrimSpace(p.Name)
	p.Holidays = slices.Clone(p.Holidays)
	slices.SortFunc(p.Holidays, func(a, b Holiday) int { return cmp.Compare(a.Date, b.Date) })
	if r := p.valid(); r != nil {
		return nil, r
	}
	v := Version{From: p.From.UTC().Truncate(time.Millisecond), Zone: p.Zone, Week: p.Week, Holidays: p.Holidays}
	next := Calendar{ID: p.ID, Name: p.Name}
	if is.ID == "" {
		v.From = time.Time{}
		next.Versions = []Version{v}
		return []Event{Created{next}}, nil
	}
	if last, ok := is.Newest(); ok && is.Name == p.Name && last.same(v) && last.From.Equal(v.From) {
		return nil, nil
	}
	if p.From.IsZero() {
		v.From = now.UTC()
	}
	if v.From.Before(now) {
		return nil, &domain.Refusal{Code: domain.CodeInvalid, Missing: []string{"from"}, Detail: "Hours don't change the past."}
	}
	kept := slices.DeleteFunc(slices.Clone(is.Versions), func(o Version) bool { return !o.From.Before(v.From) })
	if last := len(kept) - 1; last >= 0 && last == len(is.Versions)-1 && kept[last].same(v) {
		if is.Name == p.Name {
			return nil, nil
		}
		next.Versions = kept
		return []Event{Changed{next}}, nil
	}
	next.Versions = append(kept, v)
	if extra := len(next.Versions) - MaxVersions; extra > 0 {
		next.Versions = next.Versions[extra:]
	}
	return []Event{Changed{next}}, nil
}

func (p Put) valid() *domain.Refusal {
	var bad []string
	if !domain.ValidID(p.ID) {
		bad = append(bad, "id")
	}
	if p.Name == "" || !domain.Fits(domain.Personal(p.Name), MaxName) {
		bad = append(bad, "name")
	}
	if _, err := time.LoadLocation(p.Zone); err != nil || p.Zone == "" || p.Zone == "Local" {
		bad = append(bad, "zone")
	}
	if !p.From.IsZero() && (p.From.Year() < 1970 || p.From.Year() > 9999) {
		bad = append(bad, "from")
	}
	for d := time.Sunday; d <= time.Saturday; d++ {
		if !fine(p.Week.day(d)) {
			bad = append(bad, "week."+strings.ToLower(d.String()))
		}
	}
	if len(p.Holidays) > MaxHolidays {
		bad = append(bad, "holidays")
	}
	for i, h := range p.Holidays {
		_, err := time.Parse(time.DateOnly, h.Date)
		if err != nil || !fine(h.Open) || !domain.Fits(domain.Personal(h.Name), MaxName) || i > 0 && p.Holidays[i-1].Date == h.Date {
			bad = append(bad, "holidays")
			break
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return &domain.Refusal{Code: domain.CodeInvalid, Missing: bad,
		Detail: "A calendar takes an id, a name, an IANA time zone, intervals like 09:00 to 13:00 for each day of the week, in order and apart, and holidays with a date each."}
}

// fine reports whether the intervals of a day are well-formed, in order and apart.
func fine(day []Interval) bool {
	end := 0
	for _, i := range day {
		from, to, err := i.minutes()
		if err != nil || from < end {
			return false
		}
		end = to
	}
	return len(day) <= MaxIntervals
}

// same reports whether both versions say the same hours.
func (v Version) same(o Version) bool {
	v.From, o.From = time.Time{}, time.Time{}
	a, errA := json.Marshal(v)
	b, errB := json.Marshal(o)
	return errA == nil && errB == nil && string(a) == string(b)
}
