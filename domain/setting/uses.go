package setting

import (
	"slices"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
)

// The kinds of what is configured besides definitions, and is named like them.
const (
	KindDepartment Kind = "department"
	KindChannel    Kind = "channel"
	KindOperator   Kind = "operator"
)

// resting is a definition that does or demands something with others: without them it would fail, or go quiet. One that
// only looks (a segment, an inbox, the places of a subscription) rests on nothing: what it looks for is still there.
type resting interface {
	rests() []Name
}

// InUse names what rests on a setting, in order: "channel:web", "operator:ana", "workflow:vip". Only what is in use itself counts.
// Conversations do not: they go on where they are.
func (i *Image) InUse(kind Kind, id string) []string {
	of, uses := Name{kind, id}, []string(nil)
	by := func(kind Kind, id string, on []Name) {
		if slices.Contains(on, of) {
			uses = append(uses, string(kind)+":"+id)
		}
	}
	for id, c := range i.Channels {
		if !c.Retired {
			by(KindChannel, id, []Name{{KindDepartment, c.Department}, {KindMenu, c.Menu}})
		}
	}
	for id, d := range i.Departments {
		if !d.Retired {
			by(KindDepartment, id, demanded(d.Close))
		}
	}
	for id, op := range i.Operators {
		if op.Active {
			by(KindOperator, id, names(KindDepartment, op.Departments...))
		}
	}
	for name, d := range i.Definitions {
		if r, ok := d.(resting); ok && !d.OutOfUse() {
			by(name.Kind, name.ID, r.rests())
		}
	}
	slices.Sort(uses)
	return uses
}

// inUse refuses to retire what others rest on.
func (i *Image) inUse(kind Kind, id string) *domain.Refusal {
	uses := i.InUse(kind, id)
	if len(uses) == 0 {
		return nil
	}
	return &domain.Refusal{Code: domain.CodeInUse, Missing: uses, OnSettings: true,
		Detail: "Other settings rest on it: change or retire those first."}
}

// outOfUse names those that are there and retired, in order. What nobody has defined is no matter here.
func (i *Image) outOfUse(all []Name) (gone []string) {
	for _, n := range all {
		is := false
		switch n.Kind {
		case KindDepartment:
			is = i.Departments[n.ID].Retired
		case KindChannel:
			is = i.Channels[n.ID].Retired
		default:
			d, ok := i.Definitions[n]
			is = ok && d.OutOfUse()
		}
		if is {
			gone = append(gone, string(n.Kind)+":"+n.ID)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(gone)))
}

// without is all but those in others.
func without(all, others []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(others, s) })
}

func names(kind Kind, ids ...string) (all []Name) {
	for _, id := range ids {
		all = append(all, Name{kind, id})
	}
	return all
}

func demanded(g department.Guards) []Name {
	return append(names(KindField, g.Fields...), Name{KindFunnel, g.Funnel})
}

// told are the fields of contacts that a text has variables of.
func told(texts ...string) (all []Name) {
	for _, text := range texts {
		for _, v := range domain.Variables(text) {
			if id, ok := strings.CutPrefix(v, VarContactField); ok {
				all = append(all, Name{KindField, id})
			}
		}
	}
	return all
}

func (f Funnel) rests() []Name {
	all := names(KindField, f.Fields...)
	for _, s := range f.Stages {
		all = append(all, names(KindField, s.Fields...)...)
	}
	return all
}

func (t Template) rests() []Name { return told(t.Text) }

// rests is without the tags that a step takes away: that is done to retired ones too.
func (m Macro) rests() (all []Name) {
	for _, s := range m.Steps {
		all = append(all, Name{KindTemplate, s.Template}, Name{KindDepartment, s.Department})
		all = append(all, names(KindTag, s.Add...)...)
		all = append(all, told(s.Text, s.Summary)...)
	}
	return all
}

func (m Menu) rests() (all []Name) {
	choices := []Choice{m.ToPerson()}
	for _, n := range m.Nodes {
		choices = append(choices, n.Choices...)
	}
	for _, c := range choices {
		all = append(all, Name{KindDepartment, c.Department})
		all = append(all, names(KindTag, c.Tags...)...)
	}
	return all
}

// rests holds what starts a workflow and what it asks for too: one that waits for what is out of use would lie there
// without anybody noticing.
func (w Workflow) rests() []Name {
	all := names(KindTag, w.Trigger.Tags...)
	for _, c := range w.Conditions {
		all = append(all, c.rests()...)
	}
	for _, s := range w.Steps {
		all = append(all, Name{KindTemplate, s.Template}, Name{KindDepartment, s.Department}, Name{KindSubscription, s.Subscription})
		all = append(all, names(KindTag, s.Add...)...)
		all = append(all, told(s.Text, s.Summary)...)
	}
	return all
}

func (c Condition) rests() (all []Name) {
	for _, inner := range slices.Concat(c.All, c.Any, c.None) {
		all = append(all, inner.rests()...)
	}
	for _, prefix := range []string{CondFields, CondContactFields, CondTicketFields} {
		if id, ok := strings.CutPrefix(c.Field, prefix); ok {
			all = append(all, Name{KindField, id})
		}
	}
	kind := map[string]Kind{CondChannel: KindChannel, CondDepartment: KindDepartment, CondTags: KindTag, CondContactTags: KindTag}[c.Field]
	return append(all, names(kind, slices.Concat(c.Is, c.IsNot)...)...)
}
