package sqlstore_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/turno-desk/turno/adapters/sqlstore"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/viewtest"
)

const schema = `CREATE TABLE IF NOT EXISTS line (id INTEGER PRIMARY KEY, text TEXT NOT NULL);`

func open(t *testing.T, dir string) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(dir, sqlstore.Options{WaitBuilt: 5 * time.Second})
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
func writer(t *testing.T, s *sqlstore.Store) *sql.DB {
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

func text(t *testing.T, db *sql.DB) string {
	t.Helper()
	var s string
	if err := db.QueryRow(`SELECT coalesce(group_concat(text), '') FROM line`).Scan(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestItKeepsTheContractOfVersions(t *testing.T) {
	viewtest.Versions(t, func(t *testing.T) func() projections.Store {
		dir := t.TempDir()
		return func() projections.Store { return open(t, dir) }
	})
}

func TestAFolderOfBeforeOpensWithItsVersionAsItsDefinition(t *testing.T) {
	dir := t.TempDir()
	views := filepath.Join(dir, "views")
	if err := os.Mkdir(views, 0o700); err != nil {
		t.Fatal(err)
	}
	for file, content := range map[string]string{
		"catalogue.db": `CREATE TABLE active (projection TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID; INSERT INTO active VALUES ('lines', 7)`,
		"lines.v7.db":  schema + `INSERT INTO line VALUES (1, 'seven')`,
		"lines.v8.db":  schema + `INSERT INTO line VALUES (1, 'half of eight')`,
	} {
		db, err := sql.Open("sqlite", filepath.Join(views, file))
		if err != nil {
			t.Fatal(err)
		}
		exec(t, db, content)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		s := open(t, dir)
		if n, err := s.EnsureVersion(context.Background(), "lines", 7); err != nil || n != 7 {
			t.Errorf("code of definition 7 is given version %d (%v)", n, err)
		}
		if got := text(t, s.Reader("lines")); got != "seven" {
			t.Errorf("readers see %q", got)
		}
		if n, err := s.EnsureVersion(context.Background(), "lines", 8); err != nil || n != 9 {
			t.Errorf("code of definition 8 is given version %d (%v), want a new file", n, err)
		}
	}
}

func TestFilesOfADroppedVersionGoAtTheNextStart(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	writer(t, s)
	two, err := s.NewVersion(context.Background(), "lines", 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Drop(context.Background(), "lines", two); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(dir, "views", fmt.Sprintf("lines.v%d.db", two))
	for _, suffix := range []string{"", "-wal"} {
		if err := os.WriteFile(left+suffix, []byte("its process was killed"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	open(t, dir)
	for _, suffix := range []string{"", "-wal"} {
		if _, err := os.Stat(left + suffix); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there (%v)", left+suffix, err)
		}
	}
}

func TestAReaderSaysThatNobodyBuiltTheView(t *testing.T) {
	reader := open(t, t.TempDir()).Reader("lines")
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	if err := reader.PingContext(ctx); !errors.Is(err, sqlstore.ErrNotBuilt) {
		t.Errorf("it says %v", err)
	}
}

func TestAReaderCanNotWrite(t *testing.T) {
	s := open(t, t.TempDir())
	writer(t, s)
	if _, err := s.Reader("lines").Exec(`INSERT INTO line VALUES (1, 'x')`); err == nil || !strings.Contains(err.Error(), "readonly") {
		t.Errorf("a write by a reader gives %v", err)
	}
}

func TestADamagedFileIsNamedWithWhatToDo(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if _, err := s.NewVersion(context.Background(), "lines", 1); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "views", "lines.v1.db")
	if err := os.WriteFile(path, bytes.Repeat([]byte("no database "), 500), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Writer(context.Background(), "lines", 1, schema); err == nil || !strings.Contains(err.Error(), "remove it") {
		t.Errorf("opening a damaged view: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	exec(t, writer(t, s), `INSERT INTO line VALUES (1, 'again')`)
}

func TestTheFilesAreForTheirOwnerAlone(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	exec(t, writer(t, s), `INSERT INTO line VALUES (1, 'ours')`)
	files, err := filepath.Glob(filepath.Join(dir, "views", "*.db*"))
	if err != nil || len(files) < 3 { // the catalogue, the view and its write-ahead log
		t.Fatalf("%v %v", files, err)
	}
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if p := info.Mode().Perm(); p&0o077 != 0 {
			t.Errorf("%s has mode %04o", name, p)
		}
	}
}

func TestNamesThatAreNoIdsAreRefused(t *testing.T) {
	s := open(t, t.TempDir())
	for _, name := range []string{"", "../x", "a b", "a?mode=memory"} {
		if _, err := s.EnsureVersion(context.Background(), name, 1); err == nil {
			t.Errorf("%q was accepted", name)
		}
		if _, err := s.NewVersion(context.Background(), name, 1); err == nil {
			t.Errorf("%q was accepted", name)
		}
	}
}

func TestAFolderMayHaveAnyName(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b?c%20d#e")
	s := open(t, dir)
	exec(t, writer(t, s), `INSERT INTO line VALUES (1, 'one')`)
	if got := text(t, s.Reader("lines")); got != "one" {
		t.Errorf("readers see %q", got)
	}
	if _, err := os.Stat(filepath.Join(dir, "views", "lines.v1.db")); err != nil {
		t.Error(err)
	}
}

func TestWhatIsOverwrittenIsGoneFromTheFiles(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	db := writer(t, s)
	secret := "Lucía Gómez de Paz"
	for i := range 200 {
		exec(t, db, `INSERT INTO line VALUES (?, ?)`, i, secret+strings.Repeat("-", i*20))
	}
	exec(t, db, `UPDATE line SET text = '[erased]' WHERE id % 2 = 0`)
	reading, err := s.Reader("lines").Begin()
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := reading.QueryRow(`SELECT count(*) FROM line`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	exec(t, db, `DELETE FROM line WHERE id % 2 = 1`)
	if done, err := s.Scrub(context.Background(), db); done || err != nil {
		t.Errorf("with a reader in the way the scrub is done: %t (%v)", done, err)
	}
	if err := reading.Rollback(); err != nil {
		t.Fatal(err)
	}
	if done, err := s.Scrub(context.Background(), db); !done || err != nil {
		t.Errorf("the scrub is done: %t (%v)", done, err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "views", "*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("%v %v", files, err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(data, []byte(secret)) {
			t.Errorf("%s still holds it", filepath.Base(f))
		}
	}
}

func TestADigestTellsRowsApartAndNothingElse(t *testing.T) {
	digest := func(statements ...string) string {
		t.Helper()
		s := open(t, t.TempDir())
		db := writer(t, s)
		exec(t, db, `CREATE TABLE b (x, wall_at INTEGER); CREATE TABLE runner_status (n INTEGER);
			CREATE VIRTUAL TABLE words USING fts5 (t)`)
		for _, q := range statements {
			exec(t, db, q)
		}
		d, err := sqlstore.Digest(context.Background(), s.Reader("lines"))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	base := digest(`INSERT INTO line VALUES (1, 'a'), (2, 'b')`, `INSERT INTO b VALUES (1, 10), ('1', 11)`)
	for name, same := range map[string]string{
		"another order":         digest(`INSERT INTO b VALUES ('1', 11)`, `INSERT INTO b VALUES (1, 10)`, `INSERT INTO line VALUES (2, 'b'), (1, 'a')`),
		"other clocks":          digest(`INSERT INTO line VALUES (1, 'a'), (2, 'b')`, `INSERT INTO b VALUES (1, 77), ('1', 78)`, `INSERT INTO runner_status VALUES (5)`),
		"a detour":              digest(`INSERT INTO line VALUES (1, 'x'), (2, 'b'), (3, 'c')`, `UPDATE line SET text = 'a' WHERE id = 1`, `DELETE FROM line WHERE id = 3`, `INSERT INTO b VALUES (1, 10), ('1', 11)`),
		"another index of text": digest(`INSERT INTO line VALUES (1, 'a'), (2, 'b')`, `INSERT INTO b VALUES (1, 10), ('1', 11)`, `INSERT INTO words VALUES ('z')`),
	} {
		if same != base {
			t.Errorf("%s gives another digest", name)
		}
	}
	for name, other := range map[string]string{
		"another value":    digest(`INSERT INTO line VALUES (1, 'a'), (2, 'c')`, `INSERT INTO b VALUES (1, 10), ('1', 11)`),
		"another type":     digest(`INSERT INTO line VALUES (1, 'a'), (2, 'b')`, `INSERT INTO b VALUES (1, 10), (1, 11)`),
		"a row less":       digest(`INSERT INTO line VALUES (1, 'a')`, `INSERT INTO b VALUES (1, 10), ('1', 11)`),
		"a row twice":      digest(`INSERT INTO line VALUES (1, 'a'), (2, 'b')`, `INSERT INTO b VALUES (1, 10), (1, 10), ('1', 11)`),
		"texts that shift": digest(`INSERT INTO line VALUES (1, 'ab'), (2, '')`, `INSERT INTO b VALUES (1, 10), ('1', 11)`),
		"null for empty":   digest(`INSERT INTO line VALUES (1, 'a'), (2, 'b')`, `INSERT INTO b VALUES (NULL, 10), ('1', 11)`),
		"another table":    digest(`INSERT INTO line VALUES (1, 'a'), (2, 'b')`, `INSERT INTO b VALUES (1, 10), ('1', 11)`, `CREATE TABLE c (y)`),
	} {
		if other == base {
			t.Errorf("%s gives the same digest", name)
		}
	}
}

func TestAWipeLeavesNoTable(t *testing.T) {
	s := open(t, t.TempDir())
	db := writer(t, s)
	exec(t, db, `CREATE VIRTUAL TABLE words USING fts5 (t); CREATE VIEW v AS SELECT * FROM line; INSERT INTO words VALUES ('a')`)
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
	var n int
	if err := s.Reader("lines").QueryRow(`SELECT count(*) FROM sqlite_master`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d things are left (%v)", n, err)
	}
}

func TestOnlyWhatIsNotTheRowsFaultIsTransient(t *testing.T) {
	s := open(t, t.TempDir())
	db := writer(t, s)
	exec(t, db, `INSERT INTO line VALUES (1, 'a')`)
	_, constraint := db.Exec(`INSERT INTO line VALUES (1, 'b')`)
	_, syntax := db.Exec(`INSERT INTO nowhere VALUES (1)`)
	_, readonly := s.Reader("lines").Exec(`DELETE FROM line`)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_, canceled := db.ExecContext(ended, `DELETE FROM line`)
	for _, c := range []struct {
		err  error
		want bool
	}{{constraint, false}, {syntax, false}, {errors.New("x"), false}, {readonly, true}, {canceled, true}, {fmt.Errorf("y: %w", sql.ErrTxDone), true}} {
		if c.err == nil || s.Transient(c.err) != c.want {
			t.Errorf("%v: transient is %t", c.err, s.Transient(c.err))
		}
	}
}
