package metric

import "github.com/turno-desk/turno/domain"

// Kind is what a sample is a sample of. The numbers are stored by the projection: never reorder, only add.
type Kind uint8

// The kinds of samples. Those of conversations come first, then those of presence.
const (
	Received              Kind = 1 // Detail: new, returning
	Outbound              Kind = 2
	Reopened              Kind = 3 // Detail: by whom
	Taken                 Kind = 4 // Detail: how
	Released              Kind = 5 // Detail: cause
	TransferOut           Kind = 6
	TransferIn            Kind = 7
	MessageIn             Kind = 8
	MessageOut            Kind = 9 // Detail: sender
	FirstResponse         Kind = 10
	FirstResponseFromTake Kind = 11
	Reply                 Kind = 12
	OwnReply              Kind = 13
	Unanswered            Kind = 14 // a run of customer messages that was open at the close
	Wait                  Kind = 15 // Detail: how it ended; byRule, where a rule's assignment did
	WaitFirst             Kind = 16
	WaitTotal             Kind = 17
	FirstAssignment       Kind = 18
	Attending             Kind = 19 // a span of the state
	Unattended            Kind = 20 // what of such a span its operator was disconnected
	Pause                 Kind = 21 // a span of the state
	Handle                Kind = 22 // per conversation and operator
	HandleConversation    Kind = 23
	Episode               Kind = 24 // from opening to close; Detail: reason
	CustomerWaiting       Kind = 25
	Abandoned             Kind = 26
	OwnedAtClose          Kind = 27
	OneTouch              Kind = 28 // Value: 1 or 0
	Rating                Kind = 29 // Value: 1 to 5
	Satisfied             Kind = 30 // Value: 1 or 0
	Available             Kind = 31 // a span of presence
	Away                  Kind = 32 // a span of presence
	OutOfHours            Kind = 33 // a span of the state; part of a Wait
	Offered               Kind = 34 // of each operator who was asked
	OfferMissed           Kind = 35 // from the offer to the end of its time
	OfferLost             Kind = 36 // from the offer to the take by another
	OfferDeclined         Kind = 37 // from the offer to the operator's no
	Surveyed              Kind = 38 // At: of the sending, also once it is answered; Value: how long it can be; Net: the same once it is, before 0; Detail: scale

	Bot                      Kind = 40 // a span of the state
	Contained                Kind = 41 // an episode that the bot alone had
	HandedOff                Kind = 42 // by the bot, to the department that got it; Detail: cause
	HandedOver               Kind = 43 // the same, from the department that had it
	FirstResponseFromHandOff Kind = 44
)

// Ref names one event of the log: the position of its commit, and its index there in the lowest 7 bits. Refs are in the
// order of the events. 0 is no event.
type Ref int64

// NewRef names the i-th event of the commit at p.
func NewRef(p domain.Position, i int) Ref { return Ref(p)<<7 | Ref(i&0x7f) }

// Position is the commit's.
func (r Ref) Position() domain.Position { return domain.Position(r >> 7) }

// Index is the event's place in its commit.
func (r Ref) Index() int { return int(r & 0x7f) }

// Sample is one thing that happened and counts: a point, or the stretch [From, At) that a duration was measured over.
// Times are milliseconds since 1970.
type Sample struct {
	Kind  Kind
	Ref   Ref   // the end event; 0 for a span that is still open
	Nth   int   // which of those of its kind that the end event makes: 0, but for what it makes of several operators
	At    int64 // its time
	Start Ref   // the start event; 0 where there is no stretch
	From  int64 // its time
	// Value is a duration in milliseconds, a score, or 1; Net is the duration without paused time.
	Value, Net int64
	Opened     int64 // when the episode opened that it belongs to

	Conversation string // empty for presence
	Ticket       int64
	Operator     string // whom it is credited to, or empty
	Department   string
	Channel      string
	Detail       string
	Machine      bool // a machine's deed
}

// Key finds a sample again.
type Key struct {
	Kind Kind
	At   int64
	Ref  Ref
	Nth  int
}

// Key is the sample's own.
func (s *Sample) Key() Key { return Key{s.Kind, s.At, s.Ref, s.Nth} }

// Sink takes what a fold finds out.
type Sink interface {
	// Add counts a sample from its end event on. The sample is only valid during the call.
	Add(s *Sample)
	// End says that the sample no longer counts from the event `by` on: a later one takes its place.
	End(k Key, by Ref)
}
