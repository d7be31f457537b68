package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

// MessageIndex is command.MessageIndex over this view.
type MessageIndex struct {
	queries *Queries
	wait    func(ctx context.Context, p domain.Position) error
}

// NewMessageIndex looks messages up through q. wait returns once the projection has passed a position, or why it did not:
// that error is handed on, so it should be the one that commands know (command.ErrUnavailable).
func NewMessageIndex(q *Queries, wait func(ctx context.Context, p domain.Position) error) *MessageIndex {
	return &MessageIndex{queries: q, wait: wait}
}

// FindMessage tells where the thread first had a message with this id hash, once the projection has passed upTo. Of the
// sighting it fills Position, Conversation, Ticket and Message. That it found none is no answer where the view lacks
// something of the thread: then it returns an error.
func (m *MessageIndex) FindMessage(ctx context.Context, workspace, threadID, idHash string, upTo domain.Position) (thread.Sighting, bool, error) {
	if err := m.wait(ctx, upTo); err != nil {
		return thread.Sighting{}, false, fmt.Errorf("find a message of thread %s: %w", threadID, err)
	}
	var (
		at, ticket int64
		number     int
		typ        string
		data       []byte
	)
	tx, err := m.queries.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return thread.Sighting{}, false, fmt.Errorf("find a message of thread %s: %w", threadID, err)
	}
	defer tx.Rollback() //nolint:errcheck // reading only
	err = tx.QueryRowContext(ctx, `SELECT e.at, c.number, c.ticket, e.type, e.data
		FROM conversations c CROSS JOIN entries e
		WHERE e.conversation = c.opened AND e.id_hash = ? AND c.workspace = ? AND c.thread = ? ORDER BY e.at LIMIT 1`, idHash, workspace, threadID).
		Scan(&at, &number, &ticket, &typ, &data)
	if errors.Is(err, sql.ErrNoRows) {
		return thread.Sighting{}, false, complete(ctx, tx, domain.Aggregate{Workspace: workspace, Category: domain.CategoryThread, ID: threadID}, upTo)
	}
	if err != nil {
		return thread.Sighting{}, false, fmt.Errorf("find a message of thread %s: %w", threadID, err)
	}
	event, err := parse(typ, data)
	if err != nil {
		return thread.Sighting{}, false, fmt.Errorf("find a message of thread %s: %w", threadID, err)
	}
	s := thread.Sighting{Conversation: thread.ConversationID(threadID, number), Ticket: ticket}
	s.Position, _ = placed(at)
	switch e := event.(type) {
	case thread.MessageReceived:
		s.Message = e.Message
	case thread.MessageSent:
		s.Message = e.Message
	}
	return s, true, nil
}

// complete returns why the view does not hold all of the thread up to a position: it has begun anew since it was waited for,
// or has parked the thread.
func complete(ctx context.Context, q projections.Querier, a domain.Aggregate, upTo domain.Position) error {
	is, err := projections.PositionOf(ctx, q)
	if err != nil {
		return err
	}
	if is < upTo {
		return fmt.Errorf("the view is at %d again, %d is wanted", is, upTo)
	}
	parked, err := projections.ListParked(ctx, q)
	if err != nil {
		return err
	}
	for _, p := range parked {
		if p.Aggregate == a.String() {
			return fmt.Errorf("the view lacks %s from %d on", a, p.Position)
		}
	}
	return nil
}
