package history_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections/history"
	"github.com/turno-desk/turno/projections/viewtest"
)

// threadsOf are the threads of a log, in order of their beginning.
func threadsOf(log *viewtest.Log) []string {
	var ids []string
	for _, c := range log.Commits() {
		if c.Prev == 0 && c.Aggregate.Category == domain.CategoryThread {
			ids = append(ids, c.Aggregate.ID)
		}
	}
	return ids
}

// all reads every page of a list.
func all[T any](t testing.TB, page func(cursor string) (history.Page[T], error)) []T {
	t.Helper()
	var items []T
	for cursor := ""; ; {
		p, err := page(cursor)
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, p.Items...)
		if p.HasMore != (p.Next != "") {
			t.Fatalf("has_more is %v and next %q", p.HasMore, p.Next)
		}
		if cursor = p.Next; cursor == "" {
			return items
		}
		if len(items) > 100_000 {
			t.Fatal("the list has no end")
		}
	}
}

func ids(items []history.Conversation) []string {
	var all []string
	for _, c := range items {
		all = append(all, c.ID)
	}
	slices.Sort(all)
	return all
}

// N19 D3: The law: every query shows exactly what the access rule shows, for everybody, whatever has happened.
func TestNobodySeesWhatTheRuleDoesNotShow(t *testing.T) {
	ctx := context.Background()
	for seed := range uint64(2) {
		log := viewtest.NewLog("rights")
		d := viewtest.NewDesk(log, seed)
		d.Random(220, 5)
		threads := threadsOf(log)
		// Something hidden, so that auditors see more than others.
		d.Do("adela", threads[int(seed)%len(threads)], 0, thread.Close{})
		d.Do("adela", threads[int(seed)%len(threads)], 0, thread.Hide{})
		v := newView(t, log).build(77)

		shown := map[string]history.Conversation{}
		for _, c := range all(t, func(cursor string) (history.Page[history.Conversation], error) {
			return v.Conversations(ctx, workspace, auditor, history.Filter{}, cursor, 0, 0)
		}) {
			shown[c.ID] = c
		}
		for name, viewer := range viewers(d) {
			want := map[string]bool{}
			for _, id := range threads {
				s := d.Thread(id)
				serving := false
				for _, c := range s.Conversations {
					serving = serving || c.Owner == viewer.Operator && c.Owner != "" && !c.Hidden
				}
				for _, c := range s.Conversations {
					want[c.ID] = access.MaySeeServing(viewer, c.Sight(), serving)
				}
			}
			seen := checkOneByOne(t, v, name, viewer, want, shown)

			for _, limit := range []int{2, 50} {
				listed := all(t, func(cursor string) (history.Page[history.Conversation], error) {
					return v.Conversations(ctx, workspace, viewer, history.Filter{}, cursor, limit, 0)
				})
				if !slices.Equal(ids(listed), seen) {
					t.Fatalf("seed %d: %s finds in the list\n%v, want\n%v", seed, name, ids(listed), seen)
				}
				found := all(t, func(cursor string) (history.Page[history.Match], error) {
					return v.Search(ctx, workspace, viewer, "Sr", history.Filter{}, cursor, limit)
				})
				if got := matched(found); !slices.Equal(got, unerased(d, seen)) {
					t.Fatalf("seed %d: %s finds by search\n%v, want\n%v", seed, name, got, unerased(d, seen))
				}
			}
		}
	}
}

func matched(found []history.Match) []string {
	var all []string
	for _, m := range found {
		all = append(all, m.ID)
	}
	slices.Sort(all)
	return all
}

// unerased leaves out conversations whose words are gone.
func unerased(d *viewtest.Desk, ids []string) []string {
	var kept []string
	for _, id := range ids {
		threadID, _, _ := thread.SplitConversationID(id)
		if !d.Thread(threadID).Erased {
			kept = append(kept, id)
		}
	}
	return kept
}

// checkOneByOne asks for each conversation in every way, and returns those that are seen. shown is what they are.
func checkOneByOne(t *testing.T, v *view, name string, viewer access.Viewer, want map[string]bool, shown map[string]history.Conversation) []string {
	t.Helper()
	ctx := context.Background()
	var seen []string
	for id, see := range want {
		full, ok := shown[id]
		if !ok {
			t.Fatalf("the auditor doesn't see %s", id)
		}
		if see {
			seen = append(seen, id)
		}
		ask := map[string]func() error{
			"Conversation": func() error { _, err := v.Conversation(ctx, workspace, viewer, id, 0); return err },
			"Messages":     func() error { _, err := v.Messages(ctx, workspace, viewer, id, true, "", 0, 0); return err },
			"Timeline":     func() error { _, err := v.Timeline(ctx, workspace, viewer, id, 0); return err },
			"at its opening": func() error {
				_, err := v.Conversation(ctx, workspace, viewer, id, full.Revision)
				return err
			},
			"Ticket":         func() error { _, err := v.Ticket(ctx, workspace, viewer, full.Ticket, 0); return err },
			"TicketTimeline": func() error { _, err := v.TicketTimeline(ctx, workspace, viewer, full.Ticket, 0); return err },
			"Search": func() error {
				p, err := v.Search(ctx, workspace, viewer, fmt.Sprintf("#%d", full.Ticket), history.Filter{}, "", 0)
				if err == nil && !slices.Contains(matched(p.Items), id) {
					return history.ErrNotFound
				}
				return err
			},
		}
		for query, f := range ask {
			if err := f(); see && err != nil || !see && !errors.Is(err, history.ErrNotFound) {
				t.Fatalf("%s asks %s for %s (%s of %s): seen is %v, got %v", name, query, id, full.State, full.Operator, see, err)
			}
		}
	}
	slices.Sort(seen)
	return seen
}

// D3 F060 F071: who serves a contact reads its closed conversations and knows that another is open, without its text.
func TestWhoServesAContactSeesItsPastAndKnowsOfItsPresent(t *testing.T) {
	ctx := context.Background()
	log := viewtest.NewLog("serving")
	d := viewtest.NewDesk(log, 1)
	person := "c" + threadID(1)[1:]
	write := func(threadID, channel, text string) {
		r := d.Receive(threadID, channel, domain.Personal(text))
		r.Contact = person
		do(t, d, time.Minute, "contact", threadID, r)
	}
	// Beto served the contact on the web; Carla has it in the shop, secretly; Ana serves it on the web now.
	write(threadID(1), "web", "primero")
	do(t, d, time.Minute, "beto", threadID(1), thread.Take{})
	do(t, d, time.Minute, "beto", threadID(1), thread.Close{})
	write(threadID(2), "tienda", "secreto")
	do(t, d, time.Minute, "carla", threadID(2), thread.Take{})
	write(threadID(1), "web", "segundo")
	v := newView(t, log).build(500)

	if _, err := v.ContactHistory(ctx, workspace, as(d, "carla"), "c"+threadID(7)[1:], "", 0); !errors.Is(err, history.ErrNotFound) {
		t.Errorf("a contact that is not there: %v", err)
	}
	past, err := v.ContactHistory(ctx, workspace, as(d, "ana"), person, "", 0)
	if err != nil || len(past.Items) != 1 || past.Items[0].State != "waiting" {
		t.Fatalf("before she takes it Ana sees %+v, %v; want what waits", past.Items, err)
	}

	do(t, d, time.Minute, "ana", threadID(1), thread.Take{})
	v.build(500)
	past, err = v.ContactHistory(ctx, workspace, as(d, "ana"), person, "", 0)
	if err != nil || len(past.Items) != 3 {
		t.Fatalf("Ana, who serves, sees %+v, %v; want three", past.Items, err)
	}
	other := past.Items[1]
	want := history.Conversation{Ticket: 1002, Channel: "tienda", Department: "ventas", Operator: "carla", Restricted: true}
	if other.ID != "" || other.Ticket != want.Ticket || other.Channel != want.Channel || other.Department != want.Department ||
		other.Operator != want.Operator || !other.Restricted || other.Contact != nil || other.Details != nil {
		t.Errorf("of Carla's conversation Ana knows %+v, want %+v", other, want)
	}
	if m, err := v.Messages(ctx, workspace, as(d, "ana"), threadID(1)+"-1", false, "", 0, 0); err != nil || len(m.Items) != 1 {
		t.Errorf("Ana reads of the closed one %v, %v", m.Items, err)
	}
	if _, err := v.Messages(ctx, workspace, as(d, "ana"), threadID(2)+"-1", false, "", 0, 0); !errors.Is(err, history.ErrNotFound) {
		t.Errorf("Ana reads Carla's open one: %v", err)
	}
	if found, err := v.Search(ctx, workspace, as(d, "ana"), "secreto", history.Filter{}, "", 0); err != nil || len(found.Items) > 0 {
		t.Errorf("Ana finds Carla's text: %v, %v", found.Items, err)
	}
	if serves, err := v.Serves(ctx, workspace, "ana", person); err != nil || !serves {
		t.Errorf("Ana serves: %v, %v", serves, err)
	}

	do(t, d, time.Minute, "ana", threadID(1), thread.Transfer{Department: "ventas"})
	v.build(500)
	if _, err := v.ContactHistory(ctx, workspace, as(d, "ana"), person, "", 0); !errors.Is(err, history.ErrNotFound) {
		t.Errorf("Ana gave it away and still knows of the contact: %v", err)
	}
	if _, err := v.Conversation(ctx, workspace, as(d, "ana"), threadID(1)+"-2", past.Position); !errors.Is(err, history.ErrNotFound) {
		t.Errorf("Ana sees what she had at the position where she had it: %v", err)
	}
	if serves, err := v.Serves(ctx, workspace, "ana", person); err != nil || serves {
		t.Errorf("Ana serves no more: %v, %v", serves, err)
	}
}

func TestWorkspacesDoNotSeeEachOther(t *testing.T) {
	ctx := context.Background()
	log := viewtest.NewLog("two")
	d := viewtest.NewDesk(log, 1)
	do(t, d, time.Minute, "contact", threadID(1), d.Receive(threadID(1), "web", "hola"))
	v := newView(t, log).build(500)
	if _, err := v.Conversation(ctx, "other", auditor, threadID(1)+"-1", 0); !errors.Is(err, history.ErrNotFound) {
		t.Errorf("by id: %v", err)
	}
	if p, err := v.Search(ctx, "other", auditor, "hola", history.Filter{}, "", 0); err != nil || len(p.Items) > 0 {
		t.Errorf("by search: %v, %v", p.Items, err)
	}
	if p, err := v.Conversations(ctx, "other", auditor, history.Filter{}, "", 0, 0); err != nil || len(p.Items) > 0 {
		t.Errorf("in the list: %v, %v", p.Items, err)
	}
}

// The law: no event of a conversation is hidden from an auditor, whatever has been deleted, archived or erased, and each stands
// in its timeline once, in the log's order (D3, D6, N19).
func TestNoEventIsInvisibleToAnAuditor(t *testing.T) {
	ctx := context.Background()
	for seed := range uint64(3) {
		log := viewtest.NewLog("audit")
		d := viewtest.NewDesk(log, seed)
		d.Erases = true
		d.Random(220, 5)
		for k, id := range threadsOf(log) {
			if k%3 == 0 {
				d.Do("adela", id, 0, thread.Close{})
				d.Do("adela", id, 0, thread.Hide{})
			}
		}
		v := newView(t, log).build(77)

		type place struct {
			position domain.Position
			index    int
		}
		want := map[string][]place{}
		hidden := false
		for _, c := range log.Commits() {
			if c.Aggregate.Category != domain.CategoryThread {
				continue
			}
			hidden = hidden || c.After != nil && c.After.Hidden
			for k := range c.Events {
				want[c.Conversation] = append(want[c.Conversation], place{c.Position, k})
			}
		}
		if !hidden {
			t.Fatal("nothing was hidden: the test would show nothing")
		}
		for id, events := range want {
			line, err := v.Timeline(ctx, workspace, auditor, id, 0)
			if err != nil {
				t.Fatalf("seed %d: the auditor asks for %s and gets %v", seed, id, err)
			}
			var got []place
			for _, e := range line.Entries {
				got = append(got, place{e.Position, e.Index})
			}
			if !slices.Equal(got, events) {
				t.Errorf("seed %d: of %s the auditor sees %v, and there are %v", seed, id, got, events)
			}
		}
	}
}
