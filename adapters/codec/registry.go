package codec

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"

	"github.com/turno-desk/turno/domain"
)

// Upcaster turns the data of one version of an event into that of the next. It is pure. Personal values are still sealed
// in it: it may move and rename them, never read them.
type Upcaster func(json.RawMessage) (json.RawMessage, error)

// kind is one type of event. Its version is one more than the number of its upcasters: the first of these reads version 1.
type kind struct {
	name      string // "conversation.taken"
	category  domain.Category
	goType    reflect.Type
	upcasters []Upcaster
	personal  *plan // nil when it has no personal field

	// decode reads data of the current version, and hands every personal value to open, when open is set.
	decode func(data []byte, open convert) (domain.Event, error)
}

// of describes the event type T.
func of[T any](category domain.Category, name string, upcasters ...Upcaster) *kind {
	k := &kind{name: name, category: category, goType: reflect.TypeFor[T](), upcasters: upcasters}
	p, err := planFor(k.goType)
	if err != nil {
		// Only a change of the domain's types can bring this about, and every test of the package then fails with it.
		panic(fmt.Sprintf("event %s: %v", name, err))
	}
	k.personal = p
	k.decode = func(data []byte, open convert) (domain.Event, error) {
		var e T
		if err := json.Unmarshal(data, &e); err != nil {
			return nil, err
		}
		if open != nil && p != nil {
			if err := p.apply(reflect.ValueOf(&e).Elem(), true, open); err != nil {
				return nil, err
			}
		}
		return e, nil
	}
	return k
}

// version is the one that is written today.
func (k *kind) version() int { return len(k.upcasters) + 1 }

// typeName is the CloudEvents type of a version.
func (k *kind) typeName(version int) string {
	return "turno." + k.name + ".v" + strconv.Itoa(version)
}

// reading is how to read one version of one kind.
type reading struct {
	*kind
	version int
}

// event reads data of this version as the event of today.
func (r reading) event(data []byte, open convert) (domain.Event, error) {
	for _, up := range r.upcasters[r.version-1:] {
		var err error
		if data, err = up(data); err != nil {
			return nil, fmt.Errorf("upcast: %w", err)
		}
	}
	return r.decode(data, open)
}

// registry knows every version of every kind of event.
type registry struct {
	written map[reflect.Type]writing
	read    map[string]reading
}

// writing is how a kind is written today.
type writing struct {
	*kind
	typeName string
}

func newRegistry(kinds []*kind) registry {
	r := registry{written: make(map[reflect.Type]writing, len(kinds)), read: make(map[string]reading, len(kinds))}
	for _, k := range kinds {
		r.written[k.goType] = writing{k, k.typeName(k.version())}
		for v := 1; v <= k.version(); v++ {
			r.read[k.typeName(v)] = reading{k, v}
		}
	}
	return r
}

// Type is one version of one kind of event.
type Type struct {
	Name     string          // "turno.conversation.taken.v1", as the CloudEvents attribute has it
	Category domain.Category // of the aggregates that it happens to
	Written  bool            // it is what is written today; the others are only read
	Event    reflect.Type    // what it is read as
}

// Types lists every version of every event, grouped by aggregate, in the order of its life.
func Types() []Type {
	var all []Type
	for _, k := range kinds() {
		for v := 1; v <= k.version(); v++ {
			all = append(all, Type{k.typeName(v), k.category, v == k.version(), k.goType})
		}
	}
	return all
}
