package vault

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// PutSecret keeps a value under a name of 1 to 128 printable ASCII characters save '*' and '>', without empty parts between
// its dots. What was there before is overwritten on disk.
func (v *Vault) PutSecret(ctx context.Context, name string, value []byte) error {
	subject, err := v.secretSubject(name)
	if err != nil {
		return err
	}
	if err := v.keep.replace(ctx, v.seal(subject, value)); err != nil {
		return unavailable("put a secret", err)
	}
	return nil
}

// Secret returns the value of that name, nil when there is none.
func (v *Vault) Secret(ctx context.Context, name string) ([]byte, error) {
	subject, err := v.secretSubject(name)
	if err != nil {
		return nil, err
	}
	value, err := v.read(ctx, subject)
	if err == nil && value == nil {
		return nil, nil
	}
	return value, err
}

// DeleteSecret overwrites the value of that name on disk. No value is no error.
func (v *Vault) DeleteSecret(ctx context.Context, name string) error {
	subject, err := v.secretSubject(name)
	if err != nil {
		return err
	}
	if err := v.keep.erase(ctx, subject); err != nil {
		return unavailable("delete a secret", err)
	}
	return nil
}

func (v *Vault) secretSubject(name string) (string, error) {
	ok := len(name) >= 1 && len(name) <= 128 && !strings.Contains(name, "..") && name[0] != '.' && name[len(name)-1] != '.'
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c > '~' || c == '*' || c == '>' {
			ok = false
		}
	}
	if !ok {
		return "", fmt.Errorf("vault: malformed name of a secret %q", name)
	}
	return v.prefix + "secret." + name, nil
}

// loadHashKey reads the key of the hashes, and makes it in a vault that has none. It is the first value of every vault, and so
// the check of the master key.
func (v *Vault) loadHashKey(ctx context.Context) error {
	subject := v.prefix + "hash"
	key, err := v.read(ctx, subject)
	if key != nil || err != nil {
		v.hashKey = key
		return err
	}
	// Import brings the hash key last: where there are values without one, it has not come to its end.
	if found, err := v.keep.get(ctx, v.prefix+">"); err != nil {
		return unavailable("look for values", err)
	} else if found.value != nil {
		if v.hashKey, err = v.read(ctx, subject); err == nil && v.hashKey == nil { // unless another process was faster
			err = ErrUnfinished
		}
		return err
	}
	key = make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	switch err := v.keep.add(ctx, []sealed{v.seal(subject, key)}); {
	case err == nil:
		v.hashKey, v.fresh = key, true
		return nil
	case !errors.Is(err, errExists):
		return unavailable("make the key of the hashes", err)
	}
	// Another process was faster.
	if v.hashKey, err = v.read(ctx, subject); err == nil && v.hashKey == nil {
		err = errors.New("vault: the key of the hashes came and went")
	}
	return err
}

var hashText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Hash returns 26 characters of [a-z2-7], 130 bits of the HMAC-SHA-256 of the parts, each behind its length, with a key that
// belongs to the workspace.
func (v *Vault) Hash(parts ...string) string {
	h := hmac.New(sha256.New, v.hashKey)
	var b []byte
	for _, p := range parts {
		b = binary.BigEndian.AppendUint64(b[:0], uint64(len(p)))
		h.Write(append(b, p...)) // a hash's Write never fails
	}
	return hashText.EncodeToString(h.Sum(nil))[:26]
}
