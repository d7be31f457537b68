package deliveries

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

// ErrCursor says that a cursor did not come from an answer to the same list.
var ErrCursor = errors.New("the cursor is not one of this list")

// Queries reads the deliveries of a workspace. It is safe for concurrent use.
type Queries struct{ db *sql.DB }

// NewQueries reads from a reader of the store of views.
func NewQueries(db *sql.DB) *Queries { return &Queries{db} }

// Delivery is one event for one subscription, and how it stands.
type Delivery struct {
	Position   domain.Position   `json:"position"`
	Index      int               `json:"index"` // of the event in its commit
	WebhookID  string            `json:"webhook_id"`
	Type       string            `json:"type"`
	Subject    string            `json:"subject"`              // a conversation, or <category>/<id>
	Redelivery string            `json:"redelivery,omitempty"` // the command that asked for it to be sent again
	State      string            `json:"state"`                // pending, delivered, failed
	Made       projections.Time  `json:"made_at"`
	Attempts   int               `json:"attempts"`
	Next       *projections.Time `json:"next_at,omitempty"`  // of one that is pending and was tried
	Tried      *projections.Time `json:"tried_at,omitempty"` // the last time
	Took       int64             `json:"took_ms"`            // that time
	Status     int               `json:"status,omitempty"`   // that the receiver answered then
	Error      string            `json:"error,omitempty"`    // one word, where no answer came
}

// Page is a part of a list, the newest position first.
type Page struct {
	Items    []Delivery      `json:"items"`
	Next     string          `json:"next,omitempty"`
	HasMore  bool            `json:"has_more"`
	Position domain.Position `json:"position"` // up to which deliveries were made of the log
	Pending  int             `json:"pending"`  // in all
}

// Filter narrows a list.
type Filter struct {
	State  string // any, when empty
	Cursor string
	Limit  int
}

// Deliveries lists those of a subscription. Of one that nothing was made for yet the list is empty.
func (q *Queries) Deliveries(ctx context.Context, workspace, subscription string, f Filter) (Page, error) {
	p := Page{Items: []Delivery{}}
	where, args := `workspace = ? AND subscription = ?`, []any{workspace, subscription}
	if f.State != "" {
		where, args = where+` AND state = ?`, append(args, f.State)
	}
	if f.Cursor != "" {
		position, place, run, err := parseCursor(f.Cursor)
		if err != nil {
			return p, err
		}
		where += ` AND (position < ? OR position = ? AND (place < ? OR place = ? AND run < ?))`
		args = append(args, position, position, place, place, run)
	}
	tx, err := q.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return p, fmt.Errorf("list deliveries: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // reading only
	err = tx.QueryRowContext(ctx, `SELECT position FROM cursor WHERE workspace = ? AND subscription = ?`, workspace, subscription).Scan(&p.Position)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return p, fmt.Errorf("list deliveries: %w", err)
	}
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM delivery WHERE workspace = ? AND subscription = ? AND state = 'pending'`, workspace, subscription).Scan(&p.Pending)
	if err != nil {
		return p, fmt.Errorf("list deliveries: %w", err)
	}
	rows, err := tx.QueryContext(ctx, `SELECT position, place, run, commit_id, type, subject, state, made, attempts, next_at, tried, took, status, error
		FROM delivery WHERE `+where+` ORDER BY position DESC, place DESC, run DESC LIMIT ?`, append(args, f.Limit+1)...)
	if err != nil {
		return p, fmt.Errorf("list deliveries: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var d Delivery
		var commit string
		var made, next, tried int64
		if err := rows.Scan(&d.Position, &d.Index, &d.Redelivery, &commit, &d.Type, &d.Subject, &d.State, &made, &d.Attempts, &next, &tried, &d.Took, &d.Status, &d.Error); err != nil {
			return p, fmt.Errorf("list deliveries: %w", err)
		}
		d.WebhookID, d.Made, d.Tried = WebhookID(commit, d.Index), projections.Millis(made), projections.MillisOrNil(tried)
		if d.State == Pending {
			d.Next = projections.MillisOrNil(next)
		}
		p.Items = append(p.Items, d)
	}
	if len(p.Items) > f.Limit {
		p.Items = p.Items[:f.Limit]
		last := p.Items[f.Limit-1]
		p.HasMore, p.Next = true, formatCursor(last)
	}
	return p, rows.Err()
}

func formatCursor(d Delivery) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatUint(uint64(d.Position), 10) + " " + strconv.Itoa(d.Index) + " " + d.Redelivery))
}

func parseCursor(cursor string) (position int64, place int, run string, err error) {
	text, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	parts := strings.Split(string(text), " ")
	if err != nil || len(parts) != 3 {
		return 0, 0, "", ErrCursor
	}
	if position, err = strconv.ParseInt(parts[0], 10, 64); err != nil {
		return 0, 0, "", ErrCursor
	}
	if place, err = strconv.Atoi(parts[1]); err != nil || !validRun(parts[2]) {
		return 0, 0, "", ErrCursor
	}
	return position, place, parts[2], nil
}

// validRun reports whether s can be a redelivery's id, or none.
func validRun(s string) bool { return s == "" || domain.ValidID(s) }
