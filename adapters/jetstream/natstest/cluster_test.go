package natstest_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/turno-desk/turno/adapters/jetstream/natstest"
)

func TestAClusterOutlivesTheKillOfALeaderWhichComesBack(t *testing.T) {
	c := natstest.StartCluster(t, natstest.Config{})
	conn, err := nats.Connect(c.URLs(), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}, Replicas: 3}); err != nil {
		t.Fatal(err)
	}
	first := c.Leader("S")
	first.Kill()
	if second := c.Leader("S"); second == first {
		t.Errorf("%s leads, and is dead", second.Name)
	}
	for i := range 20 {
		if _, err := js.Publish(t.Context(), "s", []byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
	}
	first.Start()
	c.AwaitTogether()
	c.Lead("S", first)
	if _, err := js.Publish(t.Context(), "s", []byte("last")); err != nil {
		t.Fatal(err)
	}
	if last := c.AwaitReplicas("S"); last != 21 {
		t.Errorf("the stream ends at %d, want 21", last)
	}
}
