package contactfile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
)

// Columns of a CSV file beside the profile's lines and the fields, "fields.<id>".
const (
	columnID      = "id"
	columnChannel = "channel"
	columnAddress = "channel_address"
	columnTags    = "tags"
	fieldPrefix   = "fields."
)

// informative are columns that a file which was written has, and that say nothing to who reads it.
func informative() []string { return []string{"known", "assignee", "blocked", "first_at"} }

// dangerous begin what a spreadsheet takes for a formula.
const dangerous = "=+-@\t\r"

// guarded puts an apostrophe before a cell that a spreadsheet would run, and before one that looks as if it had one already.
func guarded(cell string) string {
	if bare := strings.TrimLeft(cell, "'"); bare != "" && strings.ContainsRune(dangerous, rune(bare[0])) {
		return "'" + cell
	}
	return cell
}

// unguarded takes away what guarded put there.
func unguarded(cell string) string {
	if bare := strings.TrimLeft(cell, "'"); len(bare) < len(cell) && bare != "" && strings.ContainsRune(dangerous, rune(bare[0])) {
		return cell[1:]
	}
	return cell
}

// csvReader reads rows of cells under the names of a first line.
type csvReader struct {
	r       *csv.Reader
	columns []string
}

// ReadCSV reads a CSV file (RFC 4180) in UTF-8, with or without a byte order mark. Its first line names the columns, in any
// order; what stands between them there, a comma, a semicolon or a tab, separates all cells. An empty cell leaves what the
// contact has. *Wrong when the file as a whole can't be read.
func ReadCSV(data []byte) (Reader, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) {
		return nil, &Wrong{Detail: "The file is not UTF-8."}
	}
	first, _, _ := bytes.Cut(data, []byte("\n"))
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma, r.FieldsPerRecord = separator(string(first)), -1
	header, err := r.Read()
	if err != nil {
		return nil, &Wrong{Detail: "The first line of a CSV file names its columns."}
	}
	if len(header) > MaxColumns {
		return nil, &Wrong{Detail: fmt.Sprintf("A file has at most %d columns.", MaxColumns)}
	}
	for i, name := range header {
		header[i] = strings.ToLower(strings.TrimSpace(name))
		if slices.Contains(header[:i], header[i]) {
			return nil, &Wrong{Field: clip(header[i]), Detail: "A column is named twice."}
		}
		if !column(header[i]) {
			return nil, &Wrong{Field: clip(header[i]), Detail: "There is no such column."}
		}
	}
	return &csvReader{r: r, columns: header}, nil
}

// separator is what stands between the columns of the first line most often.
func separator(line string) rune {
	best, most := ',', strings.Count(line, ",")
	for _, c := range ";\t" {
		if n := strings.Count(line, string(c)); n > most {
			best, most = c, n
		}
	}
	return best
}

func column(name string) bool {
	switch name {
	case columnID, columnChannel, columnAddress, columnTags:
		return true
	}
	id, isField := strings.CutPrefix(name, fieldPrefix)
	return isField && domain.ValidID(id) || slices.Contains(contact.Lines(), name) || slices.Contains(informative(), name)
}

func clip(s string) string {
	if len(s) > 64 {
		s = s[:64]
	}
	return strings.ToValidUTF8(s, "")
}

// Next gives the next row.
func (c *csvReader) Next() (Line, error) {
	cells, err := c.r.Read()
	var bad *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		return Line{}, io.EOF
	case errors.As(err, &bad):
		return Line{Number: bad.StartLine, Wrong: &Wrong{Detail: "The row's quotes don't match."}}, nil
	case err != nil:
		return Line{}, fmt.Errorf("read a row: %w", err)
	}
	number, _ := c.r.FieldPos(0)
	l := Line{Number: number, Change: profile()}
	if len(cells) != len(c.columns) {
		l = Line{Number: number, Wrong: &Wrong{Detail: fmt.Sprintf("The row has %d cells, and the file %d columns.", len(cells), len(c.columns))}}
		return l, nil
	}
	for i, name := range c.columns {
		if cell := unguarded(cells[i]); strings.TrimSpace(cell) != "" {
			l.set(name, cell)
		}
	}
	return l, nil
}

func (l *Line) set(name, cell string) {
	switch name {
	case columnID:
		l.ID = strings.TrimSpace(cell)
	case columnChannel:
		l.Channel = strings.TrimSpace(cell)
	case columnAddress:
		l.Address = cell
	case columnTags:
		l.Tags = strings.Fields(cell)
	default:
		if id, isField := strings.CutPrefix(name, fieldPrefix); isField {
			l.Change.Fields[id] = domain.Personal(cell)
		} else if slices.Contains(contact.Lines(), name) {
			l.Change.Lines[name] = domain.Personal(strings.TrimSpace(cell))
		}
	}
}

// CSV writes contacts under the columns of the first line.
type CSV struct {
	w      *csv.Writer
	fields []string
}

// Row is a contact as a row holds it.
type Row struct {
	ID       string
	Channel  string // of one of its addresses
	Address  string
	Lines    map[string]string // by name, of contact.Lines
	Fields   map[string]string // by id
	Tags     []string
	Known    string // true, false
	Assignee string
	Blocked  string
	FirstAt  string
}

// NewCSV writes to w, with a column for each of the fields.
func NewCSV(w io.Writer, fields []string) *CSV { return &CSV{w: csv.NewWriter(w), fields: fields} }

// Names writes the first line.
func (c *CSV) Names() error {
	names := append([]string{columnID, columnChannel, columnAddress}, contact.Lines()...)
	for _, id := range c.fields {
		names = append(names, fieldPrefix+id)
	}
	return c.w.Write(append(append(names, columnTags), informative()...))
}

// Write writes one contact. A cell that a spreadsheet would take for a formula begins with an apostrophe.
func (c *CSV) Write(r Row) error {
	cells := []string{r.ID, r.Channel, r.Address}
	for _, name := range contact.Lines() {
		cells = append(cells, r.Lines[name])
	}
	for _, id := range c.fields {
		cells = append(cells, r.Fields[id])
	}
	cells = append(cells, strings.Join(r.Tags, " "), r.Known, r.Assignee, r.Blocked, r.FirstAt)
	for i := range cells {
		cells[i] = guarded(cells[i])
	}
	return c.w.Write(cells)
}

// Flush hands over what was written.
func (c *CSV) Flush() error {
	c.w.Flush()
	return c.w.Error()
}
