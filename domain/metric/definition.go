package metric

import "github.com/turno-desk/turno/domain/thread"

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
	Cohort      string `json:"cohort"`      // what decides the period that a sample belongs to
	Attribution string `json:"attribution"` // to whom it is credited
	Details     string `json:"details,omitempty"`
	Pauses      bool   `json:"pauses"` // whether it is given with and without paused time
	Actors      bool   `json:"actors"` // whether `actors` tells people's deeds from machines'

	shape shape
	kinds []Kind
	keep  func(*Sample) bool // which samples of these kinds count; nil: all
	calls map[string]string  // what this version calls a detail that is kept by a name of no version
}

// shape is how samples become a figure.
type shape uint8

const (
	counted     shape = iota // how many
	timed                    // durations
	shared                   // how many of them are 1
	scored                   // 1 to 5
	responded                // how many surveys were answered, of those that have expired
	distinct                 // how many conversations
	touched                  // how many conversations have a span that reaches into the period
	lastClosed               // how many conversations were closed when the period ended
	stocked                  // how many spans cover the instant at which the period ended
	flowed                   // came less went
	together                 // how many spans at once
	connected                // time of presence …
	available                //
	away                     //
	occupied                 //
	idle                     //
	occupancied              // … and the share of it
)

// Kinds is what the metric is computed from.
func (d *Definition) Kinds() []Kind { return d.kinds }

// Spans reports whether the metric is measured over stretches that reach into the period, those that are still running
// included, and not over what ended in it.
func (d *Definition) Spans() bool {
	return d.shape == touched || d.shape >= stocked && d.shape != flowed
}

// OfPresence reports whether the metric is an operator's as a whole: it can't be broken down by department or channel.
func (d *Definition) OfPresence() bool { return d.shape >= connected }

// Follows reports whether samples of the kind only tell what became of others, and so pass every filter.
func (d *Definition) Follows(k Kind) bool { return d.shape == lastClosed && k == Reopened }

// Keeps reports whether a sample counts, whose deeds count (people's, machines') being given.
func (d *Definition) Keeps(s *Sample, people, machines bool) bool {
	if d.Actors && (s.Machine && !machines || !s.Machine && !people) {
		return false
	}
	return d.keep == nil || d.keep(s)
}

// Worth is what a sample adds to a sum, where that is no duration.
func (d *Definition) Worth(s *Sample) int64 {
	if d.shape != responded {
		return s.Value
	}
	if s.Net > 0 {
		return 1
	}
	return 0
}

// Ripe reports whether a sample counts at now yet: a survey that can still be answered is no answer missed.
func (d *Definition) Ripe(s *Sample, now int64) bool {
	return d.shape != responded || s.At+s.Value <= now
}

// Find is the definition of that name and version, the newest where version is 0.
func Find(name string, version int) (*Definition, bool) {
	var found *Definition
	for _, d := range catalogue {
		if d.Name == name && (version == d.Version || version == 0 && (found == nil || d.Version > found.Version)) {
			found = &d
		}
	}
	return found, found != nil
}

// Catalogue is every number that is built, by subject.
func Catalogue() []Definition { return append([]Definition(nil), catalogue...) }

// Distinct reports whether what is counted are conversations, so that a sample must say which one it is of.
func (d *Definition) Distinct() bool {
	return d.shape == distinct || d.shape == touched || d.shape == lastClosed || d.shape == together
}

// Stock reports whether the metric counts what stands at one instant, the period's end.
func (d *Definition) Stock() bool { return d.shape == stocked }

// OnlyLast reports whether of a conversation's samples in a period only the last one counts.
func (d *Definition) OnlyLast() bool { return d.shape == lastClosed }

// Weight is what a sample adds to a count: 1, or −1 where the metric is a difference and the sample is on its other side.
func (d *Definition) Weight(s *Sample) int {
	if d.shape == flowed && (s.Kind == Episode || s.Kind == TransferOut || s.Kind == HandedOver) {
		return -1
	}
	return 1
}

// Credit makes a sample say what this metric credits it to, in the words of its version. A span counts by what it was while it lasted, whatever its end
// made of it: a wait was nobody's until somebody ended it.
func (d *Definition) Credit(s *Sample) {
	if !d.Spans() {
		if name, ok := d.calls[s.Detail]; ok {
			s.Detail = name
		}
		return
	}
	switch s.Kind {
	case Wait:
		s.Operator, s.Detail = "", thread.StateWaiting
	case Attending:
		s.Detail = thread.StateAttending
	case Pause:
		s.Detail = thread.StatePaused
	case Bot:
		s.Detail = thread.StateBot
	}
}
