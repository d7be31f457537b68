package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/turno-desk/turno/adapters/jetstream/natstest"
)

// secured starts a nats-server that takes nobody without a certificate of the authority, and returns its URL.
func secured(t *testing.T, a *natstest.Authority) string {
	t.Helper()
	cert, key := a.Issue(t, "server")
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(natstest.FreePort(t)))
	config := filepath.Join(t.TempDir(), "tls.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, `
		listen: %q
		jetstream { store_dir: %q }
		tls { cert_file: %q, key_file: %q, ca_file: %q, verify: true }`, address, t.TempDir(), cert, key, a.CA), 0o600); err != nil {
		t.Fatal(err)
	}
	mine, myKey := a.Issue(t, "probe")
	return natstest.Start(t, config, address, nats.RootCAs(a.CA), nats.ClientCert(mine, myKey)).URL()
}

func TestServeOnAServerThatAsksForACertificate(t *testing.T) {
	a := natstest.NewAuthority(t)
	cert, key := a.Issue(t, "turno")
	url := secured(t, a)
	t.Run("by flags", func(t *testing.T) {
		s := serveOn(t, t.TempDir(), "--nats", url, "--nats-ca", a.CA, "--nats-cert", cert, "--nats-key", key)
		s.furnish()
		s.receive("m-1", "+1 555 0100", "Hello")
	})
	t.Run("by the environment", func(t *testing.T) {
		var out, logged output
		err := run(t.Context(), []string{"replay", "--nats", url, "--data", t.TempDir()}, env(map[string]string{
			"TURNO_NATS_CA": a.CA, "TURNO_NATS_CERT": cert, "TURNO_NATS_KEY": key,
		}), &out, &logged)
		// It came as far as the vault, which the master key of another folder does not open.
		if err == nil || !strings.Contains(err.Error(), "master key") {
			t.Errorf("%v\n%s", err, &logged)
		}
	})
	t.Run("without one", func(t *testing.T) {
		_, _, err := turno(t, "serve", "--nats", url, "--nats-ca", a.CA, "--data", t.TempDir())
		if err == nil || !strings.Contains(err.Error(), "tls") {
			t.Errorf("%v", err)
		}
	})
	t.Run("with a key to another", func(t *testing.T) {
		_, other := a.Issue(t, "other")
		_, _, err := turno(t, "serve", "--nats", url, "--nats-ca", a.CA, "--nats-cert", cert, "--nats-key", other, "--data", t.TempDir())
		if err == nil || !strings.Contains(err.Error(), "--nats-key") || !strings.Contains(err.Error(), "does not match") {
			t.Errorf("%v", err)
		}
	})
}
