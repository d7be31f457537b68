package thread

import (
	"strconv"
	"strings"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/survey"
)

// State is a thread as far as it was loaded: at least back to the opening of the conversation that a command names.
// The zero value, with ID set, is a thread without commits.
type State struct {
	ID       string
	Channel  string
	Contact  string
	Identity string
	Key      string // id of the key that seals the thread's personal fields
	Blocked  bool
	Erased   bool
	Network  string // keyed hash of the network address that the contact wrote from last, as far as that was loaded
	BotOff   bool   // somebody has paused the bot

	Name       domain.Personal
	Address    domain.Personal
	ExternalID domain.Personal

	Asked *Asked // the newest survey, open or not; of an earlier conversation only while it can be answered

	Latest        int // number of the newest conversation, 0 for none
	Conversations map[int]*Conversation

	Hashed   int                 // messages with an id hash so far, whole thread
	Seen     map[string]Sighting // id hashes of the loaded commits
	Commands map[string]Sighting // command ids of the loaded commits

	Oldest       domain.Position // the oldest loaded commit
	Position     domain.Position // the newest
	Version      domain.Version
	LastRecorded time.Time
	LastTime     time.Time
}

// Sighting is where a message or a command was found.
type Sighting struct {
	Position     domain.Position
	Conversation string
	Ticket       int64
	Message      string // empty for a command
	BodyHash     string
	Commit       string
}

// Conversation is one conversation of a thread.
type Conversation struct {
	Number    int
	ID        string
	Ticket    int64
	Direction Direction
	Opened    domain.Position // of its opening
	Revision  domain.Position // of the last commit about it
	OpenedAt  time.Time

	State      string
	Department string
	Owner      string // only while attending or paused
	Since      time.Time
	PausedTill *time.Time
	Offer      *Offering // while it is offered: to whom alone; nil: everybody may take it
	Rounds     int       // of offers since it entered its list
	Alerts     []Alerted // that stand

	Bot Talk // while a bot has it

	Tags      []string
	Mentioned []string
	Archived  bool
	Hidden    bool

	Messages       int      // messages so far, both directions: the next one's ordinal less one
	Notes          int      // likewise
	Unread         []int    // ordinals of the contact's messages since the last read or reply
	Replied        bool     // a public human message was sent
	LastSpeaker    string   // operator who sent the last public message
	Participants   []string // operators who sent a public message
	Classification Classification
	Linked         int64 // the ticket that it was put into; 0: its own number stands for itself
	Proposed       int64 // the ticket that the contact proposed and nobody has judged

	Clock       Clock
	Runs        []Run       // of workflows; those that have not ended
	RunCount    int         // all of them: the next one's ordinal less one
	RunStarts   []time.Time // of the last hour before the newest
	RunsStopped time.Time   // when a run was too many; zero: never

	ClosedAt      time.Time
	OwnerAtClose  string
	Closer        string // actor of the close
	CloseReason   CloseReason
	CloseCategory string
	NoSurvey      bool            // of the close
	Close         domain.Position // the last one's commit
	Survey        *Surveyed       // the newest one
	Rating        *Rated
}

// Surveyed is a survey that a conversation's contact was sent.
type Surveyed struct {
	ID      string
	Scale   survey.Scale
	Sent    time.Time
	Expires time.Time
}

// Classification is what the conversation was said to be about.
type Classification struct {
	Outcome   string
	Interests []string
	Origin    string
	Stage     string
	Score     int
	Fields    map[string]domain.Personal
}

// Open reports whether the conversation is not closed.
func (c *Conversation) Open() bool { return c.State != StateClosed }

// Sight is what the access rule needs to know of it.
func (c *Conversation) Sight() *domain.Sight {
	return &domain.Sight{
		State: c.State, Department: c.Department, Owner: c.Owner, OwnerAtClose: c.OwnerAtClose,
		Mentioned: c.Mentioned, Archived: c.Archived, Hidden: c.Hidden,
	}
}

// ConversationID is the id of a thread's n-th conversation.
func ConversationID(thread string, n int) string { return thread + "-" + strconv.Itoa(n) }

// SplitConversationID gives the thread and the number that ConversationID joined.
func SplitConversationID(id string) (thread string, n int, ok bool) {
	i := strings.LastIndexByte(id, '-')
	if i <= 0 || !domain.ValidID(id[:i]) {
		return "", 0, false
	}
	n, err := strconv.Atoi(id[i+1:])
	if err != nil || n < 1 || strconv.Itoa(n) != id[i+1:] {
		return "", 0, false
	}
	return id[:i], n, true
}

// Current is the newest conversation, or nil.
func (s *State) Current() *Conversation { return s.Conversations[s.Latest] }

// MessageID is the id of the conversation's k-th message.
func (c *Conversation) MessageID(k int) string { return c.ID + "-m" + strconv.Itoa(k) }

// NoteID is the id of its k-th note.
func (c *Conversation) NoteID(k int) string { return c.ID + "-n" + strconv.Itoa(k) }

// messageOrdinal is the k of a message id of this conversation.
func (c *Conversation) messageOrdinal(message string) (int, bool) {
	digits, ok := strings.CutPrefix(message, c.ID+"-m")
	if !ok {
		return 0, false
	}
	k, err := strconv.Atoi(digits)
	return k, err == nil && k >= 1 && k <= c.Messages && strconv.Itoa(k) == digits
}

// Summary is a copy of what is known of the thread itself, without conversations and sightings: safe to keep.
func (s *State) Summary() State {
	c := *s
	c.Conversations, c.Seen, c.Commands = nil, nil, nil
	return c
}

// SightAfter is the sight of a conversation after a commit that is not yet applied; conv is as it was before, nil for an
// opening.
func SightAfter(conv *Conversation, c *domain.Commit) *domain.Sight {
	var after Conversation
	if conv != nil {
		after = *conv
	}
	for _, e := range c.Events {
		if o, ok := e.(Opened); ok {
			after = *opened(c, o)
			continue
		}
		after.evolve(c, e)
	}
	return after.Sight()
}
