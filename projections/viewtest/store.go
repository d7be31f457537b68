package viewtest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/turno-desk/turno/adapters/pgstore"
	"github.com/turno-desk/turno/adapters/pgstore/pgtest"
	"github.com/turno-desk/turno/adapters/sqlstore"
	"github.com/turno-desk/turno/projections"
)

// Store is what tests ask of a store of views, whichever keeps them.
type Store interface {
	projections.Store
	Dialect() projections.Dialect
	Close() error
}

var (
	_ Store = (*sqlstore.Store)(nil)
	_ Store = (*pgstore.Store)(nil)
)

// The environment of tests that have views.
const (
	// viewsEnv chooses one store: sqlite or postgresql.
	viewsEnv = "TURNO_TEST_VIEWS"
	// urlEnv is a PostgreSQL database to use instead of a server of the tests' own. What tests put there stays there.
	urlEnv = "TURNO_TEST_POSTGRESQL"
)

// Main runs the tests of a package twice: with views on SQLite, and then on a PostgreSQL server of their own, if this machine
// has its programs. Tests open their stores with Open. TURNO_TEST_VIEWS chooses one of the two, TURNO_TEST_POSTGRESQL is the
// URL of another server's database.
func Main(m *testing.M) int {
	flag.Parse()
	only := os.Getenv(viewsEnv)
	if only == "" && (given("test.fuzz") || given("test.bench")) {
		only = "sqlite"
	}
	if only != "postgresql" {
		if code := m.Run(); code != 0 || only == "sqlite" {
			return code
		}
	}
	if err := reach(); err != nil {
		fmt.Println("not on PostgreSQL:", err)
		if only == "" && errors.Is(err, pgtest.ErrNone) {
			return 0
		}
		return 1
	}
	os.Setenv(viewsEnv, "postgresql") //nolint:errcheck // for the processes that tests start, too
	fmt.Println("the same tests on PostgreSQL:")
	return m.Run()
}

func given(name string) bool {
	f := flag.Lookup(name)
	return f != nil && f.Value.String() != ""
}

// reach makes sure of a database, for this process and those that it starts.
func reach() error {
	if os.Getenv(urlEnv) != "" {
		return nil
	}
	server, err := pgtest.Shared()
	if err != nil {
		return err
	}
	url, err := server.Create()
	if err != nil {
		return err
	}
	return os.Setenv(urlEnv, url)
}

// URL is what a program is told with --views for the tests' views of a folder; empty when they are SQLite files in it.
func URL(dir string) (string, error) {
	if os.Getenv(viewsEnv) != "postgresql" {
		return "", nil
	}
	if err := reach(); err != nil {
		return "", err
	}
	u, err := url.Parse(os.Getenv(urlEnv))
	if err != nil {
		return "", fmt.Errorf("%s: %w", urlEnv, err)
	}
	sum := sha256.Sum256([]byte(dir))
	q := u.Query()
	q.Set("schema", "t"+hex.EncodeToString(sum[:8])) // folders of tests differ from run to run
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// Dialect is that of the stores that Open opens.
func Dialect() projections.Dialect {
	if os.Getenv(viewsEnv) == "postgresql" {
		return projections.PostgreSQL
	}
	return projections.SQLite
}

// Open opens the views of a folder, as this run of the tests keeps them: two stores of one folder are two processes that
// share their views. The caller closes it.
func Open(dir string) (Store, error) { return OpenPatient(dir, 0) }

// OpenPatient is Open, with how long a query waits for a view that nobody has built.
func OpenPatient(dir string, wait time.Duration) (Store, error) {
	url, err := URL(dir)
	if err != nil {
		return nil, err
	}
	if url != "" {
		return pgstore.Open(url, pgstore.Options{WaitBuilt: wait})
	}
	return sqlstore.Open(dir, sqlstore.Options{WaitBuilt: wait})
}

// Digest is that of the view behind db, at one moment.
func Digest(s Store, db *sql.DB) (string, error) {
	tx, err := db.BeginTx(context.Background(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return "", err
	}
	defer tx.Rollback() //nolint:errcheck // reading only
	return s.Digest(context.Background(), tx)
}

// Rebuild builds the view of p from the whole log on SQLite, and gives its digest: what every store's view is compared with.
func Rebuild(log projections.Source, p projections.Projection, o projections.Options) (digest string, err error) {
	return sqlstore.Rebuild(context.Background(), log, p, o)
}

// Tables lists the tables of a view that a store keeps.
func Tables(s Store) func(context.Context, projections.Querier) ([]projections.Table, error) {
	if s.Dialect() == projections.PostgreSQL {
		return pgstore.Tables
	}
	return sqlstore.Tables
}
