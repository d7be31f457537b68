package department

import (
	"slices"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/routing"
)

// Limits of a definition.
const (
	MaxName     = 100 // bytes
	MaxCapacity = 1000
	MaxReopen   = 366 * 24 * 3600 // seconds
	MaxReassign = 7 * 24 * 3600   // seconds
	MaxOffer    = 3600            // seconds
	MaxFields   = 50
	MaxMessage  = 1000 // bytes of what contacts are told
)

// Put makes a department, or replaces its definition; a retired one comes back.
type Put struct {
	ID       string
	Name     string
	Capacity int
	Close    Guards
	Settings Settings
}

// DecidePut says what a Put makes of the department as it is (zero: there is none). Saying the same again makes nothing.
func DecidePut(is Definition, p Put) ([]Event, *domain.Refusal) {
	p.Name = strings.TrimSpace(p.Name)
	guards, malformed := p.Close.settled()
	p.Close = guards
	var bad []string
	if !domain.ValidID(p.ID) {
		bad = append(bad, "id")
	}
	if p.Name == "" || !domain.Fits(domain.Personal(p.Name), MaxName) {
		bad = append(bad, "name")
	}
	if p.Capacity < 0 || p.Capacity > MaxCapacity {
		bad = append(bad, "capacity")
	}
	bad = append(bad, malformed...)
	if p.Settings.ReopenWithin < 0 || p.Settings.ReopenWithin > MaxReopen {
		bad = append(bad, "settings.reopen_within_s")
	}
	if p.Settings.ReassignAfter < -1 || p.Settings.ReassignAfter > MaxReassign {
		bad = append(bad, "settings.reassign_after_s")
	}
	bad = append(bad, p.Settings.malformed()...)
	if len(bad) > 0 {
		return nil, &domain.Refusal{Code: domain.CodeInvalid, Missing: bad,
			Detail: "A department takes an id, a name, and optionally a capacity of 0 to 1000, guards of its close, a time to reopen of up to 366 days, the id of a calendar, a distribution (manual or automatic) with a rule (longest_idle, least_busy or round_robin), where it is manual up to 50 operators to offer to, up to 3600 seconds for an answer, texts of up to 1000 bytes (of variables, session_ended_message alone takes contact.name, operator.name, department.name, channel.name and ticket.number), and a survey (scale 1-5 or yes_no, text, page where the text has {{survey.link}}, thanks, expires_s of a minute to 30 days, cap_s of a minute to 366 days)."}
	}
	d := Definition{ID: p.ID, Name: p.Name, Capacity: p.Capacity, Close: p.Close, Settings: p.Settings}
	switch {
	case is.ID == "":
		return []Event{Created{d}}, nil
	case is.equal(d):
		return nil, nil
	}
	return []Event{Changed{d}}, nil
}

// sessionVariables are those that the message at the end of a live chat's session may hold.
var sessionVariables = []string{"contact.name", "operator.name", "department.name", "channel.name", "ticket.number"}

// malformed names the settings about hours, distribution and messages that can't be.
func (s Settings) malformed() (bad []string) {
	if s.Calendar != "" && !domain.ValidID(s.Calendar) {
		bad = append(bad, "settings.calendar")
	}
	if s.Distribution != "" && s.Distribution != "manual" && s.Distribution != Automatic {
		bad = append(bad, "settings.distribution")
	}
	if s.Rule != "" && !slices.Contains(routing.Rules(), routing.Rule(s.Rule)) {
		bad = append(bad, "settings.rule")
	}
	if s.OfferTo < 0 || s.OfferTo > routing.MostOffered || s.OfferTo > 0 && s.Automatic() {
		bad = append(bad, "settings.offer_to")
	}
	if s.OfferTimeout < 0 || s.OfferTimeout > MaxOffer {
		bad = append(bad, "settings.offer_timeout_s")
	}
	for _, m := range []struct{ field, text string }{
		{"away_message", s.AwayMessage}, {"nobody_message", s.NobodyMessage},
		{"at_capacity_message", s.AtCapacityMessage}, {"assigned_message", s.AssignedMessage},
		{"session_ended_message", s.SessionEndedMessage},
	} {
		if !domain.Fits(domain.Personal(m.text), MaxMessage) {
			bad = append(bad, "settings."+m.field)
		}
	}
	for _, v := range domain.Variables(s.SessionEndedMessage) {
		if !slices.Contains(sessionVariables, v) {
			bad = append(bad, "settings.session_ended_message.variable:"+v)
		}
	}
	for _, b := range s.Survey.Malformed() {
		bad = append(bad, "settings.survey."+b)
	}
	return bad
}

// DecideRetire takes the department out of use. inUse names what rests on it: the channels that start there, the active operators
// who belong to it, what hands over to it. As long as there is any it is refused. Again is nothing.
func DecideRetire(is Definition, inUse []string) ([]Event, *domain.Refusal) {
	switch {
	case is.ID == "":
		return nil, &domain.Refusal{Code: domain.CodeNotFound, OnSettings: true, Detail: "There is no such department."}
	case is.Retired:
		return nil, nil
	case len(inUse) > 0:
		return nil, &domain.Refusal{Code: domain.CodeInUse, Missing: inUse, OnSettings: true,
			Detail: "Channels start in this department, active operators belong to it, or other settings name it: change or retire those first."}
	}
	is.Retired = true
	return []Event{Retired{is}}, nil
}

func (d Definition) equal(o Definition) bool {
	return d.ID == o.ID && d.Name == o.Name && d.Retired == o.Retired && d.Capacity == o.Capacity && d.Settings == o.Settings &&
		d.Close.equal(o.Close)
}
