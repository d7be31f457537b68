package setting

import (
	"slices"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/operator"
)

// Limits of a definition.
const (
	MaxName = 100 // bytes
	MaxText = 200 // bytes of a token's name
)

// CodeNotAMember refuses an extension whose operator does not answer in the department.
const CodeNotAMember domain.Code = "not_a_member"

// The types of a channel. Messages of both come in over the API.
const (
	Generic = "generic"
	WebChat = "webchat" // a chat on the company's pages: its visitors are there while they write
)

// Types are all types of a channel.
func Types() []string { return []string{Generic, WebChat} }

// Live reports whether contacts of a channel of the type are there while they write, so that there is a session to end (F098).
func Live(channelType string) bool { return channelType == WebChat }

// Owner of the administrator's token, and the id of the first one.
const (
	AdminOwner = "admin"
	AdminToken = "admin"
)

// PutChannel makes a channel, or replaces its definition; a retired one comes back. Its type stays as it was made.
type PutChannel struct {
	ID         string
	Type       string
	Name       string
	Department string
	Extension  string // F007; of an active operator who belongs to the department

	Menu        string
	BotStaysOff bool
}

// DecidePutChannel says what a PutChannel makes of the channel as it is (zero: there is none). Saying the same again makes nothing,
// whatever has become of what it names.
func DecidePutChannel(is Channel, p PutChannel, img *Image) ([]Event, *domain.Refusal) {
	p.Name = strings.TrimSpace(p.Name)
	var bad []string
	if !domain.ValidID(p.ID) {
		bad = append(bad, "id")
	}
	if !slices.Contains(Types(), p.Type) || is.ID != "" && is.Type != p.Type {
		bad = append(bad, "type")
	}
	if p.Name == "" || !domain.Fits(domain.Personal(p.Name), MaxName) {
		bad = append(bad, "name")
	}
	if !domain.ValidID(p.Department) {
		bad = append(bad, "department")
	}
	if p.Extension != "" && !operator.ValidExtension(p.Extension) {
		bad = append(bad, "extension")
	}
	if p.Menu != "" && !domain.ValidID(p.Menu) {
		bad = append(bad, "menu")
	}
	if len(bad) > 0 {
		return nil, &domain.Refusal{Code: domain.CodeInvalid, Missing: bad,
			Detail: "A channel takes an id, a name, the id of a department, the type generic or webchat, which stays, and optionally an extension of 1 to 16 digits and the id of a menu."}
	}
	c := Channel{ID: p.ID, Type: p.Type, Name: p.Name, Department: p.Department, Extension: p.Extension, Menu: p.Menu, BotStaysOff: p.BotStaysOff}
	if is == c {
		return nil, nil
	}
	d, ok := img.Department(p.Department)
	if !ok || d.Retired {
		code, detail := domain.CodeUnknownSetting, "There is no such department."
		if ok {
			code, detail = domain.CodeRetired, "The department was retired."
		}
		return nil, &domain.Refusal{Code: code, Missing: []string{"department:" + p.Department}, OnSettings: true, Detail: detail}
	}
	if r := img.leadsTo(p.Extension, p.Department); r != nil && (p.Extension != is.Extension || p.Department != is.Department) {
		return nil, r
	}
	if r := img.talks(p.Menu); r != nil {
		return nil, r
	}
	if is.ID == "" {
		return []Event{ChannelCreated{c}}, nil
	}
	return []Event{ChannelChanged{c}}, nil
}

// leadsTo refuses an extension at which nobody of the department answers. What becomes of its holder later is no matter: what
// comes in then waits in the department.
func (i *Image) leadsTo(extension, department string) *domain.Refusal {
	if extension == "" {
		return nil
	}
	holder, ok := i.OperatorByExtension(extension)
	switch {
	case !ok:
		return &domain.Refusal{Code: domain.CodeUnknownSetting, Missing: []string{"extension"}, OnSettings: true,
			Detail: "No active operator has this extension."}
	case !holder.Member(department) || holder.Role == operator.RoleAuditor:
		return &domain.Refusal{Code: CodeNotAMember, Missing: []string{"extension"}, OnSettings: true,
			Detail: "The operator who has this extension does not answer in the department."}
	}
	return nil
}

// talks refuses a menu that there isn't, or that was retired. None is fine.
func (i *Image) talks(menu string) *domain.Refusal {
	if menu == "" {
		return nil
	}
	m, ok := i.Menu(menu)
	switch {
	case !ok:
		return &domain.Refusal{Code: domain.CodeUnknownSetting, Missing: []string{"menu:" + menu}, OnSettings: true, Detail: "There is no such menu."}
	case m.Retired:
		return &domain.Refusal{Code: domain.CodeRetired, Missing: []string{"menu:" + menu}, OnSettings: true, Detail: "The menu was retired."}
	}
	return nil
}

// DecideRetireChannel takes the channel out of use: it takes in and opens nothing any more. Its open conversations go on. It is
// refused while other settings rest on it.
func DecideRetireChannel(is Channel, img *Image) ([]Event, *domain.Refusal) {
	if is.ID == "" {
		return nil, &domain.Refusal{Code: domain.CodeNotFound, OnSettings: true, Detail: "There is no such channel."}
	}
	if is.Retired {
		return nil, nil
	}
	if r := img.inUse(KindChannel, is.ID); r != nil {
		return nil, r
	}
	is.Retired = true
	return []Event{ChannelRetired{is}}, nil
}

// IssueToken gives a right to use the API. The fingerprint is of the secret, which the caller keeps.
type IssueToken struct {
	ID          string
	Owner       string // "operator:<id>", "service:<id>" or "admin"
	Name        domain.Personal
	Scopes      []string // of a service: at least one
	Fingerprint string
}

// DecideIssue says what an IssueToken makes of the token as it is (zero: there is none). Only the administrator's first
// token may be issued anew, which replaces it.
func DecideIssue(is Token, p IssueToken, img *Image) ([]Event, *domain.Refusal) {
	p.Name = domain.Personal(strings.TrimSpace(string(p.Name)))
	p.Scopes = slices.Compact(slices.Sorted(slices.Values(p.Scopes)))
	kind, owner, _ := strings.Cut(p.Owner, ":")
	service := kind == "service" && domain.ValidID(owner)
	var bad []string
	if !domain.ValidID(p.ID) || is.ID != "" && p.ID != AdminToken {
		bad = append(bad, "id")
	}
	if !service && (kind != "operator" || !domain.ValidID(owner)) && p.Owner != AdminOwner {
		bad = append(bad, "owner")
	}
	if !domain.Fits(p.Name, MaxText) {
		bad = append(bad, "name")
	}
	if service != (len(p.Scopes) > 0) || slices.ContainsFunc(p.Scopes, func(s string) bool { return !access.ValidScope(s) }) {
		bad = append(bad, "scopes")
	}
	if len(bad) > 0 {
		return nil, &domain.Refusal{Code: domain.CodeInvalid, Missing: bad,
			Detail: "A token takes an owner and optionally a name; a service's token takes one scope or more, and no other takes any."}
	}
	if kind == "operator" {
		if r := activeOperator(img, owner); r != nil {
			return nil, r
		}
	}
	t := Token{ID: p.ID, Owner: p.Owner, Name: p.Name, Scopes: p.Scopes, Fingerprint: p.Fingerprint}
	if is.equal(t) {
		return nil, nil
	}
	return []Event{TokenIssued{t}}, nil
}

// DecideRevoke takes the right back; again is nothing.
func DecideRevoke(is Token) ([]Event, *domain.Refusal) {
	if is.ID == "" {
		return nil, &domain.Refusal{Code: domain.CodeNotFound, OnSettings: true, Detail: "There is no such token."}
	}
	if is.Revoked {
		return nil, nil
	}
	is.Revoked = true
	return []Event{TokenRevoked{is}}, nil
}

func activeOperator(img *Image, id string) *domain.Refusal {
	d, ok := img.Operator(id)
	switch {
	case !ok:
		return &domain.Refusal{Code: domain.CodeUnknownSetting, Missing: []string{"operator:" + id}, OnSettings: true, Detail: "There is no such operator."}
	case !d.Active:
		return &domain.Refusal{Code: domain.CodeRetired, Missing: []string{"operator:" + id}, OnSettings: true, Detail: "The operator was deactivated."}
	}
	return nil
}

func (t Token) equal(o Token) bool {
	return t.ID == o.ID && t.Owner == o.Owner && t.Name == o.Name && t.Fingerprint == o.Fingerprint && t.Revoked == o.Revoked &&
		slices.Equal(t.Scopes, o.Scopes)
}

// Known is what decisions about operators need of the departments.
func (i *Image) Known() operator.Departments { return i.Departments }

// DecidePutDepartment is department.DecidePut among the settings that there are. A change that demands or rests on what there is not
// is refused.
func DecidePutDepartment(is department.Definition, p department.Put, img *Image) ([]department.Event, *domain.Refusal) {
	decided, r := department.DecidePut(is, p)
	if r != nil || len(decided) == 0 {
		return nil, r
	}
	if r := img.CheckGuards(p.Close); r != nil {
		return nil, r
	}
	if r := img.serves(p.Settings); r != nil {
		return nil, r
	}
	return decided, nil
}

// serves refuses settings of a department that rest on what there is not.
func (i *Image) serves(s department.Settings) *domain.Refusal {
	if _, ok := i.Calendars[s.Calendar]; s.Calendar != "" && !ok {
		return &domain.Refusal{Code: domain.CodeUnknownSetting, Missing: []string{"calendar:" + s.Calendar}, OnSettings: true, Detail: "There is no such calendar."}
	}
	return nil
}
