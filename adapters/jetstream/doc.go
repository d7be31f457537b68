// Package jetstream keeps the log in a NATS JetStream stream: embedded in the process, joined on the same folder, or an
// external cluster.
//
// There is one stream, TURNO, with the subjects turno.<workspace>.<category>.<id>: one exact subject for each aggregate, one
// message for each commit. A commit's place in the stream gives its position, its subject's last sequence is the version that
// the next append is guarded with. Beside the body, which is the codec's, a message carries headers of Turno's own:
//
//	Turno-Prev     sequence of the subject's previous message; 0 for its first
//	Turno-Opened   sequence of the commit that opened the conversation; "self" in that commit; absent outside threads
//	Turno-Command  id of the command, the same as Nats-Msg-Id
//	Turno-Body     hash of the request's body
//	Turno-Trace    W3C traceparent
//
// No stored Nats-* header is ever read: mirrors and sources strip them. Announcements and heartbeats travel on core NATS,
// on turno-live.>, and are kept nowhere.
package jetstream

import (
	"context"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

// Codec turns a commit into the body of a message and back. It is called by many goroutines at once.
type Codec interface {
	Encode(ctx context.Context, c *domain.Commit) ([]byte, error)
	Decode(ctx context.Context, data []byte, open bool) (domain.Commit, error)
}

var (
	_ command.Log           = (*Store)(nil)
	_ command.SettingsLog   = (*Store)(nil)
	_ projections.Source    = (*Store)(nil)
	_ projections.Announcer = (*Store)(nil)
)

// StreamName is the name of the log's stream.
const StreamName = "TURNO"

// The headers of a commit.
const (
	headerPrev    = "Turno-Prev"
	headerOpened  = "Turno-Opened"
	headerCommand = "Turno-Command"
	headerBody    = "Turno-Body"
	headerTrace   = "Turno-Trace"

	openedHere = "self"
)
