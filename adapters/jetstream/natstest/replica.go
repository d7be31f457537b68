package natstest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// AwaitReplicas waits until every node has all of a stream, and returns the sequence of its newest message. Nobody may write
// meanwhile.
func (c *Cluster) AwaitReplicas(stream string) (last uint64) {
	c.t.Helper()
	conn, err := nats.Connect(c.Leader(stream).URL(), nats.Timeout(time.Second))
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		c.t.Fatal(err)
	}
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		s, err := js.Stream(c.t.Context(), stream)
		if err != nil {
			c.t.Log(err)
			continue
		}
		info := s.CachedInfo()
		current := len(info.Cluster.Replicas) == len(c.Nodes)-1
		for _, r := range info.Cluster.Replicas {
			current = current && r.Current && r.Lag == 0
		}
		if current {
			return info.State.LastSeq
		}
	}
	c.t.Fatalf("the replicas of %s do not become equal", stream)
	return 0
}

// ReadReplica reads a stream with direct reads from the server at url, which any replica answers: cut off from the others
// it is the only one. Each line holds all that a message is. The stream must end at last.
func ReadReplica(t testing.TB, url, stream string, last uint64) []string {
	t.Helper()
	conn, err := nats.Connect(url, nats.Timeout(2*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var all []string
	for seq := uint64(1); seq <= last+1; seq++ {
		body, err := json.Marshal(map[string]uint64{"seq": seq})
		if err != nil {
			t.Fatal(err)
		}
		var m *nats.Msg
		for until := time.Now().Add(time.Minute); ; { // until it knows that the others are gone, one of them may be asked
			if m, err = conn.Request("$JS.API.DIRECT.GET."+stream, body, time.Second); err == nil {
				break
			}
			if time.Now().After(until) {
				t.Fatalf("%s, message %d: %v", url, seq, err)
			}
		}
		status := m.Header.Get("Status")
		switch {
		case status == "404" && seq == last+1:
			return all
		case status != "" || m.Header.Get(jetstream.SequenceHeader) != strconv.FormatUint(seq, 10):
			t.Fatalf("%s, message %d of %d: %v", url, seq, last, m.Header)
		}
		all = append(all, fmt.Sprintf("%v %q", m.Header, m.Data))
	}
	t.Fatalf("%s has more than %d messages", url, last)
	return nil
}
