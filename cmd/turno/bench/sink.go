package bench

import (
	"context"
	"fmt"
	"net/url"
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
	// copyBare inserts all rows of a view once more, by the bare engine. Full-text indexes are left out.
	copyBare(ctx context.Context, projection string) (rows int, took time.Duration, err error)
	Close() error
}

func (b Project) dialect() projections.Dialect {
	if b.Views == "" {
		return projections.SQLite
	}
	return projections.PostgreSQL
}

func (b Project) sink() string {
	if b.Views == "" {
		return "SQLite"
	}
	return "PostgreSQL"
}

// open opens the views of a folder, each on PostgreSQL in schemas of their own.
func (b Project) open(ctx context.Context, dir string) (sink, error) {
	if b.Views == "" {
		s, err := sqlstore.Open(dir, sqlstore.Options{})
		if err != nil {
			return nil, err
		}
		return &onSQLite{s, dir}, nil
	}
	u, err := url.Parse(b.Views)
	if err != nil {
		return nil, fmt.Errorf("--views is no URL")
	}
	q := u.Query()
	prefix := "bench_" + strings.ToLower(strings.TrimPrefix(filepath.Base(dir), "p-"))
	q.Del("schema")
	u.RawQuery = q.Encode()
	s := &onPostgreSQL{url: u.String(), prefix: prefix}
	if err := s.drop(ctx); err != nil {
		return nil, err
	}
	q.Set("schema", prefix)
	u.RawQuery = q.Encode()
	if s.Store, err = pgstore.Open(u.String(), pgstore.Options{}); err != nil {
		return nil, err
	}
	return s, nil
}

type onSQLite struct {
	*sqlstore.Store
	dir string
}

func (s *onSQLite) copyBare(ctx context.Context, projection string) (int, time.Duration, error) {
	return copyBare(ctx, s.Reader(projection), filepath.Join(s.dir, "bare.db"))
}

type onPostgreSQL struct {
	*pgstore.Store
	url, prefix string
}

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
	view := fmt.Sprintf("%s_%s_v1", s.prefix, projection)
	bare := s.prefix + "_bare"
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
