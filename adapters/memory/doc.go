// Package memory is a log that lives and dies with its process: everything that the real one promises but durability, for
// tests of all that stands on a log.
//
// Commits go through the codec on their way in and out, so that what is sealed, versioned or lost in JSON on the real log is
// so here too.
package memory

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
