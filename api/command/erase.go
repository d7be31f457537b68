package command

import (
	"context"
	"errors"
	"fmt"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/identity"
	"github.com/turno-desk/turno/domain/thread"
)

// EraseThread makes a thread's personal fields unreadable everywhere: it tells all holders of copies by an event, releases
// the claim of its address, and destroys the key. It may be repeated until it succeeds; done is done.
func (e *Engine) EraseThread(ctx context.Context, req Request, threadID string) error {
	t, err := e.lock(ctx, req.Workspace, threadID)
	if err != nil {
		return err
	}
	err = e.load(ctx, t, 0, true)
	state := t.state.Summary()
	t.unlock()
	if err != nil {
		return err
	}
	if state.Latest == 0 {
		return &domain.Refusal{Code: domain.CodeNotFound, Detail: "There is no such thread."}
	}
	if !state.Erased {
		_, err := e.handle(ctx, req, job{thread: threadID, number: state.Latest, cmd: thread.Erase{}, id: CommandID(req, threadID, "erase")})
		if err != nil {
			return err
		}
	}
	if err := e.releaseIdentity(ctx, req, state.Identity, threadID); err != nil {
		return err
	}
	if err := e.o.Keys.DestroyKey(ctx, state.Key); err != nil {
		return fmt.Errorf("destroy the key of thread %s: %w", threadID, err)
	}
	return nil
}

// releaseIdentity unties the address from an erased thread, so that its next message makes a new one.
func (e *Engine) releaseIdentity(ctx context.Context, req Request, id, threadID string) error {
	a := domain.Aggregate{Workspace: req.Workspace, Category: domain.CategoryIdentity, ID: id}
	for {
		e.identities.Remove(a.String())
		claimed, _, found, err := e.lookUp(ctx, a)
		e.identities.Remove(a.String())
		if err != nil || !found || claimed.thread != threadID {
			return err
		}
		_, v, err := e.o.Log.Load(ctx, a, 0, func(*domain.Commit) bool { return true })
		if err != nil {
			return fmt.Errorf("load identity: %w", err)
		}
		now := e.recorded(&thread.State{})
		_, _, err = e.o.Log.Append(ctx, domain.Commit{
			ID: "r" + randomID(), Aggregate: a, Recorded: now, Time: now, Origin: domain.OriginLive, Actor: req.Actor, Trace: req.Trace,
			Events: []domain.Event{identity.Released{Thread: threadID, Cause: "erased"}},
		}, v)
		if !errors.Is(err, ErrConflict) {
			return err
		}
	}
}
