package codec

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
)

// SealState writes v as JSON, every domain.Personal in it sealed with the key; v is left as it is. v is a value or a pointer
// whose type holds no interfaces. It fails with ErrNoKey when the key is gone, also if key is empty but something personal
// is in v.
func (c *Codec) SealState(ctx context.Context, key string, v any) ([]byte, error) {
	p, err := c.planOf(v)
	if err != nil {
		return nil, err
	}
	if p != nil {
		var s *sealer
		copied := reflect.New(reflect.TypeOf(v)).Elem()
		copied.Set(reflect.ValueOf(v))
		err := p.apply(copied, false, func(plain string) (string, error) {
			if s == nil {
				var err error
				if s, err = c.sealerFor(ctx, key); err != nil {
					return "", err
				}
			}
			return s.seal(plain, c.nonce), nil
		})
		if err != nil {
			return nil, fmt.Errorf("seal %T: %w", v, err)
		}
		v = copied.Interface()
	}
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("seal %T: %w", v, err)
	}
	return data, nil
}

// OpenState reads what SealState wrote into the value that `into` points to. What is personal reads domain.Erased where its
// key was destroyed.
func (c *Codec) OpenState(ctx context.Context, data []byte, into any) error {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return fmt.Errorf("open %T: want a pointer", into)
	}
	p, err := c.planOf(into)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("open %T: %w", into, err)
	}
	if p == nil {
		return nil
	}
	o := opener{ctx: ctx, keys: c.keys}
	if err := p.elem.apply(v.Elem(), true, o.open); err != nil {
		return fmt.Errorf("open %T: %w", into, err)
	}
	return nil
}

// planOf returns the plan of v's type, made once.
func (c *Codec) planOf(v any) (*plan, error) {
	t := reflect.TypeOf(v)
	if t == nil {
		return nil, fmt.Errorf("seal: want a value, not nil")
	}
	if made, ok := c.states.Load(t); ok {
		return made.(*plan), nil
	}
	p, err := planFor(t)
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", t, err)
	}
	c.states.Store(t, p)
	return p, nil
}
