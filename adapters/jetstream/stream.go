package jetstream

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	prefix     = "turno."
	everything = prefix + ">"

	// duplicateWindow is how long the server remembers command ids, at 135 bytes of memory each. What is older is found by
	// walking the aggregate.
	duplicateWindow = 2 * time.Minute
)

func streamConfig(replicas int) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:               StreamName,
		Description:        "The log of Turno. Append-only: a lost message is a lost fact.",
		Subjects:           []string{everything},
		Storage:            jetstream.FileStorage,
		Retention:          jetstream.LimitsPolicy,
		Discard:            jetstream.DiscardNew,
		MaxMsgs:            -1,
		MaxBytes:           -1,
		MaxMsgsPerSubject:  -1,
		MaxMsgSize:         -1,
		MaxConsumers:       -1,
		DenyDelete:         true,
		DenyPurge:          true,
		AllowDirect:        true,
		AllowAtomicPublish: true,
		Duplicates:         duplicateWindow,
		Replicas:           replicas,
	}
}

// ensureStream returns the stream's configuration, having created it where there was none and checked it.
func (s *Store) ensureStream(ctx context.Context) (jetstream.StreamConfig, error) {
	ctx, cancel := s.within(ctx)
	defer cancel()
	stream, err := s.js.Stream(ctx, StreamName)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if s.opts.ReadOnly {
			return jetstream.StreamConfig{}, ErrNoLog
		}
		if err := s.refuseToOverwrite(); err != nil {
			return jetstream.StreamConfig{}, err
		}
		stream, err = s.js.CreateStream(ctx, streamConfig(s.opts.Replicas))
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // somebody else was faster
			stream, err = s.js.Stream(ctx, StreamName)
		}
	}
	if err != nil {
		return jetstream.StreamConfig{}, wrap(ctx, "find the stream", err)
	}
	info := stream.CachedInfo()
	weak := weaknesses(info.Config, s.opts.Replicas)
	if st := info.State; st.NumDeleted > 0 || st.FirstSeq > 1 {
		weak = append(weak, fmt.Sprintf("messages are missing: it begins at %d and %d of it are gone", st.FirstSeq, st.NumDeleted))
	}
	unfinished := false
	mirrors := s.js.ListStreams(ctx)
	for other := range mirrors.Info() {
		if other.Config.Name == unfinishedStream && !s.unfinished {
			unfinished = true
		}
		if m := other.Config.Mirror; m != nil && m.Name == StreamName && other.Config.MirrorDirect {
			weak = append(weak, "stream "+other.Config.Name+" mirrors it with mirror_direct and answers reads in its place, stale")
		}
	}
	if err := mirrors.Err(); err != nil {
		return jetstream.StreamConfig{}, wrap(ctx, "list the streams", err)
	}
	if unfinished {
		return jetstream.StreamConfig{}, ErrUnfinished
	}
	if len(weak) > 0 {
		return jetstream.StreamConfig{}, fmt.Errorf("stream %s is too weak for a log: %s", StreamName, strings.Join(weak, "; "))
	}
	return info.Config, nil
}

// refuseToOverwrite guards against a server that does not report the stream though its files are there: when it can't read
// them (a wrong encryption key), creating the stream anew would delete them.
func (s *Store) refuseToOverwrite() error {
	store := filepath.Join(s.opts.Dir, logDir)
	switch {
	case s.opts.Host != nil:
		store = s.opts.Host.store
	case s.opts.Dir == "":
		return nil
	}
	found, err := filepath.Glob(filepath.Join(store, "jetstream", "*", "streams", StreamName))
	if err != nil {
		return err
	}
	for _, path := range found {
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("the files of stream %s are in %s, but the server can't read them: nothing is created over them", StreamName, path)
		}
	}
	return nil
}

// weaknesses names every way in which a stream promises less than the log needs.
func weaknesses(c jetstream.StreamConfig, replicas int) []string {
	var weak []string
	check := func(bad bool, what string) {
		if bad {
			weak = append(weak, what)
		}
	}
	check(!slices.Equal(c.Subjects, []string{everything}), fmt.Sprintf("its subjects are %v, not %s", c.Subjects, everything))
	check(c.Storage != jetstream.FileStorage, "it is kept in memory")
	check(c.PersistMode == jetstream.AsyncPersistMode, "it acknowledges before it has written (asynchronous persistence)")
	check(c.Replicas < replicas, fmt.Sprintf("it has %d replicas, %d are configured", c.Replicas, replicas))
	check(c.Retention != jetstream.LimitsPolicy, "it deletes what was consumed")
	check(c.Discard != jetstream.DiscardNew, "it discards the oldest")
	check(c.MaxMsgs > 0, "it limits the number of messages (max_msgs)")
	check(c.MaxBytes > 0, "it limits its size (max_bytes)")
	check(c.MaxAge > 0, "it deletes by age (max_age)")
	check(c.MaxMsgsPerSubject > 0, "it limits the messages of a subject (max_msgs_per_subject)")
	check(c.MaxMsgSize > 0, "it limits the size of a message (max_msg_size)")
	check(!c.DenyDelete, "it allows deletes (deny_delete is off)")
	check(!c.DenyPurge, "it allows purges (deny_purge is off)")
	check(c.AllowRollup, "it allows roll-ups (allow_rollup_hdrs)")
	check(c.AllowMsgTTL, "its messages may expire (allow_msg_ttl)")
	check(c.AllowMsgSchedules, "it takes schedules (allow_msg_schedules)")
	check(c.AllowMsgCounter, "it is a counter (allow_msg_counter)")
	check(!c.AllowDirect, "it has no direct reads (allow_direct is off)")
	check(!c.AllowAtomicPublish, "it has no atomic batches (allow_atomic is off)")
	check(c.NoAck, "it does not acknowledge (no_ack)")
	check(c.Sealed, "it is sealed")
	check(c.Mirror != nil || len(c.Sources) > 0, "it is filled from another stream")
	check(c.SubjectTransform != nil, "it changes subjects")
	check(c.Duplicates <= 0, "it knows no duplicates (duplicate_window)")
	return weak
}
