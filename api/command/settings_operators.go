package command

import (
	"context"
	"fmt"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/presence"
	"github.com/turno-desk/turno/domain/setting"
)

// PutOperator makes an operator or replaces the definition. Conversations that the operator owns in a department they left
// are released by an effect.
func (s *Settings) PutOperator(ctx context.Context, req Request, p operator.Put) (SettingResult, error) {
	if !domain.ValidID(p.ID) {
		_, err := events(operator.DecidePut(operator.Definition{}, p, nil))
		return SettingResult{}, err
	}
	return s.changeOperator(ctx, req, p.ID, "put", func(img *setting.Image, is operator.Definition) ([]operator.Event, *domain.Refusal) {
		return operator.DecidePut(is, p, img.Known())
	})
}

// DeactivateOperator ends an operator's access: their tokens are refused, their presence ends, and an effect releases
// their open conversations. When ending the presence fails, the same call again goes on with it.
func (s *Settings) DeactivateOperator(ctx context.Context, req Request, id string) (SettingResult, error) {
	result, err := s.changeOperator(ctx, req, id, "deactivate", func(_ *setting.Image, is operator.Definition) ([]operator.Event, *domain.Refusal) {
		return operator.DecideDeactivate(is)
	})
	if err != nil {
		return result, err
	}
	if _, err := s.disconnect(ctx, part(req), id, presence.CauseDeactivated); err != nil {
		return result, fmt.Errorf("ending the presence of operator %s: %w", id, err)
	}
	return result, nil
}

// ReactivateOperator gives it back.
func (s *Settings) ReactivateOperator(ctx context.Context, req Request, id string) (SettingResult, error) {
	return s.changeOperator(ctx, req, id, "reactivate", func(img *setting.Image, is operator.Definition) ([]operator.Event, *domain.Refusal) {
		return operator.DecideReactivate(is, img.Known())
	})
}

func (s *Settings) changeOperator(ctx context.Context, req Request, id, action string,
	decide func(*setting.Image, operator.Definition) ([]operator.Event, *domain.Refusal)) (SettingResult, error) {
	if !domain.ValidID(id) {
		return SettingResult{}, &domain.Refusal{Code: domain.CodeNotFound, Detail: "There is no such operator."}
	}
	return s.onSettings(ctx, req, func(img *setting.Image) (SettingResult, error) {
		return change(ctx, s.w, edit[operator.Definition]{
			req: req, aggregate: s.aggregate(domain.CategoryOperator, id), action: action, image: img, tail: true,
			evolve: latest(operator.DefinitionOf), key: s.ownKey(ctx),
			decide: func(is *operator.Definition, _ time.Time) ([]domain.Event, error) {
				decided, r := decide(img, *is)
				if r == nil && len(decided) > 0 {
					if err := s.claimFor(ctx, req, *is, operator.DefinitionOf(decided[0])); err != nil {
						return nil, err
					}
				}
				return events(decided, r)
			},
		})
	})
}

// claimFor claims the extension that an active operator is about to show and doesn't show yet. It always appends: the claim
// must be younger than the load that the operator's own append is guarded with. Whoever takes the extension away first
// appends to the operator (DecideYield), so an append that was decided before fails its guard; and a claim made after that
// makes the taker fail theirs.
func (s *Settings) claimFor(ctx context.Context, req Request, is, becomes operator.Definition) error {
	if becomes.Extension == "" || !becomes.Active || is.Active && is.Extension == becomes.Extension {
		return nil
	}
	_, err := change(ctx, s.w, edit[setting.ExtensionClaimed]{
		req: part(req), aggregate: s.aggregate(domain.CategorySetting, "extension."+becomes.Extension), action: "claim", tail: true,
		evolve: latest(func(e setting.ExtensionClaimed) setting.ExtensionClaimed { return e }),
		decide: func(held *setting.ExtensionClaimed, _ time.Time) ([]domain.Event, error) {
			if held.Operator != "" && held.Operator != becomes.ID {
				if err := s.yield(ctx, req, held.Operator, becomes.Extension); err != nil {
					return nil, err
				}
			}
			return []domain.Event{setting.ExtensionClaimed{Extension: becomes.Extension, Operator: becomes.ID}}, nil
		},
	})
	return err
}

// yield makes the operator who had an extension give it up, or refuses when they use it.
func (s *Settings) yield(ctx context.Context, req Request, id, extension string) error {
	_, err := change(ctx, s.w, edit[operator.Definition]{
		req: part(req), aggregate: s.aggregate(domain.CategoryOperator, id), action: "yield", tail: true,
		evolve: latest(operator.DefinitionOf), key: s.ownKey(ctx),
		decide: func(is *operator.Definition, _ time.Time) ([]domain.Event, error) {
			return events(operator.DecideYield(*is, extension))
		},
	})
	return err
}
