package jetstream

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/nats-io/nats-server/v2/server"
)

// ErrKey says that the log can't be opened with the encryption key that was given, or without one.
var ErrKey = errors.New("the log's encryption key")

// checkFile tells which key a store is encrypted with. A server that starts with a wrong key, or with none, does not see the
// streams, and deletes their files when they are made anew: so the key is looked at before it starts.
const checkFile = "encryption.json"

type keyCheck struct {
	Cipher string `json:"cipher"`
	Check  string `json:"check"` // HMAC-SHA-256 of a fixed text: it tells the key from others, and nothing of it
}

const cipherName = "chacha20-poly1305"

func checkOf(key []byte) keyCheck {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("turno: the key of a log"))
	return keyCheck{Cipher: cipherName, Check: hex.EncodeToString(h.Sum(nil))}
}

// encryption is what is known of a store before its server starts.
type encryption struct {
	streams   int // that it holds
	encrypted int // of them
	check     keyCheck
	checked   bool
}

func lookAtEncryption(store string) (e encryption, err error) {
	metas, err := filepath.Glob(filepath.Join(store, "jetstream", "*", "streams", "*", server.JetStreamMetaFile))
	if err != nil {
		return e, err
	}
	e.streams = len(metas)
	for _, meta := range metas {
		if _, err := os.Stat(filepath.Join(filepath.Dir(meta), server.JetStreamMetaFileKey)); err == nil {
			e.encrypted++
		} else if !errors.Is(err, fs.ErrNotExist) {
			return e, err
		}
	}
	b, err := os.ReadFile(filepath.Join(store, checkFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return e, nil
	case err != nil:
		return e, err
	}
	if err := json.Unmarshal(b, &e.check); err != nil {
		return e, fmt.Errorf("%s is damaged (%w): remove it, and the next start with the right key makes it anew", filepath.Join(store, checkFile), err)
	}
	e.checked = true
	return e, nil
}

// unlock refuses a key that does not open the store, and sets what the server needs. renew says that the key is not yet the
// one that the check file tells.
func (e encryption) unlock(o *server.Options, key, old []byte) (renew bool, err error) {
	sealed := e.encrypted > 0 || e.checked
	switch {
	case len(key) == 0 && !sealed:
		return false, nil
	case len(key) == 0:
		return false, fmt.Errorf("%w is missing: the log is encrypted; give --encryption-key-file", ErrKey)
	case e.streams > 0 && e.encrypted < e.streams:
		return false, fmt.Errorf("%w was given, and the log is not encrypted: make a backup, and restore it with the key (turno backup, turno restore --replace)", ErrKey)
	}
	o.JetStreamKey, o.JetStreamCipher = base64.StdEncoding.EncodeToString(key), server.ChaCha
	if len(old) > 0 {
		o.JetStreamOldKey = base64.StdEncoding.EncodeToString(old)
	}
	switch {
	case !e.checked, e.check == checkOf(key):
		return !e.checked, nil
	case len(old) == 0:
		return false, fmt.Errorf("%w is another one than the log was encrypted with; after a change of keys give the old one by --encryption-old-key-file", ErrKey)
	case e.check != checkOf(old):
		return false, fmt.Errorf("%w: neither the new nor the old one is the one that the log was encrypted with", ErrKey)
	}
	return true, nil
}

// write keeps the check of a key, in one step.
func (k keyCheck) write(store string) error {
	b, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(store, checkFile), append(b, '\n'))
}

// reported refuses to go on with a server that does not report what lies in its store: what is made anew there deletes the
// files of what it could not read.
func (s *Server) reported(store string) error {
	metas, err := filepath.Glob(filepath.Join(store, "jetstream", "*", "streams", "*", server.JetStreamMetaFile))
	if err != nil || len(metas) == 0 {
		return err
	}
	info, err := s.nats.Jsz(&server.JSzOptions{Accounts: true, Streams: true})
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, account := range info.AccountDetails {
		for _, stream := range account.Streams {
			known[filepath.Join(account.Id, stream.Name)] = true
		}
	}
	for _, meta := range metas {
		dir := filepath.Dir(meta)
		if account := filepath.Base(filepath.Dir(filepath.Dir(dir))); !known[filepath.Join(account, filepath.Base(dir))] {
			return fmt.Errorf("the server can't read %s; with a wrong encryption key it can't: nothing is made over it", dir)
		}
	}
	return nil
}
