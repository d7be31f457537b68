package command

import (
	"context"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/hours"
	"github.com/turno-desk/turno/domain/setting"
)

// PutDepartment makes a department or replaces its definition; a retired one comes back.
func (s *Settings) PutDepartment(ctx context.Context, req Request, p department.Put) (SettingResult, error) {
	if !domain.ValidID(p.ID) {
		_, err := events(department.DecidePut(department.Definition{}, p))
		return SettingResult{}, err
	}
	return s.onSettings(ctx, req, func(img *setting.Image) (SettingResult, error) {
		return s.changeDepartment(ctx, req, p.ID, "put", img, func(is department.Definition) ([]department.Event, *domain.Refusal) {
			return setting.DecidePutDepartment(is, p, img)
		})
	})
}

// RetireDepartment takes a department out of use. It is refused while a channel starts there, an active operator belongs to it, or
// other settings rest on it. Conversations that wait there stay, for administrators to take or transfer.
func (s *Settings) RetireDepartment(ctx context.Context, req Request, id string) (SettingResult, error) {
	if !domain.ValidID(id) {
		return SettingResult{}, &domain.Refusal{Code: domain.CodeNotFound, Detail: "There is no such department."}
	}
	return s.confirmed(ctx, func(img *setting.Image) (SettingResult, error) {
		return s.changeDepartment(ctx, req, id, "retire", img, func(is department.Definition) ([]department.Event, *domain.Refusal) {
			return department.DecideRetire(is, img.InUse(setting.KindDepartment, id))
		})
	})
}

func (s *Settings) changeDepartment(ctx context.Context, req Request, id, action string, img *setting.Image,
	decide func(department.Definition) ([]department.Event, *domain.Refusal)) (SettingResult, error) {
	return change(ctx, s.w, edit[department.Definition]{
		req: req, aggregate: s.aggregate(domain.CategoryDepartment, id), action: action, image: img, tail: true,
		evolve: latest(department.DefinitionOf),
		decide: func(is *department.Definition, _ time.Time) ([]domain.Event, error) { return events(decide(*is)) },
	})
}

// PutCalendar gives a calendar new hours, and makes it where it is missing.
func (s *Settings) PutCalendar(ctx context.Context, req Request, p hours.Put) (SettingResult, error) {
	if !domain.ValidID(p.ID) {
		_, err := events(hours.DecidePut(hours.Calendar{}, p, time.Time{}))
		return SettingResult{}, err
	}
	return s.onSettings(ctx, req, func(img *setting.Image) (SettingResult, error) {
		return change(ctx, s.w, edit[hours.Calendar]{
			req: req, aggregate: s.aggregate(domain.CategorySetting, "calendar."+p.ID), action: "put", image: img, tail: true,
			evolve: latest(hours.CalendarOf),
			decide: func(is *hours.Calendar, now time.Time) ([]domain.Event, error) {
				return events(hours.DecidePut(*is, p, now))
			},
		})
	})
}

// PutChannel makes a channel or replaces its definition; a retired one comes back.
func (s *Settings) PutChannel(ctx context.Context, req Request, p setting.PutChannel) (SettingResult, error) {
	if !domain.ValidID(p.ID) {
		_, err := events(setting.DecidePutChannel(setting.Channel{}, p, nil))
		return SettingResult{}, err
	}
	return s.onSettings(ctx, req, func(img *setting.Image) (SettingResult, error) {
		return s.changeChannel(ctx, req, p.ID, "put", img, func(is setting.Channel) ([]setting.Event, *domain.Refusal) {
			return setting.DecidePutChannel(is, p, img)
		})
	})
}

// RetireChannel takes a channel out of use; its open conversations go on. It is refused while other settings rest on it.
func (s *Settings) RetireChannel(ctx context.Context, req Request, id string) (SettingResult, error) {
	if !domain.ValidID(id) {
		return SettingResult{}, &domain.Refusal{Code: domain.CodeNotFound, Detail: "There is no such channel."}
	}
	return s.confirmed(ctx, func(img *setting.Image) (SettingResult, error) {
		return s.changeChannel(ctx, req, id, "retire", img, func(is setting.Channel) ([]setting.Event, *domain.Refusal) {
			return setting.DecideRetireChannel(is, img)
		})
	})
}

func (s *Settings) changeChannel(ctx context.Context, req Request, id, action string, img *setting.Image,
	decide func(setting.Channel) ([]setting.Event, *domain.Refusal)) (SettingResult, error) {
	return change(ctx, s.w, edit[setting.Channel]{
		req: req, aggregate: s.aggregate(domain.CategorySetting, "channel."+id), action: action, image: img, tail: true,
		evolve: latest(setting.ChannelOf),
		decide: func(is *setting.Channel, _ time.Time) ([]domain.Event, error) { return events(decide(*is)) },
	})
}
