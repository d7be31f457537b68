package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

// fillers is how many conversations are written at once by fill.
const fillers = 128

// fill writes conversations until the log holds about so many commits: each is opened by the customer, taken, talked in
// eight times, tagged, now and then paused, transferred, noted and rated, and mostly closed. It returns the conversations.
// turns is how often both sides write; 8 gives the mix of a service desk.
func fill(ctx context.Context, w *world, commits, turns int) ([]string, error) {
	var (
		mu     sync.Mutex
		all    []string
		done   atomic.Int64
		next   atomic.Int64
		wg     sync.WaitGroup
		failed = make([]error, fillers)
		start  = time.Now().UTC().Add(-24 * time.Hour)
	)
	for i := range fillers {
		wg.Go(func() {
			for done.Load() < int64(commits) && failed[i] == nil {
				n := int(next.Add(1))
				s := filling{ctx: ctx, w: w, n: n, at: start.Add(time.Duration(n) * 7 * time.Millisecond), done: &done}
				conversation, err := s.tell(turns)
				failed[i] = err
				mu.Lock()
				all = append(all, conversation)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return all, errors.Join(failed...)
}

// filling is one conversation being written as a history: with times of its own.
type filling struct {
	ctx          context.Context
	w            *world
	n            int
	at           time.Time
	step         int
	conversation string
	done         *atomic.Int64
}

func (f *filling) req(req command.Request) command.Request {
	f.step++
	f.at = f.at.Add(37 * time.Second)
	req.Import, req.At, req.Key = true, f.at, fmt.Sprintf("fill-%d-%d", f.n, f.step)
	return req
}

func (f *filling) receives() error {
	r, err := f.w.engine.Receive(f.ctx, f.req(byContact()), inbound(fmt.Sprintf("c-%d", f.n), fmt.Sprintf("m%d", f.step), f.step))
	if err == nil {
		f.conversation = r.Conversation.ID
		f.done.Add(1)
	}
	return err
}

func (f *filling) do(req command.Request, cmd thread.Command) error {
	_, err := f.w.engine.Do(f.ctx, f.req(req), f.conversation, cmd)
	f.done.Add(1)
	return err
}

func (f *filling) tell(turns int) (string, error) {
	op := byOperator(f.n % 20)
	if err := errors.Join(f.receives(), f.do(op, thread.Take{})); err != nil {
		return "", err
	}
	for turn := range turns {
		var err error
		if turn%2 == 0 {
			err = f.do(op, thread.Send{Content: text(turn)})
		} else {
			err = f.receives()
		}
		if err != nil {
			return "", err
		}
	}
	err := f.do(op, thread.Tag{Add: []string{"topic-" + fmt.Sprint(f.n%10)}})
	if f.n%6 == 0 {
		err = errors.Join(err, f.do(op, thread.Pause{}), f.do(op, thread.Send{Content: text(1)}))
	}
	if f.n%8 == 0 {
		err = errors.Join(err, f.do(op, thread.Note{Text: "to be looked at again"}))
	}
	if f.n%10 == 0 {
		op = byOperator((f.n + 1) % 20)
		err = errors.Join(err, f.do(byOperator(f.n%20), thread.Transfer{Operator: op.Actor.ID}))
	}
	if f.n%15 == 0 || err != nil {
		return f.conversation, err // left open
	}
	err = f.do(op, thread.Close{Category: "solved", Summary: "It was answered."})
	if f.n%3 == 0 {
		err = errors.Join(err, f.do(command.Request{
			Workspace: workspace, Principal: "service:bench", Actor: domain.Actor{Kind: domain.ActorContact}}, thread.Rate{Score: 1 + f.n%5}))
	}
	return f.conversation, err
}
