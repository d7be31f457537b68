package codec

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

// Decode reads what Encode wrote, in any version. With open, personal values are opened, and read domain.Erased where their
// key was destroyed; without, they hold compact JWE. Unknown attributes and unknown fields of an event are passed over; an
// unknown type of event is an error, as is every other departure from the format. Position, Version, Prev and Opened of the
// commit are left for the log to set.
func (c *Codec) Decode(ctx context.Context, data []byte, open bool) (domain.Commit, error) {
	commit, err := c.decode(ctx, data, open)
	if err != nil {
		return domain.Commit{}, fmt.Errorf("decode commit: %w", err)
	}
	return commit, nil
}

func (c *Codec) decode(ctx context.Context, data []byte, open bool) (domain.Commit, error) {
	var commit domain.Commit
	s := scanner{b: data}
	if !s.next('[') {
		return commit, s.errorf("want an array of events")
	}
	var first, e envelope
	var f convert
	for more := true; more; more = s.next(',') {
		i := len(commit.Events)
		e = envelope{}
		if err := e.read(&s, i == 0); err != nil {
			return commit, fmt.Errorf("event %d: %w", i, err)
		}
		if i == 0 {
			first = e
			if err := first.commit(&commit); err != nil {
				return commit, err
			}
			if open {
				f = (&opener{ctx: ctx, keys: c.keys, hint: commit.Key}).open
			}
		}
		event, err := c.event(&commit, &first, &e, f)
		if err != nil {
			return commit, fmt.Errorf("event %d: %w", i, err)
		}
		commit.Events = append(commit.Events, event)
	}
	if !s.next(']') || !s.end() {
		return commit, s.errorf("want the end of the array, and nothing behind it")
	}
	return commit, nil
}

// event reads one event of the commit that first began.
func (c *Codec) event(commit *domain.Commit, first, e *envelope, open convert) (domain.Event, error) {
	switch {
	case string(e.specVersion) != "1.0":
		return nil, fmt.Errorf("specversion %q, want 1.0", e.specVersion)
	case string(e.contentType) != "application/json":
		return nil, fmt.Errorf("datacontenttype %q, want application/json", e.contentType)
	case string(e.source) != string(first.source), string(e.subject) != string(first.subject), string(e.time) != string(first.time):
		return nil, errors.New("source, subject or time differ from the first event's")
	case !isIndexed(e.id, commit.ID, len(commit.Events)):
		return nil, fmt.Errorf("id %q, want %s.%d", e.id, commit.ID, len(commit.Events))
	case len(e.data) == 0 || e.data[0] != '{':
		return nil, errors.New("data is no object")
	}
	r, ok := c.kinds.read[string(e.typeName)]
	if !ok {
		return nil, fmt.Errorf("unknown type of event %q", e.typeName)
	}
	if r.category != commit.Aggregate.Category {
		return nil, fmt.Errorf("%s belongs to category %s, not to %s", e.typeName, r.category, commit.Aggregate.Category)
	}
	event, err := r.event(e.data, open)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.typeName, err)
	}
	return event, nil
}

// isIndexed reports whether id is "<commit>.<index>".
func isIndexed(id []byte, commit string, index int) bool {
	if len(id) <= len(commit)+1 || string(id[:len(commit)]) != commit || id[len(commit)] != '.' {
		return false
	}
	return string(id[len(commit)+1:]) == strconv.Itoa(index)
}

// envelope is an event as it stands in the batch: slices of the message, or of what was unescaped of it.
type envelope struct {
	specVersion, id, source, typeName, subject, time, contentType []byte
	data                                                          []byte
	facts                                                         facts
}

// facts are the extension attributes of the first event.
type facts struct {
	recorded, commit, actor, via, origin, image, key, ticket, contact, channel, bodyHash, trace []byte
	before, after                                                                               sight
}

type sight struct {
	state, department, owner, ownerAtClose, mentioned []byte
	archived, hidden                                  bool
}

// read reads one event. Facts of events other than the first are not looked at.
func (e *envelope) read(s *scanner, first bool) error {
	if !s.next('{') {
		return s.errorf("want an object")
	}
	if s.next('}') {
		return errors.New("an empty object")
	}
	for more := true; more; more = s.next(',') {
		name, err := s.text()
		if err != nil {
			return err
		}
		if !s.next(':') {
			return s.errorf("want ':' behind a name")
		}
		if err := e.attribute(s, name, first); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if !s.next('}') {
		return s.errorf("want the end of an object")
	}
	return nil
}

func (e *envelope) attribute(s *scanner, name []byte, first bool) (err error) {
	switch string(name) {
	case "specversion":
		e.specVersion, err = s.text()
	case "id":
		e.id, err = s.text()
	case "source":
		e.source, err = s.text()
	case "type":
		e.typeName, err = s.text()
	case "subject":
		e.subject, err = s.text()
	case "time":
		e.time, err = s.text()
	case "datacontenttype":
		e.contentType, err = s.text()
	case "data":
		e.data, err = s.value() // its type's decoding checks it
	default:
		if first {
			return e.facts.attribute(s, name)
		}
		return s.pass()
	}
	return err
}

func (f *facts) attribute(s *scanner, name []byte) (err error) {
	if t := f.text(name); t != nil {
		*t, err = s.text()
		return err
	}
	switch string(name) {
	case "archivedbefore":
		f.before.archived, err = s.truth()
	case "archivedafter":
		f.after.archived, err = s.truth()
	case "hiddenbefore":
		f.before.hidden, err = s.truth()
	case "hiddenafter":
		f.after.hidden, err = s.truth()
	default:
		err = s.pass()
	}
	return err
}

// text is where the text of this name belongs, or nil.
func (f *facts) text(name []byte) *[]byte {
	switch string(name) {
	case "recorded":
		return &f.recorded
	case "commit":
		return &f.commit
	case "actor":
		return &f.actor
	case "via":
		return &f.via
	case "origin":
		return &f.origin
	case "image":
		return &f.image
	case "key":
		return &f.key
	case "ticket":
		return &f.ticket
	case "contact":
		return &f.contact
	case "channel":
		return &f.channel
	case "bodyhash":
		return &f.bodyHash
	case "traceparent":
		return &f.trace
	case "statebefore":
		return &f.before.state
	case "stateafter":
		return &f.after.state
	case "departmentbefore":
		return &f.before.department
	case "departmentafter":
		return &f.after.department
	case "ownerbefore":
		return &f.before.owner
	case "ownerafter":
		return &f.after.owner
	case "owneratclosebefore":
		return &f.before.ownerAtClose
	case "owneratcloseafter":
		return &f.after.ownerAtClose
	case "mentionedbefore":
		return &f.before.mentioned
	case "mentionedafter":
		return &f.after.mentioned
	}
	return nil
}

// commit fills in what the first event says of the whole commit.
func (e *envelope) commit(c *domain.Commit) (err error) {
	f := &e.facts
	c.ID = string(f.commit)
	if c.ID == "" {
		return errors.New("commit: it is missing")
	}
	if c.Aggregate, c.Conversation, err = parsePlace(e.source, e.subject); err != nil {
		return err
	}
	if c.Time, err = parseTime(e.time); err != nil {
		return fmt.Errorf("time: %w", err)
	}
	if c.Recorded = c.Time; string(f.recorded) == string(e.time) {
		// as it mostly is
	} else if c.Recorded, err = parseTime(f.recorded); err != nil {
		return fmt.Errorf("recorded: %w", err)
	}
	if c.Actor, err = domain.ParseActor(string(f.actor)); err != nil {
		return err
	}
	c.Actor.Via = string(f.via)
	switch c.Origin = domain.Origin(f.origin); c.Origin {
	case domain.OriginLive, domain.OriginImport:
	default:
		return fmt.Errorf("unknown origin %q", f.origin)
	}
	image, err := parseNumber(f.image, 64)
	if err != nil {
		return fmt.Errorf("image: %w", err)
	}
	ticket, err := parseNumber(f.ticket, 63)
	if err != nil {
		return fmt.Errorf("ticket: %w", err)
	}
	c.Image, c.Ticket = domain.Position(image), int64(ticket)
	c.Key = string(f.key)
	c.Contact = string(f.contact)
	c.Channel = string(f.channel)
	c.BodyHash = string(f.bodyHash)
	c.Trace = string(f.trace)
	if c.Before, err = f.before.sight(); err != nil {
		return err
	}
	c.After, err = f.after.sight()
	return err
}

func (s *sight) sight() (*domain.Sight, error) {
	if len(s.state) == 0 {
		return nil, nil
	}
	d := &domain.Sight{
		State: string(s.state), Department: string(s.department), Owner: string(s.owner), OwnerAtClose: string(s.ownerAtClose),
		Archived: s.archived, Hidden: s.hidden,
	}
	if len(s.mentioned) > 0 {
		d.Mentioned = strings.Split(string(s.mentioned), ",")
	}
	return d, checkSight(d)
}

// parsePlace reads the aggregate, and the conversation of a thread, from source and subject.
func parsePlace(source, subject []byte) (domain.Aggregate, string, error) {
	workspace, ok := strings.CutPrefix(string(source), "turno/")
	if !ok || !validToken(workspace) {
		return domain.Aggregate{}, "", fmt.Errorf("malformed source %q", source)
	}
	a := domain.Aggregate{Workspace: workspace}
	category, id, ok := strings.Cut(string(subject), "/")
	if ok {
		a.Category, a.ID = domain.Category(category), id
		if !validCategory(a.Category) || !validToken(id) {
			return a, "", fmt.Errorf("malformed subject %q", subject)
		}
		return a, "", nil
	}
	conversation := category
	if a.ID, _, ok = thread.SplitConversationID(conversation); !ok {
		return a, "", fmt.Errorf("malformed subject %q", subject)
	}
	a.Category = domain.CategoryThread
	return a, conversation, nil
}

// checkConversation refuses a conversation that is not the aggregate's.
func checkConversation(a domain.Aggregate, conversation string) error {
	if conversation == "" {
		return nil
	}
	t, _, ok := thread.SplitConversationID(conversation)
	if !ok || a.Category != domain.CategoryThread || t != a.ID {
		return fmt.Errorf("conversation %q is none of %s", conversation, a)
	}
	return nil
}

func parseTime(b []byte) (time.Time, error) {
	t, err := time.Parse(timeFormat, string(b))
	if err != nil || !validTime(t) {
		return time.Time{}, fmt.Errorf("malformed time %q", b)
	}
	return t, nil
}

func parseNumber(b []byte, bits int) (uint64, error) {
	if len(b) == 0 {
		return 0, nil
	}
	n, err := strconv.ParseUint(string(b), 10, bits)
	if err != nil {
		return 0, fmt.Errorf("malformed number %q", b)
	}
	return n, nil
}

// validToken reports whether s may be a workspace or an aggregate's id: see domain.Aggregate.
func validToken(s string) bool {
	if len(s) == 0 || len(s) > 128 {
		return false
	}
	dot := true // a dot may not stand here
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
			dot = false
		case c == '.' && !dot:
			dot = true
		default:
			return false
		}
	}
	return !dot
}

func validCategory(c domain.Category) bool {
	switch c {
	case domain.CategoryLog, domain.CategorySequence, domain.CategoryIdentity, domain.CategoryThread, domain.CategoryContact,
		domain.CategoryOperator, domain.CategoryPresence, domain.CategoryDepartment, domain.CategorySetting, domain.CategoryTicket,
		domain.CategoryWorkload:
		return true
	}
	return false
}
