package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

// maxLine is the longest line of an import, in bytes: that of an API body.
const maxLine = 256 << 10

// head is what every line of an import has. The rest of a line is the body that the API takes for the same command.
type head struct {
	At      time.Time `json:"at"`
	Command string    `json:"command"`
	Channel string    `json:"channel"` // with Address: the thread that the command is for
	Address string    `json:"address"`
	Actor   string    `json:"actor"` // operator:<id>, contact, system …; has a default for receive and for settings
}

// line is one line of an import, read and checked for its form. Exactly one of its fields below head is set.
type line struct {
	head
	actor domain.Actor

	inbound *inboundLine   // receive
	open    *openLine      // open: we write first
	command thread.Command // every other command on a conversation
	setting *settingLine   // presence, availability, department, operator, channel
}

type inboundLine struct {
	head
	MessageID  string     `json:"message_id"`
	Name       string     `json:"name"`
	ExternalID string     `json:"external_id"`
	SentAt     *time.Time `json:"sent_at"`
	From       struct {   // as in the API; the address beside the command stands when both are there
		Address    string `json:"address"`
		Name       string `json:"name"`
		ExternalID string `json:"external_id"`
	} `json:"from"`
	thread.Content
}

type openLine struct {
	head
	Name       string `json:"name"`
	Department string `json:"department"`
	thread.Content
}

type sendLine struct {
	head
	Sender thread.Sender `json:"sender"`
	thread.Content
}

type closeLine struct {
	head
	Reason   thread.CloseReason `json:"reason"`
	Category string             `json:"category"`
	Summary  domain.Personal    `json:"summary"`
	Comment  domain.Personal    `json:"comment"`
	Tags     []string           `json:"tags"`
	Classify *thread.Classified `json:"classify"`
	Override domain.Personal    `json:"override"`
}

// settingLine is a line about the desk itself. Definition is the line without its head: the body of the API's PUT.
type settingLine struct {
	head
	kind       string
	id         string
	available  bool
	connected  bool
	reason     domain.Personal
	definition json.RawMessage
}

// parseLine reads one line. Its errors say what is wrong with the line, without quoting what a person typed.
func parseLine(data []byte) (*line, error) {
	if len(data) > maxLine {
		return nil, fmt.Errorf("the line is longer than %d bytes", maxLine)
	}
	if !utf8.Valid(data) {
		return nil, errors.New("the line is not UTF-8")
	}
	var h head
	if err := json.Unmarshal(data, &h); err != nil {
		return nil, badJSON(err)
	}
	if h.Command == "" {
		return nil, errors.New(`"command" is missing`)
	}
	if h.At.IsZero() {
		return nil, errors.New(`"at" is missing`)
	}
	if y := h.At.UTC().Year(); y < 1970 || y > 9999 {
		return nil, errors.New(`"at" is not between the years 1970 and 9999`)
	}
	h.At = h.At.UTC().Truncate(time.Millisecond)
	l := &line{head: h}
	if err := l.body(data); err != nil {
		return nil, err
	}
	if err := l.who(); err != nil {
		return nil, err
	}
	if l.setting == nil && (l.Channel == "" || l.Address == "") {
		return nil, errors.New(`"channel" and "address" name the thread; one of them is missing`)
	}
	return l, nil
}

// body reads what the command needs, and refuses fields that it doesn't know.
func (l *line) body(data []byte) error {
	switch l.Command {
	case "receive":
		var b inboundLine
		if err := strict(data, &b); err != nil {
			return err
		}
		if l.Address == "" {
			l.Address = b.From.Address
		}
		if b.Name == "" {
			b.Name = b.From.Name
		}
		if b.ExternalID == "" {
			b.ExternalID = b.From.ExternalID
		}
		b.Kind = kind(b.Content)
		l.inbound = &b
	case "open":
		var b openLine
		if err := strict(data, &b); err != nil {
			return err
		}
		b.Kind = kind(b.Content)
		l.open = &b
	case "presence", "availability", "department", "operator", "channel":
		return l.settingBody(data)
	default:
		return l.commandBody(data)
	}
	return nil
}

func (l *line) commandBody(data []byte) (err error) {
	switch l.Command {
	case "send":
		var b sendLine
		err = strict(data, &b)
		b.Kind = kind(b.Content)
		l.command = thread.Send{Content: b.Content, Sender: b.Sender}
	case "take":
		err, l.command = strict(data, &struct{ head }{}), thread.Take{}
	case "assign":
		var b struct {
			head
			Operator string `json:"operator"`
		}
		err = strict(data, &b)
		l.command = thread.Assign{Operator: b.Operator}
	case "transfer":
		var b struct {
			head
			Department string          `json:"department"`
			Operator   string          `json:"operator"`
			Reason     domain.Personal `json:"reason"`
			Force      bool            `json:"force"`
		}
		err = strict(data, &b)
		l.command = thread.Transfer{Department: b.Department, Operator: b.Operator, Reason: b.Reason, Force: b.Force}
	case "pause":
		var b struct {
			head
			Reason domain.Personal `json:"reason"`
			Until  *time.Time      `json:"until"`
		}
		err = strict(data, &b)
		l.command = thread.Pause{Reason: b.Reason, Until: b.Until}
	case "resume":
		err, l.command = strict(data, &struct{ head }{}), thread.Resume{}
	case "tag":
		var b struct {
			head
			Add    []string `json:"add"`
			Remove []string `json:"remove"`
		}
		err = strict(data, &b)
		l.command = thread.Tag{Add: b.Add, Remove: b.Remove}
	case "note":
		var b struct {
			head
			Text     domain.Personal `json:"text"`
			Mentions []string        `json:"mentions"`
		}
		err = strict(data, &b)
		l.command = thread.Note{Text: b.Text, Mentions: b.Mentions}
	case "classify":
		var b struct {
			head
			thread.Classified
		}
		err = strict(data, &b)
		l.command = thread.Classify{Classified: b.Classified}
	case "close":
		var b closeLine
		err = strict(data, &b)
		l.command = thread.Close{Reason: b.Reason, Category: b.Category, Summary: b.Summary, Comment: b.Comment,
			Tags: b.Tags, Classify: b.Classify, Override: b.Override}
	case "rate":
		var b struct {
			head
			Score     int             `json:"score"`
			Satisfied *bool           `json:"satisfied"`
			Comment   domain.Personal `json:"comment"`
		}
		err = strict(data, &b)
		l.command = thread.Rate{Score: b.Score, Satisfied: b.Satisfied, Comment: b.Comment}
	case "archive":
		err, l.command = strict(data, &struct{ head }{}), thread.Archive{}
	case "unarchive":
		err, l.command = strict(data, &struct{ head }{}), thread.Unarchive{}
	case "release", "reopen", "ignore":
		var b struct {
			head
			Reason domain.Personal `json:"reason"`
		}
		err = strict(data, &b)
		switch l.Command {
		case "release":
			l.command = thread.Release{Reason: b.Reason}
		case "reopen":
			l.command = thread.Reopen{Reason: b.Reason}
		default:
			l.command = thread.Ignore{Reason: b.Reason}
		}
	default:
		return fmt.Errorf("there is no command %q", short(l.Command))
	}
	return err
}

func (l *line) settingBody(data []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return badJSON(err)
	}
	s := &settingLine{head: l.head, kind: l.Command}
	switch l.Command {
	case "presence", "availability":
		var b struct {
			head
			Operator  string          `json:"operator"`
			Connected *bool           `json:"connected"`
			Available *bool           `json:"available"`
			Reason    domain.Personal `json:"reason"`
		}
		if err := strict(data, &b); err != nil {
			return err
		}
		s.id, s.reason = b.Operator, b.Reason
		if s.id == "" {
			s.id = strings.TrimPrefix(l.Actor, "operator:")
		}
		switch {
		case l.Command == "presence" && (b.Available != nil || b.Reason != ""):
			return errors.New(`"presence" takes "operator" and "connected"`)
		case l.Command == "availability" && (b.Available == nil || b.Connected != nil):
			return errors.New(`"availability" takes "operator", "available" and "reason"; "available" is needed`)
		case l.Command == "presence":
			s.connected = b.Connected == nil || *b.Connected
		default:
			s.available = *b.Available
		}
	default:
		var b struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(data, &b); err != nil {
			return badJSON(err)
		}
		s.id = b.ID
		delete(fields, "id")
		for _, f := range []string{"at", "command", "actor"} {
			delete(fields, f)
		}
		definition, err := json.Marshal(fields)
		if err != nil {
			return err
		}
		s.definition = definition
	}
	if !domain.ValidID(s.id) {
		return errors.New(`the id of what the line is about is missing or malformed`)
	}
	l.setting = s
	return nil
}

// who resolves the actor, and the default that some commands have.
func (l *line) who() (err error) {
	actor := l.Actor
	if actor == "" {
		switch {
		case l.inbound != nil:
			actor = string(domain.ActorContact)
		case l.setting != nil:
			actor = string(domain.ActorAdmin)
		default:
			return errors.New(`"actor" is missing`)
		}
	}
	l.actor, err = domain.ParseActor(actor)
	return err
}

// kind is the form of a message that doesn't say it.
func kind(c thread.Content) thread.Kind {
	switch {
	case c.Kind != "":
		return c.Kind
	case c.Location != nil:
		return thread.KindLocation
	case c.ContactCard != nil:
		return thread.KindContact
	case len(c.Attachments) > 0:
		return thread.KindDocument
	}
	return thread.KindText
}

// strict decodes one JSON object and nothing behind it, and refuses fields that v doesn't have.
func strict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return badJSON(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("there is something behind the JSON object")
	}
	return nil
}

// badJSON words an error of encoding/json without the values that it may quote.
func badJSON(err error) error {
	var form *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &form):
		return fmt.Errorf("field %q must not be a JSON %s", form.Field, strings.Fields(form.Value + " value")[0])
	case errors.As(err, &syntax):
		return fmt.Errorf("malformed JSON at byte %d", syntax.Offset)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errors.New("malformed JSON: the line ends too early")
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return errors.New("there is no field " + short(strings.TrimPrefix(err.Error(), "json: unknown field ")) + " here")
	}
	return errors.New("malformed: a time must be RFC 3339")
}

// short cuts what a line says, so that an error stays one line.
func short(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}
