package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/turno-desk/turno/adapters/codec"
	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/adapters/vault"
)

// moveCmd copies log and vault of a folder to other servers, at the same positions, and leaves the folder marked: nothing is
// lost, so no new epoch begins, and the views of the folder go on.
type moveCmd struct {
	Data     string `type:"path" default:"./turno-data" placeholder:"DIR" help:"The data folder (${default}). Nothing may run on it."`
	ToNATS   string `name:"to-nats" required:"" placeholder:"URL" help:"The servers to move to, several URLs with commas between. They hold no log, or the beginning of this one."`
	Creds    string `type:"path" placeholder:"FILE" help:"Credentials file for --to-nats: a user's JWT and nkey."`
	NATSCA   string `name:"nats-ca" type:"path" placeholder:"FILE" help:"The authorities, in PEM, that may have signed the certificates of --to-nats; by default the system's."`
	NATSCert string `name:"nats-cert" type:"path" placeholder:"FILE" help:"The client certificate, in PEM, for a --to-nats that asks for one."`
	NATSKey  string `name:"nats-key" type:"path" placeholder:"FILE" help:"The private key, in PEM, to --nats-cert."`
	Replicas int    `default:"3" help:"On how many servers each commit and each key is kept: 1, 3 or 5 (${default})."`

	EncryptionKeyFile string `type:"path" placeholder:"FILE" help:"The key that the folder's files are encrypted with."`
}

func (cmd moveCmd) Run(p *program) (err error) {
	began := time.Now()
	source := logFlags{Data: cmd.Data, EncryptionKeyFile: cmd.EncryptionKeyFile, readOnly: true}
	server, err := source.host(p, hostFlags{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	conn, err := hosted(server)
	if err != nil {
		return err
	}
	defer conn.Close()
	js, err := natsjs.New(conn)
	if err != nil {
		return err
	}
	store, err := jetstream.Open(p.ctx, conn, codec.New(noKeys{}), jetstream.Options{Host: server, ReadOnly: true, Logger: p.log})
	if err != nil {
		return err
	}
	defer store.Close()

	there, err := logFlags{NATS: cmd.ToNATS, Creds: cmd.Creds, NATSCA: cmd.NATSCA, NATSCert: cmd.NATSCert, NATSKey: cmd.NATSKey}.dial()
	if err != nil {
		return err
	}
	defer there.Close()
	toJS, err := natsjs.New(there)
	if err != nil {
		return err
	}
	target, err := jetstream.NewTarget(p.ctx, there, jetstream.TargetOptions{Replicas: cmd.Replicas, Logger: p.log})
	if err != nil {
		return err
	}
	defer target.Close()
	if n, _ := target.Found(); n > 0 {
		fmt.Fprintf(p.stdout, "%d messages are there already; going on behind them, if they are of this log.\n", n)
	}
	survey := jetstream.NewSurvey(codec.New(noKeys{}))
	last, err := store.Messages(p.ctx, 0, func(first uint64, messages []jetstream.Message) error {
		return putSurveyed(p.ctx, target, survey, first, messages)
	})
	if err != nil {
		return fmt.Errorf("move the log: %w", err)
	}
	if err := target.Compare(p.ctx); err != nil {
		return err
	}
	values, err := copyVault(p.ctx, js, toJS, cmd.Replicas)
	if err != nil && !errors.Is(err, vault.ErrNoVault) {
		return fmt.Errorf("move the vault: %w", err)
	}
	if err := target.Finish(p.ctx); err != nil {
		return err
	}
	if err := jetstream.Moved(cmd.Data, redacted(cmd.ToNATS)); err != nil {
		return fmt.Errorf("mark the folder as moved: %w", err)
	}
	took := time.Since(began)
	fmt.Fprintf(p.stdout, `log %s up to position %d: %d commits moved and compared, %d values of the vault, %.1f s, %.0f commits a second
The folder is marked and is not served any more. Go on with its views and its master key:

    turno serve --data %s --nats %s --replicas %d

Every other process needs %s in its data folder.
`, store.ID(), store.PositionOf(last), last, values, took.Seconds(), float64(last)/took.Seconds(),
		cmd.Data, redacted(cmd.ToNATS), cmd.Replicas, filepath.Join(cmd.Data, masterKeyFile))
	return nil
}
