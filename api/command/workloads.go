package command

import (
	"context"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/workload"
)

// Workloads handles the commands on what operators were given automatically. It is safe for concurrent use. Its commands
// need no key: saying one again makes nothing.
type Workloads struct {
	workspace string
	w         writer
}

// NewWorkloads returns the workloads of a workspace. A nil now is time.Now.
func NewWorkloads(log Log, workspace string, now func() time.Time) *Workloads {
	if now == nil {
		now = time.Now
	}
	return &Workloads{workspace: workspace, w: writer{log: log, now: now}}
}

// Reserve asks for room for a conversation. A *domain.Refusal with CodeAtCapacity when there is none.
func (w *Workloads) Reserve(ctx context.Context, req Request, c workload.Reserve) (SettingResult, error) {
	return w.change(ctx, req, c.Operator, "reserve", func(is workload.State, now time.Time) ([]workload.Event, *domain.Refusal) {
		return workload.DecideReserve(is, c, now)
	})
}

// Free gives it back.
func (w *Workloads) Free(ctx context.Context, req Request, c workload.Free) (SettingResult, error) {
	return w.change(ctx, req, c.Operator, "free", func(is workload.State, _ time.Time) ([]workload.Event, *domain.Refusal) {
		return workload.DecideFree(is, c)
	})
}

func (w *Workloads) change(ctx context.Context, req Request, id, action string,
	decide func(workload.State, time.Time) ([]workload.Event, *domain.Refusal)) (SettingResult, error) {
	return change(ctx, w.w, edit[workload.State]{
		req: part(req), aggregate: domain.Aggregate{Workspace: w.workspace, Category: domain.CategoryWorkload, ID: id}, action: action, tail: true,
		evolve: latest(workload.StateOf),
		decide: func(is *workload.State, now time.Time) ([]domain.Event, error) { return events(decide(*is, now)) },
	})
}
