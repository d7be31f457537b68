package directory

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/projections"
)

const contactColumns = `p.id, p.opened, p.first_at, p.body, p.known, p.assignee, p.blocked, p.erased, c.revision`

// persons joins what is shown with the contact's own row, which has the revision.
const persons = ` FROM person p JOIN contact c ON c.workspace = p.workspace AND c.id = p.id WHERE `

// Contacts lists and searches contacts, the newest first.
func (q *Queries) Contacts(ctx context.Context, workspace string, f ContactFilter) (Page[Contact], error) {
	const list = "contacts"
	after, err := f.after(list)
	if err != nil {
		return Page[Contact]{}, err
	}
	before := int64(1)<<62 - 1
	if after != "" {
		if before, err = strconv.ParseInt(after, 10, 64); err != nil {
			return Page[Contact]{}, ErrCursor
		}
	}
	where, args := f.where(workspace, before)
	p := Page[Contact]{Items: []Contact{}}
	p.Position, err = q.read(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT `+contactColumns+persons+where+` ORDER BY p.opened DESC LIMIT ?`,
			append(args, f.limit()+1)...)
		if err != nil {
			return fmt.Errorf("search contacts: %w", err)
		}
		defer rows.Close()
		var opened int64
		for rows.Next() {
			if len(p.Items) == f.limit() {
				p.HasMore, p.Next = true, cursor(list, strconv.FormatInt(opened, 10))
				break
			}
			var c Contact
			if c, opened, err = scanContact(rows); err != nil {
				return fmt.Errorf("search contacts: %w", err)
			}
			p.Items = append(p.Items, c)
		}
		if err := rows.Err(); err != nil {
			return fmt.Errorf("search contacts: %w", err)
		}
		return identities(ctx, tx, workspace, p.Items)
	})
	return p, err
}

func (f ContactFilter) where(workspace string, before int64) (string, []any) {
	conditions := []string{`p.workspace = ?`, `p.opened <> 0`, `p.opened < ?`}
	args := []any{workspace, before}
	add := func(condition string, with ...any) {
		conditions = append(conditions, condition)
		args = append(args, with...)
	}
	const byIdentity = `p.id IN (SELECT o.person FROM identity i JOIN contact o ON o.workspace = i.workspace AND o.id = i.contact WHERE i.workspace = ? AND `
	for _, w := range words(f.Q) {
		add(`(p.search LIKE ? ESCAPE '\' OR EXISTS (SELECT 1 FROM contact o JOIN identity i ON i.workspace = o.workspace AND i.contact = o.id
			WHERE o.workspace = p.workspace AND o.person = p.id AND i.search LIKE ? ESCAPE '\'))`, w, w)
	}
	if f.Address != "" {
		add(byIdentity+`i.address = ? AND i.address <> ?)`, workspace, f.Address, string(domain.Erased))
	}
	if f.ExternalID != "" {
		add(`(`+byIdentity+`i.external_id = ? AND i.external_id NOT IN ('', ?)) OR EXISTS (SELECT 1 FROM person_field e
			WHERE e.workspace = p.workspace AND e.person = p.id AND e.field = 'external_id' AND e.value = ?))`,
			workspace, f.ExternalID, string(domain.Erased), fold(f.ExternalID))
	}
	if f.Tag != "" {
		add(tagged, f.Tag)
	}
	switch f.Assignee {
	case "":
	case Nobody:
		add(`p.assignee = ''`)
	default:
		add(`p.assignee = ?`, f.Assignee)
	}
	if f.Known != nil {
		add(`p.known = ?`, flag(*f.Known))
	}
	if f.Living {
		add(`p.erased = 0`)
	}
	for _, s := range f.All {
		segmented(s, workspace, add)
	}
	return strings.Join(conditions, ` AND `), args
}

const tagged = `EXISTS (SELECT 1 FROM person_tag t WHERE t.workspace = p.workspace AND t.person = p.id AND t.tag = ?)`

// segmented adds what a segment asks for: of what is shown of a person, and of the addresses of all that are merged in it.
func segmented(s setting.Contacts, workspace string, add func(condition string, with ...any)) {
	for _, t := range s.Tags {
		add(tagged, t)
	}
	if s.Channel != "" {
		add(`p.id IN (SELECT o.person FROM identity i JOIN contact o ON o.workspace = i.workspace AND o.id = i.contact
			WHERE i.workspace = ? AND i.channel = ?)`, workspace, s.Channel)
	}
	for _, id := range slices.Sorted(maps.Keys(s.Fields)) {
		add(`EXISTS (SELECT 1 FROM person_field e WHERE e.workspace = p.workspace AND e.person = p.id AND e.field = ? AND e.value = ?)`,
			"fields."+id, fold(s.Fields[id]))
	}
	if s.Blocked != nil {
		add(`p.blocked = ?`, flag(*s.Blocked))
	}
	if s.Known != nil {
		add(`p.known = ?`, flag(*s.Known))
	}
	if s.FirstFrom != nil {
		add(`p.first_at >= ?`, s.FirstFrom.UnixMilli())
	}
	if s.FirstTo != nil {
		add(`p.first_at <> 0 AND p.first_at < ?`, s.FirstTo.UnixMilli())
	}
}

// FieldIDs are the ids of the fields that some contact has a value in, sorted.
func (q *Queries) FieldIDs(ctx context.Context, workspace string) ([]string, error) {
	const prefix = "fields."
	var ids []string
	_, err := q.read(ctx, func(tx *sql.Tx) error {
		for last := prefix; ; {
			var next sql.NullString // one step down the index for each, whatever the number of contacts
			err := tx.QueryRowContext(ctx, `SELECT min(field) FROM person_field WHERE workspace = ? AND field > ? AND field < 'fields/'`,
				workspace, last).Scan(&next)
			if err != nil {
				return fmt.Errorf("read the fields of contacts: %w", err)
			}
			if !next.Valid {
				return nil
			}
			last = next.String
			ids = append(ids, strings.TrimPrefix(last, prefix))
		}
	})
	return ids, err
}

// Contact gives one with its annotations, oldest first. One that was merged away is answered by its survivor.
func (q *Queries) Contact(ctx context.Context, workspace, id string) (c Contact, at domain.Position, found bool, err error) {
	at, err = q.read(ctx, func(tx *sql.Tx) error {
		row := tx.QueryRowContext(ctx, `SELECT `+contactColumns+persons+`p.workspace = ? AND p.opened <> 0 AND
			p.id = (SELECT person FROM contact WHERE workspace = ? AND id = ?)`, workspace, workspace, id)
		var err error
		if c, _, err = scanContact(row); errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read contact %s: %w", id, err)
		}
		found = true
		one := []Contact{c}
		if err := identities(ctx, tx, workspace, one); err != nil {
			return err
		}
		c = one[0]
		c.Annotations, err = annotations(ctx, tx, workspace, &c)
		return err
	})
	return c, at, found, err
}

func scanContact(row interface{ Scan(...any) error }) (c Contact, opened int64, err error) {
	var body string
	var firstAt int64
	if err := row.Scan(&c.ID, &opened, &firstAt, &body, &c.Known, &c.Assignee, &c.Blocked, &c.Erased, &c.Revision); err != nil {
		return c, 0, err
	}
	var s shown
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		return c, 0, err
	}
	p := s.Profile
	c.FirstAt = projections.MillisOrNil(firstAt)
	c.Name, c.Email, c.Phone, c.Sex = string(s.Name), string(p.Email), string(p.Phone), string(p.Sex)
	c.Company, c.Title, c.Document, c.ExternalID = string(p.Company), string(p.Title), string(p.Document), string(p.ExternalID)
	if p.Address != (contact.Address{}) {
		c.Address = &p.Address
	}
	for id, v := range p.Fields {
		if c.Fields == nil {
			c.Fields = map[string]string{}
		}
		c.Fields[id] = string(v)
	}
	if c.Tags, c.Merged = s.Tags, s.Merged; c.Tags == nil {
		c.Tags = []string{}
	}
	return c, opened, nil
}

// group is SQL for the contacts that a shown one is made of.
func (c *Contact) group() (string, []any) {
	args := []any{c.ID}
	for _, m := range c.Merged {
		args = append(args, m.Contact)
	}
	return ` IN (` + strings.TrimSuffix(strings.Repeat("?, ", len(args)), ", ") + `)`, args
}

// of is whose a thing is, where that is not the contact itself.
func (c *Contact) of(whose string) string {
	if whose == c.ID {
		return ""
	}
	return whose
}

// identities fills in the addresses of contacts, by id.
func identities(ctx context.Context, tx *sql.Tx, workspace string, contacts []Contact) error {
	of := map[string]int{} // whose place in contacts
	var ids []any
	for i := range contacts {
		contacts[i].Identities = []Identity{}
		_, group := contacts[i].group()
		for _, id := range group {
			of[id.(string)] = i
		}
		ids = append(ids, group...)
	}
	const most = 500 // at a time
	for part := range slices.Chunk(ids, most) {
		if err := identitiesOf(ctx, tx, workspace, part, func(i Identity) {
			c := &contacts[of[i.Contact]]
			i.Contact = c.of(i.Contact)
			c.Identities = append(c.Identities, i)
		}); err != nil {
			return err
		}
	}
	for i := range contacts {
		slices.SortFunc(contacts[i].Identities, func(a, b Identity) int { return strings.Compare(a.ID, b.ID) })
	}
	return nil
}

func identitiesOf(ctx context.Context, tx *sql.Tx, workspace string, ids []any, each func(Identity)) error {
	rows, err := tx.QueryContext(ctx, `SELECT id, contact, channel, address, external_id, thread FROM identity
		WHERE workspace = ? AND contact IN (?`+strings.Repeat(", ?", len(ids)-1)+`)`, append([]any{workspace}, ids...)...)
	if err != nil {
		return fmt.Errorf("read addresses of contacts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var i Identity
		if err := rows.Scan(&i.ID, &i.Contact, &i.Channel, &i.Address, &i.ExternalID, &i.Thread); err != nil {
			return fmt.Errorf("read addresses of contacts: %w", err)
		}
		each(i)
	}
	return rows.Err()
}

func annotations(ctx context.Context, tx *sql.Tx, workspace string, c *Contact) ([]Annotation, error) {
	in, args := c.group()
	rows, err := tx.QueryContext(ctx, `SELECT id, contact, text, author, at FROM annotation
		WHERE workspace = ? AND contact`+in+` ORDER BY position, id`, append([]any{workspace}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("read annotations of contact %s: %w", c.ID, err)
	}
	defer rows.Close()
	var all []Annotation
	for rows.Next() {
		var a Annotation
		var at int64
		if err := rows.Scan(&a.ID, &a.Contact, &a.Text, &a.Author, &at); err != nil {
			return nil, fmt.Errorf("read annotations of contact %s: %w", c.ID, err)
		}
		a.Contact = c.of(a.Contact)
		a.At = projections.Millis(at)
		all = append(all, a)
	}
	return all, rows.Err()
}
