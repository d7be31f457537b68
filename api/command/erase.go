package command

import (
	"context"
	"fmt"

	"github.com/turno-desk/turno/domain"
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
