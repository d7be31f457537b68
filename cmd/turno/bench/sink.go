package bench

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/turno-desk/turno/adapters/pgstore"
	"github.com/turno-desk/turno/adapters/sqlstore"
	"github.com/turno-desk/turno/projections"
)

// sink is where a bench builds its views, and the bare engine behind it.
type sink interface {
	projections.Store
	// copyBare inserts all rows of a view's active version once more, by the bare engine. Full-text indexes are left out.
	copyBare(ctx context.Context, projection string) (rows int, took time.Duration, err error)
	// flags tell a process where these views are, beside its --data.
	flags() []string
	Close() error
}

// place is where a bench builds its views: the URL of a PostgreSQL database, or empty for files in its folder.
type place string

func (p place) dialect() projections.Dialect {
	if p == "" {
		return projections.SQLite
	}
	return projections.PostgreSQL
}

// engine names what keeps the views; PostgreSQL with its version, which header does not know.
func (p place) engine(ctx context.Context) (string, error) {
	if p == "" {
		return "SQLite", nil
	}
	plain, _, err := p.with("")
	if err != nil {
		return "", err
	}
	conn, err := pgx.Connect(ctx, plain)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	return "PostgreSQL " + conn.PgConn().ParameterStatus("server_version"), nil
}

// with is the URL without our own parameter, and with it.
func (p place) with(schema string) (plain, with string, err error) {
	u, err := url.Parse(string(p))
	if err != nil {
		return "", "", errors.New("--views is no URL")
	}
	q := u.Query()
	q.Del("schema")
	u.RawQuery = q.Encode()
	plain = u.String()
	q.Set("schema", schema)
	u.RawQuery = q.Encode()
	return plain, u.String(), nil
}

// open opens views in a folder or, in PostgreSQL, in schemas whose names begin with bench_ and the name. Schemas of that
// name that are there already are dropped.
func (p place) open(ctx context.Context, dir, name string) (sink, error) {
	if p == "" {
		s, err := sqlstore.Open(dir, sqlstore.Options{})
		if err != nil {
			return nil, err
		}
		return &onSQLite{s, dir}, nil
	}
	s := &onPostgreSQL{prefix: "bench_" + name}
	var err error
	if s.url, s.views, err = p.with(s.prefix); err != nil {
		return nil, err
	}
	if err := s.drop(ctx); err != nil {
		return nil, err
	}
	if s.Store, err = pgstore.Open(s.views, pgstore.Options{}); err != nil {
		return nil, err
	}
	return s, nil
}

type onSQLite struct {
	*sqlstore.Store
	dir string
}

func (s *onSQLite) copyBare(ctx context.Context, projection string) (int, time.Duration, error) {
	file := filepath.Join(s.dir, "bare-"+projection+".db")
	defer os.Remove(file) //nolint:errcheck // with the folder, at the latest
	return copyBare(ctx, s.Reader(projection), file)
}

func (s *onSQLite) flags() []string { return nil }

type onPostgreSQL struct {
	*pgstore.Store
	url, prefix string
	views       string // url with the schema of the views
}

func (s *onPostgreSQL) flags() []string { return []string{"--views", s.views} }

// Close also removes what was built.
func (s *onPostgreSQL) Close() error {
	if err := s.Store.Close(); err != nil {
		return err
	}
	return s.drop(context.Background())
}

func (s *onPostgreSQL) drop(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `SELECT nspname FROM pg_namespace WHERE nspname = $1 OR starts_with(nspname, $1 || '_')`, s.prefix)
	if err != nil {
		return err
	}
	schemas, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, schema := range schemas {
		if _, err := conn.Exec(ctx, `DROP SCHEMA `+pgx.Identifier{schema}.Sanitize()+` CASCADE`); err != nil {
			return err
		}
	}
	return nil
}

// copyBare sends the rows by COPY, 5,000 a transaction, into tables of the same shape and indexes.
func (s *onPostgreSQL) copyBare(ctx context.Context, projection string) (rows int, took time.Duration, err error) {
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return 0, 0, err
	}
	defer conn.Close(ctx)
	version, _, err := s.Active(ctx, projection)
	if err != nil {
		return 0, 0, err
	}
	view := fmt.Sprintf("%s_%s_v%d", s.prefix, projection, version)
	bare := s.prefix + "_bare_" + projection
	if _, err := conn.Exec(ctx, `CREATE SCHEMA `+bare); err != nil {
		return 0, 0, err
	}
	from := s.Reader(projection)
	tables, err := pgstore.Tables(ctx, from)
	if err != nil {
		return 0, 0, err
	}
	for _, t := range tables {
		if _, err := conn.Exec(ctx, `CREATE TABLE `+bare+`.`+t.Name+` (LIKE `+view+`.`+t.Name+` INCLUDING ALL)`); err != nil {
			return 0, 0, err
		}
		all, err := query(ctx, from, `SELECT `+strings.Join(t.Columns, ", ")+` FROM `+t.Name, len(t.Columns))
		if err != nil {
			return 0, 0, err
		}
		began := time.Now()
		for rest := all; len(rest) > 0; {
			chunk := rest[:min(5000, len(rest))]
			rest = rest[len(chunk):]
			if _, err := conn.CopyFrom(ctx, pgx.Identifier{bare, t.Name}, t.Columns, pgx.CopyFromRows(chunk)); err != nil {
				return 0, 0, fmt.Errorf("%s: %w", t.Name, err)
			}
		}
		took += time.Since(began)
		rows += len(all)
	}
	return rows, took, nil
}
