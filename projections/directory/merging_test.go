package directory_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/turno-desk/turno/adapters/sqlstore"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/directory"
	"github.com/turno-desk/turno/projections/viewtest"
)

// answers are everything that the directory says of the contacts, save revisions: a merge is a commit about a contact too.
func answers(t *testing.T, q *directory.Queries, ids []string) []directory.Contact {
	t.Helper()
	var all []directory.Contact
	for _, id := range ids {
		c, _, found, err := q.Contact(context.Background(), "default", id)
		if err != nil || !found {
			t.Fatalf("%s: found %t, %v", id, found, err)
		}
		all = append(all, c)
	}
	yes := true
	for _, f := range []directory.ContactFilter{{}, {Q: "eva"}, {Q: "sr"}, {Tag: "vip"}, {Assignee: "ana"}, {Assignee: directory.Nobody}, {Known: &yes}} {
		page, err := q.Contacts(context.Background(), "default", f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Items...)
	}
	return all
}

func TestN14AMergeAndItsUndoingLeaveNoTraceInTheDirectory(t *testing.T) {
	for seed := range uint64(12) {
		log, with, ids := viewtest.Merging(seed, 120, false)
		with.Apart(ids)
		plain, without, _ := viewtest.Merging(seed, 120, true)
		without.Apart(ids)
		if len(log.Commits()) != len(plain.Commits()) {
			t.Fatal("the two histories differ by more than merges")
		}
		diff := cmp.Diff(answers(t, queries(t, plain), ids), answers(t, queries(t, log), ids),
			cmpopts.IgnoreFields(directory.Contact{}, "Revision"))
		if diff != "" {
			t.Fatalf("seed %d (-never merged +merged and undone):\n%s", seed, diff)
		}
	}
}

func TestAMergedContactIsShownOnceWithEverythingOfBoth(t *testing.T) {
	ctx, shown := context.Background(), 0
	for seed := range uint64(8) {
		log, c, ids := viewtest.Merging(seed, 120, false)
		q := queries(t, log)
		page, err := q.Contacts(ctx, "default", directory.ContactFilter{})
		if err != nil {
			t.Fatal(err)
		}
		listed := map[string]directory.Contact{}
		for _, item := range page.Items {
			listed[item.ID] = item
		}
		for _, id := range ids {
			s := c.State(id)
			answer, _, _, err := q.Contact(ctx, "default", id)
			if err != nil {
				t.Fatal(err)
			}
			if s.Survivor != "" {
				if _, is := listed[id]; is || answer.ID != s.Survivor {
					t.Fatalf("%s, merged into %s, is answered as %s; listed: %t", id, s.Survivor, answer.ID, is)
				}
				continue
			}
			if _, is := listed[id]; !is || answer.ID != id {
				t.Fatalf("%s stands for itself and is answered as %s; listed: %t", id, answer.ID, is)
			}
			tags, notes, identities := slices.Clone(s.Tags), s.Annotations, 1
			var merged []string
			for _, m := range answer.Merged {
				other := c.State(m.Contact)
				merged, tags, notes = append(merged, m.Contact), append(tags, other.Tags...), notes+other.Annotations
				identities++
				if len(s.Order) == 1 { // of several, one that was merged earlier may hide what the survivor has not
					names := slices.Sorted(maps.Keys(m.Conflicts))
					if want := slices.Sorted(slices.Values(contact.Conflicts(s, other))); !slices.Equal(names, want) {
						t.Errorf("%s shows the conflicts %v, the domain finds %v", id, names, want)
					}
				}
				shown++
			}
			slices.Sort(tags)
			if !slices.Equal(merged, s.Order) || !slices.Equal(answer.Tags, slices.Compact(tags)) && len(tags) > 0 ||
				len(answer.Annotations) != notes || len(answer.Identities) != identities {
				t.Errorf("seed %d: %+v is shown of %+v", seed, answer, s)
			}
		}
	}
	if shown < 5 {
		t.Errorf("only %d merged contacts were looked at", shown)
	}
}

func TestMergesMakeTheSameRowsInAnyBatches(t *testing.T) {
	log, _, _ := viewtest.Merging(3, 200, false)
	digests := map[string]bool{}
	for _, size := range []int{5000, 7, 1} {
		digest, err := sqlstore.Rebuild(context.Background(), log, directory.New(), projections.Options{CatchUp: size, Batch: size})
		if err != nil {
			t.Fatal(err)
		}
		digests[digest] = true
	}
	if len(digests) != 1 {
		t.Errorf("%d different views came of one log", len(digests))
	}
}
