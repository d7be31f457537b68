package history

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
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
			if _, err := b.tx.ExecContext(b.ctx, `INSERT INTO texts (texts, rowid, text) VALUES ('delete', ?, ?)`, e.at, text); err != nil {
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

// purge makes sure that no erased word outlives its texts in the index. Deletion takes words out of the leaves, but a leaf
// keeps the key under which its parent knows it, the beginning of what was its first word. When a key is left that no
// living word begins with, the index is written anew.
func (b *batch) purge() error {
	keys, err := b.keys()
	if err != nil {
		return fmt.Errorf("erase words: %w", err)
	}
	living, err := b.tx.PrepareContext(b.ctx, `SELECT term FROM terms WHERE term >= ? ORDER BY term LIMIT 1`)
	if err != nil {
		return fmt.Errorf("erase words: %w", err)
	}
	defer living.Close()
	for _, k := range keys {
		var term []byte
		err := living.QueryRowContext(b.ctx, string(k)).Scan(&term)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("erase words: %w", err)
		}
		if !bytes.HasPrefix(term, k) {
			return b.rewrite()
		}
	}
	return nil
}

// keys are the beginnings of words by which the index knows its leaves.
func (b *batch) keys() ([][]byte, error) {
	found, err := b.tx.QueryContext(b.ctx, `SELECT DISTINCT term FROM texts_idx`)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var all [][]byte
	for found.Next() {
		var term []byte
		if err := found.Scan(&term); err != nil {
			return nil, err
		}
		if len(term) > 1 { // the first byte says which index it is of: there is only the main one
			all = append(all, term[1:])
		}
	}
	return all, found.Err()
}

// rewrite merges the whole index into one segment of fresh pages. A second segment is made first, because a single one
// would be left as it is.
func (b *batch) rewrite() error {
	for _, s := range []string{
		`INSERT INTO texts (rowid, text) VALUES (0, 'turno')`,
		`INSERT INTO texts (texts) VALUES ('optimize')`,
		`INSERT INTO texts (texts, rowid, text) VALUES ('delete', 0, 'turno')`,
	} {
		if _, err := b.tx.ExecContext(b.ctx, s); err != nil {
			return fmt.Errorf("write the index of words anew: %w", err)
		}
	}
	return nil
}
