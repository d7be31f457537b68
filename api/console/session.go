package console

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/turno-desk/turno/api/command"
)

// session is what the browser keeps for us, sealed: it can neither be read nor changed there. Any engine of the workspace
// opens it, also after a restart. Without a token it is a visitor's, who has not signed in.
//
// It holds the token and no rights: whose token it is, and whether it still is one, is asked anew with every request, so a
// revoked token ends its sessions at once.
type session struct {
	ID    string    `json:"id"` // random; the CSRF token comes of it
	Token string    `json:"token,omitempty"`
	Begun time.Time `json:"begun"`
}

// sessionFor is how long a session lasts: a shift and some more.
const sessionFor = 16 * time.Hour

const (
	sessionCookie  = "turno_session"
	languageCookie = "turno_language"
)

// sealer seals sessions with AES-256-GCM under a key that comes of the vault's hash key, so that every process of the
// workspace has the same one and none keeps it.
type sealer struct {
	aead cipher.AEAD
	mac  [32]byte // key of the CSRF tokens
	name []byte   // what is sealed, so that nothing else that is sealed alike passes for it
}

func newSealer(h command.Hasher, workspace string) (sealer, error) {
	key := func(use string) [32]byte { // two hashes have more bits than the key
		return sha256.Sum256([]byte(h.Hash(workspace, "console", use, "1") + h.Hash(workspace, "console", use, "2")))
	}
	k := key("session")
	block, err := aes.NewCipher(k[:])
	if err != nil {
		return sealer{}, err
	}
	s := sealer{mac: key("csrf"), name: []byte("turno.console.session.1/" + workspace)}
	s.aead, err = cipher.NewGCM(block)
	return s, err
}

func (s sealer) close(v session) (string, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, s.aead.NonceSize(), s.aead.NonceSize()+len(plain)+s.aead.Overhead())
	_, _ = rand.Read(nonce) // never fails
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nonce, nonce, plain, s.name)), nil
}

// open is false for what was not sealed here, or too long ago.
func (s sealer) open(text string, now time.Time) (session, bool) {
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(data) < s.aead.NonceSize() {
		return session{}, false
	}
	n := s.aead.NonceSize()
	plain, err := s.aead.Open(nil, data[:n], data[n:], s.name)
	if err != nil {
		return session{}, false
	}
	var v session
	if json.Unmarshal(plain, &v) != nil || v.ID == "" || now.Sub(v.Begun) > sessionFor {
		return session{}, false
	}
	return v, true
}

// csrf is the token that every form of the session carries.
func (s sealer) csrf(v session) string {
	m := hmac.New(sha256.New, s.mac[:])
	m.Write([]byte(v.ID))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

func (s sealer) genuine(v session, token string) bool {
	return v.ID != "" && hmac.Equal([]byte(s.csrf(v)), []byte(token))
}

// begin gives the browser a new session. A session never outlives a sign-in or a sign-out: its id changes.
func (c *Console) begin(x echo.Context, token string) (session, error) {
	v := session{ID: rand.Text(), Token: token, Begun: c.now().UTC()}
	sealed, err := c.seal.close(v)
	if err != nil {
		return v, err
	}
	x.SetCookie(&http.Cookie{Name: sessionCookie, Value: sealed, Path: root, HttpOnly: true, Secure: encrypted(x.Request()), SameSite: http.SameSiteStrictMode})
	return v, nil
}

// encrypted reports whether the browser came over TLS, to us or to a proxy before us.
func encrypted(r *http.Request) bool {
	return r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"
}

// carried is the session that the request carries; false when there is none.
func (c *Console) carried(r *http.Request) (session, bool) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return session{}, false
	}
	return c.seal.open(cookie.Value, c.now())
}
