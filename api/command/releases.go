package command

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
)

// OwnedConversation is an open conversation that somebody owns.
type OwnedConversation struct {
	ID         string
	Department string
}

// Ownership lists an operator's open conversations as of upTo or later. The projection `queue` is behind it.
type Ownership interface {
	Owned(ctx context.Context, workspace, operator string, upTo domain.Position) ([]OwnedConversation, error)
}

// Releases gives back the conversations of operators who were deactivated, left a department or became auditors (D13). It may run in every
// engine: a release names the owner it is meant for, and comes to nothing when that one has lost it already.
type Releases struct {
	engine    *Engine
	image     *Image
	owned     Ownership
	workspace string
	logger    *zap.Logger
}

// NewReleases returns them; Run starts it.
func NewReleases(e *Engine, image *Image, owned Ownership, workspace string, logger *zap.Logger) *Releases {
	return &Releases{engine: e, image: image, owned: owned, workspace: workspace, logger: logger}
}

// settle is when a second look is taken: a take that was decided with settings up to FreshWithin old may land after the
// first.
const settle = 2 * FreshWithin

// Run looks over all operators at the start and after every change of theirs, until ctx ends.
func (r *Releases) Run(ctx context.Context) error {
	changed := make(chan struct{}, 1)
	wake := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	r.image.OnChange(func(*setting.Image) { wake() })
	seen := map[string]operator.Definition{}
	due := map[string]int{} // looks that are still to be taken, by operator
	missed := false         // a change that could not be looked at
	again := time.NewTicker(settle)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
			ids, err := r.shrunk(ctx, seen)
			missed = err != nil
			for id := range ids {
				due[id] = 2
				r.look(ctx, due, id)
			}
		case <-again.C:
			if missed {
				wake()
			}
			for id := range due {
				r.look(ctx, due, id)
			}
		}
	}
}

// look releases what an operator may no longer own; a look that failed is taken again.
func (r *Releases) look(ctx context.Context, due map[string]int, id string) {
	if err := r.release(ctx, id); err != nil {
		r.logger.Warn("an operator's conversations are not released yet", zap.String("operator", id), zap.Error(err))
		return
	}
	if due[id]--; due[id] <= 0 {
		delete(due, id)
	}
}

// shrunk are the operators who may own less than when they were last seen. Of those who are seen first nobody knows what
// they could own before: the process that should have released it may have ended.
func (r *Releases) shrunk(ctx context.Context, seen map[string]operator.Definition) (map[string]bool, error) {
	image, err := r.image.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for id, op := range image.Operators {
		before, known := seen[id]
		seen[id] = op
		if !known || before.Active && !op.Active || before.Role != op.Role {
			ids[id] = true
		}
		for _, d := range before.Departments {
			if !op.Member(d) {
				ids[id] = true
			}
		}
	}
	return ids, nil
}

func (r *Releases) release(ctx context.Context, id string) error {
	image, err := r.image.Snapshot(ctx)
	if err != nil {
		return err
	}
	op, cause := image.Operators[id], "left_department"
	departments := op.Departments
	switch {
	case !op.Active:
		departments, cause = nil, "deactivated"
	case op.Role == operator.RoleAdmin:
		return nil // an administrator may own conversations of any department
	case op.Role == operator.RoleAuditor:
		departments = nil // an auditor reads, and owns none
	}
	owned, err := r.owned.Owned(ctx, r.workspace, id, image.Position)
	if err != nil {
		return err
	}
	req := Request{Workspace: r.workspace, Principal: "system", Actor: domain.Actor{Kind: domain.ActorSystem}}
	var failed error
	for _, c := range owned {
		if slices.Contains(departments, c.Department) {
			continue
		}
		_, err := r.engine.Do(ctx, req, c.ID, thread.Release{Cause: cause, Operator: id})
		var refusal *domain.Refusal
		if err != nil && !errors.As(err, &refusal) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}
