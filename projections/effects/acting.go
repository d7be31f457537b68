package effects

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections/floor"
	"github.com/turno-desk/turno/projections/lead"
)

// acting is one leadership, from its beginning to its end.
type acting struct {
	*Runner
	floor       *floor.State
	from        domain.Position // where the reading began
	head        domain.Position // of the log at the beginning: from there on the floor is what is
	checkpoints []checkpoint    // one for each effect
	saved       []checkpoint    // as they are in the table
	savedAt     time.Time
	results     domain.Position // the newest commit that a command made: it must be in the floor before Settle is asked again
	idle        int             // how often in a row Settle made commands that were all refused
}

const (
	saveEvery  = 200 * time.Millisecond // so much is acted on again after a crash, to no effect
	atOnce     = 64                     // lanes
	lookAgain  = time.Second            // after a refusal of what Settle wanted; doubled up to mostAgain
	mostAgain  = 30 * time.Second
	settleWait = 2 * time.Second // for the results of commands to come back
)

// follow acts on what the log brings and on what is due. It returns when ctx ends, or with the error of the reading.
func (a *acting) follow(ctx context.Context, chunks <-chan []domain.Commit, read <-chan error) error {
	alarm := time.NewTimer(0)
	defer alarm.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-read:
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("read the log: %w", err)
		case chunk := <-chunks:
			if err := a.digest(ctx, chunk); err != nil {
				return err
			}
		case <-alarm.C:
		}
		wait, err := a.work(ctx)
		if err != nil {
			return err
		}
		alarm.Reset(wait)
	}
}

// digest folds commits into the floor, and has done what follows from each.
func (a *acting) digest(ctx context.Context, chunk []domain.Commit) error {
	var commands []Command
	for i := range chunk {
		c := &chunk[i]
		if c.Position > a.floor.Position {
			a.floor.Apply(c)
		}
		if c.Aggregate.Workspace != a.workspace || c.Origin == domain.OriginImport {
			continue
		}
		for k, e := range a.effects {
			if reactor, ok := e.(Reactor); ok && c.Position > a.checkpoints[k].position {
				commands = append(commands, named(e, reactor.React(a.floor, c))...)
			}
		}
	}
	if _, err := a.do(ctx, commands); err != nil {
		return err
	}
	last := chunk[len(chunk)-1]
	for k := range a.checkpoints {
		if last.Position > a.checkpoints[k].position {
			a.checkpoints[k].position, a.checkpoints[k].commit = last.Position, last.ID
		}
	}
	a.idle = 0
	if time.Since(a.savedAt) < saveEvery {
		return nil
	}
	return a.saveAll(ctx)
}

// work fires what is due and settles the floor, once all of the log that there was at the beginning is in it. It returns when
// to work again if the log brings nothing.
func (a *acting) work(ctx context.Context) (time.Duration, error) {
	if a.floor.Position < a.head {
		return time.Hour, nil
	}
	if err := a.fire(ctx); err != nil {
		return 0, err
	}
	wait := time.Hour
	if a.floor.Position < a.results {
		return settleWait, nil // the log brings them in a moment
	}
	var commands []Command
	for _, e := range a.effects {
		if s, ok := e.(Settler); ok {
			commands = append(commands, named(e, s.Settle(a.floor, a.o.Now()))...)
		}
	}
	if len(commands) > 0 {
		done, err := a.do(ctx, commands)
		if err != nil {
			return 0, err
		}
		if done == 0 { // not yet: the settings that decide lag a moment behind the log that we read
			wait = min(lookAgain<<min(a.idle, 5), mostAgain)
			a.idle++
		}
	}
	if next, ok := a.floor.Timers.Next(); ok {
		wait = min(wait, max(0, next.Sub(a.o.Now())))
	}
	if !a.allSaved() {
		wait = min(wait, saveEvery)
		if time.Since(a.savedAt) >= saveEvery {
			return wait, a.saveAll(ctx)
		}
	}
	return wait, nil
}

// fire has done what the timers that are due call for. A timer whose command was refused rests until the log changes it.
func (a *acting) fire(ctx context.Context) error {
	now := a.o.Now()
	due := a.floor.Timers.Due(now)
	var commands []Command
	for _, t := range due {
		for _, e := range a.effects {
			if timed, ok := e.(Timed); ok {
				commands = append(commands, named(e, timed.Fire(a.floor, t, now))...)
			}
		}
	}
	if _, err := a.do(ctx, commands); err != nil {
		for _, t := range due {
			a.floor.Timers.Again(t)
		}
		return err
	}
	return nil
}

func named(e Effect, commands []Command) []Command {
	for i := range commands {
		commands[i].Effect = e.Name()
	}
	return commands
}

// do has the commands done, those of one lane in order and many lanes at once, and returns how many made a commit. What fails is
// said again until it is done or refused, or ctx ends.
func (a *acting) do(ctx context.Context, commands []Command) (done int, err error) {
	var order []string
	lanes := map[string][]Command{}
	for _, c := range commands {
		l := c.lane()
		if lanes[l] == nil {
			order = append(order, l)
		}
		lanes[l] = append(lanes[l], c)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for _, l := range order {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			for _, c := range lanes[l] {
				position, derr := a.insist(ctx, c)
				mu.Lock()
				if position > 0 {
					done++
					a.results = max(a.results, position)
				}
				err = errors.Join(err, derr)
				mu.Unlock()
				if derr != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return done, err
}

// insist says a command until it is answered.
func (a *acting) insist(ctx context.Context, c Command) (domain.Position, error) {
	for {
		position, err := a.desk.Do(ctx, c)
		var refusal *domain.Refusal
		switch {
		case err == nil:
			return position, nil
		case errors.As(err, &refusal):
			a.log.Debug("an effect's command is refused", zapEffect(c.Effect), zap.String("target", c.Target()), zap.String("code", string(refusal.Code)))
			return 0, nil
		}
		a.log.Warn("an effect's command is not done yet", zapEffect(c.Effect), zap.String("target", c.Target()), zap.Error(err))
		if !lead.Pause(ctx, a.o.Retry) {
			return 0, ctx.Err()
		}
	}
}

func (a *acting) allSaved() bool {
	for k := range a.saved {
		if a.saved[k] != a.checkpoints[k] {
			return false
		}
	}
	return true
}

func (a *acting) saveAll(ctx context.Context) error {
	for k := range a.checkpoints {
		if a.saved[k] == a.checkpoints[k] {
			continue
		}
		if err := a.save(ctx, a.saved[k], a.checkpoints[k]); err != nil {
			return err
		}
		a.saved[k] = a.checkpoints[k]
	}
	a.savedAt = time.Now()
	return nil
}
