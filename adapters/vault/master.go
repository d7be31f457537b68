package vault

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const masterBytes = 32

// LoadMasterKey reads the master key from a file: 32 bytes in base64, readable by its owner alone. It makes the file, with
// mode 0600 and a random key, when it is missing, and refuses one that the group or others may read.
func LoadMasterKey(path string) ([]byte, error) {
	key, err := ReadKeyFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = MakeKeyFile(path); err == nil || errors.Is(err, fs.ErrExist) { // another process may have been faster
			key, err = ReadKeyFile(path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("load the master key: %w", err)
	}
	return key, nil
}

// ReadKeyFile reads 32 bytes from a file that holds them in base64 and that its owner alone may read. It makes none.
func ReadKeyFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file", path)
	}
	if p := info.Mode().Perm(); p&0o077 != 0 {
		return nil, fmt.Errorf("%s has mode %04o: others than its owner may read it; chmod 600, and think about who has read it", path, p)
	}
	text := make([]byte, 256)
	n, err := f.Read(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text[:n])))
	if err != nil || len(key) != masterBytes {
		return nil, fmt.Errorf("%s does not hold %d bytes in base64", path, masterBytes)
	}
	return key, nil
}

// MakeKeyFile writes such a file with a random key, so that it is whole or not there. One that is there is left alone:
// fs.ErrExist.
func MakeKeyFile(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".master-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	key := make([]byte, masterBytes)
	_, _ = rand.Read(key) // never fails
	if _, err := f.WriteString(base64.StdEncoding.EncodeToString(key) + "\n"); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
