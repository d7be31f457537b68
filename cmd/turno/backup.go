package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/turno-desk/turno/adapters/backup"
	"github.com/turno-desk/turno/adapters/codec"
	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/adapters/vault"
)

// backupCmd copies log and vault into files. Nothing is opened: the log stays sealed, the vault's values stay sealed under
// the master key, which is in no backup.
type backupCmd struct {
	Make   backupMakeCmd   `cmd:"" default:"withargs" help:"Make a backup (the default)."`
	Verify backupVerifyCmd `cmd:"" help:"Verify a backup by itself: hashes, order, and that each commit can be read."`
}

type backupMakeCmd struct {
	logFlags
	To    string `placeholder:"FILE|DIR" help:"Where the log's backup goes: a new file, a folder, in which it is named by log and position, or - for standard output."`
	Vault string `placeholder:"FILE|DIR" help:"Where the vault's backup goes. It has a rule of its own: after an erasure the older ones must be destroyed."`
}

// suffix is how the files of backups are named in a folder.
const suffix = ".turno"

func (cmd backupMakeCmd) Run(p *program) (err error) {
	switch {
	case cmd.To == "" && cmd.Vault == "":
		return errors.New("say what goes where: --to for the log, --vault for the vault")
	case cmd.To == "-" && cmd.Vault == "-":
		return errors.New("log and vault don't go into one stream")
	case cmd.Log != "" && cmd.To != "":
		return errors.New("the log is in EventStoreDB: back it up with EventStoreDB's own means (docs/operations/backup.md); " +
			"--vault, without --to, backs up the vault")
	}
	server, conn, err := cmd.reach(p)
	if err != nil {
		return err
	}
	defer func() {
		conn.Close()
		if server != nil {
			err = errors.Join(err, server.Close())
		}
	}()
	js, err := natsjs.New(conn)
	if err != nil {
		return err
	}
	var store *jetstream.Store
	var toLog, toVault *file
	id := ""
	if cmd.To != "" {
		store, err = jetstream.Open(p.ctx, conn, codec.New(noKeys{}), jetstream.Options{Host: server, ReadOnly: true, Logger: p.log})
		if err != nil {
			return err
		}
		defer store.Close()
		id = store.ID()
		head, err := store.Head(p.ctx)
		if err != nil {
			return err
		}
		if toLog, err = newFile(p, cmd.To, fmt.Sprintf("log-%s-%d%s", id, head, suffix)); err != nil {
			return fmt.Errorf("back up the log: %w", err)
		}
		defer toLog.drop()
	}
	if cmd.Vault != "" { // both files are there before anything is written to one: a log without its vault restores no word
		if toVault, err = newFile(p, cmd.Vault, "vault-"+time.Now().UTC().Format("20060102T150405Z")+suffix); err != nil {
			return fmt.Errorf("back up the vault: %w", err)
		}
		defer toVault.drop()
	}
	if toLog.same(toVault) {
		return fmt.Errorf("log and vault don't go into one file: %s is no folder", cmd.To)
	}
	if toLog != nil { // before the vault: each key that the log names is made before its commit
		if err := cmd.log(p, store, toLog); err != nil {
			return fmt.Errorf("back up the log: %w", err)
		}
	}
	if toVault != nil {
		if err := cmd.vault(p, js, id, toVault); err != nil {
			return fmt.Errorf("back up the vault: %w", err)
		}
	}
	return nil
}

func (backupMakeCmd) log(p *program, store *jetstream.Store, to *file) error {
	began := time.Now()
	w, err := backup.NewWriter(to, backup.Header{Kind: backup.KindLog, Log: store.ID(), Made: began.UTC(), By: version()})
	if err != nil {
		return err
	}
	last, err := store.Messages(p.ctx, 0, func(first uint64, messages []jetstream.Message) error {
		return w.Add(first, fileMessages(messages))
	})
	if err != nil {
		return err
	}
	end, sum, err := w.Close()
	if err != nil {
		return err
	}
	if err := to.keep(); err != nil {
		return err
	}
	took := time.Since(began)
	fmt.Fprintf(to.told, "log %s up to position %d: %d commits, %d MB, in %s (%d MB), %.1f s, %.0f commits a second\nsha256 %s\n",
		store.ID(), store.PositionOf(last), end.Messages, end.Bytes>>20, to.name, to.size>>20, took.Seconds(), float64(end.Messages)/took.Seconds(), hex.EncodeToString(sum[:]))
	return nil
}

func (backupMakeCmd) vault(p *program, js natsjs.JetStream, log string, to *file) error {
	made := time.Now().UTC()
	w, err := backup.NewWriter(to, backup.Header{Kind: backup.KindVault, Log: log, Made: made, By: version()})
	if err != nil {
		return err
	}
	next := uint64(1)
	n, err := vault.Export(p.ctx, js, func(values []vault.Value) error {
		messages := make([]backup.Message, len(values))
		for i, v := range values {
			messages[i] = backup.Message{Subject: v.Subject, Data: v.Sealed}
		}
		err := w.Add(next, messages)
		next += uint64(len(values))
		return err
	})
	if err != nil {
		return err
	}
	_, sum, err := w.Close()
	if err != nil {
		return err
	}
	if err := to.keep(); err != nil {
		return err
	}
	fmt.Fprintf(to.told, "vault: %d values in %s; they are sealed under the master key, which is not in it\nsha256 %s\n"+
		"When a person is erased, destroy the backups of the vault that were made before: they bring the words back.\n",
		n, to.name, hex.EncodeToString(sum[:]))
	return nil
}

func fileMessages(messages []jetstream.Message) []backup.Message {
	all := make([]backup.Message, len(messages))
	for i := range messages {
		all[i] = backup.Message(messages[i])
	}
	return all
}

func logMessages(messages []backup.Message) []jetstream.Message {
	all := make([]jetstream.Message, len(messages))
	for i := range messages {
		all[i] = jetstream.Message(messages[i])
	}
	return all
}

// file is a backup that is being written: it gets its name when it is whole.
type file struct {
	io.Writer
	f    *os.File // nil: standard output
	name string
	size int64
	told io.Writer // where a person is told about it
}

func newFile(p *program, to, named string) (*file, error) {
	if to == "-" {
		return &file{Writer: p.stdout, name: "standard output", told: p.stderr}, nil
	}
	if info, err := os.Stat(to); err == nil && info.IsDir() {
		to = filepath.Join(to, named)
	}
	if _, err := os.Lstat(to); err == nil {
		return nil, fmt.Errorf("%s is there already: a backup is not written over another", to)
	}
	f, err := os.CreateTemp(filepath.Dir(to), "."+filepath.Base(to)+".*") // mode 0600
	if err != nil {
		return nil, err
	}
	return &file{Writer: f, f: f, name: to, told: p.stdout}, nil
}

// same reports whether both would get one name.
func (f *file) same(o *file) bool {
	if f == nil || o == nil || f.f == nil || o.f == nil || filepath.Base(f.name) != filepath.Base(o.name) {
		return false
	}
	a, errA := os.Stat(filepath.Dir(f.name))
	b, errB := os.Stat(filepath.Dir(o.name))
	return errA == nil && errB == nil && os.SameFile(a, b)
}

// keep makes sure that the file is on disk, and gives it its name.
func (f *file) keep() error {
	if f.f == nil {
		return nil
	}
	info, err := f.f.Stat()
	if err = errors.Join(err, f.f.Sync(), f.f.Close()); err != nil {
		return err
	}
	f.size = info.Size()
	if err := os.Rename(f.f.Name(), f.name); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(f.name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// drop removes what was not kept.
func (f *file) drop() {
	if f.f != nil && f.size == 0 {
		f.f.Close()
		os.Remove(f.f.Name())
	}
}

type backupVerifyCmd struct {
	File  string `arg:"" help:"A backup of a log or of a vault; - is standard input."`
	Vault string `help:"A backup of the vault: are the keys in it that the log of FILE names?" placeholder:"FILE"`
}

func (cmd backupVerifyCmd) Run(p *program) error {
	from, close, err := openBackup(p, cmd.File, "")
	if err != nil {
		return err
	}
	defer close()
	if from.Header().Kind == backup.KindVault {
		if cmd.Vault != "" {
			return fmt.Errorf("%s is a backup of a vault: with --vault it must be one of a log", cmd.File)
		}
		return verifyVault(p, cmd.File, from, nil)
	}
	began := time.Now()
	survey := jetstream.NewSurvey(codec.New(noKeys{}))
	if err := eachChunk(p.ctx, from, func(first uint64, messages []backup.Message) error {
		return survey.Add(p.ctx, first, logMessages(messages))
	}); err != nil {
		return fmt.Errorf("%s: %w", cmd.File, err)
	}
	if err := belongs(from.Header(), survey); err != nil {
		return fmt.Errorf("%s: %w", cmd.File, err)
	}
	end, sum := from.End()
	named, destroyed := survey.Keys()
	took := time.Since(began)
	fmt.Fprintf(p.stdout, "%s is whole: log %s, made %s, positions 1 to %d, %d commits (%d MB), each of them read sealed; %d keys named, %d of them destroyed; %.1f s, %.0f commits a second\nsha256 %s\n",
		cmd.File, survey.ID(), from.Header().Made.Format(time.RFC3339), survey.Position(), end.Messages, end.Bytes>>20, named, destroyed,
		took.Seconds(), float64(end.Messages)/took.Seconds(), hex.EncodeToString(sum[:]))
	if cmd.Vault == "" {
		return nil
	}
	values, closeVault, err := openBackup(p, cmd.Vault, backup.KindVault)
	if err != nil {
		return err
	}
	defer closeVault()
	return verifyVault(p, cmd.Vault, values, survey)
}

// verifyVault reads a vault's backup, and says how it fits to the log of the survey, if there is one.
func verifyVault(p *program, name string, from *backup.Reader, survey *jetstream.Survey) error {
	count := keyCount{survey: survey}
	err := eachChunk(p.ctx, from, func(_ uint64, messages []backup.Message) error {
		for _, v := range vaultValues(messages) {
			if err := v.Check(); err != nil {
				return err
			}
			count.see(v)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	end, sum := from.End()
	fmt.Fprintf(p.stdout, "%s is whole: a vault, made %s, %d values, %d keys among them\nsha256 %s\n",
		name, from.Header().Made.Format(time.RFC3339), end.Messages, count.keys, hex.EncodeToString(sum[:]))
	if survey != nil {
		count.tell(p.stdout)
	}
	return nil
}

// keyCount compares the keys of a vault with those that a log names.
type keyCount struct {
	survey               *jetstream.Survey // nil: there is no log to compare with
	keys, named, revived uint64            // in the vault; of them named by the log; of those destroyed, says the log
}

// see notes a value, and reports whether it is a key that the log says was destroyed.
func (k *keyCount) see(v vault.Value) (destroyed bool) {
	id := v.Key()
	if id == "" {
		return false
	}
	k.keys++
	if k.survey == nil {
		return false
	}
	named, destroyed := k.survey.Key(id)
	if named {
		k.named++
	}
	if destroyed {
		k.revived++
	}
	return destroyed
}

// missing is how many keys that must be there are not.
func (k *keyCount) missing() uint64 {
	named, destroyed := k.survey.Keys()
	return (named - destroyed) - (k.named - k.revived)
}

func (k *keyCount) tell(w io.Writer) {
	named, destroyed := k.survey.Keys()
	fmt.Fprintf(w, "The log names %d keys, %d of them were destroyed.", named, destroyed)
	if n := k.missing(); n > 0 {
		fmt.Fprintf(w, " %d are not in the vault, which is older than the log: the texts that they sealed can't be read, and what is theirs takes no new words.", n)
	} else {
		fmt.Fprint(w, " All others are in the vault.")
	}
	if k.revived > 0 {
		fmt.Fprintf(w, " %d that were destroyed are in it: a restore leaves them out, but destroy this backup.", k.revived)
	}
	fmt.Fprintln(w)
}

func vaultValues(messages []backup.Message) []vault.Value {
	all := make([]vault.Value, len(messages))
	for i, m := range messages {
		all[i] = vault.Value{Subject: m.Subject, Sealed: m.Data}
	}
	return all
}

// openBackup opens a file and reads its header. kind, unless empty, is what it must hold.
func openBackup(p *program, name, kind string) (*backup.Reader, func(), error) {
	in, closing := io.Reader(os.Stdin), func() {}
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, nil, err
		}
		in, closing = f, func() { f.Close() }
	}
	r, err := backup.NewReader(in)
	if err == nil && kind != "" && r.Header().Kind != kind {
		err = fmt.Errorf("it is a backup of a %s, not of a %s", r.Header().Kind, kind)
	}
	if err != nil {
		closing()
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	p.log.Debug("a backup", zap.String("file", name), zap.Time("made", r.Header().Made), zap.String("by", r.Header().By))
	return r, closing, nil
}

// eachChunk reads a backup to its end, which is whole when the error is nil. The next chunk is read while fn is at work.
func eachChunk(ctx context.Context, r *backup.Reader, fn func(first uint64, messages []backup.Message) error) error {
	type part struct {
		first    uint64
		messages []backup.Message
		err      error
	}
	ctx, cancel := context.WithCancel(ctx)
	parts, ended := make(chan part, 2), make(chan struct{})
	defer func() { cancel(); <-ended }()
	go func() {
		defer close(ended)
		for {
			var next part
			next.first, next.messages, next.err = r.Next()
			select {
			case parts <- next:
			case <-ctx.Done():
				return
			}
			if next.err != nil {
				return
			}
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case next := <-parts:
			if errors.Is(next.err, io.EOF) {
				return nil
			}
			if next.err != nil {
				return next.err
			}
			if err := fn(next.first, next.messages); err != nil {
				return err
			}
		}
	}
}

// belongs compares what a backup says of its log with what it holds.
func belongs(h backup.Header, survey *jetstream.Survey) error {
	if survey.Last() == 0 {
		return errors.New("it holds no commit")
	}
	if h.Log != survey.ID() {
		return fmt.Errorf("it says that it is of log %s, and holds log %s", h.Log, survey.ID())
	}
	return nil
}
