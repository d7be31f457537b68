package command

import (
	"context"
	"fmt"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
)

type settingImage = setting.Image

// entry is a thread in memory. Commands of one thread in one process go one after the other: they would only race for the
// same guard.
type entry struct {
	aggregate domain.Aggregate
	turn      chan struct{} // holds one token while nobody works on the entry
	state     *thread.State
}

// lock returns the thread's entry, held by the caller until unlock.
func (e *Engine) lock(ctx context.Context, workspace, id string) (*entry, error) {
	key := workspace + "/" + id
	t, ok := e.threads.Get(key)
	if !ok {
		fresh := &entry{
			aggregate: domain.Aggregate{Workspace: workspace, Category: domain.CategoryThread, ID: id},
			turn:      make(chan struct{}, 1),
			state:     &thread.State{ID: id},
		}
		fresh.turn <- struct{}{}
		if raced, found, _ := e.threads.PeekOrAdd(key, fresh); found {
			t = raced
		} else {
			t = fresh
		}
	}
	select {
	case <-t.turn:
		return t, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for thread %s: %w", id, ctx.Err())
	}
}

func (t *entry) unlock() { t.turn <- struct{}{} }

// forget drops the state, after an append whose outcome is unknown.
func (t *entry) forget() { t.state = &thread.State{ID: t.state.ID} }

// conversation is the one that a job names.
func (t *entry) conversation(number int) *thread.Conversation {
	if number == 0 {
		return nil
	}
	return t.state.Conversations[number]
}

// load makes sure that the entry's state reaches back to the opening of conversation number (0: of the newest one). With
// fresh it also catches up with the log; without, memory is good enough, because the guard or the confirmation finds out.
func (e *Engine) load(ctx context.Context, t *entry, number int, fresh bool) error {
	if t.state.Version != 0 && (number == 0 || t.state.Conversations[number] != nil || number > t.state.Latest) {
		if !fresh && number <= t.state.Latest {
			return nil
		}
		_, err := e.catchUp(ctx, t, number)
		return err
	}
	state, err := e.walkTo(ctx, t.aggregate, number)
	if err != nil {
		return err
	}
	t.state = state
	return nil
}

// walkTo loads a thread back to the opening of conversation number, by way of a kept state when the walk gets long.
func (e *Engine) walkTo(ctx context.Context, a domain.Aggregate, number int) (*thread.State, error) {
	walked, cut := 0, false
	commits, tail, err := e.o.Log.Load(ctx, a, 0, func(c *domain.Commit) bool {
		walked++
		if opens(c, number) {
			return true
		}
		cut = e.o.States != nil && walked == snapshotCommits
		return cut
	})
	if err != nil {
		return nil, fmt.Errorf("load thread %s: %w", a.ID, err)
	}
	state := &thread.State{ID: a.ID}
	if cut {
		kept, found, err := e.o.States.ThreadState(ctx, a.Workspace, a.ID)
		if err == nil && found && kept.Version >= commits[0].Version && kept.Version <= tail && (number == 0 || kept.Conversations[number] != nil) {
			state = kept
		} else if commits, _, err = e.o.Log.Load(ctx, a, 0, func(c *domain.Commit) bool { return opens(c, number) }); err != nil {
			return nil, fmt.Errorf("load thread %s: %w", a.ID, err)
		}
	}
	for i := range commits {
		if commits[i].Version > state.Version {
			state.Apply(&commits[i])
		}
	}
	return state, nil
}

// walk loads a thread from its first commit on, or from one at which stop says so.
func (e *Engine) walk(ctx context.Context, a domain.Aggregate, stop func(*domain.Commit) bool) (*thread.State, error) {
	commits, _, err := e.o.Log.Load(ctx, a, 0, stop)
	if err != nil {
		return nil, fmt.Errorf("walk thread %s: %w", a.ID, err)
	}
	state := &thread.State{ID: a.ID}
	for i := range commits {
		state.Apply(&commits[i])
	}
	return state, nil
}

// opens reports whether the commit opens conversation number; 0 stands for any.
func opens(c *domain.Commit, number int) bool {
	for _, ev := range c.Events {
		if o, ok := ev.(thread.Opened); ok {
			return number == 0 || o.Number == number
		}
	}
	return false
}

// catchUp applies what the log has got since, and reports whether there was anything.
func (e *Engine) catchUp(ctx context.Context, t *entry, number int) (moved bool, err error) {
	if t.state.Version == 0 {
		state, err := e.walkTo(ctx, t.aggregate, number)
		if err != nil {
			return false, err
		}
		t.state = state
		return state.Version != 0, nil
	}
	commits, _, err := e.o.Log.Load(ctx, t.aggregate, t.state.Version, nil)
	if err != nil {
		t.forget() // the log may be an older copy, which does not know what is remembered
		return false, fmt.Errorf("catch up with thread %s: %w", t.state.ID, err)
	}
	for i := range commits {
		t.state.Apply(&commits[i])
	}
	return len(commits) > 0, nil
}

// result is the success of a command. An empty commit means that nothing had to be done.
func (t *entry) result(c domain.Commit, conv *thread.Conversation) Result {
	state := t.state.Summary()
	r := Result{Position: c.Position, Commit: c, State: &state}
	if c.Position == 0 {
		r.Position = t.state.Position
		if conv == nil {
			conv = t.state.Current()
		}
	}
	if conv != nil {
		copied := *conv
		r.Conversation = &copied
	}
	r.Message = t.state.Commands[c.ID].Message
	return r
}

// recall is the result of a command or message that was found in the thread: the same success as the first time.
func (e *Engine) recall(ctx context.Context, t *entry, s thread.Sighting) (Result, error) {
	commits, _, err := e.o.Log.Load(ctx, t.aggregate, 0, func(c *domain.Commit) bool { return c.Position <= s.Position })
	if err != nil {
		return Result{}, fmt.Errorf("recall a commit of thread %s: %w", t.state.ID, err)
	}
	if len(commits) == 0 || commits[0].Position != s.Position {
		return Result{}, fmt.Errorf("thread %s has no commit at %d any more", t.state.ID, s.Position)
	}
	state := t.state.Summary()
	r := Result{Position: s.Position, Commit: commits[0], Replayed: true, Message: s.Message, State: &state}
	if conv := t.state.Conversations[numberOf(commits[0])]; conv != nil {
		copied := *conv
		r.Conversation = &copied
	}
	return r, nil
}

func numberOf(c domain.Commit) int {
	_, n, _ := thread.SplitConversationID(c.Conversation)
	return n
}
