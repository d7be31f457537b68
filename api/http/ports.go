package http

import (
	"context"
	"encoding/json"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

// Conversations handles the commands on conversations. *command.Engine is one.
type Conversations interface {
	Do(ctx context.Context, r command.Request, conversation string, c thread.Command) (command.Result, error)
	Receive(ctx context.Context, r command.Request, in command.Inbound) (command.Result, error)
	Open(ctx context.Context, r command.Request, out command.Outbound) (command.Result, error)
}

// Surveys asks and takes answers by token. *command.Surveys is one.
type Surveys interface {
	Question(ctx context.Context, workspace, token string) (command.Question, error)
	Answer(ctx context.Context, r command.Request, token string, rate thread.Rate) (command.Result, error)
}

// Image is the settings as this process knows them. *command.Image is one.
type Image interface {
	Snapshot(ctx context.Context) (*setting.Image, error)
	WaitFor(ctx context.Context, p domain.Position) error
	Refresh(ctx context.Context) error
}

// Log is what feeds and `as_of` read. Every store of the log is one.
type Log interface {
	Head(ctx context.Context) (domain.Position, error)
	At(ctx context.Context, p domain.Position) (domain.Commit, error)
	Read(ctx context.Context, after domain.Position, o projections.ReadOptions, fn func([]domain.Commit) error) error
}

// Aggregates loads one aggregate, as commands do. Every store of the log does.
type Aggregates interface {
	Load(ctx context.Context, a domain.Aggregate, since domain.Version, stop func(*domain.Commit) bool) ([]domain.Commit, domain.Version, error)
}

// Progress says how far the projections have come. *projections.Tracker is one.
type Progress interface {
	Wait(ctx context.Context, projection string, p domain.Position) error
	Position(projection string) domain.Position
}

// Structured gives the events of a commit as single structured CloudEvents. *codec.Codec does.
type Structured interface {
	Structured(c *domain.Commit) ([]json.RawMessage, error)
}
