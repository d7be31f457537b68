package command

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/identity"
	"github.com/turno-desk/turno/domain/thread"
)

// identified is the thread that an address is claimed for.
type identified struct {
	identity string // aggregate id
	thread   string
	key      string
}

func (e *Engine) identityOf(workspace, channel, address string) domain.Aggregate {
	return domain.Aggregate{
		Workspace: workspace, Category: domain.CategoryIdentity, ID: e.o.Hasher.Hash(workspace, channel, "address", address),
	}
}

// lookUp finds what an address is claimed for, in memory first; found is false when for nothing.
func (e *Engine) lookUp(ctx context.Context, a domain.Aggregate) (id identified, found bool, err error) {
	if id, ok := e.identities.Get(a.String()); ok {
		return id, true, nil
	}
	s, key, _, err := e.loadIdentity(ctx, a)
	if err != nil || s.Thread == "" {
		return identified{}, false, err
	}
	return e.remember(a, s.Thread, key), true, nil
}

func (e *Engine) remember(a domain.Aggregate, threadID, key string) identified {
	id := identified{identity: a.ID, thread: threadID, key: key}
	e.identities.Add(a.String(), id)
	return id
}

// loadIdentity reads an identity's newest commit, which gives its state, and the key of its thread.
func (e *Engine) loadIdentity(ctx context.Context, a domain.Aggregate) (s identity.State, key string, v domain.Version, err error) {
	commits, v, err := e.o.Log.Load(ctx, a, 0, func(*domain.Commit) bool { return true })
	if err != nil {
		return s, "", 0, fmt.Errorf("load an identity: %w", err)
	}
	for _, c := range commits {
		key = c.Key
		for _, ev := range c.Events {
			if ev, ok := ev.(identity.Event); ok {
				s = s.Evolve(ev)
			}
		}
	}
	return s, key, v, nil
}

// claim finds the thread of an address, or ties the address to a new one: guarded, so that of two who ask at once one
// makes the thread and both get it.
func (e *Engine) claim(ctx context.Context, req Request, a domain.Aggregate, channel, address string) (identified, error) {
	if id, ok := e.identities.Get(a.String()); ok {
		return id, nil
	}
	for conflicts := 0; ; conflicts++ {
		s, key, v, err := e.loadIdentity(ctx, a)
		if err != nil {
			return identified{}, err
		}
		threadID := NewThreadID()
		events := identity.DecideClaim(s, identity.Claim{
			Thread: threadID, Contact: contact.ID(threadID), Channel: channel, Address: domain.Personal(address),
		})
		if len(events) == 0 {
			return e.remember(a, s.Thread, key), nil
		}
		if key, err = e.o.Keys.NewKey(ctx); err != nil {
			return identified{}, fmt.Errorf("a key for a new thread: %w", err)
		}
		err = e.appendIdentity(ctx, req, a, v, key, events)
		if err == nil {
			return e.remember(a, threadID, key), nil
		}
		if !errors.Is(err, ErrConflict) || conflicts == maxConflicts {
			return identified{}, fmt.Errorf("claim an address: %w", err)
		}
	}
}

// Claim is what an address on a channel was claimed for.
type Claim struct {
	Identity string // id of the claim
	Contact  string
}

// Claim finds whose an address on a channel is, or claims it for a contact that comes into being: its first message will find
// that. A *domain.Refusal for a channel that is not in use, and what can't be an address.
func (e *Engine) Claim(ctx context.Context, req Request, channel, address string) (Claim, error) {
	if !domain.ValidID(channel) || strings.TrimSpace(address) == "" || !identifier(address) {
		return Claim{}, &domain.Refusal{Code: domain.CodeInvalid, Missing: []string{"channel", "channel_address"},
			Detail: "A channel is an id, and an address there 1 to 256 bytes of UTF-8 without control characters."}
	}
	if err := e.channelInUse(ctx, req, channel); err != nil {
		return Claim{}, err
	}
	a := e.identityOf(req.Workspace, channel, address)
	for erased := 0; ; erased++ {
		id, err := e.claim(ctx, req, a, channel, address)
		if err != nil {
			return Claim{}, err
		}
		state, err := e.summary(ctx, req.Workspace, id.thread)
		if err != nil {
			return Claim{}, err
		}
		if !state.Erased || erased == maxConflicts {
			return Claim{Identity: id.identity, Contact: contact.ID(id.thread)}, nil
		}
		if err := e.releaseIdentity(ctx, req, a.ID, id.thread); err != nil { // as in onThread
			return Claim{}, err
		}
	}
}

// Received is the name that came with the newest conversation of a thread; empty for none.
func (e *Engine) Received(ctx context.Context, req Request, threadID string) (domain.Personal, error) {
	state, err := e.summary(ctx, req.Workspace, threadID)
	return state.Name, err
}

// releaseIdentity unties an address from an erased thread, so that its next message makes a new one.
func (e *Engine) releaseIdentity(ctx context.Context, req Request, id, threadID string) error {
	a := domain.Aggregate{Workspace: req.Workspace, Category: domain.CategoryIdentity, ID: id}
	defer e.identities.Remove(a.String())
	for conflicts := 0; ; conflicts++ {
		s, _, v, err := e.loadIdentity(ctx, a)
		if err != nil {
			return err
		}
		events := identity.DecideRelease(s, threadID)
		if len(events) == 0 {
			return nil
		}
		if err = e.appendIdentity(ctx, req, a, v, "", events); err == nil {
			return nil
		}
		if !errors.Is(err, ErrConflict) || conflicts == maxConflicts {
			return fmt.Errorf("release an address: %w", err)
		}
	}
}

func (e *Engine) appendIdentity(ctx context.Context, req Request, a domain.Aggregate, v domain.Version, key string, events []identity.Event) error {
	now := e.recorded(&thread.State{})
	c := domain.Commit{
		ID: "r" + randomID(), Aggregate: a, Recorded: now, Time: now, Origin: domain.OriginLive, Actor: req.Actor, Key: key, Trace: req.Trace,
	}
	if req.Import {
		c.Origin, c.Time = domain.OriginImport, req.At.UTC().Truncate(time.Millisecond)
	}
	for _, ev := range events {
		c.Events = append(c.Events, ev)
	}
	_, _, err := e.o.Log.Append(ctx, c, v)
	return err
}
