package command

import (
	"context"
	"errors"
	"maps"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/thread"
)

// Inbound is a message of a contact, as a channel brought it.
type Inbound struct {
	Channel    string
	Address    string // of the contact on the channel: a phone number, a user id; at most MaxAddress bytes
	Name       string // as the channel gives it
	ExternalID string
	IP         string // of the contact's device, where the channel knows it (F099); kept as a keyed hash alone
	MessageID  string // the channel's; empty: the Idempotency-Key stands for it, or every call is a message of its own
	Content    thread.Content
	SentAt     *time.Time
}

// Outbound is a first message of ours.
type Outbound struct {
	Channel    string
	Address    string
	Name       string
	Department string
	Content    thread.Content
}

// MaxAddress is the longest address, and the longest message id of a channel, in bytes.
const MaxAddress = 256

// errErased says that the thread behind an address was erased: the address must be claimed anew.
var errErased = errors.New("the thread was erased")

// Receive takes in a message of a contact: into the thread that its address claimed. The same message id again, for ever,
// answers with the first result and Replayed.
func (e *Engine) Receive(ctx context.Context, req Request, in Inbound) (Result, error) {
	if r := checkInbound(in); r != nil {
		return Result{}, r
	}
	network, barred, err := e.network(ctx, req, in)
	if err != nil {
		return Result{}, err
	}
	return e.onThread(ctx, req, in.Channel, in.Address, func(id identified) job {
		j := job{thread: id.thread, key: id.key}
		hash := e.o.Hasher.Hash(req.Workspace, in.Channel, "message", in.MessageID)
		if in.MessageID == "" {
			j.id, j.keyed = CommandID(req, id.thread, "receive"), true
			hash = e.o.Hasher.Hash(req.Workspace, in.Channel, "command", j.id)
		} else {
			j.id = "h" + hashID(req.Workspace, id.thread, "receive", hash)
		}
		j.cmd = thread.Receive{
			Channel: in.Channel, Identity: id.identity, Contact: contact.ID(id.thread), Name: domain.Personal(in.Name),
			Address: domain.Personal(in.Address), ExternalID: domain.Personal(in.ExternalID), IDHash: hash,
			ChannelID: domain.Personal(in.MessageID), Content: in.Content, SentAt: in.SentAt,
			Network: network, Barred: barred,
		}
		return j
	})
}

// Open begins a conversation with a message of ours (D17).
func (e *Engine) Open(ctx context.Context, req Request, out Outbound) (Result, error) {
	if r := checkInbound(Inbound{Channel: out.Channel, Address: out.Address, Name: out.Name, Content: out.Content}); r != nil {
		return Result{}, r
	}
	return e.onThread(ctx, req, out.Channel, out.Address, func(id identified) job {
		commandID := CommandID(req, id.thread, "open")
		return job{thread: id.thread, key: id.key, id: commandID, keyed: true, cmd: thread.Open{
			Channel: out.Channel, Identity: id.identity, Contact: contact.ID(id.thread), Name: domain.Personal(out.Name),
			Address: domain.Personal(out.Address), Department: out.Department, Content: out.Content,
			IDHash: e.o.Hasher.Hash(req.Workspace, out.Channel, "command", commandID),
		}}
	})
}

// Current is the id of the newest conversation of an address on a channel, open or closed. A *domain.Refusal with
// CodeNotFound when there is none.
func (e *Engine) Current(ctx context.Context, workspace, channel, address string) (string, error) {
	id, found, err := e.lookUp(ctx, e.identityOf(workspace, channel, address))
	if err != nil {
		return "", err
	}
	none := &domain.Refusal{Code: domain.CodeNotFound, Detail: "This address has no conversation on this channel."}
	if !found {
		return "", none
	}
	t, err := e.lock(ctx, workspace, id.thread)
	if err != nil {
		return "", err
	}
	defer t.unlock()
	if err := e.load(ctx, t, 0, true); err != nil {
		return "", err
	}
	if t.state.Latest == 0 {
		return "", none
	}
	return thread.ConversationID(id.thread, t.state.Latest), nil
}

// onThread handles the job that make gives for the thread of an address, and claims the address first where nobody has.
func (e *Engine) onThread(ctx context.Context, req Request, channel, address string, make func(identified) job) (Result, error) {
	if err := e.channelInUse(ctx, req, channel); err != nil {
		return Result{}, err
	}
	a := e.identityOf(req.Workspace, channel, address)
	for erased := 0; ; erased++ {
		id, err := e.claim(ctx, req, a, channel, address)
		if err != nil {
			return Result{}, err
		}
		r, err := e.handle(ctx, req, make(id))
		if !errors.Is(err, errErased) || erased == maxConflicts {
			return r, err
		}
		// Whoever erased it may have stopped before this, and nobody may be kept out by that.
		if err := e.releaseIdentity(ctx, req, a.ID, id.thread); err != nil {
			return Result{}, err
		}
	}
}

// channelInUse refuses an unknown or retired channel before anything is claimed for it.
func (e *Engine) channelInUse(ctx context.Context, req Request, channel string) error {
	image, err := e.image(ctx, req)
	if err != nil {
		return err
	}
	if ch, ok := image.Channels[channel]; ok && !ch.Retired {
		return nil
	}
	if image, _, err = e.o.Image.Confirm(ctx, image); err != nil {
		return err
	}
	ch, ok := image.Channels[channel]
	switch {
	case !ok:
		return &domain.Refusal{Code: domain.CodeUnknownSetting, Detail: "There is no such channel.", Missing: []string{"channel"}}
	case ch.Retired:
		return &domain.Refusal{Code: domain.CodeRetired, Detail: "The channel is no longer in use.", Missing: []string{"channel"}}
	}
	return nil
}

// prepare gives a command that may open a conversation what it needs for that: a number, and whether the contact is blocked;
// and one that answers a survey the conversation that it is about.
func (e *Engine) prepare(ctx context.Context, req Request, t *entry, j *job, f *thread.Facts) error {
	var ticket *int64
	switch c := j.cmd.(type) {
	case thread.Receive:
		ticket = &c.Ticket
		defer func() { j.cmd = c }()
	case thread.Open:
		ticket = &c.Ticket
		defer func() { j.cmd = c }()
	default:
		return e.prepareRun(ctx, req, t, j, f)
	}
	if t.state.Erased {
		return errErased
	}
	if in, ok := j.cmd.(thread.Receive); ok {
		if rate, answers := t.state.Answers(in.Content, f.Now); answers {
			return e.answering(ctx, t, rate.Survey, f)
		}
	}
	if current := t.state.Current(); current != nil && current.Open() {
		return nil
	}
	blocked, err := e.blocked(ctx, req.Workspace, contact.ID(t.state.ID)) // also of one that was added and has not written yet
	if err != nil {
		return err
	}
	f.ContactBlocked = blocked
	if *ticket == 0 {
		n, err := e.o.Numbers.Next(ctx)
		if err != nil {
			return err
		}
		*ticket = n
	}
	return nil
}

// answering makes ready for a message that answers a survey: the conversation that it is about may be an earlier one.
func (e *Engine) answering(ctx context.Context, t *entry, survey string, f *thread.Facts) (err error) {
	conversation, _, _ := thread.SplitSurveyID(survey)
	_, n, _ := thread.SplitConversationID(conversation)
	if err := e.load(ctx, t, n, false); err != nil {
		return err
	}
	if current := t.state.Current(); current == nil || !current.Open() {
		f.ContactBlocked, err = e.blocked(ctx, t.aggregate.Workspace, t.state.Contact)
	}
	return err
}

// duplicate finds a message that the thread has already: among the loaded ones or, when there were more, in the index.
func (e *Engine) duplicate(ctx context.Context, req Request, t *entry, cmd thread.Command) (thread.Sighting, bool, error) {
	hash := ""
	switch c := cmd.(type) {
	case thread.Receive:
		hash = c.IDHash
	case thread.Open:
		hash = c.IDHash
	}
	if hash == "" {
		return thread.Sighting{}, false, nil
	}
	if s, found := t.state.Seen[hash]; found || t.state.Hashed <= len(t.state.Seen) {
		return s, found, nil
	}
	if e.o.Index != nil && !req.Import {
		s, found, err := e.o.Index.FindMessage(ctx, req.Workspace, t.state.ID, hash, t.state.Oldest)
		if err == nil || errors.Is(err, ErrUnavailable) || ctx.Err() != nil {
			return s, found, err
		}
		// The view can't tell: the log can.
	}
	whole, err := e.walk(ctx, t.aggregate, func(*domain.Commit) bool { return false })
	if err != nil {
		return thread.Sighting{}, false, err
	}
	if t.state.Seen == nil {
		t.state.Seen = map[string]thread.Sighting{}
	}
	maps.Copy(t.state.Seen, whole.Seen) // the thread's next message need not ask again
	s, found := whole.Seen[hash]
	return s, found, nil
}

// blocked reports whether the contact is blocked, or the one that it is merged into: that one's word holds for all of them.
func (e *Engine) blocked(ctx context.Context, workspace, id string) (bool, error) {
	a := domain.Aggregate{Workspace: workspace, Category: domain.CategoryContact, ID: id}
	s, err := loadContact(ctx, e.o.Log, a)
	if err != nil || s.Survivor == "" {
		return s.Blocked, err
	}
	a.ID = s.Survivor
	survivor, err := loadContact(ctx, e.o.Log, a)
	if err == nil && survivor.Held(id, s.Merges) {
		return survivor.Blocked, nil
	}
	return s.Blocked, err
}

// identifier reports whether s can be an address or an id of a channel.
func identifier(s string) bool {
	return len(s) <= MaxAddress && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

func checkInbound(in Inbound) *domain.Refusal {
	var bad []string
	if !domain.ValidID(in.Channel) {
		bad = append(bad, "channel")
	}
	if strings.TrimSpace(in.Address) == "" || !identifier(in.Address) {
		bad = append(bad, "from.address")
	}
	if !identifier(in.MessageID) {
		bad = append(bad, "message_id")
	}
	if len(in.Name) > thread.MaxShortText || !utf8.ValidString(in.Name) {
		bad = append(bad, "from.name")
	}
	if !identifier(in.ExternalID) {
		bad = append(bad, "from.external_id")
	}
	if _, ok := networkOf(in.IP); in.IP != "" && !ok {
		bad = append(bad, "from.ip")
	}
	if len(bad) > 0 {
		return &domain.Refusal{Code: domain.CodeInvalid, Detail: "An address and ids have 1 to 256 bytes of UTF-8, without control characters.", Missing: bad}
	}
	return thread.CheckContent(in.Content)
}
