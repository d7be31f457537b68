package command

import (
	"context"
	"errors"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
)

// Define makes a definition or replaces it; a retired one comes back.
func (s *Settings) Define(ctx context.Context, req Request, d setting.Definition) (SettingResult, error) {
	if !domain.ValidID(d.Ident()) {
		_, err := events(setting.DecideDefine(nil, d, &setting.Image{}))
		return SettingResult{}, err
	}
	return s.onSettings(ctx, req, func(img *setting.Image) (SettingResult, error) {
		return s.changeDefinition(ctx, req, d.Kind(), d.Ident(), "define", img, func(is setting.Definition) ([]setting.Event, *domain.Refusal) {
			return setting.DecideDefine(is, d, img)
		})
	})
}

// RetireDefinition takes a definition out of use. It is refused while other settings rest on it. The secrets of a subscription
// go with it.
func (s *Settings) RetireDefinition(ctx context.Context, req Request, kind setting.Kind, id string) (SettingResult, error) {
	if !domain.ValidID(id) {
		return SettingResult{}, &domain.Refusal{Code: domain.CodeNotFound, Detail: "There is no such definition."}
	}
	var was setting.Definition
	result, err := s.confirmed(ctx, func(img *setting.Image) (SettingResult, error) {
		return s.changeDefinition(ctx, req, kind, id, "retire", img, func(is setting.Definition) ([]setting.Event, *domain.Refusal) {
			was = is
			return setting.DecideRetire(is, img)
		})
	})
	if sub, ok := was.(setting.Subscription); ok && err == nil {
		for _, secret := range sub.Secrets {
			err = errors.Join(err, s.forget(ctx, id, []string{secret.Fingerprint}))
		}
	}
	return result, err
}

func (s *Settings) changeDefinition(ctx context.Context, req Request, kind setting.Kind, id, action string, img *setting.Image,
	decide func(setting.Definition) ([]setting.Event, *domain.Refusal)) (SettingResult, error) {
	return change(ctx, s.w, edit[setting.Definition]{
		req: req, aggregate: s.aggregate(domain.CategorySetting, string(kind)+"."+id), action: action, image: img, tail: true,
		evolve: latest(setting.DefinitionOf),
		decide: func(is *setting.Definition, _ time.Time) ([]domain.Event, error) { return events(decide(*is)) },
	})
}
