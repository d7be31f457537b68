package command_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
)

// ending is a log that takes so many commits and then none any more, as if the process had died there.
type ending struct {
	command.Log
	left int
}

func (e *ending) Append(ctx context.Context, c domain.Commit, v domain.Version) (domain.Position, domain.Version, error) {
	if e.left--; e.left < 0 {
		return 0, 0, fmt.Errorf("the lights went out: %w", command.ErrUnavailable)
	}
	return e.Log.Append(ctx, c, v)
}

// dying are the contacts of a process that dies after so many commits.
func (b *bureau) dying(commits int) *command.Contacts {
	return command.NewContacts(command.ContactsOptions{Log: &ending{b.log, commits}, Image: b.image, Keys: b.keys, Threads: b.engine, Now: b.clock.read})
}

// couple are two contacts who are one person.
func couple(t *testing.T, b *bureau) (survivor, other string) {
	t.Helper()
	survivor = b.receive(t, b.engine, contactWrites("+34 600", "m1", "Hola")).Commit.Contact
	other = b.receive(t, b.engine, contactWrites("+34 601", "m2", "Hola")).Commit.Contact
	return survivor, other
}

func TestAMergeThatStoppedHalfwayIsFinishedByTheSameCallAgain(t *testing.T) {
	b := newBureau(t)
	c := b.contacts(b.engine)
	survivor, other := couple(t, b)
	if _, err := b.dying(1).Merge(t.Context(), keyed(as("sara"), "k", "h"), survivor, other); !errors.Is(err, command.ErrUnavailable) {
		t.Fatal(err)
	}
	if s, err := c.State(t.Context(), survivor); err != nil || len(s.Order) > 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	first, err := c.Merge(t.Context(), keyed(as("sara"), "k", "h"), survivor, other)
	if err != nil || len(first.Commit.Events) != 1 {
		t.Fatalf("%+v, %v", first, err)
	}
	again, err := c.Merge(t.Context(), keyed(as("sara"), "k", "h"), survivor, other)
	if err != nil || !again.Replayed || again.Position != first.Position {
		t.Errorf("again: %+v, %v", again, err)
	}
	_, err = c.Merge(t.Context(), keyed(as("sara"), "k", "h2"), survivor, other)
	refused(t, err, domain.CodeKeyReused)
}

func TestAMergeThatStoppedHalfwayIsFinishedByWhoeverEditsTheContact(t *testing.T) {
	b := newBureau(t)
	c := b.contacts(b.engine)
	survivor, other := couple(t, b)
	if _, err := b.dying(1).Merge(t.Context(), as("sara"), survivor, other); err == nil {
		t.Fatal("it did not stop")
	}
	_, err := c.Tag(t.Context(), as("ana"), other, []string{"vip"}, nil)
	refused(t, err, contact.CodeMergedAway)
	if s, err := c.State(t.Context(), survivor); err != nil || !s.Held(other, 1) {
		t.Errorf("the survivor holds %+v, %v", s.Holds, err)
	}
}

func TestAnUnmergeThatStoppedHalfwayIsFinishedByWhoeverEditsTheContact(t *testing.T) {
	for name, finish := range map[string]func(c *command.Contacts, survivor, other string) error{
		"an edit": func(c *command.Contacts, _, other string) error {
			_, err := c.Tag(t.Context(), as("ana"), other, []string{"vip"}, nil)
			return err
		},
		"the same again": func(c *command.Contacts, survivor, other string) error {
			_, err := c.Unmerge(t.Context(), as("sara"), survivor, other)
			return err
		},
		"a merge the other way round": func(c *command.Contacts, survivor, other string) error {
			_, err := c.Merge(t.Context(), as("sara"), other, survivor)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBureau(t)
			c := b.contacts(b.engine)
			survivor, other := couple(t, b)
			if _, err := c.Merge(t.Context(), as("sara"), survivor, other); err != nil {
				t.Fatal(err)
			}
			if _, err := b.dying(1).Unmerge(t.Context(), as("sara"), survivor, other); err == nil {
				t.Fatal("it did not stop")
			}
			if err := finish(c, survivor, other); err != nil {
				t.Fatal(err)
			}
			if s, err := c.State(t.Context(), other); err != nil || s.Survivor != "" {
				t.Errorf("it still belongs to %s, %v", s.Survivor, err)
			}
		})
	}
}

func TestAMergeThatTheSurvivorRefusesIsTakenBack(t *testing.T) {
	b := newBureau(t)
	c := b.contacts(b.engine)
	survivor, other := couple(t, b)
	if _, err := c.Erase(t.Context(), admin, survivor); err != nil {
		t.Fatal(err)
	}
	_, err := c.Merge(t.Context(), as("sara"), survivor, other)
	refused(t, err, contact.CodeErased)
	if _, err := c.Tag(t.Context(), as("ana"), other, []string{"vip"}, nil); err != nil {
		t.Errorf("the other one can't be edited: %v", err)
	}
	third := b.receive(t, b.engine, contactWrites("+34 602", "m3", "Hola")).Commit.Contact
	stale := as("sara")
	stale.IfMatch = 1
	_, err = c.Merge(t.Context(), stale, third, other)
	refused(t, err, domain.CodeStale)
	if s, err := c.State(t.Context(), other); err != nil || s.Survivor != "" {
		t.Errorf("it still belongs to %s, %v", s.Survivor, err)
	}
}

func TestOfMergesAtOnceInEveryDirectionNoneMakesAChain(t *testing.T) {
	b := newBureau(t)
	var ids []string
	for i := range 4 {
		ids = append(ids, b.receive(t, b.engine, contactWrites(fmt.Sprint("+34 60", i), fmt.Sprint("m", i), "Hola")).Commit.Contact)
	}
	var all sync.WaitGroup
	for _, survivor := range ids {
		for _, other := range ids {
			if survivor != other {
				all.Go(func() {
					c := b.contacts(b.engine) // each as a process of its own
					_, err := c.Merge(t.Context(), as("sara"), survivor, other)
					var r *domain.Refusal
					if err != nil && !errors.As(err, &r) && !errors.Is(err, command.ErrUnavailable) {
						t.Error(err)
					}
				})
			}
		}
	}
	all.Wait()
	c := b.contacts(b.engine)
	for _, id := range ids { // whatever was given up in the middle is settled by an edit
		_, err := c.Tag(t.Context(), as("ana"), id, []string{"vip"}, nil)
		var r *domain.Refusal
		if err != nil && !errors.As(err, &r) {
			t.Fatal(err)
		}
	}
	merged := 0
	for _, id := range ids {
		s, err := c.State(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if s.Survivor == "" {
			continue
		}
		merged++
		holder, err := c.State(t.Context(), s.Survivor)
		if err != nil || !holder.Held(id, s.Merges) || holder.Survivor != "" || len(s.Order) > 0 {
			t.Errorf("%s belongs to %s: %+v, %v", id, s.Survivor, holder, err)
		}
	}
	if merged == len(ids) {
		t.Error("nobody survived")
	}
}

func TestN8AnErasureOfTheSurvivorErasesTheGroupAndIsFinishedByTheSameCallAgain(t *testing.T) {
	b := newBureau(t)
	c := b.contacts(b.engine)
	survivor, other := couple(t, b)
	for _, id := range []string{survivor, other} {
		if _, err := c.ChangeProfile(t.Context(), as("ana"), id, named("Eva "+id)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Merge(t.Context(), as("sara"), survivor, other); err != nil {
		t.Fatal(err)
	}
	_, err := c.Erase(t.Context(), admin, other)
	refused(t, err, contact.CodeMergedAway)
	if _, err := b.dying(1).Erase(t.Context(), admin, survivor); err == nil {
		t.Fatal("it did not stop")
	}
	if _, err := c.Erase(t.Context(), admin, survivor); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{survivor, other} {
		thread, _ := contact.Thread(id)
		for _, a := range []domain.Aggregate{{Workspace: "default", Category: domain.CategoryContact, ID: id}, {Workspace: "default", Category: domain.CategoryThread, ID: thread}} {
			commits, _, err := b.log.Load(t.Context(), a, 0, nil)
			if err != nil {
				t.Fatal(err)
			}
			erased := false
			for _, commit := range commits {
				for _, e := range commit.Events {
					if p, ok := e.(contact.ProfileChanged); ok {
						erased = true
						if diff := cmp.Diff(contact.ProfileChanged{Name: domain.Erased}, p); diff != "" {
							t.Errorf("%s still reads %s", id, diff)
						}
					}
				}
				if _, gone := b.keys.destroyed.Load(commit.Key); commit.Key != "" && !gone {
					t.Errorf("%s still has the key of its commit %d", a, commit.Position)
				}
			}
			if a.Category == domain.CategoryContact && !erased {
				t.Errorf("%s has no profile to look at", id)
			}
		}
	}
	_, err = c.Unmerge(t.Context(), as("sara"), survivor, other)
	refused(t, err, contact.CodeErased)
}
