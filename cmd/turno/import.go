package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/turno-desk/turno/api/command"
	apihttp "github.com/turno-desk/turno/api/http"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

type importCmd struct {
	logFlags
	hostFlags
	viewFlags
	File     string `arg:"" help:"One command a line, as JSON; - is standard input. testdata/import/worked.jsonl is an example."`
	Strict   bool   `help:"Stop at the first bad line instead of skipping it; what is under way for other threads is finished."`
	Parallel int    `default:"64" help:"How many threads at once; lines of one thread stay in order."`
}

func (cmd importCmd) Run(p *program) error {
	if cmd.Parallel < 1 || cmd.Parallel > 1024 {
		return errors.New("--parallel is 1 to 1024")
	}
	var in io.Reader = os.Stdin
	if cmd.File != "-" {
		f, err := os.Open(cmd.File)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	r, hosting, err := openToWrite(p, cmd.logFlags, cmd.hostFlags)
	if err != nil {
		return err
	}
	defer r.close()

	ctx, stop := context.WithCancel(p.ctx)
	defer stop()
	group, running := errgroup.WithContext(ctx)
	if hosting { // nobody else keeps the views then
		views, err := cmd.openViews(p, r.dir)
		if err != nil {
			return err
		}
		defer views.Close()
		group.Go(func() error { return project(running, p, r, views, projectionNames) })
	}
	d := newDesk(p, r, nil, nil)
	group.Go(func() error { return d.image.Run(running) })
	i := &importer{
		apply:  &importedDesk{desk: d, workspace: r.workspace, current: map[string]*place{}, before: map[string]bool{}},
		hash:   func(line []byte) string { return r.vault.Hash(r.workspace, "import", string(line)) },
		strict: cmd.Strict, parallel: cmd.Parallel, patience: time.Minute,
		bad: func(n int, reason error) { fmt.Fprintf(p.stderr, "line %d: %s\n", n, reason) },
	}
	err = cmd.watched(running, p, i, in)
	stop()
	if err = errors.Join(err, group.Wait()); err != nil {
		return fmt.Errorf("%w; what was imported until then stays, and the same file can be imported again", err)
	}
	return nil
}

// watched runs the import, shows progress every second, and sums up.
func (cmd importCmd) watched(ctx context.Context, p *program, i *importer, in io.Reader) error {
	begun := time.Now()
	ended := make(chan struct{})
	var showing sync.WaitGroup
	showing.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for last := int64(0); ; {
			select {
			case <-ended:
				return
			case <-tick.C:
				now := i.lines.Load()
				fmt.Fprintf(p.stderr, "%d lines read, %d a second, %d skipped\n", now, now-last, i.skipped.Load())
				last = now
			}
		}
	})
	err := i.run(ctx, in)
	close(ended)
	showing.Wait()
	p.log.Debug("import ended", zap.Duration("took", time.Since(begun)))
	fmt.Fprintf(p.stdout, "%d lines: %d imported, %d changed nothing, %d skipped, in %s\n",
		i.lines.Load(), i.done.Load(), i.idle.Load(), i.skipped.Load(), time.Since(begun).Round(time.Millisecond))
	return err
}

// importedDesk applies lines to a desk.
type importedDesk struct {
	*desk
	workspace string

	mu      sync.Mutex
	current map[string]*place // by thread
	before  map[string]bool   // threads, and parts of the desk, of which this run met a line that an earlier run applied
	after   domain.Position   // of the newest line about the desk: later lines are decided with it
}

// place is the conversation that a thread's next line is for.
type place struct {
	conversation string
	sure         bool // a line of this run opened it or was found in it; otherwise it is the thread's newest
}

func (d *importedDesk) apply(ctx context.Context, l *line, key, bodyHash string) (bool, error) {
	d.mu.Lock()
	req := command.Request{
		Workspace: d.workspace, Principal: "import", Actor: l.actor, Key: key, BodyHash: bodyHash, After: d.after, Import: true, At: l.at, List: l.list,
	}
	before := d.before[l.about()]
	d.mu.Unlock()
	changed, replayed, err := d.do(ctx, req, l)
	if replayed {
		d.mu.Lock()
		d.before[l.about()] = true
		d.mu.Unlock()
	}
	var refused *domain.Refusal
	if before && errors.As(err, &refused) && refused.Code == domain.CodeOutOfOrder {
		// An earlier run dealt with this line too: it changed nothing then, or was reported, and left no trace in the log.
		return false, nil
	}
	return changed, err
}

// do applies a line. replayed: an earlier run had.
func (d *importedDesk) do(ctx context.Context, req command.Request, l *line) (changed, replayed bool, err error) {
	if l.setting != nil {
		result, err := d.set(ctx, req, l.setting)
		if err != nil {
			return false, false, err
		}
		d.mu.Lock()
		if !l.setting.presence() {
			d.after = max(d.after, result.Position)
		}
		d.mu.Unlock()
		return !result.Replayed && len(result.Commit.Events) > 0, result.Replayed, nil
	}
	result, err := d.converse(ctx, req, l)
	if err != nil {
		return false, false, err
	}
	if result.Commit.Conversation != "" {
		d.remember(l, &place{conversation: result.Commit.Conversation, sure: true})
	}
	return !result.Replayed && len(result.Commit.Events) > 0, result.Replayed, nil
}

// converse handles a line about a conversation: a message of the contact goes to the thread, everything else to the
// thread's current conversation.
func (d *importedDesk) converse(ctx context.Context, req command.Request, l *line) (command.Result, error) {
	switch {
	case l.inbound != nil:
		return d.conversations.Receive(ctx, req, *l.inbound)
	case l.outbound != nil:
		return d.conversations.Open(ctx, req, *l.outbound)
	}
	at, err := d.place(ctx, l)
	if err != nil {
		return command.Result{}, err
	}
	do := func(conversation string) (command.Result, error) {
		if s, ok := l.command.(thread.Survey); ok {
			return d.surveys.Import(ctx, req, conversation, s)
		}
		return d.conversations.Do(ctx, req, conversation, l.command)
	}
	result, err := do(at.conversation)
	var refused *domain.Refusal
	if at.sure || !errors.As(err, &refused) || refused.Code != domain.CodeOutOfOrder {
		return result, err
	}
	// Imported before, perhaps, when an earlier conversation was the current one: the same command would be found there.
	id, n, _ := thread.SplitConversationID(at.conversation)
	for n--; n >= 1; n-- {
		earlier, again := do(thread.ConversationID(id, n))
		if again == nil && earlier.Replayed {
			return earlier, nil
		}
	}
	return result, err
}

func (d *importedDesk) place(ctx context.Context, l *line) (*place, error) {
	d.mu.Lock()
	at := d.current[l.about()]
	d.mu.Unlock()
	if at != nil {
		return at, nil
	}
	id, err := d.conversations.Current(ctx, d.workspace, l.channel, l.address)
	if err != nil {
		return nil, err
	}
	at = &place{conversation: id}
	d.remember(l, at)
	return at, nil
}

func (d *importedDesk) remember(l *line, at *place) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.current[l.about()] = at
}

// set handles a line about the desk itself. Its body was read before.
func (d *importedDesk) set(ctx context.Context, req command.Request, s *settingLine) (command.SettingResult, error) {
	switch s.kind {
	case "presence":
		connected, err := apihttp.ParsePresence(s.body)
		if err != nil {
			return command.SettingResult{}, err
		}
		if connected {
			return d.settings.Heartbeat(ctx, req, s.id)
		}
		return d.settings.Disconnect(ctx, req, s.id)
	case "availability":
		available, reason, err := apihttp.ParseAvailability(s.body)
		if err != nil {
			return command.SettingResult{}, err
		}
		return d.settings.SetAvailability(ctx, req, s.id, available, reason)
	case "operator":
		put, err := apihttp.ParseOperator(s.id, s.body)
		if err != nil {
			return command.SettingResult{}, err
		}
		return d.settings.PutOperator(ctx, req, put)
	case "department":
		put, err := apihttp.ParseDepartment(s.id, s.body)
		if err != nil {
			return command.SettingResult{}, err
		}
		return d.settings.PutDepartment(ctx, req, put)
	case "calendar":
		put, err := apihttp.ParseCalendar(s.id, s.body)
		if err != nil {
			return command.SettingResult{}, err
		}
		return d.settings.PutCalendar(ctx, req, put)
	default:
		put, err := apihttp.ParseChannel(s.id, s.body)
		if err != nil {
			return command.SettingResult{}, err
		}
		return d.settings.PutChannel(ctx, req, put)
	}
}
