package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/turno-desk/turno/cmd/turno/demo"
	"github.com/turno-desk/turno/domain"
)

// crowd talks to the desk and remembers what it was told.
type crowd struct {
	name   string // what its messages begin with
	client *demo.Client
	ctx    context.Context
	stop   chan struct{}
	// stories, when it is not nil, gives leave for one story with each number; otherwise they are told until stop.
	stories chan int

	wanted   atomic.Int64 // stories
	begun    atomic.Int64
	told     atomic.Int64
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
		if c.stories != nil {
			select {
			case <-c.stop:
				return nil
			case n = <-c.stories:
			}
		}
		select {
		case <-c.stop:
			return nil
		default:
		}
		if err := c.story(fmt.Sprintf("%sw%d-%d", c.name, w, n)); err != nil {
			return err
		}
		c.told.Add(1)
	}
}

// tell gives leave for n stories more.
func (c *crowd) tell(n int) {
	for range n {
		select {
		case c.stories <- int(c.begun.Add(1)):
		case <-c.stop:
			return
		}
	}
}

// await waits until n stories have been told to their end.
func (c *crowd) await(t *testing.T, n int) {
	t.Helper()
	for c.told.Load() < int64(n) {
		c.mu.Lock()
		failed := c.failed
		c.mu.Unlock()
		if failed != nil || c.ctx.Err() != nil {
			t.Fatalf("%d of %d stories were told: %v", c.told.Load(), n, errors.Join(failed, c.ctx.Err()))
		}
		time.Sleep(5 * time.Millisecond)
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
