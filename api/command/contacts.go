package command

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/setting"
)

// ContactThreads are the threads that contacts come into being with. *Engine is one.
type ContactThreads interface {
	// EraseThread makes the personal fields of a thread unreadable and releases its address; ahead is the claim of one that may
	// not have begun.
	EraseThread(ctx context.Context, req Request, thread, ahead string) error
	// Received is the name that came with the newest conversation of a thread; empty for none.
	Received(ctx context.Context, req Request, thread string) (domain.Personal, error)
	// Claim finds whose an address on a channel is, or claims it for a contact that comes into being.
	Claim(ctx context.Context, req Request, channel, address string) (Claim, error)
}

// ContactsOptions is what Contacts are made of. All but Now are required.
type ContactsOptions struct {
	Log     Log
	Image   *Image
	Keys    Keys
	Threads ContactThreads
	Now     func() time.Time
}

// Contacts handles the commands on what is known of customers. It is safe for concurrent use.
type Contacts struct {
	o ContactsOptions
	w writer
}

// NewContacts returns the contacts of o's image's workspace.
func NewContacts(o ContactsOptions) *Contacts {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Contacts{o: o, w: writer{log: o.Log, now: o.Now}}
}

// ChangeProfile replaces the profile, or the parts of it that the change names. Where the company has defined fields of
// contacts, only they are taken.
func (c *Contacts) ChangeProfile(ctx context.Context, req Request, id string, p contact.Change) (SettingResult, error) {
	return c.decided(ctx, req, id, "profile", func(s contact.State, img *setting.Image) ([]contact.Event, *domain.Refusal) {
		if r := img.CheckFields(setting.OnContact, p.Fields); r != nil {
			return nil, r
		}
		return contact.DecideChange(s, p)
	})
}

// Tag adds and removes tags. Where the company has defined tags for contacts, only they are added.
func (c *Contacts) Tag(ctx context.Context, req Request, id string, add, remove []string) (SettingResult, error) {
	return c.decided(ctx, req, id, "tag", func(s contact.State, img *setting.Image) ([]contact.Event, *domain.Refusal) {
		if r := img.CheckTags(setting.OnContact, add); r != nil {
			return nil, r
		}
		return contact.DecideTag(s, add, remove)
	})
}

// Annotate adds a note on the contact; the actor is its author.
func (c *Contacts) Annotate(ctx context.Context, req Request, id string, text domain.Personal) (SettingResult, error) {
	return c.change(ctx, req, id, "annotate", func(s contact.State) ([]contact.Event, *domain.Refusal) { return contact.DecideAnnotate(s, text) })
}

// Block keeps the contact's messages from opening a conversation. One that is open goes on.
func (c *Contacts) Block(ctx context.Context, req Request, id string, reason domain.Personal) (SettingResult, error) {
	return c.change(ctx, req, id, "block", func(s contact.State) ([]contact.Event, *domain.Refusal) { return contact.DecideBlock(s, reason) })
}

// Unblock ends that, and the blocking of network addresses on account of the contact.
func (c *Contacts) Unblock(ctx context.Context, req Request, id string) (SettingResult, error) {
	if err := c.exists(ctx, id); err != nil {
		return SettingResult{}, err
	}
	s, err := c.load(ctx, id)
	if _, r := contact.DecideUnblock(s); err == nil && r == nil { // first: the contact says what is to be taken back
		err = c.unbar(ctx, req, id, s.Networks)
	}
	if err != nil {
		return SettingResult{}, err
	}
	return c.change(ctx, req, id, "unblock", func(s contact.State) ([]contact.Event, *domain.Refusal) { return contact.DecideUnblock(s) })
}

// Assign gives the contact to an operator, for good: they get its new conversations when they are available. An empty
// operator takes it back.
func (c *Contacts) Assign(ctx context.Context, req Request, id, operator string) (SettingResult, error) {
	return c.decided(ctx, req, id, "assign", func(s contact.State, img *setting.Image) ([]contact.Event, *domain.Refusal) {
		return contact.DecideAssign(s, operator, img)
	})
}

// Erase makes everything personal of a contact, of those that are merged into it, and of their threads unreadable for good:
// it tells all holders of copies by events, releases the addresses, and destroys the keys. What a failure leaves undone, the
// same call again does.
func (c *Contacts) Erase(ctx context.Context, req Request, id string) (SettingResult, error) {
	result, err := c.erase(ctx, req, id, func(s contact.State) *domain.Refusal {
		if s.Survivor == "" {
			return nil
		}
		return s.Away()
	})
	if err != nil {
		return result, err
	}
	s, err := c.load(ctx, id)
	if err != nil {
		return result, err
	}
	for _, merged := range s.Order { // it can't grow or shrink any more
		if _, err := c.erase(ctx, part(req), merged, func(contact.State) *domain.Refusal { return nil }); err != nil {
			return result, fmt.Errorf("erasing %s, which is merged into contact %s: %w", merged, id, err)
		}
	}
	return result, nil
}

// erase erases one contact alone.
func (c *Contacts) erase(ctx context.Context, req Request, id string, refuse func(contact.State) *domain.Refusal) (SettingResult, error) {
	thread, _ := contact.Thread(id)
	result, err := c.change(ctx, req, id, "erase", func(s contact.State) ([]contact.Event, *domain.Refusal) {
		if r := refuse(s); r != nil {
			return nil, r
		}
		return contact.DecideErase(s, []string{thread}), nil
	})
	if err != nil {
		return result, err
	}
	s, err := c.load(ctx, id)
	if err != nil {
		return result, err
	}
	if err := c.unbar(ctx, req, id, s.Networks); err != nil {
		return result, err
	}
	if err := c.o.Threads.EraseThread(ctx, part(req), thread, s.Identity); err != nil {
		return result, fmt.Errorf("erasing the thread of contact %s: %w", id, err)
	}
	key, err := c.keyOf(ctx, c.aggregate(id))
	if err != nil || key == "" {
		return result, err
	}
	if err := c.o.Keys.DestroyKey(ctx, key); err != nil {
		return result, fmt.Errorf("destroying the key of contact %s: %w", id, err)
	}
	return result, nil
}

// State is what is known of a contact, as the log has it now. *domain.Refusal with CodeNotFound when there is none.
func (c *Contacts) State(ctx context.Context, id string) (contact.State, error) {
	if err := c.exists(ctx, id); err != nil {
		return contact.State{}, err
	}
	return c.load(ctx, id)
}

func (c *Contacts) change(ctx context.Context, req Request, id, action string,
	decide func(contact.State) ([]contact.Event, *domain.Refusal)) (SettingResult, error) {
	return c.decided(ctx, req, id, action, func(s contact.State, _ *setting.Image) ([]contact.Event, *domain.Refusal) { return decide(s) })
}

// edit is change without a look at merges that were left in the middle.
func (c *Contacts) edit(ctx context.Context, req Request, id, action string,
	decide func(contact.State) ([]contact.Event, *domain.Refusal)) (SettingResult, error) {
	return c.once(ctx, req, id, action, func(s contact.State, _ *setting.Image) ([]contact.Event, *domain.Refusal) { return decide(s) })
}

// decided runs a command on a contact. One that is refused because the contact was merged away settles that first, should it
// have been left in the middle, and is decided again when the contact stands for itself.
func (c *Contacts) decided(ctx context.Context, req Request, id, action string,
	decide func(contact.State, *setting.Image) ([]contact.Event, *domain.Refusal)) (SettingResult, error) {
	result, err := c.once(ctx, req, id, action, decide)
	var refused *domain.Refusal
	if !errors.As(err, &refused) || refused.Code != contact.CodeMergedAway {
		return result, err
	}
	free, serr := c.settle(ctx, req, id)
	switch {
	case serr != nil:
		return result, fmt.Errorf("settling a merge of contact %s: %w", id, serr)
	case free:
		return c.once(ctx, req, id, action, decide)
	}
	return result, err
}

// once runs a command on a contact with the settings as this process knows them.
func (c *Contacts) once(ctx context.Context, req Request, id, action string,
	decide func(contact.State, *setting.Image) ([]contact.Event, *domain.Refusal)) (SettingResult, error) {
	if err := c.exists(ctx, id); err != nil {
		return SettingResult{}, err
	}
	return c.append(ctx, req, id, action, decide)
}

// append is once for a contact that may not have come into being.
func (c *Contacts) append(ctx context.Context, req Request, id, action string,
	decide func(contact.State, *setting.Image) ([]contact.Event, *domain.Refusal)) (SettingResult, error) {
	return onSettings(ctx, c.o.Image, req, func(img *setting.Image) (SettingResult, error) {
		return change(ctx, c.w, edit[contact.State]{
			req: req, aggregate: c.aggregate(id), action: action, image: img, evolve: evolveContact,
			decide: func(s *contact.State, _ time.Time) ([]domain.Event, error) { return events(decide(*s, img)) },
			key: func(has string) (string, error) {
				if has != "" || action == "erase" {
					return has, nil
				}
				key, err := c.o.Keys.NewKey(ctx)
				if err != nil {
					return "", fmt.Errorf("making a key: %w", err)
				}
				return key, nil
			},
		})
	})
}

// exists refuses an id of which there is no contact: one comes into being with its thread, or is added.
func (c *Contacts) exists(ctx context.Context, id string) error {
	exists, err := contactExists(ctx, c.o.Log, c.o.Image.workspace, id)
	if err == nil && !exists {
		return &domain.Refusal{Code: domain.CodeNotFound, Detail: "There is no such contact."}
	}
	return err
}

func (c *Contacts) aggregate(id string) domain.Aggregate {
	return domain.Aggregate{Workspace: c.o.Image.workspace, Category: domain.CategoryContact, ID: id}
}

// keyOf is the key of an aggregate's newest commit that has one.
func (c *Contacts) keyOf(ctx context.Context, a domain.Aggregate) (string, error) {
	var key string
	_, _, err := c.o.Log.Load(ctx, a, 0, func(commit *domain.Commit) bool { key = commit.Key; return key != "" })
	if err != nil {
		return "", fmt.Errorf("load %s: %w", a, err)
	}
	return key, nil
}

func evolveContact(s *contact.State, c *domain.Commit) {
	for _, e := range c.Events {
		if e, ok := e.(contact.Event); ok {
			*s = s.Evolve(e)
		}
	}
}
