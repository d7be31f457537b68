package command

import (
	"context"
	"errors"
	"fmt"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/thread"
)

// EraseThread makes a thread's personal fields unreadable everywhere: it tells all holders of copies by an event, releases
// the claim of its address, and destroys the key. It may be repeated until it succeeds; done is done. ahead is the claim of an
// address whose thread may not have begun, of a contact that was added: then that is erased.
func (e *Engine) EraseThread(ctx context.Context, req Request, threadID, ahead string) error {
	for conflicts := 0; ; conflicts++ {
		state, err := e.summary(ctx, req.Workspace, threadID)
		if err != nil {
			return err
		}
		switch {
		case state.Latest > 0:
			return e.eraseBegun(ctx, req, state)
		case ahead == "":
			return &domain.Refusal{Code: domain.CodeNotFound, Detail: "There is no such thread."}
		}
		if err = e.eraseAhead(ctx, req, state, ahead); !errors.Is(err, ErrConflict) || conflicts == maxConflicts {
			return err
		}
	}
}

func (e *Engine) eraseBegun(ctx context.Context, req Request, state thread.State) error {
	if !state.Erased {
		_, err := e.handle(ctx, req, job{thread: state.ID, number: state.Latest, cmd: thread.Erase{}, id: CommandID(req, state.ID, "erase")})
		if err != nil {
			return err
		}
	}
	if err := e.releaseIdentity(ctx, req, state.Identity, state.ID); err != nil {
		return err
	}
	if err := e.o.Keys.DestroyKey(ctx, state.Key); err != nil {
		return fmt.Errorf("destroy the key of thread %s: %w", state.ID, err)
	}
	return nil
}

// eraseAhead erases a thread that has not begun. Its one commit is what keeps a process that remembers the claim from
// beginning it with a key that is gone.
func (e *Engine) eraseAhead(ctx context.Context, req Request, state thread.State, ahead string) error {
	a := domain.Aggregate{Workspace: req.Workspace, Category: domain.CategoryIdentity, ID: ahead}
	claimed, key, _, err := e.loadIdentity(ctx, a)
	if err != nil {
		return err
	}
	if !state.Erased {
		now := e.recorded(&state)
		c := domain.Commit{
			ID: CommandID(req, state.ID, "erase"), Recorded: now, Time: now, Origin: domain.OriginLive, Actor: req.Actor, Trace: req.Trace,
			Aggregate: domain.Aggregate{Workspace: req.Workspace, Category: domain.CategoryThread, ID: state.ID},
			Events:    []domain.Event{thread.Erased{Contact: contact.ID(state.ID), Identity: ahead}},
		}
		if _, _, err := e.o.Log.Append(ctx, c, 0); err != nil {
			return fmt.Errorf("erase thread %s, which has not begun: %w", state.ID, err)
		}
	}
	if claimed.Thread != state.ID {
		return nil // it was released, or is somebody else's by now
	}
	if err := e.o.Keys.DestroyKey(ctx, key); err != nil { // first: it is found by the claim
		return fmt.Errorf("destroy the key of thread %s: %w", state.ID, err)
	}
	return e.releaseIdentity(ctx, req, ahead, state.ID)
}

// summary is what the log has of a thread itself.
func (e *Engine) summary(ctx context.Context, workspace, id string) (thread.State, error) {
	t, err := e.lock(ctx, workspace, id)
	if err != nil {
		return thread.State{}, err
	}
	defer t.unlock()
	if err := e.load(ctx, t, 0, true); err != nil {
		return thread.State{}, err
	}
	return t.state.Summary(), nil
}
