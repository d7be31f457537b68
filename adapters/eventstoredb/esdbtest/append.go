package esdbtest

import (
	"errors"
	"io"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// maxAppend is how many bytes of data one append may hold.
const maxAppend = 1 << 20

// Append stores the events of one call, or none.
func (s *Server) Append(stream streams.Streams_AppendServer) error {
	var options *streams.AppendReq_Options
	var proposed []*streams.AppendReq_ProposedMessage
	size := 0
	for {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		switch content := req.Content.(type) {
		case *streams.AppendReq_Options_:
			options = content.Options
		case *streams.AppendReq_ProposedMessage_:
			size += len(content.ProposedMessage.Data)
			if size > maxAppend {
				stream.SetTrailer(metadata.Pairs("exception", "maximum-append-size-exceeded"))
				return status.Errorf(codes.InvalidArgument, "Maximum Append Size of %d Exceeded.", maxAppend)
			}
			if content.ProposedMessage.Metadata["type"] == "" || content.ProposedMessage.Metadata["content-type"] == "" {
				return status.Error(codes.InvalidArgument, "Required Metadata Property is missing")
			}
			proposed = append(proposed, content.ProposedMessage)
		}
	}
	if options == nil || len(proposed) == 0 {
		return status.Error(codes.InvalidArgument, "an append needs options and an event")
	}
	return stream.SendAndClose(s.append(options, proposed))
}

// any is the expectation that there is none; noStream that the stream is new.
const (
	anyRevision = -2
	noStream    = -1
)

// append decides as the server's index writer does: equal ids at the expected place are the same append, and so is an id
// that the stream is known to hold when nothing is expected.
func (s *Server) append(o *streams.AppendReq_Options, proposed []*streams.AppendReq_ProposedMessage) *streams.AppendResp {
	expected := int64(anyRevision)
	switch e := o.ExpectedStreamRevision.(type) {
	case *streams.AppendReq_Options_Revision:
		expected = int64(e.Revision)
	case *streams.AppendReq_Options_NoStream:
		expected = noStream
	}
	name := string(o.StreamIdentifier.StreamName)
	d := &s.db
	d.mu.Lock()
	defer d.mu.Unlock()
	existing := d.streams[name]
	last := int64(len(existing)) - 1
	switch {
	case expected == anyRevision:
		for _, e := range existing {
			if e.id == idOf(proposed[0]) {
				return s.success(e, true)
			}
		}
	case expected < last:
		var same *event
		for i, p := range proposed {
			at := int(expected) + 1 + i
			if at >= len(existing) || existing[at].id != idOf(p) {
				return wrong(o, last)
			}
			same = existing[at]
		}
		return s.success(same, true)
	case expected > last:
		return wrong(o, last)
	}
	var stored *event
	for _, p := range proposed {
		stored = d.store(name, idOf(p), p.Metadata, p.CustomMetadata, p.Data)
	}
	if len(d.events)%every == 0 {
		d.store("$scavenges", [2]int64{}, map[string]string{"type": "$scavengeIndexInitialized", "content-type": "application/json"}, nil, []byte("{}"))
	}
	d.grow()
	return s.success(stored, false)
}

func idOf(p *streams.AppendReq_ProposedMessage) [2]int64 {
	structured := p.Id.GetStructured()
	return [2]int64{structured.GetMostSignificantBits(), structured.GetLeastSignificantBits()}
}

func (s *Server) success(e *event, again bool) *streams.AppendResp {
	ok := &streams.AppendResp_Success{CurrentRevisionOption: &streams.AppendResp_Success_CurrentRevision{CurrentRevision: e.revision}}
	if again && s.mute.Load() {
		ok.PositionOption = &streams.AppendResp_Success_NoPosition{NoPosition: &shared.Empty{}}
	} else {
		ok.PositionOption = &streams.AppendResp_Success_Position{
			Position: &streams.AppendResp_Position{CommitPosition: e.position, PreparePosition: e.position},
		}
	}
	return &streams.AppendResp{Result: &streams.AppendResp_Success_{Success: ok}}
}

func wrong(o *streams.AppendReq_Options, last int64) *streams.AppendResp {
	w := &streams.AppendResp_WrongExpectedVersion{}
	if last < 0 {
		w.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentNoStream{CurrentNoStream: &shared.Empty{}}
	} else {
		w.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentRevision{CurrentRevision: uint64(last)}
	}
	switch e := o.ExpectedStreamRevision.(type) {
	case *streams.AppendReq_Options_Revision:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedRevision{ExpectedRevision: e.Revision}
	default:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedNoStream{ExpectedNoStream: &shared.Empty{}}
	}
	return &streams.AppendResp{Result: &streams.AppendResp_WrongExpectedVersion_{WrongExpectedVersion: w}}
}
