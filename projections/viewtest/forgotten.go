package viewtest

import (
	"reflect"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

// Forgotten is the log as it reads once the keys of its erased threads are destroyed: their personal fields hold
// domain.Erased, and what was empty is empty.
func Forgotten(l *Log) *Log {
	erased := map[domain.Aggregate]bool{}
	for _, c := range l.Commits() {
		for _, e := range c.Events {
			if _, is := e.(thread.Erased); is {
				erased[c.Aggregate] = true
			}
		}
	}
	out := NewLog(l.ID())
	for _, c := range l.Commits() {
		opens := c.Opened == c.Position
		if erased[c.Aggregate] {
			c.Events = append([]domain.Event(nil), c.Events...)
			for i, e := range c.Events {
				v := reflect.New(reflect.TypeOf(e)).Elem()
				v.Set(reflect.ValueOf(e))
				forget(v)
				c.Events[i] = v.Interface()
			}
		}
		out.Append(c, opens)
	}
	return out
}

var personal = reflect.TypeFor[domain.Personal]()

// forget overwrites the personal fields of a struct, also of the structs inside it.
func forget(v reflect.Value) {
	switch {
	case v.Type() == personal:
		if v.String() != "" {
			v.SetString(string(domain.Erased))
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() {
				forget(f)
			}
		}
	}
}
