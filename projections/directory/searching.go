package directory

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

const contactColumns = `c.id, c.opened, c.first_at, iif(c.name <> '', c.name, c.received), c.email, c.phone, c.company, c.fields, c.tags,
	c.blocked, c.erased, c.revision`

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
		rows, err := tx.QueryContext(ctx, `SELECT `+contactColumns+` FROM contact c WHERE `+where+` ORDER BY c.opened DESC LIMIT ?`,
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
		for i := range p.Items {
			if p.Items[i].Identities, err = identities(ctx, tx, workspace, p.Items[i].ID); err != nil {
				return err
			}
		}
		return nil
	})
	return p, err
}

func (f ContactFilter) where(workspace string, before int64) (string, []any) {
	conditions := []string{`c.workspace = ?`, `c.opened <> 0`, `c.opened < ?`}
	args := []any{workspace, before}
	add := func(condition string, with ...any) {
		conditions = append(conditions, condition)
		args = append(args, with...)
	}
	for _, w := range words(f.Q) {
		add(`(c.search LIKE ? ESCAPE '\' OR EXISTS (SELECT 1 FROM identity i WHERE i.workspace = c.workspace AND i.contact = c.id
			AND i.search LIKE ? ESCAPE '\'))`, w, w)
	}
	if f.Address != "" {
		add(`c.id IN (SELECT contact FROM identity WHERE workspace = ? AND address = ? AND address <> ?)`, workspace, f.Address, string(domain.Erased))
	}
	if f.ExternalID != "" {
		add(`c.id IN (SELECT contact FROM identity WHERE workspace = ? AND external_id = ? AND external_id NOT IN ('', ?))`, workspace, f.ExternalID, string(domain.Erased))
	}
	if f.Tag != "" {
		add(`EXISTS (SELECT 1 FROM json_each(c.tags) t WHERE t.value = ?)`, f.Tag)
	}
	return strings.Join(conditions, ` AND `), args
}

// Contact gives one with its annotations, oldest first.
func (q *Queries) Contact(ctx context.Context, workspace, id string) (c Contact, at domain.Position, found bool, err error) {
	at, err = q.read(ctx, func(tx *sql.Tx) error {
		row := tx.QueryRowContext(ctx, `SELECT `+contactColumns+` FROM contact c WHERE c.workspace = ? AND c.id = ? AND c.opened <> 0`, workspace, id)
		var err error
		if c, _, err = scanContact(row); errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read contact %s: %w", id, err)
		}
		found = true
		if c.Identities, err = identities(ctx, tx, workspace, id); err != nil {
			return err
		}
		c.Annotations, err = annotations(ctx, tx, workspace, id)
		return err
	})
	return c, at, found, err
}

func scanContact(row interface{ Scan(...any) error }) (c Contact, opened int64, err error) {
	var fields, tags string
	var firstAt int64
	if err := row.Scan(&c.ID, &opened, &firstAt, &c.Name, &c.Email, &c.Phone, &c.Company, &fields, &tags, &c.Blocked, &c.Erased, &c.Revision); err != nil {
		return c, 0, err
	}
	c.FirstAt = projections.Millis(firstAt)
	if err := json.Unmarshal([]byte(fields), &c.Fields); err != nil {
		return c, 0, err
	}
	return c, opened, json.Unmarshal([]byte(tags), &c.Tags)
}

func identities(ctx context.Context, tx *sql.Tx, workspace, contact string) ([]Identity, error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, channel, address, external_id, thread FROM identity WHERE workspace = ? AND contact = ? ORDER BY id`,
		workspace, contact)
	if err != nil {
		return nil, fmt.Errorf("read addresses of contact %s: %w", contact, err)
	}
	defer rows.Close()
	all := []Identity{}
	for rows.Next() {
		var i Identity
		if err := rows.Scan(&i.ID, &i.Channel, &i.Address, &i.ExternalID, &i.Thread); err != nil {
			return nil, fmt.Errorf("read addresses of contact %s: %w", contact, err)
		}
		all = append(all, i)
	}
	return all, rows.Err()
}

func annotations(ctx context.Context, tx *sql.Tx, workspace, contact string) ([]Annotation, error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, text, author, at FROM annotation WHERE workspace = ? AND contact = ? ORDER BY position, id`,
		workspace, contact)
	if err != nil {
		return nil, fmt.Errorf("read annotations of contact %s: %w", contact, err)
	}
	defer rows.Close()
	var all []Annotation
	for rows.Next() {
		var a Annotation
		var at int64
		if err := rows.Scan(&a.ID, &a.Text, &a.Author, &at); err != nil {
			return nil, fmt.Errorf("read annotations of contact %s: %w", contact, err)
		}
		a.At = projections.Millis(at)
		all = append(all, a)
	}
	return all, rows.Err()
}
