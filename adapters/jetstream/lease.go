package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// leaseSpan is how long after a majority of a stream's servers heard from the leader its word is believed. They wait at least
// four seconds in silence before they choose another; the fourth is for clocks that go at different speeds.
const leaseSpan = 3 * time.Second

// errUnled says that whoever answers as the leader has not heard from a majority lately: another may lead by now.
var errUnled = errors.New("the leader does not hear from a majority of its servers")

// lease is until when there can be no other leader than the one that answers. A leader that is cut off from the others goes
// on answering reads for ten seconds, while they choose a new one and write on: what it says then is out of date, and a
// refusal that rests on it would be a lie.
type lease struct {
	turn  chan struct{} // holds one token: who has it may look and renew
	until time.Time
}

func newLease() lease {
	l := lease{turn: make(chan struct{}, 1)}
	l.turn <- struct{}{}
	return l
}

// led returns until when the leader's answers are to be believed, having asked it anew where that was over.
func (s *Store) led(ctx context.Context) (until time.Time, err error) {
	select {
	case <-s.lease.turn:
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	}
	defer func() { s.lease.turn <- struct{}{} }()
	if time.Now().Before(s.lease.until) {
		return s.lease.until, nil
	}
	for {
		info, asked, err := s.info(ctx)
		if err != nil {
			return time.Time{}, err
		}
		if s.lease.until = info.ledUntil(asked); time.Now().Before(s.lease.until) {
			return s.lease.until, nil
		}
		s.pause(ctx, retryAfter)
		if ctx.Err() != nil {
			return time.Time{}, errUnled
		}
	}
}

// believed does a read of the leader's until it was answered while the leader was to be believed, or the Store's timeout is
// over. A log of one server has nobody who could lead instead.
func (s *Store) believed(ctx context.Context, read func(context.Context) error) error {
	if !s.replicas {
		return read(ctx)
	}
	ctx, cancel := s.within(ctx)
	defer cancel()
	for {
		until, err := s.led(ctx)
		if err != nil {
			return err
		}
		if err := read(ctx); err != nil {
			return err
		}
		if time.Now().Before(until) {
			return nil
		}
	}
}

// streamInfo is what is read of the leader's answer about the stream.
type streamInfo struct {
	Error *jetstream.APIError `json:"error"`
	State struct {
		LastSeq uint64 `json:"last_seq"`
	} `json:"state"`
	Cluster struct {
		Replicas []struct {
			Active time.Duration `json:"active"` // since it was heard; 0: never
		} `json:"replicas"`
	} `json:"cluster"`
}

// info asks the leader about the stream. asked is when, the last time that it was.
func (s *Store) info(ctx context.Context) (info streamInfo, asked time.Time, err error) {
	asked = time.Now()
	msg, err := s.persist(ctx, "$JS.API.STREAM.INFO."+StreamName, nil)
	if err != nil {
		return info, asked, err
	}
	if err := json.Unmarshal(msg.Data, &info); err != nil {
		return info, asked, fmt.Errorf("what the leader says about the stream: %w", err)
	}
	if info.Error != nil {
		return info, asked, info.Error
	}
	return info, asked, nil
}

// ledUntil is how long the one that gave this answer leads for sure, when it was asked at a moment.
func (i streamInfo) ledUntil(asked time.Time) time.Time {
	var heard []time.Duration
	for _, r := range i.Cluster.Replicas {
		if r.Active > 0 {
			heard = append(heard, r.Active)
		}
	}
	slices.Sort(heard)
	needed := (len(i.Cluster.Replicas) + 1) / 2 // besides the leader itself
	if needed == 0 || len(heard) < needed {
		return time.Time{}
	}
	return asked.Add(leaseSpan - heard[needed-1])
}
