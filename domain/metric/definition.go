package metric

// Unit is what a number counts.
type Unit string

// The units. Durations are milliseconds inside and seconds in answers.
const (
	Seconds Unit = "seconds"
	Count   Unit = "count"
	Ratio   Unit = "ratio" // 0 to 1
	Score   Unit = "score" // 1 to 5
)

// Definition is one number of the catalogue. A changed definition gets another version; the old one stays.
type Definition struct {
	Name        string `json:"name"`
	Version     int    `json:"version"`
	Unit        Unit   `json:"unit"`
	Formula     string `json:"formula"`     // in words
	Clock       string `json:"clock"`       // wall, or none where nothing is timed
	Cohort      string `json:"cohort"`      // which event decides the period that a sample belongs to
	Attribution string `json:"attribution"` // to whom it is credited
	Details     string `json:"details,omitempty"`
	Pauses      bool   `json:"pauses"` // whether it is given with and without paused time
	Actors      bool   `json:"actors"` // whether `actors` tells people's from machines'

	from  []Kind // the kinds of samples that it is computed from
	shape shape
	keep  func(*Sample) bool // which of those samples count; nil: all
}
