package http

import (
	"context"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
)

type profileBody struct {
	Name       *domain.Personal           `json:"name"`
	Email      *domain.Personal           `json:"email"`
	Phone      *domain.Personal           `json:"phone"`
	Sex        *domain.Personal           `json:"sex"`
	Company    *domain.Personal           `json:"company"`
	Title      *domain.Personal           `json:"title"`
	Document   *domain.Personal           `json:"document"`
	ExternalID *domain.Personal           `json:"external_id"`
	Address    *addressBody               `json:"address"`
	Fields     map[string]domain.Personal `json:"fields"`
}

type addressBody struct {
	Street   *domain.Personal `json:"street"`
	Number   *domain.Personal `json:"number"`
	District *domain.Personal `json:"district"`
	City     *domain.Personal `json:"city"`
	State    *domain.Personal `json:"state"`
	Country  *domain.Personal `json:"country"`
	Postcode *domain.Personal `json:"postcode"`
}

// change is the command of the body.
func (b profileBody) change(whole bool) contact.Change {
	c := contact.Change{Whole: whole, Lines: map[string]domain.Personal{}, Fields: b.Fields}
	lines := map[string]*domain.Personal{"name": b.Name, "email": b.Email, "phone": b.Phone, "sex": b.Sex, "company": b.Company,
		"title": b.Title, "document": b.Document, "external_id": b.ExternalID}
	if a := b.Address; a != nil {
		for name, v := range map[string]*domain.Personal{"street": a.Street, "number": a.Number, "district": a.District, "city": a.City,
			"state": a.State, "country": a.Country, "postcode": a.Postcode} {
			lines["address."+name] = v
		}
	}
	for name, v := range lines {
		if v != nil {
			c.Lines[name] = *v
		}
	}
	return c
}

// putContact replaces a contact's profile.
func (s *Server) putContact(c *call) error { return s.profile(c, "put_contact", true) }

// patchContact replaces the parts of a profile that it names.
func (s *Server) patchContact(c *call) error { return s.profile(c, "patch_contact", false) }

func (s *Server) profile(c *call, name string, whole bool) error {
	var b profileBody
	return s.onContact(c, name, &b, func(ctx context.Context, r command.Request, id string) (command.SettingResult, error) {
		return s.Contacts.ChangeProfile(ctx, r, id, b.change(whole))
	})
}

// tagContact adds and removes tags.
func (s *Server) tagContact(c *call) error {
	var b tagsBody
	return s.onContact(c, "tag_contact", &b, func(ctx context.Context, r command.Request, id string) (command.SettingResult, error) {
		return s.Contacts.Tag(ctx, r, id, b.Add, b.Remove)
	})
}

type annotationBody struct {
	Text domain.Personal `json:"text"`
}

// annotateContact adds a note on the contact.
func (s *Server) annotateContact(c *call) error {
	var b annotationBody
	return s.onContact(c, "annotate_contact", &b, func(ctx context.Context, r command.Request, id string) (command.SettingResult, error) {
		return s.Contacts.Annotate(ctx, r, id, b.Text)
	})
}

type blockBody struct {
	Reason domain.Personal `json:"reason"`
	IP     bool            `json:"ip"`
}

// blockContact keeps the contact's messages from opening conversations.
func (s *Server) blockContact(c *call) error {
	var b blockBody
	return s.onContact(c, "block_contact", &b, func(ctx context.Context, r command.Request, id string) (command.SettingResult, error) {
		if b.IP {
			return s.Contacts.BlockNetwork(ctx, r, id, b.Reason)
		}
		return s.Contacts.Block(ctx, r, id, b.Reason)
	})
}

// unblockContact ends that.
func (s *Server) unblockContact(c *call) error {
	return s.onContact(c, "unblock_contact", &struct{}{}, s.Contacts.Unblock)
}

type assigneeBody struct {
	Operator *string `json:"operator"`
}

// assignContact gives the contact to an operator, or to nobody.
func (s *Server) assignContact(c *call) error {
	var b assigneeBody
	return s.onContact(c, "assign_contact", &b, func(ctx context.Context, r command.Request, id string) (command.SettingResult, error) {
		switch {
		case b.Operator == nil:
			return command.SettingResult{}, missing("operator")
		case *b.Operator != "" && !domain.ValidID(*b.Operator):
			return command.SettingResult{}, invalid("operator", "An operator is named by id; empty is nobody.")
		}
		return s.Contacts.Assign(ctx, r, id, *b.Operator)
	})
}

type mergeBody struct {
	Contact string `json:"contact"`
}

// mergeContact makes the contact of the body part of the one of the path.
func (s *Server) mergeContact(c *call) error { return s.merging(c, "merge_contact", s.Contacts.Merge) }

// unmergeContact takes them apart.
func (s *Server) unmergeContact(c *call) error {
	return s.merging(c, "unmerge_contact", s.Contacts.Unmerge)
}

func (s *Server) merging(c *call, name string, do func(context.Context, command.Request, string, string) (command.SettingResult, error)) error {
	var b mergeBody
	return s.onContact(c, name, &b, func(ctx context.Context, r command.Request, id string) (command.SettingResult, error) {
		if !domain.ValidID(b.Contact) {
			return command.SettingResult{}, missing("contact")
		}
		return do(ctx, r, id, b.Contact)
	})
}

// eraseContact makes everything personal of the contact unreadable for good.
func (s *Server) eraseContact(c *call) error {
	return s.onContact(c, "erase_contact", &struct{}{}, s.Contacts.Erase)
}

// onContact binds the body and the id, and hands them to the command.
func (s *Server) onContact(c *call, name string, body any, do func(context.Context, command.Request, string) (command.SettingResult, error)) error {
	if err := c.bind(body); err != nil {
		return err
	}
	id, err := c.id("id")
	if err != nil {
		return err
	}
	return s.set(c, name, body, func(ctx context.Context, r command.Request) (command.SettingResult, error) { return do(ctx, r, id) })
}
