package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/turno-desk/turno/adapters/jetstream/natstest"
)

// issuer makes the credentials of one account, as nsc does.
type issuer struct {
	t       *testing.T
	account nkeys.KeyPair
}

// user writes a credentials file of a new user, who may not do what would harm the log.
func (i issuer) user() string {
	i.t.Helper()
	keys, seed := i.keys(nkeys.CreateUser)
	claims := jwt.NewUserClaims(i.public(keys))
	for _, harm := range []string{"DELETE", "UPDATE", "PURGE", "MSG.DELETE", "RESTORE"} {
		claims.Pub.Deny.Add("$JS.API.STREAM." + harm + ".TURNO")
	}
	token, err := claims.Encode(i.account)
	if err != nil {
		i.t.Fatal(err)
	}
	content, err := jwt.FormatUserConfig(token, seed)
	if err != nil {
		i.t.Fatal(err)
	}
	file := filepath.Join(i.t.TempDir(), "user.creds")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		i.t.Fatal(err)
	}
	return file
}

func (i issuer) keys(create func() (nkeys.KeyPair, error)) (nkeys.KeyPair, []byte) {
	i.t.Helper()
	keys, err := create()
	if err != nil {
		i.t.Fatal(err)
	}
	seed, err := keys.Seed()
	if err != nil {
		i.t.Fatal(err)
	}
	return keys, seed
}

func (i issuer) public(keys nkeys.KeyPair) string {
	i.t.Helper()
	public, err := keys.PublicKey()
	if err != nil {
		i.t.Fatal(err)
	}
	return public
}

// accounted starts a nats-server that takes nobody but an account's users, and returns its URL and who makes users.
func accounted(t *testing.T) (url string, users issuer) {
	t.Helper()
	users.t = t
	operator, _ := users.keys(nkeys.CreateOperator)
	system, _ := users.keys(nkeys.CreateAccount)
	users.account, _ = users.keys(nkeys.CreateAccount)
	ours := jwt.NewOperatorClaims(users.public(operator))
	account := jwt.NewAccountClaims(users.public(users.account))
	account.Limits.JetStreamLimits = jwt.JetStreamLimits{
		MemoryStorage: jwt.NoLimit, DiskStorage: jwt.NoLimit, Streams: jwt.NoLimit, Consumer: jwt.NoLimit,
	}
	var tokens [3]string
	for n, claims := range []jwt.Claims{ours, account, jwt.NewAccountClaims(users.public(system))} {
		var err error
		if tokens[n], err = claims.Encode(operator); err != nil {
			t.Fatal(err)
		}
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(natstest.FreePort(t)))
	config := filepath.Join(t.TempDir(), "accounts.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, `
		listen: %q
		jetstream { store_dir: %q }
		operator: %s
		resolver: MEMORY
		system_account: %s
		resolver_preload: { %s: %s, %s: %s }`, address, t.TempDir(), tokens[0], users.public(system),
		users.public(users.account), tokens[1], users.public(system), tokens[2]), 0o600); err != nil {
		t.Fatal(err)
	}
	return natstest.Start(t, config, address, nats.UserCredentials(users.user())).URL(), users
}

func TestServeOnAServerThatAsksForCredentials(t *testing.T) {
	url, users := accounted(t)
	dir, mine := t.TempDir(), users.user()
	s := serveOn(t, dir, "--nats", url, "--creds", mine)
	s.furnish()
	id, at := s.receive("m-1", "+1 555 0100", "Hello")
	if got := s.get("/v1/conversations/" + id + "?" + after(at)).text("state"); got != "waiting" {
		t.Errorf("the conversation is %q", got)
	}
	out, errs, err := turno(t, "replay", "--types", "conversation.*", "--format", "text", "--data", dir, "--nats", url, "--creds", users.user())
	if err != nil || !strings.Contains(out, "conversation.message_received") {
		t.Errorf("another user of the account reads %q, %v\n%s", out, err, errs)
	}
	stranger, _ := users.keys(nkeys.CreateAccount)
	for name, args := range map[string][]string{
		"without any":              nil,
		"with those of a stranger": {"--creds", issuer{t, stranger}.user()},
	} {
		if _, _, err := turno(t, append([]string{"serve", "--nats", url, "--data", t.TempDir(), "--http", "127.0.0.1:0"}, args...)...); err == nil ||
			!strings.Contains(strings.ToLower(err.Error()), "authorization") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := turno(t, "replay", "--nats", url, "--creds", filepath.Join(dir, "none.creds"), "--data", dir); err == nil || !strings.Contains(err.Error(), "none.creds") {
		t.Errorf("with a file that is not there: %v", err)
	}
}
