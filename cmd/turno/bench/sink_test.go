package bench

import (
	"bytes"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/adapters/pgstore/pgtest"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/queue"
)

func TestABenchOnPostgreSQLMeasuresItAndLeavesNothingBehind(t *testing.T) {
	database := pgtest.Database(t)
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), `CREATE SCHEMA turno`); err != nil { // a desk's own
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = Project{Views: database + "&schema=turno", Events: 200, Projections: func(*jetstream.Store, projections.Dialect) []projections.Projection {
		return []projections.Projection{queue.New()}
	}}.Run(t.Context(), &out)
	if err != nil {
		t.Fatal(err)
	}
	var version string
	if err := conn.QueryRow(t.Context(), `SHOW server_version`).Scan(&version); err != nil {
		t.Fatal(err)
	}
	if said := out.String(); !strings.Contains(said, "PostgreSQL "+version) || !strings.Contains(said, "  queue ") {
		t.Errorf("it prints\n%s", said)
	}
	rows, err := conn.Query(t.Context(), `SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema' ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	if left, err := pgx.CollectRows(rows, pgx.RowTo[string]); err != nil || strings.Join(left, " ") != "public turno" {
		t.Errorf("of the schemas %v were left (%v)", left, err)
	}
}
