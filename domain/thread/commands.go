package thread

import (
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/routing"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/survey"
)

// Command is what somebody wants of a conversation. Its target is the conversation that the caller names; Receive and Open
// find or make theirs.
type Command interface{ command() }

// Receive takes in a message of the contact. It opens a conversation when none is open.
type Receive struct {
	Channel    string
	Identity   string // id of the identity that claimed the thread
	Contact    string
	Name       domain.Personal
	Address    domain.Personal
	ExternalID domain.Personal
	IDHash     string
	ChannelID  domain.Personal
	Content    Content
	SentAt     *time.Time
	Ticket     int64  // a fresh number, used when it opens a conversation
	Network    string // keyed hash of the network address that it came from; empty when the channel gives none
	Barred     bool   // that address is blocked
}

// Open begins a conversation with a first message of ours; it is attended by the operator who opens it (D17).
type Open struct {
	Channel    string
	Identity   string
	Contact    string
	Name       domain.Personal
	Address    domain.Personal
	Department string // the channel's, when empty
	IDHash     string
	Content    Content
	Ticket     int64
}

// Send writes to the contact. It takes a conversation that waits and resumes one that is paused.
type Send struct {
	Content Content
	Sender  Sender // human when empty; machines and other devices take no ownership
	IDHash  string
}

// Take makes the actor the owner. It never takes from another operator: that is Assign, by a supervisor.
type Take struct{}

// Assign makes Operator the owner, whoever owned it (supervisors). Assigning to oneself takes over.
type Assign struct{ Operator string }

// CauseUnattended is the cause of the release of a conversation whose owner is not connected while its contact waits for an
// answer (D13). An owner who is back, or who has set it aside, keeps it.
const CauseUnattended = "unattended"

// Distribute gives a waiting conversation to an operator whom a rule chose, and for whom a slot is reserved until Expires.
// Turno's own.
type Distribute struct {
	Operator   string
	Department string // where it waited when it was decided
	Assignment routing.Assignment
	Expires    time.Time
}

// Offer offers a waiting conversation to further operators: they and those of the rounds before alone may take it, and
// supervisors (D8). Turno's own.
type Offer struct {
	Operators  []string // who joins
	Department string   // where it waited when it was decided
	Round      int      // 1 for the first since it entered its list
	For        time.Duration
	Assignment routing.Assignment
}

// Withdraw ends an offer: its time is over, or it was declined, and there is nobody left to ask. Turno's own.
type Withdraw struct {
	Round int // that of the offer
	Cause OfferEnd
}

// Accept takes a conversation that is offered to the actor.
type Accept struct{}

// Decline refuses the offer, for the actor.
type Decline struct{}

// Alert tells people that a conversation needs them (D2, D13). Turno's own.
type Alert struct{ Cause AlertCause }

// Release gives the conversation back to the department's list.
type Release struct {
	Reason   domain.Personal
	Cause    string // manual when empty
	Operator string // only while this operator owns it; empty: whoever does
}

// Transfer moves it to a department, or to one operator. At least one of both is set (D19).
type Transfer struct {
	Department string
	Operator   string
	Reason     domain.Personal
	Force      bool // although the operator is not connected or not available (D4)
}

// Pause sets it aside.
type Pause struct {
	Reason domain.Personal
	Until  *time.Time
}

// Resume brings it back.
type Resume struct{}

// Tag adds and removes tags.
type Tag struct{ Add, Remove []string }

// Note adds an internal note; Mentions are operator ids.
type Note struct {
	Text     domain.Personal
	Mentions []string
}

// Classify records what it was about. Absent fields are left as they are.
type Classify struct{ Classified }

// Link puts the conversation into a ticket (F104). Number is what the caller named, Ticket what it stands for: whoever
// hands the command over finds that out, 0 when there is no such ticket that the actor may know of.
type Link struct{ Number, Ticket int64 }

// OpenTicket makes the conversation's own number a ticket that a contact requests (F106).
type OpenTicket struct {
	Requester string // contact id
	Subject   domain.Personal
	Unknown   bool // there is no such contact: found out by whoever hands the command over
}

// Propose is the contact's wish to have the conversation in a ticket (F105). Number and Ticket as for Link.
type Propose struct{ Number, Ticket int64 }

// Confirm puts it into the ticket that was proposed.
type Confirm struct{}

// Reject refuses the proposal.
type Reject struct{ Reason domain.Personal }

// Close ends it, in one gesture with tags, classification and ticket.
type Close struct {
	Reason   CloseReason // resolved when an operator closes, contact when the contact does; when empty
	Category string
	Summary  domain.Personal
	Comment  domain.Personal
	Tags     []string
	Classify *Classified
	Ticket   Command         // Link, OpenTicket, Confirm, or nil (F109)
	Override domain.Personal // a supervisor's reason for passing the guards by (D10)
	NoSurvey bool            // the contact is not to be asked, whatever the department does
}

// EndSession closes a live chat and tells its visitor so (F098). What a close takes it takes too, but for the reason: that is
// its own.
type EndSession struct{ Close }

// Reopen continues a closed one (D5).
type Reopen struct{ Reason domain.Personal }

// Survey asks the contact to rate the closed conversation, after room was reserved on the contact. Turno's own.
type Survey struct {
	Scale   survey.Scale
	Text    domain.Personal // the invitation
	Expires time.Duration   // how long it can be answered
	Close   domain.Position // of the close that it is about: not if there was another one since; 0 in an import
	Until   time.Time       // when the reservation ends; not used in an import
}

// Thank answers the first rating of a survey. Turno's own.
type Thank struct{ Text domain.Personal }

// Rate records the contact's judgement. Exactly one of Score (1–5) and Satisfied is set.
type Rate struct {
	Score     int
	Satisfied *bool
	Comment   domain.Personal
	Survey    string // the one that it answers; empty: the conversation's newest, if there is one
	Way       RatedWay
}

// Archive hides it from its owner's list.
type Archive struct{}

// Unarchive brings it back.
type Unarchive struct{}

// Ignore closes a conversation with an unknown contact: no survey, no guards, counted apart (D15).
type Ignore struct{ Reason domain.Personal }

// Hide removes a closed one from everybody's sight but an auditor's (supervisors, admins).
type Hide struct{ Reason domain.Personal }

// MarkRead moves the unread mark to Message, or to the last one when it is empty.
type MarkRead struct{ Message string }

// Drain moves it from the out-of-hours list to the waiting ones, once the department is open or staffed (D1). Turno's own.
type Drain struct{}

// StartRun begins a run of a workflow that was triggered, if the conditions hold. Turno's own, as are the next two.
type StartRun struct {
	Workflow setting.Workflow
	Version  domain.Position // of its definition
	Depth    int
	Since    time.Time       // unanswered and silent: since when; it must be so still
	Message  domain.Position // opened and message_received: of the commit with the contact's message
}

// Advance does the next step of a run.
type Advance struct {
	Run  string
	Step int             // from 1: nothing when it is not the next one
	Text domain.Personal // what the step says, with its variables filled: found out by whoever hands the command over
}

// EndRun ends a run before its step Step is done.
type EndRun struct {
	Run     string
	Step    int
	Outcome Outcome
	Reason  string
}

// Converse lets the bot answer a message of the contact or, without one, begin. The bot's own, and Turno's. What was answered
// already, and what the bot's newest words are the answer to, makes nothing.
type Converse struct{ Message string }

// FallSilent closes a conversation in which the contact has said nothing since the bot's Message. The bot's own, and Turno's.
type FallSilent struct{ Message string }

// PauseBot silences the bot: what it has goes to the list of those who wait (F014).
type PauseBot struct{}

// ResumeBot lets the bot speak again: it gets the conversation back that waits for somebody. A closed one's thread begins
// with the bot again.
type ResumeBot struct{}

// Erase says that the thread's key is about to be destroyed, and closes what is open (admins). Its target is the thread's
// newest conversation.
type Erase struct{}

func (Receive) command()    {}
func (Open) command()       {}
func (Send) command()       {}
func (Take) command()       {}
func (Assign) command()     {}
func (Release) command()    {}
func (Transfer) command()   {}
func (Pause) command()      {}
func (Resume) command()     {}
func (Tag) command()        {}
func (Note) command()       {}
func (Classify) command()   {}
func (Link) command()       {}
func (OpenTicket) command() {}
func (Propose) command()    {}
func (Confirm) command()    {}
func (Reject) command()     {}
func (Close) command()      {}
func (EndSession) command() {}
func (Reopen) command()     {}
func (Survey) command()     {}
func (Thank) command()      {}
func (Rate) command()       {}
func (Archive) command()    {}
func (Unarchive) command()  {}
func (Ignore) command()     {}
func (Hide) command()       {}
func (MarkRead) command()   {}
func (Distribute) command() {}
func (Offer) command()      {}
func (Withdraw) command()   {}
func (Accept) command()     {}
func (Decline) command()    {}
func (Alert) command()      {}
func (Drain) command()      {}
func (Converse) command()   {}
func (FallSilent) command() {}
func (PauseBot) command()   {}
func (ResumeBot) command()  {}
func (Erase) command()      {}
func (StartRun) command()   {}
func (Advance) command()    {}
func (EndRun) command()     {}
