package http

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

// Limits of /readyz when Options name none.
const (
	readyLag   = 10 * time.Second
	readyWait  = 2 * time.Second  // for the log to answer
	staleAfter = 10 * time.Second // since a view's last heartbeat
)

// ViewStatus reads how a view stands, whichever process builds it; found is false when none ever did.
type ViewStatus func(ctx context.Context, view string) (s projections.Status, found bool, err error)

// Readiness is the answer of /readyz.
type Readiness struct {
	Ready bool          `json:"ready"`
	Log   LogReadiness  `json:"log"`
	Views []ViewReading `json:"views"`
}

// LogReadiness says whether the log answers.
type LogReadiness struct {
	Ready    bool            `json:"ready"`
	Head     domain.Position `json:"head"`
	Settings domain.Position `json:"settings"` // position of the settings that this process decides with
}

// ViewReading is how far a view has come, measured against the log's own head.
type ViewReading struct {
	projections.Status
	Ready bool `json:"ready"`
}

// alive answers that the process serves.
func (s *Server) alive(c echo.Context) error {
	return c.JSON(http.StatusOK, map[string]string{"status": "ok", "version": s.version})
}

// ready answers whether the log and the views are within their limits: 200, or 503 with what is not.
func (s *Server) ready(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), readyWait)
	defer cancel()
	r := s.readiness(ctx)
	status := http.StatusOK
	if !r.Ready {
		status = http.StatusServiceUnavailable
		c.Response().Header().Set("Retry-After", "1")
	}
	return c.JSON(status, r)
}

func (s *Server) readiness(ctx context.Context) Readiness {
	r := Readiness{Ready: true, Views: []ViewReading{}}
	head, err := s.Log.Head(ctx)
	image, imageErr := s.Settings.Snapshot(ctx)
	r.Log = LogReadiness{Ready: err == nil && imageErr == nil, Head: head}
	if imageErr == nil {
		r.Log.Settings = image.Position
	}
	r.Ready = r.Log.Ready
	for _, view := range s.views {
		v := s.reading(ctx, view)
		r.Ready = r.Ready && v.Ready
		r.Views = append(r.Views, v)
	}
	return r
}

// reading is how one view stands. A view whose builder is not heard of any more is not ready, however far it had come.
func (s *Server) reading(ctx context.Context, view string) ViewReading {
	status, found, err := s.Status(ctx, view)
	status.Projection = view
	if err != nil || !found {
		return ViewReading{Status: status}
	}
	silent := s.now().Sub(status.Heartbeat.Time)
	return ViewReading{Status: status, Ready: silent < staleAfter && status.LagSeconds < s.lag.Seconds()}
}
