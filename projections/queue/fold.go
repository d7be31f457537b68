package queue

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

const (
	in  = "in"
	out = "out"

	// mostPreview is how many characters of a message a list shows.
	mostPreview = 200
	// placeBits is how far a position stands to the left in a place; a commit has fewer than 2^7 events.
	placeBits = 7
)

// place is where something happened: at a position, and which in its commit.
func place(position, ordinal int64) int64 { return position<<placeBits | ordinal }

func (b *batch) fold(c *domain.Commit) error {
	erased := false
	for _, e := range c.Events {
		if _, is := e.(thread.Erased); is {
			erased = true
		}
	}
	if c.Conversation != "" {
		if err := b.foldConversation(c); err != nil {
			return err
		}
	}
	if erased {
		return b.blank(c)
	}
	return nil
}

func (b *batch) foldConversation(c *domain.Commit) error {
	if c.Opened == 0 || c.After == nil {
		return errors.New("a commit of a conversation without its opening or without its sight")
	}
	var conv *conversation
	if o, opens := opening(c); opens {
		conv = &conversation{conv: int64(c.Position), workspace: c.Aggregate.Workspace}
		b.p.open[conv.conv] = conv
		b.p.conversations.Add(conv.conv, conv.workspace, c.Conversation, o.Ticket, o.Contact, string(o.Name), string(o.Address),
			o.Channel, string(o.Direction), c.Time.UnixMilli())
	} else {
		var err error
		if conv, err = b.find(int64(c.Opened)); err != nil {
			return err
		}
	}
	m := moments{batch: b, conv: conv, commit: c}
	next := conv.now
	next.see(c.After)
	if next.state != conv.now.state {
		next.since = c.Time.UnixMilli()
	}
	for _, e := range c.Events {
		m.event(&next, e)
	}
	m.end()
	b.become(conv, next, int64(c.Position))
	return nil
}

func opening(c *domain.Commit) (thread.Opened, bool) {
	for _, e := range c.Events {
		if o, is := e.(thread.Opened); is {
			return o, true
		}
	}
	return thread.Opened{}, false
}

// become ends the conversation's interval when what it is has changed.
func (b *batch) become(c *conversation, next interval, position int64) {
	if c.now.from != 0 && next.same(c.now) {
		return
	}
	if c.now.from != 0 {
		if c.written {
			b.ended = append(b.ended, ended{from: c.now.from, to: position})
		} else {
			b.p.intervals.Add(c.now.values(c, position)...)
		}
	}
	next.from = position
	c.now, c.written = next, false
	if !c.touched {
		c.touched = true
		b.touched = append(b.touched, c)
	}
	if next.state == stateClosed {
		b.closed = append(b.closed, c.conv)
	}
}

// moments makes the rows of one commit: one for each message, and one for a commit without any.
type moments struct {
	batch  *batch
	conv   *conversation
	commit *domain.Commit

	ordinal int64
	pending bool // a message whose row waits for the marks after the commit
	last    message
}

type message struct {
	place   int64
	dir     string
	kind    thread.Kind
	number  int
	preview string
}

func (m *moments) event(next *interval, event domain.Event) {
	conv := m.conv
	switch e := event.(type) {
	case thread.MessageReceived:
		m.message(in, e.Message, e.Content)
		if next.state == stateClosed {
			break // it answers a survey, and waits for nobody
		}
		conv.unread = append(conv.unread, m.last.number)
		if conv.waitingSince == 0 {
			conv.waitingSince = m.commit.Time.UnixMilli()
		}
	case thread.MessageSent:
		m.message(out, e.Message, e.Content)
		if e.Sender != thread.SenderMachine {
			conv.unread, conv.waitingSince = conv.unread[:0], 0
		}
	case thread.Read:
		conv.read(number(e.Message))
	case thread.Paused:
		next.moved()
		if e.Until != nil {
			next.pausedUntil = e.Until.UnixMilli()
		}
	case thread.Queued, thread.Taken, thread.Resumed:
		next.moved()
	case thread.Closed:
		next.moved()
		conv.waitingSince = 0
	case thread.Offered:
		next.offeredTo, next.offeredUntil = join(e.Operators), e.Until.UnixMilli()
	case thread.OfferDeclined:
		next.offeredTo = without(next.offeredTo, []string{e.Operator})
	case thread.OfferEnded:
		next.offeredTo, next.offeredUntil = "", 0
	case thread.Alerted:
		next.alerts = alerted(next.alerts, e, m.commit.Time)
	case thread.Tagged:
		next.tags = union(next.tags, e.Tags)
	case thread.Untagged:
		next.tags = without(next.tags, e.Tags)
	}
}

func (m *moments) message(dir, id string, content thread.Content) {
	m.write()
	m.conv.messages++
	n := number(id)
	if n == 0 {
		n = m.conv.messages
	}
	m.last = message{
		place: place(int64(m.commit.Position), m.ordinal), dir: dir, kind: content.Kind, number: n, preview: preview(content.Text),
	}
	m.pending = true
	m.conv.line = m.last.place
	m.ordinal++
}

func (m *moments) write() {
	if !m.pending {
		return
	}
	m.pending = false
	m.row(m.last)
}

// end writes what is left; a commit without a message gets a row of its own, since it moves the revision.
func (m *moments) end() {
	if !m.pending {
		m.last = message{place: place(int64(m.commit.Position), 0)}
	}
	m.pending = false
	m.row(m.last)
}

func (m *moments) row(r message) {
	m.batch.p.moments.Add(m.conv.conv, r.place, m.commit.Time.UnixMilli(), r.dir, string(r.kind), r.number, r.preview,
		len(m.conv.unread), m.conv.waitingSince, m.conv.line)
}

// read forgets the unread messages up to number k.
func (c *conversation) read(k int) {
	i, found := slices.BinarySearch(c.unread, k)
	if found {
		i++
	}
	c.unread = c.unread[i:]
}

// number is the k of "<conversation>-m<k>", or 0.
func number(message string) int {
	i := strings.LastIndex(message, "-m")
	if i < 0 {
		return 0
	}
	k, err := strconv.Atoi(message[i+2:])
	if err != nil || k < 1 {
		return 0
	}
	return k
}

// preview is the beginning of a text. It is empty only where the text is: an erasure must leave the same marks on it as on
// a view that never saw the text.
func preview(text domain.Personal) string {
	if len(text) <= mostPreview {
		return string(text)
	}
	n := 0
	for i := range text {
		if n == mostPreview {
			return string(text[:i])
		}
		n++
	}
	return string(text)
}

func union(tags string, more []string) string {
	all := append(split(tags), more...)
	slices.Sort(all)
	return join(slices.Compact(all))
}

func without(tags string, less []string) string {
	return join(slices.DeleteFunc(split(tags), func(t string) bool { return slices.Contains(less, t) }))
}

// alerted is the alerts that stand with one more.
func alerted(alerts string, e thread.Alerted, at time.Time) string {
	var all []Alert
	if alerts != "" {
		_ = json.Unmarshal([]byte(alerts), &all) // this wrote it
	}
	data, _ := json.Marshal(append(all, Alert{Cause: string(e.Cause), Operator: e.Operator, Role: e.Role, At: projections.Millis(at.UnixMilli())}))
	return string(data)
}

// blank wipes the personal texts of all of a thread's conversations.
func (b *batch) blank(c *domain.Commit) error {
	if err := b.write(b.ctx); err != nil {
		return err
	}
	id := c.Aggregate.ID
	const these = `SELECT conv FROM conversation WHERE workspace = ?1 AND id > ?2 AND id < ?3`
	for _, update := range []string{
		`UPDATE moment SET preview = ?4 WHERE preview <> '' AND conv IN (` + these + `)`,
		`UPDATE conversation SET name = CASE WHEN name = '' THEN '' ELSE ?4 END, address = CASE WHEN address = '' THEN '' ELSE ?4 END WHERE conv IN (` + these + `)`,
	} {
		// '.' follows '-', so this is every id that begins with "<thread>-".
		if _, err := b.tx.ExecContext(b.ctx, update, c.Aggregate.Workspace, id+"-", id+".", string(domain.Erased)); err != nil {
			return fmt.Errorf("blank an erased thread: %w", err)
		}
	}
	return nil
}
