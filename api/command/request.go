package command

import (
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

// Request is what is known of a command besides the command itself.
type Request struct {
	Workspace string
	Principal string          // whose token it is: "operator:ana", "service:crm", "admin", "import"
	Actor     domain.Actor    // who acts: the principal, or whom it acts for (then Actor.Via is the principal)
	Key       string          // Idempotency-Key; empty: every call is a command of its own
	BodyHash  string          // hash of the body, for Key
	IfMatch   domain.Position // refuse unless the conversation's revision is this; 0: don't care
	After     domain.Position // wait until this process knows the settings up to here; 0: don't
	Trace     string          // W3C traceparent
	Import    bool            // a history from elsewhere: At is the event time, and nobody needs to be connected
	At        time.Time       // Import only
	List      string          // Import only: the list that the conversation came onto; waiting when empty
}

// Result is the success of a command on a conversation.
type Result struct {
	Position     domain.Position      // of the commit; the thread's newest one when nothing had to be done
	Commit       domain.Commit        // what was appended, now or by an earlier call with the same key; no Events when nothing had to be done
	Replayed     bool                 // an earlier call with the same key or message id had done it
	Conversation *thread.Conversation // as it is now; a copy
	State        *thread.State        // the thread as it is now; read only
	Message      string               // id of the message that was received or sent
}
