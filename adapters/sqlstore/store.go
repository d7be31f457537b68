// Package sqlstore keeps views in SQLite files: one file per projection and version, one writer for each, any number of
// readers, in any number of processes on one machine.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
	"modernc.org/sqlite"
)

// busyTimeout is how long a connection waits for another's lock, in milliseconds.
const busyTimeout = "10000"

// ErrNotBuilt says that no version of a view exists yet: nobody ran its projection on this folder.
var ErrNotBuilt = fmt.Errorf("%w: it has not been built yet", projections.ErrUnavailable)

// Options tune a Store. The zero value works.
type Options struct {
	WriterCache int           // MiB of page cache of each writer; 32 when 0
	ReaderCache int           // MiB of page cache of each reading connection; 4 when 0
	Readers     int           // reading connections per view; 4 when 0
	WaitBuilt   time.Duration // how long a first query waits for a view that does not exist yet; 5 s when 0
}

// Store is the folder of views of one data directory.
type Store struct {
	dir       string
	o         Options
	catalogue *catalogue

	mu      sync.Mutex
	readers map[string]*sql.DB
	writers []*sql.DB
	closed  bool
}

var _ projections.Store = (*Store)(nil)

// Open opens the views of the data directory dir, in dir/views, and creates that folder where it is missing.
func Open(dir string, o Options) (*Store, error) {
	if o.WriterCache == 0 {
		o.WriterCache = 32
	}
	if o.ReaderCache == 0 {
		o.ReaderCache = 4
	}
	if o.Readers == 0 {
		o.Readers = 4
	}
	if o.WaitBuilt == 0 {
		o.WaitBuilt = 5 * time.Second
	}
	views, err := filepath.Abs(filepath.Join(dir, "views"))
	if err != nil {
		return nil, fmt.Errorf("views of %s: %w", dir, err)
	}
	if err := os.MkdirAll(views, 0o700); err != nil {
		return nil, fmt.Errorf("create the folder of views: %w", err)
	}
	cat, err := openCatalogue(filepath.Join(views, "catalogue.db"))
	if err != nil {
		return nil, err
	}
	s := &Store{dir: views, o: o, catalogue: cat, readers: map[string]*sql.DB{}}
	if err := s.sweep(context.Background()); err != nil {
		cat.db.Close()
		return nil, err
	}
	return s, nil
}

// Writer opens the writing handle of one version of a view: one connection whose transactions take the write lock at
// their begin. The file and the tables of schema are created where they are missing, and the version becomes the active
// one when the view has none. ErrNoVersion when the catalogue does not have it. The caller closes the handle; Close does
// so too.
func (s *Store) Writer(ctx context.Context, projection string, version int, schema string) (*sql.DB, error) {
	path, err := s.path(projection, version)
	if err != nil {
		return nil, err
	}
	if err := known(ctx, s.catalogue.db, projection, version); err != nil {
		return nil, err
	}
	db, err := openFile(path, true, s.o.WriterCache)
	if err != nil {
		return nil, fmt.Errorf("view %s version %d: %w", projection, version, err)
	}
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(1)
	if err := create(ctx, db, schema); err != nil {
		db.Close()
		return nil, fmt.Errorf("view %s version %d: %w", projection, version, err)
	}
	if err := s.catalogue.adopt(ctx, projection, version); err != nil {
		db.Close()
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		db.Close()
		return nil, errors.New("the store of views is closed")
	}
	s.writers = append(s.writers, db)
	return db, nil
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
	db := sql.OpenDB(&follower{store: s, projection: projection})
	db.SetMaxOpenConns(s.o.Readers)
	db.SetMaxIdleConns(s.o.Readers)
	db.SetConnMaxIdleTime(idle)
	s.readers[projection] = db
	return db
}

// Dialect is SQLite's.
func (s *Store) Dialect() projections.Dialect { return projections.SQLite }

// Close closes every handle that the store gave out.
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
	for _, db := range s.writers {
		errs = append(errs, db.Close())
	}
	errs = append(errs, s.catalogue.db.Close())
	return errors.Join(errs...)
}

func (s *Store) path(projection string, version int) (string, error) {
	if !domain.ValidID(projection) || version < 1 {
		return "", fmt.Errorf("view %q version %d: want an id and a version from 1 on", projection, version)
	}
	return filepath.Join(s.dir, projection+".v"+strconv.Itoa(version)+".db"), nil
}

// patiently calls fn again while the file is locked, for as long as a connection waits for a lock. Of two that turn a new
// file to write-ahead logging at once, one is told that it is locked without having waited for the other.
func patiently(ctx context.Context, fn func() error) error {
	until := time.Now().Add(10 * time.Second)
	for wait := time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		err := fn()
		if !locked(err) || ctx.Err() != nil || time.Now().After(until) {
			return err
		}
		time.Sleep(wait)
	}
}

// create runs the schema: two processes may do so at once.
func create(ctx context.Context, db *sql.DB, schema string) error {
	err := patiently(ctx, func() error { return createOnce(ctx, db, schema) })
	if damaged(err) {
		return fmt.Errorf("%w: the file is damaged; remove it while nothing runs, views are built again from the log", err)
	}
	return err
}

func createOnce(ctx context.Context, db *sql.DB, schema string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("create tables: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	if _, err := tx.ExecContext(ctx, schema); err != nil {
		return fmt.Errorf("create tables: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("create tables: %w", err)
	}
	return nil
}

// openFile opens path. A writer creates it, for its owner alone: what people wrote is in it. A reader fails where it is
// missing.
func openFile(path string, write bool, cacheMiB int) (*sql.DB, error) {
	if write {
		if err := makeFile(path); err != nil {
			return nil, err
		}
	}
	c, err := sqlite.NewConnector(dsn(path, write, cacheMiB))
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(c), nil
}

// making keeps two of this process from making a file at once.
var making sync.Mutex

// makeFile makes path, empty, where it is missing. One that is there is not opened: to close it again would drop the locks
// that SQLite holds on it for this whole process.
func makeFile(path string) error {
	making.Lock()
	defer making.Unlock()
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

func dsn(path string, write bool, cacheMiB int) string {
	q := url.Values{}
	q.Add("_pragma", "busy_timeout("+busyTimeout+")")
	q.Add("_pragma", "cache_size(-"+strconv.Itoa(cacheMiB<<10)+")")
	q.Add("_pragma", "temp_store(MEMORY)")
	q.Set("mode", "rw") // makeFile makes it: a handle that outlives its version must not make it again
	if write {
		q.Set("_txlock", "immediate")
		q.Add("_pragma", "journal_mode(WAL)")
		q.Add("_pragma", "synchronous(NORMAL)")
		q.Add("_pragma", "secure_delete(ON)")
		q.Add("_pragma", "wal_autocheckpoint(4000)") // pages: 16 MiB
		q.Add("_pragma", "journal_size_limit(67108864)")
	} else {
		q.Add("_pragma", "query_only(ON)")
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	return u.String()
}
