package main

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/projections"
)

// passing reports whether an error may be gone when the same is tried again: the log or the views can't be reached, the log
// is full, or one of them did not answer in time.
func passing(err error) bool {
	for _, e := range []error{
		command.ErrUnavailable, command.ErrUncertain, command.ErrFull, projections.ErrUnavailable, context.DeadlineExceeded,
		nats.ErrNoResponders, nats.ErrTimeout, natsjs.ErrNoStreamResponse,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	var refused *natsjs.APIError
	return errors.As(err, &refused) && (refused.Code == 503 || refused.ErrorCode == noSuitablePeers)
}

// noSuitablePeers is what a cluster answers that has fewer servers up than a stream shall have replicas.
const noSuitablePeers natsjs.ErrorCode = 10005
