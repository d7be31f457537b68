package storetest

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/turno-desk/turno/adapters/codec"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

// keyring has one key.
type keyring struct{}

// Key returns the key of every commit of the tests.
func (keyring) Key(_ context.Context, id string) ([]byte, error) {
	if id != keyID {
		return nil, codec.ErrNoKey
	}
	return []byte("0123456789abcdef0123456789abcdef"), nil
}

// Codec is the real codec, with the key that the suite's commits are sealed with.
func Codec() *codec.Codec { return codec.New(keyring{}) }

func threadID(n int) string { return "t" + fmt.Sprintf("%025d", n) }

// moment is when everything in the tests happens.
var moment = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// Note is a commit of one note on a thread: about as large as most, with one sealed text.
func Note(n int, text string) domain.Commit {
	id := threadID(n)
	return domain.Commit{
		ID: strings.ToLower(rand.Text()), Aggregate: threadNo(n),
		Recorded: moment, Time: moment, Origin: domain.OriginLive,
		Actor: domain.Actor{Kind: domain.ActorOperator, ID: "ana"}, Key: keyID,
		Conversation: id + "-1", Ticket: int64(n), Contact: "c" + id[1:], Channel: "web",
		Before: &domain.Sight{State: thread.StateAttending, Department: "sales", Owner: "ana"},
		After:  &domain.Sight{State: thread.StateAttending, Department: "sales", Owner: "ana"},
		Events: []domain.Event{thread.Noted{Note: id + "-1-n1", Text: domain.Personal(text)}},
	}
}

// Opening is a commit that opens a conversation.
func Opening(n int) domain.Commit {
	c := Note(n, "")
	c.Before = nil
	c.After = &domain.Sight{State: thread.StateWaiting, Department: "sales"}
	c.Events = []domain.Event{
		thread.Opened{Number: 1, Ticket: int64(n), Direction: thread.Inbound, Channel: "web", Department: "sales",
			Contact: c.Contact, Identity: "i1", Name: "Rosa Díaz"},
		thread.Queued{Department: "sales", List: thread.StateWaiting, Cause: "opened"},
	}
	return c
}

// registered is a commit of a setting.
func registered(id, name string) domain.Commit {
	return domain.Commit{
		ID:        strings.ToLower(rand.Text()),
		Aggregate: domain.Aggregate{Workspace: workspace, Category: domain.CategoryOperator, ID: id},
		Recorded:  moment, Time: moment, Origin: domain.OriginLive, Actor: domain.Actor{Kind: domain.ActorAdmin}, Key: keyID,
		Events: []domain.Event{operator.Registered{Definition: operator.Definition{
			ID: id, Name: domain.Personal(name), Role: operator.RoleOperator, Departments: []string{"sales"}, Active: true,
		}}},
	}
}

func text(t *testing.T, c domain.Commit) string {
	t.Helper()
	if len(c.Events) == 1 {
		if n, ok := c.Events[0].(thread.Noted); ok {
			return string(n.Text)
		}
	}
	t.Fatalf("the commit at %d is not a note: %v", c.Position, c.Events)
	return ""
}

func name(c domain.Commit) string {
	if r, ok := c.Events[0].(operator.Registered); ok {
		return string(r.Name)
	}
	return ""
}

// must appends, and fails the test when that does.
func must(t *testing.T, s Store, c domain.Commit, v domain.Version) (domain.Position, domain.Version) {
	t.Helper()
	p, v, err := s.Append(t.Context(), c, v)
	if err != nil {
		t.Fatal(err)
	}
	return p, v
}

// fill appends n notes to one thread: "1", "2" …
func fill(t *testing.T, s Store, no, n int) domain.Version {
	t.Helper()
	var v domain.Version
	for i := 1; i <= n; i++ {
		_, v = must(t, s, Note(no, strconv.Itoa(i)), v)
	}
	return v
}

func load(t *testing.T, s Store, no int, since domain.Version) ([]domain.Commit, domain.Version) {
	t.Helper()
	commits, v, err := s.Load(t.Context(), threadNo(no), since, nil)
	if err != nil {
		t.Fatal(err)
	}
	return commits, v
}

func head(t *testing.T, s Store) domain.Position {
	t.Helper()
	p, err := s.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func sparse(b Backend) bool {
	_, is := b.(Sparse)
	return is
}

// order checks that commits come in order and, where positions are contiguous, that none is missing.
type order struct {
	sparse bool
	last   domain.Position
	n      int // commits so far
}

func (o *order) next(c domain.Commit) error {
	if c.Position <= o.last || !o.sparse && c.Position != o.last+1 {
		return fmt.Errorf("position %d came after %d", c.Position, o.last)
	}
	o.last = c.Position
	o.n++
	return nil
}

// positions lists where the log has commits.
func positions(t *testing.T, s Store) []domain.Position {
	t.Helper()
	var all []domain.Position
	for _, chunk := range collect(t, s, 0, projections.ReadOptions{}) {
		for _, c := range chunk {
			all = append(all, c.Position)
		}
	}
	return all
}

// first is the position of the first commit.
func first(t *testing.T, s Store) domain.Position {
	t.Helper()
	return positions(t, s)[0]
}

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

func soon(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("waited %s for %s", patience, what)
	}
}
