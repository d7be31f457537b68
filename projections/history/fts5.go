package history

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// fts5 is the index of words in SQLite.
type fts5 struct{}

// schema: the index holds no text, so whoever takes words out must name them. secure-delete takes them out of the pages at
// once instead of marking them.
func (fts5) schema() string {
	return `
CREATE VIRTUAL TABLE IF NOT EXISTS texts USING fts5 (
	text, content = '', columnsize = 0, tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO texts (texts, rank) VALUES ('secure-delete', 1);
CREATE VIRTUAL TABLE IF NOT EXISTS terms USING fts5vocab (texts, 'instance');
`
}

// add comes last of all in a batch and goes row by row, because every statement that writes several rows, of whatever table,
// makes FTS5 write what it has gathered as a segment of its own (a third of the time of a catch-up).
func (fts5) add(ctx context.Context, tx *sql.Tx, words []said) error {
	stmt, err := tx.PrepareContext(ctx, `INSERT INTO texts (rowid, text) VALUES (?, ?)`)
	if err != nil {
		return err
	}
	defer stmt.Close()
	for _, w := range words {
		if _, err := stmt.ExecContext(ctx, w.at, w.text); err != nil {
			return err
		}
	}
	return nil
}

func (fts5) remove(ctx context.Context, tx *sql.Tx, words said) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO texts (texts, rowid, text) VALUES ('delete', ?, ?)`, words.at, words.text)
	return err
}

func (fts5) key() string   { return "t.rowid" }
func (fts5) holds() string { return "texts MATCH ?" }

// query quotes every term: nothing of what a person typed is taken for FTS5's language.
func (fts5) query(terms []term) string {
	match := make([]string, len(terms))
	for i, t := range terms {
		match[i] = `"` + t.text + `"`
		if t.begins {
			match[i] += " *"
		}
	}
	return strings.Join(match, " AND ")
}

// purge makes sure that no erased word outlives its texts in the index. Deletion takes words out of the leaves, but a leaf
// keeps the key under which its parent knows it, the beginning of what was its first word. When a key is left that no
// living word begins with, the index is written anew.
func (fts5) purge(ctx context.Context, tx *sql.Tx) error {
	keys, err := keys(ctx, tx)
	if err != nil {
		return fmt.Errorf("erase words: %w", err)
	}
	living, err := tx.PrepareContext(ctx, `SELECT term FROM terms WHERE term >= ? ORDER BY term LIMIT 1`)
	if err != nil {
		return fmt.Errorf("erase words: %w", err)
	}
	defer living.Close()
	for _, k := range keys {
		var term []byte
		err := living.QueryRowContext(ctx, string(k)).Scan(&term)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("erase words: %w", err)
		}
		if !bytes.HasPrefix(term, k) {
			return rewrite(ctx, tx)
		}
	}
	return nil
}

// keys are the beginnings of words by which the index knows its leaves.
func keys(ctx context.Context, tx *sql.Tx) ([][]byte, error) {
	found, err := tx.QueryContext(ctx, `SELECT DISTINCT term FROM texts_idx`)
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
func rewrite(ctx context.Context, tx *sql.Tx) error {
	for _, s := range []string{
		`INSERT INTO texts (rowid, text) VALUES (0, 'turno')`,
		`INSERT INTO texts (texts) VALUES ('optimize')`,
		`INSERT INTO texts (texts, rowid, text) VALUES ('delete', 0, 'turno')`,
	} {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("write the index of words anew: %w", err)
		}
	}
	return nil
}
