package history_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/projections/history"
	"github.com/turno-desk/turno/projections/viewtest"
)

func TestN14AMergeAndItsUndoingLeaveNoTraceInTheHistory(t *testing.T) {
	for seed := range uint64(6) {
		log, with, ids := viewtest.Merging(seed, 150, false)
		with.Apart(ids)
		plain, without, _ := viewtest.Merging(seed, 150, true)
		without.Apart(ids)
		if got, want := newView(t, log).build(40).digest(), newView(t, plain).build(1000).digest(); got != want {
			t.Errorf("seed %d: the rows differ from those of contacts that were never merged", seed)
		}
	}
}

func TestN19TheHistoryOfAMergedContactIsThatOfItsWholeGroupByTheRule(t *testing.T) {
	ctx := context.Background()
	looked := 0
	for seed := range uint64(6) {
		log, c, contacts := viewtest.Merging(seed, 150, false)
		v := newView(t, log).build(40)
		everything := all(t, func(cursor string) (history.Page[history.Conversation], error) {
			return v.Conversations(ctx, workspace, auditor, history.Filter{}, cursor, 0, 0)
		})
		for name, viewer := range viewers(c.Desk) {
			for _, id := range contacts {
				survivor := id
				if s := c.State(id); s.Survivor != "" {
					survivor = s.Survivor
				}
				group := append([]string{survivor}, c.State(survivor).Order...)
				serving := false
				for _, conv := range everything {
					serving = serving || slices.Contains(group, conv.Contact.ID) && conv.Operator == viewer.Operator && conv.Operator != ""
				}
				var want, seen []string
				for _, conv := range everything {
					if !slices.Contains(group, conv.Contact.ID) {
						continue
					}
					sight := c.Desk.Thread("t" + conv.Contact.ID[1:]).Conversations[number(conv.ID)].Sight()
					if access.MaySeeServing(viewer, sight, serving) {
						seen = append(seen, conv.ID)
					}
					if access.MaySeeServing(viewer, sight, serving) || access.MayKnowOf(viewer, sight, serving) {
						want = append(want, conv.ID)
					}
				}
				page, err := v.ContactHistory(ctx, workspace, viewer, id, "", 200)
				if len(want) == 0 && errors.Is(err, history.ErrNotFound) {
					continue
				}
				if err != nil || len(page.Items) != len(want) {
					t.Fatalf("seed %d: %s finds %d conversations of %s, want %v (%v)", seed, name, len(page.Items), id, want, err)
				}
				listed := all(t, func(cursor string) (history.Page[history.Conversation], error) {
					return v.Conversations(ctx, workspace, viewer, history.Filter{Contact: id}, cursor, 0, 0)
				})
				slices.Sort(seen)
				if !slices.Equal(ids(listed), seen) {
					t.Fatalf("seed %d: %s lists %v of %s, want %v", seed, name, ids(listed), id, seen)
				}
				if len(group) > 1 {
					looked += len(want)
				}
			}
		}
	}
	if looked < 50 {
		t.Errorf("only %d conversations of merged contacts were looked at", looked)
	}
}

func number(conversation string) int { return int(conversation[len(conversation)-1] - '0') }
