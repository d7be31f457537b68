package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/turno-desk/turno/adapters/codec"
	"github.com/turno-desk/turno/adapters/eventstoredb"
	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/adapters/telemetry"
	"github.com/turno-desk/turno/adapters/vault"
	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

// logFlags say where the log is.
type logFlags struct {
	Data      string `type:"path" default:"./turno-data" placeholder:"DIR" help:"The data folder (${default})."`
	NATS      string `name:"nats" placeholder:"URL" help:"An external NATS server or cluster (several URLs with commas between), instead of the log of the data folder."`
	Creds     string `type:"path" placeholder:"FILE" help:"Credentials file for --nats: a user's JWT and nkey."`
	NATSCA    string `name:"nats-ca" type:"path" placeholder:"FILE" help:"The authorities, in PEM, that may have signed the certificates of --nats; by default the system's."`
	NATSCert  string `name:"nats-cert" type:"path" placeholder:"FILE" help:"The client certificate, in PEM, for a --nats that asks for one."`
	NATSKey   string `name:"nats-key" type:"path" placeholder:"FILE" help:"The private key, in PEM, to --nats-cert."`
	Replicas  int    `default:"1" help:"On how many servers of --nats each commit and each key is kept: 1, 3 or 5. A log that has fewer is refused."`
	Log       string `placeholder:"URL" help:"An EventStoreDB that keeps the log, as esdb://HOST:PORT?tls=false; NATS keeps the vault then and carries announcements."`
	Workspace string `default:"default" help:"The workspace."`

	EncryptionKeyFile string `type:"path" placeholder:"FILE" help:"The key that the files of the embedded log and vault are encrypted with; turno key new FILE makes one. A log is encrypted from its first start on, or never."`

	readOnly bool // nothing may be written: it is opened to be looked at
}

// hostFlags are those of a process that may host the log.
type hostFlags struct {
	NATSListen string `name:"nats-listen" placeholder:"ADDR" help:"Where the embedded log listens for other processes; by default a free port of the loopback, kept from then on."`
	Sync       string `enum:"always,1s,off" default:"always" help:"When an acknowledged command is on disk: always, within 1s, or off (two minutes)."`

	EncryptionOldKeyFile string `type:"path" placeholder:"FILE" help:"The encryption key before this one, for the first start after a change of keys."`
}

// hosting is how to host the log of the folder.
func (f logFlags) hosting(p *program, h hostFlags) (jetstream.HostConfig, error) {
	c := jetstream.HostConfig{Dir: f.Data, Listen: h.NATSListen, Sync: jetstream.Sync(h.Sync), ReadOnly: f.readOnly, Logger: p.log}
	var err error
	if c.Key, err = encryptionKey(f.EncryptionKeyFile); err != nil {
		return c, err
	}
	c.OldKey, err = encryptionKey(h.EncryptionOldKeyFile)
	return c, err
}

// encryptionKey reads a key of the log's files; nil when there is to be none.
func encryptionKey(file string) ([]byte, error) {
	if file == "" {
		return nil, nil
	}
	key, err := vault.ReadKeyFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the encryption key: %w", err)
	}
	return key, nil
}

// reading is an open log with what reads and writes it: what every part of the program stands on.
type reading struct {
	dir       string
	log       string // the EventStoreDB that keeps the log; empty: NATS does
	local     bool   // the log's server, or what else NATS is for, runs on this machine, on dir
	readOnly  bool
	workspace string
	replicas  int
	server    *jetstream.Server // nil unless this process hosts the log
	conn      *nats.Conn
	vault     *vault.Vault
	codec     *codec.Codec
	store     store
}

// store is the log, whatever keeps it.
type store interface {
	command.Log
	command.SettingsLog
	projections.Source
	eventstoredb.Air
	Close() error
}

// openToServe opens the log for a process that lives on: it hosts the log of the folder, or dials the external one.
func openToServe(p *program, f logFlags, h hostFlags) (*reading, error) {
	if f.NATS != "" {
		return openDialled(p, f, true)
	}
	if err := os.MkdirAll(f.Data, 0o700); err != nil {
		return nil, fmt.Errorf("create the data folder: %w", err)
	}
	server, err := f.host(p, h)
	if err != nil {
		return nil, err
	}
	conn, err := hosted(server)
	if err != nil {
		return nil, err
	}
	return openOn(p, f, server, conn)
}

// openToJoin opens the log that another process hosts, and waits for it as long as ctx lives.
func openToJoin(p *program, f logFlags) (*reading, error) {
	if f.NATS != "" {
		return openDialled(p, f, true)
	}
	told := false
	for {
		conn, err := jetstream.Join(f.Data, reconnecting(p.log)...)
		if err == nil {
			r, err := openOn(p, f, nil, conn)
			if err == nil || !passing(err) {
				return r, err
			}
			p.log.Warn("the log does not answer yet", zap.Error(err))
		} else if !errors.Is(err, jetstream.ErrNotServed) {
			return nil, err
		}
		if !told {
			p.log.Info("waiting for the log", zap.String("data", f.Data), zap.Error(err))
			told = true
		}
		select {
		case <-p.ctx.Done():
			return nil, p.ctx.Err()
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// openToRead opens the log for a tool that ends: it joins whoever hosts it or, when nobody does, opens the folder under its
// lock, read-only.
func openToRead(p *program, f logFlags) (*reading, error) {
	f.readOnly = true
	server, conn, err := f.reach(p)
	if err != nil {
		return nil, err
	}
	return openOn(p, f, server, conn)
}

// reach connects a tool that only reads: to --nats, to whoever hosts the folder or, when nobody does, to a server of its own
// on the folder, under its lock. The caller closes the connection, then the server unless that is nil.
func (f logFlags) reach(p *program) (*jetstream.Server, *nats.Conn, error) {
	f.readOnly = true
	if f.NATS != "" {
		conn, err := f.dial()
		return nil, conn, err
	}
	conn, err := jetstream.Join(f.Data)
	if err == nil || !errors.Is(err, jetstream.ErrNotServed) {
		return nil, conn, err
	}
	server, err := f.host(p, hostFlags{})
	if err != nil {
		return nil, nil, err
	}
	conn, err = hosted(server)
	return server, conn, err
}

func (f logFlags) host(p *program, h hostFlags) (*jetstream.Server, error) {
	c, err := f.hosting(p, h)
	if err != nil {
		return nil, err
	}
	return jetstream.Host(p.ctx, c)
}

// openToWrite opens the log for a tool that appends and ends: it joins whoever hosts it or, when nobody does, hosts it.
// hosting tells which.
func openToWrite(p *program, f logFlags, h hostFlags) (r *reading, hosting bool, err error) {
	if f.NATS != "" {
		r, err = openDialled(p, f, false)
		return r, false, err
	}
	conn, err := jetstream.Join(f.Data, reconnecting(p.log)...)
	switch {
	case err == nil:
		r, err = openOn(p, f, nil, conn)
		return r, false, err
	case !errors.Is(err, jetstream.ErrNotServed):
		return nil, false, err
	}
	r, err = openToServe(p, f, h)
	return r, true, err
}

// hosted connects to a server of this process, and closes it when that fails.
func hosted(server *jetstream.Server) (*nats.Conn, error) {
	conn, err := server.Connect()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("connect to the embedded log: %w", err), server.Close())
	}
	return conn, nil
}

// openDialled opens the log of --nats. A process that stays waits for it: the servers may be starting, or choosing a leader.
func openDialled(p *program, f logFlags, stays bool) (*reading, error) {
	if err := os.MkdirAll(f.Data, 0o700); err != nil {
		return nil, fmt.Errorf("create the data folder: %w", err)
	}
	open := func(opts ...nats.Option) (*reading, error) {
		conn, err := f.dial(opts...)
		if err != nil {
			return nil, err
		}
		return openOn(p, f, nil, conn)
	}
	if !stays {
		return open()
	}
	var r *reading
	err := insist(p.ctx, p.log, "opening the log of "+redacted(f.NATS), func() (err error) {
		r, err = open(reconnecting(p.log)...)
		return err
	})
	return r, err
}

// dial connects to --nats.
func (f logFlags) dial(opts ...nats.Option) (*nats.Conn, error) {
	secure, err := jetstream.TLS{CA: f.NATSCA, Cert: f.NATSCert, Key: f.NATSKey}.Options()
	if err != nil {
		return nil, fmt.Errorf("--nats-ca, --nats-cert, --nats-key: %w", err)
	}
	return jetstream.Dial(f.NATS, f.Creds, append(secure, opts...)...)
}

// redacted are the URLs without the passwords in them.
func redacted(urls string) string {
	all := strings.Split(urls, ",")
	for i, raw := range all {
		if raw = strings.TrimSpace(raw); !strings.Contains(raw, "://") {
			raw = "nats://" + raw
		}
		u, err := url.Parse(raw)
		if err != nil {
			u = &url.URL{Path: "(a malformed address)"}
		}
		all[i] = u.Redacted()
	}
	return strings.Join(all, ",")
}

// openOn opens vault and log on a connection. It closes both when it fails.
func openOn(p *program, f logFlags, server *jetstream.Server, conn *nats.Conn) (*reading, error) {
	r := &reading{dir: f.Data, log: f.Log, local: f.NATS == "", readOnly: f.readOnly, workspace: f.Workspace, replicas: f.Replicas, server: server, conn: conn}
	if err := r.open(p.ctx, p.log, p.meters); err != nil {
		r.close()
		return nil, err
	}
	measureLog(p.meters, r)
	return r, nil
}

// masterKeyFile is where the data folder keeps what the vault is sealed with.
const masterKeyFile = "master.key"

func (r *reading) open(ctx context.Context, log *zap.Logger, meters *telemetry.Meters) error {
	js, err := natsjs.New(r.conn)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	if err := r.ready(ctx, js); err != nil {
		return err
	}
	file := filepath.Join(r.dir, masterKeyFile)
	if err := r.keyOfVault(ctx, js, file); err != nil {
		return err
	}
	master, err := vault.LoadMasterKey(file)
	if err != nil {
		return err
	}
	if r.vault, err = vault.Open(ctx, js, vault.Options{Workspace: r.workspace, MasterKey: master, Replicas: r.replicas, Observe: meters.Vault()}); err != nil {
		return err
	}
	r.codec = codec.New(r.vault)
	r.store, err = r.openStore(ctx, log, meters)
	return err
}

// openStore opens what keeps the log.
func (r *reading) openStore(ctx context.Context, log *zap.Logger, meters *telemetry.Meters) (store, error) {
	codec := forgetting{r.codec, r.vault}
	if r.log != "" {
		s, err := eventstoredb.Open(ctx, r.log, codec, jetstream.NewAir(r.conn, log), eventstoredb.Options{ReadOnly: r.readOnly, Logger: log})
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	o := jetstream.Options{Host: r.server, Replicas: r.replicas, Logger: log}
	if r.local {
		o.Dir = r.dir
	}
	if r.server != nil {
		o.Grouped = meters.Grouped()
	}
	s, err := jetstream.Open(ctx, r.conn, codec, o)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// ready refuses to open what must not be opened yet, or as it is. A process that joined leaves the making of log and vault to
// the host, which makes the vault first.
func (r *reading) ready(ctx context.Context, js natsjs.JetStream) error {
	if r.log != "" {
		return r.readyBeside(ctx, js)
	}
	stream, err := js.Stream(ctx, jetstream.StreamName)
	switch {
	case errors.Is(err, natsjs.ErrStreamNotFound) && r.local && r.server == nil:
		return fmt.Errorf("the log is being made: %w", command.ErrUnavailable)
	case errors.Is(err, natsjs.ErrStreamNotFound):
		return r.noLog(ctx, js)
	case err != nil || stream.CachedInfo().State.Msgs < 2:
		return nil // no log yet, or one that holds its own creation alone; other failures show when it is opened
	}
	if _, err := js.Stream(ctx, vault.Stream); errors.Is(err, natsjs.ErrStreamNotFound) {
		return errNoVault
	}
	return nil
}

// noLog refuses to begin an empty log beside a vault that has been at work: the log was lost. A vault that was just made holds
// the key of its hashes alone.
func (r *reading) noLog(ctx context.Context, js natsjs.JetStream) error {
	s, err := js.Stream(ctx, vault.Stream)
	if err != nil || s.CachedInfo().State.Msgs < 2 {
		return nil // other failures show when it is opened
	}
	return errors.New("the vault is there, but its log is missing: bring it back from a backup with turno restore, " +
		"or name the EventStoreDB that keeps it with --log; to begin anew take another folder, or remove the stream " + vault.Stream)
}

// errNoVault: a new vault would open nothing that was written before, and take every known address for a new one.
var errNoVault = errors.New("the log holds commits, but its vault is missing: bring it back from a backup with turno restore --vault FILE")

// keyOfVault refuses to make a new master key beside a vault that another one has sealed: it opens nothing, and lies there
// as if it were the right one.
func (r *reading) keyOfVault(ctx context.Context, js natsjs.JetStream, file string) error {
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		return nil // what else is wrong with it shows when it is read
	}
	made, err := vault.Made(ctx, js, r.workspace)
	if err == nil && made {
		err = fmt.Errorf("the vault is there, but the master key that opens it is missing: restore %s", file)
	}
	return err
}

// readyBeside is ready where the log is kept elsewhere than the vault.
func (r *reading) readyBeside(ctx context.Context, js natsjs.JetStream) error {
	_, err := js.Stream(ctx, vault.Stream)
	switch {
	case !errors.Is(err, natsjs.ErrStreamNotFound):
		return nil // other failures show when it is opened
	case r.local && r.server == nil:
		return fmt.Errorf("the vault is being made: %w", command.ErrUnavailable)
	}
	s, err := eventstoredb.Open(ctx, r.log, codec.New(noKeys{}), nil, eventstoredb.Options{ReadOnly: true})
	if errors.Is(err, eventstoredb.ErrNoLog) {
		return nil
	}
	if err != nil {
		return err
	}
	defer s.Close()
	seen := 0
	err = s.Read(ctx, 0, projections.ReadOptions{Max: 2, ToHead: true}, func(chunk []domain.Commit) error {
		if seen += len(chunk); seen > 1 { // more than its own creation
			return errNoVault
		}
		return nil
	})
	return err
}

// noKeys is the keyring of who looks at the log without opening anything.
type noKeys struct{}

func (noKeys) Key(context.Context, string) ([]byte, error) { return nil, codec.ErrNoKey }

// forgetting is the codec of a process that must not remember the keys of the erased: whatever reads the log in this
// process, the event of an erasure passes here.
type forgetting struct {
	*codec.Codec
	vault *vault.Vault
}

func (f forgetting) Decode(ctx context.Context, data []byte, open bool) (domain.Commit, error) {
	c, err := f.Codec.Decode(ctx, data, open)
	for _, e := range c.Events {
		switch e.(type) {
		case thread.Erased, contact.Erased, operator.Erased:
			f.vault.Forget(c.Key)
		}
	}
	return c, err
}

// close lets go of the log. What was acknowledged before is safe.
func (r *reading) close() {
	if r.store != nil {
		r.store.Close()
	}
	if r.vault != nil {
		r.vault.Close()
	}
	if r.conn != nil {
		r.conn.Close()
	}
	if r.server != nil {
		r.server.Close()
	}
}

// reconnecting tells in the log when the connection goes and comes.
func reconnecting(log *zap.Logger) []nats.Option {
	return []nats.Option{
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("lost the connection to the log; trying again", zap.Error(err))
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { log.Info("connected to the log again") }),
	}
}

// toHead applies the whole log up to its head, with its personal fields open or sealed, and returns how far that was.
func (r *reading) toHead(ctx context.Context, open bool, apply func(*domain.Commit)) (position domain.Position, err error) {
	err = r.store.Read(ctx, 0, projections.ReadOptions{ToHead: true, Open: open}, func(commits []domain.Commit) error {
		for i := range commits {
			apply(&commits[i])
			position = commits[i].Position
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("read the log: %w", err)
	}
	return position, nil
}
