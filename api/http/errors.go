package http

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/deliveries"
	"github.com/turno-desk/turno/projections/directory"
	"github.com/turno-desk/turno/projections/history"
	"github.com/turno-desk/turno/projections/queue"
)

// Problem is the answer to everything that did not succeed: application/problem+json by RFC 9457. Code is stable; Title
// and Detail are for people and free of personal data, save what the caller itself sent as a field's name.
type Problem struct {
	Type    string   `json:"type"`
	Title   string   `json:"title"`
	Status  int      `json:"status"`
	Detail  string   `json:"detail,omitempty"`
	Code    string   `json:"code"`
	Missing []string `json:"missing,omitempty"` // what a command lacks
	Field   string   `json:"field,omitempty"`   // the field or parameter that is wrong
	State   string   `json:"state,omitempty"`   // the conversation's state, when it is the reason
	Allowed []string `json:"allowed,omitempty"` // what is allowed in that state
	Owner   *Person  `json:"owner,omitempty"`   // who has the conversation, when that is the reason
	Until   string   `json:"until,omitempty"`   // when the reason ends by itself, where that is known
	Step    *int     `json:"step,omitempty"`    // of a macro: the one that ended it, from 1; those before it were done
	Action  string   `json:"action,omitempty"`  // of that step

	Retry int `json:"-"` // seconds, for Retry-After; 0: not sent
}

// Person is an operator as others may see one.
type Person struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// Error makes a problem travel as an error.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

func malformed(detail string) *Problem {
	return &Problem{Status: http.StatusBadRequest, Code: "malformed", Detail: detail}
}

func invalid(field, detail string) *Problem {
	return &Problem{Status: http.StatusBadRequest, Code: string(domain.CodeInvalid), Field: field, Detail: detail}
}

func missing(fields ...string) *Problem {
	return &Problem{Status: http.StatusBadRequest, Code: string(domain.CodeInvalid), Missing: fields, Detail: "Something that this needs is missing."}
}

func tooLarge() *Problem {
	return &Problem{Status: http.StatusRequestEntityTooLarge, Code: string(domain.CodeTooLarge), Detail: "The body is larger than 256 KiB."}
}

func notFound() *Problem {
	return &Problem{Status: http.StatusNotFound, Code: string(domain.CodeNotFound), Detail: "There is nothing here, or nothing that you may see."}
}

func forbidden(detail string) *Problem {
	return &Problem{Status: http.StatusForbidden, Code: string(domain.CodeForbidden), Detail: detail}
}

func unauthorized(detail string) *Problem {
	return &Problem{Status: http.StatusUnauthorized, Code: "unauthorized", Detail: detail}
}

// statuses says what each refusal is over HTTP; 422, valid but refused, is every other.
var statuses = map[domain.Code]int{
	domain.CodeNotFound:  http.StatusNotFound,
	domain.CodeForbidden: http.StatusForbidden,
	domain.CodeInvalid:   http.StatusBadRequest,
	domain.CodeStale:     http.StatusPreconditionFailed,
	domain.CodeTooLarge:  http.StatusRequestEntityTooLarge,

	domain.CodeNotAllowed:         http.StatusConflict,
	thread.CodeTakenByAnother:     http.StatusConflict,
	thread.CodeConversationOpen:   http.StatusConflict,
	thread.CodeConversationClosed: http.StatusConflict,
	thread.CodeNewerConversation:  http.StatusConflict,
	thread.CodeReopenWindow:       http.StatusConflict,
	thread.CodeOperatorAway:       http.StatusConflict,
	thread.CodeTicketLinked:       http.StatusConflict,
	thread.CodeNoProposal:         http.StatusConflict,
	thread.CodeNotOffered:         http.StatusConflict,
	thread.CodeNotLive:            http.StatusUnprocessableEntity,
	thread.CodeNoMenu:             http.StatusConflict,
	thread.CodeSurveyExpired:      http.StatusConflict,
	contact.CodeMergedAway:        http.StatusConflict,
	contact.CodeSurvivor:          http.StatusConflict,
	contact.CodeWithdrawn:         http.StatusConflict,
	contact.CodeTooMany:           http.StatusConflict,
	setting.CodeTooManyOfThese:    http.StatusConflict,
}

func refused(r *domain.Refusal) *Problem {
	status, ok := statuses[r.Code]
	if !ok {
		status = http.StatusUnprocessableEntity
	}
	p := &Problem{Status: status, Code: string(r.Code), Detail: r.Detail, Missing: r.Missing, State: r.State, Allowed: r.Allowed}
	if !r.Until.IsZero() {
		p.Until = r.Until.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	if r.Owner != "" {
		p.Owner = &Person{ID: r.Owner}
	}
	return p
}

// problem is the single place where an error becomes an answer. logged says whether the error is ours to know about.
func problem(err error) (p *Problem, logged bool) {
	var refusal *domain.Refusal
	var router *echo.HTTPError
	switch {
	case errors.As(err, &p):
		copied := *p
		return &copied, false
	case errors.As(err, &refusal):
		return refused(refusal), false
	case errors.Is(err, command.ErrUncertain):
		return &Problem{Status: http.StatusServiceUnavailable, Code: "outcome_unknown", Retry: 1,
			Detail: "It is not known whether this was done. Send it again with the same Idempotency-Key: it is done once."}, true
	case errors.Is(err, command.ErrFull):
		return &Problem{Status: http.StatusServiceUnavailable, Code: "log_full", Retry: 30,
			Detail: "The log's disk is below its reserve. Nothing was done; reading goes on."}, true
	case errors.Is(err, command.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return &Problem{Status: http.StatusServiceUnavailable, Code: "log_unavailable", Retry: 1,
			Detail: "The log can't be reached. Nothing was done."}, true
	case errors.Is(err, projections.ErrUnavailable):
		return &Problem{Status: http.StatusServiceUnavailable, Code: "view_unavailable", Retry: 1,
			Detail: "What this asks for can't be read just now. Commands go on."}, true
	case errors.Is(err, command.ErrConflict):
		return &Problem{Status: http.StatusServiceUnavailable, Code: "busy", Retry: 1,
			Detail: "Too many wrote to the same thing at once. Nothing was done."}, true
	case errors.Is(err, history.ErrNotFound):
		return notFound(), false
	case errors.Is(err, history.ErrCursor), errors.Is(err, queue.ErrCursor), errors.Is(err, directory.ErrCursor), errors.Is(err, deliveries.ErrCursor):
		return invalid("cursor", "The cursor is none that this list gave."), false
	case errors.Is(err, history.ErrSearch):
		return invalid("q", "The search asks for too many words, or for too long ones."), false
	case errors.Is(err, queue.ErrState):
		return invalid("state", "A queue lists open conversations; closed ones are under /v1/conversations."), false
	case errors.Is(err, queue.ErrAhead):
		return &Problem{Status: http.StatusServiceUnavailable, Code: "view_behind", Retry: 1, Detail: "The view has not reached this position yet."}, false
	case errors.Is(err, projections.ErrAhead):
		return &Problem{Status: http.StatusUnprocessableEntity, Code: "position_ahead", Detail: "The log has not come to this position."}, false
	case errors.As(err, &router):
		return routed(router.Code), false
	}
	return internal(), true
}

func internal() *Problem {
	return &Problem{Status: http.StatusInternalServerError, Code: "internal", Detail: "Something went wrong here. It was logged."}
}

// routed is what the router itself refuses.
func routed(status int) *Problem {
	switch status {
	case http.StatusNotFound:
		return notFound()
	case http.StatusMethodNotAllowed:
		return &Problem{Status: status, Code: "method_not_allowed", Detail: "This address doesn't take that method."}
	case http.StatusRequestEntityTooLarge:
		return tooLarge()
	}
	if status < 400 || status >= 500 {
		status = http.StatusBadRequest
	}
	return &Problem{Status: status, Code: "malformed", Detail: http.StatusText(status) + "."}
}

// problemCode is where a request keeps the code of the problem that it was answered with, for the meter.
const problemCode = "problem"

// fail answers err. It is echo's HTTPErrorHandler.
func (s *Server) fail(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	if c.Request().Context().Err() != nil && errors.Is(err, context.Canceled) {
		err = &Problem{Status: statusClientClosed, Code: "client_closed", Detail: "The client went away."}
	}
	p, logged := problem(err)
	if logged {
		s.log.Error("request failed", zap.String("method", c.Request().Method), zap.String("route", routeOf(c)), zap.Int("status", p.Status),
			zap.String("code", p.Code), zap.String("request_id", c.Response().Header().Get(echo.HeaderXRequestID)), zap.Error(err))
	}
	c.Set(problemCode, p.Code)
	s.named(c.Request().Context(), p)
	h := c.Response().Header()
	if p.Retry > 0 {
		h.Set("Retry-After", strconv.Itoa(p.Retry))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="turno"`)
	}
	h.Set("Cache-Control", "no-store")
	body, err := json.Marshal(p)
	if err != nil {
		s.log.Error("a problem could not be written", zap.Error(err))
		return
	}
	if c.Request().Method == http.MethodHead {
		body = nil
	}
	if err := c.Blob(p.Status, "application/problem+json", body); err != nil {
		s.log.Debug("the answer did not reach the client", zap.Error(err))
	}
}

// statusClientClosed is what the access metrics count for a client that went away; nobody receives it.
const statusClientClosed = 499

// named completes what a problem says of itself: its type, its title and the owner's name.
func (s *Server) named(ctx context.Context, p *Problem) {
	p.Type = "urn:turno:problem:" + p.Code
	if p.Title == "" {
		p.Title = sentence(p.Code)
	}
	if p.Owner != nil && p.Owner.Name == "" {
		if image, err := s.Settings.Snapshot(ctx); err == nil {
			p.Owner.Name = string(image.Operators[p.Owner.ID].Name)
		}
	}
}

// sentence makes "taken_by_another" into "Taken by another".
func sentence(code string) string {
	words := strings.ReplaceAll(code, "_", " ")
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + words[1:]
}
