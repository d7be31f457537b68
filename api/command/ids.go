package command

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
)

// idAlphabet is base32 in lower case without padding: every character may stand in an id, a subject and a file name.
var idAlphabet = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// NewThreadID makes the random id of a thread: 't' and 25 characters.
func NewThreadID() string { return "t" + randomID() }

// randomID is 25 random characters: 125 bits.
func randomID() string {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err) // crypto/rand never fails on a supported system
	}
	return idAlphabet.EncodeToString(b[:])[:25]
}

// CommandID is the id of the command that a request makes of a target: the same key, principal, target and action give the
// same id; without a key every call is a command of its own. The commit that the command appends has this id.
func CommandID(req Request, target, action string) string {
	if req.Key == "" {
		return "r" + randomID()
	}
	return "h" + hashID(req.Workspace, req.Principal, target, action, req.Key)
}

// hashID is a hash of the parts, each preceded by its length, as 25 characters.
func hashID(parts ...string) string {
	h := sha256.New()
	var n [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	return idAlphabet.EncodeToString(h.Sum(nil))[:25]
}

// actionOf names a command in its id: "thread.Take".
func actionOf(cmd any) string { return fmt.Sprintf("%T", cmd) }

// cutLast splits s at the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// equal compares what must not be guessed, in a time that does not tell how much of it is right.
func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
