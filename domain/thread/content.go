package thread

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
)

// Limits of what a person may write, in bytes unless said otherwise. The API states them.
const (
	MaxText        = 64 << 10 // of a message or a note
	MaxShortText   = 4 << 10  // of a reason, a summary, a comment, a name, a field
	MaxAttachments = 30       // of one message
	MaxTags        = 50       // of one conversation
	MaxMentions    = 50       // of one note
	MaxFields      = 50       // of one classification
	MaxChoices     = 10       // of one message
)

// CheckContent refuses a message that says nothing or more than fits.
func CheckContent(c Content) *domain.Refusal {
	var missing []string
	if !knownKind(c.Kind) {
		missing = append(missing, "kind")
	}
	if c.Text == "" && len(c.Attachments) == 0 && c.Location == nil && c.ContactCard == nil && c.Kind != KindSticker && c.Kind != KindOther {
		missing = append(missing, "text")
	}
	if !utf8.ValidString(string(c.Text)) {
		missing = append(missing, "text")
	}
	for _, a := range c.Attachments {
		if !webAddress(string(a.URL)) || !mediaType(a.Type) || a.Size < 0 {
			missing = append(missing, "attachments")
			break
		}
	}
	if l := c.Location; l != nil && (!degrees(l.Latitude, 90) || !degrees(l.Longitude, 180)) {
		missing = append(missing, "location")
	}
	if k := c.ContactCard; k != nil && (k.Name == "" || k.Phone == "") {
		missing = append(missing, "contact_card")
	}
	if c.ReplyTo != "" && !isMessageID(c.ReplyTo) {
		missing = append(missing, "reply_to")
	}
	if c.Choice != "" && !domain.ValidID(c.Choice) {
		missing = append(missing, "choice")
	}
	if !choosable(c.Choices) {
		missing = append(missing, "choices")
	}
	if len(missing) > 0 {
		return invalid("The message is incomplete or malformed.", missing...)
	}
	if len(c.Text) > MaxText || len(c.Attachments) > MaxAttachments {
		return &domain.Refusal{Code: domain.CodeTooLarge, Detail: "A message holds at most 64 KiB of text and 30 attachments.", Missing: []string{"text"}}
	}
	return nil
}

// choosable reports whether the choices are at most 10, with an id each, none twice, and a title of one line and up to 24
// characters.
func choosable(choices []Choice) bool {
	seen := map[string]bool{}
	for _, c := range choices {
		if !domain.ValidID(c.ID) || seen[c.ID] || blank(c.Title) || utf8.RuneCountInString(string(c.Title)) > setting.MaxTitle ||
			!domain.Fits(c.Title, 4*setting.MaxTitle) || strings.Contains(string(c.Title), "\n") {
			return false
		}
		seen[c.ID] = true
	}
	return len(choices) <= MaxChoices
}

// Written is the text of a message for where there are no buttons: the choices stand under it, each behind its number.
func (c Content) Written() domain.Personal {
	var b strings.Builder
	b.WriteString(string(c.Text))
	for i, choice := range c.Choices {
		if b.Len() > 0 {
			b.WriteString("\n")
		}
		b.WriteString(setting.NumberOf(choice.ID, i) + ". " + string(choice.Title))
	}
	return domain.Personal(b.String())
}

func knownKind(k Kind) bool {
	switch k {
	case KindText, KindImage, KindAudio, KindVideo, KindDocument, KindSticker, KindLocation, KindContact, KindOther:
		return true
	}
	return false
}

// mediaType reports whether s is a type and subtype, maybe with codecs: it stands in the log in clear, so it must not be
// free text.
func mediaType(s string) bool {
	name, parameter, more := strings.Cut(s, ";")
	if more {
		codecs, ok := strings.CutPrefix(strings.TrimSpace(parameter), "codecs=")
		if !ok || !mediaToken(strings.Trim(codecs, `"`)) {
			return false
		}
	}
	kind, sub, ok := strings.Cut(name, "/")
	return ok && mediaToken(kind) && mediaToken(sub)
}

func mediaToken(s string) bool {
	const signs = "!#$&-^_.+," // RFC 6838, and the comma between codecs
	return s != "" && len(s) <= 127 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(signs, r)
	})
}

// webAddress reports whether s is where a file can be fetched. Nothing else is followed by whoever reads the message.
func webAddress(s string) bool {
	rest, ok := strings.CutPrefix(s, "https://")
	if !ok {
		rest, ok = strings.CutPrefix(s, "http://")
	}
	return ok && rest != "" && rest[0] != '/' && len(s) <= MaxShortText && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

// degrees reports whether p is a decimal number from -limit to limit.
func degrees(p domain.Personal, limit float64) bool {
	d, err := strconv.ParseFloat(string(p), 64)
	return err == nil && d >= -limit && d <= limit
}

// isMessageID reports whether s could be the id of a message of Turno. A channel's own id is personal, and this one stands
// in the log in clear.
func isMessageID(s string) bool {
	i := strings.LastIndex(s, "-m")
	if i < 0 {
		return false
	}
	_, _, ok := SplitConversationID(s[:i])
	k, err := strconv.Atoi(s[i+2:])
	return ok && err == nil && k > 0 && strconv.Itoa(k) == s[i+2:]
}

// checkText refuses a text that is too long or no UTF-8.
func checkText(field string, text domain.Personal, limit int) *domain.Refusal {
	if !utf8.ValidString(string(text)) {
		return invalid("The text is no valid UTF-8.", field)
	}
	if len(text) > limit {
		return &domain.Refusal{Code: domain.CodeTooLarge, Detail: "The text is too long.", Missing: []string{field}}
	}
	return nil
}

// checkTags refuses tags that are no ids: tags stand in the log in clear, so they must not be free text.
func checkTags(tags []string) *domain.Refusal {
	for _, t := range tags {
		if !domain.ValidID(t) {
			return invalid("A tag is 1 to 64 of a–z, 0–9, '-' and '_'.", "tags")
		}
	}
	return nil
}

func blank(p domain.Personal) bool { return strings.TrimSpace(string(p)) == "" }
