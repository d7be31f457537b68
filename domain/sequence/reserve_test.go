package sequence_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/domain/sequence"
)

func TestBlocksFollowEachOther(t *testing.T) {
	var last int64
	for _, want := range []sequence.Reserved{{From: 1, To: 1000}, {From: 1001, To: 2000}} {
		got := sequence.Reserve(last, sequence.Block)
		if got != want {
			t.Errorf("after %d comes %+v", last, got)
		}
		last = sequence.Evolve(last, got)
	}
	if skipped := sequence.Skip(last, 9999); !cmp.Equal(skipped, []sequence.Event{sequence.Reserved{From: 2001, To: 9999}}) {
		t.Errorf("skipped %v", skipped)
	}
	if skipped := sequence.Skip(9999, 9999); skipped != nil {
		t.Errorf("skipped %v", skipped)
	}
}
