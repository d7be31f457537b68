//go:build linux

package jetstream_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/adapters/storetest"
	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
)

// smallDisk is a folder on a volume of its own.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("a small volume can't be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

// appendUntil appends large commits until that fails, and returns how many were acknowledged.
func appendUntil(t *testing.T, s *jetstream.Store, v domain.Version) (n int, at domain.Version, err error) {
	t.Helper()
	for ; n < 10_000; n++ {
		began := time.Now()
		_, next, err := s.Append(t.Context(), storetest.Note(1, strings.Repeat("x", 100<<10)), v)
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("an append took %s", took)
		}
		if err != nil {
			return n, v, err
		}
		v = next
	}
	t.Fatal("the disk does not get full")
	return 0, 0, nil
}

func TestBelowTheReserveAppendsAreRefusedUntilThereIsRoom(t *testing.T) {
	dir := smallDisk(t, "256m")
	ballast := filepath.Join(dir, "ballast")
	// More than the reserve, of which appends may eat a part: the volume is looked at four times a second.
	if err := os.WriteFile(ballast, make([]byte, 112<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	b := &embedded{dir: dir, sync: jetstream.SyncAlways}
	b.start(t)
	t.Cleanup(func() { b.stop(t) })
	nc, err := b.server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, nc, jetstream.Options{Host: b.server, Reserve: 96 << 20})
	n, v, err := appendUntil(t, s, 0)
	if !errors.Is(err, command.ErrFull) || n == 0 {
		t.Fatalf("after %d appends: %v, want ErrFull", n, err)
	}
	if got, _, err := s.Load(t.Context(), storetest.Note(1, "").Aggregate, 0, nil); err != nil || len(got) != n {
		t.Errorf("loaded %d commits, %v; %d were acknowledged", len(got), err, n)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; {
		if _, _, err = s.Append(t.Context(), storetest.Note(1, "room"), v); err == nil {
			break
		}
		if !errors.Is(err, command.ErrFull) || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func TestADiskThatIsReallyFullMakesNobodyWaitAndLosesNothing(t *testing.T) {
	dir := smallDisk(t, "40m")
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 20<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	b := &embedded{dir: dir, sync: jetstream.SyncAlways}
	b.start(t)
	t.Cleanup(func() { b.stop(t) })
	nc, err := b.server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	// No reserve to speak of: the server runs into the wall.
	s := open(t, nc, jetstream.Options{Host: b.server, Reserve: 1, Timeout: 6 * time.Second, AckWait: 1500 * time.Millisecond})
	n, v, err := appendUntil(t, s, 0)
	t.Logf("after %d appends: %v", n, err)
	truthful := func(err error) bool {
		return errors.Is(err, command.ErrFull) || errors.Is(err, command.ErrUnavailable) || errors.Is(err, command.ErrUncertain)
	}
	if !truthful(err) || n == 0 {
		t.Errorf("%v, want ErrFull, ErrUnavailable or ErrUncertain", err)
	}
	began := time.Now()
	if _, _, err := s.Append(t.Context(), storetest.Note(2, strings.Repeat("x", 100<<10)), 0); !truthful(err) {
		t.Errorf("the next append: %v", err)
	}
	if took := time.Since(began); took > 3*time.Second { // half of what it would wait for an answer
		t.Errorf("the next append took %s", took)
	}

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	b.Restart(t)
	if nc, err = jetstream.Join(b.dir); err != nil {
		t.Fatal(err)
	}
	s = open(t, nc, jetstream.Options{Dir: b.dir, Reserve: 1})
	got, at, err := s.Load(t.Context(), storetest.Note(1, "").Aggregate, 0, nil)
	if err != nil || len(got) < n || at < v {
		t.Fatalf("after the restart there are %d commits at version %d, %v; %d were acknowledged, at %d", len(got), at, err, n, v)
	}
	if _, _, err := s.Append(t.Context(), storetest.Note(1, "room"), at); err != nil {
		t.Errorf("append after the restart: %v", err)
	}
}
