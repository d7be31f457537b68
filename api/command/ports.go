package command

import (
	"context"
	"errors"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

// Log is the half of the log that commands need.
type Log interface {
	// Append adds c to its aggregate if the aggregate still stands at v, and returns c's position and the aggregate's new
	// version. c.Position and c.Prev are set by the log. What it acknowledged is on disk (or as safe as the configured sync
	// mode says). Errors: ErrConflict (the aggregate moved, maybe by another attempt at the same command; nothing was
	// appended), ErrUncertain (it may or may not have been appended: look for c.ID from v on), ErrFull, ErrUnavailable (nothing was appended), domain.Refusal with CodeTooLarge.
	Append(ctx context.Context, c domain.Commit, v domain.Version) (domain.Position, domain.Version, error)

	// Load returns the aggregate's commits that came after version `since` (0: all of them), oldest first, and the version
	// of the newest. It walks back from the tail and goes no further than the first commit for which stop is true (that one
	// is included); a nil stop walks to `since`. When nothing came after `since` it returns no commits and `since`, after one read of
	// the tail, which is never stale. Personal fields are open.
	Load(ctx context.Context, a domain.Aggregate, since domain.Version, stop func(*domain.Commit) bool) ([]domain.Commit, domain.Version, error)
}

// SettingsLog is what the image of the settings is loaded from and followed on.
type SettingsLog interface {
	// Latest returns the newest commit of every aggregate of the categories in the workspace (last per subject, personal
	// fields open), and a position up to which that is complete.
	Latest(ctx context.Context, workspace string, categories ...domain.Category) ([]domain.Commit, domain.Position, error)
	// Newest returns the position of the newest commit of the categories, 0 when there is none, and a position up to which
	// that is so. It is what Latest is asked for only when it has moved.
	Newest(ctx context.Context, workspace string, categories ...domain.Category) (newest, upTo domain.Position, err error)
	// Follow calls fn, in order, with every commit of the categories after `after`, and fresh, at least four times a second
	// while the log can be reached, whenever it has delivered all that the log held at that moment. It returns when ctx ends.
	Follow(ctx context.Context, workspace string, after domain.Position, categories []domain.Category, fn func(domain.Commit), fresh func()) error
}

// States keeps the states of long threads, so that a load need not walk all the way. The projection `threadstate` is
// behind it. The state is at its Version; found is false when there is none.
type States interface {
	ThreadState(ctx context.Context, workspace, threadID string) (s *thread.State, found bool, err error)
}

// Errors of the log. A caller sees them wrapped; errors.Is finds them.
var (
	ErrConflict    = errors.New("the aggregate has moved on")
	ErrUncertain   = errors.New("the outcome of the append is unknown")
	ErrUnavailable = errors.New("the log can't be reached")
	ErrFull        = errors.New("the log's disk is below its reserve of free space")
)

// Keys hands out the keys that seal personal fields.
type Keys interface {
	// NewKey returns the id of a fresh key that is already safe in the vault. It is cheap: keys are made ahead in batches.
	NewKey(ctx context.Context) (string, error)
	// DestroyKey erases a key for good. What it sealed reads domain.Erased from then on. Unknown keys are no error.
	DestroyKey(ctx context.Context, id string) error
}

// Secrets keeps hashes and other secrets that never enter an event.
type Secrets interface {
	PutSecret(ctx context.Context, name string, value []byte) error
	// Secret returns nil and no error when there is none.
	Secret(ctx context.Context, name string) ([]byte, error)
	DeleteSecret(ctx context.Context, name string) error
}

// Hasher makes keyed hashes, so that an address or a message id can be compared without being known. The key is the
// workspace's, in the vault; the parts are separated, so ("a","b") and ("ab","") differ. 26 characters of [a-z0-9].
type Hasher interface {
	Hash(parts ...string) string
}

// MessageIndex answers where a message with this id hash was seen in the thread, for messages older than what was loaded.
// The projection `history` is behind it. It waits until that projection has passed upTo; when it doesn't in time it
// returns ErrUnavailable; after any other error the log itself is asked. found is false when there is none. The sighting's Position is the commit's; BodyHash and Commit
// may be empty.
type MessageIndex interface {
	FindMessage(ctx context.Context, workspace, threadID, idHash string, upTo domain.Position) (at thread.Sighting, found bool, err error)
}
