package projections

import "errors"

// Errors of a Source.
var (
	ErrAhead    = errors.New("the position is beyond the head of the log")
	ErrNoCommit = errors.New("there is no commit at this position")
)
