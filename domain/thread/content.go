package thread

import (
	"strings"
	"unicode/utf8"

	"github.com/turno-desk/turno/domain"
)

// Limits of what a person may write, in bytes unless said otherwise. The API states them.
const (
	MaxText        = 64 << 10 // of a message or a note
	MaxShortText   = 4 << 10  // of a reason, a summary, a comment, a name, a field
	MaxAttachments = 30       // of one message
	MaxTags        = 50       // of one conversation
	MaxMentions    = 50       // of one note
	MaxFields      = 50       // of one classification
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
		if a.URL == "" || a.Type == "" || a.Size < 0 {
			missing = append(missing, "attachments")
			break
		}
	}
	if l := c.Location; l != nil && (l.Latitude == "" || l.Longitude == "") {
		missing = append(missing, "location")
	}
	if k := c.ContactCard; k != nil && (k.Name == "" || k.Phone == "") {
		missing = append(missing, "contact_card")
	}
	if len(missing) > 0 {
		return invalid("The message is incomplete or malformed.", missing...)
	}
	if len(c.Text) > MaxText || len(c.Attachments) > MaxAttachments {
		return &domain.Refusal{Code: domain.CodeTooLarge, Detail: "A message holds at most 64 KiB of text and 30 attachments.", Missing: []string{"text"}}
	}
	return nil
}

func knownKind(k Kind) bool {
	switch k {
	case KindText, KindImage, KindAudio, KindVideo, KindDocument, KindSticker, KindLocation, KindContact, KindOther:
		return true
	}
	return false
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
