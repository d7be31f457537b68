package command

import (
	"context"
	"maps"
	"slices"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/setting"
)

// Entrant is whom an entry of a file is about: a contact, or the claim of an address for one that comes into being.
type Entrant struct {
	Contact  string
	byID     bool // a name that came with messages is no news of it
	channel  string
	identity string
}

// Known is the entrant of an id: the contact, or the survivor that it is merged into. *domain.Refusal with CodeNotFound when there is none.
func (c *Contacts) Known(ctx context.Context, id string) (Entrant, error) {
	if err := c.exists(ctx, id); err != nil {
		return Entrant{}, err
	}
	survivor, err := c.survivor(ctx, id)
	return Entrant{Contact: survivor, byID: true}, err
}

// At is the entrant of an address on a channel; one that nobody has is claimed. What is claimed and never entered is found by
// whoever writes from there.
func (c *Contacts) At(ctx context.Context, req Request, channel, address string) (Entrant, error) {
	claim, err := c.o.Threads.Claim(ctx, part(req), channel, address)
	if err != nil {
		return Entrant{}, err
	}
	exists, err := contactExists(ctx, c.o.Log, c.o.Image.workspace, claim.Contact)
	if err != nil {
		return Entrant{}, err
	}
	if !exists {
		return Entrant{Contact: claim.Contact, channel: channel, identity: claim.Identity}, nil
	}
	survivor, err := c.survivor(ctx, claim.Contact)
	return Entrant{Contact: survivor}, err
}

// survivor is the contact that holds the merge of one, or that one itself.
func (c *Contacts) survivor(ctx context.Context, id string) (string, error) {
	s, err := c.load(ctx, id)
	if err != nil || s.Survivor == "" {
		return id, err
	}
	holder, err := c.load(ctx, s.Survivor)
	if err != nil || !holder.Held(id, s.Merges) {
		return id, err
	}
	return s.Survivor, nil
}

// Enter takes over what a file says of a contact, in one commit: what it names of the profile, and tags. created reports
// whether the contact came into being by it. Saying it again is nothing.
func (c *Contacts) Enter(ctx context.Context, req Request, who Entrant, change contact.Change, tags []string) (result SettingResult, created bool, err error) {
	decide := func(s contact.State, img *setting.Image) ([]contact.Event, *domain.Refusal) {
		if r := img.CheckFields(setting.OnContact, fresh(change.Fields, s)); r != nil {
			return nil, r
		}
		if r := img.CheckTags(setting.OnContact, untagged(tags, []contact.State{s})); r != nil {
			return nil, r
		}
		return contact.DecideEnter(s, contact.Entry{Change: change, Tags: tags, Channel: who.channel, Identity: who.identity})
	}
	if who.identity != "" {
		result, err = c.append(ctx, req, who.Contact, "enter", decide)
		return result, err == nil && len(result.Commit.Events) > 0, err
	}
	if change, tags, err = c.news(ctx, req, who, change, tags); err != nil {
		return SettingResult{}, false, err
	}
	result, err = c.decided(ctx, req, who.Contact, "enter", decide)
	return result, false, err
}

// news is what a line says that is not shown of the contact already, from those that were merged into it or from its messages.
func (c *Contacts) news(ctx context.Context, req Request, who Entrant, change contact.Change, tags []string) (contact.Change, []string, error) {
	s, err := c.load(ctx, who.Contact)
	if err != nil {
		return change, tags, err
	}
	var merged []contact.State
	ids := []string{who.Contact}
	for _, id := range s.Order {
		m, err := c.load(ctx, id)
		if err != nil {
			return change, tags, err
		}
		merged, ids = append(merged, m), append(ids, id)
	}
	change, tags = change.Unshown(s, merged), untagged(tags, merged)
	name := change.Lines["name"]
	for i := 0; who.byID && name != "" && s.Profile.Name == "" && i < len(ids); i++ {
		thread, _ := contact.Thread(ids[i])
		received, err := c.o.Threads.Received(ctx, req, thread)
		if err != nil {
			return change, tags, err
		}
		if received == name {
			delete(change.Lines, "name")
		}
		if received != "" {
			break
		}
	}
	return change, tags, nil
}

// untagged are the tags that none of the contacts has.
func untagged(tags []string, contacts []contact.State) []string {
	return slices.DeleteFunc(slices.Clone(tags), func(t string) bool {
		return slices.ContainsFunc(contacts, func(s contact.State) bool { return slices.Contains(s.Tags, t) })
	})
}

// fresh are the fields whose values the contact does not have: what it has already is taken, whatever is defined today.
func fresh(fields map[string]domain.Personal, s contact.State) map[string]domain.Personal {
	left := maps.Clone(fields)
	maps.DeleteFunc(left, func(id string, v domain.Personal) bool { return v == s.Profile.Fields[id] })
	return left
}
