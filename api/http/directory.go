package http

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/projections/directory"
)

// positioned writes a thing as it is, with the position that it was read at beside its fields.
type positioned[T any] struct {
	thing    T
	position domain.Position
}

// MarshalJSON puts the position into the object.
func (p positioned[T]) MarshalJSON() ([]byte, error) {
	data, err := json.Marshal(p.thing)
	if err != nil || len(data) < 2 || data[0] != '{' {
		return data, err
	}
	head := `{"position":` + strconv.FormatUint(uint64(p.position), 10)
	if len(data) > 2 {
		head += ","
	}
	return append([]byte(head), data[1:]...), nil
}

// some is the handler of a list of the directory.
func some[T any](list func(context.Context, string, directory.Range) (directory.Page[T], error)) func(*call) error {
	return func(c *call) error {
		r, err := c.page()
		if err != nil {
			return err
		}
		answer, err := list(c.ctx(), c.s.workspace, r)
		if err != nil {
			return err
		}
		return c.ok(answer.Position, answer)
	}
}

// one is the handler of one thing of the directory.
func one[T any](get func(context.Context, string, string) (T, domain.Position, bool, error), revision func(T) domain.Position) func(*call) error {
	return func(c *call) error {
		if _, err := c.ready(viewDirectory); err != nil {
			return err
		}
		id, err := c.id("id")
		if err != nil {
			return err
		}
		v, at, ok, err := get(c.ctx(), c.s.workspace, id)
		if err != nil {
			return err
		}
		if !ok {
			return notFound()
		}
		if r := revision(v); r > 0 { // a contact that nobody has edited has none
			c.Response().Header().Set("ETag", etag(r))
		}
		return c.ok(at, positioned[T]{v, at})
	}
}

// page waits for the directory and reads which part of a list is asked for.
func (c *call) page() (directory.Range, error) {
	if _, err := c.ready(viewDirectory); err != nil {
		return directory.Range{}, err
	}
	limit, err := c.limit()
	return directory.Range{Cursor: c.QueryParam("cursor"), Limit: limit}, err
}

// me says who the token is, and what it may do.
func (s *Server) me(c *call) error {
	image, err := s.Settings.Snapshot(c.ctx())
	if err != nil {
		return err
	}
	answer := struct {
		Principal   string          `json:"principal"`
		Actor       string          `json:"actor"`
		Workspace   string          `json:"workspace"`
		Role        string          `json:"role"`
		Name        string          `json:"name,omitempty"`
		Departments []string        `json:"departments"`
		Scopes      []string        `json:"scopes,omitempty"`
		Actions     []access.Action `json:"actions"`
		Position    domain.Position `json:"position"`
	}{
		Principal: c.who.Principal, Actor: c.who.Actor.String(), Workspace: s.workspace, Role: string(c.viewer.Role),
		Name: string(image.Operators[c.viewer.Operator].Name), Departments: c.viewer.Departments, Scopes: c.who.Scopes,
		Actions: []access.Action{}, Position: image.Position,
	}
	if answer.Departments == nil {
		answer.Departments = []string{}
	}
	for _, a := range access.Actions() {
		if c.can(a) {
			answer.Actions = append(answer.Actions, a)
		}
	}
	return c.position(image.Position).JSON(http.StatusOK, answer)
}
