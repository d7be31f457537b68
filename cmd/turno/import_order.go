package main

import (
	"sync"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

// order keeps what a line has to wait for besides the lines of its own thread, so that the log tells of every operator in the
// order of the file: a line about their presence comes behind all earlier ones that they have to do with, and before the later
// ones. It belongs to the reader of the file. A line waits for earlier ones alone, so the earliest unfinished one can always go on.
type order struct {
	presence map[string]chan struct{}   // by operator: closed when the newest line about their presence is done
	work     map[string]*sync.WaitGroup // by operator: the lines since then that they have to do with
	owner    map[string]string          // by thread: who owns its open conversation, as far as the file has told
}

func newOrder() *order {
	return &order{presence: map[string]chan struct{}{}, work: map[string]*sync.WaitGroup{}, owner: map[string]string{}}
}

// place says what the line waits for, and what to call when it is done.
func (o *order) place(l *line) (wait, done func()) {
	var waits, dones []func()
	if s := l.setting; s != nil {
		if working := o.work[s.id]; working != nil {
			waits = append(waits, working.Wait)
		}
		over := make(chan struct{})
		o.presence[s.id], o.work[s.id] = over, &sync.WaitGroup{}
		dones = append(dones, func() { close(over) })
	}
	for id := range o.concerned(l) {
		if over := o.presence[id]; over != nil {
			waits = append(waits, func() { <-over })
		}
		if o.work[id] == nil {
			o.work[id] = &sync.WaitGroup{}
		}
		o.work[id].Add(1)
		dones = append(dones, o.work[id].Done)
	}
	return all(waits), all(dones)
}

func all(fns []func()) func() {
	return func() {
		for _, fn := range fns {
			fn()
		}
	}
}

// concerned are the operators that a line about a conversation has to do with: who acts, who is named, who owns it before and
// after.
func (o *order) concerned(l *line) map[string]struct{} {
	if l.setting != nil {
		return nil
	}
	ids := map[string]struct{}{}
	note := func(id string) {
		if id != "" {
			ids[id] = struct{}{}
		}
	}
	actor := ""
	if l.actor.Kind == domain.ActorOperator {
		actor = l.actor.ID
	}
	owner := o.owner[l.about()]
	note(actor)
	note(owner)
	switch c := l.command.(type) {
	case thread.Take, thread.Accept, thread.Reopen:
		owner = actor
	case thread.Send:
		if actor != "" {
			owner = actor
		}
	case thread.Distribute:
		owner = c.Operator
	case thread.Assign:
		owner = c.Operator
	case thread.Transfer:
		owner = c.Operator
	case thread.Release, thread.Close, thread.EndSession, thread.Ignore:
		owner = ""
	}
	if l.outbound != nil {
		owner = actor
	}
	note(owner)
	if owner == "" {
		delete(o.owner, l.about())
	} else {
		o.owner[l.about()] = owner
	}
	return ids
}
