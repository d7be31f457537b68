package setting

import (
	"slices"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
)

const (
	maxStages     = 50
	maxStageField = 50
)

// Funnel is the way of a sale in stages. A department that uses one (its guards name it) demands, before a close, the
// stage, the funnel's fields and those of the stage that was reached (F093).
type Funnel struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Stages  []Stage  `json:"stages"`
	Fields  []string `json:"fields,omitempty"` // ids of fields that are mandatory at every stage
	Retired bool     `json:"retired,omitempty"`
}

// Stage is one step of a funnel.
type Stage struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Fields []string `json:"fields,omitempty"` // ids of fields that are mandatory at it
}

// FunnelDefined makes a funnel, or replaces its definition. Aggregate setting/funnel.<id>.
type FunnelDefined struct{ Funnel }

// FunnelRetired takes it out of use: nothing is demanded for it any more.
type FunnelRetired struct{ Funnel }

func (FunnelDefined) event() {}
func (FunnelRetired) event() {}

// Kind is funnel.
func (Funnel) Kind() Kind { return KindFunnel }

// Ident is its id.
func (f Funnel) Ident() string { return f.ID }

// OutOfUse reports whether it was retired.
func (f Funnel) OutOfUse() bool { return f.Retired }

func (f Funnel) settled(img *Image) (Definition, []string) {
	f.Name, f.Retired = strings.TrimSpace(f.Name), false
	f.Stages = slices.Clone(f.Stages)
	var bad []string
	if !line(f.Name, MaxName) {
		bad = append(bad, "name")
	}
	var stages []string
	for k := range f.Stages {
		s := &f.Stages[k]
		if s.Name = strings.TrimSpace(s.Name); !line(s.Name, MaxName) || !img.demandable(s.Fields) {
			bad = append(bad, "stages")
		}
		if len(s.Fields) == 0 {
			s.Fields = nil
		}
		stages = append(stages, s.ID)
	}
	if len(stages) == 0 || !ids(stages, maxStages) {
		bad = append(bad, "stages")
	}
	if !img.demandable(f.Fields) {
		bad = append(bad, "fields")
	}
	if len(f.Fields) == 0 {
		f.Fields = nil
	}
	return f, slices.Compact(bad)
}

func (Funnel) wants() string {
	return "A funnel takes a name, 1 to 50 stages with ids and names, and optionally ids of conversations' fields, for all stages or for one."
}

func (f Funnel) defined() Event { return FunnelDefined{f} }
func (f Funnel) retired() Event { f.Retired = true; return FunnelRetired{f} }

// Stage finds a stage by its id.
func (f Funnel) Stage(id string) (Stage, bool) {
	k := slices.IndexFunc(f.Stages, func(s Stage) bool { return s.ID == id })
	if k < 0 {
		return Stage{}, false
	}
	return f.Stages[k], true
}

// Funnel finds a funnel, retired or not.
func (i *Image) Funnel(id string) (Funnel, bool) { return find[Funnel](i, KindFunnel, id) }

// demandable reports whether these are ids of fields that a close may demand: fields of conversations, where the company
// has defined any.
func (i *Image) demandable(fields []string) bool {
	if !ids(fields, maxStageField) {
		return false
	}
	for _, id := range fields {
		if f, ok := i.Field(id); ok && f.On != OnConversation {
			return false
		}
	}
	return true
}

// CheckGuards refuses guards that name a funnel that there isn't, what is out of use, or fields that no close could ever bring.
func (i *Image) CheckGuards(g department.Guards) *domain.Refusal {
	unknown := i.outOfUse(demanded(g))
	if _, ok := i.Funnel(g.Funnel); g.Funnel != "" && !ok {
		unknown = append(unknown, "funnel:"+g.Funnel)
	}
	for _, id := range g.Fields {
		if f, ok := i.Field(id); ok && !f.Retired && f.On != OnConversation {
			unknown = append(unknown, "field:"+id)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	return &domain.Refusal{Code: domain.CodeUnknownSetting, Missing: unknown, OnSettings: true, Detail: "A close can't demand what there isn't."}
}
