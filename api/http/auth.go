package http

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain/access"
)

// public is the right that everybody has: what asks for it looks at something else than a token of ours.
const public access.Action = "public"

// guarded is a route's handler behind the questions who asks, for whom, and whether they may ask such a thing at all.
func (s *Server) guarded(r route) echo.HandlerFunc {
	return func(c echo.Context) error {
		if r.right == public {
			return r.handle(&call{Context: c, s: s, params: r.params})
		}
		who, err := s.identify(c.Request().Context(), c)
		if err != nil {
			return err
		}
		if r.right != "" && !who.MayDo(r.right) {
			return forbidden("Your role, or your token's scopes, do not allow this.")
		}
		return r.handle(&call{Context: c, s: s, who: who, viewer: who.Viewer(), params: r.params})
	}
}

// identify finds whose token the request carries, and for whom it acts.
func (s *Server) identify(ctx context.Context, c echo.Context) (command.Principal, error) {
	h := c.Request().Header
	bearer, ok := bearerOf(h.Values(echo.HeaderAuthorization))
	if !ok {
		return command.Principal{}, unauthorized("Send one Authorization header: Bearer and a token.")
	}
	who, err := s.Commands.Authenticate(ctx, bearer)
	if errors.Is(err, command.ErrUnauthenticated) {
		return who, unauthorized("The token is unknown, revoked, or its operator's access has ended.")
	}
	if err != nil {
		return who, err
	}
	actors := h.Values("Turno-Actor")
	if len(actors) == 0 {
		return who, nil
	}
	if len(actors) > 1 {
		return who, invalid("Turno-Actor", "Name one actor.")
	}
	return s.Commands.ActFor(ctx, who, actors[0])
}

// maxBearer is the longest token, in bytes.
const maxBearer = 512

func bearerOf(headers []string) (string, bool) {
	if len(headers) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(headers[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > maxBearer || !visible(token) {
		return "", false
	}
	return token, true
}

// can reports whether the caller may do such a thing at all.
func (c *call) can(a access.Action) bool { return c.who.MayDo(a) }

// requestID names a request in an answer and in the log.
func requestID() string { return strings.ToLower(rand.Text()) }
