package directory

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/thread"
)

type contactKey struct{ workspace, id string }

// record is a contact's row while a batch folds it.
type record struct {
	contactKey
	touched bool

	opened, firstAt int64
	received        domain.Personal
	profile         contact.ProfileChanged
	tags            []string
	blocked, erased bool
	revision        int64
}

// find gives the contact for changing it; one that is not known yet is begun.
func (b *batch) find(workspace, id string) (*record, error) {
	key := contactKey{workspace, id}
	r := b.contacts[key]
	if r == nil {
		var err error
		if r, err = b.load(key); err != nil {
			return nil, fmt.Errorf("read contact %s: %w", id, err)
		}
		b.contacts[key] = r
	}
	if !r.touched {
		r.touched = true
		b.touched = append(b.touched, r)
	}
	return r, nil
}

func (b *batch) load(key contactKey) (*record, error) {
	r := &record{contactKey: key}
	s, err := b.stmt(`SELECT opened, first_at, received, name, email, phone, company, fields, tags, blocked, erased, revision
		FROM contact WHERE workspace = ? AND id = ?`)
	if err != nil {
		return nil, err
	}
	var fields, tags string
	p := &r.profile
	err = s.QueryRowContext(b.ctx, key.workspace, key.id).Scan(&r.opened, &r.firstAt, &r.received,
		&p.Name, &p.Email, &p.Phone, &p.Company, &fields, &tags, &r.blocked, &r.erased, &r.revision)
	if errors.Is(err, sql.ErrNoRows) {
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(fields), &p.Fields); err != nil {
		return nil, err
	}
	return r, json.Unmarshal([]byte(tags), &r.tags)
}

func (b *batch) save(r *record) error {
	fields := []byte("{}")
	if len(r.profile.Fields) > 0 {
		var err error
		if fields, err = json.Marshal(r.profile.Fields); err != nil {
			return fmt.Errorf("write contact %s: %w", r.id, err)
		}
	}
	tags, err := list(r.tags)
	if err != nil {
		return fmt.Errorf("write contact %s: %w", r.id, err)
	}
	p := r.profile
	err = b.exec(`REPLACE INTO contact (workspace, id, opened, first_at, received, name, email, phone, company, fields, tags,
		blocked, erased, revision, search) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.workspace, r.id, r.opened, r.firstAt, string(r.received), string(p.Name), string(p.Email), string(p.Phone), string(p.Company),
		string(fields), tags, r.blocked, r.erased, r.revision, searchable(r.received, p.Name, p.Email, p.Phone, p.Company))
	if err != nil {
		return fmt.Errorf("write contact %s: %w", r.id, err)
	}
	return nil
}

// searchable is what a search goes through. Erased texts are no part of it.
func searchable(texts ...domain.Personal) string {
	var all []string
	for _, t := range texts {
		if t != "" && t != domain.Erased {
			all = append(all, fold(string(t)))
		}
	}
	return strings.Join(all, "\n")
}

// opened brings a contact into being, or takes over the name that came with a later conversation.
func (b *batch) opened(c *domain.Commit, e thread.Opened) error {
	r, err := b.find(c.Aggregate.Workspace, e.Contact)
	if err != nil {
		return err
	}
	if r.opened == 0 {
		r.opened, r.firstAt = int64(c.Position), c.Time.UnixMilli()
	}
	if e.Name != "" {
		r.received = e.Name
	}
	if e.Identity == "" {
		return nil
	}
	return b.identity(c, identityRow{
		id: e.Identity, thread: c.Aggregate.ID, contact: e.Contact, channel: e.Channel, address: string(e.Address), external: string(e.ExternalID),
	})
}

func (b *batch) contact(c *domain.Commit, event contact.Event) error {
	r, err := b.find(c.Aggregate.Workspace, c.Aggregate.ID)
	if err != nil {
		return err
	}
	r.revision = int64(c.Position)
	switch e := event.(type) {
	case contact.ProfileChanged:
		r.profile = e
	case contact.Tagged:
		r.tags = slices.Compact(slices.Sorted(slices.Values(slices.Concat(r.tags, e.Tags))))
	case contact.Untagged:
		r.tags = slices.DeleteFunc(slices.Clone(r.tags), func(t string) bool { return slices.Contains(e.Tags, t) })
	case contact.Blocked:
		r.blocked = true
	case contact.Unblocked:
		r.blocked = false
	case contact.Annotated:
		return b.exec(`INSERT INTO annotation (workspace, contact, position, id, text, author, at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			r.workspace, r.id, int64(c.Position), e.Annotation, string(e.Text), c.Actor.String(), c.Time.UnixMilli())
	case contact.Erased:
		return b.erasedContact(r)
	}
	return nil
}

func (b *batch) erasedContact(r *record) error {
	r.erased = true
	p := &r.profile
	*p = contact.ProfileChanged{
		Name: blank(p.Name), Email: blank(p.Email), Phone: blank(p.Phone), Company: blank(p.Company), Fields: blanked(p.Fields),
	}
	return b.exec(`UPDATE annotation SET text = ? WHERE workspace = ? AND contact = ?`, string(domain.Erased), r.workspace, r.id)
}

func blanked(fields map[string]domain.Personal) map[string]domain.Personal {
	all := make(map[string]domain.Personal, len(fields))
	for id, v := range fields {
		all[id] = blank(v)
	}
	return all
}

// erasedThread blanks what was known of the contact from that thread.
func (b *batch) erasedThread(c *domain.Commit, e thread.Erased) error {
	r, err := b.find(c.Aggregate.Workspace, e.Contact)
	if err != nil {
		return err
	}
	r.received = blank(r.received)
	return b.exec(`UPDATE identity SET address = iif(address = '', '', ?1), external_id = iif(external_id = '', '', ?1), search = ''
		WHERE workspace = ?2 AND contact = ?3 AND thread = ?4`, string(domain.Erased), r.workspace, r.id, c.Aggregate.ID)
}

type identityRow struct{ id, thread, contact, channel, address, external string }

// identity writes an address of a contact; what the newer word leaves empty stays, unless it is somebody else's now.
func (b *batch) identity(c *domain.Commit, i identityRow) error {
	return b.exec(`INSERT INTO identity (workspace, id, thread, contact, channel, address, external_id, search)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (workspace, id) DO UPDATE SET thread = ?3, contact = ?4, channel = ?5,
		address = iif(?6 = '' AND thread = ?3, address, ?6), external_id = iif(?7 = '' AND thread = ?3, external_id, ?7),
		search = iif(?6 = '' AND thread = ?3, search, ?8)`,
		c.Aggregate.Workspace, i.id, i.thread, i.contact, i.channel, i.address, i.external, searchable(domain.Personal(i.address)))
}
