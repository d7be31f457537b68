package pgstore

import (
	"strings"
	"testing"
)

func TestSQLIsPutIntoPostgreSQLsWords(t *testing.T) {
	for from, want := range map[string]string{
		`SELECT a FROM t WHERE b = ? AND c = ?`:                       `SELECT a FROM t WHERE b = $1 AND c = $2`,
		`SELECT ?2, ?1, ?`:                                            `SELECT $2, $1, $3`,
		`SELECT a FROM t WHERE p < ?1 AND i IN (?, ?)`:                `SELECT a FROM t WHERE p < $1 AND i IN ($2, $3)`,
		`SELECT '?', 'it''s ?', "odd ?" -- why?` + "\n, ? /* ? */":    `SELECT '?', 'it''s ?', "odd ?" -- why?` + "\n, $1 /* ? */",
		`SELECT CAST(a AS TEXT) FROM t`:                               `SELECT CAST(a AS TEXT) FROM t`,
		`CREATE TABLE t (a INTEGER, b TEXT, c BLOB) WITHOUT ROWID;`:   `CREATE TABLE t (a BIGINT, b TEXT COLLATE "C", c BYTEA)  ;`,
		`ALTER TABLE t ADD COLUMN a INTEGER NOT NULL DEFAULT 0`:       `ALTER TABLE t ADD COLUMN a BIGINT NOT NULL DEFAULT 0`,
		`CREATE TABLE t (a TEXT -- INTEGER` + "\n" + `); SELECT TEXT`: `CREATE TABLE t (a TEXT COLLATE "C" -- INTEGER` + "\n" + `); SELECT TEXT`,
		`CREATE INDEX i ON t (a) WHERE b <> 'TEXT'`:                   `CREATE INDEX i ON t (a) WHERE b <> 'TEXT'`,
		`SELECT 'open`: `SELECT 'open`,
		``:             ``,
	} {
		if got := translate(from); got != want {
			t.Errorf("%s\n got %s\nwant %s", from, got, want)
		}
	}
}

// FuzzTranslate: whatever it is given, it ends, and says nothing but the parameters and types otherwise.
func FuzzTranslate(f *testing.F) {
	for _, s := range []string{`SELECT ?1, '?'`, `CREATE TABLE t (a INTEGER)`, `'`, `--`, `/*`, `?99999999999999999999`, "\xff?"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := translate(s)
		if !strings.ContainsRune(s, '?') && !strings.Contains(strings.ToUpper(s), "TABLE") && got != s {
			t.Errorf("%q became %q", s, got)
		}
	})
}
