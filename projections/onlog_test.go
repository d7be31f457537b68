package projections_test

import (
	"context"
	"testing"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

// restored is a log of 30 commits that was restored from copies which ended at 10 and at 20.
type restored struct{ projections.Source }

func (restored) At(_ context.Context, p domain.Position) (domain.Commit, error) {
	sequence, epoch := projections.Sequence(p), p>>domain.EpochBits
	if epoch != (sequence-1)/10 || sequence < 1 || sequence > 30 {
		return domain.Commit{}, projections.ErrNoCommit
	}
	return domain.Commit{Position: p}, nil
}

func TestAPositionIsFoundAgainOnALogThatWasRestored(t *testing.T) {
	at := func(epoch, sequence domain.Position) domain.Position { return epoch<<domain.EpochBits | sequence }
	for _, c := range []struct{ of, want domain.Position }{
		{0, 0}, {5, 5}, {at(2, 25), at(2, 25)}, {15, at(1, 15)}, {at(1, 25), at(2, 25)}, {28, at(2, 28)}, {45, at(2, 30)},
	} {
		if got, err := projections.Onto(t.Context(), restored{}, c.of, at(2, 30)); err != nil || got != c.want {
			t.Errorf("%d is %d now, %v; want %d", c.of, got, err, c.want)
		}
	}
	if got, err := projections.Onto(t.Context(), restored{}, 7, 9); err != nil || got != 7 {
		t.Errorf("on a log that was never restored %d, %v; want 7", got, err)
	}
}
