package eventstoredb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/projections"
)

// is reports whether err is one of the library's with that code.
func is(err error, code esdb.ErrorCode) bool {
	var e *esdb.Error
	return errors.As(err, &e) && e.Code() == code
}

// transport is the gRPC code of err, whatever the library has wrapped around it.
func transport(err error) codes.Code {
	for ; err != nil; err = errors.Unwrap(err) {
		if s, ok := err.(interface{ GRPCStatus() *status.Status }); ok { //nolint:errorlint // each layer is looked at
			return s.GRPCStatus().Code()
		}
	}
	return codes.Unknown
}

// lost reports whether err means that the connection is no good any more.
func lost(err error) bool {
	return is(err, esdb.ErrorUnavailable) || is(err, esdb.ErrorCodeConnectionClosed) || errors.Is(err, io.EOF) ||
		transport(err) == codes.Unavailable || transport(err) == codes.Canceled
}

// unreachable reports whether err means that the server can't be reached or can't answer just now.
func unreachable(err error) bool {
	return errors.Is(err, errNoSession) || errors.Is(err, context.DeadlineExceeded) || lost(err) ||
		is(err, esdb.ErrorCodeDeadlineExceeded) || is(err, esdb.ErrorAborted) || is(err, esdb.ErrorCodeNotLeader) ||
		transport(err) == codes.DeadlineExceeded || transport(err) == codes.Aborted
}

// oversized reports whether the server takes no append of this size.
func oversized(err error) bool {
	return transport(err) == codes.InvalidArgument && strings.Contains(err.Error(), "Maximum Append Size")
}

// wrap makes err one of the errors of the ports: the caller's context ended, the log can't be reached, or as it is.
func wrap(ctx context.Context, doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	case errors.Is(err, command.ErrUnavailable), errors.Is(err, projections.ErrNoCommit), errors.Is(err, projections.ErrAhead):
		return fmt.Errorf("%s: %w", doing, err)
	case unreachable(err):
		return fmt.Errorf("%s: %w: %w", doing, command.ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
