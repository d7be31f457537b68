package viewtest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/presence"
	"github.com/turno-desk/turno/projections"
)

// pastPositions is at how many positions Past compares.
const pastPositions = 200

// Past holds a view to what it said: it lets a desk work, and at 200 positions of the history, chosen at random, has ask
// answer live, with asOf 0. After the end it asks for the same as of each of those positions, and once more after the view
// was built anew beside and switched to: every answer must be the one that was given then, by its digest. ask answers
// everything that it is to be held to, of db; at is a number that it may choose by, the same each time.
func Past(t *testing.T, p func() projections.Projection, ask func(db *sql.DB, d *Desk, asOf domain.Position, at int) (any, error)) {
	t.Helper()
	ctx := context.Background()
	store, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	log := NewLog("past")
	d := NewDesk(log, 4711)
	name := p().Name()
	dice := rand.New(rand.NewPCG(4711, 1))
	digest := func(asOf domain.Position, at int) ([sha256.Size]byte, string) {
		t.Helper()
		answer, err := ask(store.Reader(name), d, asOf, at)
		if err != nil {
			t.Fatalf("as of %d: %v", asOf, err)
		}
		text, err := json.MarshalIndent(answer, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		return sha256.Sum256(text), string(text)
	}
	tracker, err := projections.NewTracker(log, store.Reader)
	if err != nil {
		t.Fatal(err)
	}
	defer tracker.Close()
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- projections.NewRunner(log, store, p(), log, projections.Options{Linger: -1}).Run(running)
	}()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the runner ended with %v", err)
		}
	}()
	grow := func() {
		t.Helper()
		head, _ := log.Head(ctx)
		waiting, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		if err := tracker.Wait(waiting, name, head); err != nil {
			t.Fatal(err)
		}
	}
	type then struct {
		position domain.Position
		digest   [sha256.Size]byte
		text     string
	}
	var live []then
	distinct := map[[sha256.Size]byte]bool{}
	for at := range pastPositions {
		for range 1 + dice.IntN(5) {
			if dice.IntN(6) == 0 {
				d.comesOrGoes(dice)
			}
			d.Random(1, 12)
		}
		grow()
		head, _ := log.Head(ctx)
		sum, text := digest(0, at)
		distinct[sum] = true
		live = append(live, then{head, sum, text})
	}
	if len(distinct) < pastPositions*9/10 {
		t.Errorf("only %d of %d answers differ: the questions see nothing of what happens", len(distinct), pastPositions)
	}
	d.Random(100, 12) // the past is told from later on
	grow()
	compare := func(when string, every int) {
		t.Helper()
		for at, want := range live {
			if at%every != 0 {
				continue
			}
			if sum, text := digest(want.position, at); sum != want.digest {
				t.Fatalf("%s, as of %d (-then +now):\n%s", when, want.position, cmp.Diff(want.text, text))
			}
		}
	}
	compare("at the end", 1)
	done, err := projections.Rebuild(ctx, log, store, p(), log, projections.RebuildOptions{})
	if err != nil || !done.Switched || done.Compared.Digests[0] == "" {
		t.Fatalf("rebuilt: %+v (%v)", done, err)
	}
	d.Random(1, 12)
	grow() // seen by readers, so they have followed
	if err := store.Drop(ctx, name, done.Before); err != nil {
		t.Fatal(err)
	}
	compare("after a rebuild", 5)
}

// comesOrGoes appends what an operator does about being there.
func (d *Desk) comesOrGoes(dice *rand.Rand) {
	who := []string{"ana", "beto", "carla", "dora"}[dice.IntN(4)]
	is := d.Image.Presence[who]
	var e domain.Event
	switch {
	case !is.Connected:
		is.Connected, is.Available = true, true
		e = presence.Connected{Status: is}
	case dice.IntN(3) == 0:
		is.Connected, is.Available = false, false
		e = presence.Disconnected{Status: is, Cause: "left"}
	case is.Available:
		is.Available = false
		e = presence.BecameUnavailable{Status: is}
	default:
		is.Available = true
		e = presence.BecameAvailable{Status: is}
	}
	d.Image.Presence[who] = is
	d.Now = d.Now.Add(time.Second)
	d.Settings(domain.CategoryPresence, who, who, e)
}
