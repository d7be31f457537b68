// Package department decides what a queue is: its name, its members' rules and what a close there demands.
package department

import (
	"slices"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/survey"
)

// Definition is the whole of a department; every event carries it.
type Definition struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Retired  bool     `json:"retired,omitempty"`
	Capacity int      `json:"capacity,omitempty"` // per operator, for those without one of their own; 0: none
	Close    Guards   `json:"close"`
	Settings Settings `json:"settings"`
}

// Guards are what a person must give before a close; each is independent of the others (D10).
type Guards struct {
	Fields         []string   `json:"fields,omitempty"`         // ids of classification fields
	Classification bool       `json:"classification,omitempty"` // an outcome
	Parts          []string   `json:"parts,omitempty"`          // of the classification, besides: interests, origin, score
	Funnel         string     `json:"funnel,omitempty"`         // the funnel in use: its stage and its fields
	Category       bool       `json:"category,omitempty"`
	Summary        bool       `json:"summary,omitempty"`
	TicketLink     TicketLink `json:"ticket_link,omitempty"`
}

// TicketLink says what a close demands of the ticket (D9).
type TicketLink string

// The choices.
const (
	LinkAuto     TicketLink = ""         // the conversation is its own ticket, under its number
	LinkRequired TicketLink = "required" // it must have been linked, to a ticket of its own or to one that exists
	LinkOptional TicketLink = "optional" // people are asked for a link, and may leave it
)

// equal reports whether both demand the same.
func (g Guards) equal(o Guards) bool {
	return g.Classification == o.Classification && g.Funnel == o.Funnel && g.Category == o.Category && g.Summary == o.Summary &&
		g.TicketLink == o.TicketLink && slices.Equal(g.Fields, o.Fields) && slices.Equal(g.Parts, o.Parts)
}

// settled is the guards in their normal form, and what is malformed in them.
func (g Guards) settled() (Guards, []string) {
	g.Fields = slices.Compact(slices.Sorted(slices.Values(g.Fields)))
	g.Parts = slices.Compact(slices.Sorted(slices.Values(g.Parts)))
	if g.TicketLink == "auto" {
		g.TicketLink = LinkAuto
	}
	var bad []string
	if len(g.Fields) > MaxFields || slices.ContainsFunc(g.Fields, func(id string) bool { return !domain.ValidID(id) }) {
		bad = append(bad, "close.fields")
	}
	if slices.ContainsFunc(g.Parts, func(p string) bool { return p != "interests" && p != "origin" && p != "score" }) {
		bad = append(bad, "close.parts")
	}
	if g.Funnel != "" && !domain.ValidID(g.Funnel) {
		bad = append(bad, "close.funnel")
	}
	if g.TicketLink != LinkAuto && g.TicketLink != LinkRequired && g.TicketLink != LinkOptional {
		bad = append(bad, "close.ticket_link")
	}
	return g, bad
}

// Settings are the department's choices where the rules leave one; the zero value is the default.
type Settings struct {
	ResumeOnInbound bool  `json:"resume_on_inbound,omitempty"` // D2
	KeepOnClose     bool  `json:"keep_on_close,omitempty"`     // D6: archive_on_close is on unless this is set
	ReopenWithin    int64 `json:"reopen_within_s,omitempty"`   // D5, seconds
	ReassignAfter   int64 `json:"reassign_after_s,omitempty"`  // D13, seconds; 0: 10 min; -1: never

	Calendar       string `json:"calendar,omitempty"`        // D1: id of its opening hours; empty: always open
	StrictCalendar bool   `json:"strict_calendar,omitempty"` // D1: closed is closed, whoever is connected

	Distribution string `json:"distribution,omitempty"` // manual, when empty, or automatic
	Rule         string `json:"rule,omitempty"`         // of routing; longest_idle when empty
	PausedFree   bool   `json:"paused_free,omitempty"`  // D22: paused_counts is on unless this is set

	OfferTo        int   `json:"offer_to,omitempty"`        // D8: to how many operators at a time what waits is offered; 0: everybody may take it
	OfferTimeout   int64 `json:"offer_timeout_s,omitempty"` // D8, seconds until the next are asked; 0: 30
	TransferAccept bool  `json:"transfer_accept,omitempty"` // D4: a transfer to one of its operators is an offer

	// What contacts are told, once each: by a machine, and only where there is a text.
	AwayMessage   string `json:"away_message,omitempty"`   // D1: it came in out of hours; once a conversation
	NobodyMessage string `json:"nobody_message,omitempty"` // D1: open, and nobody is connected; once a conversation

	AtCapacityMessage string `json:"at_capacity_message,omitempty"` // D22: everybody who is there has enough; once each time that it waits
	AssignedMessage   string `json:"assigned_message,omitempty"`    // an operator was assigned by a rule

	// SessionEndedMessage is said before the session of a live chat is ended; may hold variables (F098).
	SessionEndedMessage string `json:"session_ended_message,omitempty"`

	Survey survey.Settings `json:"survey,omitzero"` // F110: asked after a close, when it is on
}

// defaultReassign is how long a conversation may lie unattended where the department says nothing else (D13).
const defaultReassign = 10 * time.Minute

// Reassign is how long a contact may wait for an answer from an owner who is not connected; false: for ever.
func (s Settings) Reassign() (after time.Duration, ever bool) {
	switch {
	case s.ReassignAfter < 0:
		return 0, false
	case s.ReassignAfter == 0:
		return defaultReassign, true
	}
	return time.Duration(s.ReassignAfter) * time.Second, true
}

// defaultOffer is how long operators have to answer an offer where the department says nothing else (D8).
const defaultOffer = 30 * time.Second

// OfferFor is how long operators have to answer an offer before the next are asked.
func (s Settings) OfferFor() time.Duration {
	if s.OfferTimeout == 0 {
		return defaultOffer
	}
	return time.Duration(s.OfferTimeout) * time.Second
}

// Event is one fact about a department.
type Event interface{ event() }

// Created adds a department.
type Created struct{ Definition }

// Changed replaces its definition.
type Changed struct{ Definition }

// Retired takes it out of use; Definition.Retired is true.
type Retired struct{ Definition }

func (Created) event() {}
func (Changed) event() {}
func (Retired) event() {}

// DefinitionOf is what an event says the department is.
func DefinitionOf(e Event) Definition {
	switch e := e.(type) {
	case Created:
		return e.Definition
	case Changed:
		return e.Definition
	case Retired:
		return e.Definition
	}
	return Definition{}
}

// Automatic is the distribution by which operators get conversations without taking them.
const Automatic = "automatic"

// Automatic reports whether operators get conversations without taking them.
func (s Settings) Automatic() bool { return s.Distribution == Automatic }
