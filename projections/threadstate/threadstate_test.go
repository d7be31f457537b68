package threadstate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/threadstate"
	"github.com/turno-desk/turno/projections/viewtest"
)

var _ command.States = (*threadstate.Queries)(nil)

// long is a desk with a conversation of n commits in t1 and short ones beside it.
func long(n int) (*viewtest.Log, *viewtest.Desk) {
	log := viewtest.NewLog("test")
	d := viewtest.NewDesk(log, 1)
	for i := range n {
		d.Now = d.Now.Add(time.Second)
		if i%50 == 0 {
			id := fmt.Sprint("t2x", i)
			d.Do("contact", id, 0, d.Receive(id, "web", "hola"))
		}
		if i%3 == 1 {
			d.Do("ana", "t1", 0, thread.Send{Content: thread.Content{Kind: thread.KindText, Text: "sí"}})
		} else {
			d.Do("contact", "t1", 0, d.Receive("t1", "web", "hola"))
		}
	}
	return log, d
}

type plain struct{}

func (plain) OpenState(_ context.Context, data []byte, into any) error {
	return json.Unmarshal(data, into)
}

func build(t *testing.T, log projections.Source) viewtest.Store {
	t.Helper()
	store, err := viewtest.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	if err := projections.NewRunner(log, store, threadstate.New(log), nil, projections.Options{CatchUp: 130, Batch: 130}).RunToHead(context.Background()); err != nil {
		t.Fatal(err)
	}
	return store
}

func TestAKeptStateAndTheCommitsSinceGiveTheThread(t *testing.T) {
	for _, n := range []int{199, 200, 299, 300, 457} {
		log, d := long(n)
		q := threadstate.NewQueries(build(t, log).Reader(threadstate.Name), plain{})
		s, found, err := q.ThreadState(context.Background(), "default", "t1")
		if err != nil || found != (n >= 200) {
			t.Fatalf("%d commits: found is %t (%v)", n, found, err)
		}
		if !found {
			continue
		}
		since := 0
		for _, c := range log.Commits() {
			if c.Aggregate.ID == "t1" && c.Version > s.Version {
				s.Apply(&c)
				since++
			}
		}
		if since != n%100 {
			t.Errorf("%d commits: the kept state is %d commits old", n, since)
		}
		if diff := cmp.Diff(d.Thread("t1"), s); diff != "" {
			t.Fatalf("%d commits (-thread +kept):\n%s", n, diff)
		}
	}
}

// TestWhatIsPersonalStaysSealed keeps a state of a log that seals.
func TestWhatIsPersonalStaysSealed(t *testing.T) {
	ctx := context.Background()
	log, d := long(250)
	sealed, opener, err := viewtest.Sealed(ctx, log)
	if err != nil {
		t.Fatal(err)
	}
	store := build(t, sealed)
	var kept string
	if err := store.Reader(threadstate.Name).QueryRow(`SELECT state FROM state WHERE thread = 't1'`).Scan(&kept); err != nil {
		t.Fatal(err)
	}
	if name := string(d.Thread("t1").Name); name == "" || strings.Contains(kept, name) {
		t.Errorf("the name %q lies open in the view", name)
	}
	s, found, err := threadstate.NewQueries(store.Reader(threadstate.Name), opener).ThreadState(ctx, "default", "t1")
	if err != nil || !found {
		t.Fatalf("found %t: %v", found, err)
	}
	loaded, _, err := sealed.Load(ctx, domain.Aggregate{Workspace: "default", Category: domain.CategoryThread, ID: "t1"}, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := &thread.State{ID: "t1"}
	for i := range loaded {
		if loaded[i].Version <= s.Version {
			want.Apply(&loaded[i])
		}
	}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("-loaded +kept:\n%s", diff)
	}
}

// open delivers personal fields open to those who did not ask for it, as projections.Shared does.
type open struct{ projections.Source }

func (o open) Read(ctx context.Context, after domain.Position, opts projections.ReadOptions, fn func([]domain.Commit) error) error {
	opts.Open = true
	return o.Source.Read(ctx, after, opts, fn)
}

func TestWhatComesOpenIsKeptSealed(t *testing.T) {
	log, d := long(199)
	const secret = "12345678Z"
	if _, ok := d.Do("adela", "t1", 0, thread.Classify{Classified: thread.Classified{Fields: map[string]domain.Personal{"dni": secret}}}); !ok {
		t.Fatal("the classification was refused")
	}
	sealed, opener, err := viewtest.Sealed(context.Background(), log)
	if err != nil {
		t.Fatal(err)
	}
	store := build(t, open{sealed})
	var kept string
	if err := store.Reader(threadstate.Name).QueryRow(`SELECT state FROM state WHERE thread = 't1'`).Scan(&kept); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(kept, secret) {
		t.Error("the field lies open in the view")
	}
	s, _, err := threadstate.NewQueries(store.Reader(threadstate.Name), opener).ThreadState(context.Background(), "default", "t1")
	if err != nil || s.Current().Classification.Fields["dni"] != secret {
		t.Errorf("the state holds %+v: %v", s, err)
	}
}

func TestAnErasureAndANewConversationDropTheState(t *testing.T) {
	for name, cmds := range map[string][]thread.Command{
		"erased": {thread.Erase{}},
		"new":    {thread.Close{Reason: thread.ClosedResolved}, thread.Open{Channel: "web", Contact: "c1", IDHash: "o", Content: thread.Content{Kind: thread.KindText, Text: "hola"}, Ticket: 9}},
	} {
		log, d := long(250)
		for _, cmd := range cmds {
			if _, ok := d.Do("adela", "t1", 0, cmd); !ok {
				t.Fatalf("%s: %T was refused", name, cmd)
			}
		}
		q := threadstate.NewQueries(build(t, log).Reader(threadstate.Name), plain{})
		if _, found, err := q.ThreadState(context.Background(), "default", "t1"); err != nil || found {
			t.Errorf("%s: found is %t (%v)", name, found, err)
		}
	}
}

func TestAnyBatchesMakeTheSameRows(t *testing.T) {
	log, _ := long(330)
	digests := map[string]bool{}
	for _, size := range []int{5000, 100, 1} {
		digest, err := viewtest.Rebuild(log, threadstate.New(log), projections.Options{CatchUp: size, Batch: size})
		if err != nil {
			t.Fatal(err)
		}
		digests[digest] = true
	}
	if len(digests) != 1 {
		t.Errorf("%d different views came of one log", len(digests))
	}
}
