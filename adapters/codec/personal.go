package codec

import (
	"fmt"
	"reflect"
	"time"

	"github.com/turno-desk/turno/domain"
)

// convert turns one personal value into another: a plain text into a sealed one, or back.
type convert func(string) (string, error)

// plan knows where the personal values of a type are. It is made once per type; a nil plan means that there are none.
type plan struct {
	kind   reflect.Kind
	self   bool        // the value itself is domain.Personal
	fields []fieldPlan // of a struct
	elem   *plan       // of a pointer, slice, array or map
}

type fieldPlan struct {
	index int
	plan  *plan
}

var (
	personalType = reflect.TypeFor[domain.Personal]()
	timeType     = reflect.TypeFor[time.Time]()
)

// planFor makes the plan of t. Types in which a personal value could escape it are errors: interfaces, and maps with
// personal keys.
func planFor(t reflect.Type) (*plan, error) {
	made := map[reflect.Type]*plan{}
	p, err := makePlan(t, made)
	if err != nil {
		return nil, err
	}
	if !p.holds(map[*plan]bool{}) {
		return nil, nil
	}
	return p, nil
}

func makePlan(t reflect.Type, made map[reflect.Type]*plan) (*plan, error) {
	if p, ok := made[t]; ok {
		return p, nil
	}
	p := &plan{kind: t.Kind()}
	made[t] = p
	var err error
	switch {
	case t == personalType:
		p.self = true
	case t == timeType:
	case t.Kind() == reflect.Interface:
		return nil, fmt.Errorf("%s is an interface: what is personal in it can't be known", t)
	case t.Kind() == reflect.Map && t.Key() == personalType:
		return nil, fmt.Errorf("%s has personal keys, which can't be sealed", t)
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if !f.IsExported() || f.Tag.Get("json") == "-" {
				continue
			}
			var sub *plan
			if sub, err = makePlan(f.Type, made); err != nil {
				return nil, fmt.Errorf("%s.%s: %w", t, f.Name, err)
			}
			p.fields = append(p.fields, fieldPlan{i, sub})
		}
	case t.Kind() == reflect.Pointer, t.Kind() == reflect.Slice, t.Kind() == reflect.Array, t.Kind() == reflect.Map:
		if p.elem, err = makePlan(t.Elem(), made); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// holds reports whether a personal value is below p, and cuts off the branches that have none. seen breaks circles: a
// branch that leads back to where the walk came from holds what is found there.
func (p *plan) holds(seen map[*plan]bool) bool {
	if found, ok := seen[p]; ok {
		return found
	}
	seen[p] = true
	if p.self {
		return true
	}
	kept := p.fields[:0]
	for _, f := range p.fields {
		if f.plan.holds(seen) {
			kept = append(kept, f)
		}
	}
	p.fields = kept
	if p.elem != nil && !p.elem.holds(seen) {
		p.elem = nil
	}
	seen[p] = len(p.fields) > 0 || p.elem != nil
	return seen[p]
}

// apply converts every non-empty personal value below v, which must be settable. Unless all that v points to belongs to the
// caller (own), pointers, slices and maps are replaced by converted copies and what they pointed to is left as it was.
func (p *plan) apply(v reflect.Value, own bool, f convert) error {
	if p.self {
		return applyText(v, f)
	}
	switch p.kind {
	case reflect.Struct:
		for _, field := range p.fields {
			if err := field.plan.apply(v.Field(field.index), own, f); err != nil {
				return err
			}
		}
		return nil
	case reflect.Array:
		return p.applyEach(v, own, f)
	case reflect.Slice:
		if !own && v.Len() > 0 {
			n := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			reflect.Copy(n, v)
			v.Set(n)
		}
		return p.applyEach(v, own, f)
	case reflect.Pointer:
		if v.IsNil() || p.elem == nil {
			return nil
		}
		if !own {
			n := reflect.New(v.Type().Elem())
			n.Elem().Set(v.Elem())
			v.Set(n)
		}
		return p.elem.apply(v.Elem(), own, f)
	case reflect.Map:
		return p.applyMap(v, own, f)
	}
	return nil
}

// applyText converts one value. The mark of an erased one is no secret and stays.
func applyText(v reflect.Value, f convert) error {
	s := v.String()
	if s == "" || s == string(domain.Erased) {
		return nil
	}
	s, err := f(s)
	if err != nil {
		return err
	}
	v.SetString(s)
	return nil
}

func (p *plan) applyEach(v reflect.Value, own bool, f convert) error {
	if p.elem == nil {
		return nil
	}
	for i := range v.Len() {
		if err := p.elem.apply(v.Index(i), own, f); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) applyMap(v reflect.Value, own bool, f convert) error {
	if v.Len() == 0 || p.elem == nil {
		return nil
	}
	into := v
	if !own {
		into = reflect.MakeMapWithSize(v.Type(), v.Len())
	}
	value := reflect.New(v.Type().Elem()).Elem()
	for it := v.MapRange(); it.Next(); {
		value.Set(it.Value())
		if err := p.elem.apply(value, own, f); err != nil {
			return err
		}
		into.SetMapIndex(it.Key(), value)
	}
	v.Set(into)
	return nil
}
