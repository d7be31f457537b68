package jetstream

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/turno-desk/turno/api/command"
)

// accessFile is where the host tells other processes how to reach the log.
const accessFile = "nats.json"

// access is the content of that file.
type access struct {
	URL      string `json:"url"`
	User     string `json:"user"`
	Password string `json:"password"`
}

// orNew returns a with credentials: its own, or new ones where it has none.
func (a access) orNew() access {
	if a.User == "" || a.Password == "" {
		a.User, a.Password = "turno", rand.Text()
	}
	return a
}

func (a access) hostPort() string {
	u, err := url.Parse(a.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

func readAccess(dir string) (access, error) {
	path := filepath.Join(dir, accessFile)
	b, err := os.ReadFile(path)
	if err != nil {
		return access{}, err
	}
	var a access
	if err := json.Unmarshal(b, &a); err != nil {
		return access{}, fmt.Errorf("%s is damaged (%w): stop what runs on the folder and remove that file, the next start of the log writes it anew", path, err)
	}
	return a, nil
}

// write replaces the file in one step, so that nobody reads half of it.
func (a access) write(dir string) error {
	b, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(dir, accessFile), append(b, '\n'))
}

// replaceFile writes a file of mode 0600 in one step.
func replaceFile(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails when all went well
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// ErrNotServed says that no process serves the folder.
var ErrNotServed = errors.New("nobody serves the folder")

// Join connects to the server that another process runs on the folder. The error is ErrNotServed when there is none. The
// connection finds the server again after a restart, on whatever port.
func Join(dir string, opts ...nats.Option) (*nats.Conn, error) {
	a, err := readAccess(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w %s", ErrNotServed, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("join %s: %w", dir, err)
	}
	nc, err := connect(a.URL, append([]nats.Option{
		nats.SetCustomDialer(finder{dir, net.Dialer{Timeout: dialWithin}}),
		nats.UserInfoHandler(func() (string, string) {
			a, err := readAccess(dir)
			if err != nil {
				return "", "" // refused by the server, and tried again
			}
			return a.User, a.Password
		}),
	}, opts...)...)
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrNotServed, dir, err)
	}
	return nc, nil
}

// finder dials the address that the file tells now.
type finder struct {
	dir    string
	dialer net.Dialer
}

// Dial connects to the folder's server; the address it is given is that of the first time.
func (f finder) Dial(network, address string) (net.Conn, error) {
	if a, err := readAccess(f.dir); err == nil && a.hostPort() != "" {
		address = a.hostPort()
	}
	return f.dialer.Dial(network, address)
}

// Dial connects to an external server or cluster. url may name several, with commas between them; creds is the path of a
// credentials file, or empty; TLS.Options are options. The error is command.ErrUnavailable when nobody answers, as while the
// servers are starting; what a server refuses, and what is wrong with a certificate, waiting does not mend.
func Dial(url, creds string, opts ...nats.Option) (*nats.Conn, error) {
	if creds != "" {
		opts = append([]nats.Option{nats.UserCredentials(creds)}, opts...)
	}
	nc, err := connect(url, opts...)
	switch {
	case err == nil:
		return nc, nil
	case unanswered(err):
		return nil, fmt.Errorf("connect to the log's server: %w: %w", command.ErrUnavailable, err)
	}
	return nil, fmt.Errorf("connect to the log's server: %w", err)
}

// unanswered says whether nobody is where a server should be, or its name is not known there. A server that wants another
// certificate just hangs up after the handshake, mostly: that is an answer.
func unanswered(err error) bool {
	var dialling *net.OpError
	return !errors.Is(err, nats.ErrTLS) && (errors.Is(err, nats.ErrNoServers) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, io.EOF) ||
		errors.As(err, &dialling) && dialling.Op == "dial")
}

const dialWithin = 5 * time.Second

// connect dials with what the Store relies on: it reconnects for ever, and sends nothing later than it was told to. A
// message that waits in a buffer for a reconnection would be stored after its command was answered.
func connect(url string, opts ...nats.Option) (*nats.Conn, error) {
	return nats.Connect(url, append([]nats.Option{
		nats.Name("turno"),
		nats.Timeout(dialWithin),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(100 * time.Millisecond),
		nats.ReconnectJitter(50*time.Millisecond, 50*time.Millisecond),
		nats.ReconnectBufSize(-1),
		nats.PingInterval(20 * time.Second),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}), // the default writes to stderr; calls return their errors
	}, opts...)...)
}
