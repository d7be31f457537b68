package viewtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/turno-desk/turno/projections"
)

// Versions holds a store of views to the contract of its versions. open makes an empty store for one test and returns what
// opens it once more, as another process would; what it opens is closed with the test.
func Versions(t *testing.T, open func(t *testing.T) (again func() projections.Store)) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, func() projections.Store)
	}{
		{"no number is given twice", numbersOnce},
		{"code of a definition is given the version that is its own", ownVersion},
		{"processes that start at once are given one version", oneForAll},
		{"the first version that is written to is the active one", firstIsActive},
		{"a reader waits for the first version", readerWaits},
		{"readers follow the active version and the old one stays", readersFollow},
		{"a reader never goes back to the version of before", neverBack},
		{"what nobody has written to can't be activated", nothingToActivate},
		{"a version is dropped with all that it holds, the active one never", dropped},
		{"equal rows have equal digests", equalDigests},
		{"a digest in a transaction is of one moment", digestOfAMoment},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}

const (
	linesView   = "lines"
	linesSchema = `CREATE TABLE IF NOT EXISTS line (id INTEGER PRIMARY KEY, text TEXT NOT NULL, wall_at INTEGER NOT NULL DEFAULT 0);`
)

func newVersion(t *testing.T, s projections.Store, definition int) int {
	t.Helper()
	n, err := s.NewVersion(t.Context(), linesView, definition)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// written is a new version that holds one line.
func written(t *testing.T, s projections.Store, definition int, text string) int {
	t.Helper()
	n := newVersion(t, s, definition)
	db := linesWriter(t, s, n)
	line(t, db, 1, text)
	return n
}

func linesWriter(t *testing.T, s projections.Store, version int) *sql.DB {
	t.Helper()
	db, err := s.Writer(t.Context(), linesView, version, linesSchema)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func line(t *testing.T, db *sql.DB, id int, text string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), `INSERT INTO line (id, text, wall_at) VALUES (?, ?, ?)`, id, text, time.Now().UnixNano()); err != nil {
		t.Fatal(err)
	}
}

func firstLine(t *testing.T, q projections.Querier) string {
	t.Helper()
	var s string
	if err := q.QueryRowContext(t.Context(), `SELECT text FROM line WHERE id = 1`).Scan(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

func activate(t *testing.T, s projections.Store, version int) {
	t.Helper()
	if err := s.Activate(t.Context(), linesView, version); err != nil {
		t.Fatal(err)
	}
}

func versions(t *testing.T, s projections.Store) []projections.VersionInfo {
	t.Helper()
	all, err := s.Versions(t.Context(), linesView)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func ensured(t *testing.T, s projections.Store, definition int) int {
	t.Helper()
	n, err := s.EnsureVersion(t.Context(), linesView, definition)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func numbersOnce(t *testing.T, again func() projections.Store) {
	a, b := again(), again()
	written(t, a, 7, "one")
	two := written(t, b, 7, "two")
	if err := a.Drop(t.Context(), linesView, two); err != nil {
		t.Fatal(err)
	}
	if n := newVersion(t, b, 7); n <= two {
		t.Errorf("after version %d was dropped its number is %d", two, n)
	}
	if _, err := a.NewVersion(t.Context(), linesView, 0); err == nil {
		t.Error("definition 0 was entered")
	}
	if all, err := a.Versions(t.Context(), "another"); err != nil || len(all) != 0 {
		t.Errorf("a view that nobody built has the versions %v (%v)", all, err)
	}
}

func ownVersion(t *testing.T, again func() projections.Store) {
	s := again()
	first := ensured(t, s, 3)
	linesWriter(t, s, first)
	if n := ensured(t, s, 3); n != first {
		t.Errorf("a second start is given %d, not the active %d", n, first)
	}
	newVersion(t, s, 3) // somebody rebuilds beside
	if n := ensured(t, s, 3); n != first {
		t.Errorf("while one is built beside, a start is given %d, not the active %d", n, first)
	}
	changed := ensured(t, s, 4)
	if n := ensured(t, s, 4); n != changed || n == first {
		t.Errorf("a changed definition is given %d, then %d", changed, n)
	}
	newest := newVersion(t, s, 4)
	if n := ensured(t, s, 4); n != newest {
		t.Errorf("of the versions of a definition, none of them active, %d is given, not the newest, %d", n, newest)
	}
	for _, v := range versions(t, s) {
		want := map[bool]int{true: 3, false: 4}[v.Number <= newest-2]
		if v.Number == first && !v.Active || v.Number != first && v.Active || v.Definition != want {
			t.Errorf("the catalogue has %+v, want definition %d", v, want)
		}
		if age := time.Since(v.Created); age < -time.Minute || age > time.Hour {
			t.Errorf("version %d was created at %s", v.Number, v.Created)
		}
	}
}

func oneForAll(t *testing.T, again func() projections.Store) {
	const starts = 8
	stores := make([]projections.Store, starts)
	for i := range stores {
		stores[i] = again()
	}
	given := make([]int, starts)
	var all sync.WaitGroup
	for i, s := range stores {
		all.Go(func() {
			n, err := s.EnsureVersion(t.Context(), linesView, 5)
			if err == nil {
				var db *sql.DB
				if db, err = s.Writer(t.Context(), linesView, n, linesSchema); err == nil {
					_, err = db.ExecContext(t.Context(), `INSERT INTO line (id, text) VALUES (?, ?)`, i, "x")
					err = errors.Join(err, db.Close())
				}
			}
			if err != nil {
				t.Errorf("start %d: %v", i, err)
			}
			given[i] = n
		})
	}
	all.Wait()
	for _, n := range given {
		if n != given[0] {
			t.Fatalf("they are given %v", given)
		}
	}
}

func firstIsActive(t *testing.T, again func() projections.Store) {
	s := again()
	first := newVersion(t, s, 1)
	if n, found, err := s.Active(t.Context(), linesView); err != nil || found {
		t.Errorf("before anybody wrote, %d is active: %t (%v)", n, found, err)
	}
	linesWriter(t, s, first)
	linesWriter(t, s, newVersion(t, s, 1))
	if n, found, err := again().Active(t.Context(), linesView); err != nil || !found || n != first {
		t.Errorf("%d is active: %t (%v), want %d", n, found, err, first)
	}
}

func readerWaits(t *testing.T, again func() projections.Store) {
	reader := again().Reader(linesView)
	got := make(chan error, 1)
	go func() {
		var n int
		got <- reader.QueryRowContext(t.Context(), `SELECT count(*) FROM line`).Scan(&n)
	}()
	s := again()
	linesWriter(t, s, newVersion(t, s, 1))
	if err := <-got; err != nil {
		t.Fatal(err)
	}
}

func readersFollow(t *testing.T, again func() projections.Store) {
	here, there := again(), again()
	one := written(t, here, 1, "one")
	if got := firstLine(t, there.Reader(linesView)); got != "one" {
		t.Fatalf("readers see %q", got)
	}
	two := written(t, here, 1, "two")
	if got := firstLine(t, there.Reader(linesView)); got != "one" {
		t.Errorf("before the switch readers see %q", got)
	}
	activate(t, here, two)
	for end := time.Now().Add(5 * time.Second); firstLine(t, there.Reader(linesView)) != "two"; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("readers in another process never see the new version")
		}
	}
	for n, want := range map[int]string{one: "one", two: "two"} {
		db, err := there.ReaderOf(t.Context(), linesView, n)
		if err != nil {
			t.Fatal(err)
		}
		if got := firstLine(t, db); got != want {
			t.Errorf("version %d holds %q", n, got)
		}
		if _, err := db.ExecContext(t.Context(), `INSERT INTO line (id, text) VALUES (9, 'x')`); err == nil {
			t.Error("a reader could write")
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	all := versions(t, there)
	if len(all) != 2 || all[0].Active || !all[1].Active || all[0].Size == 0 || all[1].Size == 0 {
		t.Errorf("the versions are %+v", all)
	}
	activate(t, here, one)
	if n, _, err := here.Active(t.Context(), linesView); err != nil || n != one {
		t.Errorf("going back, %d is active (%v)", n, err)
	}
}

// neverBack switches to and fro under readers. Version n holds n, and is only ever active after all before it.
func neverBack(t *testing.T, again func() projections.Store) {
	here, there := again(), again()
	written(t, here, 1, "001")
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	var mu sync.Mutex
	newest := ""
	for range 4 {
		readers.Go(func() {
			for ctx.Err() == nil {
				mu.Lock()
				before := newest
				mu.Unlock()
				var got string
				if err := there.Reader(linesView).QueryRowContext(t.Context(), `SELECT text FROM line WHERE id = 1`).Scan(&got); err != nil {
					t.Errorf("a query during a switch: %v", err)
					return
				}
				if got < before {
					t.Errorf("a reader saw %s after somebody had seen %s", got, before)
					return
				}
				mu.Lock()
				newest = max(newest, got)
				mu.Unlock()
			}
		})
	}
	for i := 2; i <= 6; i++ {
		text := fmt.Sprintf("%03d", i)
		activate(t, here, written(t, here, 1, text))
		for end := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
			mu.Lock()
			now := newest
			mu.Unlock()
			if now == text {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("readers never see version %d", i)
			}
		}
	}
	cancel()
	readers.Wait()
}

func nothingToActivate(t *testing.T, again func() projections.Store) {
	s := again()
	one := written(t, s, 1, "one")
	empty := newVersion(t, s, 1)
	for _, n := range []int{empty, empty + 1} {
		if err := s.Activate(t.Context(), linesView, n); !errors.Is(err, projections.ErrNoVersion) {
			t.Errorf("activating %d: %v", n, err)
		}
		if _, err := s.ReaderOf(t.Context(), linesView, n); !errors.Is(err, projections.ErrNoVersion) {
			t.Errorf("reading %d: %v", n, err)
		}
	}
	if _, err := s.Writer(t.Context(), linesView, empty+1, linesSchema); !errors.Is(err, projections.ErrNoVersion) {
		t.Errorf("writing to a version that was never entered: %v", err)
	}
	if n, _, err := s.Active(t.Context(), linesView); err != nil || n != one {
		t.Errorf("%d is active (%v)", n, err)
	}
}

func dropped(t *testing.T, again func() projections.Store) {
	s, other := again(), again()
	one, two := written(t, s, 1, "one"), written(t, s, 1, "two")
	if err := s.Drop(t.Context(), linesView, one); !errors.Is(err, projections.ErrActive) {
		t.Errorf("dropping the active version: %v", err)
	}
	for range 2 {
		if err := other.Drop(t.Context(), linesView, two); err != nil {
			t.Fatal(err)
		}
	}
	if all := versions(t, s); len(all) != 1 || all[0].Number != one {
		t.Errorf("the versions are %+v", all)
	}
	if _, err := s.Writer(t.Context(), linesView, two, linesSchema); !errors.Is(err, projections.ErrNoVersion) {
		t.Errorf("writing to it: %v", err)
	}
	if _, err := s.ReaderOf(t.Context(), linesView, two); !errors.Is(err, projections.ErrNoVersion) {
		t.Errorf("reading it: %v", err)
	}
	if err := s.Activate(t.Context(), linesView, two); !errors.Is(err, projections.ErrNoVersion) {
		t.Errorf("activating it: %v", err)
	}
	if got := firstLine(t, s.Reader(linesView)); got != "one" {
		t.Errorf("readers see %q", got)
	}
}

func equalDigests(t *testing.T, again func() projections.Store) {
	s := again()
	digest := func(version int) string {
		t.Helper()
		db, err := s.ReaderOf(t.Context(), linesView, version)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		d, err := s.Digest(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	one, two, three := written(t, s, 1, "Ñandú"), written(t, s, 1, "Ñandú"), written(t, s, 1, "ñandú")
	if digest(one) != digest(two) {
		t.Error("the same rows have two digests")
	}
	if digest(one) == digest(three) {
		t.Error("other rows have the same digest")
	}
	line(t, linesWriter(t, s, two), 2, "")
	if digest(one) == digest(two) {
		t.Error("a row more gives the same digest")
	}
}

func digestOfAMoment(t *testing.T, again func() projections.Store) {
	s := again()
	n := written(t, s, 1, "one")
	w := linesWriter(t, s, n)
	db, err := s.ReaderOf(t.Context(), linesView, n)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // reading only
	before, err := s.Digest(t.Context(), tx)
	if err != nil {
		t.Fatal(err)
	}
	line(t, w, 2, "two")
	after, err := s.Digest(t.Context(), tx)
	if err != nil {
		t.Fatal(err)
	}
	if before != after {
		t.Error("within one transaction a write of another changed the digest")
	}
	if now, err := s.Digest(t.Context(), db); err != nil || now == before {
		t.Errorf("outside of it the write is not seen (%v)", err)
	}
}
