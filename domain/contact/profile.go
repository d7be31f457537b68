package contact

import (
	"maps"
	"slices"
	"strings"

	"github.com/turno-desk/turno/domain"
)

// Limits of a profile.
const (
	MaxLine      = 500 // bytes of a line
	MaxFields    = 100
	MaxFieldText = 2000 // bytes
)

// Lines are the names of the profile's lines, in the order of a form; those of the address begin with "address.".
func Lines() []string {
	return []string{"name", "email", "phone", "sex", "company", "title", "document", "external_id",
		"address.street", "address.number", "address.district", "address.city", "address.state", "address.country", "address.postcode"}
}

// Line is one of Lines of the profile, for reading and writing; nil when there is none of that name.
func (p *ProfileChanged) Line(name string) *domain.Personal {
	switch name {
	case "name":
		return &p.Name
	case "email":
		return &p.Email
	case "phone":
		return &p.Phone
	case "sex":
		return &p.Sex
	case "company":
		return &p.Company
	case "title":
		return &p.Title
	case "document":
		return &p.Document
	case "external_id":
		return &p.ExternalID
	case "address.street":
		return &p.Address.Street
	case "address.number":
		return &p.Address.Number
	case "address.district":
		return &p.Address.District
	case "address.city":
		return &p.Address.City
	case "address.state":
		return &p.Address.State
	case "address.country":
		return &p.Address.Country
	case "address.postcode":
		return &p.Address.Postcode
	}
	return nil
}

// Change replaces the parts of the profile that it names; an empty value removes what it names. With Whole set, what it
// doesn't name goes too.
type Change struct {
	Whole  bool
	Lines  map[string]domain.Personal // by the names of Lines
	Fields map[string]domain.Personal // by id
}

// DecideChange says what a Change makes of the contact; nothing when the profile is that already. The first one makes a
// known contact of it, even an empty one.
func DecideChange(s State, c Change) ([]Event, *domain.Refusal) {
	if r := s.closed(); r != nil {
		return nil, r
	}
	p := s.Profile
	if c.Whole {
		p = Profile{}
	}
	var bad []string
	for _, name := range slices.Sorted(maps.Keys(c.Lines)) {
		to, v := p.Line(name), domain.Personal(strings.TrimSpace(string(c.Lines[name])))
		if to == nil || !domain.Fits(v, MaxLine) {
			bad = append(bad, name)
			continue
		}
		*to = v
	}
	if p.Fields = maps.Clone(p.Fields); p.Fields == nil {
		p.Fields = map[string]domain.Personal{}
	}
	for _, id := range slices.Sorted(maps.Keys(c.Fields)) {
		v := c.Fields[id]
		if !domain.ValidID(id) || !domain.Fits(v, MaxFieldText) {
			bad = append(bad, "fields")
			break
		}
		if p.Fields[id] = v; v == "" {
			delete(p.Fields, id)
		}
	}
	if len(p.Fields) > MaxFields {
		bad = append(bad, "fields")
	}
	if len(p.Fields) == 0 {
		p.Fields = nil
	}
	if len(bad) > 0 {
		return nil, &domain.Refusal{Code: domain.CodeInvalid, Missing: slices.Compact(bad),
			Detail: "A profile has lines of up to 500 bytes and up to 100 fields of up to 2000 bytes, by id."}
	}
	if s.Known && p.equal(s.Profile) {
		return nil, nil
	}
	return []Event{p}, nil
}

func (p ProfileChanged) equal(o ProfileChanged) bool {
	if !maps.Equal(p.Fields, o.Fields) {
		return false
	}
	for _, name := range Lines() {
		if *p.Line(name) != *o.Line(name) {
			return false
		}
	}
	return true
}
