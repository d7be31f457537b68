package history

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/turno-desk/turno/domain"
)

// erase blanks all that the thread's conversations hold of a person, and takes their words out of the index. current is
// the conversation of the commit that says so, or nil.
func (b *batch) erase(workspace, threadID string, current *record) error {
	if err := b.entries.Flush(b.ctx, b.tx); err != nil {
		return err
	}
	if err := b.say(); err != nil {
		return err
	}
	if current != nil {
		b.dirty[current.opened] = current
		if err := b.eraseTickets(workspace, current.contact); err != nil {
			return err
		}
	}
	stored, err := b.ofThread(workspace, threadID)
	if err != nil {
		return err
	}
	for _, r := range stored {
		if b.dirty[r.opened] == nil {
			b.dirty[r.opened] = r
		}
	}
	for opened, r := range b.dirty {
		if r.workspace != workspace || r.thread != threadID {
			continue
		}
		blank(reflect.ValueOf(&r.personal).Elem())
		if err := b.eraseEntries(opened); err != nil {
			return err
		}
	}
	return nil
}

// ofThread reads the thread's conversations that were written before this batch.
func (b *batch) ofThread(workspace, threadID string) ([]*record, error) {
	found, err := b.tx.QueryContext(b.ctx, selectRecord+" WHERE c.workspace = ? AND c.thread = ?", workspace, threadID)
	if err != nil {
		return nil, fmt.Errorf("erase: %w", err)
	}
	defer found.Close()
	var all []*record
	for found.Next() {
		r, err := scanRecord(found)
		if err != nil {
			return nil, fmt.Errorf("erase: %w", err)
		}
		all = append(all, r)
	}
	return all, found.Err()
}

// eraseEntries blanks the entries of one conversation.
func (b *batch) eraseEntries(opened domain.Position) error {
	found, err := readEntries(b.ctx, b.tx, opened, 0, forever, "", "")
	if err != nil {
		return fmt.Errorf("erase: %w", err)
	}
	for _, e := range found {
		event, err := parse(e.typ, e.data)
		if err != nil {
			return fmt.Errorf("erase: %w", err)
		}
		if _, text := words(event); text != "" {
			if err := b.p.index.remove(b.ctx, b.tx, said{e.at, text}); err != nil {
				return fmt.Errorf("erase words: %w", err)
			}
			b.erased = true
		}
		data, err := json.Marshal(erased(event))
		if err != nil {
			return fmt.Errorf("erase: %w", err)
		}
		if string(data) == string(e.data) {
			continue
		}
		if _, err := b.tx.ExecContext(b.ctx, `UPDATE entries SET data = ? WHERE at = ?`, string(data), e.at); err != nil {
			return fmt.Errorf("erase: %w", err)
		}
	}
	return nil
}
