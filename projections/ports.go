package projections

import (
	"context"
	"database/sql"

	"github.com/turno-desk/turno/domain"
)

// Source is the half of the log that projections need.
type Source interface {
	// ID is the log's identity, from its first commit.
	ID() string
	// Head is the newest position of the log.
	Head(ctx context.Context) (domain.Position, error)
	// At returns the commit at a position, or ErrNoCommit.
	At(ctx context.Context, p domain.Position) (domain.Commit, error)
	// Read calls fn with chunks of 1 to o.Max commits, in order, beginning with the first after `after`, waiting at the head
	// until ctx ends (then it returns ctx's error) or until fn returns an error (then it returns that). Contiguous, unless the
	// source is Sparse: a missing position is an error, not a hole. An `after` beyond the head is ErrAhead. While fn runs, the
	// next chunk is fetched and decoded. With o.ToHead it returns nil at the head that it saw when it was called.
	Read(ctx context.Context, after domain.Position, o ReadOptions, fn func([]domain.Commit) error) error
}

// Sparse is what a Source is besides whose positions grow but are not contiguous. How many commits lie between two of them
// is not their difference then.
type Sparse interface {
	// Between is about how many commits lie after `from` up to `to`; 0 only when there is none.
	Between(from, to domain.Position) uint64
}

// ReadOptions tells Read what to deliver. The zero value: sealed, at most 500 at once, waiting at the head.
type ReadOptions struct {
	Open   bool // open the personal fields; otherwise they hold compact JWE
	Max    int  // commits per chunk
	ToHead bool
}

// Projection builds one view from the log.
type Projection interface {
	Name() string   // its name on the command line, in files and metrics
	Version() int   // grows with every change of its definition: another version is another view
	Schema() string // SQL that creates its tables, where they don't exist
	Opens() bool    // whether it needs personal fields open

	// Begin starts a batch in tx. A projection may remember rows between batches.
	Begin(ctx context.Context, tx *sql.Tx) (Batch, error)
	// Forget drops whatever it remembers of rows, after a transaction that did not commit.
	Forget()
}

// Batch folds commits into the view. Rows may be kept in memory until Flush. An error of Apply parks the commit's aggregate
// after the batch was rolled back; the batch is then begun anew without it.
type Batch interface {
	Apply(c *domain.Commit) error
	Flush(ctx context.Context) error
}

// Announcer tells every process how far a projection has come, and hears it from the others.
type Announcer interface {
	Announce(projection string, p domain.Position)
	// OnAnnounce calls fn for every announcement from any process, this one included, until cancel is called. It may miss some.
	OnAnnounce(fn func(projection string, p domain.Position)) (cancel func(), err error)
}
