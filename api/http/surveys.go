package http

import (
	"context"
	"net/http"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

// Survey is what the holder of a token is asked, and what they have answered.
type Survey struct {
	Scale      string           `json:"scale"` // 1-5, yes_no
	State      string           `json:"state"` // open, answered (and still open for another answer), expired
	Department string           `json:"department"`
	ExpiresAt  projections.Time `json:"expires_at"`
	Score      int              `json:"score,omitempty"`
	Satisfied  *bool            `json:"satisfied,omitempty"`
}

// surveyPath is where the holder of a token asks and answers.
const surveyPath = "/v1/surveys/:token"

// survey tells what a token asks.
func (s *Server) survey(c *call) error {
	if err := c.single(); err != nil {
		return err
	}
	q, err := s.Surveys.Question(c.ctx(), s.workspace, c.Param("token"))
	if err != nil {
		return err
	}
	return c.asked(q)
}

// answerSurvey rates a conversation by token. Whoever has it is the contact.
func (s *Server) answerSurvey(c *call) error {
	var b rateBody
	if err := c.bind(&b); err != nil {
		return err
	}
	cmd, err := b.command()
	if err != nil {
		return err
	}
	if err := s.rateBy(c.ctx(), c.Param("token"), c.Request().Header.Get("traceparent"), cmd.(thread.Rate)); err != nil {
		return err
	}
	return s.survey(c)
}

func (s *Server) rateBy(ctx context.Context, token, trace string, rate thread.Rate) error {
	_, err := s.doing(ctx, "rate", func(ctx context.Context) (command.Result, error) {
		return s.Surveys.Answer(ctx, command.Request{Workspace: s.workspace, Trace: traceparent(trace)}, token, rate)
	})
	return err
}

// asked answers with a survey: never kept by anybody on the way.
func (c *call) asked(q command.Question) error {
	v := Survey{Scale: string(q.Scale), State: "open", Department: q.Department, ExpiresAt: projections.Time{Time: q.Expires}}
	if q.Rating != nil {
		v.State, v.Score, v.Satisfied = "answered", q.Rating.Score, q.Rating.Satisfied
	}
	if q.Expired {
		v.State = "expired"
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.JSON(http.StatusOK, v)
}
