package projections

import "errors"

// Errors of a Source.
var (
	ErrAhead    = errors.New("the position is beyond the head of the log")
	ErrNoCommit = errors.New("there is no commit at this position")
)

// ErrInterrupted is what a projection wraps around a failure of Apply or Flush that is not the commit's fault: something
// that it asks could not be reached. The batch is tried again, and nothing is parked.
var ErrInterrupted = errors.New("interrupted")

// ErrUnavailable says that a view can't be read or written just now: its store does not answer, or nobody has built the view
// yet. To ask again may help.
var ErrUnavailable = errors.New("the view is not available")
