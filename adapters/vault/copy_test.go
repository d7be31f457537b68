package vault

import (
	"bytes"
	"errors"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/turno-desk/turno/adapters/codec"
)

// exported is everything that a vault holds.
func exported(t *testing.T, js jetstream.JetStream) (all []Value) {
	t.Helper()
	n, err := Export(t.Context(), js, func(values []Value) error {
		all = append(all, values...)
		return nil
	})
	if err != nil || n != len(all) {
		t.Fatalf("%d values of %d, %v", len(all), n, err)
	}
	return all
}

func imported(t *testing.T, js jetstream.JetStream, replicas int, values []Value) {
	t.Helper()
	i, err := NewImporter(t.Context(), js, replicas)
	if err == nil {
		err = i.Put(t.Context(), values)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestACopyOpensWhatTheVaultOpens(t *testing.T) {
	js := runServer(t, t.TempDir())
	master := masterKey()
	v := openVault(t, js, Options{MasterKey: master})
	openVault(t, js, Options{MasterKey: master, Workspace: "other"})
	var keys []string
	for range 700 {
		id, err := v.NewKey(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, id)
	}
	for _, value := range []string{"first", "second"} {
		if err := v.PutSecret(t.Context(), "token.x", []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	destroyed := keys[5]
	if err := v.DestroyKey(t.Context(), destroyed); err != nil {
		t.Fatal(err)
	}
	all := exported(t, js)

	for name, to := range map[string]struct {
		js       jetstream.JetStream
		replicas int
	}{"one server": {runServer(t, t.TempDir()), 1}, "three": {runCluster(t, t.TempDir())[1], 3}} {
		imported(t, to.js, to.replicas, all[:100]) // it broke off here
		if _, err := Open(t.Context(), to.js, Options{MasterKey: master, Replicas: to.replicas}); !errors.Is(err, ErrUnfinished) {
			t.Errorf("%s: opened before it is whole: %v", name, err)
		}
		imported(t, to.js, to.replicas, all)
		copied := openVault(t, to.js, Options{MasterKey: master, Replicas: to.replicas})
		openVault(t, to.js, Options{MasterKey: master, Replicas: to.replicas, Workspace: "other"})
		if copied.Fresh() || copied.Hash("a") != v.Hash("a") {
			t.Errorf("%s: the key of the hashes is another one", name)
		}
		for _, id := range keys {
			want, err := v.Key(t.Context(), id)
			got, copyErr := copied.Key(t.Context(), id)
			if !bytes.Equal(got, want) || errors.Is(err, codec.ErrNoKey) != errors.Is(copyErr, codec.ErrNoKey) {
				t.Fatalf("%s: key %s: %v, %v", name, id, err, copyErr)
			}
		}
		if secret, err := copied.Secret(t.Context(), "token.x"); err != nil || string(secret) != "second" {
			t.Errorf("%s: the secret is %q, %v", name, secret, err)
		}
		if again := exported(t, to.js); len(again) != len(all) {
			t.Errorf("%s: it holds %d values, %d were put", name, len(again), len(all))
		}
	}
	if hashes := len(all) - 2; all[hashes].Key() != "" || !all[hashes].last() || !all[hashes+1].last() {
		t.Error("what makes a vault whole does not come last")
	}
}

func TestAVaultIsNotPutOverAnotherOne(t *testing.T) {
	js, to := runServer(t, t.TempDir()), runServer(t, t.TempDir())
	openVault(t, js, Options{MasterKey: masterKey()})
	openVault(t, to, Options{MasterKey: masterKey()})
	i, err := NewImporter(t.Context(), to, 1)
	if err != nil {
		t.Fatal(err)
	}
	if empty, err := i.Empty(t.Context()); err != nil || empty {
		t.Errorf("empty: %v, %v", empty, err)
	}
	if err := i.Put(t.Context(), exported(t, js)); !errors.Is(err, ErrOtherVault) {
		t.Errorf("%v, want ErrOtherVault", err)
	}
	if err := i.Put(t.Context(), []Value{{Subject: "turno.default.thread.x"}}); err == nil {
		t.Error("a message of the log was put into the vault")
	}
	if _, err := Export(t.Context(), runServer(t, t.TempDir()), nil); !errors.Is(err, ErrNoVault) {
		t.Errorf("no vault: %v", err)
	}
}

func TestAValueKnowsWhichKeyItIs(t *testing.T) {
	for subject, want := range map[string]string{
		"turno-vault.default.key.kabc": "kabc", "turno-vault.default.hash": "", "turno-vault.default.secret.key.x": "", "key.x": "",
	} {
		if got := (Value{Subject: subject}).Key(); got != want {
			t.Errorf("%s: %q, want %q", subject, got, want)
		}
	}
}
