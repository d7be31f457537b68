package thread

import (
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/routing"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/survey"
)

// Event is one fact about a thread. Its commit says which conversation it is about.
//
// Five of them move a conversation between states, and nothing else does: Queued, Taken, Paused, Resumed, Closed. A
// transfer, a release or a reopening says why; the Queued or Taken behind it in the same commit says where to.
type Event interface{ event() }

// Opened begins a conversation. It carries over what later decisions need of the thread, so that a load can stop here.
type Opened struct {
	Number     int             `json:"number"` // 1 for the thread's first conversation
	Ticket     int64           `json:"ticket"`
	Direction  Direction       `json:"direction"`
	Channel    string          `json:"channel"`
	Department string          `json:"department"`
	Contact    string          `json:"contact"`
	Identity   string          `json:"identity"` // id of the identity that claimed the thread: a keyed hash of its address
	Name       domain.Personal `json:"name,omitempty"`
	Address    domain.Personal `json:"address,omitempty"`
	ExternalID domain.Personal `json:"external_id,omitempty"` // the integration's own id of the contact

	Hashed    int        `json:"hashed"` // messages of the thread's earlier conversations that carry an id hash
	LastClose *LastClose `json:"last_close,omitempty"`
	Blocked   bool       `json:"blocked,omitempty"`
	BotOff    bool       `json:"bot_off,omitempty"` // the bot stays off in the thread until somebody resumes it
	Survey    *Asked     `json:"survey,omitempty"`  // of an earlier conversation, that can still be answered
}

// LastClose is what an opening remembers of the conversation before it.
type LastClose struct {
	Conversation string    `json:"conversation"`
	At           time.Time `json:"at"`
	Owner        string    `json:"owner,omitempty"`
	Reason       string    `json:"reason"`
}

// MessageReceived is a message of the contact.
type MessageReceived struct {
	Message string `json:"message"` // id within Turno: "<conversation>-m<k>", k counting the conversation's messages
	Content
	IDHash    string          `json:"id_hash"`              // keyed hash of the channel's message id
	ChannelID domain.Personal `json:"channel_id,omitempty"` // the channel's message id itself
	SentAt    *time.Time      `json:"sent_at,omitempty"`    // the channel's own timestamp: shown, and used for nothing else
}

// MessageSent is a message to the contact. The commit's actor is its author.
type MessageSent struct {
	Message string `json:"message"`
	Content
	Sender Sender `json:"sender"`
	IDHash string `json:"id_hash,omitempty"` // keyed hash of what makes it unique; set for a first outbound message and for imports
}

// Content is what a message says.
type Content struct {
	Kind        Kind            `json:"kind"`
	Text        domain.Personal `json:"text,omitempty"`
	Attachments []Attachment    `json:"attachments,omitempty"`
	Location    *Location       `json:"location,omitempty"`
	ContactCard *ContactCard    `json:"contact_card,omitempty"`
	ReplyTo     string          `json:"reply_to,omitempty"` // message id within Turno
	Choices     []Choice        `json:"choices,omitempty"`  // of ours: what the contact may press; a channel without buttons writes them out
	Choice      string          `json:"choice,omitempty"`   // of the contact: id of the choice that was pressed
}

// Choice is a button of a message.
type Choice struct {
	ID    string          `json:"id"`
	Title domain.Personal `json:"title"` // 1 to 24 characters
}

// Attachment is a file of a message, where it can be fetched.
type Attachment struct {
	URL  domain.Personal `json:"url"`
	Name domain.Personal `json:"name,omitempty"`
	Type string          `json:"type"` // media type
	Size int64           `json:"size"` // bytes
}

// Location is a point that somebody shared. Degrees are text because they are personal.
type Location struct {
	Latitude  domain.Personal `json:"latitude"`
	Longitude domain.Personal `json:"longitude"`
	Label     domain.Personal `json:"label,omitempty"`
}

// ContactCard is a contact that somebody shared.
type ContactCard struct {
	Name  domain.Personal `json:"name"`
	Phone domain.Personal `json:"phone"`
}

// Queued puts the conversation on a department's common list: from here it waits, or a bot talks with the contact.
type Queued struct {
	Department string `json:"department"`
	List       string `json:"list"`  // waiting, out_of_hours or bot: the state that it enters
	Cause      string `json:"cause"` // opened, released, transferred, reopened, hours, staffed, handed_off, bot_paused, bot_resumed
}

// Taken gives the conversation an owner: from here that operator attends it.
type Taken struct {
	Operator   string `json:"operator"`
	Department string `json:"department"`
	How        How    `json:"how"`
	By         string `json:"by,omitempty"` // operator id of the supervisor who assigned, transferred or took over

	Assignment *routing.Assignment `json:"assignment,omitempty"` // when a rule chose the operator: among whom, and why
}

// Released takes the conversation from its owner.
type Released struct {
	Operator string          `json:"operator"`
	Cause    string          `json:"cause"` // manual, by_supervisor, taken_over, assigned, unattended, deactivated, left_department
	Reason   domain.Personal `json:"reason,omitempty"`
}

// Offered offers the conversation, which goes on waiting, to operators: until the offer ends they alone may take it, and
// supervisors (D8). Whatever moves the conversation to another state or list ends it.
type Offered struct {
	Operators []string  `json:"operators"` // to whom it is offered from now on
	Joined    []string  `json:"joined"`    // who of them were asked only now
	Round     int       `json:"round"`     // 1 for the first since it entered its list
	Until     time.Time `json:"until"`     // then the next are asked
	Cause     string    `json:"cause"`     // rule, transfer

	Assignment *routing.Assignment `json:"assignment,omitempty"` // when a rule chose them: among whom, and why
}

// OfferDeclined is an operator's word that they won't take it.
type OfferDeclined struct {
	Operator string `json:"operator"`
}

// OfferEnded gives the conversation, which goes on waiting, back to everybody.
type OfferEnded struct {
	Cause OfferEnd `json:"cause"`
}

// Alerted tells people that the conversation needs them. It stands until the conversation is paused anew, resumed, moved or
// closed.
type Alerted struct {
	Cause    AlertCause `json:"cause"`
	Operator string     `json:"operator,omitempty"` // whom it is for, or
	Role     string     `json:"role,omitempty"`     // everybody of the department who has this role
}

// Transferred moves the conversation to a department, and to one of its operators when Operator is set.
type Transferred struct {
	FromDepartment string          `json:"from_department"`
	FromOperator   string          `json:"from_operator,omitempty"`
	Department     string          `json:"department"`
	Operator       string          `json:"operator,omitempty"`
	Reason         domain.Personal `json:"reason,omitempty"`
	Forced         bool            `json:"forced,omitempty"` // the operator was not connected or not available
}

// Paused sets the conversation aside; the contact is not told. At Until its owner is alerted; nothing resumes by itself.
type Paused struct {
	Operator string          `json:"operator"`
	Reason   domain.Personal `json:"reason,omitempty"`
	Until    *time.Time      `json:"until,omitempty"`
}

// Resumed brings a paused conversation back to attending.
type Resumed struct {
	Operator string `json:"operator"`
	Cause    string `json:"cause"` // manual, reply, inbound
}

// Tagged adds tags to the conversation.
type Tagged struct {
	Tags []string `json:"tags"`
}

// Untagged removes tags.
type Untagged struct {
	Tags []string `json:"tags"`
}

// Noted is an internal note: the team sees it, the contact never.
type Noted struct {
	Note string          `json:"note"` // "<conversation>-n<k>"
	Text domain.Personal `json:"text"`
}

// Mentioned lets colleagues read, and write notes, until the close.
type Mentioned struct {
	Operators []string `json:"operators"`
	Note      string   `json:"note"`
}

// Classified records what the conversation was about. An absent field is left as it was.
type Classified struct {
	Outcome   string                     `json:"outcome,omitempty"` // won, lost
	Interests []string                   `json:"interests,omitempty"`
	Origin    string                     `json:"origin,omitempty"`
	Stage     string                     `json:"stage,omitempty"`
	Score     int                        `json:"score,omitempty"` // the operator's own, 1–5
	Fields    map[string]domain.Personal `json:"fields,omitempty"`
}

// TicketLinked puts the conversation into a ticket. Its own number stays an alias of that ticket for ever.
type TicketLinked struct {
	Number    int64           `json:"number"`              // as it was named
	Ticket    int64           `json:"ticket"`              // the ticket that Number stood for then
	How       LinkedHow       `json:"how"`                 // new, existing, confirmed
	Requester string          `json:"requester,omitempty"` // contact id; of a new one
	Subject   domain.Personal `json:"subject,omitempty"`   // of a new one
}

// TicketLinkProposed is the contact's word that the conversation belongs to a ticket. The team confirms or rejects it.
type TicketLinkProposed struct {
	Number int64 `json:"number"`
	Ticket int64 `json:"ticket"`
}

// TicketLinkRejected says that it does not belong there.
type TicketLinkRejected struct {
	Ticket int64           `json:"ticket"`
	Reason domain.Personal `json:"reason,omitempty"`
}

// Closed ends the conversation.
type Closed struct {
	Reason     CloseReason     `json:"reason"`          // resolved, contact, inactive, ignored, superseded, other; session_ended: a live chat's visitor is told that it is over
	Owner      string          `json:"owner,omitempty"` // the human owner at the close
	Department string          `json:"department"`
	Category   string          `json:"category,omitempty"`
	Summary    domain.Personal `json:"summary,omitempty"`
	Comment    domain.Personal `json:"comment,omitempty"` // why, in the closer's words
	// Incomplete names the requirements that a customer, bot, workflow or overriding supervisor passed by.
	Incomplete []string        `json:"incomplete,omitempty"`
	Override   domain.Personal `json:"override,omitempty"`  // the supervisor's reason for passing them
	NoSurvey   bool            `json:"no_survey,omitempty"` // whoever closed said that the contact is not to be asked
}

// Reopened continues a closed conversation under its number; a new episode begins.
type Reopened struct {
	By         string          `json:"by"` // contact, operator, transfer
	Department string          `json:"department"`
	Reason     domain.Personal `json:"reason,omitempty"`
}

// SurveySent invites the contact to rate a closed conversation; the invitation is the message beside it.
type SurveySent struct {
	Survey           string       `json:"survey"`  // "<conversation>-s<position>": of the close that it is about
	Message          string       `json:"message"` // the invitation
	Scale            survey.Scale `json:"scale"`
	Expires          time.Time    `json:"expires"`                   // from then on it can't be answered
	CreditOperator   string       `json:"credit_operator,omitempty"` // as of a rating
	CreditDepartment string       `json:"credit_department"`
}

// Asked is a survey that can still be answered.
type Asked struct {
	Survey  string       `json:"survey"`
	Scale   survey.Scale `json:"scale"`
	Expires time.Time    `json:"expires"`
	Rated   *time.Time   `json:"rated,omitempty"` // in the channel, and nothing was said of it since: its comment may come
}

// Rated is the contact's judgement of a closed conversation. A later one replaces the earlier.
type Rated struct {
	Score            int             `json:"score,omitempty"` // 1–5; 0 when Satisfied holds the answer
	Satisfied        *bool           `json:"satisfied,omitempty"`
	Comment          domain.Personal `json:"comment,omitempty"`
	CreditOperator   string          `json:"credit_operator,omitempty"`
	CreditDepartment string          `json:"credit_department"`
	Participants     []string        `json:"participants,omitempty"` // operators who sent a public message
	Closer           string          `json:"closer"`                 // actor of the close
	Replaces         bool            `json:"replaces,omitempty"`
	Survey           string          `json:"survey,omitempty"` // that it answers
	Way              RatedWay        `json:"way,omitempty"`    // channel, link; empty: over the API, or an import
}

// Archived hides the conversation from its owner's list, not from anybody's search.
type Archived struct {
	Cause string `json:"cause"` // manual, close
}

// Unarchived brings it back.
type Unarchived struct {
	Cause string `json:"cause"` // manual, inbound, transfer, reopen, moved
}

// Hidden removes the conversation from everybody's sight but an auditor's.
type Hidden struct {
	Reason domain.Personal `json:"reason,omitempty"`
}

// MenuShown says what the bot has shown, and what an answer to it does: a menu that is changed meanwhile changes nothing
// of that. It comes behind the message that shows it.
type MenuShown struct {
	Menu    string           `json:"menu"`
	Node    string           `json:"node"`
	Wrong   int              `json:"wrong,omitempty"` // answers in a row that fitted no choice
	Choices []setting.Choice `json:"choices"`
	Message string           `json:"message"`         // the bot's, that shows it
	After   string           `json:"after,omitempty"` // the contact's message that it follows; empty when somebody resumed the bot
	// CloseAfter is how long the contact may be silent then, in seconds; 0: for ever.
	CloseAfter int64 `json:"close_after_s,omitempty"`
}

// MenuAnswered is what a message of the contact meant to the bot. What follows from it stands behind it in the same commit.
type MenuAnswered struct {
	Menu    string `json:"menu"`
	Node    string `json:"node,omitempty"`   // that was shown; empty before the first one
	Choice  string `json:"choice,omitempty"` // id; empty: it fitted none
	Message string `json:"message"`
}

// BotPaused silences the bot in the conversation and, where the channel says so, in the thread's next ones.
type BotPaused struct{}

// BotResumed lets it speak again.
type BotResumed struct{}

// Read moves the unread mark: the actor has seen all up to and including Message.
type Read struct {
	Message string `json:"message"`
}

// NetworkSeen says from which network address the contact writes, whenever that is another one than before in what was loaded. It
// holds a keyed hash and nothing else: to block it nobody needs to know it.
type NetworkSeen struct {
	Network string `json:"network"`
}

// Erased says that the key of the thread's personal fields was destroyed. Whoever holds copies blanks them.
type Erased struct {
	Contact  string `json:"contact"`
	Identity string `json:"identity"`
}

// WorkflowStarted begins a run of a workflow in the conversation, with the steps of the version that was in force then: a later
// definition changes nothing in it.
type WorkflowStarted struct {
	Run      string                 `json:"run"`             // "<conversation>-w<k>"
	Workflow string                 `json:"workflow"`        // id of the definition
	Version  domain.Position        `json:"version"`         // position of the definition
	Trigger  string                 `json:"trigger"`         // opened, message_received, assigned, tagged, closed, rated, unanswered, silent
	Depth    int                    `json:"depth"`           // 1, and one more for a run that another one's step started
	Steps    []setting.WorkflowStep `json:"steps,omitempty"` // none when it ends at once
}

// WorkflowAdvanced says that a step was done; what it did stands behind it in the same commit.
type WorkflowAdvanced struct {
	Run      string       `json:"run"`
	Workflow string       `json:"workflow"`
	Step     int          `json:"step"` // from 1
	Action   string       `json:"action"`
	Depth    int          `json:"depth"`          // of the run
	Rule     routing.Rule `json:"rule,omitempty"` // of an assignment: the distribution gives it by this rule as soon as somebody has room
}

// WorkflowWaited says until when the run waits before its next step.
type WorkflowWaited struct {
	Run      string    `json:"run"`
	Workflow string    `json:"workflow"`
	Step     int       `json:"step"`
	Due      time.Time `json:"due"`
	Unless   string    `json:"unless,omitempty"` // message_received: it ends when the contact writes meanwhile
}

// WorkflowEnded ends a run: after its last step, or because of a reason before that.
type WorkflowEnded struct {
	Run      string  `json:"run"`
	Workflow string  `json:"workflow"`
	Step     int     `json:"step,omitempty"`   // the last one, or the one that was not done
	Outcome  Outcome `json:"outcome"`          // done, cancelled, failed
	Reason   string  `json:"reason,omitempty"` // closed, answered, loop, too_many, or the code of what refused the step
}

// WebhookRequested asks for a call of one of the company's endpoints. Whoever delivers webhooks makes it; the run does not
// wait for it.
type WebhookRequested struct {
	Run          string `json:"run"`
	Workflow     string `json:"workflow"`
	Step         int    `json:"step"`
	Subscription string `json:"subscription"` // id of the subscription whose endpoint is called
}

func (Opened) event()             {}
func (MessageReceived) event()    {}
func (MessageSent) event()        {}
func (Queued) event()             {}
func (Taken) event()              {}
func (Released) event()           {}
func (Offered) event()            {}
func (OfferDeclined) event()      {}
func (OfferEnded) event()         {}
func (Alerted) event()            {}
func (Transferred) event()        {}
func (Paused) event()             {}
func (Resumed) event()            {}
func (Tagged) event()             {}
func (Untagged) event()           {}
func (Noted) event()              {}
func (Mentioned) event()          {}
func (Classified) event()         {}
func (TicketLinked) event()       {}
func (TicketLinkProposed) event() {}
func (TicketLinkRejected) event() {}
func (Closed) event()             {}
func (Reopened) event()           {}
func (SurveySent) event()         {}
func (Rated) event()              {}
func (Archived) event()           {}
func (Unarchived) event()         {}
func (Hidden) event()             {}
func (MenuShown) event()          {}
func (MenuAnswered) event()       {}
func (BotPaused) event()          {}
func (BotResumed) event()         {}
func (Read) event()               {}
func (NetworkSeen) event()        {}
func (Erased) event()             {}
func (WorkflowStarted) event()    {}
func (WorkflowAdvanced) event()   {}
func (WorkflowWaited) event()     {}
func (WorkflowEnded) event()      {}
func (WebhookRequested) event()   {}
