package queue_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/queue"
	"github.com/turno-desk/turno/projections/viewtest"
)

var (
	admin   = access.Viewer{Operator: "adela", Role: operator.RoleAdmin}
	auditor = access.Viewer{Operator: "otto", Role: operator.RoleAuditor}
	ana     = access.Viewer{Operator: "ana", Role: operator.RoleOperator, Departments: []string{"soporte"}}
	dora    = access.Viewer{Operator: "dora", Role: operator.RoleOperator, Departments: []string{"soporte", "ventas"}}
	sara    = access.Viewer{Operator: "sara", Role: operator.RoleSupervisor, Departments: []string{"soporte"}}
	viewers = []access.Viewer{admin, auditor, ana, dora, sara}
)

// view is a queue that a runner keeps up with a desk's log.
type view struct {
	*queue.Queries
	t     *testing.T
	dir   string
	store viewtest.Store
	log   *viewtest.Log
	desk  *viewtest.Desk
	db    *sql.DB
	tasks *projections.Tracker
}

func newView(t *testing.T, seed uint64) *view {
	t.Helper()
	dir := t.TempDir()
	store, err := viewtest.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	v := &view{t: t, dir: dir, store: store, log: viewtest.NewLog("test"), db: store.Reader(queue.Name)}
	v.desk = viewtest.NewDesk(v.log, seed)
	v.Queries = queue.NewQueries(v.db)
	v.Now = func() time.Time { return v.desk.Now }
	if v.tasks, err = projections.NewTracker(v.log, store.Reader); err != nil {
		t.Fatal(err)
	}
	runner := projections.NewRunner(v.log, store, queue.New(), v.log, projections.Options{Linger: -1, Heartbeat: 20 * time.Millisecond, Strict: true})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- runner.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the runner ended with %v", err)
		}
		v.tasks.Close()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return v
}

// caughtUp waits until the view has all of the log.
func (v *view) caughtUp() domain.Position {
	v.t.Helper()
	head, _ := v.log.Head(context.Background())
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := v.tasks.Wait(ctx, queue.Name, head); err != nil {
		v.t.Fatal(err)
	}
	return head
}

// all gives every row of a list, read in pages of a few.
func (v *view) all(viewer access.Viewer, f queue.Filter) []queue.Row {
	v.t.Helper()
	var rows []queue.Row
	for f.Limit = 5; ; {
		page, err := v.List(context.Background(), "default", viewer, f)
		if err != nil {
			v.t.Fatal(err)
		}
		rows = append(rows, page.Items...)
		if page.HasMore != (page.Next != "") {
			v.t.Fatalf("has_more is %t and next %q", page.HasMore, page.Next)
		}
		if !page.HasMore {
			return rows
		}
		f.Cursor = page.Next
	}
}

func (v *view) counts(viewer access.Viewer, asOf domain.Position) queue.Departments {
	v.t.Helper()
	d, err := v.Queues(context.Background(), "default", viewer, asOf)
	if err != nil {
		v.t.Fatal(err)
	}
	return d
}

// TestEveryRowSaysWhatTheThreadIs compares the lists with the states that the domain evolves from the same events.
func TestEveryRowSaysWhatTheThreadIs(t *testing.T) {
	v := newView(t, 1)
	offered, alerted := 0, 0
	for range 8 {
		v.desk.Random(60, 12)
		v.caughtUp()
		shown := map[string]queue.Row{}
		for _, r := range v.all(auditor, queue.Filter{Archived: true}) {
			if _, twice := shown[r.ID]; twice {
				t.Fatalf("%s is listed twice", r.ID)
			}
			shown[r.ID] = r
		}
		open := 0
		for _, id := range threads(v.log) {
			s := v.desk.Thread(id)
			for _, conv := range s.Conversations {
				if !conv.Open() {
					if _, is := shown[conv.ID]; is {
						t.Fatalf("%s is closed and listed", conv.ID)
					}
					continue
				}
				open++
				r := shown[conv.ID]
				want := queue.Row{
					ID: conv.ID, Ticket: conv.Ticket, State: conv.State, Department: conv.Department, Operator: conv.Owner,
					Channel: s.Channel, Direction: string(conv.Direction), Contact: queue.Contact{ID: s.Contact, Name: string(s.Name), Address: string(s.Address)},
					Tags: conv.Tags, Mentioned: conv.Mentioned, Archived: conv.Archived, Unread: len(conv.Unread),
					OpenedAt: projections.Time{Time: conv.OpenedAt}, Since: projections.Time{Time: conv.Since}, Revision: conv.Revision,
					WaitingSince: r.WaitingSince, LastLine: r.LastLine,
				}
				if conv.PausedTill != nil {
					want.PausedUntil = &projections.Time{Time: *conv.PausedTill}
				}
				if o := conv.Offer; o != nil {
					want.Offered = &queue.Offered{Operators: o.Operators, Until: projections.Time{Time: o.Until}}
					offered++
				}
				for i, a := range conv.Alerts {
					want.Alerts = append(want.Alerts, queue.Alert{Cause: string(a.Cause), Operator: a.Operator, Role: a.Role, At: r.Alerts[i].At})
					alerted++
				}
				if want.Tags == nil {
					want.Tags = []string{}
				}
				if diff := cmp.Diff(want, r); diff != "" {
					t.Fatalf("at %d, %s (-thread +row):\n%s", len(v.log.Commits()), conv.ID, diff)
				}
				if want := conv.MessageID(conv.Messages); r.LastLine == nil || r.LastLine.Message != want {
					t.Fatalf("the last line of %s is %+v, want message %s", conv.ID, r.LastLine, want)
				}
			}
		}
		if open != len(shown) {
			t.Fatalf("%d are open and %d are listed", open, len(shown))
		}
		to := map[string]int{"_": 0, "an": 0} // patterns, or beginnings, are nobody
		for _, r := range shown {
			if r.Offered != nil {
				for _, op := range r.Offered.Operators {
					to[op]++
				}
			}
		}
		for op, n := range to {
			if got := v.all(auditor, queue.Filter{OfferedTo: op, Archived: true}); len(got) != n || slices.ContainsFunc(got, func(r queue.Row) bool { return !r.Offered.To(op) }) {
				t.Fatalf("%d are offered to %q, and %d are listed as such", n, op, len(got))
			}
		}
	}
	if offered == 0 || alerted == 0 {
		t.Errorf("%d offers and %d alerts were looked at: this shows nothing of them", offered, alerted)
	}
}

func threads(log *viewtest.Log) []string {
	seen := map[string]bool{}
	var ids []string
	for _, c := range log.Commits() {
		if c.Aggregate.Category == domain.CategoryThread && !seen[c.Aggregate.ID] {
			seen[c.Aggregate.ID] = true
			ids = append(ids, c.Aggregate.ID)
		}
	}
	return ids
}

// N3: TestAsOfEqualsWhatWasRecordedLive records every answer as it was given and asks for the same again at the end.
func TestAsOfEqualsWhatWasRecordedLive(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			v := newView(t, seed)
			type recorded struct {
				rows   []queue.Row
				counts []queue.Departments
			}
			var live []recorded
			for range 90 {
				v.desk.Random(1, 8)
				v.caughtUp()
				r := recorded{rows: v.all(admin, queue.Filter{Archived: true})}
				for _, viewer := range viewers {
					r.counts = append(r.counts, v.counts(viewer, 0))
				}
				live = append(live, r)
			}
			for i, want := range live {
				p := domain.Position(i + 1)
				if diff := cmp.Diff(want.rows, v.all(admin, queue.Filter{Archived: true, AsOf: p})); diff != "" {
					t.Fatalf("rows as of %d (-live +now):\n%s", p, diff)
				}
				for k, viewer := range viewers {
					got := v.counts(viewer, p)
					for j := range got.Items {
						clearWait(&got.Items[j])
					}
					for j := range want.counts[k].Items {
						clearWait(&want.counts[k].Items[j])
					}
					if diff := cmp.Diff(want.counts[k], got); diff != "" {
						t.Fatalf("counts for %s as of %d (-live +now):\n%s", viewer.Role, p, diff)
					}
				}
			}
		})
	}
}

// clearWait drops what a clock measures: the log's own is a second coarse.
func clearWait(d *queue.Department) { d.LongestWait = nil }

// N19 F030: TestListsAndCountsAgreeAndShowNobodyTooMuch holds for every viewer what the rule says, in lists, counts, rows and as of
// any position.
func TestListsAndCountsAgreeAndShowNobodyTooMuch(t *testing.T) {
	v := newView(t, 7)
	v.desk.Random(400, 20)
	head := v.caughtUp()
	for _, viewer := range viewers {
		rows := v.all(viewer, queue.Filter{})
		listed := map[string]int{}
		for _, r := range rows {
			listed[r.Department+"/"+r.State]++
		}
		counted := map[string]int{}
		for _, d := range v.counts(viewer, 0).Items {
			for state, n := range d.Counts {
				if n > 0 {
					counted[d.Department+"/"+state] = n
				}
			}
		}
		if diff := cmp.Diff(counted, listed); diff != "" {
			t.Errorf("%s (-counts +lists):\n%s", viewer.Role, diff)
		}
		var ids []string
		for _, r := range v.all(auditor, queue.Filter{Archived: true}) {
			ids = append(ids, r.ID)
		}
		pushed, _, err := v.RowsAt(context.Background(), "default", viewer, ids, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			sight := current(v.desk, id)
			may := access.MaySee(viewer, sight)
			if _, is := pushed[id]; is != may {
				t.Errorf("%s %s: pushed is %t, the rule says %t", viewer.Role, id, is, may)
			}
			if _, _, is, err := v.Conversation(context.Background(), "default", viewer, id, 0); err != nil || is != may {
				t.Errorf("%s %s: found is %t, the rule says %t (%v)", viewer.Role, id, is, may, err)
			}
		}
		for p := head / 2; p < head; p += 37 {
			for _, r := range v.all(viewer, queue.Filter{Archived: true, AsOf: p}) {
				if !access.MaySee(viewer, current(v.desk, r.ID)) {
					t.Errorf("as of %d %s is shown %s, which is none of theirs today", p, viewer.Role, r.ID)
				}
			}
		}
	}
}

// TestWhoWaitsIsListedAlsoOutOfTheArchive: the archive hides from an owner's list. A conversation that its owner archived and
// then lost, as with a deactivation, has nobody else to be remembered by.
func TestWhoWaitsIsListedAlsoOutOfTheArchive(t *testing.T) {
	v := newView(t, 11)
	v.desk.Do("contact", "t1", 0, v.desk.Receive("t1", "web", "Hola"))
	v.desk.Do("ana", "t1", 1, thread.Take{})
	v.desk.Do("ana", "t1", 1, thread.Archive{})
	v.caughtUp()
	if rows := v.all(sara, queue.Filter{}); len(rows) > 0 {
		t.Errorf("what its owner archived is listed: %+v", rows)
	}
	v.desk.Do("ana", "t1", 1, thread.Release{})
	v.caughtUp()
	for _, viewer := range []access.Viewer{ana, sara} {
		if rows := v.all(viewer, queue.Filter{}); len(rows) != 1 || rows[0].State != thread.StateWaiting {
			t.Errorf("%s is shown %+v of what waits", viewer.Role, rows)
		}
		counts := v.counts(viewer, 0)
		if len(counts.Items) != 1 || counts.Items[0].Counts[thread.StateWaiting] != 1 || counts.Items[0].WaitingSince == nil {
			t.Errorf("%s is told %+v of what waits", viewer.Role, counts.Items)
		}
	}
}

func current(d *viewtest.Desk, id string) *domain.Sight {
	s := d.Thread(id[:len(id)-2])
	for _, c := range s.Conversations {
		if c.ID == id {
			return c.Sight()
		}
	}
	for _, c := range d.Thread(id[:len(id)-3]).Conversations {
		if c.ID == id {
			return c.Sight()
		}
	}
	return nil
}

// TestNothingOfAnErasedThreadIsLeftInTheFiles looks while the view is being served.
func TestNothingOfAnErasedThreadIsLeftInTheFiles(t *testing.T) {
	v := newView(t, 5)
	r := v.desk.Receive("t1", "web", "Mi clave es árbol-33")
	r.Name, r.Address = "Lucía Gómez", "+54 11 5555-0101"
	v.desk.Do("contact", "t1", 0, r)
	v.desk.Random(50, 3)
	v.caughtUp()
	if !v.holds("árbol-33") || !v.holds("Lucía Gómez") || !v.holds("5555-0101") {
		t.Fatal("it was never there")
	}
	v.desk.Do("adela", "t1", 0, thread.Erase{})
	v.caughtUp()
	for end := time.Now().Add(10 * time.Second); v.holds("árbol-33") || v.holds("Lucía Gómez") || v.holds("5555-0101"); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it is still there")
		}
	}
}

// holds reports whether the text is in any of the view's files.
func (v *view) holds(text string) bool {
	v.t.Helper()
	all, err := viewtest.Holdings(v.store, v.dir, queue.Name)
	if err != nil {
		v.t.Fatal(err)
	}
	return bytes.Contains(all, []byte(text))
}

func TestAnyBatchesMakeTheSameRows(t *testing.T) {
	log := viewtest.NewLog("test")
	desk := viewtest.NewDesk(log, 3)
	desk.Erases = true
	desk.Random(700, 25)
	want := ""
	for _, size := range []int{5000, 7, 1} {
		got, err := viewtest.Rebuild(log, queue.New(), projections.Options{CatchUp: size, Batch: size})
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("batches of %d make other rows", size)
		}
	}
	forgotten, err := viewtest.Rebuild(viewtest.Forgotten(log), queue.New(), projections.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if forgotten != want {
		t.Error("a rebuild after the keys were destroyed makes other rows than the blanking did")
	}
}
