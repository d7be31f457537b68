package codec

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/turno-desk/turno/domain"
)

// timeFormat is RFC 3339 in UTC with milliseconds.
const timeFormat = "2006-01-02T15:04:05.000Z"

// Encode writes c as a CloudEvents batch, its personal values sealed with the key c.Key; c is left as it is. It fails with a
// *domain.Refusal of CodeTooLarge when c has more than domain.MaxEvents events or becomes longer than
// domain.MaxCommitBytes, with ErrNoKey when the key is gone, and when c says something that Decode could not read back.
// Position, Version, Prev and Opened are the log's and are not written.
func (c *Codec) Encode(ctx context.Context, commit *domain.Commit) ([]byte, error) {
	b, err := c.encode(ctx, commit)
	if err != nil {
		return nil, fmt.Errorf("encode commit %s: %w", commit.ID, err)
	}
	return b, nil
}

func (c *Codec) encode(ctx context.Context, commit *domain.Commit) ([]byte, error) {
	if err := check(commit); err != nil {
		return nil, err
	}
	var s *sealer // made with the first personal value
	seal := func(plain string) (string, error) {
		if s == nil {
			var err error
			if s, err = c.sealerFor(ctx, commit.Key); err != nil {
				return "", err
			}
		}
		return s.seal(plain, c.nonce), nil
	}
	var b []byte
	for i, e := range commit.Events {
		w, data, err := c.data(commit, e, seal)
		if err != nil {
			return nil, fmt.Errorf("event %d, %T: %w", i, e, err)
		}
		if i == 0 {
			b = make([]byte, 0, 512+len(commit.Events)*(384+len(data)))
			b = appendEnvelope(append(b, '['), commit, i, w.typeName)
			b = appendFacts(b, commit)
		} else {
			b = appendEnvelope(append(b, ','), commit, i, w.typeName)
		}
		b = append(b, `,"data":`...)
		b = append(b, data...)
		b = append(b, '}')
	}
	b = append(b, ']')
	if len(b) > domain.MaxCommitBytes {
		return nil, &domain.Refusal{Code: domain.CodeTooLarge, Detail: "What one command says may take " +
			strconv.Itoa(domain.MaxCommitBytes) + " bytes in the log."}
	}
	return b, nil
}

// Structured writes each event of c alone, as a CloudEvent with all attributes: also those that a batch has only on its
// first event, and sequence, index and count. Personal values are as they are in c: sealed, if c was decoded so.
func (c *Codec) Structured(commit *domain.Commit) ([]json.RawMessage, error) {
	if err := check(commit); err != nil {
		return nil, fmt.Errorf("write commit %s: %w", commit.ID, err)
	}
	all := make([]json.RawMessage, len(commit.Events))
	for i, e := range commit.Events {
		w, data, err := c.data(commit, e, nil)
		if err != nil {
			return nil, fmt.Errorf("write commit %s: event %d, %T: %w", commit.ID, i, e, err)
		}
		b := make([]byte, 0, 1024)
		b = appendEnvelope(b, commit, i, w.typeName)
		b = appendNumber(b, "sequence", uint64(commit.Position))
		b = append(b, `,"index":`...)
		b = strconv.AppendInt(b, int64(i), 10)
		b = append(b, `,"count":`...)
		b = strconv.AppendInt(b, int64(len(commit.Events)), 10)
		b = appendFacts(b, commit)
		b = append(b, `,"data":`...)
		b = append(b, data...)
		all[i] = append(b, '}')
	}
	return all, nil
}

// sealerFor returns the sealer of a commit's or a state's key.
func (c *Codec) sealerFor(ctx context.Context, key string) (*sealer, error) {
	if key == "" {
		return nil, errors.New("a personal value, and no key to seal it with")
	}
	if !domain.ValidID(key) {
		return nil, errors.New("malformed key id")
	}
	k, err := c.keys.Key(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", key, err)
	}
	return newSealer(key, k)
}

// data is the event's own JSON, its personal values handed to seal unless that is nil.
func (c *Codec) data(commit *domain.Commit, e domain.Event, seal convert) (writing, []byte, error) {
	w, ok := c.kinds.written[reflect.TypeOf(e)]
	if !ok {
		return w, nil, errors.New("no such event is registered")
	}
	if w.category != commit.Aggregate.Category {
		return w, nil, fmt.Errorf("it belongs to category %s, not to %s", w.category, commit.Aggregate.Category)
	}
	if w.personal != nil && seal != nil {
		sealed := reflect.New(w.goType).Elem()
		sealed.Set(reflect.ValueOf(e))
		if err := w.personal.apply(sealed, false, seal); err != nil {
			return w, nil, err
		}
		e = sealed.Addr().Interface()
	}
	data, err := json.Marshal(e)
	return w, data, err
}

// appendEnvelope begins an event with the attributes that CloudEvents asks for.
func appendEnvelope(b []byte, c *domain.Commit, index int, typeName string) []byte {
	b = append(b, `{"specversion":"1.0","id":`...)
	b = appendQuoted(b, c.ID)
	b[len(b)-1] = '.'
	b = strconv.AppendInt(b, int64(index), 10)
	b = append(b, `","source":"turno/`...)
	b = append(b, c.Aggregate.Workspace...)
	b = append(b, `","type":"`...)
	b = append(b, typeName...)
	b = append(b, `","subject":"`...)
	b = appendSubject(b, c)
	b = append(b, `","time":"`...)
	b = c.Time.UTC().AppendFormat(b, timeFormat)
	return append(b, `","datacontenttype":"application/json"`...)
}

func appendSubject(b []byte, c *domain.Commit) []byte {
	if c.Conversation != "" {
		return append(b, c.Conversation...)
	}
	b = append(b, c.Aggregate.Category...)
	b = append(b, '/')
	return append(b, c.Aggregate.ID...)
}

// appendFacts adds the extension attributes that say what is the same for all events of a commit. What is empty is absent.
// Numbers that may pass 2^31 are text, because a CloudEvents integer has 32 bits.
func appendFacts(b []byte, c *domain.Commit) []byte {
	b = append(b, `,"recorded":"`...)
	b = c.Recorded.UTC().AppendFormat(b, timeFormat)
	b = append(b, '"')
	b = appendText(b, "commit", c.ID)
	b = appendText(b, "actor", c.Actor.String())
	b = appendText(b, "via", c.Actor.Via)
	b = appendText(b, "origin", string(c.Origin))
	b = appendNumber(b, "image", uint64(c.Image))
	b = appendText(b, "key", c.Key)
	b = appendNumber(b, "ticket", uint64(c.Ticket))
	b = appendText(b, "contact", c.Contact)
	b = appendText(b, "channel", c.Channel)
	b = appendText(b, "bodyhash", c.BodyHash)
	b = appendText(b, "traceparent", c.Trace)
	b = appendSight(b, "before", c.Before)
	return appendSight(b, "after", c.After)
}

func appendSight(b []byte, when string, s *domain.Sight) []byte {
	if s == nil {
		return b
	}
	b = appendText(b, "state"+when, s.State)
	b = appendText(b, "department"+when, s.Department)
	b = appendText(b, "owner"+when, s.Owner)
	b = appendText(b, "owneratclose"+when, s.OwnerAtClose)
	if len(s.Mentioned) > 0 {
		b = appendText(b, "mentioned"+when, strings.Join(s.Mentioned, ","))
	}
	b = appendTrue(b, "archived"+when, s.Archived)
	return appendTrue(b, "hidden"+when, s.Hidden)
}

func appendName(b []byte, name string) []byte {
	b = append(b, ',', '"')
	b = append(b, name...)
	return append(b, '"', ':')
}

func appendText(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return appendQuoted(appendName(b, name), value)
}

func appendNumber(b []byte, name string, value uint64) []byte {
	if value == 0 {
		return b
	}
	b = append(appendName(b, name), '"')
	b = strconv.AppendUint(b, value, 10)
	return append(b, '"')
}

func appendTrue(b []byte, name string, value bool) []byte {
	if !value {
		return b
	}
	return append(appendName(b, name), "true"...)
}

// appendQuoted adds s as a JSON string.
func appendQuoted(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			quoted, _ := json.Marshal(s) // of a string: can't fail
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// check refuses what Decode could not read back.
func check(c *domain.Commit) error {
	switch {
	case c.ID == "":
		return errors.New("it has no id")
	case len(c.Events) == 0:
		return errors.New("it has no events")
	case len(c.Events) > domain.MaxEvents:
		return &domain.Refusal{Code: domain.CodeTooLarge, Detail: "One command may make " +
			strconv.Itoa(domain.MaxEvents) + " events."}
	case !validToken(c.Aggregate.Workspace) || !validCategory(c.Aggregate.Category) || !validToken(c.Aggregate.ID):
		return fmt.Errorf("malformed aggregate %q", c.Aggregate)
	case !validTime(c.Time) || !validTime(c.Recorded):
		return errors.New("it has no time, or one outside of the years 1 to 9999")
	case c.Origin != domain.OriginLive && c.Origin != domain.OriginImport:
		return fmt.Errorf("unknown origin %q", c.Origin)
	case c.Ticket < 0:
		return fmt.Errorf("negative ticket %d", c.Ticket)
	}
	if err := checkConversation(c.Aggregate, c.Conversation); err != nil {
		return err
	}
	if _, err := domain.ParseActor(c.Actor.String()); err != nil {
		return err
	}
	for _, s := range []*domain.Sight{c.Before, c.After} {
		if err := checkSight(s); err != nil {
			return err
		}
	}
	return nil
}

func checkSight(s *domain.Sight) error {
	if s == nil {
		return nil
	}
	if s.State == "" {
		return errors.New("a sight without a state")
	}
	for _, m := range s.Mentioned {
		if !domain.ValidID(m) {
			return fmt.Errorf("malformed id %q among the mentioned", m)
		}
	}
	return nil
}

func validTime(t time.Time) bool {
	y := t.UTC().Year()
	return !t.IsZero() && y >= 1 && y <= 9999
}
