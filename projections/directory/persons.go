package directory

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
)

// person is what is shown of a contact and of those that were merged into it: the survivor's values win, what it has none
// of comes from the others in the order in which they were merged, and tags are everybody's.
type person struct {
	*record // the survivor
	shown
	firstAt int64
	known   bool
}

// shown is the body of a person's row.
type shown struct {
	Name    domain.Personal        `json:"name"`
	Profile contact.ProfileChanged `json:"profile"`
	Tags    []string               `json:"tags"`
	Merged  []Merged               `json:"merged,omitempty"`
}

// together makes the person of a survivor and the contacts that were merged into it.
func together(survivor *record, members []*record) person {
	p := person{record: survivor, firstAt: survivor.firstAt, known: survivor.known}
	p.Profile = survivor.profile
	p.Profile.Fields = maps.Clone(survivor.profile.Fields)
	p.Tags = slices.Clone(survivor.tags)
	received := survivor.received
	for _, m := range members {
		p.Merged = append(p.Merged, Merged{Contact: m.id, Conflicts: p.take(m)})
		p.Tags = append(p.Tags, m.tags...)
		p.known = p.known || m.known
		if m.firstAt != 0 && (p.firstAt == 0 || m.firstAt < p.firstAt) {
			p.firstAt = m.firstAt
		}
		if received == "" {
			received = m.received
		}
	}
	p.Tags = slices.Compact(slices.Sorted(slices.Values(p.Tags)))
	if p.Name = p.Profile.Name; p.Name == "" {
		p.Name = received
	}
	return p
}

// take fills what is empty from a merged contact, and gives what it has otherwise.
func (p *person) take(m *record) map[string]string {
	conflicts := map[string]string{}
	for _, name := range contact.Lines() {
		mine, theirs := p.Profile.Line(name), *m.profile.Line(name)
		switch {
		case *mine == "":
			*mine = theirs
		case theirs != "" && theirs != *mine:
			conflicts[name] = string(theirs)
		}
	}
	for id, theirs := range m.profile.Fields {
		switch mine := p.Profile.Fields[id]; mine {
		case "":
			if p.Profile.Fields == nil {
				p.Profile.Fields = map[string]domain.Personal{}
			}
			p.Profile.Fields[id] = theirs
		case theirs:
		default:
			conflicts["fields."+id] = string(theirs)
		}
	}
	if m.assignee != "" && m.assignee != p.assignee {
		conflicts["assignee"] = m.assignee
	}
	if m.blocked != p.blocked {
		conflicts["blocked"] = fmt.Sprint(m.blocked)
	}
	return conflicts
}

// merge makes another contact part of this one.
func (b *batch) merge(r *record, id string) error {
	m, err := b.find(r.workspace, id)
	if err != nil {
		return err
	}
	m.person = r.id
	r.merged = append(slices.DeleteFunc(slices.Clone(r.merged), func(c string) bool { return c == id }), id)
	return nil
}

// unmerge lets it stand for itself again; a merge that never came to be changes nothing.
func (b *batch) unmerge(r *record, id string) error {
	if !slices.Contains(r.merged, id) {
		return nil
	}
	m, err := b.find(r.workspace, id)
	if err != nil {
		return err
	}
	m.person = m.id
	r.merged = slices.DeleteFunc(slices.Clone(r.merged), func(c string) bool { return c == id })
	return nil
}

// show writes the person that a contact is, or is part of now, anew.
func (b *batch) show(r *record) error {
	if r.person != r.id {
		return b.unshow(r)
	}
	members := make([]*record, 0, len(r.merged))
	for _, id := range r.merged {
		m, err := b.look(contactKey{r.workspace, id})
		if err != nil {
			return err
		}
		members = append(members, m)
	}
	p := together(r, members)
	body, err := json.Marshal(p.shown)
	if err != nil {
		return fmt.Errorf("write contact %s: %w", r.id, err)
	}
	texts := []domain.Personal{p.received, p.Name}
	for _, name := range contact.Lines() {
		texts = append(texts, *p.Profile.Line(name))
	}
	for _, m := range members {
		texts = append(texts, m.received, m.profile.Name, m.profile.Email, m.profile.Phone)
	}
	err = b.exec(`INSERT INTO person (workspace, id, opened, first_at, known, assignee, blocked, erased, body, search)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (workspace, id) DO UPDATE SET opened = excluded.opened, first_at = excluded.first_at,
		known = excluded.known, assignee = excluded.assignee, blocked = excluded.blocked, erased = excluded.erased, body = excluded.body,
		search = excluded.search`,
		p.workspace, p.id, p.opened, p.firstAt, flag(p.known), p.assignee, flag(p.blocked), flag(p.erased), string(body), searchable(texts...))
	if err != nil {
		return fmt.Errorf("write contact %s: %w", r.id, err)
	}
	return b.label(p)
}

// label writes what a person can be filtered by. Who has had nothing told of them has none, and had none.
func (b *batch) label(p person) error {
	if p.revision == 0 && len(p.merged) == 0 {
		return nil
	}
	if err := b.unlabel(p.record); err != nil {
		return err
	}
	for _, t := range p.Tags {
		if err := b.exec(`INSERT INTO person_tag (workspace, tag, person) VALUES (?, ?, ?)`, p.workspace, t, p.id); err != nil {
			return fmt.Errorf("write contact %s: %w", p.id, err)
		}
	}
	field := func(name string, v domain.Personal) error {
		if v == "" || v == domain.Erased {
			return nil
		}
		return b.exec(`INSERT INTO person_field (workspace, person, field, value) VALUES (?, ?, ?, ?)`, p.workspace, p.id, name, fold(string(v)))
	}
	for _, name := range contact.Lines() {
		if err := field(name, *p.Profile.Line(name)); err != nil {
			return fmt.Errorf("write contact %s: %w", p.id, err)
		}
	}
	for id, v := range p.Profile.Fields {
		if err := field("fields."+id, v); err != nil {
			return fmt.Errorf("write contact %s: %w", p.id, err)
		}
	}
	return nil
}

func (b *batch) unlabel(r *record) error {
	if err := b.exec(`DELETE FROM person_tag WHERE workspace = ? AND person = ?`, r.workspace, r.id); err != nil {
		return fmt.Errorf("write contact %s: %w", r.id, err)
	}
	if err := b.exec(`DELETE FROM person_field WHERE workspace = ? AND person = ?`, r.workspace, r.id); err != nil {
		return fmt.Errorf("write contact %s: %w", r.id, err)
	}
	return nil
}

// unshow takes a contact that was merged away out of what is shown.
func (b *batch) unshow(r *record) error {
	if err := b.exec(`DELETE FROM person WHERE workspace = ? AND id = ?`, r.workspace, r.id); err != nil {
		return fmt.Errorf("write contact %s: %w", r.id, err)
	}
	return b.unlabel(r)
}

// searchable is what a search goes through. Erased texts are no part of it.
func searchable(texts ...domain.Personal) string {
	var all []string
	for _, t := range texts {
		if t != "" && t != domain.Erased && !slices.Contains(all, fold(string(t))) {
			all = append(all, fold(string(t)))
		}
	}
	return strings.Join(all, "\n")
}
