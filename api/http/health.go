package http

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

// Limits of a Probe that names none.
const (
	readyLag   = 10 * time.Second
	readyWait  = 2 * time.Second  // for the log to answer
	staleAfter = 10 * time.Second // since a view's last heartbeat
)

// ViewStatus reads how a view stands, whichever process builds it; found is false when none ever did.
type ViewStatus func(ctx context.Context, view string) (s projections.Status, found bool, err error)

// Probe asks whether log and views are within their limits. It answers /readyz: 200, or 503 with what is not.
type Probe struct {
	Log interface {
		Head(ctx context.Context) (domain.Position, error)
	}
	Settings Image      // nil: this process decides nothing
	Status   ViewStatus // nil: no views are asked for
	Views    []string
	Lag      time.Duration    // how far a view may be behind; 10 s when 0
	Now      func() time.Time // time.Now when nil
}

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

// Alive answers /healthz: the process serves.
func Alive(version string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok", "version": version})
	})
}

// ServeHTTP answers /readyz.
func (p Probe) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	ctx, cancel := context.WithTimeout(req.Context(), readyWait)
	defer cancel()
	r := p.Read(ctx)
	status := http.StatusOK
	if !r.Ready {
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "1")
	}
	writeJSON(w, status, r)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may have gone
}

// Read asks the log and the views.
func (p Probe) Read(ctx context.Context) Readiness {
	r := Readiness{Ready: true, Views: []ViewReading{}}
	head, err := p.Log.Head(ctx)
	r.Log = LogReadiness{Ready: err == nil, Head: head}
	if p.Settings != nil {
		image, err := p.Settings.Snapshot(ctx)
		if r.Log.Ready = r.Log.Ready && err == nil; err == nil {
			r.Log.Settings = image.Position
		}
	}
	r.Ready = r.Log.Ready
	for _, view := range p.Views {
		v := p.reading(ctx, view)
		r.Ready = r.Ready && v.Ready
		r.Views = append(r.Views, v)
	}
	return r
}

// reading is how one view stands. A view whose builder is not heard of any more is not ready, however far it had come.
func (p Probe) reading(ctx context.Context, view string) ViewReading {
	status, found, err := p.Status(ctx, view)
	status.Projection = view
	if err != nil || !found {
		return ViewReading{Status: status}
	}
	now, lag := time.Now, p.Lag
	if p.Now != nil {
		now = p.Now
	}
	if lag == 0 {
		lag = readyLag
	}
	silent := now().Sub(status.Heartbeat.Time)
	return ViewReading{Status: status, Ready: silent < staleAfter && status.LagSeconds < lag.Seconds()}
}
