package http

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/projections"
)

// call is one request of somebody who is known.
type call struct {
	echo.Context
	s *Server

	who    command.Principal
	viewer access.Viewer // who, for the access rule
	params []string      // the query parameters that the route knows
}

// ctx is the request's context.
func (c *call) ctx() context.Context { return c.Request().Context() }

// id is a path parameter that must be an id: what can't be one doesn't exist.
func (c *call) id(name string) (string, error) {
	id := c.Param(name)
	if !domain.ValidID(id) {
		return "", notFound()
	}
	return id, nil
}

// newID is a path parameter that names what a PUT makes.
func (c *call) newID(name string) (string, error) {
	id := c.Param(name)
	if !domain.ValidID(id) {
		return "", invalid(name, "An id is 1 to 64 of a–z, 0–9, - and _, and begins with a letter or a digit.")
	}
	return id, nil
}

// request is what a command is told besides itself. body is what was decoded: with an Idempotency-Key its keyed hash tells
// another command from the same one.
func (c *call) request(body any) (command.Request, error) {
	h := c.Request().Header
	r := command.Request{Workspace: c.s.workspace, Principal: c.who.Principal, Actor: c.who.Actor, Key: h.Get("Idempotency-Key"), Trace: traceparent(h.Get("traceparent"))}
	if len(r.Key) > maxKey || !visible(r.Key) || len(h.Values("Idempotency-Key")) > 1 {
		return r, invalid("Idempotency-Key", fmt.Sprintf("The Idempotency-Key is 1 to %d visible ASCII characters.", maxKey))
	}
	if r.Key != "" {
		r.BodyHash = c.s.Hasher.Hash(c.s.workspace, "body", string(canonical(body)))
	}
	for _, name := range []string{"If-Match", "Turno-Position"} {
		if len(h.Values(name)) > 1 {
			return r, invalid(name, fmt.Sprintf("%q is given more than once.", name))
		}
	}
	var err error
	if r.IfMatch, err = revision(h.Get("If-Match")); err != nil {
		return r, err
	}
	if after := h.Get("Turno-Position"); after != "" {
		if r.After, err = parsePosition("Turno-Position", after); err != nil {
			return r, err
		}
	}
	return r, nil
}

const maxKey = 128

func visible(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// revision reads If-Match: one strong entity tag, or * for any.
func revision(s string) (domain.Position, error) {
	if s == "" || s == "*" {
		return 0, nil
	}
	inner, ok := strings.CutPrefix(s, `"`)
	inner, closed := strings.CutSuffix(inner, `"`)
	if ok && closed {
		if p, err := parsePosition("If-Match", inner); err == nil && p > 0 {
			return p, nil
		}
	}
	return 0, invalid("If-Match", `If-Match is one revision in double quotes: "1042".`)
}

// traceparent is s if it is a W3C trace context of version 00, else empty: nothing else reaches the log.
func traceparent(s string) string {
	if len(s) != 55 || s[2] != '-' || s[35] != '-' || s[52] != '-' || s[:2] != "00" {
		return ""
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return ""
		}
	}
	return s
}

// bind reads the body into v, strictly.
func (c *call) bind(v any) error {
	data, err := readBody(c.Context)
	if err != nil {
		return err
	}
	return decode(data, v)
}

// maxWait is how long a query waits for the projection to reach the position it was asked for.
const maxWait = 2 * time.Second

// ready waits until the view has reached the position that the client has seen: `after` or the header Turno-Position. With
// an as_of it must have come that far too. It returns the as_of as a position; 0 is now.
func (c *call) ready(view string) (domain.Position, error) {
	if err := c.single(); err != nil {
		return 0, err
	}
	after, err := c.after()
	if err != nil {
		return 0, err
	}
	at, err := asOf(c.ctx(), c.s.Log, c.QueryParam("as_of"))
	if err != nil {
		return 0, err
	}
	return at, c.s.reached(c.ctx(), view, max(after, at))
}

func (c *call) after() (domain.Position, error) {
	if s := c.QueryParam("after"); s != "" {
		return parsePosition("after", s)
	}
	if s := c.Request().Header.Get("Turno-Position"); s != "" {
		return parsePosition("Turno-Position", s)
	}
	return 0, nil
}

// reached waits until the view has passed p, at most maxWait.
func (s *Server) reached(ctx context.Context, view string, p domain.Position) error {
	if now := s.Progress.Position(view); p == 0 || now >= p {
		return s.lost(ctx, p, now)
	}
	if head, err := s.Log.Head(ctx); err != nil {
		return err
	} else if p > head {
		return &Problem{Status: http.StatusUnprocessableEntity, Code: "position_ahead", Detail: "The log has not come to this position."}
	}
	wait, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	if err := s.Progress.Wait(wait, view, p); err != nil && ctx.Err() == nil {
		return &Problem{Status: http.StatusServiceUnavailable, Code: "view_behind", Retry: 1, Detail: "The view has not reached this position yet."}
	}
	return ctx.Err()
}

// lost refuses a position, not after `now`, that the log does not have any more since it was restored from an older copy: 410.
// Such a one is of an earlier epoch; those of today's are not looked for.
func (s *Server) lost(ctx context.Context, p, now domain.Position) error {
	if _, sparse := s.Log.(projections.Sparse); sparse || p == 0 || p>>domain.EpochBits == now>>domain.EpochBits {
		return nil
	}
	_, err := s.Log.At(ctx, p)
	if errors.Is(err, projections.ErrNoCommit) {
		return &Problem{Status: http.StatusGone, Code: "position_lost",
			Detail: "The log was restored from an older copy, and what was at this position is lost. Begin anew without it."}
	}
	return err
}

// single refuses a query parameter that is given twice or that the route doesn't know.
func (c *call) single() error {
	for name, values := range c.QueryParams() {
		switch {
		case !slices.Contains(c.params, name):
			return &Problem{Status: http.StatusBadRequest, Code: "unknown_parameter", Field: clip(name), Detail: "There is no such parameter here."}
		case len(values) > 1:
			return invalid(name, fmt.Sprintf("%q is given more than once.", name))
		}
	}
	return nil
}

// limit reads `limit`: 50 when absent, at most 200.
func (c *call) limit() (int, error) {
	s := c.QueryParam("limit")
	if s == "" {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > maxLimit {
		return 0, invalid("limit", fmt.Sprintf("limit is 1 to %d.", maxLimit))
	}
	return n, nil
}

const (
	defaultLimit = 50
	maxLimit     = 200
)

// list reads a parameter of values with commas between them.
func (c *call) list(name string) []string {
	s := c.QueryParam(name)
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

// idParam reads a parameter that is an id; empty when absent.
func (c *call) idParam(name string) (string, error) {
	s := c.QueryParam(name)
	if s != "" && !domain.ValidID(s) {
		return "", invalid(name, fmt.Sprintf("%q is an id.", name))
	}
	return s, nil
}

// ids reads several such parameters into where they belong, until the first that is none.
func (c *call) ids(into map[string]*string) error {
	for name, p := range into {
		var err error
		if *p, err = c.idParam(name); err != nil {
			return err
		}
	}
	return nil
}

// instant reads an RFC 3339 time; the zero time when absent.
func (c *call) instant(name string) (time.Time, error) {
	s := c.QueryParam(name)
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		return time.Time{}, invalid(name, fmt.Sprintf("%q is an RFC 3339 time.", name))
	}
	return t.UTC(), nil
}

// flag reads true or false; absent is absent.
func (c *call) flag(name string) (*bool, error) {
	s := c.QueryParam(name)
	if s == "" {
		return nil, nil
	}
	b := s == "true"
	if !b && s != "false" {
		return nil, invalid(name, fmt.Sprintf("%q is true or false.", name))
	}
	return &b, nil
}

// clip shortens what a client sent so that it can be named in an answer.
func clip(s string) string {
	if len(s) > 64 {
		s = s[:64]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
