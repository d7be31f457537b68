package command_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

// owned is what the view would say: one conversation, for as long as the engine says that the operator owns it.
type owned struct {
	o            *office
	conversation string
}

func (v owned) Owned(ctx context.Context, workspace, operator string, _ domain.Position) ([]command.OwnedConversation, error) {
	_, c, err := v.o.another().Conversation(ctx, workspace, v.conversation)
	if err != nil || c.Owner != operator {
		return nil, err
	}
	return []command.OwnedConversation{{ID: c.ID, Department: c.Department}}, nil
}

func TestWhoLeftWhileNobodyWatchedOwnsNothingSoonAfterTheStart(t *testing.T) {
	ana := operator.Definition{ID: "ana", Name: "Ana", Role: operator.RoleOperator, Departments: []string{"soporte"}, Active: true}
	for name, change := range map[string]func(*operator.Definition){
		"out of the department": func(d *operator.Definition) { d.Departments = []string{"ventas"} },
		"an auditor now":        func(d *operator.Definition) { d.Role = operator.RoleAuditor },
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			conv := o.receive(t, o.engine, contactWrites("+34 600", "m1", "Hola")).Conversation.ID
			taken, err := o.engine.Do(t.Context(), as("ana"), conv, thread.Take{})
			if err != nil {
				t.Fatal(err)
			}
			a := domain.Aggregate{Workspace: "default", Category: domain.CategoryOperator, ID: "ana"}
			_, v, err := o.log.Load(t.Context(), a, 0, nil)
			if err != nil {
				t.Fatal(err)
			}
			is := ana
			change(&is)
			o.append(t, a, v, operator.Changed{Definition: is})
			if err := o.image.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			done := make(chan struct{})
			r := command.NewReleases(o.engine, o.image, owned{o, conv}, "default", zap.NewNop())
			go func() { defer close(done); _ = r.Run(ctx) }()
			defer func() { cancel(); <-done }()
			found := errors.New("found")
			err = o.log.Read(ctx, taken.Position, projections.ReadOptions{}, func(chunk []domain.Commit) error {
				for _, c := range chunk {
					if released, ok := c.Events[0].(thread.Released); ok && c.Conversation == conv && released.Cause == "left_department" {
						return found
					}
				}
				return nil
			})
			if !errors.Is(err, found) {
				t.Fatalf("ana still owns it: %v", err)
			}
		})
	}
}
