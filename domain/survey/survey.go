// Package survey decides whether a contact is asked after a close, and what an answer says. It knows neither logs nor clocks.
package survey

import (
	"slices"
	"strings"
	"time"

	"github.com/turno-desk/turno/domain"
)

// Scale is how a contact judges.
type Scale string

// The scales. They are never mixed: a yes is no 5.
const (
	Stars Scale = "1-5"
	YesNo Scale = "yes_no"
)

// Settings are a department's; the zero value asks nobody (F110).
type Settings struct {
	Scale   Scale  `json:"scale,omitempty"`     // empty: no survey
	Text    string `json:"text,omitempty"`      // the invitation; may hold variables
	Page    string `json:"page,omitempty"`      // address of the page that {{survey.link}} leads to; the token is appended
	Thanks  string `json:"thanks,omitempty"`    // said after the first rating; may hold variables, but not the link
	Expires int64  `json:"expires_s,omitempty"` // seconds in which it can be answered; 0: 24 h
	Cap     int64  `json:"cap_s,omitempty"`     // seconds in which a contact is asked once, whoever asks; 0: 12 h (F113)
}

// Limits of the settings.
const (
	MaxText    = 1000 // bytes
	MaxPage    = 500  // bytes
	MinExpires = time.Minute
	MaxExpires = 30 * 24 * time.Hour
	MinCap     = time.Minute
	MaxCap     = 366 * 24 * time.Hour
)

// The defaults (D7).
const (
	DefaultExpires = 24 * time.Hour
	DefaultCap     = 12 * time.Hour
)

// VarLink stands for the address at which the contact answers. The others are those of the conversation.
const VarLink = "survey.link"

// variables are those of an invitation.
func variables() []string {
	return []string{"contact.name", "operator.name", "department.name", "channel.name", "ticket.number", VarLink}
}

// On reports whether the department asks at all.
func (s Settings) On() bool { return s.Scale != "" }

// ExpiresIn is how long a survey can be answered.
func (s Settings) ExpiresIn() time.Duration { return orElse(s.Expires, DefaultExpires) }

// CapFor is how long after a survey a contact is left alone.
func (s Settings) CapFor() time.Duration { return orElse(s.Cap, DefaultCap) }

func orElse(seconds int64, otherwise time.Duration) time.Duration {
	if seconds == 0 {
		return otherwise
	}
	const most = int64(2 * MaxCap / time.Second) // so that what is too much stays so
	return time.Duration(min(max(seconds, -most), most)) * time.Second
}

// Malformed names the settings that can't be, without what stands before them: "text", "variable:shoe.size".
func (s Settings) Malformed() (bad []string) {
	if s.Scale != "" && s.Scale != Stars && s.Scale != YesNo {
		bad = append(bad, "scale")
	}
	if s.On() && strings.TrimSpace(s.Text) == "" || !domain.Fits(domain.Personal(s.Text), MaxText) {
		bad = append(bad, "text")
	}
	if !domain.Fits(domain.Personal(s.Thanks), MaxText) {
		bad = append(bad, "thanks")
	}
	asked := domain.Variables(s.Text)
	if s.Page != "" && !address(s.Page) || s.Page == "" && slices.Contains(asked, VarLink) {
		bad = append(bad, "page")
	}
	if s.Expires != 0 && (s.ExpiresIn() < MinExpires || s.ExpiresIn() > MaxExpires) {
		bad = append(bad, "expires_s")
	}
	if s.Cap != 0 && (s.CapFor() < MinCap || s.CapFor() > MaxCap) {
		bad = append(bad, "cap_s")
	}
	for _, v := range asked {
		if !slices.Contains(variables(), v) {
			bad = append(bad, "variable:"+v)
		}
	}
	for _, v := range domain.Variables(s.Thanks) {
		if v == VarLink || !slices.Contains(variables(), v) {
			bad = append(bad, "variable:"+v)
		}
	}
	return bad
}

// address reports whether s is the beginning of a web address.
func address(s string) bool {
	rest, ok := strings.CutPrefix(s, "https://")
	if !ok {
		rest, ok = strings.CutPrefix(s, "http://")
	}
	return ok && rest != "" && rest[0] != '/' && len(s) <= MaxPage &&
		!strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// Close is what is known of a conversation that was closed.
type Close struct {
	Reason   string // as the close's
	Declined bool   // whoever closed said that nobody is to be asked
	Hidden   bool
	Erased   bool
	Blocked  bool // the contact
	Open     bool // it was reopened since, or a newer conversation of the thread is open
}

// Calls reports whether a close calls for a survey (F110, D15): ignored and superseded ones don't, nor do contacts who are
// gone, blocked, or writing again already.
func Calls(s Settings, c Close) bool {
	return s.On() && !c.Declined && !c.Hidden && !c.Erased && !c.Blocked && !c.Open && c.Reason != "ignored" && c.Reason != "superseded"
}
