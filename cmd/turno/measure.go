package main

import (
	"context"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/adapters/telemetry"
	"github.com/turno-desk/turno/adapters/vault"
)

// measureLog has the meters of the process show its connection, and the disk where that is this machine's.
func measureLog(m *telemetry.Meters, r *reading) {
	m.Connection(func() (bool, uint64) { return r.conn.Status() == nats.CONNECTED, r.conn.Stats().Reconnects })
	if s, is := r.store.(*jetstream.Store); is && r.local {
		m.Disk(s.Space)
	}
}

// measureStreams has them show how large log and vault are.
func measureStreams(m *telemetry.Meters, r *reading) {
	m.Streams(func(ctx context.Context) []telemetry.Stream {
		js, err := natsjs.New(r.conn)
		if err != nil {
			return nil
		}
		var all []telemetry.Stream
		for _, name := range []string{jetstream.StreamName, vault.Stream} {
			if s, err := js.Stream(ctx, name); err == nil {
				state := s.CachedInfo().State
				all = append(all, telemetry.Stream{Name: name, Bytes: state.Bytes, Messages: state.Msgs, Subjects: state.NumSubjects})
			}
		}
		return all
	})
}
