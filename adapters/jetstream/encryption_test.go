package jetstream_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/adapters/storetest"
)

func key(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

// on runs fn on the log of a folder, and then closes it.
func on(t *testing.T, c jetstream.HostConfig, fn func(*jetstream.Store)) {
	t.Helper()
	server, err := jetstream.Host(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	nc, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	s, err := jetstream.Open(t.Context(), nc, storetest.Codec(), jetstream.Options{Host: server})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fn(s)
}

func refusedKey(t *testing.T, c jetstream.HostConfig, says string) {
	t.Helper()
	before := tree(t, c.Dir)
	server, err := jetstream.Host(t.Context(), c)
	if err == nil {
		server.Close()
	}
	if !errors.Is(err, jetstream.ErrKey) || !strings.Contains(err.Error(), says) {
		t.Errorf("%v, want ErrKey and %q", err, says)
	}
	if after := tree(t, c.Dir); after != before {
		t.Errorf("the refusal changed files:\n%s\nwere\n%s", after, before)
	}
}

// tree lists the files of a log.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(filepath.Join(dir, "log"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, "\n")
}

func TestAnEncryptedLogTellsItsFilesNothing(t *testing.T) {
	subject := storetest.Note(1, "").Aggregate.ID
	for name, k := range map[string][]byte{"plain": nil, "encrypted": key(1)} {
		c := jetstream.HostConfig{Dir: t.TempDir(), Key: k}
		on(t, c, func(s *jetstream.Store) {
			note := storetest.Note(1, "x")
			note.Trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
			note.Channel = "clear"
			if _, _, err := s.Append(t.Context(), note, 0); err != nil {
				t.Fatal(err)
			}
		})
		found := map[string]bool{}
		err := filepath.WalkDir(filepath.Join(c.Dir, "log"), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			for _, word := range []string{subject, "specversion", "Turno-Prev", "turno.conversation", "log.created"} {
				if bytes.Contains(b, []byte(word)) {
					found[word] = true
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if encrypted := k != nil; encrypted && len(found) > 0 || !encrypted && len(found) != 5 {
			t.Errorf("%s: its files show %v", name, found)
		}
	}
}

func TestAnEncryptedLogIsOpenedByItsKeyAlone(t *testing.T) {
	dir := t.TempDir()
	c := jetstream.HostConfig{Dir: dir, Key: key(1)}
	on(t, c, func(s *jetstream.Store) { fill(t, s, 0, 20) })

	refusedKey(t, jetstream.HostConfig{Dir: dir}, "--encryption-key-file")
	refusedKey(t, jetstream.HostConfig{Dir: dir, ReadOnly: true}, "--encryption-key-file")
	refusedKey(t, jetstream.HostConfig{Dir: dir, Key: key(2)}, "another one")
	refusedKey(t, jetstream.HostConfig{Dir: dir, Key: key(2), OldKey: key(3)}, "neither")
	on(t, c, func(s *jetstream.Store) {
		if got := len(commits(t, s)); got != 21 {
			t.Errorf("%d commits are left, want 21", got)
		}
	})
}

func TestWithoutItsCheckAWrongKeyIsFoundBeforeAnythingIsMade(t *testing.T) {
	dir := t.TempDir()
	c := jetstream.HostConfig{Dir: dir, Key: key(1)}
	on(t, c, func(s *jetstream.Store) { fill(t, s, 0, 20) })
	if err := os.Remove(filepath.Join(dir, "log", "encryption.json")); err != nil {
		t.Fatal(err)
	}
	refusedKey(t, jetstream.HostConfig{Dir: dir}, "--encryption-key-file")
	server, err := jetstream.Host(t.Context(), jetstream.HostConfig{Dir: dir, Key: key(2)})
	if err == nil {
		server.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "can't read") {
		t.Errorf("a wrong key: %v", err)
	}
	on(t, c, func(s *jetstream.Store) {
		if got := len(commits(t, s)); got != 21 {
			t.Errorf("%d commits are left, want 21", got)
		}
	})
	refusedKey(t, jetstream.HostConfig{Dir: dir, Key: key(2)}, "another one") // the check is back
}

func TestTheKeyOfALogIsChanged(t *testing.T) {
	dir := t.TempDir()
	on(t, jetstream.HostConfig{Dir: dir, Key: key(1)}, func(s *jetstream.Store) { fill(t, s, 0, 20) })
	both := jetstream.HostConfig{Dir: dir, Key: key(2), OldKey: key(1)}
	on(t, both, func(s *jetstream.Store) { fill(t, s, 20, 5) })
	on(t, both, func(*jetstream.Store) {}) // the flag is still there at the next start
	refusedKey(t, jetstream.HostConfig{Dir: dir, Key: key(1)}, "another one")
	on(t, jetstream.HostConfig{Dir: dir, Key: key(2)}, func(s *jetstream.Store) {
		if got := len(commits(t, s)); got != 26 {
			t.Errorf("%d commits are left, want 26", got)
		}
	})
}

func TestAPlainLogIsNotEncryptedByTheWay(t *testing.T) {
	dir := t.TempDir()
	on(t, jetstream.HostConfig{Dir: dir}, func(s *jetstream.Store) { fill(t, s, 0, 5) })
	refusedKey(t, jetstream.HostConfig{Dir: dir, Key: key(1)}, "turno restore")
	on(t, jetstream.HostConfig{Dir: dir}, func(s *jetstream.Store) {
		if got := len(commits(t, s)); got != 6 {
			t.Errorf("%d commits are left, want 6", got)
		}
	})
}
