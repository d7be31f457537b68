package history_test

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/history"
	"github.com/turno-desk/turno/projections/viewtest"
)

// snapshot is all that can be asked at one position.
type snapshot struct {
	Conversations []history.Conversation
	Filtered      map[string][]string
	Messages      map[string][]history.Message
	Timelines     map[string][]history.Entry
	Tickets       map[string]history.Ticket
}

var filters = map[string]history.Filter{
	"closed":   {States: []string{"closed"}},
	"open":     {States: []string{"waiting", "attending", "paused"}},
	"soporte":  {Department: "soporte"},
	"ana":      {Operator: "ana"},
	"tagged":   {Tag: "vip"},
	"web":      {Channel: "web"},
	"archived": {Archived: new(bool)},
}

func (v *view) snapshot(asOf domain.Position) snapshot {
	v.t.Helper()
	ctx := context.Background()
	list := func(f history.Filter) []history.Conversation {
		return all(v.t, func(cursor string) (history.Page[history.Conversation], error) {
			return v.Queries.Conversations(ctx, workspace, auditor, f, cursor, 5, asOf)
		})
	}
	s := snapshot{
		Conversations: list(history.Filter{}), Filtered: map[string][]string{}, Messages: map[string][]history.Message{},
		Timelines: map[string][]history.Entry{}, Tickets: map[string]history.Ticket{},
	}
	for name, f := range filters {
		for _, c := range list(f) {
			s.Filtered[name] = append(s.Filtered[name], c.ID)
		}
	}
	for _, c := range s.Conversations {
		one, err := v.Conversation(ctx, workspace, auditor, c.ID, asOf)
		if err != nil {
			v.t.Fatal(err)
		}
		one.Contact.Known = nil // a list doesn't say
		if diff := cmp.Diff(c, one.Conversation); diff != "" {
			v.t.Fatalf("%s in the list and alone:\n%s", c.ID, diff)
		}
		s.Messages[c.ID] = all(v.t, func(cursor string) (history.Page[history.Message], error) {
			return v.Queries.Messages(ctx, workspace, auditor, c.ID, true, cursor, 3, asOf)
		})
		line, err := v.Timeline(ctx, workspace, auditor, c.ID, asOf)
		if err != nil {
			v.t.Fatal(err)
		}
		s.Timelines[c.ID] = line.Entries
		ticket, err := v.Ticket(ctx, workspace, auditor, c.Ticket, asOf)
		if err != nil {
			v.t.Fatal(err)
		}
		ticket.Position = 0
		s.Tickets[c.ID] = ticket
	}
	return s
}

func TestThePastReadsAsItReadThen(t *testing.T) {
	log := viewtest.NewLog("past")
	d := viewtest.NewDesk(log, 11)
	v := newView(t, log)
	then := map[domain.Position]snapshot{}
	for range 4 {
		d.Random(45, 6)
		v.build(17)
		head, err := log.Head(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		then[head] = v.snapshot(0)
	}
	// An erasure reaches back: what it blanked can't be compared.
	gone := map[string]bool{}
	for _, id := range threadsOf(log) {
		gone[id] = d.Thread(id).Erased
	}
	for p, want := range then {
		got := v.snapshot(p)
		if diff := cmp.Diff(without(want, gone), without(got, gone)); diff != "" {
			t.Fatalf("at %d (-then +now):\n%s", p, diff)
		}
	}
	if _, err := v.Conversations(context.Background(), workspace, auditor, history.Filter{}, "", 0, 1_000_000); !errors.Is(err, projections.ErrAhead) {
		t.Errorf("beyond the head: %v, want ErrAhead", err)
	}
}

// without drops what is of erased threads, but for who is listed where.
func without(s snapshot, gone map[string]bool) snapshot {
	of := func(conversation string) bool {
		threadID, _, _ := thread.SplitConversationID(conversation)
		return gone[threadID]
	}
	kept := snapshot{Filtered: s.Filtered, Messages: map[string][]history.Message{}, Timelines: map[string][]history.Entry{}, Tickets: map[string]history.Ticket{}}
	for _, c := range s.Conversations {
		if !of(c.ID) {
			kept.Conversations = append(kept.Conversations, c)
			kept.Messages[c.ID], kept.Timelines[c.ID], kept.Tickets[c.ID] = s.Messages[c.ID], s.Timelines[c.ID], s.Tickets[c.ID]
		}
	}
	return kept
}

func TestTheRowsDoNotDependOnTheBatches(t *testing.T) {
	log := viewtest.NewLog("batches")
	d := viewtest.NewDesk(log, 5)
	d.Random(300, 8)
	want := newView(t, log).build(10_000).digest()
	for _, size := range []int{1, 7, 64} {
		if got := newView(t, log).build(size).digest(); got != want {
			t.Errorf("batches of %d commits make other rows", size)
		}
	}
}

func TestListsAreCutByTimeTagAndCategory(t *testing.T) {
	ctx := context.Background()
	log := viewtest.NewLog("filters")
	d := viewtest.NewDesk(log, 1)
	began := d.Now
	for n := range 6 {
		id := threadID(n)
		do(t, d, time.Hour, "contact", id, d.Receive(id, "web", "hola"))
		do(t, d, time.Minute, "ana", id, thread.Take{})
		if n%2 == 0 {
			do(t, d, time.Minute, "ana", id, thread.Close{Category: "alta", Tags: []string{"vip"}})
		}
	}
	v := newView(t, log).build(500)
	for name, c := range map[string]struct {
		filter history.Filter
		want   []int
	}{
		"all, newest first":   {history.Filter{}, []int{5, 4, 3, 2, 1, 0}},
		"closed":              {history.Filter{States: []string{"closed"}}, []int{4, 2, 0}},
		"opened from, to":     {history.Filter{From: began.Add(3 * time.Hour), To: began.Add(5 * time.Hour)}, []int{3, 2}},
		"closed since":        {history.Filter{States: []string{"closed"}, From: began.Add(4 * time.Hour)}, []int{4}},
		"category":            {history.Filter{Category: "alta"}, []int{4, 2, 0}},
		"tag and operator":    {history.Filter{Tag: "vip", Operator: "ana"}, []int{4, 2, 0}},
		"contact":             {history.Filter{Contact: "c" + threadID(3)[1:]}, []int{3}},
		"nothing":             {history.Filter{Tag: "nada"}, nil},
		"another's":           {history.Filter{Operator: "beto"}, nil},
		"attending elsewhere": {history.Filter{States: []string{"attending"}, Department: "ventas"}, nil},
	} {
		page, err := v.Conversations(ctx, workspace, admin, c.filter, "", 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, i := range page.Items {
			got = append(got, i.ID)
		}
		var want []string
		for _, n := range c.want {
			want = append(want, threadID(n)+"-1")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestACursorGoesOnWhereItsPageEndedWhateverComes(t *testing.T) {
	ctx := context.Background()
	log := viewtest.NewLog("cursors")
	d := viewtest.NewDesk(log, 1)
	for n := range 12 {
		do(t, d, time.Minute, "contact", threadID(n), d.Receive(threadID(n), "web", "factura"))
	}
	v := newView(t, log).build(500)
	var listed, found []string
	var cursorL, cursorS string
	for i := 0; ; i++ {
		page, err := v.Conversations(ctx, workspace, admin, history.Filter{}, cursorL, 5, 0)
		if err != nil {
			t.Fatal(err)
		}
		hits, err := v.Search(ctx, workspace, admin, "factura", history.Filter{}, cursorS, 5)
		if err != nil {
			t.Fatal(err)
		}
		listed = append(listed, ids(page.Items)...)
		found = append(found, matched(hits.Items)...)
		cursorL, cursorS = page.Next, hits.Next
		if cursorL == "" && cursorS == "" {
			break
		}
		// Between two pages: a new one, and new words in one that was shown and in one that was not.
		do(t, d, time.Minute, "contact", threadID(100+i), d.Receive(threadID(100+i), "web", "factura nueva"))
		do(t, d, time.Minute, "contact", threadID(11), d.Receive(threadID(11), "web", "otra factura"))
		do(t, d, time.Minute, "contact", threadID(0), d.Receive(threadID(0), "web", "otra factura"))
		v.build(500)
	}
	for name, got := range map[string][]string{"list": listed, "search": found} {
		seen := map[string]int{}
		for _, id := range got {
			seen[id]++
		}
		for n := range 12 {
			if seen[threadID(n)+"-1"] != 1 {
				t.Errorf("%s: conversation %d came %d times", name, n, seen[threadID(n)+"-1"])
			}
		}
		if len(got) != 12 {
			t.Errorf("%s: %d items, want the 12 that were there at the first page", name, len(got))
		}
	}
	for _, bad := range []string{"x", "!!", cursorOf(t, v), "b3BlbmVkLjEuMg.x"} {
		if _, err := v.Search(ctx, workspace, admin, "factura", history.Filter{}, bad, 5); !errors.Is(err, history.ErrCursor) {
			t.Errorf("cursor %q: %v, want ErrCursor", bad, err)
		}
	}
}

// cursorOf is a cursor of another list.
func cursorOf(t *testing.T, v *view) string {
	t.Helper()
	page, err := v.Conversations(context.Background(), workspace, admin, history.Filter{}, "", 1, 0)
	if err != nil || page.Next == "" {
		t.Fatal("no cursor", err)
	}
	return page.Next
}

// N3: of history.
func TestAsOfAnyOf200PositionsHistoryIsWhatItWasThen(t *testing.T) {
	viewtest.Past(t, func() projections.Projection { return history.New(viewtest.Dialect()) },
		func(db *sql.DB, _ *viewtest.Desk, asOf domain.Position, at int) (any, error) {
			ctx, q := context.Background(), history.NewQueries(db, viewtest.Dialect())
			list, err := q.Conversations(ctx, workspace, auditor, history.Filter{}, "", 20, asOf)
			if err != nil {
				return nil, err
			}
			answers := []any{list.Position, list.Items}
			names := slices.Sorted(maps.Keys(filters))
			cut, err := q.Conversations(ctx, workspace, auditor, filters[names[at%len(names)]], "", 20, asOf)
			if err != nil {
				return nil, err
			}
			answers = append(answers, cut.Items)
			for i := range min(2, len(list.Items)) { // two of them with all their pages
				c := list.Items[(at*7+i*5)%len(list.Items)]
				one, err := q.Conversation(ctx, workspace, auditor, c.ID, asOf)
				if err != nil {
					return nil, err
				}
				messages, err := q.Messages(ctx, workspace, auditor, c.ID, true, "", 100, asOf)
				if err != nil {
					return nil, err
				}
				line, err := q.Timeline(ctx, workspace, auditor, c.ID, asOf)
				if err != nil {
					return nil, err
				}
				ticket, err := q.Ticket(ctx, workspace, auditor, c.Ticket, asOf)
				if err != nil {
					return nil, err
				}
				answers = append(answers, one, messages, line, ticket)
			}
			return answers, nil
		})
}
