package vault

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestTheMasterKeyIsMadeOnceForAllThatComeTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "master.key")
	keys := make([][]byte, 8)
	var all sync.WaitGroup
	for i := range keys {
		all.Go(func() {
			var err error
			if keys[i], err = LoadMasterKey(path); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, k := range keys {
		if len(k) != 32 || !bytes.Equal(k, keys[0]) {
			t.Fatalf("got %d bytes, and not the same for all", len(k))
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %04o, want 0600", info.Mode().Perm())
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files are left beside it, %v", len(entries)-1, err)
	}
}

func TestAMasterKeyThatOthersMayReadOrThatIsNoneIsRefused(t *testing.T) {
	good := strings.Repeat("A", 43) + "="
	for name, f := range map[string]struct {
		text string
		mode os.FileMode
		says string
	}{
		"group may read":  {good, 0o640, "mode 0640"},
		"others may read": {good, 0o604, "mode 0604"},
		"empty":           {"", 0o600, ""},
		"too short":       {"AAAA", 0o600, "32 bytes"},
		"too long":        {good + good, 0o600, "32 bytes"},
		"no base64":       {strings.Repeat("!", 44), 0o600, "32 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "master.key")
			if err := os.WriteFile(path, []byte(f.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, f.mode); err != nil {
				t.Fatal(err)
			}
			if _, err := LoadMasterKey(path); err == nil || !strings.Contains(err.Error(), f.says) {
				t.Errorf("got %v, want an error that says %q", err, f.says)
			}
			if after, _ := os.ReadFile(path); string(after) != f.text {
				t.Error("the file was changed")
			}
		})
	}
	if _, err := LoadMasterKey(t.TempDir()); err == nil {
		t.Error("a folder passed for a master key")
	}
}
