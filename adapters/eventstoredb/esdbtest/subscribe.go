package esdbtest

import (
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// subscribe sends what lies behind a position, then whatever comes. Where the filter passes nothing for a while it sends
// checkpoints.
func (s *Server) subscribe(o *streams.ReadReq_Options, out streams.Streams_ReadServer) error {
	drop := *s.drop.Load()
	allowed, err := filter(o)
	if err != nil {
		return err
	}
	events, grown := s.db.snapshot()
	next := 0
	switch p := o.GetAll().GetAllOption().(type) {
	case *streams.ReadReq_Options_AllOptions_Position:
		if err := valid(events, p.Position); err != nil {
			return err
		}
		for next < len(events) && events[next].position <= p.Position.CommitPosition {
			next++
		}
	case *streams.ReadReq_Options_AllOptions_End:
		next = len(events)
	}
	if err := out.Send(confirmation()); err != nil {
		return err
	}
	checkpoint := max(1, int(o.GetFilter().GetMax())*int(o.GetFilter().GetCheckpointIntervalMultiplier()))
	for passed := 0; ; {
		for ; next < len(events); next++ {
			select {
			case <-drop:
				return dropped()
			default:
			}
			e := events[next]
			if allowed(e) {
				if err := out.Send(e.wire()); err != nil {
					return err
				}
			}
			if passed++; o.GetFilter() != nil && passed%checkpoint == 0 {
				if err := out.Send(&streams.ReadResp{Content: &streams.ReadResp_Checkpoint_{
					Checkpoint: &streams.ReadResp_Checkpoint{CommitPosition: e.end, PreparePosition: e.end},
				}}); err != nil {
					return err
				}
			}
		}
		if err := out.Send(&streams.ReadResp{Content: &streams.ReadResp_CaughtUp_{CaughtUp: &streams.ReadResp_CaughtUp{}}}); err != nil {
			return err
		}
		select {
		case <-out.Context().Done():
			return status.FromContextError(out.Context().Err()).Err()
		case <-drop:
			return dropped()
		case <-grown:
		}
		if events, grown = s.db.snapshot(); next > len(events) {
			return status.Error(codes.Unknown, "the database is shorter than it was")
		}
	}
}

func dropped() error { return status.Error(codes.Aborted, "the subscription was dropped") }

// subscribeStream sends what comes to one stream from now on.
func (s *Server) subscribeStream(o *streams.ReadReq_Options, out streams.Streams_ReadServer) error {
	if o.GetStream().GetEnd() == nil {
		return status.Error(codes.Unimplemented, "a stream can be subscribed to from its end on")
	}
	drop := *s.drop.Load()
	name := string(o.GetStream().GetStreamIdentifier().GetStreamName())
	_, grown := s.db.snapshot()
	events, _ := s.db.of(name)
	next := len(events)
	if err := out.Send(confirmation()); err != nil {
		return err
	}
	for {
		select {
		case <-out.Context().Done():
			return status.FromContextError(out.Context().Err()).Err()
		case <-drop:
			return dropped()
		case <-grown:
		}
		_, grown = s.db.snapshot()
		for events, _ = s.db.of(name); next < len(events); next++ {
			if err := out.Send(events[next].wire()); err != nil {
				return err
			}
		}
	}
}

func confirmation() *streams.ReadResp {
	return &streams.ReadResp{Content: &streams.ReadResp_Confirmation{
		Confirmation: &streams.ReadResp_SubscriptionConfirmation{SubscriptionId: "s"},
	}}
}
