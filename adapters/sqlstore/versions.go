package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/turno-desk/turno/projections"
)

// files are the suffixes of the files of one version.
var files = [...]string{"", "-wal", "-shm"}

// Versions are the versions of a view that were not dropped, by number.
func (s *Store) Versions(ctx context.Context, projection string) ([]projections.VersionInfo, error) {
	all, err := s.catalogue.versions(ctx, projection)
	if err != nil {
		return nil, err
	}
	for i := range all {
		path, err := s.path(projection, all[i].Number)
		if err != nil {
			return nil, err
		}
		for _, suffix := range files {
			if info, err := os.Stat(path + suffix); err == nil {
				all[i].Size += info.Size()
			}
		}
	}
	return all, nil
}

// Active is the version of a view that queries read; found is false when there is none yet.
func (s *Store) Active(ctx context.Context, projection string) (version int, found bool, err error) {
	return s.catalogue.active(ctx, projection)
}

// EnsureVersion gives the version for code of that definition to work on: see projections.Catalogue.
func (s *Store) EnsureVersion(ctx context.Context, projection string, definition int) (version int, err error) {
	if _, err := s.path(projection, 1); err != nil {
		return 0, err
	}
	return s.catalogue.ensure(ctx, projection, definition, s.taken(projection))
}

// NewVersion enters a new version of a view.
func (s *Store) NewVersion(ctx context.Context, projection string, definition int) (version int, err error) {
	if _, err := s.path(projection, 1); err != nil {
		return 0, err
	}
	return s.catalogue.add(ctx, projection, definition, s.taken(projection))
}

// taken tells whether a version that no catalogue names has a file.
func (s *Store) taken(projection string) func(number int) bool {
	return func(number int) bool {
		path, err := s.path(projection, number)
		if err != nil {
			return false
		}
		_, err = os.Stat(path)
		return err == nil
	}
}

// Activate makes queries read that version, in every process within a quarter of a second.
func (s *Store) Activate(ctx context.Context, projection string, version int) error {
	if before, found, err := s.catalogue.active(ctx, projection); err != nil || found && before == version {
		return err
	}
	if _, err := s.written(projection, version); err != nil {
		return fmt.Errorf("activate: %w", err)
	}
	return s.catalogue.activate(ctx, projection, version)
}

// written is the path of a version that somebody has written to.
func (s *Store) written(projection string, version int) (string, error) {
	path, err := s.path(projection, version)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w: %s %d", projections.ErrNoVersion, projection, version)
	} else if err != nil {
		return "", fmt.Errorf("view %s version %d: %w", projection, version, err)
	}
	return path, nil
}

// ReaderOf is a pool that reads one version, whether it is the active one or not. The caller closes it.
func (s *Store) ReaderOf(ctx context.Context, projection string, version int) (*sql.DB, error) {
	if err := known(ctx, s.catalogue.db, projection, version); err != nil {
		return nil, err
	}
	path, err := s.written(projection, version)
	if err != nil {
		return nil, err
	}
	db, err := openFile(path, false, s.o.ReaderCache)
	if err != nil {
		return nil, fmt.Errorf("view %s version %d: %w", projection, version, err)
	}
	db.SetMaxOpenConns(s.o.Readers)
	db.SetConnMaxIdleTime(idle)
	return db, nil
}

// Drop removes a version and its files. A connection that has them open reads on until it is put away; disk space and what
// was in them are gone then. It refuses the active version.
func (s *Store) Drop(ctx context.Context, projection string, version int) error {
	if _, err := s.path(projection, version); err != nil {
		return err
	}
	if err := s.catalogue.drop(ctx, projection, version); err != nil {
		return err
	}
	return s.remove(projection, version)
}

func (s *Store) remove(projection string, version int) error {
	path, err := s.path(projection, version)
	if err != nil {
		return err
	}
	for _, suffix := range files {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("drop version %d of view %s: %w", version, projection, err)
		}
	}
	return nil
}

// sweep removes the files of dropped versions that are still there: their process was killed between two steps.
func (s *Store) sweep(ctx context.Context) error { return s.catalogue.dropped(ctx, s.remove) }

// idle is how long an unused connection keeps a version's files open that may have been dropped meanwhile.
const idle = time.Minute
