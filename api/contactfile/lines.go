package contactfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/turno-desk/turno/domain"
)

// jsonReader reads one object a line.
type jsonReader struct {
	rest   []byte
	number int
	decode func([]byte, any) error
}

// ReadLines reads JSON lines in UTF-8: an object a line, with the profile as the API has it, and id, channel, channel_address
// and tags beside. An empty text removes what it names; what isn't named stays. decode fills an object from a line, strictly;
// a *Wrong among its error says what is wrong. *Wrong when the file as a whole can't be read.
func ReadLines(data []byte, decode func(line []byte, object any) error) (Reader, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) {
		return nil, &Wrong{Detail: "The file is not UTF-8."}
	}
	return &jsonReader{rest: data, decode: decode}, nil
}

// object is a line. What a file that was written has and nobody reads stands behind.
type object struct {
	ID         string             `json:"id"`
	Channel    string             `json:"channel"`
	ChannelAt  string             `json:"channel_address"`
	Name       *string            `json:"name"`
	Email      *string            `json:"email"`
	Phone      *string            `json:"phone"`
	Sex        *string            `json:"sex"`
	Company    *string            `json:"company"`
	Title      *string            `json:"title"`
	Document   *string            `json:"document"`
	ExternalID *string            `json:"external_id"`
	Address    map[string]*string `json:"address"`
	Fields     map[string]*string `json:"fields"`
	Tags       []string           `json:"tags"`

	Known       json.RawMessage `json:"known"`
	Assignee    json.RawMessage `json:"assignee"`
	Blocked     json.RawMessage `json:"blocked"`
	Erased      json.RawMessage `json:"erased"`
	FirstAt     json.RawMessage `json:"first_at"`
	Identities  json.RawMessage `json:"identities"`
	Merged      json.RawMessage `json:"merged"`
	Annotations json.RawMessage `json:"annotations"`
	Revision    json.RawMessage `json:"revision"`
}

// Next gives the next line.
func (r *jsonReader) Next() (Line, error) {
	for len(r.rest) > 0 {
		var text []byte
		text, r.rest, _ = bytes.Cut(r.rest, []byte("\n"))
		r.number++
		text = bytes.TrimSpace(text)
		switch {
		case len(text) == 0:
			continue
		case len(text) > MaxLine:
			return Line{Number: r.number, Wrong: &Wrong{Detail: fmt.Sprintf("A line has at most %d bytes.", MaxLine)}}, nil
		}
		return r.line(text), nil
	}
	return Line{}, io.EOF
}

func (r *jsonReader) line(text []byte) Line {
	l := Line{Number: r.number, Change: profile()}
	var o object
	if err := r.decode(text, &o); err != nil {
		wrong := &Wrong{Detail: "The line is no JSON object with the fields of a contact."}
		errors.As(err, &wrong)
		return Line{Number: r.number, Wrong: wrong}
	}
	l.ID, l.Channel, l.Address, l.Tags = o.ID, o.Channel, o.ChannelAt, o.Tags
	for name, v := range map[string]*string{"name": o.Name, "email": o.Email, "phone": o.Phone, "sex": o.Sex, "company": o.Company,
		"title": o.Title, "document": o.Document, "external_id": o.ExternalID} {
		l.line(name, v)
	}
	for name, v := range o.Address {
		l.line("address."+name, v)
	}
	for id, v := range o.Fields {
		if v != nil {
			l.Change.Fields[id] = domain.Personal(*v)
		}
	}
	return l
}

func (l *Line) line(name string, v *string) {
	if v != nil {
		l.Change.Lines[name] = domain.Personal(strings.TrimSpace(*v))
	}
}
