package command

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
)

// SettingResult is the success of a command on anything but a conversation.
type SettingResult struct {
	Position domain.Position // of the commit; the aggregate's newest one when nothing had to be done
	Commit   domain.Commit   // what was appended, now or by an earlier call with the same key; no Events when nothing had to be done
	Replayed bool            // an earlier call with the same key had done it
}

// writer is what every change of an aggregate that is no thread needs.
type writer struct {
	log Log
	now func() time.Time
}

// edit is one command on one aggregate. The zero S is the aggregate before its first commit.
type edit[S any] struct {
	req       Request
	aggregate domain.Aggregate
	action    string
	image     *setting.Image // what it is decided with; may be nil
	tail      bool           // the newest commit alone gives the state

	evolve func(*S, *domain.Commit)
	// decide says which events the command makes at the event time `now`. None: nothing has to be done. It may be called
	// several times, and each time the state is as the log had it at the call.
	decide func(s *S, now time.Time) ([]domain.Event, error)
	// key names the key that seals the personal fields of the events, once decide has made some; nil: there are none. has is
	// the key of the aggregate's newest commit that has one.
	key func(has string) (string, error)
}

// stand is an aggregate as far as it was loaded.
type stand[S any] struct {
	state    S
	version  domain.Version
	position domain.Position
	recorded time.Time
	time     time.Time
	key      string
	commits  int
	earlier  *domain.Commit // the commit of this very command
}

// change loads the aggregate, decides and appends one guarded commit. It loads and decides anew when somebody else was
// faster, at most maxConflicts times. A command that was appended before, by its key or by an attempt whose answer was
// lost, is found again in the aggregate. Errors: *domain.Refusal; ErrUncertain, ErrUnavailable, ErrFull.
func change[S any](ctx context.Context, w writer, e edit[S]) (SettingResult, error) {
	id := CommandID(e.req, e.aggregate.String(), e.action)
	since := ^domain.Version(0) // the guard of the first attempt: our commit may be anywhere behind it
	var lost struct {           // the last attempt whose outcome is unknown
		err     error
		version domain.Version
	}
	for try := 0; ; try++ {
		s, err := load(ctx, w.log, e, id, since)
		if err != nil {
			return SettingResult{}, unless(lost.err, err)
		}
		if s.earlier != nil {
			if s.earlier.BodyHash != e.req.BodyHash {
				return SettingResult{}, keyReused()
			}
			return SettingResult{Position: s.earlier.Position, Commit: *s.earlier, Replayed: try == 0}, nil
		}
		if lost.err != nil && s.version != lost.version {
			lost.err = nil // what was lost can't be appended any more: its guard is stale
		}
		c, err := decided(w, e, s, id)
		if err != nil || len(c.Events) == 0 {
			return SettingResult{Position: s.position, Commit: c}, unless(lost.err, err)
		}
		since = min(since, s.version)
		position, version, err := w.log.Append(ctx, c, s.version)
		switch {
		case err == nil:
			c.Position, c.Version, c.Prev = position, version, s.position
			return SettingResult{Position: position, Commit: c}, nil
		case errors.Is(err, ErrUncertain):
			lost.err, lost.version = err, s.version
		case !errors.Is(err, ErrConflict):
			return SettingResult{}, unless(lost.err, err)
		}
		if try == maxConflicts {
			return SettingResult{}, unless(lost.err, fmt.Errorf("%s stayed contended: %w", e.aggregate, ErrUnavailable))
		}
		if err := jitter(ctx, try+1); err != nil {
			return SettingResult{}, unless(lost.err, err)
		}
	}
}

func keyReused() *domain.Refusal {
	return &domain.Refusal{Code: domain.CodeKeyReused, Detail: "The Idempotency-Key was used with another body."}
}

// unless is the error to answer with: while an attempt may still have gone through, nothing else is true.
func unless(lost, err error) error {
	if lost != nil {
		return lost
	}
	return err
}

// load walks the aggregate back: to its newest commit where that is enough, to the commit of this command where there may
// be one (it has a key, or was tried with the guard `since`), and else to its first. The commit of an import's line has the
// line's time, so it can't lie behind an earlier one.
func load[S any](ctx context.Context, log Log, e edit[S], id string, since domain.Version) (*stand[S], error) {
	keyed := e.req.Key != ""
	commits, version, err := log.Load(ctx, e.aggregate, 0, func(c *domain.Commit) bool {
		return e.tail && (c.ID == id || !keyed && c.Version <= since || e.req.Import && c.Time.Before(e.req.At.UTC().Truncate(time.Millisecond)))
	})
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", e.aggregate, err)
	}
	s := &stand[S]{version: version, commits: len(commits)}
	for i := range commits {
		c := &commits[i]
		if c.ID == id {
			s.earlier = c
		}
		if c.Key != "" {
			s.key = c.Key
		}
		e.evolve(&s.state, c)
		s.position, s.recorded = c.Position, c.Recorded
		if c.Time.After(s.time) {
			s.time = c.Time
		}
	}
	return s, nil
}

// decided makes the commit of the command; one without events when nothing has to be done.
func decided[S any](w writer, e edit[S], s *stand[S], id string) (domain.Commit, error) {
	if e.req.IfMatch != 0 && e.req.IfMatch != s.position {
		return domain.Commit{}, &domain.Refusal{Code: domain.CodeStale, Detail: "It has changed since that revision."}
	}
	recorded := w.now().UTC().Truncate(time.Millisecond)
	if recorded.Before(s.recorded) {
		recorded = s.recorded
	}
	if r := misplaced(e.req, s.time, recorded); r != nil {
		return domain.Commit{}, r
	}
	at, origin := recorded, domain.OriginLive
	switch {
	case e.req.Import:
		at, origin = e.req.At.UTC().Truncate(time.Millisecond), domain.OriginImport
	case at.Before(s.time):
		at = s.time
	}
	events, err := e.decide(&s.state, at)
	if err != nil || len(events) == 0 {
		return domain.Commit{}, err
	}
	c := domain.Commit{
		ID: id, Aggregate: e.aggregate, Recorded: recorded, Time: at, Origin: origin,
		Actor: e.req.Actor, BodyHash: e.req.BodyHash, Trace: e.req.Trace, Events: events,
	}
	if e.image != nil {
		c.Image = e.image.Position
	}
	if e.key != nil {
		if c.Key, err = e.key(s.key); err != nil {
			return domain.Commit{}, err
		}
	}
	return c, nil
}
