package http

import (
	"time"
)

// Meter is told what the server does. Labels are routes, methods, statuses and codes: never an id, an address or a name.
type Meter interface {
	Answered(Answered)
	// Commanded is told a command's outcome: Appended, "unchanged", "replayed" or the code of the refusal. took is the time
	// from the decoded command to its outcome.
	Commanded(command, outcome string, took time.Duration)
	Streaming(more int) // 1 when a push stream opens, -1 when it ends
}

// Appended is the outcome of a command that appended a commit.
const Appended = "ok"

// Answered is a request that was answered.
type Answered struct {
	Method  string
	Route   string // its pattern, "none" for what is not served
	Status  int
	Problem string // code of the problem that was the answer, or empty
	Feed    bool   // it lasts as long as its client listens
	Took    time.Duration
}

// unmetered is the Meter of who wants none.
type unmetered struct{}

func (unmetered) Answered(Answered)                       {}
func (unmetered) Commanded(string, string, time.Duration) {}
func (unmetered) Streaming(int)                           {}

// handled tells the meter of a command's outcome.
func (s *Server) handled(name string, events int, replayed bool, err error, took time.Duration) {
	outcome := Appended
	switch {
	case err != nil:
		p, _ := problem(err)
		outcome = p.Code
	case replayed:
		outcome = "replayed"
	case events == 0:
		outcome = "unchanged"
	}
	s.meter.Commanded(name, outcome, took)
}
