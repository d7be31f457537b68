package esdbtest

import (
	"regexp"
	"slices"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Read reads a stream or $all, forwards or backwards, or subscribes.
func (s *Server) Read(req *streams.ReadReq, out streams.Streams_ReadServer) error {
	o := req.GetOptions()
	_, subscribes := o.GetCountOption().(*streams.ReadReq_Options_Subscription)
	switch {
	case o.GetAll() != nil && subscribes:
		return s.subscribe(o, out)
	case subscribes:
		return s.subscribeStream(o, out)
	case o.GetAll() != nil:
		return s.readAll(o, out)
	case o.GetStream() != nil:
		return s.readStream(o, out)
	}
	return status.Error(codes.InvalidArgument, "neither a stream nor $all")
}

func (s *Server) readStream(o *streams.ReadReq_Options, out streams.Streams_ReadServer) error {
	events, found := s.db.of(string(o.GetStream().GetStreamIdentifier().GetStreamName()))
	if !found {
		return out.Send(&streams.ReadResp{Content: &streams.ReadResp_StreamNotFound_{
			StreamNotFound: &streams.ReadResp_StreamNotFound{StreamIdentifier: o.GetStream().GetStreamIdentifier()},
		}})
	}
	backwards := o.GetReadDirection() == streams.ReadReq_Options_Backwards
	from, known := uint64(0), false
	switch r := o.GetStream().GetRevisionOption().(type) {
	case *streams.ReadReq_Options_StreamOptions_Revision:
		from, known = r.Revision, true
	case *streams.ReadReq_Options_StreamOptions_End:
		if !backwards {
			return nil
		}
	}
	if backwards {
		if known {
			events = events[:min(uint64(len(events)), from+1)]
		}
		return send(out, reversed(events), o.GetCount())
	}
	return send(out, events[min(uint64(len(events)), from):], o.GetCount())
}

func (s *Server) readAll(o *streams.ReadReq_Options, out streams.Streams_ReadServer) error {
	events, _ := s.db.snapshot()
	allowed, err := filter(o)
	if err != nil {
		return err
	}
	backwards := o.GetReadDirection() == streams.ReadReq_Options_Backwards
	switch p := o.GetAll().GetAllOption().(type) {
	case *streams.ReadReq_Options_AllOptions_Position:
		if err := valid(events, p.Position); err != nil {
			return err
		}
		i := index(events, p.Position)
		if backwards {
			events = events[:i]
		} else {
			events = events[i:]
		}
	case *streams.ReadReq_Options_AllOptions_End:
		if !backwards {
			return nil
		}
	case *streams.ReadReq_Options_AllOptions_Start:
		if backwards {
			return nil
		}
	}
	if backwards {
		events = reversed(events)
	}
	return send(out, slices.DeleteFunc(slices.Clone(events), func(e *event) bool { return !allowed(e) }), o.GetCount())
}

// index is that of the first event whose position is not before p.
func index(events []*event, p *streams.ReadReq_Options_Position) int {
	i, _ := slices.BinarySearchFunc(events, p, func(e *event, p *streams.ReadReq_Options_Position) int {
		if e.position < p.CommitPosition || e.position == p.CommitPosition && e.position < p.PreparePosition {
			return -1
		}
		return 1
	})
	return i
}

// valid refuses a position where no record begins: the server would read a length there that is none.
func valid(events []*event, p *streams.ReadReq_Options_Position) error {
	if p.CommitPosition < p.PreparePosition {
		return status.Error(codes.InvalidArgument, "The commit position cannot be less than the prepare position")
	}
	if len(events) == 0 || p.CommitPosition >= events[len(events)-1].end {
		return nil
	}
	for i, j := 0, len(events); i < j; {
		mid := (i + j) / 2
		switch at := events[mid].position; {
		case at == p.CommitPosition:
			return nil
		case at < p.CommitPosition:
			i = mid + 1
		default:
			j = mid
		}
	}
	return status.Error(codes.InvalidArgument, "Trying to read from an invalid position.")
}

func reversed(events []*event) []*event {
	events = slices.Clone(events)
	slices.Reverse(events)
	return events
}

func send(out streams.Streams_ReadServer, events []*event, count uint64) error {
	for _, e := range events[:min(uint64(len(events)), count)] {
		if err := out.Send(e.wire()); err != nil {
			return err
		}
	}
	return nil
}

// filter is what the request's filter lets through.
func filter(o *streams.ReadReq_Options) (func(*event) bool, error) {
	f := o.GetFilter()
	if f == nil {
		return func(*event) bool { return true }, nil
	}
	expression, of := f.GetStreamIdentifier(), func(e *event) string { return e.stream }
	if expression == nil {
		expression, of = f.GetEventType(), func(e *event) string { return e.system["type"] }
	}
	if pattern := expression.GetRegex(); pattern != "" {
		compiled, err := regexp.Compile(pattern)
		if err != nil {
			return nil, status.Error(codes.InvalidArgument, err.Error())
		}
		return func(e *event) bool { return compiled.MatchString(of(e)) }, nil
	}
	return func(e *event) bool {
		return slices.ContainsFunc(expression.GetPrefix(), func(p string) bool { return strings.HasPrefix(of(e), p) })
	}, nil
}
