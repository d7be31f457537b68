package directory

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/thread"
)

type contactKey struct{ workspace, id string }

// record is a contact's row while a batch folds it.
type record struct {
	contactKey
	touched bool

	person          string
	opened, firstAt int64
	received        domain.Personal
	profile         contact.ProfileChanged
	tags            []string
	known           bool
	assignee        string
	blocked, erased bool
	merged          []string
	revision        int64
}

// find gives the contact for changing it; one that is not known yet is begun.
func (b *batch) find(workspace, id string) (*record, error) {
	r, err := b.look(contactKey{workspace, id})
	if err == nil && !r.touched {
		r.touched = true
		b.touched = append(b.touched, r)
	}
	return r, err
}

// look gives the contact for reading.
func (b *batch) look(key contactKey) (*record, error) {
	r := b.contacts[key]
	if r == nil {
		var err error
		if r, err = b.load(key); err != nil {
			return nil, fmt.Errorf("read contact %s: %w", key.id, err)
		}
		b.contacts[key] = r
	}
	return r, nil
}

func (b *batch) load(key contactKey) (*record, error) {
	r := &record{contactKey: key, person: key.id}
	s, err := b.stmt(`SELECT person, opened, first_at, received, profile, tags, known, assignee, blocked, erased, merged, revision
		FROM contact WHERE workspace = ? AND id = ?`)
	if err != nil {
		return nil, err
	}
	var profile, tags, merged string
	err = s.QueryRowContext(b.ctx, key.workspace, key.id).Scan(&r.person, &r.opened, &r.firstAt, &r.received, &profile, &tags, &r.known,
		&r.assignee, &r.blocked, &r.erased, &merged, &r.revision)
	if errors.Is(err, sql.ErrNoRows) {
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	return r, errors.Join(json.Unmarshal([]byte(profile), &r.profile), json.Unmarshal([]byte(tags), &r.tags), json.Unmarshal([]byte(merged), &r.merged))
}

func (b *batch) save(r *record) error {
	profile, err := json.Marshal(r.profile)
	tags, terr := list(r.tags)
	merged, merr := list(r.merged)
	if err := errors.Join(err, terr, merr); err != nil {
		return fmt.Errorf("write contact %s: %w", r.id, err)
	}
	err = b.exec(`INSERT INTO contact (workspace, id, person, opened, first_at, received, profile, tags, known, assignee, blocked, erased, merged, revision)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (workspace, id) DO UPDATE SET person = excluded.person,
		opened = excluded.opened, first_at = excluded.first_at, received = excluded.received, profile = excluded.profile, tags = excluded.tags,
		known = excluded.known, assignee = excluded.assignee, blocked = excluded.blocked, erased = excluded.erased,
		merged = excluded.merged, revision = excluded.revision`,
		r.workspace, r.id, r.person, r.opened, r.firstAt, string(r.received), string(profile), tags, flag(r.known), r.assignee,
		flag(r.blocked), flag(r.erased), merged, r.revision)
	if err != nil {
		return fmt.Errorf("write contact %s: %w", r.id, err)
	}
	return nil
}

// opened brings a contact into being, or takes over the name that came with a later conversation.
func (b *batch) opened(c *domain.Commit, e thread.Opened) error {
	r, err := b.find(c.Aggregate.Workspace, e.Contact)
	if err != nil {
		return err
	}
	if r.opened == 0 {
		r.opened = int64(c.Position)
	}
	if r.firstAt == 0 {
		r.firstAt = c.Time.UnixMilli()
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
	if r.opened == 0 { // it was added, and nobody has written yet
		r.opened = int64(c.Position)
	}
	switch e := event.(type) {
	case contact.ProfileChanged:
		r.profile, r.known = e, true
	case contact.Tagged:
		r.tags = slices.Compact(slices.Sorted(slices.Values(slices.Concat(r.tags, e.Tags))))
	case contact.Untagged:
		r.tags = slices.DeleteFunc(slices.Clone(r.tags), func(t string) bool { return slices.Contains(e.Tags, t) })
	case contact.Blocked:
		r.blocked = true
	case contact.Unblocked:
		r.blocked = false
	case contact.Assigned:
		r.assignee = e.Operator
	case contact.Unassigned:
		r.assignee = ""
	case contact.Merged:
		return b.merge(r, e.Contact)
	case contact.Unmerged:
		return b.unmerge(r, e.Contact)
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
	for _, name := range contact.Lines() {
		line := r.profile.Line(name)
		*line = blank(*line)
	}
	r.profile.Fields = blanked(r.profile.Fields)
	return b.exec(`UPDATE annotation SET text = ? WHERE workspace = ? AND contact = ?`, string(domain.Erased), r.workspace, r.id)
}

func blanked(fields map[string]domain.Personal) map[string]domain.Personal {
	if len(fields) == 0 {
		return nil
	}
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
	return b.exec(`UPDATE identity SET address = CASE WHEN address = '' THEN '' ELSE ?1 END,
		external_id = CASE WHEN external_id = '' THEN '' ELSE ?1 END, search = ''
		WHERE workspace = ?2 AND contact = ?3 AND thread = ?4`, string(domain.Erased), r.workspace, r.id, c.Aggregate.ID)
}

type identityRow struct{ id, thread, contact, channel, address, external string }

// identity writes an address of a contact; what the newer word leaves empty stays, unless it is somebody else's now.
func (b *batch) identity(c *domain.Commit, i identityRow) error {
	return b.exec(`INSERT INTO identity (workspace, id, thread, contact, channel, address, external_id, search)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (workspace, id) DO UPDATE SET
		thread = excluded.thread, contact = excluded.contact, channel = excluded.channel,
		address = CASE WHEN excluded.address = '' AND identity.thread = excluded.thread THEN identity.address ELSE excluded.address END,
		external_id = CASE WHEN excluded.external_id = '' AND identity.thread = excluded.thread THEN identity.external_id ELSE excluded.external_id END,
		search = CASE WHEN excluded.address = '' AND identity.thread = excluded.thread THEN identity.search ELSE excluded.search END`,
		c.Aggregate.Workspace, i.id, i.thread, i.contact, i.channel, i.address, i.external, searchable(domain.Personal(i.address)))
}
