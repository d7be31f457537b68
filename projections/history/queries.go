package history

import (
	"context"
	"database/sql"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/thread"
)

// Queries read the view. Each answer is of one moment: the rows and the checkpoint are read in one transaction. Who looks
// sees what the access rule shows them at that moment, also with asOf: an earlier position tells what was, to those who
// may know today. asOf 0 is now. Safe for concurrent use.
type Queries struct{ db *sql.DB }

// NewQueries reads from db, which stays its caller's to close.
func NewQueries(db *sql.DB) *Queries { return &Queries{db: db} }

// Filter narrows a list. The zero value lets all pass; a field that is set must match.
type Filter struct {
	States     []string
	Department string
	Operator   string // owns it now, or owned it at the close
	Contact    string
	Channel    string
	Tag        string
	Category   string
	Archived   *bool
	// From (inclusive) and To (exclusive) are about the close where States is exactly "closed", else about the opening.
	From, To time.Time
}

// Conversation returns one conversation. ErrNotFound.
func (q *Queries) Conversation(ctx context.Context, workspace string, v access.Viewer, id string, asOf domain.Position) (ConversationAnswer, error) {
	return ConversationAnswer{}, ErrNotFound
}

// Conversations lists what the filter lets pass, newest first: by the close where the filter's States is exactly "closed",
// else by the opening.
func (q *Queries) Conversations(ctx context.Context, workspace string, v access.Viewer, f Filter, cursor string, limit int, asOf domain.Position) (Page[Conversation], error) {
	return Page[Conversation]{}, ErrNotFound
}

// Messages lists the messages of a conversation, oldest first; with notes, its internal notes among them. ErrNotFound.
func (q *Queries) Messages(ctx context.Context, workspace string, v access.Viewer, id string, notes bool, cursor string, limit int, asOf domain.Position) (Page[Message], error) {
	return Page[Message]{}, ErrNotFound
}

// Timeline returns every event of a conversation. ErrNotFound.
func (q *Queries) Timeline(ctx context.Context, workspace string, v access.Viewer, id string, asOf domain.Position) (Timeline, error) {
	return Timeline{}, ErrNotFound
}

// TicketTimeline returns every event of those conversations of the ticket that the viewer may see. ErrNotFound.
func (q *Queries) TicketTimeline(ctx context.Context, workspace string, v access.Viewer, number int64, asOf domain.Position) (Timeline, error) {
	return Timeline{}, ErrNotFound
}

// Ticket returns the case with those of its conversations that the viewer may see. ErrNotFound.
func (q *Queries) Ticket(ctx context.Context, workspace string, v access.Viewer, number int64, asOf domain.Position) (Ticket, error) {
	return Ticket{}, ErrNotFound
}

// ContactHistory lists the conversations of a contact, newest first. Whoever serves the contact now finds in it, Restricted,
// the open ones that are not theirs to see. ErrNotFound when there is nothing that the viewer may know of.
func (q *Queries) ContactHistory(ctx context.Context, workspace string, v access.Viewer, contact, cursor string, limit int) (Page[Conversation], error) {
	return Page[Conversation]{}, ErrNotFound
}

// Search finds conversations by number and by content. Every word of text must stand in one message, note, summary or
// contact of the conversation; a word ending in * stands for all that begin with it; words in double quotes must follow
// each other; a number, with or without #, is a ticket as well. Newest text first. An empty text lists what the filter
// lets pass. ErrCursor, ErrSearch.
func (q *Queries) Search(ctx context.Context, workspace string, v access.Viewer, text string, f Filter, cursor string, limit int) (Page[Match], error) {
	return Page[Match]{}, ErrNotFound
}

// Serves reports whether an operator serves the contact now: owns an attended or paused conversation of it.
func (q *Queries) Serves(ctx context.Context, workspace, operator, contact string) (bool, error) {
	return false, ErrNotFound
}

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

// FindMessage tells where the thread has a message with this id hash, once the projection has passed upTo.
func (m *MessageIndex) FindMessage(ctx context.Context, workspace, threadID, idHash string, upTo domain.Position) (thread.Sighting, bool, error) {
	return thread.Sighting{}, false, ErrNotFound
}
