package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/turno-desk/turno/domain"
)

// applier does what one line says, under an idempotency key. done is false when that changed nothing.
// Errors: *domain.Refusal for a line that is refused, anything else for a failure of the machinery.
type applier interface {
	apply(ctx context.Context, l *line, key, bodyHash string) (done bool, err error)
}

// importer reads a file line by line. Lines of different threads are applied at the same time, those of one thread one
// after the other; a line about somebody's presence is in its order with all lines that they have to do with, and any other line about the
// desk waits for all before it, and all behind it wait for it.
type importer struct {
	apply    applier
	hash     func(line []byte) string // keyed: what is kept of a line must not tell its text
	strict   bool
	parallel int                            // how many threads at once
	bad      func(number int, reason error) // called for every line that is skipped, one at a time
	patience time.Duration                  // how long a line is tried again while the log can't be reached

	lines   atomic.Int64 // read
	done    atomic.Int64 // applied
	idle    atomic.Int64 // changed nothing: an earlier run applied them, or what they say is so already
	skipped atomic.Int64 // bad
}

// numbered is a line on its way to a worker.
type numbered struct {
	line   *line
	number int
	key    string
	body   string

	wait, done func() // before it is applied, and when it is dealt with
}

// run imports everything in r. It returns the first failure of the machinery, or with strict the first bad line; what was
// applied until then stays, and the same file can be imported again: nothing is doubled.
func (i *importer) run(ctx context.Context, r io.Reader) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var working, busy sync.WaitGroup // the workers; the lines that they have not finished
	var reporting sync.Mutex
	bad := func(n int, reason error) {
		reporting.Lock()
		defer reporting.Unlock()
		i.skipped.Add(1)
		i.bad(n, reason)
		if i.strict {
			cancel(fmt.Errorf("line %d: %w", n, reason))
		}
	}
	do := func(n numbered) {
		done, err := i.insist(ctx, n)
		var refused *domain.Refusal
		switch {
		case errors.As(err, &refused):
			bad(n.number, refused)
		case err != nil:
			cancel(fmt.Errorf("line %d: %w", n.number, err))
		case done:
			i.done.Add(1)
		default:
			i.idle.Add(1)
		}
	}
	queues := make([]chan numbered, max(1, i.parallel))
	for k := range queues {
		queues[k] = make(chan numbered, 16)
		working.Go(func() {
			for n := range queues[k] {
				n.wait()
				if ctx.Err() == nil {
					do(n)
				}
				n.done()
				busy.Done()
			}
		})
	}
	seed, places := maphash.MakeSeed(), newOrder()
	malformed := func(n int, reason error) {
		if i.strict { // a line before it may be the first bad one
			busy.Wait()
		}
		if ctx.Err() == nil {
			bad(n, reason)
		}
	}
	err := i.read(ctx, r, malformed, func(n numbered) {
		if s := n.line.setting; s != nil && !s.presence() {
			busy.Wait()
			if ctx.Err() == nil {
				do(n)
			}
			return
		}
		n.wait, n.done = places.place(n.line)
		busy.Add(1)
		queues[maphash.String(seed, n.line.about())%uint64(len(queues))] <- n
	})
	for _, q := range queues {
		close(q)
	}
	working.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// read hands every good line to next, with its number and its key: a hash of its bytes and of how many identical ones came
// before it, so that a line is the same command whenever the file is imported.
func (i *importer) read(ctx context.Context, r io.Reader, bad func(int, error), next func(numbered)) error {
	seen := map[uint64]int32{} // two lines of one hash are told apart all the same, in whichever order they come: that of the file
	lines := bufio.NewReaderSize(r, 1<<16)
	for number := 1; ctx.Err() == nil; number++ {
		data, tooLong, err := readLine(lines)
		if err != nil && err != io.EOF {
			return fmt.Errorf("read line %d: %w", number, err)
		}
		if len(data) > 0 || tooLong {
			i.lines.Add(1)
			sum := sha256.Sum256(data)
			id := binary.BigEndian.Uint64(sum[:])
			ordinal := seen[id]
			seen[id]++
			l, wrong := parseLine(data)
			switch {
			case tooLong:
				bad(number, fmt.Errorf("the line is longer than %d bytes", maxLine))
			case wrong != nil:
				bad(number, wrong)
			default:
				hash := i.hash(data)
				next(numbered{line: l, number: number, key: hash + "-" + strconv.Itoa(int(ordinal)), body: hash})
			}
		}
		if err == io.EOF {
			return nil
		}
	}
	return nil
}

// insist applies a line, and again with a growing pause while the log can't be reached or an outcome is unknown: the key
// makes that safe.
func (i *importer) insist(ctx context.Context, n numbered) (done bool, err error) {
	begun := time.Now()
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		done, err = i.apply.apply(ctx, n.line, n.key, n.body)
		if err == nil || !passing(err) || time.Since(begun) > i.patience {
			return done, err
		}
		select {
		case <-ctx.Done():
			return false, err
		case <-time.After(pause):
		}
	}
}

// readLine reads up to the next newline, which is not part of the line, nor are spaces around it. A line over maxLine is
// read to its end and not kept.
func readLine(r *bufio.Reader) (data []byte, tooLong bool, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if !tooLong {
			data = append(data, part...)
			if len(data) > maxLine+2 {
				data, tooLong = nil, true
			}
		}
		if err != bufio.ErrBufferFull {
			return trim(data), tooLong, err
		}
	}
}

func trim(b []byte) []byte {
	for len(b) > 0 && space(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	for len(b) > 0 && space(b[0]) {
		b = b[1:]
	}
	return b
}

func space(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
