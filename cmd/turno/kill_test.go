package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/turno-desk/turno/adapters/sqlstore"
	"github.com/turno-desk/turno/adapters/telemetry"
	"github.com/turno-desk/turno/cmd/turno/demo"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

// TestKilledAtAnyMomentNothingIsLostNothingDoubledNoAnswerALie runs the parts as processes of their own, and as one, kills
// them with SIGKILL at random moments under load, and compares what was answered with what the log and the views hold.
// TURNO_SOAK_ROUNDS says how often; `make soak` sets it to 100.
func TestKilledAtAnyMomentNothingIsLostNothingDoubledNoAnswerALie(t *testing.T) {
	rounds := 5
	if n, err := strconv.Atoi(os.Getenv("TURNO_SOAK_ROUNDS")); err == nil {
		rounds = n
	}
	binary := built(t)
	parts := map[string][]string{
		"log":    {"serve", "--parts", "log"},
		"engine": {"engine"},
	}
	for _, name := range projectionNames {
		parts[name] = []string{"projector", name}
	}
	t.Run("each part a process", func(t *testing.T) { soak(t, binary, parts, rounds) })
	t.Run("one process", func(t *testing.T) { soak(t, binary, map[string][]string{"engine": {"serve"}}, max(2, rounds/3)) })
}

// built builds the binary as a user gets it: the race detector, under which the tests run, is not for it.
func built(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "turno")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return path
}

func soak(t *testing.T, binary string, parts map[string][]string, rounds int) {
	s := newStage(t, binary, parts)
	names := s.names()
	for _, name := range names {
		s.start(name)
	}
	client := demo.NewClient(s.url, adminToken, 64)
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rounds)*10*time.Second+3*time.Minute)
	defer cancel()
	furnish(ctx, t, client)

	crowd := &crowd{client: client, ctx: ctx, stop: make(chan struct{})}
	for w := range 10 {
		crowd.Go(func() error { return crowd.work(w) })
	}
	for round := range rounds {
		time.Sleep(time.Duration(100+rand.IntN(500)) * time.Millisecond)
		victims := []string{names[rand.IntN(len(names))]}
		switch round % 5 {
		case 1:
			victims = []string{names[0]} // the log where it is a part
		case 3:
			victims = names // a power cut for processes
		}
		for _, v := range victims {
			s.kill(v)
		}
		time.Sleep(time.Duration(rand.IntN(200)) * time.Millisecond)
		for _, v := range victims {
			s.start(v)
		}
	}
	time.Sleep(300 * time.Millisecond)
	close(crowd.stop)
	if err := crowd.Wait(); err != nil {
		t.Fatalf("a worker was told what it can't have been: %v\n%s", err, s.said())
	}
	t.Logf("%d rounds, %d commands acknowledged, %d refused, %d said again", rounds, len(crowd.acks), len(crowd.refusals), client.Retries.Load())
	if len(crowd.acks) < 20 {
		t.Fatalf("only %d commands came through: this shows nothing", len(crowd.acks))
	}
	s.verify(ctx, crowd)
}

func furnish(ctx context.Context, t *testing.T, c *demo.Client) {
	t.Helper()
	put := func(path string, body map[string]any) {
		if _, err := c.Do(ctx, http.MethodPut, path, "", "furnish"+path, body); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	put("/v1/departments/support", object{"name": "Support"})
	put("/v1/channels/web", object{"type": "generic", "name": "Web", "department": "support"})
	for _, id := range []string{"ana", "beto"} {
		put("/v1/operators/"+id, object{"name": id, "role": "operator", "departments": []string{"support"}})
	}
}

// crowd talks to the desk and remembers what it was told.
type crowd struct {
	client *demo.Client
	ctx    context.Context
	stop   chan struct{}

	wg       sync.WaitGroup
	mu       sync.Mutex
	acks     []ack
	refusals []refusal
	failed   error
}

// ack is an acknowledged command: a commit at a position of a conversation and, for a message, its text, said once.
type ack struct {
	what         string
	position     domain.Position
	commit       string
	conversation string
	text         string
}

// refusal is a lost take: who was said to own the conversation.
type refusal struct{ conversation, owner string }

func (c *crowd) Go(fn func() error) {
	c.wg.Go(func() {
		if err := fn(); err != nil {
			c.mu.Lock()
			c.failed = errors.Join(c.failed, err)
			c.mu.Unlock()
		}
	})
}

func (c *crowd) Wait() error {
	c.wg.Wait()
	return c.failed
}

func (c *crowd) work(w int) error {
	for n := 0; ; n++ {
		select {
		case <-c.stop:
			return nil
		default:
		}
		if err := c.story(fmt.Sprintf("w%d-%d", w, n)); err != nil {
			return err
		}
	}
}

// story is one conversation: opened, raced for by two, talked in and closed.
func (c *crowd) story(id string) error {
	conversation, err := c.say(id+"-hello", "/v1/channels/web/messages", "contact", id+" hello", object{
		"message_id": id, "from": object{"address": id}, "text": id + " hello"})
	if err != nil {
		return err
	}
	path := "/v1/conversations/" + conversation
	var race sync.WaitGroup
	operators, took, errs := []string{"ana", "beto"}, make([]bool, 2), make([]error, 2)
	for i, op := range operators {
		race.Go(func() {
			got, err := c.say(id+"-take-"+op, path+"/take", "operator:"+op, "", object{})
			took[i], errs[i] = got != "", err
		})
	}
	race.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if took[0] == took[1] {
		return fmt.Errorf("%s: of two who took it, told that they have it: %v", id, took)
	}
	owner := operators[slices.Index(took, true)]
	for k := range 3 {
		text := fmt.Sprintf("%s answer %d", id, k)
		if _, err := c.say(fmt.Sprintf("%s-answer-%d", id, k), path+"/messages", "operator:"+owner, text, object{"text": text}); err != nil {
			return err
		}
	}
	_, err = c.say(id+"-close", path+"/close", "operator:"+owner, "", object{})
	return err
}

// say sends a command until it has an answer, and notes the answer.
func (c *crowd) say(key, path, actor, text string, body object) (conversation string, err error) {
	a, err := c.client.Do(c.ctx, http.MethodPost, path, actor, key, body)
	c.mu.Lock()
	defer c.mu.Unlock()
	var p *demo.Problem
	if errors.As(err, &p) && p.Code == "taken_by_another" {
		c.refusals = append(c.refusals, refusal{strings.Split(path, "/")[3], p.Owner.ID})
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", key, err)
	}
	id := a.Conversation.ID
	if id == "" {
		id = strings.Split(path, "/")[3]
	}
	got := ack{what: key, position: domain.Position(a.Position), conversation: id, text: text}
	if len(a.Events) > 0 {
		got.commit, _, _ = strings.Cut(a.Events[0].ID, ".")
	}
	c.acks = append(c.acks, got)
	return id, nil
}

// stage is where the processes run.
type stage struct {
	t      *testing.T
	binary string
	dir    string
	url    string
	parts  map[string][]string

	running map[string]*exec.Cmd
	ended   map[string]chan struct{}
}

func newStage(t *testing.T, binary string, parts map[string][]string) *stage {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := &stage{
		t: t, binary: binary, dir: t.TempDir(), url: "http://" + l.Addr().String(), parts: parts,
		running: map[string]*exec.Cmd{}, ended: map[string]chan struct{}{},
	}
	t.Cleanup(func() {
		for name := range s.running {
			s.kill(name)
		}
	})
	return s
}

// names are the parts, the log first where it is one.
func (s *stage) names() []string {
	var names []string
	for name := range s.parts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		switch {
		case a == "log":
			return -1
		case b == "log":
			return 1
		}
		return strings.Compare(a, b)
	})
	return names
}

func (s *stage) start(name string) {
	s.t.Helper()
	args := slices.Concat([]string{"--log-level", "warn"}, s.parts[name], []string{"--data", filepath.Join(s.dir, "data")})
	if name == "engine" {
		args = append(args, "--http", strings.TrimPrefix(s.url, "http://"))
	}
	out, err := os.OpenFile(filepath.Join(s.dir, name+".out"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(s.binary, args...)
	cmd.Env = append(os.Environ(), "TURNO_ADMIN_TOKEN="+adminToken)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // killed, mostly
	}()
	s.running[name], s.ended[name] = cmd, ended
}

func (s *stage) kill(name string) {
	_ = s.running[name].Process.Signal(syscall.SIGKILL)
	<-s.ended[name]
}

// said is what the processes logged last.
func (s *stage) said() string {
	var all strings.Builder
	for name := range s.parts {
		data, _ := os.ReadFile(filepath.Join(s.dir, name+".out"))
		fmt.Fprintf(&all, "--- %s\n%s\n", name, data[max(0, len(data)-2000):])
	}
	return all.String()
}

// verify compares what the crowd was told with the log, and each view with one built anew.
func (s *stage) verify(ctx context.Context, c *crowd) {
	s.t.Helper()
	p := &program{ctx: ctx, getenv: env(nil), log: zap.NewNop(), meters: telemetry.New("")}
	r, err := openToJoin(p, logFlags{Data: filepath.Join(s.dir, "data"), Workspace: "default"})
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.close()
	log := s.read(ctx, r)
	for _, a := range c.acks {
		commit, ok := log.at[a.position]
		switch {
		case !ok:
			s.t.Errorf("%s was acknowledged at %d, where the log holds nothing", a.what, a.position)
		case commit.Conversation != a.conversation || a.commit != "" && commit.ID != a.commit:
			s.t.Errorf("%s was acknowledged as commit %s of %s at %d, which is commit %s of %s",
				a.what, a.commit, a.conversation, a.position, commit.ID, commit.Conversation)
		case a.text != "" && log.texts[a.text] != 1:
			s.t.Errorf("%s was acknowledged and is %d times in the log", a.what, log.texts[a.text])
		}
	}
	for text, n := range log.texts {
		if n > 1 {
			s.t.Errorf("%q is %d times in the log", text, n)
		}
	}
	for id, n := range log.commits {
		if n > 1 {
			s.t.Errorf("commit %s is %d times in the log", id, n)
		}
	}
	for conversation, owners := range log.owners {
		if len(owners) != 1 {
			s.t.Errorf("%s was taken by %v: it was raced for once", conversation, owners)
		}
	}
	for _, lost := range c.refusals {
		if !slices.Contains(log.owners[lost.conversation], lost.owner) {
			s.t.Errorf("somebody was told that %s owns %s; it was taken by %v", lost.owner, lost.conversation, log.owners[lost.conversation])
		}
	}
	s.compareViews(ctx, r)
}

type readLog struct {
	at      map[domain.Position]domain.Commit
	commits map[string]int
	texts   map[string]int
	owners  map[string][]string
}

func (s *stage) read(ctx context.Context, r *reading) readLog {
	s.t.Helper()
	l := readLog{at: map[domain.Position]domain.Commit{}, commits: map[string]int{}, texts: map[string]int{}, owners: map[string][]string{}}
	err := r.store.Read(ctx, 0, projections.ReadOptions{Open: true, ToHead: true}, func(chunk []domain.Commit) error {
		for _, c := range chunk {
			l.at[c.Position] = c
			l.commits[c.ID]++
			for _, e := range c.Events {
				switch e := e.(type) {
				case thread.MessageReceived:
					l.texts[string(e.Text)]++
				case thread.MessageSent:
					l.texts[string(e.Text)]++
				case thread.Taken:
					l.owners[c.Conversation] = append(l.owners[c.Conversation], e.Operator)
				}
			}
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return l
}

func (s *stage) compareViews(ctx context.Context, r *reading) {
	s.t.Helper()
	views, err := sqlstore.Open(r.dir, sqlstore.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	defer views.Close()
	tracker, err := projections.NewTracker(r.store, views.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	defer tracker.Close()
	head, err := r.store.Head(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, name := range projectionNames {
		waiting, cancel := context.WithTimeout(ctx, time.Minute)
		err := tracker.Wait(waiting, name, head)
		cancel()
		if err != nil {
			s.t.Errorf("%v\n%s", err, s.said())
			continue
		}
		projection, err := newProjection(name, r)
		if err != nil {
			s.t.Fatal(err)
		}
		fresh, err := sqlstore.Rebuild(ctx, r.store, projection, projections.Options{})
		if err != nil {
			s.t.Fatal(err)
		}
		grown, err := sqlstore.Digest(ctx, views.Reader(name))
		if err != nil {
			s.t.Fatal(err)
		}
		if grown != fresh {
			s.t.Errorf("the view %s differs from one that is built anew", name)
		}
	}
}
