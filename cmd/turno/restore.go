package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/turno-desk/turno/adapters/backup"
	"github.com/turno-desk/turno/adapters/codec"
	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/adapters/vault"
	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/sequence"
)

// numbersAhead is how many numbers a restore leaves out when nobody says which was the last: a thousand blocks.
const numbersAhead = 1000 * sequence.Block

type restoreCmd struct {
	logFlags
	From       string `placeholder:"FILE" help:"The log's backup; - is standard input."`
	Vault      string `placeholder:"FILE" help:"The vault's backup. Without it the vault that the folder or the cluster has stays."`
	Replace    bool   `help:"Put a log that the folder has aside, instead of refusing."`
	LostHead   uint64 `placeholder:"POSITION" help:"The highest position that the lost log may have handed out, where that is known. When it is not beyond the backup, nothing was lost and the log just goes on."`
	LostNumber int64  `placeholder:"N" help:"The highest number of a ticket that the lost log may have handed out; without it the next million is left out."`
	Epoch      uint64 `placeholder:"N" help:"The epoch that begins; for a second restore of the same backup whose first one left no trace in the data folder."`
}

func (cmd restoreCmd) Run(p *program) error {
	switch {
	case cmd.From == "" && cmd.Vault == "":
		return errors.New("say what comes back: --from for the log, --vault for the vault")
	case cmd.Log != "" && cmd.From != "":
		return errors.New("the log is in EventStoreDB: bring it back with EventStoreDB's own means (docs/operations/backup.md); " +
			"--vault, without --from, brings back the vault")
	case cmd.From == "":
		return cmd.vaultAlone(p)
	case cmd.NATS != "":
		return cmd.ontoCluster(p)
	}
	return cmd.intoFolder(p)
}

// intoFolder puts a log together beside what the folder has, and then in its place.
func (cmd restoreCmd) intoFolder(p *program) (err error) {
	c, err := cmd.hosting(p, hostFlags{})
	if err != nil {
		return err
	}
	beside, err := jetstream.HostBeside(p.ctx, c, cmd.Replace)
	if errors.Is(err, jetstream.ErrHasLog) {
		return fmt.Errorf("%w: --replace puts it aside", err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, beside.Close()) }()
	conn, err := hosted(beside.Server)
	if err != nil {
		return err
	}
	defer conn.Close()
	r := restoring{cmd: cmd, p: p, conn: conn, host: beside.Server}
	if err := r.replaced(beside); err != nil {
		return err
	}
	if err := r.run(); err != nil {
		return err
	}
	conn.Close()
	aside, err := beside.Adopt()
	if err != nil {
		return fmt.Errorf("put the log in its place: %w", err)
	}
	if aside != "" {
		fmt.Fprintf(p.stdout, "What the folder had is in %s, keys and all: remove it when it is not needed any more.\n", aside)
	}
	return nil
}

// ontoCluster puts a log together on servers that have none.
func (cmd restoreCmd) ontoCluster(p *program) error {
	if err := os.MkdirAll(cmd.Data, 0o700); err != nil {
		return fmt.Errorf("create the data folder: %w", err)
	}
	conn, err := cmd.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	r := restoring{cmd: cmd, p: p, conn: conn}
	return r.run()
}

// vaultAlone brings back a vault beside a log that is there, or elsewhere.
func (cmd restoreCmd) vaultAlone(p *program) (err error) {
	var conn *nats.Conn
	if cmd.NATS != "" {
		conn, err = cmd.dial()
	} else {
		var server *jetstream.Server
		if server, err = cmd.host(p, hostFlags{}); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, server.Close()) }()
		conn, err = hosted(server)
	}
	if err != nil {
		return err
	}
	defer conn.Close()
	r := restoring{cmd: cmd, p: p, conn: conn}
	if r.js, err = natsjs.New(conn); err != nil {
		return err
	}
	// What the log says was erased stays erased.
	store, err := jetstream.Open(p.ctx, conn, codec.New(noKeys{}), jetstream.Options{ReadOnly: true, Logger: p.log})
	if err == nil {
		defer store.Close()
		r.survey = jetstream.NewSurvey(codec.New(noKeys{}))
		_, err = store.Messages(p.ctx, 0, func(first uint64, messages []jetstream.Message) error { return r.survey.Add(p.ctx, first, messages) })
	} else if errors.Is(err, jetstream.ErrNoLog) {
		err = nil
	}
	if err != nil {
		return err
	}
	return r.vault()
}

// restoring is a restore on its way.
type restoring struct {
	cmd    restoreCmd
	p      *program
	conn   *nats.Conn
	host   *jetstream.Server // nil: the log is elsewhere
	js     natsjs.JetStream
	survey *jetstream.Survey // of the log; nil when there is none

	passed  uint64 // the epoch of the log that is replaced
	carried int    // values that were taken over from the folder's vault
}

// replaced takes over from what the folder has: its epoch, and its vault unless another one is given.
func (r *restoring) replaced(beside *jetstream.Beside) error {
	old, err := beside.Replaced(r.p.ctx)
	if err != nil && r.cmd.Vault == "" {
		return fmt.Errorf("%w; its vault can't be taken over: give a backup of it by --vault", err)
	}
	if err != nil {
		r.p.log.Warn("what the folder has can't be read; if it was restored before, name an epoch beyond that by --epoch", zap.Error(err))
		return nil
	}
	if old == nil {
		return nil
	}
	defer old.Close()
	conn, err := old.Connect()
	if err != nil {
		return err
	}
	defer conn.Close()
	if s, err := jetstream.Open(r.p.ctx, conn, codec.New(noKeys{}), jetstream.Options{ReadOnly: true, Logger: r.p.log}); err == nil {
		r.passed = s.Epoch()
		s.Close()
	} else if !errors.Is(err, jetstream.ErrNoLog) {
		r.p.log.Warn("the log that is replaced can't be read; if it was restored before, name an epoch beyond that by --epoch", zap.Error(err))
	}
	if r.cmd.Vault != "" {
		return nil
	}
	from, err := natsjs.New(conn)
	if err != nil {
		return err
	}
	to, err := natsjs.New(r.conn)
	if err != nil {
		return err
	}
	r.carried, err = copyVault(r.p.ctx, from, to, 1)
	if errors.Is(err, vault.ErrNoVault) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("take over the folder's vault: %w", err)
	}
	return nil
}

func (r *restoring) run() (err error) {
	began := time.Now()
	if r.js, err = natsjs.New(r.conn); err != nil {
		return err
	}
	from, closeLog, err := openBackup(r.p, r.cmd.From, backup.KindLog)
	if err != nil {
		return err
	}
	defer closeLog()
	target, err := jetstream.NewTarget(r.p.ctx, r.conn, jetstream.TargetOptions{Host: r.host, Replicas: r.cmd.Replicas, Logger: r.p.log})
	if err != nil {
		return err
	}
	defer target.Close()
	if n, finished := target.Found(); finished {
		return fmt.Errorf("the servers have a log of %d commits already: a restore needs empty ones", n)
	}
	r.survey = jetstream.NewSurvey(codec.New(noKeys{}))
	err = eachChunk(r.p.ctx, from, func(first uint64, messages []backup.Message) error {
		return putSurveyed(r.p.ctx, target, r.survey, first, logMessages(messages))
	})
	if err == nil {
		err = belongs(from.Header(), r.survey)
	}
	if err != nil {
		return fmt.Errorf("restore %s: %w", r.cmd.From, err)
	}
	if err := target.Compare(r.p.ctx); err != nil {
		return err
	}
	took := time.Since(began)
	end, _ := from.End()
	fmt.Fprintf(r.p.stdout, "log %s up to position %d: %d commits (%d MB) put back and compared, %.1f s, %.0f commits a second\n",
		r.survey.ID(), r.survey.Position(), end.Messages, end.Bytes>>20, took.Seconds(), float64(end.Messages)/took.Seconds())
	if err := r.vault(); err != nil {
		return err
	}
	if err := r.goOn(target); err != nil {
		return err
	}
	return target.Finish(r.p.ctx)
}

// putSurveyed stores messages while they are looked at.
func putSurveyed(ctx context.Context, target *jetstream.Target, survey *jetstream.Survey, first uint64, messages []jetstream.Message) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return survey.Add(ctx, first, messages) })
	group.Go(func() error { return target.Put(ctx, first, messages) })
	return group.Wait()
}

// vault puts the vault's backup back, if there is one, and says how it fits to the log.
func (r *restoring) vault() error {
	count := keyCount{survey: r.survey}
	if r.cmd.Vault == "" {
		_, err := vault.Export(r.p.ctx, r.js, func(values []vault.Value) error {
			for _, v := range values {
				count.see(v)
			}
			return nil
		})
		if errors.Is(err, vault.ErrNoVault) {
			fmt.Fprintln(r.p.stdout, "There is no vault: nothing serves this log before turno restore --vault FILE has brought it back.")
			return nil
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(r.p.stdout, "The vault that was there stays.\n")
	} else if err := r.vaultFrom(&count); err != nil {
		return fmt.Errorf("restore %s: %w", r.cmd.Vault, err)
	}
	if r.survey != nil {
		count.tell(r.p.stdout)
	}
	return r.opens()
}

func (r *restoring) vaultFrom(count *keyCount) error {
	from, closeVault, err := openBackup(r.p, r.cmd.Vault, backup.KindVault)
	if err != nil {
		return err
	}
	defer closeVault()
	if r.survey != nil && from.Header().Log != "" && from.Header().Log != r.survey.ID() {
		return fmt.Errorf("it belongs to log %s, this is log %s", from.Header().Log, r.survey.ID())
	}
	to, err := vault.NewImporter(r.p.ctx, r.js, r.cmd.Replicas)
	if err != nil {
		return err
	}
	put := 0
	err = eachChunk(r.p.ctx, from, func(_ uint64, messages []backup.Message) error {
		values := slices.DeleteFunc(vaultValues(messages), count.see)
		put += len(values)
		return to.Put(r.p.ctx, values)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(r.p.stdout, "vault: %d values put back\n", put)
	return nil
}

// opens makes sure that the master key of the data folder opens the vault, if it is there already.
func (r *restoring) opens() error {
	path := filepath.Join(r.cmd.Data, masterKeyFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(r.p.stdout, "The master key is in no backup: put it into %s before the log is served.\n", path)
		return nil
	}
	if made, err := vault.Made(r.p.ctx, r.js, r.cmd.Workspace); err != nil || !made {
		return err
	}
	master, err := vault.LoadMasterKey(path)
	if err != nil {
		return err
	}
	v, err := vault.Open(r.p.ctx, r.js, vault.Options{Workspace: r.cmd.Workspace, MasterKey: master, Replicas: r.cmd.Replicas})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	v.Close()
	return nil
}

// goOn begins the next epoch and leaves out the numbers that may have been handed out, unless nothing was lost.
func (r *restoring) goOn(target *jetstream.Target) error {
	at := r.survey.Position()
	if lost := domain.Position(r.cmd.LostHead); lost != 0 && lost <= at {
		fmt.Fprintf(r.p.stdout, "Nothing was lost after position %d: the log goes on as it was.\n", at)
		return nil
	}
	epoch, err := r.nextEpoch()
	if err != nil {
		return err
	}
	store, err := target.Open(r.p.ctx, codec.New(noKeys{}))
	if err != nil {
		return err
	}
	defer store.Close()
	p, err := store.Restored(r.p.ctx, epoch, r.cmd.LostHead&(1<<domain.EpochBits-1))
	if err != nil {
		return err
	}
	fmt.Fprintf(r.p.stdout, "Epoch %d begins at position %d. What came after position %d is lost; whoever asks for it is told so.\n", epoch, p, at)
	numbers := r.survey.Counted()
	if own := (domain.Aggregate{Workspace: r.cmd.Workspace, Category: domain.CategorySequence, ID: sequence.Conversation}); !slices.Contains(numbers, own) {
		numbers = append(numbers, own)
	}
	for _, a := range numbers {
		was, is, err := command.SkipNumbers(r.p.ctx, store, a, r.beyond)
		if err != nil {
			return err
		}
		fmt.Fprintf(r.p.stdout, "Numbers of %s in workspace %s: %d to %d are left out, they may have been handed out; the next is %d.\n",
			a.ID, a.Workspace, was+1, is, is+1)
	}
	return nil
}

// beyond is the last number that may have been handed out, when the backup knows of `last`.
func (r *restoring) beyond(last int64) int64 {
	if r.cmd.LostNumber > 0 {
		return r.cmd.LostNumber
	}
	return last + numbersAhead
}

// epochFile remembers the last epoch that began here: a second restore of the same backup must not begin it again.
const epochFile = "epoch"

func (r *restoring) nextEpoch() (uint64, error) {
	path := filepath.Join(r.cmd.Data, epochFile)
	passed := max(r.survey.Epoch(), r.passed)
	switch b, err := os.ReadFile(path); {
	case err == nil:
		known, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s is damaged: it holds the last epoch that began here; write it anew, or remove it and give --epoch", path)
		}
		passed = max(passed, known)
	case !errors.Is(err, fs.ErrNotExist):
		return 0, err
	}
	epoch := passed + 1
	if r.cmd.Epoch != 0 {
		if r.cmd.Epoch < epoch {
			return 0, fmt.Errorf("--epoch %d: epoch %d is past already", r.cmd.Epoch, passed)
		}
		epoch = r.cmd.Epoch
	}
	if err := os.WriteFile(path, []byte(strconv.FormatUint(epoch, 10)+"\n"), 0o600); err != nil {
		return 0, err
	}
	return epoch, nil
}

// copyVault copies every value from one vault to another, and compares them.
func copyVault(ctx context.Context, from, to natsjs.JetStream, replicas int) (int, error) {
	var importer *vault.Importer
	return vault.Export(ctx, from, func(values []vault.Value) (err error) {
		if importer == nil {
			if importer, err = vault.NewImporter(ctx, to, replicas); err != nil {
				return err
			}
		}
		return importer.Put(ctx, values)
	})
}
