package command

import (
	"context"
	"errors"
	"fmt"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
)

// Merge makes a contact part of the survivor, whose values win. It is two commits, the contact's offer and the survivor's
// confirmation, and the same call again finishes what a failure left between them. The result is the survivor's.
func (c *Contacts) Merge(ctx context.Context, req Request, survivor, id string) (SettingResult, error) {
	if survivor == id {
		return SettingResult{}, &domain.Refusal{Code: domain.CodeInvalid, Missing: []string{"contact"}, Detail: "A contact can't be merged into itself."}
	}
	if err := c.exists(ctx, survivor); err != nil {
		return SettingResult{}, err
	}
	offer := req
	offer.IfMatch = 0 // that is about the survivor
	offered, err := c.change(ctx, offer, id, "offer", func(s contact.State) ([]contact.Event, *domain.Refusal) {
		return contact.DecideOffer(s, survivor)
	})
	if err != nil {
		return SettingResult{}, err
	}
	other, err := c.load(ctx, id)
	if err != nil {
		return SettingResult{}, err
	}
	for _, e := range offered.Commit.Events { // of an earlier call with this key, it may have been undone since
		if e, ok := e.(contact.MergeOffered); ok {
			other.Merges = e.Merge
		}
	}
	result, err := c.change(ctx, req, survivor, "merge", func(s contact.State) ([]contact.Event, *domain.Refusal) {
		return contact.DecideMerge(s, id, other)
	})
	return result, c.withdrawn(ctx, req, survivor, id, other.Merges, err)
}

// Unmerge lets a contact that was merged into the survivor stand for itself again, exactly as it was. Again is nothing.
func (c *Contacts) Unmerge(ctx context.Context, req Request, survivor, id string) (SettingResult, error) {
	if err := c.exists(ctx, id); err != nil {
		return SettingResult{}, err
	}
	other, err := c.load(ctx, id)
	if err != nil {
		return SettingResult{}, err
	}
	number := 0
	if other.Survivor == survivor {
		number = other.Merges
	}
	result, err := c.change(ctx, req, survivor, "unmerge", func(s contact.State) ([]contact.Event, *domain.Refusal) {
		return contact.DecideUnmerge(s, id, max(number, s.Holds[id].Number))
	})
	if err != nil || number == 0 {
		return result, err
	}
	return result, c.separate(ctx, req, survivor, id, number)
}

// withdrawn takes an offer back that the survivor refused for good, so that nothing waits for it; err is the refusal.
func (c *Contacts) withdrawn(ctx context.Context, req Request, survivor, id string, number int, err error) error {
	var refused *domain.Refusal
	if !errors.As(err, &refused) || refused.Code == domain.CodeKeyReused {
		return err
	}
	_, uerr := c.edit(ctx, part(req), survivor, "unmerge", func(s contact.State) ([]contact.Event, *domain.Refusal) {
		return contact.DecideUnmerge(s, id, number)
	})
	if uerr == nil {
		uerr = c.separate(ctx, req, survivor, id, number)
	}
	if uerr != nil {
		return fmt.Errorf("taking back a merge that was refused: %w", uerr)
	}
	return err
}

func (c *Contacts) separate(ctx context.Context, req Request, survivor, id string, number int) error {
	holder, err := c.load(ctx, survivor) // it has given the contact up, and changes nothing of its any more
	if err != nil {
		return err
	}
	_, err = c.edit(ctx, part(req), id, "separate", func(s contact.State) ([]contact.Event, *domain.Refusal) {
		return contact.DecideSeparate(s, id, survivor, number, holder), nil
	})
	return err
}

// settle finishes a merge or an un-merge of the contact that was left in the middle, by whoever comes across it. free is
// true when the contact stands for itself now.
func (c *Contacts) settle(ctx context.Context, req Request, id string) (free bool, err error) {
	s, err := c.load(ctx, id)
	if err != nil || s.Survivor == "" {
		return err == nil, err
	}
	holder, err := c.load(ctx, s.Survivor)
	switch {
	case err != nil:
		return false, err
	case holder.Held(id, s.Merges):
		return false, nil
	case holder.Holds[id].Number >= s.Merges:
		return true, c.separate(ctx, req, s.Survivor, id, s.Merges)
	}
	_, err = c.edit(ctx, part(req), s.Survivor, "merge", func(holder contact.State) ([]contact.Event, *domain.Refusal) {
		return contact.DecideMerge(holder, id, s)
	})
	var refused *domain.Refusal
	if err = c.withdrawn(ctx, req, s.Survivor, id, s.Merges, err); errors.As(err, &refused) {
		return true, nil
	}
	return false, err
}

// load reads a contact's state.
func (c *Contacts) load(ctx context.Context, id string) (contact.State, error) {
	return loadContact(ctx, c.o.Log, c.aggregate(id))
}

func loadContact(ctx context.Context, log Log, a domain.Aggregate) (contact.State, error) {
	var s contact.State
	commits, _, err := log.Load(ctx, a, 0, nil)
	if err != nil {
		return s, fmt.Errorf("load contact %s: %w", a.ID, err)
	}
	for i := range commits {
		evolveContact(&s, &commits[i])
	}
	return s, nil
}
