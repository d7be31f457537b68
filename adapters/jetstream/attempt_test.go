package jetstream_test

import (
	"errors"
	"testing"
	"time"

	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/adapters/storetest"
	"github.com/turno-desk/turno/api/command"
)

// Two engines may decide the same command at the same moment, each with a ticket and a time of its own. The second finds the
// id of its command in the log, on a cluster because the server takes it for a repetition, and after a lost request because
// it looks for it: but what it says itself is not there.
func TestAnotherAttemptAtTheSameCommandIsAConflict(t *testing.T) {
	first, second := storetest.Note(1, "ticket 1"), storetest.Note(1, "ticket 1001")
	second.ID = first.ID
	attempt := func(t *testing.T, near, far storetest.Store, meanwhile func()) {
		meanwhile()
		if _, _, err := near.Append(t.Context(), first, 0); err != nil {
			t.Fatal(err)
		}
		if p, _, err := far.Append(t.Context(), second, 0); !errors.Is(err, command.ErrConflict) {
			t.Errorf("the second attempt was appended at %d, %v: want a conflict", p, err)
		}
	}
	t.Run("embedded", func(t *testing.T) {
		b := newEmbedded(t, jetstream.SyncAlways)
		attempt(t, b.Store(t), b.Store(t), func() {})
	})
	t.Run("after a lost request", func(t *testing.T) {
		b := newEmbedded(t, jetstream.Sync1s)
		near := b.Store(t)
		far, line := b.Far(t)
		attempt(t, near, far, func() { line.LoseEverything(400 * time.Millisecond) })
	})
	t.Run("replicated", func(t *testing.T) {
		b := newCluster(t, 0).log(t)
		attempt(t, b.Store(t), b.Store(t), func() {})
	})
}
