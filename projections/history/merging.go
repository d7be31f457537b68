package history

import (
	"fmt"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
)

// personOf is SQL for the contact that one is merged into now, or itself. It takes the contact twice; c is a conversation of
// its workspace.
const personOf = `coalesce((SELECT m.person FROM merges m WHERE m.workspace = c.workspace AND m.contact = ?), ?)`

// contact takes in what happens to a contact: a merge joins its conversations with those of its survivor and an un-merge
// takes them apart again, whichever came before it or in between; a profile makes it a known one; an erasure blanks what its tickets say of it.
func (b *batch) contact(c *domain.Commit) error {
	workspace := c.Aggregate.Workspace
	for _, e := range c.Events {
		var err error
		switch e := e.(type) {
		case contact.Merged:
			err = b.merge(workspace, e.Contact, c.Aggregate.ID)
		case contact.Unmerged:
			err = b.unmerge(workspace, e.Contact, c.Aggregate.ID)
		case contact.ProfileChanged:
			err = b.exec(`INSERT INTO known (workspace, contact, from_position) VALUES (?, ?, ?) ON CONFLICT (workspace, contact) DO NOTHING`,
				workspace, c.Aggregate.ID, int64(c.Position))
		case contact.Erased:
			err = b.eraseTickets(workspace, c.Aggregate.ID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) merge(workspace, id, survivor string) error {
	if err := b.exec(`INSERT INTO merges (workspace, contact, person) VALUES (?, ?, ?)
		ON CONFLICT (workspace, contact) DO UPDATE SET person = excluded.person`, workspace, id, survivor); err != nil {
		return fmt.Errorf("merge contact %s: %w", id, err)
	}
	return b.regroup(workspace, id, survivor)
}

// unmerge is told of merges that never came to be too: those are of nobody.
func (b *batch) unmerge(workspace, id, survivor string) error {
	done, err := b.tx.ExecContext(b.ctx, `DELETE FROM merges WHERE workspace = ? AND contact = ? AND person = ?`, workspace, id, survivor)
	if err != nil {
		return fmt.Errorf("un-merge contact %s: %w", id, err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return b.regroup(workspace, id, id)
}

// regroup says whose the contact's conversations are now; those of this batch that are not written yet find it out when
// they are.
func (b *batch) regroup(workspace, id, person string) error {
	if err := b.exec(`UPDATE conversations SET person = ? WHERE workspace = ? AND contact = ?`, person, workspace, id); err != nil {
		return fmt.Errorf("merge contact %s: %w", id, err)
	}
	return nil
}

func (b *batch) exec(query string, args ...any) error {
	_, err := b.tx.ExecContext(b.ctx, query, args...)
	return err
}
