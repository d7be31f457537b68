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
	Surveys, Rated                 int // sent, and answered
	Typed, Commented               int // of those answered: in the channel, and with a comment

	ReceivedBy, InBy, OutBy, ClosedBy, TransferredIn map[string]int // by department
	TakenBy, SentBy, OwnedAtClose                    map[string]int // by operator
	SurveysBy, AnsweredBy                            map[string]int // by whom an answer is credited to
	RatedBy, ScoreBy                                 map[string]int // of these answers, from 1 to 5: how many, and their sum
	JudgedBy, SatisfiedBy                            map[string]int // by yes or no: how many, and how many yes
}

func newWritten() Written {
	m := func() map[string]int { return map[string]int{} }
	return Written{
		ReceivedBy: m(), InBy: m(), OutBy: m(), ClosedBy: m(), TransferredIn: m(),
		TakenBy: m(), SentBy: m(), OwnedAtClose: m(),
		SurveysBy: m(), AnsweredBy: m(), RatedBy: m(), ScoreBy: m(), JudgedBy: m(), SatisfiedBy: m(),
	}
}

func (w Written) String() string {
	return fmt.Sprintf("%d lines: %d conversations, %d of them begun by us and %d out of hours; messages in %d, out %d and %d by machines; "+
		"%d assigned by a rule, %d offers, %d taken by hand, %d transferred, %d pauses; %d closed, %d of them abandoned, %d open; "+
		"%d surveys sent, %d answered, %d of them in the channel and %d with a comment",
		w.Lines, w.Conversations, w.Outbound, w.OutOfHours, w.In, w.Out, w.Machine,
		w.Assigned, w.Offers, w.Taken, w.Transfers, w.Pauses, w.Closed, w.Abandoned, w.Open,
		w.Surveys, w.Rated, w.Typed, w.Commented)
}
