package vault

import (
	"context"
	"errors"
	"time"
)

// observed is a keeper that somebody watches.
type observed struct {
	keeper
	tell func(operation string, took time.Duration, err error)
}

func (o observed) told(operation string, began time.Time, err error) {
	if errors.Is(err, errExists) { // an answer
		err = nil
	}
	o.tell(operation, time.Since(began), err)
}

func (o observed) add(ctx context.Context, values []sealed) error {
	began := time.Now()
	err := o.keeper.add(ctx, values)
	o.told("add", began, err)
	return err
}

func (o observed) replace(ctx context.Context, v sealed) error {
	began := time.Now()
	err := o.keeper.replace(ctx, v)
	o.told("replace", began, err)
	return err
}

func (o observed) get(ctx context.Context, subject string) (sealed, error) {
	began := time.Now()
	v, err := o.keeper.get(ctx, subject)
	o.told("read", began, err)
	return v, err
}

func (o observed) erase(ctx context.Context, subject string) error {
	began := time.Now()
	err := o.keeper.erase(ctx, subject)
	o.told("erase", began, err)
	return err
}
