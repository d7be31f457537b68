package pgstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

const (
	// idle is after how long a reading connection that nobody needs is given back to the server.
	idle = 5 * time.Minute
	// lockWait is how long a writer waits for another one's transaction, and idleWriter after how long the server ends a
	// transaction in which nothing happens: its host may have vanished. Both are the server's settings, in milliseconds.
	lockWait   = "10000"
	idleWriter = "120000"
)

// ErrNotBuilt says that no version of a view exists yet: nobody ran its projection on this database.
var ErrNotBuilt = fmt.Errorf("%w: it has not been built yet", projections.ErrUnavailable)

// Options tune a Store. The zero value works.
type Options struct {
	WaitBuilt time.Duration // how long a first query waits for a view that does not exist yet; 5 s when 0
}

// Store is the views in one schema prefix of one database. For each view it opens as many reading connections as the URL's
// `readers` says and one for each Writer; and one for the catalogue.
type Store struct {
	address    address
	o          Options
	catalogue  *catalogue
	translated *lru.Cache[string, string]

	mu      sync.Mutex
	readers map[string]*sql.DB
	writers map[*sql.DB]string // their schemas
	closed  bool
}

var _ projections.Store = (*Store)(nil)

// Open gives the views in the database at rawURL, postgres://USER@HOST/DATABASE, with the parameters of PostgreSQL's own
// URLs and PG… variables, and `schema` (turno), which tells several deployments in one database apart, and `readers` (4). It
// does not connect: the server may start later.
func Open(rawURL string, o Options) (*Store, error) {
	a, err := parseAddress(rawURL)
	if err != nil {
		return nil, err
	}
	if o.WaitBuilt == 0 {
		o.WaitBuilt = 5 * time.Second
	}
	translated, err := lru.New[string, string](statements)
	if err != nil {
		return nil, err
	}
	s := &Store{address: a, o: o, translated: translated, readers: map[string]*sql.DB{}, writers: map[*sql.DB]string{}}
	db := sql.OpenDB(s.writing(a.prefix))
	db.SetMaxOpenConns(1)
	s.catalogue = &catalogue{prefix: a.prefix, db: db}
	return s, nil
}

// String names the database, without what is secret of its URL.
func (s *Store) String() string { return s.address.String() }

// Dialect is PostgreSQL's.
func (s *Store) Dialect() projections.Dialect { return projections.PostgreSQL }

// Writer opens the writing handle of one version of a view: one connection whose transactions take the version's write lock
// at their begin. Its schema and the tables are created where they are missing, and the version becomes the active one when
// the view has none. ErrNoVersion when the catalogue does not have it. The caller closes the handle; Close does so too.
func (s *Store) Writer(ctx context.Context, projection string, version int, schema string) (*sql.DB, error) {
	name, err := s.schemaOf(projection, version)
	if err != nil {
		return nil, err
	}
	if err := s.catalogue.known(ctx, projection, version, false); err != nil {
		return nil, err
	}
	db := sql.OpenDB(s.writing(name))
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(1)
	if err := create(ctx, db, name, schema); err != nil {
		db.Close()
		return nil, fmt.Errorf("view %s version %d: %w", projection, version, err)
	}
	if err := s.catalogue.adopt(ctx, projection, version); err != nil {
		if errors.Is(err, projections.ErrNoVersion) { // dropped just now
			_, again := db.ExecContext(ctx, `DROP SCHEMA `+quoted(name)+` CASCADE`)
			err = errors.Join(err, again)
		}
		db.Close()
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		db.Close()
		return nil, errors.New("the store of views is closed")
	}
	s.writers[db] = name
	return db, nil
}

// create makes the tables that are missing: two processes may do so at once, one after the other.
func create(ctx context.Context, db *sql.DB, name, schema string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("create tables: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	if _, err := tx.ExecContext(ctx, `CREATE SCHEMA IF NOT EXISTS `+quoted(name)+`; `+schema); err != nil {
		return fmt.Errorf("create tables: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("create tables: %w", err)
	}
	return nil
}

// Reader is the reading handle of a view: a pool whose connections can't write and follow the active version, also when
// another process switches it. It is cheap and never fails: a query on a view that does not exist yet waits for it, and
// fails with ErrNotBuilt. The store owns the handle; callers don't close it.
func (s *Store) Reader(projection string) *sql.DB {
	s.mu.Lock()
	defer s.mu.Unlock()
	if db, ok := s.readers[projection]; ok {
		return db
	}
	db := s.pool(&follower{store: s, projection: projection})
	s.readers[projection] = db
	return db
}

// Active is the version of a view that queries read; found is false when there is none yet.
func (s *Store) Active(ctx context.Context, projection string) (version int, found bool, err error) {
	return s.catalogue.active(ctx, projection)
}

// Versions are those that a view has, by number.
func (s *Store) Versions(ctx context.Context, projection string) ([]projections.VersionInfo, error) {
	return s.catalogue.versions(ctx, projection)
}

// EnsureVersion is the version to build a definition in: the active one when it is of that definition, else the newest that
// is, else a new one. Processes that ask at once get the same.
func (s *Store) EnsureVersion(ctx context.Context, projection string, definition int) (version int, err error) {
	if _, err := s.schemaOf(projection, 1); err != nil {
		return 0, err
	}
	return s.catalogue.ensure(ctx, projection, definition)
}

// NewVersion hands out the next number, for a version of the definition to be built beside the others.
func (s *Store) NewVersion(ctx context.Context, projection string, definition int) (version int, err error) {
	if _, err := s.schemaOf(projection, 1); err != nil {
		return 0, err
	}
	err = s.catalogue.edit(ctx, "enter", projection, func(tx *sql.Tx) error {
		version, err = add(ctx, tx, projection, definition)
		return err
	})
	return version, err
}

// ReaderOf reads one version, be it active or not. ErrNoVersion when nobody has written to it. The caller closes it.
func (s *Store) ReaderOf(ctx context.Context, projection string, version int) (*sql.DB, error) {
	name, err := s.schemaOf(projection, version)
	if err != nil {
		return nil, err
	}
	if err := s.catalogue.known(ctx, projection, version, true); err != nil {
		return nil, err
	}
	return s.pool(s.reading(name)), nil
}

// Activate makes queries read that version, in every process within a second. Without effect when they do already.
func (s *Store) Activate(ctx context.Context, projection string, version int) error {
	if before, found, err := s.catalogue.active(ctx, projection); err != nil || found && before == version {
		return err
	}
	return s.catalogue.activate(ctx, projection, version)
}

// Drop removes a version and all that is in it; ErrActive for the active one. It waits until no process begins to read it any
// more, a second after it was the active one.
func (s *Store) Drop(ctx context.Context, projection string, version int) error {
	name, err := s.schemaOf(projection, version)
	if err != nil {
		return err
	}
	for {
		wait, err := s.catalogue.remove(ctx, projection, version, name)
		if err != nil || wait == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("drop version %d of view %s: %w", version, projection, ctx.Err())
		case <-time.After(wait):
		}
	}
}

// Close closes every handle that the store gave out, but those of ReaderOf.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	var errs []error
	for _, db := range s.readers {
		errs = append(errs, db.Close())
	}
	for db := range s.writers {
		errs = append(errs, db.Close())
	}
	errs = append(errs, s.catalogue.db.Close())
	return errors.Join(errs...)
}

// schemaOf is the name of a version's schema.
func (s *Store) schemaOf(projection string, version int) (string, error) {
	name := s.address.prefix + "_" + projection + "_v" + strconv.Itoa(version)
	if !domain.ValidID(projection) || version < 1 || len(name) > 63 {
		return "", fmt.Errorf("view %q version %d: want a short id and a version from 1 on", projection, version)
	}
	return name, nil
}

// lockOf is the number of a schema's write lock in its database.
func lockOf(schema string) int64 {
	h := fnv.New64a()
	h.Write([]byte("turno " + schema))
	return int64(h.Sum64())
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
