// Package vault keeps the keys that personal fields are sealed with, apart from the log, so that it can forget: who erases
// a key has erased everything that was ever sealed with it, in every copy of the log.
//
// It also keeps the secrets that never enter an event, and the key of the hashes by which addresses are compared. On disk all
// of it is sealed under the master key, a file that belongs neither into the log's backup nor into the vault's.
package vault

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/singleflight"

	"github.com/turno-desk/turno/adapters/codec"
	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
)

var (
	_ codec.Keyring   = (*Vault)(nil)
	_ command.Keys    = (*Vault)(nil)
	_ command.Secrets = (*Vault)(nil)
	_ command.Hasher  = (*Vault)(nil)
)

// ErrMasterKey says that the vault was made with another master key.
var ErrMasterKey = errors.New("the master key does not open this vault: it was made with another one")

// Options configure Open.
type Options struct {
	Workspace string // "default" when empty
	MasterKey []byte // 32 bytes, from LoadMasterKey; required
	Replicas  int    // of the stream, when it has to be made; 1 when 0
	Cache     int    // opened keys kept in memory; 100,000 when 0, some 25 MB
	// Observe is called after each trip to the stream: add, read, replace or erase; nil: nobody. No such value is no error.
	Observe func(operation string, took time.Duration, err error)
}

const (
	defaultCache = 100_000
	// keptAway is how many forgotten ids are remembered, so that none of them gets into the cache again.
	keptAway = 100_000
	// missedFor is how long the answer that there is no such key is believed. A rebuild asks for it once per commit.
	missedFor = 30 * time.Second
	// readTimeout bounds one read of the stream. It does not end with the caller, since others may wait for it too.
	readTimeout = 5 * time.Second
)

// keeper is where sealed values are. An error says that it could not be reached, unless it is errExists.
type keeper interface {
	// add puts up to 1,000 new values, all acknowledged when it returns nil. errExists, and none is put, if one of the
	// subjects has a value.
	add(ctx context.Context, values []sealed) error
	// replace puts a value, and erases the one before.
	replace(ctx context.Context, v sealed) error
	// get returns the newest value and its subject, zero when there is none. It is never stale. One token of the subject may
	// be a *.
	get(ctx context.Context, subject string) (sealed, error)
	// erase overwrites the value. No value is no error.
	erase(ctx context.Context, subject string) error
}

// sealed is one value as it is kept.
type sealed struct {
	subject string
	value   []byte
}

var errExists = errors.New("there is a value already")

// Vault is one workspace's keys, secrets and hash key. It is safe for concurrent use.
type Vault struct {
	prefix  string // of its subjects
	keep    keeper
	master  cipher.AEAD
	hashKey []byte
	fresh   bool
	pool    *pool
	reads   singleflight.Group

	cache *lru.Cache[string, opened]
	away  *lru.Cache[string, struct{}] // forgotten ids, which are never cached again
}

// opened is what is known of a key: its bytes, or since when there is none.
type opened struct {
	key    []byte
	missed time.Time
}

// Open opens the workspace's vault in the stream TURNO_VAULT, and makes both when they are missing. It fails with
// ErrMasterKey when the vault was made with another master key. The caller closes it.
func Open(ctx context.Context, js jetstream.JetStream, o Options) (*Vault, error) {
	s, err := openStream(ctx, js, max(o.Replicas, 1))
	if err != nil {
		return nil, fmt.Errorf("open the vault: %w", err)
	}
	v, err := open(ctx, s, o)
	if err != nil {
		return nil, fmt.Errorf("open the vault: %w", err)
	}
	return v, nil
}

// Made reports whether the workspace has a vault already: one that only the master key of its making opens.
func Made(ctx context.Context, js jetstream.JetStream, workspace string) (bool, error) {
	s, err := js.Stream(ctx, Stream)
	if err == nil {
		_, err = s.GetLastMsgForSubject(ctx, subjectRoot+"."+workspace+".hash")
	}
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, jetstream.ErrStreamNotFound), errors.Is(err, jetstream.ErrMsgNotFound):
		return false, nil
	}
	return false, fmt.Errorf("look for the vault: %w", err)
}

// NewMemory returns a vault that lives and dies with the process, for tests. It needs no closing.
func NewMemory(workspace string) *Vault {
	master := make([]byte, masterBytes)
	_, _ = rand.Read(master) // never fails
	v, err := open(context.Background(), newMemory(), Options{Workspace: workspace, MasterKey: master, Cache: 10_000})
	if err != nil {
		panic(err) // only a malformed workspace's name can do this, in a test
	}
	return v
}

func open(ctx context.Context, k keeper, o Options) (*Vault, error) {
	if o.Workspace == "" {
		o.Workspace = "default"
	}
	if !domain.ValidID(o.Workspace) {
		return nil, fmt.Errorf("malformed workspace %q", o.Workspace)
	}
	if len(o.MasterKey) != masterBytes {
		return nil, fmt.Errorf("the master key has %d bytes, want %d", len(o.MasterKey), masterBytes)
	}
	block, err := aes.NewCipher(o.MasterKey)
	if err != nil {
		return nil, err
	}
	if o.Observe != nil {
		k = observed{k, o.Observe}
	}
	v := &Vault{prefix: subjectRoot + "." + o.Workspace + ".", keep: k}
	if v.master, err = cipher.NewGCM(block); err != nil {
		return nil, err
	}
	if o.Cache <= 0 {
		o.Cache = defaultCache
	}
	if v.cache, err = lru.New[string, opened](o.Cache); err != nil {
		return nil, err
	}
	if v.away, err = lru.New[string, struct{}](keptAway); err != nil {
		return nil, err
	}
	if err := v.loadHashKey(ctx); err != nil {
		return nil, err
	}
	v.pool = newPool(v.makeKeys)
	return v, nil
}

// Fresh reports whether Open made this vault. With a log that already has commits of people it means that the vault was lost.
func (v *Vault) Fresh() bool { return v.fresh }

// Close ends the making of keys in the background. The vault must not be used any more.
func (v *Vault) Close() { v.pool.close() }

// Key returns a key's bytes, which the caller must not change: from memory, or by one read of the stream, however many ask
// at once. It fails with codec.ErrNoKey when the key was destroyed or never existed, and with command.ErrUnavailable.
func (v *Vault) Key(ctx context.Context, id string) ([]byte, error) {
	if o, ok := v.cache.Get(id); ok {
		if o.key != nil {
			return o.key, nil
		}
		if time.Since(o.missed) < missedFor {
			return nil, codec.ErrNoKey
		}
	}
	if !domain.ValidID(id) {
		return nil, codec.ErrNoKey
	}
	read := v.reads.DoChan(id, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
		defer cancel()
		return v.readKey(ctx, id)
	})
	select {
	case r := <-read:
		if r.Err != nil {
			return nil, r.Err
		}
		if key := r.Val.([]byte); key != nil {
			return key, nil
		}
		return nil, codec.ErrNoKey
	case <-ctx.Done():
		return nil, unavailable("read a key", ctx.Err())
	}
}

// readKey reads a key and remembers it, unless it was forgotten meanwhile. nil: there is none.
func (v *Vault) readKey(ctx context.Context, id string) ([]byte, error) {
	if o, ok := v.cache.Get(id); ok && o.key != nil {
		return o.key, nil // it came while the caller was on its way here
	}
	key, err := v.read(ctx, v.keySubject(id))
	if key == nil && err == nil {
		// Projectors read the whole log: the key may be another workspace's. Ids of keys are random, so no two are alike.
		key, err = v.read(ctx, subjectRoot+".*.key."+id)
	}
	if err != nil {
		return nil, err
	}
	o := opened{key: key}
	if key == nil {
		o.missed = time.Now()
	}
	v.cache.Add(id, o)
	// Whoever forgets notes the id first and clears the cache then: one of both sees the other.
	if key != nil && v.away.Contains(id) {
		v.cache.Remove(id)
	}
	return key, nil
}

// NewKey returns the id of a key that is acknowledged by the vault and was never handed out before.
func (v *Vault) NewKey(ctx context.Context) (string, error) { return v.pool.take(ctx) }

// makeKeys makes n keys and returns their ids once all of them are acknowledged.
func (v *Vault) makeKeys(ctx context.Context, n int) ([]string, error) {
	ids, keys, values := make([]string, n), make([][]byte, n), make([]sealed, n)
	for i := range n {
		ids[i] = "k" + strings.ToLower(rand.Text())[:25]
		keys[i] = make([]byte, 32)
		_, _ = rand.Read(keys[i]) // never fails
		values[i] = v.seal(v.keySubject(ids[i]), keys[i])
	}
	if err := v.keep.add(ctx, values); err != nil {
		return nil, unavailable("make keys", err)
	}
	for i, id := range ids {
		v.cache.Add(id, opened{key: keys[i]})
	}
	return ids, nil
}

// DestroyKey overwrites a key on disk and forgets it. Unknown keys are no error. Other processes go on until they Forget.
//
// On one replica nothing of it is left when it returns. On several, the servers' Raft logs hold the value, sealed under the
// master key, until they are compacted, which they do every two minutes: three minutes later none of them had it.
func (v *Vault) DestroyKey(ctx context.Context, id string) error {
	if !domain.ValidID(id) {
		return nil
	}
	v.Forget(id)
	if err := v.keep.erase(ctx, v.keySubject(id)); err != nil {
		return unavailable("destroy a key", err)
	}
	v.Forget(id)
	return nil
}

// Forget drops a key from memory and keeps it out from now on: for processes that hear of an erasure from the log. While the
// key is not destroyed it can still be read.
func (v *Vault) Forget(id string) {
	v.away.Add(id, struct{}{})
	v.cache.Remove(id)
}

func (v *Vault) keySubject(id string) string { return v.prefix + "key." + id }

// seal seals a value under the master key, for its subject alone: a nonce, the text, a tag.
func (v *Vault) seal(subject string, plain []byte) sealed {
	b := make([]byte, v.master.NonceSize(), v.master.NonceSize()+len(plain)+v.master.Overhead())
	_, _ = rand.Read(b) // never fails
	return sealed{subject, v.master.Seal(b, b, plain, []byte(subject))}
}

// read returns the value of a subject, which may hold a *, or nil when there is none.
func (v *Vault) read(ctx context.Context, subject string) ([]byte, error) {
	found, err := v.keep.get(ctx, subject)
	if err != nil {
		return nil, unavailable("read", err)
	}
	b, n := found.value, v.master.NonceSize()
	if b == nil {
		return nil, nil
	}
	if len(b) < n {
		return nil, fmt.Errorf("vault: %s is malformed", found.subject)
	}
	plain, err := v.master.Open(nil, b[:n], b[n:], []byte(found.subject))
	if err != nil {
		return nil, fmt.Errorf("vault: %s: %w", found.subject, ErrMasterKey)
	}
	return plain, nil
}

func unavailable(what string, err error) error {
	return fmt.Errorf("vault: %s: %w: %w", what, command.ErrUnavailable, err)
}
