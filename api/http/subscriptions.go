package http

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/deliveries"
)

type subscriptionBody struct {
	Name        string   `json:"name"`
	URL         string   `json:"url"`
	Types       []string `json:"types"`
	Departments []string `json:"departments"`
	Channels    []string `json:"channels"`
	Personal    bool     `json:"personal"`
	Enabled     *bool    `json:"enabled"`
}

func (b subscriptionBody) definition(id string) setting.Definition {
	return setting.Subscription{
		ID: id, Name: b.Name, URL: b.URL, Types: b.Types, Departments: b.Departments, Channels: b.Channels, Personal: b.Personal,
		Enabled: b.Enabled == nil || *b.Enabled,
	}
}

// maySubscribe refuses a subscription to what the caller could not read in the feed, and one without TLS where that is not allowed.
func (s *Server) maySubscribe(c *call, d setting.Definition) error {
	sub, _ := d.(setting.Subscription)
	switch {
	case !c.can(access.ReadAllEvents):
		return forbidden("A subscription is a feed of everything: it takes the scope events.")
	case sub.Personal && !c.can(access.OpenPersonal):
		return forbidden("Sending personal fields open takes the scope personal.")
	}
	if u, err := url.Parse(sub.URL); err == nil && u.Scheme == "http" && !s.plainHooks {
		return &domain.Refusal{Code: "http_not_allowed", Missing: []string{"url"}, Detail: "Deliveries go over https; --webhook-allow-http allows http."}
	}
	return nil
}

// subscriptionRoutes are those that subscriptions have besides what all definitions have. All take the right to change settings: an
// address may itself be a secret.
func (s *Server) subscriptionRoutes() []route {
	return []route{
		{http.MethodPost, "/v1/subscriptions/:id/secrets", access.EditSettings, s.addSecret, nil},
		{http.MethodGet, "/v1/subscriptions/:id/deliveries", access.EditSettings, s.deliveries, []string{"state", "cursor", "limit"}},
		{http.MethodPost, "/v1/subscriptions/:id/redeliver", access.EditSettings, s.redeliver, nil},
	}
}

type secretBody struct {
	Secret string `json:"secret"`
	KeepS  *int64 `json:"keep_s"`
}

// keepSecrets is how long the former secrets sign when nothing is said.
const keepSecrets = 24 * time.Hour

// SecretAnswer is a subscription's secret at its birth.
type SecretAnswer struct {
	Position    domain.Position   `json:"position"`
	Events      []json.RawMessage `json:"events"`
	Fingerprint string            `json:"fingerprint"`
	Secret      string            `json:"secret,omitempty"` // absent when the caller gave it, or an earlier call with the same key had shown it
	Replayed    bool              `json:"replayed,omitempty"`
}

// addSecret gives a subscription a secret to sign with.
func (s *Server) addSecret(c *call) error {
	var b secretBody
	if err := c.bind(&b); err != nil {
		return err
	}
	id, err := c.id("id")
	if err != nil {
		return err
	}
	r, err := c.request(b)
	if err != nil {
		return err
	}
	order := command.SecretOrder{Secret: b.Secret, Keep: keepSecrets}
	if b.KeepS != nil {
		if *b.KeepS < 0 || *b.KeepS > int64(setting.MaxKeep/time.Second) {
			return invalid("keep_s", "The former secrets sign on for 0 seconds to 30 days.")
		}
		order.Keep = time.Duration(*b.KeepS) * time.Second
	}
	begun := s.now()
	made, err := s.Commands.AddSecret(c.ctx(), r, id, order)
	s.handled("add_secret", len(made.Commit.Events), made.Replayed, err, s.now().Sub(begun))
	if err != nil {
		return err
	}
	events, err := s.events(&made.Commit)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.position(made.Position).JSON(http.StatusCreated, SecretAnswer{made.Position, events, made.Fingerprint, made.Plain, made.Replayed})
}

// deliveries lists what was delivered to a subscription, or is to be.
func (s *Server) deliveries(c *call) error {
	if err := c.single(); err != nil {
		return err
	}
	id, err := c.id("id")
	if err != nil {
		return err
	}
	f := deliveries.Filter{State: c.QueryParam("state"), Cursor: c.QueryParam("cursor")}
	if f.State != "" && !slices.Contains([]string{deliveries.Pending, deliveries.Delivered, deliveries.Failed}, f.State) {
		return invalid("state", "A delivery is pending, delivered or failed.")
	}
	if f.Limit, err = c.limit(); err != nil {
		return err
	}
	img, err := s.Settings.Snapshot(c.ctx())
	if err != nil {
		return err
	}
	if _, found := img.Subscription(id); !found {
		return notFound()
	}
	answer, err := s.Deliveries.Deliveries(c.ctx(), s.workspace, id, f)
	if err != nil {
		return err
	}
	return c.ok(answer.Position, answer)
}

type redeliverBody struct {
	From       domain.Position `json:"from"`
	To         domain.Position `json:"to"`
	FailedOnly bool            `json:"failed_only"`
}

// redeliver has events sent to a subscription again.
func (s *Server) redeliver(c *call) error {
	var b redeliverBody
	if err := c.bind(&b); err != nil {
		return err
	}
	id, err := c.id("id")
	if err != nil {
		return err
	}
	head, err := s.Log.Head(c.ctx())
	if err == nil && max(b.From, b.To) > head {
		err = projections.ErrAhead
	}
	if err == nil {
		err = s.lost(c.ctx(), b.From, head)
	}
	if err != nil {
		return err
	}
	return s.set(c, "redeliver", b, func(ctx context.Context, r command.Request) (command.SettingResult, error) {
		return s.Commands.Redeliver(ctx, r, id, setting.Redeliver(b))
	})
}
