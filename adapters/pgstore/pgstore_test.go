package pgstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/turno-desk/turno/adapters/pgstore"
	"github.com/turno-desk/turno/adapters/pgstore/pgtest"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/viewtest"
)

const schema = `CREATE TABLE IF NOT EXISTS line (id INTEGER PRIMARY KEY, text TEXT NOT NULL);`

func open(t *testing.T, url string) *pgstore.Store {
	t.Helper()
	s, err := pgstore.Open(url, pgstore.Options{WaitBuilt: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// writer writes to the only version.
func writer(t *testing.T, s *pgstore.Store) *sql.DB {
	t.Helper()
	version, err := s.EnsureVersion(context.Background(), "lines", 1)
	if err != nil {
		t.Fatal(err)
	}
	db, err := s.Writer(context.Background(), "lines", version, schema)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func exec(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.Exec(query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func count(t *testing.T, db projections.Querier) (n int) {
	t.Helper()
	if err := db.QueryRowContext(context.Background(), `SELECT count(*) FROM line`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestItKeepsTheContractOfVersions(t *testing.T) {
	viewtest.Versions(t, func(t *testing.T) func() projections.Store {
		url := pgtest.Database(t)
		return func() projections.Store { return open(t, url) }
	})
}

func TestDeploymentsInOneDatabaseDoNotMeet(t *testing.T) {
	url := pgtest.Database(t)
	one, two := open(t, url), open(t, url+"&schema=two")
	exec(t, writer(t, one), `INSERT INTO line VALUES (1, 'one')`)
	exec(t, writer(t, two), `INSERT INTO line VALUES (1, 'two'), (2, 'two')`)
	if a, b := count(t, one.Reader("lines")), count(t, two.Reader("lines")); a != 1 || b != 2 {
		t.Errorf("%d and %d lines", a, b)
	}
}

func TestAQueryReadsOneMoment(t *testing.T) {
	s := open(t, pgtest.Database(t))
	db := writer(t, s)
	exec(t, db, `INSERT INTO line VALUES (1, 'a')`)
	tx, err := s.Reader("lines").BeginTx(context.Background(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // reading only
	before := count(t, tx)
	exec(t, db, `INSERT INTO line VALUES (2, 'b')`)
	if after := count(t, tx); before != 1 || after != 1 {
		t.Errorf("%d lines, then %d, in one transaction", before, after)
	}
}

func TestAReaderCanNotWrite(t *testing.T) {
	s := open(t, pgtest.Database(t))
	writer(t, s)
	for _, q := range []string{`INSERT INTO line VALUES (1, 'x')`, `DELETE FROM line`, `CREATE TABLE other (x INTEGER)`} {
		if _, err := s.Reader("lines").Exec(q); err == nil || !strings.Contains(err.Error(), "read-only") {
			t.Errorf("%s by a reader gives %v", q, err)
		}
	}
}

// TestWritersOfAVersionTakeTurns has many begin at once what would otherwise read the same number.
func TestWritersOfAVersionTakeTurns(t *testing.T) {
	url := pgtest.Database(t)
	exec(t, writer(t, open(t, url)), `INSERT INTO line VALUES (1, '0')`)
	var all sync.WaitGroup
	for range 6 {
		db := writer(t, open(t, url))
		all.Go(func() {
			for range 10 {
				tx, err := db.Begin()
				if err != nil {
					t.Error(err)
					return
				}
				var n int
				if err := tx.QueryRow(`SELECT CAST(text AS INTEGER) FROM line`).Scan(&n); err != nil {
					t.Error(err)
				}
				if _, err := tx.Exec(`UPDATE line SET text = ?`, fmt.Sprint(n+1)); err != nil {
					t.Error(err)
				}
				if err := tx.Commit(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	var n string
	if err := open(t, url).Reader("lines").QueryRow(`SELECT text FROM line`).Scan(&n); err != nil || n != "60" {
		t.Errorf("60 additions made %s (%v)", n, err)
	}
}

func TestManyOpenANewDatabaseAtOnce(t *testing.T) {
	url := pgtest.Database(t)
	var all sync.WaitGroup
	for i := range 8 {
		s := open(t, url)
		all.Go(func() {
			version, err := s.EnsureVersion(context.Background(), "lines", 1)
			if err != nil {
				t.Error(err)
				return
			}
			db, err := s.Writer(context.Background(), "lines", version, schema)
			if err == nil {
				_, err = db.Exec(`INSERT INTO line VALUES (?, ?)`, i, "x")
			}
			if err != nil || version != 1 {
				t.Errorf("opener %d has version %d: %v", i, version, err)
			}
		})
	}
	all.Wait()
}

func TestACatalogueOfANewerProgramIsRefused(t *testing.T) {
	url := pgtest.Database(t)
	s := open(t, url)
	writer(t, s)
	catalogue := open(t, url+"&schema=other") // a writing handle on the database
	exec(t, writer(t, catalogue), `INSERT INTO turno.migrations (number) VALUES (99)`)
	if _, _, err := open(t, url).Active(context.Background(), "lines"); err == nil || !strings.Contains(err.Error(), "newer turno") {
		t.Errorf("it says %v", err)
	}
}

func TestWhatSQLiteTakesForTruthAndTextIsTaken(t *testing.T) {
	s := open(t, pgtest.Database(t))
	db := writer(t, s)
	exec(t, db, `CREATE TABLE odd (id INTEGER PRIMARY KEY, flag INTEGER NOT NULL, text TEXT NOT NULL, data BLOB)`)
	exec(t, db, `INSERT INTO odd VALUES (?, ?, ?, ?)`, 1, true, "a\x00b\xffc '?' ñ", []byte("\x00\xff"))
	var flag bool
	var text string
	var data []byte
	if err := s.Reader("lines").QueryRow(`SELECT flag, text, data FROM odd /* why? */ WHERE id = ?1 AND text <> '?' -- ?`, 1).Scan(&flag, &text, &data); err != nil {
		t.Fatal(err)
	}
	if !flag || text != "a\uFFFDb\uFFFDc '?' ñ" || string(data) != "\x00\xff" {
		t.Errorf("%t %q %q", flag, text, data)
	}
}

func TestTextsAreOrderedByTheirBytes(t *testing.T) {
	s := open(t, pgtest.Database(t))
	db := writer(t, s)
	for i, text := range []string{"b", "B", "á", "a", "_", "Z"} {
		exec(t, db, `INSERT INTO line VALUES (?, ?)`, i, text)
	}
	rows, err := s.Reader("lines").Query(`SELECT text FROM line ORDER BY text`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got strings.Builder
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		got.WriteString(text)
	}
	if got.String() != "BZ_abá" {
		t.Errorf("the order is %s", got.String())
	}
}

func TestOnlyWhatIsNotTheRowsFaultIsTransient(t *testing.T) {
	url := pgtest.Database(t)
	s := open(t, url)
	db := writer(t, s)
	exec(t, db, `INSERT INTO line VALUES (1, 'a')`)
	_, constraint := db.Exec(`INSERT INTO line VALUES (1, 'b')`)
	_, missing := db.Exec(`INSERT INTO nowhere VALUES (1)`)
	_, syntax := db.Exec(`INSERT INTO`)
	_, readonly := s.Reader("lines").Exec(`DELETE FROM line`)
	_, shutdown := db.Exec(`SELECT pg_terminate_backend(pg_backend_pid())`)
	_, unreachable := open(t, "postgres://nobody@127.0.0.1:1/nothing").EnsureVersion(context.Background(), "lines", 1)
	_, stranger := open(t, strings.Replace(url, "turno:", "turno:wrong", 1)).EnsureVersion(context.Background(), "lines", 1)
	_, timeout := db.Exec(`SET LOCAL statement_timeout = 1; SELECT pg_sleep(1)`)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_, canceled := db.ExecContext(ended, `DELETE FROM line`)
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"constraint": {constraint, false}, "no table": {missing, false}, "syntax": {syntax, false}, "anything": {errors.New("x"), false},
		"read-only": {readonly, true}, "shutdown": {shutdown, true}, "unreachable": {unreachable, true}, "password": {stranger, true},
		"timeout": {timeout, true}, "canceled": {canceled, true}, "done": {fmt.Errorf("y: %w", sql.ErrTxDone), true},
	} {
		if c.err == nil || s.Transient(c.err) != c.want {
			t.Errorf("%s: transient is %t: %v", name, s.Transient(c.err), c.err)
		}
	}
	for name, err := range map[string]error{"shutdown": shutdown, "unreachable": unreachable, "password": stranger} {
		if !errors.Is(err, projections.ErrUnavailable) {
			t.Errorf("%s: who reads is not told that it may pass: %v", name, err)
		}
	}
	exec(t, db, `INSERT INTO line VALUES (2, 'the pool goes on')`)
}

func TestACommitThatWasARollbackIsNoSuccess(t *testing.T) {
	db := writer(t, open(t, pgtest.Database(t)))
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(`INSERT INTO nowhere VALUES (1)`); err == nil {
		t.Fatal("a table that isn't there")
	}
	if err := tx.Commit(); err == nil {
		t.Error("the commit of what was rolled back succeeded")
	}
	exec(t, db, `INSERT INTO line VALUES (1, 'the connection goes on')`)
}

// TestAServerThatHasNoConnectionLeftIsWaitedOut fills a small server.
func TestAServerThatHasNoConnectionLeftIsWaitedOut(t *testing.T) {
	server := pgtest.Start(t, "max_connections=6", "superuser_reserved_connections=0", "max_wal_senders=0")
	url := server.Database(t)
	s := open(t, url)
	exec(t, writer(t, s), `INSERT INTO line VALUES (1, 'a')`)
	full := open(t, url+"&readers=4")
	var held []*sql.Conn
	for {
		conn, err := full.Reader("lines").Conn(context.Background())
		if err != nil {
			if !errors.Is(err, projections.ErrUnavailable) || !s.Transient(err) {
				t.Errorf("the server is full, and it says %v", err)
			}
			break
		}
		held = append(held, conn)
		if len(held) > 6 {
			t.Fatal("the server takes more connections than it has")
		}
	}
	for _, conn := range held {
		conn.Close()
	}
	if n := count(t, full.Reader("lines")); n != 1 {
		t.Errorf("%d lines", n)
	}
}

func TestItGoesOnAfterTheServerWasKilled(t *testing.T) {
	server := pgtest.Start(t)
	s := open(t, server.Database(t))
	db := writer(t, s)
	exec(t, db, `INSERT INTO line VALUES (1, 'a')`)
	count(t, s.Reader("lines"))
	server.Kill()
	_, writing := db.Exec(`INSERT INTO line VALUES (2, 'b')`)
	_, reading := s.Reader("lines").Exec(`SELECT 1`)
	for _, err := range []error{writing, reading} {
		if !errors.Is(err, projections.ErrUnavailable) || !s.Transient(err) {
			t.Errorf("the server is dead, and it says %v", err)
		}
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	exec(t, db, `INSERT INTO line VALUES (3, 'c')`)
	if n := count(t, s.Reader("lines")); n != 2 {
		t.Errorf("%d lines of 2", n)
	}
}

func TestNobodyReadsThePassword(t *testing.T) {
	server, err := pgtest.Shared()
	if err != nil {
		t.Skip(err)
	}
	url := pgtest.Database(t)
	secret := server.Password()
	says := []string{open(t, url).String()}
	for _, bad := range []string{
		strings.Replace(url, "postgres://", "mysql://", 1), strings.Replace(url, "sslmode=disable", "sslmode=perhaps", 1),
		url + "&schema=No", url + "&readers=0", strings.Replace(url, "127.0.0.1:", "127.0.0.1:x", 1), url + "%zz", "postgres://" + secret + "\x7f",
	} {
		s, err := pgstore.Open(bad, pgstore.Options{})
		if err == nil {
			s.Close()
			t.Errorf("%s was accepted", bad)
			continue
		}
		says = append(says, err.Error())
	}
	for _, reachable := range []string{strings.Replace(url, "/t", "/nothing", 1), strings.Replace(url, "turno:", "nobody:", 1)} {
		_, _, err := open(t, reachable).Active(context.Background(), "lines")
		if err == nil {
			t.Errorf("%s is reached", reachable)
			continue
		}
		says = append(says, err.Error())
	}
	for _, s := range says {
		if strings.Contains(s, secret) {
			t.Errorf("the password is told: %s", s)
		}
	}
}

// TestAScrubRemovesWhatWasOverwritten looks into the table's file.
func TestAScrubRemovesWhatWasOverwritten(t *testing.T) {
	server := pgtest.Start(t, "autovacuum=off")
	url := server.Database(t)
	s := open(t, url)
	db := writer(t, s)
	for i := range 100 {
		exec(t, db, `INSERT INTO line VALUES (?, ?)`, i, "Lucía")
	}
	dead := func() (n int) {
		if err := db.QueryRow(`SELECT count(*) FROM heap_dead()`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	exec(t, db, `CREATE EXTENSION IF NOT EXISTS pageinspect SCHEMA public`)
	exec(t, db, `CREATE FUNCTION heap_dead() RETURNS SETOF INTEGER LANGUAGE sql AS $$
		SELECT p.lp::int FROM generate_series(0, pg_relation_size('line') / 8192 - 1) AS n,
		LATERAL public.heap_page_items(public.get_raw_page('line', n::int)) AS p WHERE p.t_xmax <> 0 AND p.lp_len > 0 $$`)
	reading, err := s.Reader("lines").Begin()
	if err != nil {
		t.Fatal(err)
	}
	count(t, reading)
	exec(t, db, `UPDATE line SET text = '[erased]'`)
	if n := dead(); n != 100 {
		t.Fatalf("%d old rows lie about, want 100: the test looks at the wrong place", n)
	}
	if done, err := s.Scrub(context.Background(), db); done || err != nil {
		t.Errorf("with a reader in the way the scrub is done: %t (%v)", done, err)
	}
	if err := reading.Rollback(); err != nil {
		t.Fatal(err)
	}
	if done, err := s.Scrub(context.Background(), db); !done || err != nil {
		t.Errorf("the scrub is done: %t (%v)", done, err)
	}
	if n := dead(); n != 0 {
		t.Errorf("%d old rows are left", n)
	}
}

func TestAWipeLeavesNoTable(t *testing.T) {
	s := open(t, pgtest.Database(t))
	db := writer(t, s)
	exec(t, db, `CREATE TABLE "odd name" (x INTEGER); CREATE TABLE words (at INTEGER PRIMARY KEY, w tsvector)`)
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Wipe(context.Background(), tx); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if all, err := pgstore.Tables(context.Background(), db); err != nil || len(all) != 0 {
		t.Errorf("%v are left (%v)", all, err)
	}
}

func TestMain(m *testing.M) {
	// What a developer's own environment says of PostgreSQL is none of these tests' business.
	for _, name := range []string{"PGPASSWORD", "PGUSER", "PGHOST", "PGSERVICE"} {
		os.Unsetenv(name) //nolint:errcheck // it is a name
	}
	os.Exit(m.Run())
}
