package http

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/api/contactfile"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/directory"
)

// Media types of files of contacts.
const (
	typeCSV   = "text/csv"
	typeLines = "application/x-ndjson"
)

// What became of a line of a file.
const (
	lineCreated   = "created"
	lineChanged   = "changed"
	lineUnchanged = "unchanged"
	lineRefused   = "refused"
)

// Imported is what became of one line of a file of contacts.
type Imported struct {
	Line     int             `json:"line"`
	Result   string          `json:"result"` // created, changed, unchanged, refused
	Contact  string          `json:"contact,omitempty"`
	Position domain.Position `json:"position,omitempty"`
	Problem  *Problem        `json:"problem,omitempty"`
}

// ImportEnd is the last line of an import's answer. Without it the file was not read to its end, and is sent again.
type ImportEnd struct {
	Done     bool            `json:"done"`
	Counts   map[string]int  `json:"counts"`
	Position domain.Position `json:"position"`
	Problem  *Problem        `json:"problem,omitempty"` // why it ended before the end of the file
}

// Lines are read this many at a time: whom they are about is found one after the other, then some are written at once.
const importChunk = 64

// importContacts takes in a file, answers each line with one of its own, and sums up. What a line says is one commit.
func (s *Server) importContacts(c *call) error {
	lines, err := readContactFile(c)
	if err != nil {
		return err
	}
	r, err := c.request(nil)
	if err != nil {
		return err
	}
	r.Key, r.BodyHash, r.IfMatch = "", "", 0 // saying it again is nothing by itself
	head, err := s.Log.Head(c.ctx())
	if err != nil {
		return err
	}
	if err := s.reached(c.ctx(), viewDirectory, head); err != nil { // which finds contacts by their ids elsewhere
		return err
	}
	i := &importing{s: s, c: c, r: r, w: newLiveWriter(c, typeLines), named: map[string]int{},
		end: ImportEnd{Counts: map[string]int{lineCreated: 0, lineChanged: 0, lineUnchanged: 0, lineRefused: 0}, Position: head}}
	err = i.run(c.ctx(), lines)
	if err != nil {
		if errors.Is(err, errSlow) || c.ctx().Err() != nil {
			return s.ended(c, errSlow)
		}
		p, logged := problem(err)
		if logged {
			s.log.Error("an import of contacts broke off", zap.String("code", p.Code), zap.Error(err))
		}
		s.named(c.ctx(), p)
		i.end.Problem = p
	}
	i.end.Done = err == nil
	return s.ended(c, i.say(i.end))
}

func readContactFile(c *call) (contactfile.Reader, error) {
	req := c.Request()
	kind, params, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	charset := params["charset"]
	if err != nil || kind != typeCSV && kind != typeLines || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return nil, &Problem{Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type", Detail: "Send text/csv or application/x-ndjson in UTF-8."}
	}
	data, err := io.ReadAll(http.MaxBytesReader(c.Response(), req.Body, contactfile.MaxBytes))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, tooLong()
	case err != nil:
		return nil, malformed("The body could not be read to its end.")
	}
	var lines contactfile.Reader
	if kind == typeCSV {
		lines, err = contactfile.ReadCSV(data)
	} else {
		lines, err = contactfile.ReadLines(data, decodeLine)
	}
	var wrong *contactfile.Wrong
	if errors.As(err, &wrong) {
		return nil, invalid(wrong.Field, wrong.Detail)
	}
	return lines, err
}

func tooLong() *Problem {
	return &Problem{Status: http.StatusRequestEntityTooLarge, Code: string(domain.CodeTooLarge),
		Detail: fmt.Sprintf("A file has at most %d lines and %d MiB. Send it in parts.", contactfile.MaxLines, contactfile.MaxBytes>>20)}
}

// decodeLine is decode, whose problem is what is wrong with the line.
func decodeLine(line []byte, v any) error {
	err := decode(line, v)
	var p *Problem
	if errors.As(err, &p) {
		return &contactfile.Wrong{Field: p.Field, Detail: p.Detail}
	}
	return err
}

// importing is one file that is being taken in.
type importing struct {
	s     *Server
	c     *call
	r     command.Request
	w     *liveWriter
	read  int
	named map[string]int // contacts of the file, and the lines that they stood in
	end   ImportEnd
}

func (i *importing) run(ctx context.Context, lines contactfile.Reader) error {
	for done := false; !done; {
		var chunk []contactfile.Line
		for len(chunk) < importChunk {
			l, err := lines.Next()
			if done = errors.Is(err, io.EOF); done {
				break
			}
			if err != nil {
				return err
			}
			if i.read++; i.read > contactfile.MaxLines {
				return errors.Join(i.take(ctx, chunk), tooLong())
			}
			chunk = append(chunk, l)
		}
		if err := i.take(ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

// take handles some lines and answers them in order.
func (i *importing) take(ctx context.Context, chunk []contactfile.Line) error {
	results := make([]Imported, len(chunk))
	failures := make([]error, len(chunk))
	var group errgroup.Group
	group.SetLimit(bulkAtOnce)
	for k, l := range chunk {
		results[k].Line = l.Number
		who, err := i.entrant(ctx, l)
		if err != nil {
			failures[k] = err
			continue
		}
		group.Go(func() error {
			failures[k] = i.enter(ctx, who, l, &results[k])
			return nil
		})
	}
	_ = group.Wait() // none of them returns an error: each has its result
	for k := range results {
		if failures[k] != nil {
			p, ours := problem(failures[k])
			if ours || p.Status >= http.StatusInternalServerError {
				return failures[k]
			}
			i.s.named(ctx, p)
			results[k] = Imported{Line: results[k].Line, Result: lineRefused, Problem: p}
		}
		i.end.Counts[results[k].Result]++
		i.end.Position = max(i.end.Position, results[k].Position)
		if err := i.say(results[k]); err != nil {
			return err
		}
	}
	return nil
}

// entrant finds whom a line is about: by id, by the address on a channel, which is claimed when nobody has it, or by the
// contact's id in another system.
func (i *importing) entrant(ctx context.Context, l contactfile.Line) (who command.Entrant, err error) {
	switch {
	case l.Wrong != nil:
		return who, invalid(l.Wrong.Field, l.Wrong.Detail)
	case l.ID != "" && !domain.ValidID(l.ID):
		return who, invalid("id", "This is no contact's id.")
	case l.ID != "":
		who, err = i.s.Contacts.Known(ctx, l.ID)
	case l.Channel != "" || l.Address != "":
		who, err = i.s.Contacts.At(ctx, i.r, l.Channel, l.Address)
	case l.ExternalID() != "":
		who, err = i.elsewhere(ctx, l.ExternalID())
	default:
		return who, &Problem{Status: http.StatusBadRequest, Code: string(domain.CodeInvalid), Missing: []string{"channel", "channel_address"},
			Detail: "A line names its contact: by id, by channel and channel_address, or by external_id."}
	}
	if err != nil {
		return who, err
	}
	if earlier, twice := i.named[who.Contact]; twice {
		return who, &Problem{Status: http.StatusUnprocessableEntity, Code: "named_twice", Detail: fmt.Sprintf("The contact stands in line %d already.", earlier)}
	}
	i.named[who.Contact] = l.Number
	return who, nil
}

// elsewhere finds the one contact of an id in another system.
func (i *importing) elsewhere(ctx context.Context, externalID string) (command.Entrant, error) {
	f := directory.ContactFilter{ExternalID: externalID, Range: directory.Range{Limit: maxLimit}}
	page, err := i.s.Directory.Contacts(ctx, i.s.workspace, f)
	if err != nil {
		return command.Entrant{}, err
	}
	found := ""
	for _, contact := range page.Items {
		is := contact.ExternalID == externalID // the list doesn't tell capitals from small letters
		for _, a := range contact.Identities {
			is = is || a.ExternalID == externalID
		}
		if is && found != "" {
			return command.Entrant{}, &Problem{Status: http.StatusConflict, Code: "ambiguous", Field: "external_id", Detail: "Several contacts have this id: name one by its own."}
		}
		if is {
			found = contact.ID
		}
	}
	if found == "" {
		return command.Entrant{}, &Problem{Status: http.StatusUnprocessableEntity, Code: "no_address", Missing: []string{"channel", "channel_address"},
			Detail: "No contact has this id. To add one, say on which channel and under which address it will write."}
	}
	return i.s.Contacts.Known(ctx, found)
}

func (i *importing) enter(ctx context.Context, who command.Entrant, l contactfile.Line, into *Imported) error {
	begun := i.s.now()
	result, created, err := i.s.Contacts.Enter(ctx, i.r, who, l.Change, l.Tags)
	i.s.handled("enter_contact", len(result.Commit.Events), false, err, i.s.now().Sub(begun))
	if err != nil {
		return err
	}
	into.Contact, into.Position, into.Result = who.Contact, result.Position, lineUnchanged
	switch {
	case created:
		into.Result = lineCreated
	case len(result.Commit.Events) > 0:
		into.Result = lineChanged
	}
	return nil
}

func (i *importing) say(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("answer a line: %w", err)
	}
	return i.w.write(string(line) + "\n")
}

// exportContacts writes all contacts that are asked for, the newest first, as a file. One that breaks off ends the connection
// in the middle of its body, so that nobody takes it for whole.
func (s *Server) exportContacts(c *call) error {
	if _, err := c.ready(viewDirectory); err != nil {
		return err
	}
	f, err := s.finding(c)
	if err != nil {
		return err
	}
	f.Limit, f.Living = maxLimit, true
	format := c.QueryParam("format")
	var write func(*strings.Builder, []directory.Contact) error
	kind := typeLines + "; charset=utf-8"
	switch format {
	case "", "csv":
		kind = typeCSV + "; charset=utf-8; header=present"
		if write, err = s.csvWriter(c.ctx()); err != nil {
			return err
		}
	case "jsonl":
		write = contactLines
	default:
		return invalid("format", "format is csv or jsonl.")
	}
	page, err := s.Directory.Contacts(c.ctx(), s.workspace, f)
	if err != nil {
		return err
	}
	c.position(page.Position).Response().Header().Set("Content-Disposition", `attachment; filename="contacts.`+extension(format)+`"`)
	w := newLiveWriter(c, kind)
	for {
		var text strings.Builder
		if err = write(&text, page.Items); err == nil {
			err = w.write(text.String())
		}
		if err == nil && page.HasMore {
			f.Cursor = page.Next
			page, err = s.Directory.Contacts(c.ctx(), s.workspace, f)
		} else if err == nil {
			return s.ended(c, nil)
		}
		if err != nil {
			if !errors.Is(err, errSlow) && c.ctx().Err() == nil {
				s.log.Error("an export of contacts broke off", zap.Error(err))
			}
			panic(http.ErrAbortHandler)
		}
	}
}

func extension(format string) string {
	if format == "" {
		return "csv"
	}
	return format
}

func contactLines(to *strings.Builder, contacts []directory.Contact) error {
	lines := json.NewEncoder(to)
	for _, contact := range contacts {
		if err := lines.Encode(contact); err != nil {
			return err
		}
	}
	return nil
}

// csvWriter writes rows, with a column for each field that some contact has.
func (s *Server) csvWriter(ctx context.Context) (func(*strings.Builder, []directory.Contact) error, error) {
	fields, err := s.Directory.FieldIDs(ctx, s.workspace)
	if err != nil {
		return nil, err
	}
	begun := false
	return func(to *strings.Builder, contacts []directory.Contact) error {
		rows := contactfile.NewCSV(to, fields)
		if !begun {
			if err := rows.Names(); err != nil {
				return err
			}
			begun = true
		}
		for i := range contacts {
			if err := rows.Write(row(&contacts[i])); err != nil {
				return err
			}
		}
		return rows.Flush()
	}, nil
}

func row(c *directory.Contact) contactfile.Row {
	r := contactfile.Row{ID: c.ID, Lines: c.Lines(), Fields: c.Fields, Tags: c.Tags, Known: strconv.FormatBool(c.Known), Assignee: c.Assignee, Blocked: strconv.FormatBool(c.Blocked)}
	if len(c.Identities) > 0 {
		r.Channel, r.Address = c.Identities[0].Channel, c.Identities[0].Address
	}
	if c.FirstAt != nil {
		r.FirstAt = c.FirstAt.UTC().Format(projections.TimeFormat)
	}
	return r
}
