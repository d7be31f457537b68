package command

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/presence"
	"github.com/turno-desk/turno/domain/setting"
)

// How presence is kept.
const (
	HeartbeatEvery = 20 * time.Second // what a console is asked for
	LostAfter      = 60 * time.Second // three heartbeats missed
	watchEvery     = 5 * time.Second  // so a disconnection is written at most that much later
)

// Heartbeats tells the other processes of the workspace who was heard, and hears it from them. It may lose some.
type Heartbeats interface {
	Publish(operator string)
	// Subscribe calls fn for every heartbeat of another process, or of any, until cancel is called.
	Subscribe(fn func(operator string)) (cancel func(), err error)
}

// Topics carries what is said aloud and never written down. Every store of the log does.
type Topics interface {
	Publish(topic string, data []byte) error
	Subscribe(topic string, fn func(data []byte)) (cancel func(), err error)
}

// HeartbeatsOver are the heartbeats of a workspace on a topic of their own.
func HeartbeatsOver(t Topics, workspace string) Heartbeats {
	return spoken{topics: t, topic: "heartbeat." + workspace}
}

type spoken struct {
	topics Topics
	topic  string
}

// Publish may fail silently: the next heartbeat is 20 s away, and it takes three to be lost.
func (s spoken) Publish(operator string) { _ = s.topics.Publish(s.topic, []byte(operator)) }

func (s spoken) Subscribe(fn func(operator string)) (cancel func(), err error) {
	return s.topics.Subscribe(s.topic, func(data []byte) { fn(string(data)) })
}

// Heartbeat says that the operator's console is there. It makes an event only when the operator was not connected. In an
// import it is the event time that counts, and nobody watches for the next one.
func (s *Settings) Heartbeat(ctx context.Context, req Request, id string) (SettingResult, error) {
	if !req.Import {
		s.hear(id)
		if s.o.Heartbeats != nil {
			s.o.Heartbeats.Publish(id)
		}
		if img, err := s.o.Image.Snapshot(ctx); err == nil && img.Presence[id].Connected && img.Operators[id].Active {
			return SettingResult{Position: img.Position}, nil
		}
	}
	return s.changePresence(ctx, req, id, "connect", func(_ *setting.Image, is presence.Status) ([]presence.Event, *domain.Refusal) {
		return presence.DecideConnect(is), nil
	})
}

// Disconnect says that the operator's console left.
func (s *Settings) Disconnect(ctx context.Context, req Request, id string) (SettingResult, error) {
	return s.disconnect(ctx, req, id, presence.CauseLeft)
}

func (s *Settings) disconnect(ctx context.Context, req Request, id, cause string) (SettingResult, error) {
	result, err := s.changePresence(ctx, req, id, "disconnect", func(_ *setting.Image, is presence.Status) ([]presence.Event, *domain.Refusal) {
		return presence.DecideDisconnect(is, cause), nil
	})
	if err == nil {
		s.mu.Lock()
		delete(s.heard, id)
		s.mu.Unlock()
	}
	return result, err
}

// SetAvailability says whether the operator takes new conversations. The operator may say it, a supervisor of one of their
// departments, and admins.
func (s *Settings) SetAvailability(ctx context.Context, req Request, id string, available bool, reason domain.Personal) (SettingResult, error) {
	return s.changePresence(ctx, req, id, "availability", func(img *setting.Image, is presence.Status) ([]presence.Event, *domain.Refusal) {
		by, r := availabilityBy(img, req.Actor, id)
		if r != nil {
			return nil, r
		}
		return presence.DecideAvailability(is, available, reason, by)
	})
}

// availabilityBy is the supervisor who sets another's availability; empty for oneself and those who are no operators.
func availabilityBy(img *setting.Image, actor domain.Actor, id string) (string, *domain.Refusal) {
	forbidden := &domain.Refusal{Code: domain.CodeForbidden, OnSettings: true,
		Detail: "Only the operator, a supervisor of theirs or an admin sets an operator's availability."}
	switch actor.Kind {
	case domain.ActorAdmin, domain.ActorService, domain.ActorSystem:
		return "", nil
	case domain.ActorOperator:
		if actor.ID == id {
			return "", nil
		}
		d := img.Operators[actor.ID]
		v := access.Viewer{Operator: d.ID, Role: d.Role, Departments: d.Departments}
		if d.Active && d.Role == operator.RoleAdmin {
			return actor.ID, nil
		}
		for _, department := range img.Operators[id].Departments {
			if d.Active && access.Supervises(v, department) {
				return actor.ID, nil
			}
		}
	}
	return "", forbidden
}

func (s *Settings) changePresence(ctx context.Context, req Request, id, action string,
	decide func(*setting.Image, presence.Status) ([]presence.Event, *domain.Refusal)) (SettingResult, error) {
	return s.onSettings(ctx, req, func(img *setting.Image) (SettingResult, error) {
		d, ok := img.Operator(id)
		switch {
		case !ok:
			return SettingResult{}, &domain.Refusal{Code: domain.CodeNotFound, OnSettings: true, Detail: "There is no such operator."}
		case !d.Active && action != "disconnect" && !req.Import:
			return SettingResult{}, &domain.Refusal{Code: domain.CodeRetired, OnSettings: true, Detail: "The operator was deactivated."}
		}
		return change(ctx, s.w, edit[presence.Status]{
			req: req, aggregate: s.aggregate(domain.CategoryPresence, id), action: action, image: img, tail: true,
			evolve: latest(presence.StatusOf), key: s.operatorKey(ctx, id),
			decide: func(is *presence.Status, _ time.Time) ([]domain.Event, error) {
				if is.Operator == "" {
					*is = presence.New(id)
				}
				return events(decide(img, *is))
			},
		})
	})
}

func (s *Settings) hear(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard[id] = s.o.Now()
}

// Watch disconnects operators who were not heard of for LostAfter, until ctx ends; then it returns nil. Those who are
// connected when it sees them first count as heard at that moment. Any number of processes may watch.
func (s *Settings) Watch(ctx context.Context) error {
	if s.o.Heartbeats != nil {
		cancel, err := s.o.Heartbeats.Subscribe(s.hear)
		if err != nil {
			return fmt.Errorf("listening for heartbeats: %w", err)
		}
		defer cancel()
	}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		s.sweep(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// sweep looks once. While the settings can't be confirmed it leaves everybody connected: a log that can't be reached says
// nothing about the operators.
func (s *Settings) sweep(ctx context.Context) {
	img, err := s.o.Image.Snapshot(ctx)
	if err != nil {
		return
	}
	for _, id := range s.lost(img, s.o.Now()) {
		req := Request{Workspace: img.Workspace, Principal: "system", Actor: domain.Actor{Kind: domain.ActorSystem}}
		if _, err := s.disconnect(ctx, req, id, presence.CauseLost); err != nil && ctx.Err() == nil {
			s.o.Logger.Warn("a lost operator can't be disconnected yet", zap.String("operator", id), zap.Error(err))
		}
	}
}

// lost names the connected operators who were not heard of for too long.
func (s *Settings) lost(img *setting.Image, now time.Time) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for id, status := range img.Presence {
		at, heard := s.heard[id]
		switch {
		case !status.Connected:
		case !heard:
			s.heard[id] = now
		case now.Sub(at) > LostAfter:
			ids = append(ids, id)
		}
	}
	return ids
}
