package stats

import (
	"time"

	"github.com/turno-desk/turno/domain"
)

// Scope is whose numbers a caller may see (D21): everything, those of some departments, or one operator's own. The zero
// value sees nothing.
type Scope struct {
	All         bool
	Departments []string
	Operator    string // set for an operator: only samples credited to them, in any department
}

// Bucket is the length of the periods that a report is cut into.
type Bucket string

// The buckets. Weeks begin on Monday. All are of the report's time zone.
const (
	BucketNone Bucket = "none"
	BucketHour Bucket = "hour"
	BucketDay  Bucket = "day"
	BucketWeek Bucket = "week"
)

// GroupBy is what a report is broken down by.
type GroupBy string

// The groupings. Detail is the metric's own: how it was taken, why it was closed, what kind of sender.
const (
	GroupNone       GroupBy = "none"
	GroupOperator   GroupBy = "operator"
	GroupDepartment GroupBy = "department"
	GroupChannel    GroupBy = "channel"
	GroupDetail     GroupBy = "detail"
)

// Pauses says whether durations count paused time.
type Pauses string

// The two ways, and both at once.
const (
	PausesBoth    Pauses = "both"
	PausesWith    Pauses = "with"
	PausesWithout Pauses = "without"
)

// Cohort says which event decides the period that a sample belongs to.
type Cohort string

// The cohorts: that of the end event (reply sent, conversation closed), or that of the opening of its episode.
const (
	CohortEnd    Cohort = "end"
	CohortOpened Cohort = "opened"
)

// Actors says whose deeds count.
type Actors string

// The actors: people (operators, administrators, contacts), machines, or both.
const (
	ActorsHuman   Actors = "human"
	ActorsMachine Actors = "machine"
	ActorsAll     Actors = "all"
)

// Nobody, in a filter, stands for samples that no operator (or department, channel, detail) is credited with: the group
// with the empty key.
const Nobody = "-"

// Filter narrows a question. Empty fields don't.
type Filter struct {
	Operator   string
	Department string
	Channel    string
	Detail     string
}

// Request asks for metrics over [From, To). Both are required; the rest has defaults.
type Request struct {
	Metrics  []string // names of the catalogue; at least one
	Version  int      // of the metrics; 0: the newest
	From, To time.Time
	TZ       string  // IANA name; UTC when empty
	Bucket   Bucket  // none when empty
	GroupBy  GroupBy // none when empty
	Filter
	Pauses   Pauses          // both when empty
	Cohort   Cohort          // end when empty
	Actors   Actors          // human when empty
	Position domain.Position // as of; 0: as far as the view has come
}

// SamplesRequest asks for what a number of a report was counted from: the same fields as in the Request, for one metric.
type SamplesRequest struct {
	Metric   string
	Version  int
	From, To time.Time
	Filter
	Cohort   Cohort
	Actors   Actors
	Position domain.Position
	Cursor   string // opaque, from the page before
	Limit    int    // 50 when 0, at most 200
}

// LiveRequest asks for the state of things at one instant.
type LiveRequest struct {
	Now        time.Time // what waits is measured up to; the largest `recorded` up to Position when zero
	Department string    // all in scope when empty
	Position   domain.Position
}

// PresenceRequest asks for one operator's presence over [From, To).
type PresenceRequest struct {
	Operator string
	From, To time.Time
	TZ       string
	Position domain.Position
}
