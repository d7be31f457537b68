package command

import (
	"context"
	"errors"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/domain/workload"
)

// Effect is what an effect wants done: a command on a conversation, for which room may have to be reserved on an operator
// before, or room given back.
type Effect struct {
	Reserve *workload.Reserve
	Free    *workload.Free

	Conversation string
	Do           thread.Command
	Ask          domain.Position // of a close that the conversation's contact is asked about, instead of Do
}

// Effects has done what effects want.
type Effects struct {
	Engine    *Engine
	Workloads *Workloads
	Contacts  *Contacts
	Surveys   *Surveys
}

// Do does it, and returns the position of the newest commit that it made, 0 when there was nothing to do. Room that was
// reserved for what is then refused is given back. Errors are those of Engine.Do.
func (d Effects) Do(ctx context.Context, req Request, do Effect) (domain.Position, error) {
	w := d.Workloads
	if do.Ask != 0 {
		return d.Surveys.Ask(ctx, req, do.Conversation, do.Ask)
	}
	if thank, ok := do.Do.(thread.Thank); ok {
		return d.Surveys.Thank(ctx, req, do.Conversation, thank)
	}
	if do.Free != nil {
		return made(w.Free(ctx, req, *do.Free))
	}
	if do.Reserve != nil {
		if _, err := w.Reserve(ctx, req, *do.Reserve); err != nil {
			return 0, err
		}
	}
	if step, ok := do.Do.(thread.Advance); ok {
		result, err := Advanced(ctx, d.Engine, d.Contacts, req, do.Conversation, step)
		return made(SettingResult{Position: result.Position, Commit: result.Commit}, err)
	}
	result, err := d.Engine.Do(ctx, req, do.Conversation, do.Do)
	var refusal *domain.Refusal
	if errors.As(err, &refusal) && do.Reserve != nil {
		_, ferr := w.Free(ctx, req, workload.Free{
			Operator: do.Reserve.Operator, Conversation: do.Reserve.Conversation, Entry: do.Reserve.Entry, Cause: "not_taken",
		})
		return 0, errors.Join(err, ferr)
	}
	return made(SettingResult{Position: result.Position, Commit: result.Commit}, err)
}

func made(r SettingResult, err error) (domain.Position, error) {
	if err != nil || len(r.Commit.Events) == 0 {
		return 0, err
	}
	return r.Position, nil
}
