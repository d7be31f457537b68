package esdbtest

import (
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
)

// event is one record of the database.
type event struct {
	stream   string
	revision uint64
	position uint64 // where the record begins
	end      uint64 // where it ends
	id       [2]int64
	system   map[string]string
	custom   []byte
	data     []byte
}

// database is the transaction file: every event in order, each where its bytes would be.
type database struct {
	mu      sync.Mutex
	events  []*event
	streams map[string][]*event
	grown   chan struct{} // closed, and made anew, by every append
	copied  int           // events of the copy
}

// every so many appends the server writes something of its own.
const every = 7

// foreign writes what is none of the log's. The database begins with it.
func (d *database) foreign() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.store("$stats-127.0.0.1:2113", [2]int64{}, map[string]string{"type": "$statsCollected", "content-type": "application/json"}, nil, []byte(`{"proc-cpu":1}`))
}

// store writes one event. The caller holds mu.
func (d *database) store(stream string, id [2]int64, system map[string]string, custom, data []byte) *event {
	if d.streams == nil {
		d.streams = map[string][]*event{}
	}
	e := &event{stream: stream, id: id, revision: uint64(len(d.streams[stream])), position: 137, custom: custom, data: data}
	e.system = map[string]string{"created": strconv.FormatInt(time.Now().UnixNano()/100, 10)}
	for k, v := range system {
		e.system[k] = v
	}
	if n := len(d.events); n > 0 {
		e.position = d.events[n-1].end
	}
	e.end = e.position + uint64(len(data)+len(custom)+len(stream)+103)
	d.events = append(d.events, e)
	d.streams[stream] = append(d.streams[stream], e)
	return e
}

// grow wakes those who wait for more. The caller holds mu.
func (d *database) grow() {
	close(d.grown)
	d.grown = make(chan struct{})
}

// snapshot returns all events as they are now and a channel that is closed when there are more.
func (d *database) snapshot() ([]*event, <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.events[:len(d.events):len(d.events)], d.grown
}

// of returns a stream's events. found is false when there is no such stream.
func (d *database) of(stream string) (events []*event, found bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	events = d.streams[stream]
	return events[:len(events):len(events)], len(events) > 0
}

// Copy remembers the database as it is now.
func (s *Server) Copy() {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	s.db.copied = len(s.db.events)
}

// Restore puts the copy back: what was appended since is gone, and other events will take its place.
func (s *Server) Restore() {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	s.db.events = slices.Clip(s.db.events[:s.db.copied])
	s.db.streams = map[string][]*event{}
	for _, e := range s.db.events {
		s.db.streams[e.stream] = append(s.db.streams[e.stream], e)
	}
}

// Wipe empties the database, as if another had been put in its place.
func (s *Server) Wipe() {
	s.db.mu.Lock()
	s.db.events, s.db.streams = nil, nil
	s.db.mu.Unlock()
	s.db.foreign()
}

// Foreign writes n events that are none of the log's.
func (s *Server) Foreign(n int) {
	for range n {
		s.db.foreign()
	}
}

// wire is an event as it is sent.
func (e *event) wire() *streams.ReadResp {
	return &streams.ReadResp{Content: &streams.ReadResp_Event{Event: &streams.ReadResp_ReadEvent{
		Event: &streams.ReadResp_ReadEvent_RecordedEvent{
			Id: &shared.UUID{Value: &shared.UUID_Structured_{Structured: &shared.UUID_Structured{
				MostSignificantBits: e.id[0], LeastSignificantBits: e.id[1],
			}}},
			StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(e.stream)},
			StreamRevision:   e.revision,
			CommitPosition:   e.position,
			PreparePosition:  e.position,
			Metadata:         e.system,
			CustomMetadata:   e.custom,
			Data:             e.data,
		},
		Position: &streams.ReadResp_ReadEvent_CommitPosition{CommitPosition: e.position},
	}}}
}
