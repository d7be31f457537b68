package jetstream

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// delivery is a message as the server would deliver it.
type delivery struct {
	jetstream.Msg
	consumer, stream, pending uint64
}

func (d delivery) Metadata() (*jetstream.MsgMetadata, error) {
	return &jetstream.MsgMetadata{Sequence: jetstream.SequencePair{Consumer: d.consumer, Stream: d.stream}, NumPending: d.pending}, nil
}
func (d delivery) Subject() string      { return "turno.default.thread.x" }
func (d delivery) Headers() nats.Header { return nil }
func (d delivery) Data() []byte         { return nil }

func TestAHoleInTheLogIsAnErrorAndALossOnTheWayAnotherTry(t *testing.T) {
	for _, test := range []struct {
		name    string
		filters []string
		last    delivery
		hole    bool
		broken  bool
	}{
		{name: "in order", last: delivery{consumer: 3, stream: 12}},
		{name: "a sequence is missing", last: delivery{consumer: 3, stream: 13}, hole: true},
		{name: "a delivery is missing", last: delivery{consumer: 4, stream: 13}, broken: true},
		{name: "a sequence is missing among some subjects", filters: []string{"turno.default.operator.>"}, last: delivery{consumer: 3, stream: 40}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []uint64
			f := &feed{from: 10, next: 10, max: 100, filters: test.filters, deliver: func(chunk []*message, _ uint64) bool {
				for _, m := range chunk {
					got = append(got, m.seq)
				}
				return true
			}}
			for i := range uint64(2) {
				if !f.take(delivery{consumer: i + 1, stream: 10 + i, pending: 5}) {
					t.Fatal(f.err)
				}
			}
			ok := f.take(test.last)
			if errors.Is(f.err, errBroken) != test.broken || (f.err != nil && strings.Contains(f.err.Error(), "hole")) != test.hole || ok != (f.err == nil) {
				t.Errorf("took it: %t, %v", ok, f.err)
			}
			if len(got) < 2 || got[0] != 10 || got[1] != 11 || len(got) == 3 != ok {
				t.Errorf("delivered %v", got)
			}
		})
	}
}

func FuzzPlainAck(f *testing.F) {
	for _, s := range []string{
		`{"stream":"TURNO","seq":1}`, `{"stream":"TURNO","seq":}`, `{"stream":"TURNO","seq":99999999999999999999999}`,
		`{"stream":"TURNO","seq":7,"duplicate": true}`, `{"stream":"OTHER","seq":1}`, `{"error":{"code":400}}`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		seq, ok := plainAck(data)
		if !ok {
			return
		}
		var a ack
		if err := json.Unmarshal(data, &a); err != nil || a.Sequence != seq || a.Duplicate || a.Error != nil {
			t.Errorf("%s was read as %d, it says %+v, %v", data, seq, a, err)
		}
	})
}
