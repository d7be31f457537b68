// Package contactfile reads and writes contacts as CSV and as JSON lines: what a company brings from elsewhere, and takes
// along. A file that was written is read again without a change.
package contactfile

import (
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
)

// Limits of a file that is read. They are part of the contract.
const (
	MaxBytes   = 8 << 20
	MaxLines   = 10_000
	MaxColumns = 200
	MaxLine    = 256 << 10 // bytes of a JSON line
)

// Line is what one line says of a contact.
type Line struct {
	Number int // in the file, from 1; a row of several lines has the number of its first

	ID      string // names the contact, when there is one
	Channel string // of Address
	Address string // of the contact on the channel
	Change  contact.Change
	Tags    []string

	Wrong *Wrong // why the line can't be read; then nothing else is set
}

// Wrong says what is wrong with a line, or with the whole file. It holds nothing of the file but names of columns.
type Wrong struct {
	Field  string
	Detail string
}

// Error makes it travel as an error.
func (w *Wrong) Error() string { return w.Detail }

// ExternalID is the contact's id in another system, as the line has it; empty for none.
func (l *Line) ExternalID() string { return string(l.Change.Lines["external_id"]) }

// Reader gives the lines of a file one after the other; io.EOF behind the last one. Blank lines are passed by.
type Reader interface {
	Next() (Line, error)
}

// profile makes an empty change that can be filled.
func profile() contact.Change {
	return contact.Change{Lines: map[string]domain.Personal{}, Fields: map[string]domain.Personal{}}
}
