package main

import (
	"context"
	"errors"

	"github.com/turno-desk/turno/api/command"
)

// passing reports whether an error may be gone when the same is tried again: the log can't be reached, is full, or did not
// answer in time.
func passing(err error) bool {
	return errors.Is(err, command.ErrUnavailable) || errors.Is(err, command.ErrUncertain) || errors.Is(err, command.ErrFull) ||
		errors.Is(err, context.DeadlineExceeded)
}
