package jetstream

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.uber.org/zap"
)

// The folder of a log that is being put together, and what says that the log of a folder was moved to other servers.
const (
	logDir    = "log"
	besideDir = "log.restoring"
	movedFile = "moved"
)

var (
	// ErrHasLog says that a folder has a log, which is not given up for another one without a word.
	ErrHasLog = errors.New("the folder has a log")
	// ErrMoved says that the log of a folder goes on elsewhere.
	ErrMoved = errors.New("the log of the folder was moved")
)

// mayServe refuses a folder whose log is elsewhere, or not whole.
func mayServe(dir string, readOnly bool) error {
	if to, err := os.ReadFile(filepath.Join(dir, movedFile)); err == nil && !readOnly {
		return fmt.Errorf("%w to %s; what is written to both is lost in one of them. To go back all the same, remove %s",
			ErrMoved, strings.TrimSpace(string(to)), filepath.Join(dir, movedFile))
	}
	_, err := os.Stat(filepath.Join(dir, logDir))
	_, unfinished := os.Stat(filepath.Join(dir, besideDir))
	if errors.Is(err, fs.ErrNotExist) && unfinished == nil {
		return fmt.Errorf("%s: %w (or remove %s, to begin with an empty log)", dir, ErrUnfinished, filepath.Join(dir, besideDir))
	}
	return nil
}

// Moved says in a folder that its log goes on elsewhere, so that it is not served by mistake. It can be read on.
func Moved(dir, to string) error {
	return replaceFile(filepath.Join(dir, movedFile), []byte(to+"\n"))
}

// Beside is a folder whose log is being put together anew, beside the one that it has: under the folder's lock, by a server
// that nobody can join, without waiting for the disk. Adopt puts it in its place.
type Beside struct {
	*Server
	config HostConfig
}

// HostBeside locks the folder and serves an empty store in it. ErrHasLog unless replace, when the folder has a log. What an
// earlier try has left is removed.
func HostBeside(ctx context.Context, c HostConfig, replace bool) (*Beside, error) {
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	held, err := lock(c.Dir)
	if err != nil {
		return nil, err
	}
	b := &Beside{config: c, Server: &Server{
		dir: c.Dir, store: filepath.Join(c.Dir, besideDir), sync: SyncOff, private: true, log: c.Logger, lock: held,
	}}
	if err := b.begin(ctx, replace); err != nil {
		return nil, errors.Join(fmt.Errorf("restore into %s: %w", c.Dir, err), b.Close())
	}
	return b, nil
}

func (b *Beside) begin(ctx context.Context, replace bool) error {
	if has, err := b.has(StreamName); err != nil {
		return err
	} else if has && !replace {
		return ErrHasLog
	}
	if err := os.RemoveAll(b.store); err != nil {
		return err
	}
	if err := os.MkdirAll(b.store, 0o700); err != nil {
		return err
	}
	c := b.config
	c.OldKey, c.Listen = nil, ""
	return b.start(ctx, c)
}

// has reports whether the log that the folder has holds a stream.
func (b *Beside) has(stream string) (bool, error) {
	found, err := filepath.Glob(filepath.Join(b.dir, logDir, "jetstream", "*", "streams", stream))
	return len(found) > 0, err
}

// Replaced serves what the folder has, to be read; nil when it has nothing. The caller closes it, before Adopt.
func (b *Beside) Replaced(ctx context.Context) (*Server, error) {
	if has, err := b.has("*"); err != nil || !has {
		return nil, err
	}
	s := &Server{dir: b.dir, store: filepath.Join(b.dir, logDir), sync: SyncOff, readOnly: true, private: true, log: b.log}
	c := b.config
	c.Listen = ""
	if e, err := lookAtEncryption(s.store); err == nil && e.encrypted == 0 && !e.checked {
		c.Key, c.OldKey = nil, nil // encryption begins with the new one
	}
	if err := s.start(ctx, c); err != nil {
		return nil, errors.Join(fmt.Errorf("open what is replaced: %w", err), s.Close())
	}
	return s, nil
}

// Adopt stops the server, makes sure that all is on disk, and puts the new log in the place of the old one, which is kept
// under the name that is returned; empty when there was none. Then it lets go of the folder.
func (b *Beside) Adopt() (aside string, err error) {
	held := b.lock
	b.lock = nil
	if err := b.Close(); err != nil { // the server alone
		return "", errors.Join(err, held.Close())
	}
	aside, err = b.adopt()
	return aside, errors.Join(err, held.Close())
}

func (b *Beside) adopt() (aside string, err error) {
	if err := syncTree(b.store); err != nil {
		return "", fmt.Errorf("write the log to disk: %w", err)
	}
	place := filepath.Join(b.dir, logDir)
	if _, err := os.Stat(place); err == nil {
		aside = filepath.Join(b.dir, logDir+".replaced-"+time.Now().UTC().Format("20060102T150405.000Z"))
		if err := os.Rename(place, aside); err != nil {
			return "", err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if err := os.Rename(b.store, place); err != nil {
		return aside, err
	}
	if err := os.Remove(filepath.Join(b.dir, movedFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return aside, err
	}
	return aside, syncFile(b.dir)
}

// syncTree makes sure that all files and folders below path are on disk.
func syncTree(path string) error {
	return filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if err == nil && (d.IsDir() || d.Type().IsRegular()) {
			err = syncFile(name)
		}
		if errors.Is(err, fs.ErrNotExist) { // a server that has stopped still clears up behind itself
			return nil
		}
		return err
	})
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
