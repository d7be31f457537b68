package jetstream_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/adapters/storetest"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
)

// written is an embedded log with n commits on a few threads, beside its creation.
func written(t *testing.T, n int) (*embedded, storetest.Store) {
	t.Helper()
	b := newEmbedded(t, jetstream.SyncOff)
	s := b.Store(t)
	fill(t, s, 0, n)
	return b, s
}

func fill(t *testing.T, s storetest.Store, from, n int) {
	t.Helper()
	for i := from; i < from+n; i++ {
		note := storetest.Note(i%5+1, fmt.Sprint("note ", i))
		note.ID = fmt.Sprint("command-", i)
		_, v, err := s.Load(t.Context(), note.Aggregate, 0, func(*domain.Commit) bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Append(t.Context(), note, v); err != nil {
			t.Fatal(err)
		}
	}
}

// stored is everything that a log holds, in chunks.
func stored(t *testing.T, s storetest.Store) (all []jetstream.Message) {
	t.Helper()
	head, err := s.(*jetstream.Store).Messages(t.Context(), 0, func(first uint64, messages []jetstream.Message) error {
		if first != uint64(len(all))+1 {
			t.Errorf("a chunk begins at %d, want %d", first, len(all)+1)
		}
		all = append(all, messages...)
		return nil
	})
	if err != nil || head != uint64(len(all)) {
		t.Fatalf("%d messages up to %d, %v", len(all), head, err)
	}
	return all
}

func put(t *testing.T, target *jetstream.Target, all []jetstream.Message, size int) {
	t.Helper()
	for i := 0; i < len(all); i += size {
		if err := target.Put(t.Context(), uint64(i)+1, all[i:min(i+size, len(all))]); err != nil {
			t.Fatal(err)
		}
	}
}

func commits(t *testing.T, s storetest.Store) (all []domain.Commit) {
	t.Helper()
	err := s.Read(t.Context(), 0, projections.ReadOptions{ToHead: true}, func(chunk []domain.Commit) error {
		all = append(all, chunk...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func target(t *testing.T, nc *nats.Conn, o jetstream.TargetOptions) *jetstream.Target {
	t.Helper()
	made, err := jetstream.NewTarget(t.Context(), nc, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(made.Close)
	return made
}

func TestALogIsPutTogetherBesideTheOneThatAFolderHas(t *testing.T) {
	_, source := written(t, 2500)
	all := stored(t, source)
	want := commits(t, source)

	dir := t.TempDir()
	old := &embedded{dir: dir}
	old.start(t)
	old.Store(t)
	if _, err := jetstream.HostBeside(t.Context(), jetstream.HostConfig{Dir: dir}, true); !errors.Is(err, jetstream.ErrInUse) {
		t.Errorf("beside one that runs: %v, want ErrInUse", err)
	}
	old.stop(t)
	if _, err := jetstream.HostBeside(t.Context(), jetstream.HostConfig{Dir: dir}, false); !errors.Is(err, jetstream.ErrHasLog) {
		t.Errorf("a folder with a log: %v, want ErrHasLog", err)
	}
	beside, err := jetstream.HostBeside(t.Context(), jetstream.HostConfig{Dir: dir}, true)
	if err != nil {
		t.Fatal(err)
	}
	nc, err := beside.Connect()
	if err != nil {
		t.Fatal(err)
	}
	made := target(t, nc, jetstream.TargetOptions{Host: beside.Server})
	put(t, made, all, 700)
	if err := made.Compare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := jetstream.Open(t.Context(), nc, storetest.Codec(), jetstream.Options{}); !errors.Is(err, jetstream.ErrUnfinished) {
		t.Errorf("opened before it is whole: %v, want ErrUnfinished", err)
	}
	s, err := made.Open(t.Context(), storetest.Codec())
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Restored(t.Context(), 1, 9000)
	if err != nil || p != 1<<domain.EpochBits|domain.Position(len(all)+1) {
		t.Errorf("restored at %d, %v", p, err)
	}
	if _, err := s.Restored(t.Context(), 1, 0); err == nil {
		t.Error("the same epoch began twice")
	}
	s.Close()
	if err := made.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	made.Close()
	nc.Close()
	aside, err := beside.Adopt()
	if err != nil || !strings.Contains(aside, "log.replaced-") {
		t.Fatalf("the old log is kept in %q, %v", aside, err)
	}

	again := &embedded{dir: dir}
	again.start(t)
	t.Cleanup(func() { again.stop(t) })
	restored := again.Store(t)
	if restored.ID() != source.ID() {
		t.Errorf("it is log %s, the copy was of %s", restored.ID(), source.ID())
	}
	got := commits(t, restored)
	if len(got) != len(want)+1 || !cmp.Equal(got[:len(want)], want) {
		t.Errorf("%d commits came back of %d, or they differ", len(got), len(want))
	}
	fill(t, restored, 2500, 1)
	if err := restored.Read(t.Context(), domain.Position(len(all)+1), projections.ReadOptions{}, nil); !errors.Is(err, projections.ErrAhead) {
		t.Errorf("a position of the lost tail: %v, want ErrAhead", err)
	}
}

func TestARestoreThatBrokeOffIsNotServed(t *testing.T) {
	_, source := written(t, 10)
	dir := t.TempDir()
	beside, err := jetstream.HostBeside(t.Context(), jetstream.HostConfig{Dir: dir}, false)
	if err != nil {
		t.Fatal(err)
	}
	nc, err := beside.Connect()
	if err != nil {
		t.Fatal(err)
	}
	put(t, target(t, nc, jetstream.TargetOptions{Host: beside.Server}), stored(t, source), 5)
	nc.Close()
	beside.Close()
	for _, readOnly := range []bool{false, true} {
		if _, err := jetstream.Host(t.Context(), jetstream.HostConfig{Dir: dir, ReadOnly: readOnly}); !errors.Is(err, jetstream.ErrUnfinished) {
			t.Errorf("read-only %v: %v, want ErrUnfinished", readOnly, err)
		}
	}
	if beside, err = jetstream.HostBeside(t.Context(), jetstream.HostConfig{Dir: dir}, false); err != nil {
		t.Fatal(err)
	}
	if aside, err := beside.Adopt(); err != nil || aside != "" {
		t.Errorf("it kept %q, %v", aside, err)
	}
}

func TestALogIsPutTogetherOnAClusterAndGoneOnWith(t *testing.T) {
	t.Parallel()
	_, source := written(t, 3000)
	all := stored(t, source)
	c := newCluster(t, 0)
	b := c.log(t)
	o := jetstream.TargetOptions{Replicas: 3}

	half := target(t, b.dial(t, c.servers[0]), o)
	put(t, half, all[:1200], 500)
	half.Close() // it broke off here
	if _, err := jetstream.Open(t.Context(), b.dial(t, c.servers[1]), storetest.Codec(), jetstream.Options{Replicas: 3}); !errors.Is(err, jetstream.ErrUnfinished) {
		t.Errorf("opened while half of it is there: %v, want ErrUnfinished", err)
	}

	made := target(t, b.dial(t, c.servers[1]), o)
	if n, finished := made.Found(); n != 1200 || finished {
		t.Errorf("it goes on from %d, finished %v; want 1200, and not", n, finished)
	}
	put(t, made, all, 500)
	if err := made.Compare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := made.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	copied := b.Store(t)
	if got, want := commits(t, copied), commits(t, source); !cmp.Equal(got, want) {
		t.Errorf("%d commits are there of %d, or they differ", len(got), len(want))
	}

	fill(t, copied, 3000, 1)
	late := target(t, b.dial(t, c.servers[2]), o)
	put(t, late, all, 1000)
	if err := late.Compare(t.Context()); !errors.Is(err, jetstream.ErrOtherLog) {
		t.Errorf("a target that has gone on: %v, want ErrOtherLog", err)
	}
}

func TestATargetWithAnotherLogIsLeftAlone(t *testing.T) {
	_, source := written(t, 10)
	other, there := written(t, 5)
	before := stored(t, there)
	nc, err := jetstream.Join(other.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	made := target(t, nc, jetstream.TargetOptions{})
	if err := made.Put(t.Context(), 1, stored(t, source)); !errors.Is(err, jetstream.ErrOtherLog) {
		t.Errorf("put: %v, want ErrOtherLog", err)
	}
	if after := stored(t, other.join(t)); !cmp.Equal(after, before) {
		t.Errorf("it has %d messages now, %d before", len(after), len(before))
	}
}

func TestCompareFindsWhatDiffers(t *testing.T) {
	_, source := written(t, 2200)
	all := stored(t, source)
	beside, err := jetstream.HostBeside(t.Context(), jetstream.HostConfig{Dir: t.TempDir()}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	nc, err := beside.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	put(t, target(t, nc, jetstream.TargetOptions{Host: beside.Server}), all, 1000)
	all[1500].Data = []byte(strings.Replace(string(all[1500].Data), "note", "vote", 1))
	made := target(t, nc, jetstream.TargetOptions{Host: beside.Server})
	put(t, made, all, 1000)
	if err := made.Compare(t.Context()); !errors.Is(err, jetstream.ErrOtherLog) || !strings.Contains(err.Error(), "between 1001 and 2000") {
		t.Errorf("compare: %v, want the block of message 1501", err)
	}
}

func TestASurveyFindsWhatDoesNotBelong(t *testing.T) {
	_, source := written(t, 20)
	all := stored(t, source)
	whole := jetstream.NewSurvey(storetest.Codec())
	if err := whole.Add(t.Context(), 1, all); err != nil || whole.Last() != 21 || whole.ID() != source.ID() || whole.Epoch() != 0 {
		t.Errorf("%v: log %s up to %d in epoch %d", err, whole.ID(), whole.Last(), whole.Epoch())
	}
	for name, change := range map[string]func([]jetstream.Message) []jetstream.Message{
		"two that changed places":  func(m []jetstream.Message) []jetstream.Message { m[7], m[12] = m[12], m[7]; return m },
		"one left out":             func(m []jetstream.Message) []jetstream.Message { return append(m[:8], m[9:]...) },
		"one on another's subject": func(m []jetstream.Message) []jetstream.Message { m[9].Subject = m[10].Subject; return m },
		"one that is no commit":    func(m []jetstream.Message) []jetstream.Message { m[9].Data = []byte("{}"); return m },
		"no creation":              func(m []jetstream.Message) []jetstream.Message { return m[1:] },
	} {
		changed := change(append([]jetstream.Message(nil), all...))
		if err := jetstream.NewSurvey(storetest.Codec()).Add(t.Context(), 1, changed); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestAFolderWhoseLogWasMovedIsReadAndNotServed(t *testing.T) {
	b := &embedded{dir: t.TempDir()}
	b.start(t)
	b.Store(t)
	b.stop(t)
	if err := jetstream.Moved(b.dir, "nats://elsewhere:4222"); err != nil {
		t.Fatal(err)
	}
	if _, err := jetstream.Host(t.Context(), jetstream.HostConfig{Dir: b.dir}); !errors.Is(err, jetstream.ErrMoved) || !strings.Contains(err.Error(), "nats://elsewhere:4222") {
		t.Errorf("%v, want ErrMoved, and where to", err)
	}
	s, err := jetstream.Host(t.Context(), jetstream.HostConfig{Dir: b.dir, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

func TestADamagedWayInSaysWhichFileAndWhatToDo(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "nats.json")
	if err := os.WriteFile(path, []byte("{\"url\": "), 0o600); err != nil {
		t.Fatal(err)
	}
	_, joined := jetstream.Join(dir)
	_, hosted := jetstream.Host(t.Context(), jetstream.HostConfig{Dir: dir})
	for _, err := range []error{joined, hosted} {
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "remove") {
			t.Errorf("%v: it names neither the file nor the way out", err)
		}
	}
}
