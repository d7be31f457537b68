package directory

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

// ErrCursor says that a cursor did not come from an answer to the same list.
var ErrCursor = errors.New("the cursor is not one of this list")

// Lengths of a page.
const (
	usualPage = 50
	mostPage  = 200
)

// Queries reads back and searches who and what there is. Conversations are not among it, so the access rule for them does
// not apply; who may read settings and contacts at all is the caller's to check. Safe for concurrent use.
type Queries struct{ db *sql.DB }

// NewQueries reads the view behind db, a reading handle of the projection.
func NewQueries(db *sql.DB) *Queries { return &Queries{db: db} }

// read runs fn on one snapshot of the view, and gives the position of that.
func (q *Queries) read(ctx context.Context, fn func(tx *sql.Tx) error) (domain.Position, error) {
	tx, err := q.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return 0, fmt.Errorf("read the directory: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // reading only
	at, err := projections.PositionOf(ctx, tx)
	if err != nil {
		return 0, err
	}
	return at, fn(tx)
}

func (r Range) limit() int {
	switch {
	case r.Limit <= 0:
		return usualPage
	case r.Limit > mostPage:
		return mostPage
	}
	return r.Limit
}

// cursor is the place after an item in a list.
func cursor(list, after string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(list + "|" + after))
}

// after is the place that a cursor stands for; "" at the beginning.
func (r Range) after(list string) (string, error) {
	if r.Cursor == "" {
		return "", nil
	}
	b, err := base64.RawURLEncoding.DecodeString(r.Cursor)
	if err != nil {
		return "", ErrCursor
	}
	after, ok := strings.CutPrefix(string(b), list+"|")
	if !ok || after == "" {
		return "", ErrCursor
	}
	return after, nil
}

// kind is one list by id: how its rows are read.
type kind[T any] struct {
	list   string // name in cursors
	rows   string // SELECT … FROM … WHERE <alias>.workspace = ?, without an order
	id     string // the column of the id
	scan   func(interface{ Scan(...any) error }) (T, error)
	idOf   func(T) string
	filter string // a further condition, with its argument
	arg    any
}

func page[T any](ctx context.Context, q *Queries, k kind[T], workspace string, r Range) (Page[T], error) {
	after, err := r.after(k.list)
	if err != nil {
		return Page[T]{}, err
	}
	p := Page[T]{Items: []T{}}
	p.Position, err = q.read(ctx, func(tx *sql.Tx) error {
		query, args := k.rows+` AND `+k.id+` > ?`, []any{workspace, after}
		if k.filter != "" {
			query, args = query+` AND `+k.filter, append(args, k.arg)
		}
		rows, err := tx.QueryContext(ctx, query+` ORDER BY `+k.id+` LIMIT ?`, append(args, r.limit()+1)...)
		if err != nil {
			return fmt.Errorf("list %s: %w", k.list, err)
		}
		defer rows.Close()
		for rows.Next() {
			item, err := k.scan(rows)
			if err != nil {
				return fmt.Errorf("list %s: %w", k.list, err)
			}
			p.Items = append(p.Items, item)
		}
		return rows.Err()
	})
	if len(p.Items) > r.limit() {
		p.Items = p.Items[:r.limit()]
		p.HasMore, p.Next = true, cursor(k.list, k.idOf(p.Items[r.limit()-1]))
	}
	return p, err
}

func one[T any](ctx context.Context, q *Queries, k kind[T], workspace, id string) (item T, at domain.Position, found bool, err error) {
	at, err = q.read(ctx, func(tx *sql.Tx) error {
		item, err = k.scan(tx.QueryRowContext(ctx, k.rows+` AND `+k.id+` = ?`, workspace, id))
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read one of %s: %w", k.list, err)
		}
		found = true
		return nil
	})
	return item, at, found, err
}
