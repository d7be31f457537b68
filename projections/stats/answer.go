package stats

import (
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/metric"
)

// Report is the answer to a Request: the same request at the same position gives the same bytes.
type Report struct {
	Position domain.Position `json:"position"`
	Now      Time            `json:"now"` // the largest `recorded` up to Position: where spans that are still open are cut
	From     Time            `json:"from"`
	To       Time            `json:"to"`
	TZ       string          `json:"tz"`
	Bucket   Bucket          `json:"bucket"`
	GroupBy  GroupBy         `json:"group_by"`
	Pauses   Pauses          `json:"pauses"`
	Cohort   Cohort          `json:"cohort"`
	Actors   Actors          `json:"actors"`
	Metrics  []MetricReport  `json:"metrics"` // in the order of the request
}

// MetricReport is one metric of a report.
type MetricReport struct {
	Metric  string      `json:"metric"`
	Version int         `json:"version"`
	Unit    metric.Unit `json:"unit"`
	Total   Cell        `json:"total"`            // over all groups and buckets: computed from all samples, never from means
	Groups  []Group     `json:"groups,omitempty"` // by key; absent when group_by is none
	Buckets []Period    `json:"buckets,omitempty"`
}

// Group is the part of one operator, department, channel or detail. An empty Key is what nobody is credited with.
type Group struct {
	Key     string   `json:"key"`
	Total   Cell     `json:"total"`
	Buckets []Period `json:"buckets,omitempty"`
}

// Period is one bucket; one without samples is present and empty.
type Period struct {
	From Time `json:"from"`
	To   Time `json:"to"`
	Cell
}

// Cell is one number, or the pair of it with and without paused time. When only "without" was asked for, it stands in
// Number itself.
type Cell struct {
	Number
	WithoutPauses *Number `json:"without_pauses,omitempty"`
}

// Samples is a page of what a number was counted from, in the order of the end events' times.
type Samples struct {
	Items    []Sample        `json:"items"`
	Next     string          `json:"next,omitempty"`
	HasMore  bool            `json:"has_more"`
	Position domain.Position `json:"position"`
}

// Sample is one thing that was counted, with the events behind it.
type Sample struct {
	Metric       string   `json:"metric"`
	Kind         string   `json:"kind"`         // what it is a sample of, where a metric is computed from several
	Conversation string   `json:"conversation"` // empty for presence
	Ticket       int64    `json:"ticket"`
	Operator     string   `json:"operator"`
	Department   string   `json:"department"`
	Channel      string   `json:"channel"`
	Detail       string   `json:"detail,omitempty"`
	Start        *Time    `json:"start,omitempty"` // absent for what is no duration
	At           Time     `json:"at"`
	Value        *float64 `json:"value,omitempty"`   // what it adds to a count, 1 or 0 of a share, or a score
	Seconds      *float64 `json:"value_s,omitempty"` // of durations; of spans only what lies inside the period
	Without      *float64 `json:"value_without_pauses_s,omitempty"`
	StartEvent   *Event   `json:"start_event,omitempty"`
	Event        *Event   `json:"event,omitempty"` // absent for a span that is still open
	Parts        []Part   `json:"parts,omitempty"` // of a sum: what was added up
}

// Part is one span that a sum was added up from.
type Part struct {
	Start      Time     `json:"start"`
	At         Time     `json:"at"`
	Seconds    float64  `json:"value_s"`
	Without    *float64 `json:"value_without_pauses_s,omitempty"`
	StartEvent *Event   `json:"start_event"`
	Event      *Event   `json:"event"`
}

// Event is a place in the log: the commit and the event's index in it.
type Event struct {
	Position domain.Position `json:"position"`
	Index    int             `json:"index"`
}

// Live is how things stand.
type Live struct {
	Position    domain.Position  `json:"position"`
	Now         Time             `json:"now"`
	Departments []LiveDepartment `json:"departments"` // by id
	Operators   []LiveOperator   `json:"operators"`   // by id
}

// LiveDepartment is one department now.
type LiveDepartment struct {
	Department   string  `json:"department"`
	Waiting      int     `json:"waiting"`
	OutOfHours   int     `json:"out_of_hours"`
	Attending    int     `json:"attending"`
	Paused       int     `json:"paused"`
	Bot          int     `json:"bot"`
	LongestWait  *Millis `json:"longest_wait_s"` // null when nobody waits
	MeanWait     *Millis `json:"mean_wait_s"`
	WaitingSince *Time   `json:"waiting_since"` // of the longest
}

// LiveOperator is one operator's load now.
type LiveOperator struct {
	Operator  string `json:"operator"`
	Connected bool   `json:"connected"`
	Available bool   `json:"available"`
	Since     *Time  `json:"since"` // of that presence; null when not connected
	Attending int    `json:"attending"`
	Paused    int    `json:"paused"`
}

// Presence is one operator's history of presence: available + away = connected, occupied + idle = connected.
type Presence struct {
	Position domain.Position `json:"position"`
	Now      Time            `json:"now"`
	Operator string          `json:"operator"`
	Total    PresenceSum     `json:"total"`
	Days     []PresenceDay   `json:"days"`
	Spans    []PresenceSpan  `json:"spans"`
}

// PresenceSum adds up a period.
type PresenceSum struct {
	Connected Millis   `json:"connected_s"`
	Available Millis   `json:"available_s"`
	Away      Millis   `json:"away_s"`
	Occupied  Millis   `json:"occupied_s"`
	Idle      Millis   `json:"idle_s"`
	Occupancy *float64 `json:"occupancy"` // null without available time
}

// PresenceDay is one day of the time zone asked for.
type PresenceDay struct {
	From Time `json:"from"`
	To   Time `json:"to"`
	PresenceSum
}

// PresenceSpan is a stretch of one state, cut at the period asked for.
type PresenceSpan struct {
	State      string `json:"state"` // available or away
	From       Time   `json:"from"`
	To         Time   `json:"to"`
	Open       bool   `json:"open,omitempty"` // it went on at the position asked for
	StartEvent Event  `json:"start_event"`
	Event      *Event `json:"event,omitempty"`
}

// Time is an instant in milliseconds since 1970, written as RFC 3339 UTC with milliseconds.
type Time int64

// MarshalJSON writes RFC 3339 UTC with milliseconds.
func (t Time) MarshalJSON() ([]byte, error) {
	return time.UnixMilli(int64(t)).UTC().AppendFormat(make([]byte, 0, 32), `"2006-01-02T15:04:05.000Z"`), nil
}

// Time is the instant itself.
func (t Time) Time() time.Time { return time.UnixMilli(int64(t)).UTC() }
