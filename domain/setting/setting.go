// Package setting decides the rest of what a workspace is configured with: channels and tokens. Image is the whole
// configuration at one position, and what every decision about a conversation is made with.
package setting

import "github.com/turno-desk/turno/domain"

// Channel is one configured line of one channel type.
type Channel struct {
	ID         string `json:"id"`
	Type       string `json:"type"` // generic: intake over the API; webchat: likewise, and a live chat
	Name       string `json:"name"`
	Department string `json:"department"`          // where its conversations start
	Extension  string `json:"extension,omitempty"` // F007: to whose operator they go first, while that one is there; empty: nobody's
	Retired    bool   `json:"retired,omitempty"`
	Menu       string `json:"menu,omitempty"` // id of the menu by which a bot begins its conversations; none when empty
	// BotStaysOff keeps a bot that somebody paused from beginning the thread's next conversations, until somebody resumes it.
	BotStaysOff bool `json:"bot_stays_off,omitempty"`
}

// Token is the right to use the API. Its secret is in the vault, as a hash; it never enters an event.
type Token struct {
	ID          string          `json:"id"`
	Owner       string          `json:"owner"` // "operator:<id>", "service:<id>" or "admin"
	Name        domain.Personal `json:"name,omitempty"`
	Scopes      []string        `json:"scopes,omitempty"` // services only: "conversations:write" …
	Fingerprint string          `json:"fingerprint"`      // the first 8 hex digits of a keyed hash of the token
	Revoked     bool            `json:"revoked,omitempty"`
}

// Event is one fact about a setting.
type Event interface{ event() }

// ExtensionClaimed gives an extension to an operator, from whoever had it. Aggregate setting/extension.<extension>. An
// operator's definition shows an extension only while it has the claim, so no two active operators ever share one.
type ExtensionClaimed struct {
	Extension string `json:"extension"`
	Operator  string `json:"operator"`
}

// ChannelCreated adds a channel. Aggregate setting/channel.<id>.
type ChannelCreated struct{ Channel }

// ChannelChanged replaces its definition.
type ChannelChanged struct{ Channel }

// ChannelRetired takes it out of use.
type ChannelRetired struct{ Channel }

// TokenIssued gives a right. Aggregate setting/token.<id>.
type TokenIssued struct{ Token }

// TokenRevoked takes it back.
type TokenRevoked struct{ Token }

func (ExtensionClaimed) event() {}
func (ChannelCreated) event()   {}
func (ChannelChanged) event()   {}
func (ChannelRetired) event()   {}
func (TokenIssued) event()      {}
func (TokenRevoked) event()     {}

// ChannelOf is what an event says the channel is.
func ChannelOf(e Event) Channel {
	switch e := e.(type) {
	case ChannelCreated:
		return e.Channel
	case ChannelChanged:
		return e.Channel
	case ChannelRetired:
		return e.Channel
	}
	return Channel{}
}

// TokenOf is what an event says the token is.
func TokenOf(e Event) Token {
	switch e := e.(type) {
	case TokenIssued:
		return e.Token
	case TokenRevoked:
		return e.Token
	}
	return Token{}
}
