package history

import (
	"database/sql"

	"github.com/turno-desk/turno/projections"
)

// Queries read the view. Each answer is of one moment: the rows and the checkpoint are read in one transaction. Who looks
// sees what the access rule shows them at that moment, also with asOf: an earlier position tells what was, to those who
// may know today. asOf 0 is now. Safe for concurrent use.
type Queries struct {
	db    *sql.DB
	index fullText
}

// NewQueries reads from db, which is of that dialect and stays its caller's to close.
func NewQueries(db *sql.DB, d projections.Dialect) *Queries {
	return &Queries{db: db, index: fullTextOf(d)}
}
