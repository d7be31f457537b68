package thread

// The states of a conversation. Every instant of one belongs to exactly one of them.
const (
	StateBot        = "bot"
	StateWaiting    = "waiting"
	StateOutOfHours = "out_of_hours"
	StateAttending  = "attending"
	StatePaused     = "paused"
	StateClosed     = "closed"
)

// Causes of a move to a list, by a bot or because of one.
const (
	CauseHandedOff  = "handed_off"
	CauseBotPaused  = "bot_paused"
	CauseBotResumed = "bot_resumed"
)

// Direction says who began a conversation.
type Direction string

// The directions.
const (
	Inbound  Direction = "inbound"
	Outbound Direction = "outbound"
	Internal Direction = "internal"
)

// Sender is what kind of author a message to the contact has.
type Sender string

// The senders. OtherDevice is a person typing in the platform's own app: it answers, and takes no ownership.
const (
	SenderHuman       Sender = "human"
	SenderOtherDevice Sender = "other_device"
	SenderMachine     Sender = "machine"
)

// Kind is the form of a message.
type Kind string

// The kinds of messages.
const (
	KindText     Kind = "text"
	KindImage    Kind = "image"
	KindAudio    Kind = "audio"
	KindVideo    Kind = "video"
	KindDocument Kind = "document"
	KindSticker  Kind = "sticker"
	KindLocation Kind = "location"
	KindContact  Kind = "contact_card"
	KindOther    Kind = "other"
)

// How says by which way an operator came to own a conversation.
type How string

// The ways.
const (
	TakenByHand     How = "manual"   // the operator took it
	TakenByReply    How = "reply"    // the operator's message took it
	TakenAssigned   How = "assigned" // a supervisor gave it
	TakenTransfer   How = "transfer" // a transfer that named the operator
	TakenOver       How = "taken_over"
	TakenByRule     How = "automatic" // the department's rule gave it
	TakenDedicated  How = "dedicated" // the contact's assignee got it
	TakenSticky     How = "sticky"    // who had it before got it again
	TakenDirect     How = "direct"    // it came by a channel that leads to the operator's extension
	TakenOutbound   How = "outbound"  // the operator opened it
	TakenByReopener How = "reopened"
)

// OfferEnd says why an offer ended without anybody having taken the conversation.
type OfferEnd string

// The ends.
const (
	OfferExhausted OfferEnd = "nobody_left" // all who could be asked were, and none took it in time
	OfferExpired   OfferEnd = "expired"     // of a transfer's: the operator did not answer in time
	OfferRefused   OfferEnd = "declined"    // of a transfer's: the operator declined
)

// AlertCause says why people were alerted.
type AlertCause string

// The causes.
const (
	AlertPauseOver  AlertCause = "pause_over" // the time has come until which its owner paused it (D2)
	AlertUnattended AlertCause = "unattended" // it is paused, its contact waits for an answer, and its owner is not connected (D13)
)

// CloseReason says why a conversation ended.
type CloseReason string

// The reasons. Ignored and Superseded are counted apart from every other.
const (
	ClosedResolved   CloseReason = "resolved"
	ClosedByContact  CloseReason = "contact"
	ClosedInactive   CloseReason = "inactive"
	ClosedIgnored    CloseReason = "ignored"
	ClosedSuperseded CloseReason = "superseded"
	ClosedOther      CloseReason = "other"

	// ClosedSessionEnded tells the visitor of a live chat, and the page that they are on, that the chat has ended (F098).
	ClosedSessionEnded CloseReason = "session_ended"
)

// Outcome says how a run of a workflow ended.
type Outcome string

// The outcomes.
const (
	RunDone      Outcome = "done"
	RunCancelled Outcome = "cancelled" // the close, or the contact, came before
	RunFailed    Outcome = "failed"    // a step was refused, or there were too many runs
)

// LinkedHow says by which way a conversation came into a ticket.
type LinkedHow string

// The ways.
const (
	LinkedNew       LinkedHow = "new"       // its own number was made a ticket
	LinkedExisting  LinkedHow = "existing"  // the team found the ticket
	LinkedConfirmed LinkedHow = "confirmed" // the contact had proposed it
)

// RatedWay says how a rating came.
type RatedWay string

// The ways.
const (
	RatedInChannel RatedWay = "channel" // typed in the channel, while a survey could be answered there
	RatedByLink    RatedWay = "link"    // on the page that the invitation leads to
)
