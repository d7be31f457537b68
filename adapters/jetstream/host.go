package jetstream

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
)

// Sync says when what the embedded server acknowledged is on disk. A killed process loses nothing in any mode; a power cut
// loses up to a second with Sync1s, up to two minutes with SyncOff.
type Sync string

// The modes of synchronisation.
const (
	SyncAlways Sync = "always" // before the acknowledgement; the zero value means this too
	Sync1s     Sync = "1s"     // within a second
	SyncOff    Sync = "off"    // the server's own flush, every two minutes
)

// ErrNoLog says that the folder holds no log.
var ErrNoLog = errors.New("there is no log in the folder")

// readyWithin is how long a start may take: it covers the recovery of the stream, 1.5 s for a million messages.
const readyWithin = 60 * time.Second

// HostConfig tells Host what to serve.
type HostConfig struct {
	Dir      string      // the data folder; the log is in Dir/log
	Listen   string      // host:port for other processes; empty: a free port of the loopback, the last one if it is still free
	Sync     Sync        // empty: SyncAlways
	ReadOnly bool        // for subcommands that run offline: never creates anything, and every Store on it refuses appends
	Logger   *zap.Logger // nil: silent

	// Key encrypts what the server writes; the same is needed ever after. OldKey is the one before it, at the first start after
	// a change. Both are 32 bytes, from vault.ReadKeyFile; nil: nothing is encrypted.
	Key, OldKey []byte
}

// Server is an embedded log server. It holds the folder's lock until Close.
type Server struct {
	dir      string
	store    string // the folder of its files
	sync     Sync
	readOnly bool
	private  bool // nobody joins it: it tells no way in
	log      *zap.Logger
	lock     *os.File // nil: somebody else's
	nats     *server.Server
	access   access
}

// Host locks the folder and serves the log in it until Close. It waits until the log is recovered, or ctx ends. The errors
// are ErrInUse, which names the process that holds the folder, ErrNoLog when ReadOnly finds nothing to read, ErrKey,
// ErrUnfinished where a restore broke off and, unless ReadOnly, ErrMoved. Unless ReadOnly, Dir/nats.json (mode 0600) tells other processes of the same user how to join; its credentials are kept from
// start to start.
func Host(ctx context.Context, c HostConfig) (*Server, error) {
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	if c.Sync == "" {
		c.Sync = SyncAlways
	}
	store := filepath.Join(c.Dir, logDir)
	if err := mayServe(c.Dir, c.ReadOnly); err != nil {
		return nil, err
	}
	if c.ReadOnly {
		if _, err := os.Stat(store); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w %s", ErrNoLog, c.Dir)
		}
	} else if err := os.MkdirAll(store, 0o700); err != nil {
		return nil, fmt.Errorf("host the log: %w", err)
	}
	held, err := lock(c.Dir)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: c.Dir, store: store, sync: c.Sync, readOnly: c.ReadOnly, private: c.ReadOnly, log: c.Logger, lock: held}
	if err := s.start(ctx, c); err != nil {
		return nil, errors.Join(fmt.Errorf("host the log in %s: %w", c.Dir, err), s.Close())
	}
	return s, nil
}

func (s *Server) start(ctx context.Context, c HostConfig) error {
	var known access
	if !s.private {
		var err error
		if known, err = readAccess(s.dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	s.access = known.orNew()
	host, port, err := s.listen(c.Listen, known)
	if err != nil {
		return err
	}
	o, err := options(s.sync, s.store, s.access)
	if err != nil {
		return err
	}
	sealed, err := lookAtEncryption(s.store)
	if err != nil {
		return err
	}
	renew, err := sealed.unlock(o, c.Key, c.OldKey)
	if err != nil {
		return err
	}
	if renew && sealed.streams == 0 { // from now on nobody starts on it without the key
		if err := checkOf(c.Key).write(s.store); err != nil {
			return err
		}
	}
	o.Host, o.Port = host, port
	said := newServerLog(s.log)
	if s.nats, err = server.NewServer(o); err != nil {
		return err
	}
	s.nats.SetLoggerV2(said, false, false, false)
	s.nats.Start()

	for deadline := time.Now().Add(readyWithin); !s.nats.ReadyForConnections(50 * time.Millisecond); {
		select {
		case <-said.fatal:
			return said.why
		case <-ctx.Done():
			return ctx.Err()
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not ready after %s", readyWithin)
		}
	}
	s.access.URL = s.nats.ClientURL()
	if err := s.reported(s.store); err != nil {
		return err
	}
	if renew {
		if err := checkOf(c.Key).write(s.store); err != nil {
			return err
		}
	}
	if s.private {
		return nil
	}
	return s.access.write(s.dir)
}

// listen decides where to listen: as told, else on the port of the last start, so that the processes that had joined find
// the server again, else on a free one.
func (s *Server) listen(told string, last access) (host string, port int, err error) {
	if told != "" {
		h, p, err := net.SplitHostPort(told)
		if err != nil {
			return "", 0, fmt.Errorf("listen on %q: %w", told, err)
		}
		if port, err = strconv.Atoi(p); err != nil || port < 0 || port > 65535 {
			return "", 0, fmt.Errorf("listen on %q: not a port", told)
		}
		if port == 0 {
			port = server.RANDOM_PORT
		}
		return h, port, nil
	}
	const loopback = "127.0.0.1"
	if h, p, err := net.SplitHostPort(last.hostPort()); err == nil && h == loopback && !s.private {
		if l, err := net.Listen("tcp", net.JoinHostPort(h, p)); err == nil {
			port, err := strconv.Atoi(p)
			if l.Close() == nil && err == nil {
				return loopback, port, nil
			}
		}
	}
	return loopback, server.RANDOM_PORT, nil
}

// options are the server's: one user, who may do everything but harm the log.
func options(sync Sync, store string, a access) (*server.Options, error) {
	o := &server.Options{
		ServerName:             "turno",
		JetStream:              true,
		StoreDir:               store,
		JetStreamMaxStore:      1 << 50, // never what stops an append: by default it is a part of what is free at the start
		JetStreamMaxMemory:     256 << 20,
		DisableJetStreamBanner: true,
		NoSigs:                 true,
		MaxPayload:             1 << 20,
		WriteDeadline:          10 * time.Second,
		Users: []*server.User{{
			Username: a.User,
			Password: a.Password,
			Permissions: &server.Permissions{Publish: &server.SubjectPermission{Deny: []string{
				"$JS.API.STREAM.DELETE." + StreamName,
				"$JS.API.STREAM.UPDATE." + StreamName,
				"$JS.API.STREAM.PURGE." + StreamName,
				"$JS.API.STREAM.MSG.DELETE." + StreamName,
				"$JS.API.STREAM.RESTORE." + StreamName,
			}}},
		}},
	}
	switch sync {
	case SyncAlways:
		o.SyncAlways = true
	case Sync1s:
		o.SyncInterval = time.Second
	case SyncOff:
	default:
		return nil, fmt.Errorf("sync %q: want always, 1s or off", sync)
	}
	return o, nil
}

// Connect gives a connection within the process, which is the fastest for single requests. Close it before the server.
func (s *Server) Connect(opts ...nats.Option) (*nats.Conn, error) {
	return connect(s.access.URL, append([]nats.Option{
		nats.InProcessServer(s.nats), nats.UserInfo(s.access.User, s.access.Password),
	}, opts...)...)
}

// dial gives a connection over the loopback, which is the fastest for reading in bulk.
func (s *Server) dial(opts ...nats.Option) (*nats.Conn, error) {
	return connect(s.access.URL, append([]nats.Option{nats.UserInfo(s.access.User, s.access.Password)}, opts...)...)
}

// URL is where other processes of this machine reach the server. It holds no credentials.
func (s *Server) URL() string { return s.access.URL }

// Healthy returns what keeps the server from writing, or nil. After a failed write the stream takes nothing more until the
// server is started again.
func (s *Server) Healthy() error {
	if h := s.nats.Healthz(nil); h.Error != "" {
		return errors.New(h.Error)
	}
	return nil
}

// Close stops the server when what it has accepted is written, and releases the folder.
func (s *Server) Close() error {
	if s.nats != nil {
		s.nats.Shutdown()
		s.nats.WaitForShutdown()
		s.nats = nil
	}
	if s.lock == nil {
		return nil
	}
	err := s.lock.Close()
	s.lock = nil
	return err
}
