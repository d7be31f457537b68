package http

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
)

type tokenBody struct {
	Name domain.Personal `json:"name"`
}

type serviceTokenBody struct {
	Service string          `json:"service"` // id of the integration
	Name    domain.Personal `json:"name"`
	Scopes  []string        `json:"scopes"`
}

// TokenAnswer is a token at its birth: Token is shown this once.
type TokenAnswer struct {
	Position domain.Position   `json:"position"`
	Events   []json.RawMessage `json:"events"`
	ID       string            `json:"id"`
	Token    string            `json:"token,omitempty"` // absent when an earlier call with the same key had shown it
	Replayed bool              `json:"replayed,omitempty"`
}

// issueOperatorToken gives an operator a token.
func (s *Server) issueOperatorToken(c *call) error {
	var b tokenBody
	if err := c.bind(&b); err != nil {
		return err
	}
	id, err := c.id("id")
	if err != nil {
		return err
	}
	return s.issue(c, b, command.TokenOrder{Owner: "operator:" + id, Name: b.Name})
}

// issueServiceToken gives an integration a token with scopes.
func (s *Server) issueServiceToken(c *call) error {
	var b serviceTokenBody
	if err := c.bind(&b); err != nil {
		return err
	}
	if !domain.ValidID(b.Service) {
		return invalid("service", "Name the integration by an id: a–z, 0–9, - and _.")
	}
	return s.issue(c, b, command.TokenOrder{Owner: "service:" + b.Service, Name: b.Name, Scopes: b.Scopes})
}

func (s *Server) issue(c *call, body any, order command.TokenOrder) error {
	r, err := c.request(body)
	if err != nil {
		return err
	}
	issued, err := s.Commands.IssueToken(c.ctx(), r, order)
	if err != nil {
		return err
	}
	events, err := s.events(&issued.Commit)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.position(issued.Position).JSON(http.StatusCreated, TokenAnswer{issued.Position, events, issued.ID, issued.Plain, issued.Replayed})
}

// revokeOperatorToken takes a token of that operator back.
func (s *Server) revokeOperatorToken(c *call) error {
	id, err := c.id("id")
	if err != nil {
		return err
	}
	return s.revoke(c, func(owner string) bool { return owner == "operator:"+id })
}

// revokeServiceToken takes a service's token back.
func (s *Server) revokeServiceToken(c *call) error {
	return s.revoke(c, func(owner string) bool { return strings.HasPrefix(owner, "service:") })
}

// revoke takes the path's token back if its owner is one of those that the path is about.
func (s *Server) revoke(c *call, of func(owner string) bool) error {
	var b struct{}
	if err := c.bind(&b); err != nil {
		return err
	}
	id, err := c.id("token")
	if err != nil {
		return err
	}
	if err := s.Settings.Refresh(c.ctx()); err != nil {
		return err
	}
	image, err := s.Settings.Snapshot(c.ctx())
	if err != nil {
		return err
	}
	if t, ok := image.Token(id); !ok || !of(t.Owner) {
		return notFound()
	}
	return s.set(c, "revoke_token", b, func(ctx context.Context, r command.Request) (command.SettingResult, error) {
		return s.Commands.RevokeToken(ctx, r, id)
	})
}

// operatorTokens lists an operator's tokens, without their secrets.
func (s *Server) operatorTokens(c *call) error {
	id, err := c.id("id")
	if err != nil {
		return err
	}
	r, err := c.page()
	if err != nil {
		return err
	}
	answer, err := s.Directory.Tokens(c.ctx(), s.workspace, "operator:"+id, r)
	if err != nil {
		return err
	}
	return c.ok(answer.Position, answer)
}

// serviceTokens lists the tokens of all services.
func (s *Server) serviceTokens(c *call) error {
	r, err := c.page()
	if err != nil {
		return err
	}
	answer, err := s.Directory.Tokens(c.ctx(), s.workspace, "service:", r)
	if err != nil {
		return err
	}
	return c.ok(answer.Position, answer)
}
