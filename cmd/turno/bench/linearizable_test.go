package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

// said is a command on the one conversation, as the model sees it.
type said struct {
	operator string
	verb     string
}

// answered is what came back: "" for a success, or the code and the owner of a refusal.
type answered struct {
	code  domain.Code
	owner string
}

// owned is the model's conversation: who owns it, and whether it is paused.
type owned struct {
	owner  string
	paused bool
}

// ownership is the conversation as a specification: what each command makes of it and what it must be answered, written
// without a look at the domain.
var ownership = porcupine.Model{
	Init: func() any { return owned{} },
	Step: func(state, input, output any) (bool, any) {
		s, in, out := state.(owned), input.(said), output.(answered)
		expect := func(want answered, next owned) (bool, any) { return out == want, next }
		mine := s.owner == in.operator
		switch in.verb {
		case "take", "send":
			if s.owner == "" || mine {
				return expect(answered{}, owned{owner: in.operator})
			}
			return expect(answered{thread.CodeTakenByAnother, s.owner}, s)
		case "release":
			if s.owner == "" || mine {
				return expect(answered{}, owned{})
			}
			return expect(answered{code: domain.CodeNotFound}, s)
		default: // pause and resume
			switch {
			case s.owner == "":
				return expect(answered{code: domain.CodeNotAllowed}, s)
			case mine:
				return expect(answered{}, owned{s.owner, in.verb == "pause"})
			}
			return expect(answered{code: domain.CodeNotFound}, s)
		}
	},
	DescribeOperation: func(input, output any) string {
		in, out := input.(said), output.(answered)
		return fmt.Sprintf("%s %s -> %s %s", in.operator, in.verb, out.code, out.owner)
	},
}

// TestCommandsAndRefusalsOnOneConversationAreLinearizable lets operators race through two engines and asks porcupine for an
// order in which every answer, refusals included, was true.
func TestCommandsAndRefusalsOnOneConversationAreLinearizable(t *testing.T) {
	for _, replicas := range []int{1, 3} {
		t.Run(fmt.Sprintf("R%d", replicas), func(t *testing.T) {
			ctx := context.Background()
			engines, closeAll, err := Race{Replicas: replicas, Sync: "1s"}.engines(ctx, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer closeAll()
			const workers, calls = 6, 50
			if err := engines[0].desk(ctx, workers); err != nil {
				t.Fatal(err)
			}
			if err := engines[1].image.Refresh(ctx); err != nil {
				t.Fatal(err)
			}
			opened, err := engines[0].engine.Receive(ctx, byContact(), inbound("race", "m", 0))
			if err != nil {
				t.Fatal(err)
			}
			var (
				began   = time.Now()
				history []porcupine.Operation
				mu      sync.Mutex
				wg      sync.WaitGroup
			)
			for w := range workers {
				wg.Go(func() {
					for range calls {
						in := said{operatorID(w), []string{"take", "take", "send", "release", "release", "pause", "resume"}[rand.IntN(7)]}
						from := time.Since(began)
						out, err := say(ctx, engines[rand.IntN(2)], w, opened.Conversation.ID, in)
						if err != nil {
							t.Error(err)
							return
						}
						mu.Lock()
						history = append(history, porcupine.Operation{
							ClientId: w, Input: in, Output: out, Call: from.Nanoseconds(), Return: time.Since(began).Nanoseconds()})
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			if len(history) != workers*calls {
				t.Fatalf("%d answers, want %d", len(history), workers*calls)
			}
			if got := porcupine.CheckOperationsTimeout(ownership, history, time.Minute); got != porcupine.Ok {
				for _, op := range history {
					t.Logf("%d..%d %s", op.Call, op.Return, ownership.DescribeOperation(op.Input, op.Output))
				}
				t.Fatalf("the history is not linearizable: %s", got)
			}
		})
	}
}

func say(ctx context.Context, w *world, worker int, conversation string, in said) (answered, error) {
	commands := map[string]thread.Command{
		"take": thread.Take{}, "send": thread.Send{Content: text(0)}, "release": thread.Release{}, "pause": thread.Pause{}, "resume": thread.Resume{},
	}
	_, err := w.engine.Do(ctx, byOperator(worker), conversation, commands[in.verb])
	var refusal *domain.Refusal
	switch {
	case err == nil:
		return answered{}, nil
	case errors.As(err, &refusal):
		return answered{refusal.Code, refusal.Owner}, nil
	}
	return answered{}, err
}

func TestTheCheckerCatchesALie(t *testing.T) {
	lie := []porcupine.Operation{
		{ClientId: 0, Input: said{"op-0", "take"}, Output: answered{}, Call: 0, Return: 1},
		{ClientId: 1, Input: said{"op-1", "take"}, Output: answered{}, Call: 2, Return: 3},
	}
	if porcupine.CheckOperations(ownership, lie) {
		t.Fatal("two owners pass for one")
	}
}

func TestAThousandTakesGiveOneOwnerOnOneServerAndOnThree(t *testing.T) {
	for _, replicas := range []int{1, 3} {
		if err := (Race{Takes: 1000, Rounds: 2, Replicas: replicas, Sync: "1s"}).Run(t.Context(), t.Output()); err != nil {
			t.Errorf("R%d: %v", replicas, err)
		}
	}
}
