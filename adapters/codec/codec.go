// Package codec writes a commit as a batch of CloudEvents, with everything personal sealed, and reads it back: every
// version of every event that was ever written.
//
// A personal value is a compact JWE (alg dir, enc A256GCM) whose kid names a key of the vault. Who holds the log without
// the key holds types, times, ids and durations, and no word that a person typed.
package codec

import (
	"context"
	"errors"
	"sync"
)

//go:generate go run ./internal/eventsdoc ../..

// Keyring finds the keys that personal values are sealed with.
type Keyring interface {
	// Key returns the 32 bytes of a key, which the caller must not change. The error is ErrNoKey when the key was destroyed
	// or never existed; any other error says that the key could not be read just now.
	Key(ctx context.Context, id string) ([]byte, error)
}

// ErrNoKey says that a key was destroyed, or never existed. A caller sees it wrapped.
var ErrNoKey = errors.New("there is no such key")

// Codec turns commits into bytes and back. It is safe for concurrent use and holds no key between two calls: what the
// keyring has destroyed can't be opened any more.
type Codec struct {
	keys   Keyring
	kinds  registry
	nonce  func([]byte) // fills a nonce; random, save in tests of the exact bytes
	states sync.Map     // reflect.Type of a state → *plan or error
}

// New returns a codec for all events of Turno, which seals and opens with keys.
func New(keys Keyring) *Codec { return newCodec(keys, newRegistry(kinds())) }

func newCodec(keys Keyring, kinds registry) *Codec {
	return &Codec{keys: keys, kinds: kinds, nonce: randomNonce}
}
