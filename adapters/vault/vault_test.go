package vault

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/turno-desk/turno/adapters/codec"
	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
)

func TestMain(m *testing.M) {
	// A server that is shut down in the middle of a batch leaves this one of its own behind.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.(*msgBlock).flushLoop"))
}

// runServer runs a NATS server in this process on dir, and returns a client of it.
func runServer(t testing.TB, dir string) jetstream.JetStream {
	t.Helper()
	s, err := server.NewServer(&server.Options{DontListen: true, JetStream: true, StoreDir: dir, SyncAlways: true, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("the server does not come up")
	}
	nc, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func masterKey() []byte {
	b := make([]byte, masterBytes)
	_, _ = rand.Read(b)
	return b
}

func openVault(t testing.TB, js jetstream.JetStream, o Options) *Vault {
	t.Helper()
	v, err := Open(t.Context(), js, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

// onBoth runs the test on a vault in memory and on one in JetStream.
func onBoth(t *testing.T, test func(t *testing.T, v *Vault)) {
	t.Run("memory", func(t *testing.T) {
		v := NewMemory("default")
		t.Cleanup(v.Close)
		test(t, v)
	})
	t.Run("jetstream", func(t *testing.T) {
		test(t, openVault(t, runServer(t, t.TempDir()), Options{MasterKey: masterKey()}))
	})
}

func TestEveryNewKeyIsAnotherAndIsInTheVaultAlready(t *testing.T) {
	onBoth(t, func(t *testing.T, v *Vault) {
		const askers, each = 8, 200
		var mu sync.Mutex
		var all sync.WaitGroup
		seen := map[string]bool{}
		for range askers {
			all.Go(func() {
				for range each {
					id, err := v.NewKey(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					v.cache.Remove(id) // so that it is read from where it was kept
					key, err := v.Key(t.Context(), id)
					if err != nil || len(key) != 32 || len(id) != 26 || id[0] != 'k' || !domain.ValidID(id) {
						t.Errorf("key %q: %d bytes, %v", id, len(key), err)
					}
					mu.Lock()
					seen[id] = true
					seen[string(key)] = true
					mu.Unlock()
				}
			})
		}
		all.Wait()
		if len(seen) != 2*askers*each {
			t.Errorf("%d different ids and keys, want %d", len(seen), 2*askers*each)
		}
	})
}

func TestWhatIsThereAlreadyIsNotAddedAgainNorIsWhatCameWithIt(t *testing.T) {
	onBoth(t, func(t *testing.T, v *Vault) {
		value := func(name string) sealed { return sealed{v.prefix + "key." + name, []byte(name)} }
		for _, values := range [][]sealed{{value("b")}, {value("a"), value("b"), value("c")}} {
			err := v.keep.add(t.Context(), values)
			if want := len(values) > 1; errors.Is(err, errExists) != want || err != nil && !want {
				t.Errorf("%d values: got %v", len(values), err)
			}
		}
		for name, want := range map[string]string{"a": "", "b": "b", "c": ""} {
			if got, err := v.keep.get(t.Context(), v.prefix+"key."+name); string(got.value) != want || err != nil {
				t.Errorf("%s: got %q, %v", name, got.value, err)
			}
		}
	})
}

// slow is a keeper that counts its reads and, while it holds them, answers none before it is told to.
type slow struct {
	keeper
	hold   atomic.Bool
	reads  atomic.Int32
	read   chan struct{} // receives for each read that is held
	answer chan struct{}
	fail   atomic.Bool
}

func (s *slow) get(ctx context.Context, subject string) (sealed, error) {
	s.reads.Add(1)
	b, err := s.keeper.get(ctx, subject)
	if s.hold.Load() {
		s.read <- struct{}{}
		<-s.answer
	}
	return b, err
}

func (s *slow) add(ctx context.Context, values []sealed) error {
	if s.fail.Load() {
		return errors.New("no route")
	}
	return s.keeper.add(ctx, values)
}

func openSlow(t *testing.T) (*Vault, *slow) {
	t.Helper()
	s := &slow{keeper: newMemory(), read: make(chan struct{}, 100), answer: make(chan struct{})}
	v, err := open(t.Context(), s, Options{MasterKey: masterKey()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v, s
}

func TestAllWhoMissTheSameKeyAtOnceShareOneRead(t *testing.T) {
	v, s := openSlow(t)
	id, err := v.NewKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v.cache.Remove(id)
	s.reads.Store(0)
	s.hold.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() { _, err := v.Key(ctx, id); gone <- err }()
	<-s.read // the first has begun to read, for all who come now
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("the first did not go when it was told to: %v", err)
	}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if key, err := v.Key(t.Context(), id); err != nil || len(key) != 32 {
				t.Errorf("got %d bytes, %v", len(key), err)
			}
		})
	}
	close(s.answer)
	all.Wait()
	if n := s.reads.Load(); n != 1 {
		t.Errorf("%d reads for one key", n)
	}
}

func TestAKeyThatIsForgottenWhileItIsReadDoesNotStay(t *testing.T) {
	v, s := openSlow(t)
	id, err := v.NewKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v.cache.Remove(id)
	s.reads.Store(0)
	s.hold.Store(true)
	done := make(chan error)
	go func() { _, err := v.Key(t.Context(), id); done <- err }()
	<-s.read // the key has been found, and is on its way
	if err := v.DestroyKey(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	close(s.answer)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if _, err := v.Key(t.Context(), id); !errors.Is(err, codec.ErrNoKey) {
		t.Errorf("got %v, want ErrNoKey", err)
	}
}

func TestNoKeyIsHandedOutThatWasNotAcknowledged(t *testing.T) {
	v, s := openSlow(t)
	s.fail.Store(true)
	for range 3 {
		if id, err := v.NewKey(t.Context()); !errors.Is(err, command.ErrUnavailable) {
			t.Fatalf("got %q, %v, want ErrUnavailable", id, err)
		}
	}
	s.fail.Store(false)
	for range 500 { // and it goes on once the vault is there again
		if _, err := v.NewKey(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	v.Close()
	var err error
	for range mostAhead + 1 { // what is left, and then the end
		if _, err = v.NewKey(t.Context()); err != nil {
			break
		}
	}
	if !errors.Is(err, command.ErrUnavailable) {
		t.Errorf("a closed vault makes keys: %v", err)
	}
}

func TestADestroyedKeyIsGone(t *testing.T) {
	onBoth(t, func(t *testing.T, v *Vault) {
		id, err := v.NewKey(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		other, err := v.NewKey(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time it is unknown, which is no error
			if err := v.DestroyKey(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			if _, err := v.Key(t.Context(), id); !errors.Is(err, codec.ErrNoKey) {
				t.Errorf("got %v, want ErrNoKey", err)
			}
		}
		if _, err := v.Key(t.Context(), other); err != nil {
			t.Errorf("another key went with it: %v", err)
		}
		for _, id := range []string{"", "kneverexisted", "no.subject", "*", ">"} {
			if _, err := v.Key(t.Context(), id); !errors.Is(err, codec.ErrNoKey) {
				t.Errorf("%q: got %v, want ErrNoKey", id, err)
			}
			if err := v.DestroyKey(t.Context(), id); err != nil {
				t.Errorf("%q: %v", id, err)
			}
		}
	})
}

func TestAForgottenKeyIsReadAnewEachTimeUntilItIsGone(t *testing.T) {
	dir, master := t.TempDir(), masterKey()
	js := runServer(t, dir)
	mine, theirs := openVault(t, js, Options{MasterKey: master}), openVault(t, js, Options{MasterKey: master})
	id, err := mine.NewKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := theirs.Key(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	theirs.Forget(id)
	if _, err := theirs.Key(t.Context(), id); err != nil {
		t.Errorf("it is not destroyed yet: %v", err)
	}
	if err := mine.DestroyKey(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if _, err := theirs.Key(t.Context(), id); !errors.Is(err, codec.ErrNoKey) {
		t.Errorf("got %v, want ErrNoKey: the key came back into memory after it was forgotten", err)
	}
}

func TestSecretsAreReplacedAndDeleted(t *testing.T) {
	onBoth(t, func(t *testing.T, v *Vault) {
		ctx := t.Context()
		if got, err := v.Secret(ctx, "token.ana-1"); got != nil || err != nil {
			t.Errorf("got %q, %v before it was put", got, err)
		}
		for _, want := range []string{"one", "two", "three"} {
			if err := v.PutSecret(ctx, "token.ana-1", []byte(want)); err != nil {
				t.Fatal(err)
			}
			if got, err := v.Secret(ctx, "token.ana-1"); string(got) != want || err != nil {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
		}
		for range 2 {
			if err := v.DeleteSecret(ctx, "token.ana-1"); err != nil {
				t.Fatal(err)
			}
			if got, err := v.Secret(ctx, "token.ana-1"); got != nil || err != nil {
				t.Errorf("got %q, %v after it was deleted", got, err)
			}
		}
		for _, name := range []string{"", ".", "a..b", "a.", "*", "a.>", "a b", "é"} {
			if err := v.PutSecret(ctx, name, nil); err == nil {
				t.Errorf("the name %q was taken", name)
			}
		}
	})
}

func TestHashesKeepTheirPartsApartAndBelongToTheWorkspace(t *testing.T) {
	js, master := runServer(t, t.TempDir()), masterKey()
	a := openVault(t, js, Options{Workspace: "a", MasterKey: master})
	again := openVault(t, js, Options{Workspace: "a", MasterKey: master})
	b := openVault(t, js, Options{Workspace: "b", MasterKey: master})
	h := a.Hash("web", "address", "+5491155550123")
	if len(h) != 26 || !domain.ValidID(h) {
		t.Errorf("%q is not 26 characters of an id", h)
	}
	if h != again.Hash("web", "address", "+5491155550123") {
		t.Error("another process hashes otherwise")
	}
	if h == b.Hash("web", "address", "+5491155550123") {
		t.Error("another workspace hashes the same")
	}
	seen := map[string]int{}
	parts := [][]string{{}, {""}, {"", ""}, {"ab"}, {"a", "b"}, {"ab", ""}, {"", "ab"}}
	for i, p := range parts {
		h := a.Hash(p...)
		if j, ok := seen[h]; ok {
			t.Errorf("%q and %q have the same hash", p, parts[j])
		}
		seen[h] = i
	}
}

func TestAnotherMasterKeyDoesNotOpenTheVault(t *testing.T) {
	js, master := runServer(t, t.TempDir()), masterKey()
	if v := openVault(t, js, Options{MasterKey: master}); !v.Fresh() {
		t.Error("the first to open it did not make it")
	}
	if _, err := Open(t.Context(), js, Options{MasterKey: masterKey()}); !errors.Is(err, ErrMasterKey) {
		t.Errorf("got %v, want ErrMasterKey", err)
	}
	if v := openVault(t, js, Options{MasterKey: master}); v.Fresh() {
		t.Error("the second made it again")
	}
	if _, err := Open(t.Context(), js, Options{MasterKey: master[:16]}); err == nil {
		t.Error("16 bytes passed for a master key")
	}
}

func TestEachWorkspaceHasAVaultOfItsOwnOrNoneYet(t *testing.T) {
	js := runServer(t, t.TempDir())
	made := func(workspace string) bool {
		t.Helper()
		yes, err := Made(t.Context(), js, workspace)
		if err != nil {
			t.Fatal(err)
		}
		return yes
	}
	if made("default") {
		t.Error("there is a vault before anybody made one")
	}
	openVault(t, js, Options{MasterKey: masterKey()})
	if !made("default") || made("another") {
		t.Errorf("after the making: %t, another workspace's: %t", made("default"), made("another"))
	}
	openVault(t, js, Options{Workspace: "another", MasterKey: masterKey()})
	if !made("another") {
		t.Error("the other's vault is not seen")
	}
}

func TestTwoThatMakeTheSameVaultAgreeOnItsKey(t *testing.T) {
	js, master := runServer(t, t.TempDir()), masterKey()
	for i := range 20 {
		o := Options{Workspace: fmt.Sprintf("w%d", i), MasterKey: master}
		var both [2]*Vault
		var all sync.WaitGroup
		for j := range both {
			all.Go(func() { both[j] = openVault(t, js, o) })
		}
		all.Wait()
		if both[0].Hash("x") != both[1].Hash("x") {
			t.Fatal("the two hash differently")
		}
	}
}

func TestTheVaultThatCanNotBeReachedIsNoDestroyedKey(t *testing.T) {
	master := masterKey()
	js := runServer(t, t.TempDir())
	v := openVault(t, js, Options{MasterKey: master})
	id, err := v.NewKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v.cache.Purge()
	js.Conn().Close()
	if _, err := v.Key(t.Context(), id); !errors.Is(err, command.ErrUnavailable) || errors.Is(err, codec.ErrNoKey) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
	if err := v.DestroyKey(t.Context(), id); !errors.Is(err, command.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable: nothing was destroyed", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	empty := NewMemory("")
	defer empty.Close()
	if _, err := empty.NewKey(ctx); !errors.Is(err, command.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want what the context says", err)
	}
}

func TestAStreamThatLosesOrKeepsTooMuchIsRefused(t *testing.T) {
	for name, change := range map[string]func(*jetstream.StreamConfig){
		"in memory":       func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage },
		"with an age":     func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour },
		"with a size":     func(c *jetstream.StreamConfig) { c.MaxBytes = 1 << 20 },
		"without batches": func(c *jetstream.StreamConfig) { c.AllowAtomicPublish = false },
		"deletion denied": func(c *jetstream.StreamConfig) { c.DenyDelete = true },
	} {
		t.Run(name, func(t *testing.T) {
			js := runServer(t, t.TempDir())
			c := jetstream.StreamConfig{Name: Stream, Subjects: []string{subjectRoot + ".>"}, AllowDirect: true, AllowAtomicPublish: true}
			change(&c)
			if _, err := js.CreateStream(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(t.Context(), js, Options{MasterKey: masterKey()}); err == nil {
				t.Error("it was opened")
			}
		})
	}
}

// TestTheDiskHoldsNoPlainKeyAndNoTraceOfADestroyedOne reads every file of the server's store.
func TestTheDiskHoldsNoPlainKeyAndNoTraceOfADestroyedOne(t *testing.T) {
	dir := t.TempDir()
	js := runServer(t, dir)
	v := openVault(t, js, Options{MasterKey: masterKey()})
	ctx := t.Context()
	kept, err := v.NewKey(ctx)
	if err != nil {
		t.Fatal(err)
	}
	destroyed, err := v.NewKey(ctx)
	if err != nil {
		t.Fatal(err)
	}
	secret := []byte("the hash of somebody's token")
	if err := v.PutSecret(ctx, "token.1", secret); err != nil {
		t.Fatal(err)
	}
	keyOf := func(id string) (plain, kept []byte) {
		plain, err := v.Key(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		value, err := v.keep.get(ctx, v.keySubject(id))
		if err != nil {
			t.Fatal(err)
		}
		return plain, value.value
	}
	keptPlain, keptSealed := keyOf(kept)
	goneP, goneSealed := keyOf(destroyed)
	firstSecret, err := v.keep.get(ctx, v.prefix+"secret.token.1")
	if err != nil {
		t.Fatal(err)
	}
	// Without this, the search below would find nothing whatever it looked for.
	for _, sealed := range [][]byte{keptSealed, goneSealed, firstSecret.value} {
		if len(filesWith(t, dir, sealed)) == 0 {
			t.Fatal("a sealed value is not on disk")
		}
	}

	if err := v.DestroyKey(ctx, destroyed); err != nil {
		t.Fatal(err)
	}
	if err := v.PutSecret(ctx, "token.1", []byte("another")); err != nil {
		t.Fatal(err)
	}
	for what, b := range map[string][]byte{
		"a plain key": keptPlain, "the destroyed key": goneP, "the destroyed key, sealed": goneSealed,
		"the key of the hashes": v.hashKey, "a plain secret": secret, "the replaced secret, sealed": firstSecret.value,
	} {
		for _, spelling := range [][]byte{b, []byte(base64.StdEncoding.EncodeToString(b)), []byte(hex.EncodeToString(b))} {
			if f := filesWith(t, dir, spelling); len(f) > 0 {
				t.Errorf("%s is in %v", what, f)
			}
		}
	}
	if len(filesWith(t, dir, keptSealed)) == 0 {
		t.Error("the other key has gone, too")
	}
}

// filesWith returns the files below dir that contain b.
func filesWith(t *testing.T, dir string, b []byte) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // the server writes by renaming
		}
		if bytes.Contains(data, b) {
			names = append(names, filepath.Base(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
