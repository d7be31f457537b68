package history

import (
	"context"
	"database/sql"

	"github.com/turno-desk/turno/projections"
)

// fullText is the index of words, the one thing that stores don't do in the same SQL. Its table is texts, of the places of
// entries.
type fullText interface {
	schema() string
	add(ctx context.Context, tx *sql.Tx, words []said) error
	// remove takes out what add put in; purge follows at the end of a batch that has removed something.
	remove(ctx context.Context, tx *sql.Tx, words said) error
	purge(ctx context.Context, tx *sql.Tx) error

	// key is the column of the place in texts t, holds the condition that it has words, and query the condition's argument,
	// empty when the terms hold nothing that could be found.
	key() string
	holds() string
	query(terms []term) string
}

// fullTextOf is that of a dialect.
func fullTextOf(d projections.Dialect) fullText {
	if d == projections.PostgreSQL {
		return tsvector{}
	}
	return fts5{}
}
