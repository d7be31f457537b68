package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	apihttp "github.com/turno-desk/turno/api/http"
)

// statusFlags say where a process tells how it is.
type statusFlags struct {
	Status string `placeholder:"ADDR" help:"Where /healthz, /readyz and /metrics are answered apart from the API, for monitoring alone; by default nowhere."`
}

// status answers how the process is, on a port of its own.
type status struct {
	server *http.Server // nil when nobody asked for it
	ended  chan error
	probe  atomic.Pointer[apihttp.Probe] // nil until the log is open
}

// listen answers on the address that was asked for until close: at once, also while the process still waits for the log.
func (f statusFlags) listen(p *program) (*status, error) {
	s := &status{ended: make(chan error, 1)}
	if f.Status == "" {
		return s, nil
	}
	listener, err := net.Listen("tcp", f.Status)
	if err != nil {
		return nil, fmt.Errorf("listen for the status on %s: %w", f.Status, err)
	}
	routes := http.NewServeMux()
	routes.Handle("GET /healthz", apihttp.Alive(version()))
	routes.HandleFunc("GET /readyz", s.ready)
	routes.Handle("GET /metrics", p.meters.Handler())
	s.server = &http.Server{Handler: routes, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: zap.NewStdLog(p.log.WithOptions(zap.IncreaseLevel(zap.ErrorLevel)))}
	go func() { s.ended <- s.server.Serve(listener) }()
	p.log.Info("telling the status", zap.String("url", "http://"+listener.Addr().String()))
	return s, nil
}

// watch lets /readyz answer by the probe from now on.
func (s *status) watch(probe apihttp.Probe) { s.probe.Store(&probe) }

// measure has /readyz and the meters ask log and views, in a process that has no API.
func (s *status) measure(p *program, r *reading, views views, names ...string) {
	probe := apihttp.Probe{Log: r.store, Status: statusOf(views), Views: names}
	p.meters.Standing(probe.Read)
	s.watch(probe)
}

func (s *status) ready(w http.ResponseWriter, r *http.Request) {
	if probe := s.probe.Load(); probe != nil {
		probe.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Retry-After", "1")
	w.WriteHeader(http.StatusServiceUnavailable)
	_ = json.NewEncoder(w).Encode(apihttp.Readiness{Views: []apihttp.ViewReading{}}) // the client may have gone
}

func (s *status) close() error {
	if s.server == nil {
		return nil
	}
	err := s.server.Close()
	if ended := <-s.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}
