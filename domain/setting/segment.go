package setting

import (
	"slices"
	"strings"
	"time"

	"github.com/turno-desk/turno/domain"
)

const maxConditions = 20

// Segment is a saved filter of contacts (F125). It names no contact: what it asks for are tags, channels, dates, and values
// of fields that many share.
type Segment struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Filter  Contacts `json:"filter"`
	Retired bool     `json:"retired,omitempty"`
}

// Contacts is what a segment asks of a contact: all that is set must hold.
type Contacts struct {
	Tags      []string          `json:"tags,omitempty"` // every one of them
	Channel   string            `json:"channel,omitempty"`
	Fields    map[string]string `json:"fields,omitempty"`
	Blocked   *bool             `json:"blocked,omitempty"`
	Known     *bool             `json:"known,omitempty"`      // somebody has entered a profile
	FirstFrom *time.Time        `json:"first_from,omitempty"` // of the first communication, inclusive
	FirstTo   *time.Time        `json:"first_to,omitempty"`   // exclusive
}

// SegmentDefined makes a segment, or replaces its definition. Aggregate setting/segment.<id>.
type SegmentDefined struct{ Segment }

// SegmentRetired takes it out of use.
type SegmentRetired struct{ Segment }

func (SegmentDefined) event() {}
func (SegmentRetired) event() {}

// Kind is segment.
func (Segment) Kind() Kind { return KindSegment }

// Ident is its id.
func (s Segment) Ident() string { return s.ID }

// OutOfUse reports whether it was retired.
func (s Segment) OutOfUse() bool { return s.Retired }

func (s Segment) settled(*Image) (Definition, []string) {
	s.Name, s.Retired = strings.TrimSpace(s.Name), false
	f := &s.Filter
	f.Tags = slices.Compact(slices.Sorted(slices.Values(f.Tags)))
	if len(f.Tags) == 0 {
		f.Tags = nil
	}
	if len(f.Fields) == 0 {
		f.Fields = nil
	}
	f.FirstFrom, f.FirstTo = instant(f.FirstFrom), instant(f.FirstTo)
	var bad []string
	if !line(s.Name, MaxName) {
		bad = append(bad, "name")
	}
	if !ids(f.Tags, maxConditions) {
		bad = append(bad, "filter.tags")
	}
	if f.Channel != "" && !domain.ValidID(f.Channel) {
		bad = append(bad, "filter.channel")
	}
	for id, v := range f.Fields {
		if !domain.ValidID(id) || !line(v, maxOption) || len(f.Fields) > maxConditions {
			bad = append(bad, "filter.fields")
			break
		}
	}
	return s, bad
}

func (Segment) wants() string {
	return "A segment takes a name and a filter: tags, channel, fields, blocked, known, first_from, first_to."
}

func (s Segment) defined() Event { return SegmentDefined{s} }
func (s Segment) retired() Event { s.Retired = true; return SegmentRetired{s} }

// Segment finds a segment, retired or not.
func (i *Image) Segment(id string) (Segment, bool) { return find[Segment](i, KindSegment, id) }

// instant is t in UTC and milliseconds, as all times of the log are.
func instant(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC().Truncate(time.Millisecond)
	return &u
}
