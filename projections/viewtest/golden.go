package viewtest

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	diff "github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/projections"
)

// Golden builds the view of p from the log and compares events and rows with testdata/<name>.txt. With the environment
// variable TURNO_UPDATE set it writes the file instead.
func Golden(t *testing.T, name string, log *Log, p projections.Projection) {
	t.Helper()
	store, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if err := projections.NewRunner(log, store, p, nil, projections.Options{}).RunToHead(context.Background()); err != nil {
		t.Fatal(err)
	}
	got := "events\n\n" + events(t, log) + "\nrows\n" + rows(t, store.Reader(p.Name()), Tables(store))
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
	if d := diff.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); d != "" {
		t.Errorf("%s (-want +got):\n%s", file, d)
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
func rows(t *testing.T, db *sql.DB, tables func(context.Context, projections.Querier) ([]projections.Table, error)) string {
	t.Helper()
	tx, err := db.BeginTx(context.Background(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // reading only
	all, err := tables(context.Background(), tx)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b projections.Table) int { return cmp.Compare(a.Name, b.Name) })
	var b strings.Builder
	for _, table := range all {
		if strings.HasPrefix(table.Name, "runner_") {
			continue
		}
		fmt.Fprintf(&b, "\n%s: %s\n", table.Name, strings.Join(table.Columns, " | "))
		key := table.Key
		if len(key) == 0 {
			key = table.Columns
		}
		rs, err := tx.Query(`SELECT ` + strings.Join(table.Columns, ", ") + ` FROM ` + table.Name + ` ORDER BY ` + strings.Join(key, ", "))
		if err != nil {
			t.Fatal(err)
		}
		for rs.Next() {
			cells := make([]sql.NullString, len(table.Columns))
			into := make([]any, len(cells))
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
