package jetstream_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/adapters/storetest"
	"github.com/turno-desk/turno/api/command"
)

func TestAFolderHasOneHost(t *testing.T) {
	b := newEmbedded(t, jetstream.SyncAlways)
	_, err := jetstream.Host(t.Context(), jetstream.HostConfig{Dir: b.dir})
	if !errors.Is(err, jetstream.ErrInUse) || !strings.Contains(err.Error(), "process "+strconv.Itoa(os.Getpid())) {
		t.Errorf("a second host: %v, want ErrInUse and the process that holds it", err)
	}
	if _, err := jetstream.Host(t.Context(), jetstream.HostConfig{Dir: b.dir, ReadOnly: true}); !errors.Is(err, jetstream.ErrInUse) {
		t.Errorf("a second, read-only host: %v, want ErrInUse", err)
	}
	b.Restart(t) // what was closed can be hosted again
}

func TestTheWayInIsKeptForTheUserAlone(t *testing.T) {
	b := newEmbedded(t, jetstream.SyncAlways)
	path := filepath.Join(b.dir, "nats.json")
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Fatalf("nats.json: %v, mode %v, want 0600", err, info.Mode())
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []nats.Option{nats.UserInfo("turno", "wrong"), nats.UserInfo("", "")} {
		if nc, err := nats.Connect(b.server.URL(), wrong); err == nil {
			nc.Close()
			t.Error("connected without the credentials")
		}
	}
	b.Restart(t)
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("after a restart nats.json reads %s, was %s", after, before)
	}
}

func TestAProcessThatJoinedFindsTheServerOnAnotherPort(t *testing.T) {
	b := newEmbedded(t, jetstream.SyncAlways)
	s := b.join(t)
	_, v, err := s.Append(t.Context(), storetest.Note(1, "before"), 0)
	if err != nil {
		t.Fatal(err)
	}
	old := strings.TrimPrefix(b.server.URL(), "nats://")
	b.stop(t)
	taken, err := net.Listen("tcp", old)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	b.start(t)
	if strings.TrimPrefix(b.server.URL(), "nats://") == old {
		t.Fatal("it has the port that is taken")
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		_, _, err := s.Append(t.Context(), storetest.Note(1, "after"), v)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func TestAPortThatIsTakenIsAnErrorAtOnce(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	began := time.Now()
	if _, err := jetstream.Host(t.Context(), jetstream.HostConfig{Dir: dir, Listen: taken.Addr().String()}); err == nil {
		t.Fatal("it listens on a port that is taken")
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %s to find out", took)
	}
	for _, wrong := range []string{"nonsense", "127.0.0.1:http2", "127.0.0.1:70000"} {
		if _, err := jetstream.Host(t.Context(), jetstream.HostConfig{Dir: dir, Listen: wrong}); err == nil {
			t.Errorf("it listens on %s", wrong)
		}
	}
	s, err := jetstream.Host(t.Context(), jetstream.HostConfig{Dir: dir}) // and the folder is free again
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

func TestNobodyJoinsWhereNobodyServes(t *testing.T) {
	if _, err := jetstream.Join(t.TempDir()); !errors.Is(err, jetstream.ErrNotServed) {
		t.Errorf("an empty folder: %v, want ErrNotServed", err)
	}
	b := &embedded{dir: t.TempDir()}
	b.start(t)
	b.stop(t)
	if _, err := jetstream.Join(b.dir); !errors.Is(err, jetstream.ErrNotServed) {
		t.Errorf("a folder that was served: %v, want ErrNotServed", err)
	}
}

func TestALogThatIsOpenForReadingTakesNothing(t *testing.T) {
	empty := t.TempDir()
	if _, err := jetstream.Host(t.Context(), jetstream.HostConfig{Dir: empty, ReadOnly: true}); !errors.Is(err, jetstream.ErrNoLog) {
		t.Errorf("an empty folder: %v, want ErrNoLog", err)
	}
	if entries, err := os.ReadDir(empty); err != nil || len(entries) > 0 {
		t.Errorf("it left %v in the folder", entries)
	}

	b := &embedded{dir: t.TempDir()}
	b.start(t)
	nc, err := b.server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, nc, jetstream.Options{Host: b.server})
	if _, _, err := s.Append(t.Context(), storetest.Note(1, "x"), 0); err != nil {
		t.Fatal(err)
	}
	s.Close()
	nc.Close()
	b.stop(t)

	server, err := jetstream.Host(t.Context(), jetstream.HostConfig{Dir: b.dir, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	if nc, err = server.Connect(); err != nil {
		t.Fatal(err)
	}
	s = open(t, nc, jetstream.Options{Host: server})
	got, v, err := s.Load(t.Context(), storetest.Note(1, "").Aggregate, 0, nil)
	if err != nil || len(got) != 1 {
		t.Errorf("loaded %d commits, %v", len(got), err)
	}
	if _, _, err := s.Append(t.Context(), storetest.Note(1, "y"), v); !errors.Is(err, command.ErrUnavailable) {
		t.Errorf("append: %v, want ErrUnavailable", err)
	}
	if nc, err := jetstream.Join(b.dir); err == nil {
		nc.Close()
		t.Error("joined a server that is for its own process alone")
	}
}

func TestTheApplicationCanNotHarmTheLog(t *testing.T) {
	b := newEmbedded(t, jetstream.SyncAlways)
	s := b.Store(t)
	if _, _, err := s.Append(t.Context(), storetest.Note(1, "x"), 0); err != nil {
		t.Fatal(err)
	}
	nc, err := jetstream.Join(b.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	for subject, body := range map[string]string{
		"$JS.API.STREAM.DELETE.TURNO":     "",
		"$JS.API.STREAM.PURGE.TURNO":      "",
		"$JS.API.STREAM.MSG.DELETE.TURNO": `{"seq":2}`,
		"$JS.API.STREAM.UPDATE.TURNO":     `{"name":"TURNO","subjects":["turno.>"],"max_msgs":1}`,
	} {
		if answer, err := nc.Request(subject, []byte(body), 100*time.Millisecond); err == nil {
			t.Errorf("%s was answered: %s", subject, answer.Data)
		}
	}
	if got, _, err := s.Load(t.Context(), storetest.Note(1, "").Aggregate, 0, nil); err != nil || len(got) != 1 {
		t.Errorf("%d commits are left, %v", len(got), err)
	}
}

func TestAWeakStreamIsRefusedAndItsWeaknessNamed(t *testing.T) {
	strong := natsjs.StreamConfig{
		Name: jetstream.StreamName, Subjects: []string{"turno.>"}, Discard: natsjs.DiscardNew,
		DenyDelete: true, DenyPurge: true, AllowDirect: true, AllowAtomicPublish: true,
	}
	for name, weaken := range map[string]func(*natsjs.StreamConfig){
		"max_msgs":             func(c *natsjs.StreamConfig) { c.MaxMsgs = 10 },
		"max_bytes":            func(c *natsjs.StreamConfig) { c.MaxBytes = 1 << 20 },
		"max_age":              func(c *natsjs.StreamConfig) { c.MaxAge = time.Hour },
		"max_msgs_per_subject": func(c *natsjs.StreamConfig) { c.MaxMsgsPerSubject = 5 },
		"max_msg_size":         func(c *natsjs.StreamConfig) { c.MaxMsgSize = 1000 },
		"deny_delete":          func(c *natsjs.StreamConfig) { c.DenyDelete = false },
		"deny_purge":           func(c *natsjs.StreamConfig) { c.DenyPurge = false },
		"discards the oldest":  func(c *natsjs.StreamConfig) { c.Discard = natsjs.DiscardOld },
		"in memory":            func(c *natsjs.StreamConfig) { c.Storage = natsjs.MemoryStorage },
		"asynchronous persistence": func(c *natsjs.StreamConfig) {
			c.PersistMode, c.AllowAtomicPublish = natsjs.AsyncPersistMode, false
		},
		"allow_direct":         func(c *natsjs.StreamConfig) { c.AllowDirect = false },
		"allow_atomic":         func(c *natsjs.StreamConfig) { c.AllowAtomicPublish = false },
		"its subjects are":     func(c *natsjs.StreamConfig) { c.Subjects = []string{"turno.default.>"} },
		"messages are missing": func(c *natsjs.StreamConfig) { c.FirstSeq = 100 },
		"allow_msg_ttl":        func(c *natsjs.StreamConfig) { c.AllowMsgTTL = true },
	} {
		t.Run(name, func(t *testing.T) {
			c := strong
			weaken(&c)
			err := openOn(t, func(js natsjs.JetStream) {
				if _, err := js.CreateStream(t.Context(), c); err != nil {
					t.Fatal(err)
				}
			}, jetstream.Options{})
			if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), ";") && name != "asynchronous persistence" {
				t.Errorf("%v, want %q named and nothing else", err, name)
			}
		})
	}
	t.Run("replicas", func(t *testing.T) {
		err := openOn(t, func(js natsjs.JetStream) {
			if _, err := js.CreateStream(t.Context(), strong); err != nil {
				t.Fatal(err)
			}
		}, jetstream.Options{Replicas: 3})
		if err == nil || !strings.Contains(err.Error(), "1 replicas, 3 are configured") {
			t.Errorf("%v, want the replicas named", err)
		}
	})
	t.Run("mirror_direct", func(t *testing.T) {
		err := openOn(t, func(js natsjs.JetStream) {
			mirror := natsjs.StreamConfig{Name: "COPY", Mirror: &natsjs.StreamSource{Name: jetstream.StreamName}, MirrorDirect: true}
			for _, c := range []natsjs.StreamConfig{strong, mirror} {
				if _, err := js.CreateStream(t.Context(), c); err != nil {
					t.Fatal(err)
				}
			}
		}, jetstream.Options{})
		if err == nil || !strings.Contains(err.Error(), "stream COPY mirrors it with mirror_direct") {
			t.Errorf("%v, want the mirror named", err)
		}
	})
	t.Run("the creation of a log", func(t *testing.T) {
		err := openOn(t, func(js natsjs.JetStream) {
			if _, err := js.CreateStream(t.Context(), strong); err != nil {
				t.Fatal(err)
			}
			if _, err := js.Publish(t.Context(), "turno.default.thread.x", []byte("[]")); err != nil {
				t.Fatal(err)
			}
		}, jetstream.Options{})
		if err == nil {
			t.Error("a stream of something else was opened as a log")
		}
	})
}

// openOn prepares the streams of a new server and opens the log on it.
func openOn(t *testing.T, prepare func(natsjs.JetStream), o jetstream.Options) error {
	t.Helper()
	b := newEmbedded(t, jetstream.SyncOff)
	nc, err := b.server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := natsjs.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	prepare(js)
	s, err := jetstream.Open(t.Context(), nc, storetest.Codec(), o)
	if err == nil {
		s.Close()
	}
	return err
}

func TestNothingIsCreatedOverFilesThatCanNotBeRead(t *testing.T) {
	b := &embedded{dir: t.TempDir(), sync: jetstream.SyncAlways}
	precious := filepath.Join(b.dir, "log", "jetstream", "$G", "streams", jetstream.StreamName, "msgs", "1.blk")
	if err := os.MkdirAll(filepath.Dir(precious), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(precious, []byte("sealed with a key that is not here"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.start(t)
	t.Cleanup(func() { b.stop(t) })
	nc, err := b.server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if s, err := jetstream.Open(t.Context(), nc, storetest.Codec(), jetstream.Options{Host: b.server}); err == nil {
		s.Close()
		t.Error("it was opened")
	}
	if _, err := os.Stat(precious); err != nil {
		t.Errorf("the files are gone: %v", err)
	}
}

func TestNoPlainWordOfACustomerIsInTheFiles(t *testing.T) {
	b := &embedded{dir: t.TempDir(), sync: jetstream.SyncAlways}
	b.start(t)
	nc, err := b.server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, nc, jetstream.Options{Host: b.server})
	if _, _, err := s.Append(t.Context(), storetest.Note(1, "Geheimwort"), 0); err != nil {
		t.Fatal(err)
	}
	s.Close()
	nc.Close()
	b.stop(t)
	found := false
	err = filepath.WalkDir(b.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.Contains(string(data), "Geheimwort") {
			t.Errorf("%s holds it", path)
		}
		found = found || strings.Contains(string(data), "turno.conversation.noted.v1")
		return nil
	})
	if err != nil || !found {
		t.Errorf("the commit itself was not found in the files: %v", err)
	}
}
