package deliveries

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/projections"
)

// Log is what deliveries read. Every store of the log is one.
type Log interface {
	projections.Source
	Load(ctx context.Context, a domain.Aggregate, since domain.Version, stop func(*domain.Commit) bool) ([]domain.Commit, domain.Version, error)
}

// Views is where deliveries keep their tables. A projections.Store is one.
type Views interface {
	EnsureVersion(ctx context.Context, projection string, definition int) (version int, err error)
	Writer(ctx context.Context, projection string, version int, schema string) (*sql.DB, error)
}

// Settings is the settings as this process knows them. *command.Image is one.
type Settings interface {
	Snapshot(ctx context.Context) (*setting.Image, error)
}

// Codec writes events as they are sent. *codec.Codec is one.
type Codec interface {
	TypeOf(e domain.Event) string
	Open(ctx context.Context, sealed domain.Commit) (domain.Commit, error)
	Structured(c *domain.Commit) ([]json.RawMessage, error)
}

// Desk does the little that deliveries command.
type Desk interface {
	// Secret is what a subscription's deliveries are signed with; nil when there is none of that fingerprint.
	Secret(ctx context.Context, subscription, fingerprint string) ([]byte, error)
	// Stop disables a subscription whose receiver at that url wants no more.
	Stop(ctx context.Context, subscription, url string) error
}

// Caller calls receivers.
type Caller interface {
	// Call makes one attempt. It takes a bounded time, and returns early when ctx ends.
	Call(ctx context.Context, c Call) Answer
}

// Call is one attempt.
type Call struct {
	URL  string
	ID   string // the same for each attempt at an event
	At   time.Time
	Body []byte
	Keys [][]byte // to sign with, the newest first
}

// Answer is what came of it.
type Answer struct {
	Status int           // 0: none came
	Error  string        // why none came or counts, as one word; empty: the status says all
	After  time.Duration // what the receiver asks to be left alone for; 0: nothing
}

func (a Answer) taken() bool { return a.Error == "" && a.Status >= 200 && a.Status < 300 }
