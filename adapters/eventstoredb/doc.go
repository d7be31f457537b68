// Package eventstoredb keeps the log in an EventStoreDB server or cluster.
//
// Each aggregate has a stream, named by its subject: turno.<workspace>.<category>.<id>. A commit is one append of one event
// of type turno.commit.v1: its data is the codec's batch of CloudEvents, its id is derived from the command's, its metadata
// tell what the server does not:
//
//	prev     position of the aggregate's previous commit; absent in its first
//	opened   position of the commit that opened the conversation; absent outside threads and in that commit itself
//	opens    true in that commit
//	command  id of the command
//
// A version is the number of the aggregate's commits: the revision that the next append expects is one less. A position is
// the event's commit position in $all, an offset in bytes: it grows, stays below 2^53, and is not contiguous. Reading $all
// takes an account of the group $admins, unless the server's own access list says otherwise.
//
// The server finds no newest event of each stream of a kind, so the first commit of every setting is preceded by an entry in
// turno-index.<workspace>.<category>, which names its stream. An entry without a stream is a crash between the two, and
// harmless.
//
// The client library is kept at arm's length (session.go): its discovery ignores every context, and it blocks or panics when
// it is closed in the wrong moment.
//
// Announcements and topics need something else to travel on: an Air, which is NATS, or the process.
package eventstoredb

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

// Codec turns a commit into the data of an event and back. It is called by many goroutines at once.
type Codec interface {
	Encode(ctx context.Context, c *domain.Commit) ([]byte, error)
	Decode(ctx context.Context, data []byte, open bool) (domain.Commit, error)
}

// Topics carries what is said aloud and kept nowhere.
type Topics interface {
	Publish(topic string, data []byte) error
	Subscribe(topic string, fn func(data []byte)) (cancel func(), err error)
}

// Air is what announcements and topics travel on.
type Air interface {
	projections.Announcer
	Topics
}

var (
	_ command.Log           = (*Store)(nil)
	_ command.SettingsLog   = (*Store)(nil)
	_ projections.Source    = (*Store)(nil)
	_ projections.Announcer = (*Store)(nil)
	_ projections.Sparse    = (*Store)(nil)
)

// ErrNoLog says that the database holds no log and that none may be created.
var ErrNoLog = errors.New("there is no log in this database")

const (
	// prefix is that of the streams of all aggregates, and of nothing else.
	prefix = "turno."
	// indexPrefix is that of the streams that name the aggregates of a kind.
	indexPrefix = "turno-index."

	commitType = "turno.commit.v1"
	indexType  = "turno.aggregate.v1"

	// maxPosition is the largest position that is an exact JSON number.
	maxPosition = 1<<53 - 1
)

// names is the namespace of the ids of events.
var names = uuid.MustParse("6f0b7a52-5b0a-4a6c-9f3e-2f1d7c9f4e10")

// self is the aggregate of the log's own commits.
var self = domain.Aggregate{Workspace: "_", Category: domain.CategoryLog, ID: "self"}
