package http

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

// maxBulk is how many conversations one bulk command may name (D21); bulkAtOnce how many of them are handled at once.
const (
	maxBulk    = 500
	bulkAtOnce = 16
)

type bulkBody struct {
	IDs    []string        `json:"ids"`
	Action string          `json:"action"`
	Body   json.RawMessage `json:"body"`
}

// BulkResult is what became of one conversation of a bulk command: the position of its commit, or its problem.
type BulkResult struct {
	ID       string          `json:"id"`
	Status   int             `json:"status"`
	Position domain.Position `json:"position,omitempty"`
	Revision domain.Position `json:"revision,omitempty"`
	Problem  *Problem        `json:"problem,omitempty"`
}

// bulk does one thing to many conversations. Each succeeds or fails by itself.
func (s *Server) bulk(c *call) error {
	var b bulkBody
	if err := c.bind(&b); err != nil {
		return err
	}
	cmd, err := b.decode(c)
	if err != nil {
		return err
	}
	r, err := c.request(b)
	if err != nil {
		return err
	}
	results, position := s.each(c.ctx(), b.IDs, func(ctx context.Context, id string) (command.Result, error) {
		own, err := s.written(c, id, cmd)
		if err != nil {
			return command.Result{}, err
		}
		return s.doing(ctx, b.Action, func(ctx context.Context) (command.Result, error) { return s.Conversations.Do(ctx, r, id, own) })
	})
	return c.ok(position, struct {
		Position domain.Position `json:"position"`
		Results  []BulkResult    `json:"results"`
	}{position, results})
}

// decode checks the list and finds the action's command.
func (b bulkBody) decode(c *call) (thread.Command, error) {
	if len(b.IDs) == 0 || len(b.IDs) > maxBulk {
		return nil, invalid("ids", fmt.Sprintf("Name 1 to %d conversations.", maxBulk))
	}
	seen := map[string]bool{}
	for _, id := range b.IDs {
		if seen[id] {
			return nil, invalid("ids", "A conversation is named twice.")
		}
		seen[id] = true
	}
	body := b.Body
	if len(body) == 0 || string(body) == "null" {
		body = []byte("{}")
	}
	for _, a := range actions() {
		if a.name != b.Action {
			continue
		}
		if !c.can(a.right) {
			return nil, forbidden("Your role or your token does not allow this.")
		}
		return a.decode(body)
	}
	return nil, invalid("action", "There is no such action.")
}

// each handles the ids, some at once, and gives their results in the order of the ids, and the newest position.
func (s *Server) each(ctx context.Context, ids []string, do func(context.Context, string) (command.Result, error)) ([]BulkResult, domain.Position) {
	results := make([]BulkResult, len(ids))
	var group errgroup.Group
	group.SetLimit(bulkAtOnce)
	for i, id := range ids {
		group.Go(func() error {
			results[i] = s.one(ctx, id, do)
			return nil
		})
	}
	_ = group.Wait() // none of them returns an error: each has its result
	newest := domain.Position(0)
	for _, r := range results {
		newest = max(newest, r.Position)
	}
	return results, newest
}

func (s *Server) one(ctx context.Context, id string, do func(context.Context, string) (command.Result, error)) BulkResult {
	r, err := do(ctx, id)
	if err == nil {
		b := BulkResult{ID: id, Status: http.StatusOK, Position: r.Position}
		if r.Conversation != nil {
			b.Revision = r.Conversation.Revision
		}
		return b
	}
	p, logged := problem(err)
	if logged {
		s.log.Error("one of a bulk failed", zap.String("code", p.Code), zap.Error(err))
	}
	s.named(ctx, p)
	return BulkResult{ID: id, Status: p.Status, Problem: p}
}
