package ticket

import (
	"maps"
	"slices"
	"strings"

	"github.com/turno-desk/turno/domain"
)

// Limits of a ticket.
const (
	MaxSubject   = 500 // bytes
	MaxFields    = 50
	MaxFieldText = 2000 // bytes
)

// Change replaces the parts that it names: a nil part stays, an empty subject goes, as does a field with an empty value.
type Change struct {
	Requester *string
	Subject   *domain.Personal
	Status    *Status
	Fields    map[string]domain.Personal
}

// DecideOpen begins a ticket that is opened apart; it takes a requester. Again is nothing.
func DecideOpen(is Definition, number int64, c Change) ([]Event, *domain.Refusal) {
	if is.Number != 0 {
		return nil, nil
	}
	d, r := changed(Definition{Number: number, Status: Open}, c)
	if r != nil {
		return nil, r
	}
	return []Event{Opened{d}}, nil
}

// DecideChange says what a Change makes of a ticket. One without a record of its own begins it: it is what known says, which
// is what its conversations tell.
func DecideChange(is, known Definition, c Change) ([]Event, *domain.Refusal) {
	begins := is.Number == 0
	if begins {
		is = known
		if is.Status == "" {
			is.Status = Open
		}
	}
	d, r := changed(is, c)
	switch {
	case r != nil:
		return nil, r
	case is.equal(d):
		return nil, nil
	case begins:
		return []Event{Opened{d}}, nil
	}
	return []Event{Changed{d}}, nil
}

func changed(d Definition, c Change) (Definition, *domain.Refusal) {
	var bad []string
	if c.Requester != nil {
		d.Requester = *c.Requester
	}
	if !domain.ValidID(d.Requester) {
		bad = append(bad, "requester")
	}
	if c.Subject != nil {
		d.Subject = domain.Personal(strings.TrimSpace(string(*c.Subject)))
		if !domain.Fits(d.Subject, MaxSubject) {
			bad = append(bad, "subject")
		}
	}
	if c.Status != nil {
		d.Status = *c.Status
		if !slices.Contains([]Status{Open, Pending, Solved, Closed}, d.Status) {
			bad = append(bad, "status")
		}
	}
	fields := maps.Clone(d.Fields)
	for id, v := range c.Fields {
		if !domain.ValidID(id) || !domain.Fits(v, MaxFieldText) {
			bad = append(bad, "fields")
			break
		}
		if fields == nil {
			fields = map[string]domain.Personal{}
		}
		if fields[id] = v; v == "" {
			delete(fields, id)
		}
	}
	if len(fields) > MaxFields {
		bad = append(bad, "fields")
	}
	if d.Fields = fields; len(fields) == 0 {
		d.Fields = nil
	}
	if len(bad) > 0 {
		return d, &domain.Refusal{Code: domain.CodeInvalid, Missing: slices.Compact(bad),
			Detail: "A ticket takes a requester, a subject of up to 500 bytes, a status (open, pending, solved, closed) and up to 50 fields."}
	}
	return d, nil
}

func (d Definition) equal(o Definition) bool {
	return d.Number == o.Number && d.Requester == o.Requester && d.Subject == o.Subject && d.Status == o.Status && maps.Equal(d.Fields, o.Fields)
}
