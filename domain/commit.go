package domain

import "time"

// Position is a place in the log: epoch × 2^40 + sequence. It grows with every commit, is the plain sequence until a log
// is restored for the first time, and stays an exact JSON number for ever. 0 is the place before the first commit.
type Position uint64

// EpochBits is how far the epoch stands to the left in a Position.
const EpochBits = 40

// Version is where an aggregate stood when it was loaded, and what an append is guarded with. It is opaque: it comes from
// a load or an append of the log and goes back to the log. 0 is the version of an aggregate without commits.
type Version uint64

// Category is the kind of an aggregate.
type Category string

// The categories of the log.
const (
	CategoryLog        Category = "log"
	CategorySequence   Category = "sequence"
	CategoryIdentity   Category = "identity"
	CategoryThread     Category = "thread"
	CategoryContact    Category = "contact"
	CategoryOperator   Category = "operator"
	CategoryPresence   Category = "presence"
	CategoryDepartment Category = "department"
	CategorySetting    Category = "setting"
	CategoryTicket     Category = "ticket"
	CategoryWorkload   Category = "workload"
)

// Aggregate names one consistency boundary: one exact subject of the log, turno.<workspace>.<category>.<id>.
// Workspace and ID match [a-z0-9][a-z0-9_-]*(\.[a-z0-9_-]+)*, at most 128 bytes.
type Aggregate struct {
	Workspace string
	Category  Category
	ID        string
}

// String is the aggregate's subject in the log, the same on every backend.
func (a Aggregate) String() string {
	return "turno." + a.Workspace + "." + string(a.Category) + "." + a.ID
}

// Event is one fact, in the past tense. The packages below domain hold the types, each in a sealed interface of its own;
// the codec's registry is the list of them all.
type Event any

// Origin tells live commits from those that an import brought: no effect ever acts on the second.
type Origin string

// The origins of a commit.
const (
	OriginLive   Origin = "live"
	OriginImport Origin = "import"
)

// Commit is what one command appended to one aggregate: 1 to MaxEvents events, all or nothing. One message of the log is
// one commit. Readers must not change a commit: it may be shared.
type Commit struct {
	ID        string // of the command that made it: the same command makes the same id
	Aggregate Aggregate

	Position Position // 0 until appended
	Version  Version  // of the aggregate right after this commit; set by the log
	Prev     Position // the aggregate's previous commit, 0 for its first
	Opened   Position // thread only: the commit that opened Conversation; its own position for an opening

	Recorded time.Time // the engine's clock, UTC, milliseconds, never before the aggregate's previous commit
	Time     time.Time // when it happened: Recorded, or the `at` of an import
	Origin   Origin
	Actor    Actor
	BodyHash string   // hash of the request's body: the same key with another body is an error
	Image    Position // position of the settings image that the command was decided with
	Key      string   // id of the key that seals this commit's personal fields; empty when it has none
	Trace    string   // W3C traceparent, or empty

	// Thread only.
	Conversation string // "<thread>-<n>"
	Ticket       int64  // the conversation's number
	Contact      string // the contact that the thread belongs to
	Channel      string
	Before       *Sight // nil for an opening
	After        *Sight

	Events []Event
}

// Limits of a commit. Longer texts go to the blob store.
const (
	MaxEvents      = 100
	MaxCommitBytes = 256 << 10
)

// Sight is what the access rule needs to know of a conversation. Every commit of a thread carries it as it was before and
// as it is after, so that whoever reads the log can tell who may see it without loading anything.
type Sight struct {
	State        string   `json:"state"` // waiting, attending, paused, out_of_hours, bot, closed
	Department   string   `json:"department"`
	Owner        string   `json:"owner,omitempty"`          // operator id; only while attending or paused
	OwnerAtClose string   `json:"owner_at_close,omitempty"` // operator id; only while closed
	Mentioned    []string `json:"mentioned,omitempty"`      // operator ids, until the close
	Archived     bool     `json:"archived,omitempty"`
	Hidden       bool     `json:"hidden,omitempty"` // deleted from everybody's sight but an auditor's
}

// Equal reports whether both sights hold the same; two nils are equal.
func (s *Sight) Equal(o *Sight) bool {
	if s == nil || o == nil {
		return s == o
	}
	if s.State != o.State || s.Department != o.Department || s.Owner != o.Owner || s.OwnerAtClose != o.OwnerAtClose ||
		s.Archived != o.Archived || s.Hidden != o.Hidden || len(s.Mentioned) != len(o.Mentioned) {
		return false
	}
	for i := range s.Mentioned {
		if s.Mentioned[i] != o.Mentioned[i] {
			return false
		}
	}
	return true
}
