package effects

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/domain/workload"
	"github.com/turno-desk/turno/projections/floor"
)

// Effect decides what follows from what happened. It does at least one of React, Settle and Fire, whose interfaces are below,
// and remembers nothing that the log does not say: after a change of the leader another process goes on with it.
type Effect interface {
	Name() string // its name in checkpoints, in command ids and as the commits' via; it never changes
}

// Reactor follows single commits. It is asked about every commit of the workspace once it is in the floor, in order, but for those
// of an import and those from before the effect's first start; after a change of the leader perhaps again.
type Reactor interface {
	Effect
	React(f *floor.State, c *domain.Commit) []Command
}

// Settler looks at the floor as it is, whenever it has changed and everything that was commanded before is in it. It says
// all that is to be done now, as often as it is asked.
type Settler interface {
	Effect
	Settle(f *floor.State, now time.Time) []Command
}

// Timed says what to do when a timer of the floor is due. Those of other effects it passes by.
type Timed interface {
	Effect
	Fire(f *floor.State, t floor.Timer, now time.Time) []Command
}

// Command is what an effect wants done. Its id is a hash of effect, cause, target and ordinal: said again it is the same
// command, and done once.
type Command struct {
	Effect  string // set by the runner
	Cause   string // id of the commit that it follows from
	Ordinal int    // tells the commands of one effect, cause and target apart

	Reserve *workload.Reserve // on the operator, before Do; given back when Do is refused
	Free    *workload.Free    // on the operator, instead of Do

	Conversation string
	Do           thread.Command
	Ask          domain.Position // of a close that the conversation's contact is asked about, instead of Do
	IfMatch      domain.Position // refused unless the conversation's revision is this; 0: don't care

	As domain.Actor // who acts; the effect itself, when zero

	Lane string // commands of one lane are done in their order, other lanes meanwhile; the conversation's, when empty
}

// Target is what the command is about.
func (c Command) Target() string {
	if c.Free != nil {
		return c.Free.Operator
	}
	return c.Conversation
}

// Actor is who acts.
func (c Command) Actor() domain.Actor {
	if c.As.Kind != "" {
		return c.As
	}
	return Actor(c.Effect)
}

// Key is the command's idempotency key.
func (c Command) Key() string {
	h := sha256.New()
	var n [8]byte
	for _, part := range []string{c.Cause, c.Effect, c.Target(), strconv.Itoa(c.Ordinal)} {
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		h.Write(n[:])
		h.Write([]byte(part))
	}
	return hex.EncodeToString(h.Sum(nil)[:20])
}

func (c Command) lane() string {
	if c.Lane != "" {
		return c.Lane
	}
	return c.Target()
}

// Desk has commands done.
type Desk interface {
	// Do returns the position of the command's commit, 0 when nothing had to be done. A *domain.Refusal is an answer; after
	// any other error nobody knows, and the same command may be said again.
	Do(ctx context.Context, c Command) (domain.Position, error)
}
