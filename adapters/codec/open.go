package codec

import (
	"context"
	"fmt"
	"reflect"

	"github.com/turno-desk/turno/domain"
)

// Open is a commit that was decoded sealed with its personal values opened, as Decode gives it when told to; what it was made
// of is left as it is. Values whose key was destroyed read domain.Erased.
func (c *Codec) Open(ctx context.Context, sealed domain.Commit) (domain.Commit, error) {
	open := (&opener{ctx: ctx, keys: c.keys, hint: sealed.Key}).open
	opened := sealed
	opened.Events = make([]domain.Event, len(sealed.Events))
	for i, e := range sealed.Events {
		opened.Events[i] = e
		w := c.kinds.written[reflect.TypeOf(e)]
		if w.personal == nil {
			continue
		}
		v := reflect.New(w.goType).Elem()
		v.Set(reflect.ValueOf(e))
		if err := w.personal.apply(v, false, open); err != nil {
			return domain.Commit{}, fmt.Errorf("open commit %s: event %d, %T: %w", sealed.ID, i, e, err)
		}
		opened.Events[i] = v.Interface()
	}
	return opened, nil
}

// TypeOf is the CloudEvents type that an event is written with; empty for what is none.
func (c *Codec) TypeOf(e domain.Event) string { return c.kinds.written[reflect.TypeOf(e)].typeName }
