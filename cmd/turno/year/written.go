package year

import "fmt"

// Written counts what a generated history holds: what the views must say after its import.
type Written struct {
	Lines, Conversations, Outbound int
	In, Out, Machine               int // messages
	OutOfHours, Drained            int
	Assigned, Taken, Transfers     int // assignments by a rule, takes by hand, transfers
	Offers                         int
	Pauses                         int
	Closed, Abandoned, Open        int
	Rated                          int

	ReceivedBy, InBy, OutBy, ClosedBy, TransferredIn map[string]int // by department
	TakenBy, SentBy, OwnedAtClose, RatedBy           map[string]int // by operator
	ScoreBy                                          map[string]int // by operator, the sum
}

func newWritten() Written {
	m := func() map[string]int { return map[string]int{} }
	return Written{
		ReceivedBy: m(), InBy: m(), OutBy: m(), ClosedBy: m(), TransferredIn: m(),
		TakenBy: m(), SentBy: m(), OwnedAtClose: m(), RatedBy: m(), ScoreBy: m(),
	}
}

func (w Written) String() string {
	return fmt.Sprintf("%d lines: %d conversations, %d of them begun by us and %d out of hours; messages in %d, out %d and %d by machines; "+
		"%d assigned by a rule, %d offers, %d taken by hand, %d transferred, %d pauses; %d closed, %d of them abandoned, %d open; %d rated",
		w.Lines, w.Conversations, w.Outbound, w.OutOfHours, w.In, w.Out, w.Machine,
		w.Assigned, w.Offers, w.Taken, w.Transfers, w.Pauses, w.Closed, w.Abandoned, w.Open, w.Rated)
}
