package command

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"go.uber.org/zap"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
)

// SettingsOptions is what Settings are made of. Log, Image, Keys, Secrets and Hasher are required.
type SettingsOptions struct {
	Log        Log
	Image      *Image // of the workspace; the caller runs it
	Keys       Keys
	Secrets    Secrets
	Hasher     Hasher
	Heartbeats Heartbeats // nil: this process is the only one that hears operators
	Now        func() time.Time
	Logger     *zap.Logger
}

// Settings handles the commands on what a workspace is configured with, and on who is there: operators and their presence,
// departments, channels and tokens. It is safe for concurrent use.
type Settings struct {
	o SettingsOptions
	w writer

	known *lru.Cache[[32]byte, knownToken] // tokens by their hash

	mu    sync.Mutex
	heard map[string]time.Time // operators by id: their newest heartbeat
}

// NewSettings returns the settings of o's image's workspace.
func NewSettings(o SettingsOptions) *Settings {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	known, _ := lru.New[[32]byte, knownToken](4096) // fails for a size of 0 alone
	return &Settings{o: o, w: writer{log: o.Log, now: o.Now}, known: known, heard: map[string]time.Time{}}
}

// onSettings runs a command with the settings as this process knows them; when it returns, they hold its result.
func (s *Settings) onSettings(ctx context.Context, req Request, run func(*setting.Image) (SettingResult, error)) (SettingResult, error) {
	return onSettings(ctx, s.o.Image, req, func(img *setting.Image) (SettingResult, error) {
		result, err := run(img)
		s.o.Image.arrived(ctx, result.Position)
		return result, err
	})
}

// onSettings runs a command with the settings as this process knows them. A refusal that rests on them is confirmed: when
// the log holds more than was known, the command runs again.
func onSettings(ctx context.Context, image *Image, req Request, run func(*setting.Image) (SettingResult, error)) (SettingResult, error) {
	if req.After != 0 {
		if err := image.WaitFor(ctx, req.After); err != nil {
			return SettingResult{}, err
		}
	}
	img, err := image.Snapshot(ctx)
	if err != nil {
		return SettingResult{}, err
	}
	for try := 0; ; try++ {
		result, err := run(img)
		var refusal *domain.Refusal
		if !errors.As(err, &refusal) || !refusal.OnSettings || try == maxConflicts {
			return result, err
		}
		confirmed, changed, cerr := image.Confirm(ctx, img)
		if cerr != nil {
			return SettingResult{}, cerr
		}
		if !changed {
			return result, err
		}
		img = confirmed
	}
}

// confirmed runs a command with settings that hold everything that the log held at the call, for decisions that rest on
// something not being there.
func (s *Settings) confirmed(ctx context.Context, run func(*setting.Image) (SettingResult, error)) (SettingResult, error) {
	img, _, err := s.o.Image.Confirm(ctx, nil)
	if err != nil {
		return SettingResult{}, err
	}
	result, err := run(img)
	s.o.Image.arrived(ctx, result.Position)
	return result, err
}

func (s *Settings) aggregate(c domain.Category, id string) domain.Aggregate {
	return domain.Aggregate{Workspace: s.o.Image.workspace, Category: c, ID: id}
}

// part is the request of a command that is one step of another.
func part(req Request) Request {
	req.Key, req.BodyHash, req.IfMatch, req.After = "", "", 0, 0
	return req
}

// ownKey is the aggregate's key, made before its first personal field and kept for life.
func (s *Settings) ownKey(ctx context.Context) func(string) (string, error) {
	return func(has string) (string, error) {
		if has != "" {
			return has, nil
		}
		key, err := s.o.Keys.NewKey(ctx)
		if err != nil {
			return "", fmt.Errorf("making a key: %w", err)
		}
		return key, nil
	}
}

// operatorKey is the key of an operator, for what another aggregate holds of theirs.
func (s *Settings) operatorKey(ctx context.Context, id string) func(string) (string, error) {
	return func(string) (string, error) {
		commits, _, err := s.o.Log.Load(ctx, s.aggregate(domain.CategoryOperator, id), 0, func(*domain.Commit) bool { return true })
		if err != nil {
			return "", fmt.Errorf("loading the key of operator %s: %w", id, err)
		}
		if len(commits) == 0 {
			return "", nil
		}
		return commits[len(commits)-1].Key, nil
	}
}

// latest is the evolve of an aggregate whose every event carries the whole of it.
func latest[E, S any](of func(E) S) func(*S, *domain.Commit) {
	return func(s *S, c *domain.Commit) {
		for _, e := range c.Events {
			if e, ok := e.(E); ok {
				*s = of(e)
			}
		}
	}
}

// events gives what the domain decided the form of a commit's events.
func events[E any](decided []E, r *domain.Refusal) ([]domain.Event, error) {
	if r != nil {
		return nil, r
	}
	var out []domain.Event
	for _, e := range decided {
		out = append(out, e)
	}
	return out, nil
}
