package jetstream_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/adapters/jetstream/natstest"
	"github.com/turno-desk/turno/adapters/storetest"
	"github.com/turno-desk/turno/api/command"
)

// secured starts a server that speaks TLS alone; verify has it ask for a client certificate of the authority.
func secured(t *testing.T, a *natstest.Authority, verify bool) (url string) {
	t.Helper()
	cert, key := a.Issue(t, "server")
	o := &server.Options{NoLog: true, NoSigs: true}
	if err := o.ProcessConfigString(fmt.Sprintf(`
		listen: "127.0.0.1:-1"
		jetstream { store_dir: %q }
		tls { cert_file: %q, key_file: %q, ca_file: %q, verify: %t }`, t.TempDir(), cert, key, a.CA, verify)); err != nil {
		t.Fatal(err)
	}
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return "tls://" + s.Addr().String()
}

// hungUp is what a client hears of a server that does not like its certificate, unless the server's reason comes faster.
const hungUp = "closed by remote after TLS handshake"

func TestALogBehindTLSIsOpenedByWhoKnowsItsAuthority(t *testing.T) {
	t.Parallel()
	ours := natstest.NewAuthority(t)
	cert, key := ours.Issue(t, "turno")
	theirs := natstest.NewAuthority(t)
	strangers, strangersKey := theirs.Issue(t, "stranger")
	for _, test := range []struct {
		name   string
		verify bool
		tls    jetstream.TLS
		fails  string // empty: it does not
	}{
		{"with its authority", false, jetstream.TLS{CA: ours.CA}, ""},
		{"with a certificate that nobody asked for", false, jetstream.TLS{CA: ours.CA, Cert: cert, Key: key}, ""},
		{"without its authority", false, jetstream.TLS{}, "unknown authority"},
		{"with another authority", false, jetstream.TLS{CA: theirs.CA}, "unknown authority"},
		{"with the certificate that it asks for", true, jetstream.TLS{CA: ours.CA, Cert: cert, Key: key}, ""},
		{"without the certificate that it asks for", true, jetstream.TLS{CA: ours.CA}, hungUp},
		{"with a stranger's certificate", true, jetstream.TLS{CA: ours.CA, Cert: strangers, Key: strangersKey}, hungUp},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			url := secured(t, ours, test.verify)
			opts, err := test.tls.Options()
			if err != nil {
				t.Fatal(err)
			}
			nc, err := jetstream.Dial(url, "", opts...)
			if test.fails != "" {
				if err == nil || !strings.Contains(err.Error(), test.fails) && (test.fails != hungUp || !strings.Contains(err.Error(), "tls: ")) {
					t.Errorf("dialled: %v; want it refused: %s", err, test.fails)
				}
				if errors.Is(err, command.ErrUnavailable) {
					t.Errorf("%v is told as if it passed by itself", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			s := open(t, nc, jetstream.Options{})
			if _, _, err := s.Append(t.Context(), storetest.Note(1, "in confidence"), 0); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFilesForTLSThatCanNotBeUsedAreNamed(t *testing.T) {
	t.Parallel()
	a := natstest.NewAuthority(t)
	cert, key := a.Issue(t, "turno")
	_, otherKey := a.Issue(t, "other")
	none := filepath.Join(t.TempDir(), "none.pem")
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		tls  jetstream.TLS
		says []string
	}{
		{jetstream.TLS{CA: none}, []string{none, "no such file"}},
		{jetstream.TLS{CA: empty}, []string{empty, "failed to parse"}},
		{jetstream.TLS{Cert: cert}, []string{cert, "no key"}},
		{jetstream.TLS{Key: key}, []string{key, "no certificate"}},
		{jetstream.TLS{Cert: none, Key: key}, []string{none, "no such file"}},
		{jetstream.TLS{Cert: cert, Key: none}, []string{none, "no such file"}},
		{jetstream.TLS{Cert: cert, Key: empty}, []string{empty, "failed to find any PEM data"}},
		{jetstream.TLS{Cert: cert, Key: otherKey}, []string{cert, otherKey, "does not match"}},
	} {
		_, err := test.tls.Options()
		for _, says := range test.says {
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%+v: %v; want %q in it", test.tls, err, says)
			}
		}
	}
}

func TestNobodyWhereTheServerShouldBeIsUnavailable(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"nats://127.0.0.1:1", "nats://127.0.0.1:1,nats://127.0.0.1:2", "nats://no-such-name.invalid:4222"} {
		if _, err := jetstream.Dial(url, ""); !errors.Is(err, command.ErrUnavailable) {
			t.Errorf("%s: %v, want unavailable", url, err)
		}
	}
}
