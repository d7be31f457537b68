package command

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

// Options is what an Engine is made of. Log, Image, Keys, Hasher and Numbers are required.
type Options struct {
	Log     Log
	Image   *Image
	Keys    Keys
	Hasher  Hasher
	Numbers *Numbers
	Index   MessageIndex // nil: a thread is walked whole where the index would have been asked
	Tickets TicketIndex  // nil: every number is a ticket
	States  States       // nil: every load walks to the opening
	Now     func() time.Time
	Cached  int // threads kept in memory; default 20,000
}

// Engine handles the commands of conversations. It is safe for concurrent use.
type Engine struct {
	o          Options
	threads    *lru.Cache[string, *entry]     // by workspace/thread
	identities *lru.Cache[string, identified] // by aggregate
}

// Limits of one command.
const (
	maxConflicts    = 5   // how often a command is decided again after it lost a race
	snapshotCommits = 200 // a walk longer than this looks for a kept state first
	defaultCached   = 20_000
)

// NewEngine returns an engine on o.
func NewEngine(o Options) *Engine {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Cached <= 0 {
		o.Cached = defaultCached
	}
	threads, _ := lru.New[string, *entry](o.Cached)            // fails for a size of 0 alone
	identities, _ := lru.New[string, identified](4 * o.Cached) // likewise
	return &Engine{o: o, threads: threads, identities: identities}
}

// Do handles a command on a conversation that exists. Errors: *domain.Refusal; ErrUncertain, ErrUnavailable, ErrFull.
func (e *Engine) Do(ctx context.Context, req Request, conversation string, cmd thread.Command) (Result, error) {
	id, n, ok := thread.SplitConversationID(conversation)
	if !ok {
		return Result{}, &domain.Refusal{Code: domain.CodeNotFound, Detail: "There is no such conversation."}
	}
	target := conversation
	if req.Import {
		target = id // a line of an import means the conversation of its time, whichever is the newest when it is run again
	}
	return e.handle(ctx, req, job{thread: id, number: n, cmd: cmd, id: CommandID(req, target, actionOf(cmd))})
}

// Conversation returns a thread and one of its conversations as the log has them now, to whoever asks: the caller checks
// who may see it. A *domain.Refusal with CodeNotFound when there is none.
func (e *Engine) Conversation(ctx context.Context, workspace, conversation string) (*thread.State, *thread.Conversation, error) {
	id, n, ok := thread.SplitConversationID(conversation)
	if !ok {
		return nil, nil, &domain.Refusal{Code: domain.CodeNotFound, Detail: "There is no such conversation."}
	}
	t, err := e.lock(ctx, workspace, id)
	if err != nil {
		return nil, nil, err
	}
	defer t.unlock()
	if err := e.load(ctx, t, n, true); err != nil {
		return nil, nil, err
	}
	conv := t.state.Conversations[n]
	if conv == nil {
		return nil, nil, &domain.Refusal{Code: domain.CodeNotFound, Detail: "There is no such conversation."}
	}
	state, copied := t.state.Summary(), *conv
	return &state, &copied, nil
}

// job is one command on one thread.
type job struct {
	thread string
	number int // of the conversation that it names; 0: the thread's newest, whichever that is
	cmd    thread.Command
	id     string // of the command
	key    string // of the thread, for its first commit
	keyed  bool   // the id hash of its message comes from the Idempotency-Key: the same one with another body is refused
}

// handle decides and appends, again and again while others get in between, and answers nothing that it does not know: a
// refusal or a no-op decided from memory is confirmed against the tail of the log first, because no guard judges it.
func (e *Engine) handle(ctx context.Context, req Request, j job) (Result, error) {
	image, err := e.image(ctx, req)
	if err != nil {
		return Result{}, err
	}
	t, err := e.lock(ctx, req.Workspace, j.thread)
	if err != nil {
		return Result{}, err
	}
	defer t.unlock()
	if err := e.load(ctx, t, j.number, false); err != nil {
		return Result{}, err
	}
	for conflicts := 0; ; {
		if r, done, err := e.settled(ctx, req, t, j); done || err != nil {
			return r, err
		}
		conv := t.conversation(j.number)
		facts := thread.Facts{Image: image, Actor: req.Actor, Thread: j.thread, Import: req.Import, List: req.List}
		recorded := e.recorded(t.state)
		facts.Now = eventTime(req, t.state, recorded)
		if r := misplaced(req, t.state.LastTime, recorded); r != nil {
			return Result{}, r
		}
		was := t.state.Version
		if err := e.prepare(ctx, req, t, &j, &facts); err != nil {
			return Result{}, err
		}
		if t.state.Version != was {
			continue // it had to load more, and found more than that
		}
		if j.cmd, err = e.resolved(ctx, req, t, image, j.cmd); err != nil {
			return Result{}, err
		}
		events, refusal := thread.Decide(t.state, conv, j.cmd, facts)
		if refusal == nil && req.IfMatch != 0 && (conv == nil || conv.Revision != req.IfMatch) {
			refusal = &domain.Refusal{Code: domain.CodeStale, Detail: "The conversation has changed since that revision."}
		}
		if refusal != nil || len(events) == 0 {
			moved, err := e.catchUp(ctx, t, j.number)
			if err != nil {
				return Result{}, err
			}
			if refusal != nil && refusal.OnSettings {
				confirmed, changed, err := e.o.Image.Confirm(ctx, image)
				if err != nil {
					return Result{}, err
				}
				image, moved = confirmed, moved || changed
			}
			if moved {
				continue
			}
			if refusal != nil {
				return Result{}, refusal
			}
			return t.result(domain.Commit{}, conv), nil
		}
		commit := e.commit(req, t, j, conv, image, events, recorded, facts.Now)
		position, version, err := e.o.Log.Append(ctx, commit, t.state.Version)
		switch {
		case err == nil:
			commit.Position, commit.Version, commit.Prev = position, version, t.state.Position
			if commit.Opened == 0 {
				commit.Opened = position
			}
			t.state.Apply(&commit)
			return t.result(commit, t.state.Conversations[numberOf(commit)]), nil
		case errors.Is(err, ErrConflict):
			if conflicts++; conflicts > maxConflicts {
				return Result{}, fmt.Errorf("thread %s stayed contended: %w", j.thread, ErrUnavailable)
			}
			if conflicts > 1 {
				if err := jitter(ctx, conflicts); err != nil {
					return Result{}, err
				}
			}
			if _, err := e.catchUp(ctx, t, j.number); err != nil {
				return Result{}, err
			}
		default:
			if !e.unexplained(ctx, t, j, err) {
				return Result{}, err
			}
		}
	}
}

// unexplained deals with an append that failed by no race, and reports whether to decide again: when the thread has moved
// on meanwhile, for its key may be gone with an erasure. Otherwise memory is dropped and the error stands.
func (e *Engine) unexplained(ctx context.Context, t *entry, j job, failed error) (again bool) {
	var refusal *domain.Refusal
	for _, known := range []error{ErrUncertain, ErrUnavailable, ErrFull} {
		if errors.Is(failed, known) {
			t.forget()
			return false
		}
	}
	if !errors.As(failed, &refusal) {
		if moved, err := e.catchUp(ctx, t, j.number); err == nil && moved {
			return true
		}
	}
	t.forget()
	return false
}

// image is the settings that the command is decided with.
func (e *Engine) image(ctx context.Context, req Request) (*settingImage, error) {
	if req.After != 0 {
		if err := e.o.Image.WaitFor(ctx, req.After); err != nil {
			return nil, err
		}
	}
	return e.o.Image.Snapshot(ctx)
}

// settled answers a command that was appended before: found by its id in what is loaded or, for an import that is run
// again, in the thread back to its time.
func (e *Engine) settled(ctx context.Context, req Request, t *entry, j job) (Result, bool, error) {
	if s, found, err := e.duplicate(ctx, req, t, j.cmd); err != nil {
		return Result{}, true, err
	} else if found {
		r, err := e.recall(ctx, t, s)
		if err == nil && j.keyed && r.Commit.BodyHash != req.BodyHash {
			return Result{}, true, keyReused()
		}
		return r, true, err
	}
	s, found := t.state.Commands[j.id]
	if !found && req.Import && req.Key != "" && !t.state.LastTime.IsZero() && !req.At.After(t.state.LastTime) {
		at := req.At.UTC().Truncate(time.Millisecond)
		since, err := e.walk(ctx, t.aggregate, func(c *domain.Commit) bool { return c.Time.Before(at) })
		if err != nil {
			return Result{}, true, err
		}
		s, found = since.Commands[j.id]
	}
	if !found {
		return Result{}, false, nil
	}
	if s.BodyHash != req.BodyHash {
		return Result{}, true, keyReused()
	}
	r, err := e.recall(ctx, t, s)
	return r, true, err
}

// commit makes the commit of a decision: what was before and what is after stand beside the events.
func (e *Engine) commit(req Request, t *entry, j job, conv *thread.Conversation, image *settingImage, events []thread.Event, recorded, at time.Time) domain.Commit {
	c := domain.Commit{
		ID: j.id, Aggregate: t.aggregate, Recorded: recorded, Time: at, Origin: domain.OriginLive,
		Actor: req.Actor, BodyHash: req.BodyHash, Image: image.Position, Key: t.state.Key, Trace: req.Trace,
	}
	if req.Import {
		c.Origin = domain.OriginImport
	}
	if c.Key == "" {
		c.Key = j.key
	}
	for _, ev := range events {
		c.Events = append(c.Events, ev)
		if o, ok := ev.(thread.Opened); ok {
			c.Conversation, c.Ticket, c.Contact, c.Channel = thread.ConversationID(j.thread, o.Number), o.Ticket, o.Contact, o.Channel
		}
	}
	if c.Conversation == "" {
		conv = thread.About(t.state, conv, events)
		c.Conversation, c.Ticket, c.Contact, c.Channel = conv.ID, conv.Ticket, t.state.Contact, t.state.Channel
		c.Opened, c.Before = conv.Opened, conv.Sight()
	}
	c.After = thread.SightAfter(conv, &c)
	return c
}

// recorded is the engine's clock in milliseconds, never before the thread's previous commit.
func (e *Engine) recorded(s *thread.State) time.Time {
	now := e.o.Now().UTC().Truncate(time.Millisecond)
	if now.Before(s.LastRecorded) {
		return s.LastRecorded
	}
	return now
}

// eventTime is when the command's events happened: when they are recorded or, for an import, its `at`; never before the
// thread's previous ones.
func eventTime(req Request, s *thread.State, recorded time.Time) time.Time {
	switch {
	case req.Import:
		return req.At.UTC().Truncate(time.Millisecond)
	case recorded.Before(s.LastTime):
		return s.LastTime
	}
	return recorded
}

// importAhead is how far in the future the events of an import may lie: clocks differ by hours, histories don't by days.
const importAhead = 24 * time.Hour

// misplaced refuses an import's time: before what is there already, or after any clock could say.
func misplaced(req Request, last, recorded time.Time) *domain.Refusal {
	switch at := req.At.UTC().Truncate(time.Millisecond); {
	case !req.Import:
		return nil
	case at.Before(last):
		return &domain.Refusal{Code: domain.CodeOutOfOrder, Detail: "The log already holds later events of it.", Missing: []string{"at"}}
	case at.After(recorded.Add(importAhead)):
		return &domain.Refusal{Code: domain.CodeInvalid, Detail: "The time lies in the future.", Missing: []string{"at"}}
	}
	return nil
}

// jitter waits a little, longer with every conflict, so that racing processes part.
func jitter(ctx context.Context, conflicts int) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Duration(rand.Int64N(int64(conflicts) * int64(2*time.Millisecond)))):
		return nil
	}
}
