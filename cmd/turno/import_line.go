package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/turno-desk/turno/api/command"
	apihttp "github.com/turno-desk/turno/api/http"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

// maxLine is the longest line of an import, in bytes: that of an API body.
const maxLine = apihttp.MaxBody

// line is one line of an import, read and checked for its form. Exactly one of inbound, outbound, command and setting is set.
//
// A line is one JSON object: a head, and beside it the body that the API takes for the same command.
type line struct {
	at      time.Time
	channel string // with address: the thread that the command is for
	address string
	actor   domain.Actor

	inbound  *command.Inbound  // receive
	outbound *command.Outbound // open: we write first
	command  thread.Command    // every other command on a conversation
	setting  *settingLine      // presence, availability, operator, department, channel, calendar
	list     string            // receive, transfer: onto which list it came; waiting when empty
}

// about names what the lines are in order of: a thread, or a part of the desk.
func (l *line) about() string {
	if s := l.setting; s != nil {
		kind := s.kind
		if s.presence() {
			kind = "presence" // two sides of one thing
		}
		return kind + "\x00" + s.id
	}
	return l.channel + "\x00" + l.address
}

// settingLine is a line about the desk itself: body is what the API takes for it.
type settingLine struct {
	kind string
	id   string
	body []byte
}

// presence reports whether the line is about who is there: no decision of an import rests on that.
func (s *settingLine) presence() bool { return s.kind == "presence" || s.kind == "availability" }

// head is what a line has besides the API's body. The id of an operator, department or channel is `id`.
type head struct {
	At      *time.Time `json:"at"`
	Command string     `json:"command"`
	Channel string     `json:"channel"`
	Address string     `json:"address"`
	Actor   string     `json:"actor"` // operator:<id>, contact, system …
	List    string     `json:"list"`
	ID      string     `json:"id"`
}

// paths are the commands on a conversation whose name in an import is not that of the API's path.
var paths = map[string]string{"send": "messages", "tag": "tags", "note": "notes", "accept": "offers/accept", "decline": "offers/decline"}

// kinds are the lines about the desk itself.
var kinds = []string{"calendar", "department", "channel", "operator", "presence", "availability"}

// importCommands are the commands that a line can have: docs/import.md describes each.
var importCommands = sync.OnceValue(func() []string {
	names := slices.Concat(kinds, []string{"receive", "open"}, apihttp.OwnCommands(), slices.Collect(maps.Keys(paths)))
	for _, name := range apihttp.Commands() {
		if !strings.Contains(name, "/") && !slices.Contains(slices.Collect(maps.Values(paths)), name) && name != "read" { // where somebody has read to is no history
			names = append(names, name)
		}
	}
	return names
})

// parseLine reads one line. Its errors say what is wrong with the line, without quoting what a person typed.
func parseLine(data []byte) (*line, error) {
	if len(data) > maxLine {
		return nil, fmt.Errorf("the line is longer than %d bytes", maxLine)
	}
	if !utf8.Valid(data) {
		return nil, errors.New("the line is not UTF-8")
	}
	var h head
	var body map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(data, &h), json.Unmarshal(data, &body)); err != nil {
		return nil, badJSON(err)
	}
	switch {
	case h.Command == "":
		return nil, errors.New(`"command" is missing`)
	case h.At == nil:
		return nil, errors.New(`"at" is missing`)
	case h.At.UTC().Year() < 1970 || h.At.UTC().Year() > 9999:
		return nil, errors.New(`"at" is not between the years 1970 and 9999`)
	}
	for _, name := range []string{"at", "command", "actor"} {
		delete(body, name)
	}
	l := &line{at: h.At.UTC().Truncate(time.Millisecond), channel: h.Channel, address: h.Address, list: h.List}
	if h.Command == "receive" || h.Command == "transfer" {
		delete(body, "list")
	}
	if err := l.read(h, body); err != nil {
		return nil, err
	}
	var err error
	if l.actor, err = actorOf(h.Actor, l); err != nil {
		return nil, err
	}
	if l.setting == nil && (l.channel == "" || l.address == "") {
		return nil, errors.New(`"channel" and "address" name the thread; one of them is missing`)
	}
	return l, nil
}

// read reads the body as the API does, which refuses fields that it doesn't know.
func (l *line) read(h head, body map[string]json.RawMessage) error {
	switch {
	case !slices.Contains(importCommands(), h.Command):
		return fmt.Errorf("there is no command %q", short(h.Command))
	case slices.Contains(kinds, h.Command):
		return l.readSetting(h, body)
	case h.Command == "receive":
		return l.readInbound(h, body)
	case h.Command == "open":
		rest, err := json.Marshal(body)
		if err != nil {
			return badJSON(err)
		}
		out, err := apihttp.ParseOutbound(rest)
		l.outbound = &out
		return worded(err)
	}
	delete(body, "channel")
	delete(body, "address")
	rest, err := json.Marshal(body)
	if err != nil {
		return badJSON(err)
	}
	path := h.Command
	if other, ok := paths[path]; ok {
		path = other
	}
	cmd, known, err := apihttp.ParseCommand(path, rest)
	if !known {
		cmd, _, err = apihttp.ParseOwn(h.Command, rest)
	}
	l.command = cmd
	return worded(err)
}

// readInbound gives the line the form of the API's body, where the contact's address, name and id are in `from`.
func (l *line) readInbound(h head, body map[string]json.RawMessage) error {
	from := map[string]json.RawMessage{}
	if given, ok := body["from"]; ok {
		if err := json.Unmarshal(given, &from); err != nil || from == nil {
			return errors.New(`"from" must be a JSON object`)
		}
	}
	for _, name := range []string{"address", "name", "external_id"} {
		if value, ok := body[name]; ok {
			from[name] = value
			delete(body, name)
		}
	}
	delete(body, "channel")
	packed, err := json.Marshal(from)
	if err != nil {
		return badJSON(err)
	}
	body["from"] = packed
	rest, err := json.Marshal(body)
	if err != nil {
		return badJSON(err)
	}
	in, err := apihttp.ParseInbound(h.Channel, rest)
	l.inbound, l.address = &in, in.Address
	return worded(err)
}

func (l *line) readSetting(h head, body map[string]json.RawMessage) error {
	s := &settingLine{kind: h.Command, id: h.ID}
	delete(body, "id")
	if s.id == "" && (s.kind == "presence" || s.kind == "availability") {
		s.id = strings.TrimPrefix(h.Actor, "operator:")
	}
	if !domain.ValidID(s.id) {
		return errors.New("the id of what the line is about is missing or malformed")
	}
	var err error
	if s.body, err = json.Marshal(body); err != nil {
		return badJSON(err)
	}
	switch s.kind {
	case "presence":
		_, err = apihttp.ParsePresence(s.body)
	case "availability":
		_, _, err = apihttp.ParseAvailability(s.body)
	case "operator":
		_, err = apihttp.ParseOperator(s.id, s.body)
	case "department":
		_, err = apihttp.ParseDepartment(s.id, s.body)
	case "channel":
		_, err = apihttp.ParseChannel(s.id, s.body)
	case "calendar":
		_, err = apihttp.ParseCalendar(s.id, s.body)
	}
	l.setting, l.channel = s, ""
	return worded(err)
}

// actorOf resolves the actor, and the default that some commands have.
func actorOf(actor string, l *line) (domain.Actor, error) {
	if actor == "" {
		switch {
		case l.inbound != nil:
			actor = string(domain.ActorContact)
		case l.setting != nil:
			actor = string(domain.ActorAdmin)
		default:
			return domain.Actor{}, errors.New(`"actor" is missing`)
		}
	}
	a, err := domain.ParseActor(actor)
	if err != nil {
		return a, errors.New(`"actor" is operator:<id>, service:<id>, contact, admin, bot or system`)
	}
	return a, nil
}

// worded puts what a problem says into one line.
func worded(err error) error {
	var p *apihttp.Problem
	if !errors.As(err, &p) {
		return err
	}
	s := p.Code + ": " + p.Detail
	if len(p.Missing) > 0 {
		s += " (" + strings.Join(p.Missing, ", ") + ")"
	}
	return errors.New(s)
}

// badJSON words an error of encoding/json without the values that it may quote.
func badJSON(err error) error {
	var form *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("malformed JSON at byte %d", syntax.Offset)
	case errors.As(err, &form) && form.Field == "":
		return errors.New("the line is no JSON object")
	case errors.As(err, &form):
		return fmt.Errorf("field %q has the wrong form", form.Field)
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
