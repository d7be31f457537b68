package history_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/history"
	"github.com/turno-desk/turno/projections/viewtest"
)

var _ command.MessageIndex = (*history.MessageIndex)(nil)

func TestAMessageIsFoundByItsHashInAnyConversationOfItsThread(t *testing.T) {
	ctx := context.Background()
	log := viewtest.NewLog("index")
	d := viewtest.NewDesk(log, 1)
	for i := range 3 {
		r := d.Receive(threadID(1), "web", "hola")
		r.IDHash = fmt.Sprintf("hash%d", i)
		do(t, d, time.Second, "contact", threadID(1), r)
		do(t, d, time.Second, "ana", threadID(1), thread.Take{})
		do(t, d, time.Second, "ana", threadID(1), thread.Close{})
	}
	other := d.Receive(threadID(2), "web", "hola")
	other.IDHash = "other"
	do(t, d, time.Second, "contact", threadID(2), other)
	v := newView(t, log).build(2)

	var waited domain.Position
	index := history.NewMessageIndex(v.Queries, func(_ context.Context, p domain.Position) error { waited = p; return nil })
	at, found, err := index.FindMessage(ctx, workspace, threadID(1), "hash1", 6)
	want := thread.Sighting{Position: 4, Conversation: threadID(1) + "-2", Ticket: 1002, Message: threadID(1) + "-2-m1"}
	if err != nil || !found || at != want {
		t.Errorf("found %v: %+v, want %+v (%v)", found, at, want, err)
	}
	if waited != 6 {
		t.Errorf("waited for %d, want 6", waited)
	}
	if _, found, err := index.FindMessage(ctx, workspace, threadID(1), "hash9", 99); err == nil {
		t.Errorf("a view that began anew after it was waited for says found %v of what it does not know yet", found)
	}
	for name, ask := range map[string][3]string{
		"another thread's": {workspace, threadID(1), "other"}, "unknown": {workspace, threadID(1), "hash9"},
		"another workspace's": {"other", threadID(1), "hash1"}, "unknown thread": {workspace, threadID(9), "hash1"},
	} {
		if _, found, err := index.FindMessage(ctx, ask[0], ask[1], ask[2], 0); err != nil || found {
			t.Errorf("%s: found %v, %v", name, found, err)
		}
	}
}

func TestAMessageIsLookedForOnlyWhenTheViewHasComeFarEnough(t *testing.T) {
	log := viewtest.NewLog("wait")
	d := viewtest.NewDesk(log, 1)
	c := do(t, d, time.Second, "contact", threadID(1), d.Receive(threadID(1), "web", "hola"))
	hash := c.Events[2].(thread.MessageReceived).IDHash
	v := newView(t, log).build(10)
	tracker, err := projections.NewTracker(log, v.store.Reader)
	if err != nil {
		t.Fatal(err)
	}
	defer tracker.Close()
	index := history.NewMessageIndex(v.Queries, func(ctx context.Context, p domain.Position) error {
		if err := tracker.Wait(ctx, history.Name, p); err != nil {
			return fmt.Errorf("%w: %w", command.ErrUnavailable, err)
		}
		return nil
	})
	short, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if _, _, err := index.FindMessage(short, workspace, threadID(1), hash, 2); !errors.Is(err, command.ErrUnavailable) {
		t.Errorf("before the view has passed position 2: %v, want ErrUnavailable", err)
	}
	do(t, d, time.Second, "ana", threadID(1), thread.Take{})
	v.build(10)
	if at, found, err := index.FindMessage(context.Background(), workspace, threadID(1), hash, 2); err != nil || !found || at.Position != 1 {
		t.Errorf("after it: %+v, %v, %v", at, found, err)
	}
}
