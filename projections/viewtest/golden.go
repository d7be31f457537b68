package viewtest

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/adapters/sqlstore"
	"github.com/turno-desk/turno/projections"
)

// Golden builds the view of p from the log and compares events and rows with testdata/<name>.txt. With the environment
// variable TURNO_UPDATE set it writes the file instead.
func Golden(t *testing.T, name string, log *Log, p projections.Projection) {
	t.Helper()
	store, err := sqlstore.Open(t.TempDir(), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if err := projections.NewRunner(log, store, p, nil, projections.Options{}).RunToHead(context.Background()); err != nil {
		t.Fatal(err)
	}
	got := "events\n\n" + events(t, log) + "\nrows\n" + rows(t, store.Reader(p.Name()))
	file := filepath.Join("testdata", name+".txt")
	if os.Getenv("TURNO_UPDATE") != "" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func events(t *testing.T, log *Log) string {
	t.Helper()
	var b strings.Builder
	for _, c := range log.Commits() {
		fmt.Fprintf(&b, "%d %s %s/%s by %s", c.Position, c.Time.Format("15:04:05"), c.Aggregate.Category, c.Aggregate.ID, c.Actor)
		if c.Conversation != "" {
			fmt.Fprintf(&b, " on %s", c.Conversation)
		}
		b.WriteString("\n")
		for _, e := range c.Events {
			body, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "    %T %s\n", e, body)
		}
	}
	return b.String()
}

// rows dumps the tables that the projection itself made, in the order of their names and keys.
func rows(t *testing.T, db *sql.DB) string {
	t.Helper()
	var b strings.Builder
	for _, table := range column(t, db, `SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'
		AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name NOT LIKE 'runner\_%' ESCAPE '\' ORDER BY name`) {
		columns := column(t, db, `SELECT name FROM pragma_table_info(?) ORDER BY cid`, table)
		key := column(t, db, `SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk`, table)
		if len(key) == 0 {
			key = columns
		}
		fmt.Fprintf(&b, "\n%s: %s\n", table, strings.Join(columns, " | "))
		rs, err := db.Query(`SELECT ` + strings.Join(columns, ", ") + ` FROM ` + table + ` ORDER BY ` + strings.Join(key, ", "))
		if err != nil {
			t.Fatal(err)
		}
		for rs.Next() {
			cells := make([]sql.NullString, len(columns))
			into := make([]any, len(columns))
			for i := range cells {
				into[i] = &cells[i]
			}
			if err := rs.Scan(into...); err != nil {
				t.Fatal(err)
			}
			line := make([]string, len(cells))
			for i, c := range cells {
				if line[i] = c.String; !c.Valid {
					line[i] = "null"
				}
			}
			fmt.Fprintf(&b, "    %s\n", strings.Join(line, " | "))
		}
		if err := rs.Err(); err != nil {
			t.Fatal(err)
		}
		rs.Close()
	}
	return b.String()
}

func column(t *testing.T, db *sql.DB, query string, args ...any) []string {
	t.Helper()
	rs, err := db.Query(query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rs.Close()
	var all []string
	for rs.Next() {
		var s string
		if err := rs.Scan(&s); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if err := rs.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
