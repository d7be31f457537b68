package history

import (
	"context"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
)

// Messages lists the messages of a conversation, oldest first; with notes, its internal notes among them. ErrNotFound,
// ErrCursor.
func (q *Queries) Messages(ctx context.Context, workspace string, v access.Viewer, id string, notes bool, from string, limit int, asOf domain.Position) (Page[Message], error) {
	var page Page[Message]
	err := q.read(ctx, workspace, v, asOf, func(r *reading) error {
		now, err := r.byID(id)
		if err != nil {
			return err
		}
		if now.opened > r.asOf {
			return ErrNotFound
		}
		opened, after, more, err := readCursor("messages", from)
		if err != nil {
			return err
		}
		if more && opened != int64(now.opened) {
			return ErrCursor
		}
		limit = capped(limit)
		types := " AND type IN ('message_received', 'message_sent')"
		if notes {
			types = " AND type IN ('message_received', 'message_sent', 'noted', 'mentioned')"
		}
		// A note's mentions are an entry of their own, right behind it.
		entries, err := readEntries(ctx, r.tx, now.opened, after, r.asOf, types, " LIMIT ?", 2*limit+2)
		if err != nil {
			return err
		}
		page = Page[Message]{Items: make([]Message, 0, min(limit, len(entries))), Position: r.asOf}
		var last int64
		for _, e := range entries {
			event, err := parse(e.typ, e.data)
			if err != nil {
				return err
			}
			if m, ok := event.(thread.Mentioned); ok {
				if n := len(page.Items); n > 0 && page.Items[n-1].ID == m.Note {
					page.Items[n-1].Mentions = m.Operators
					last = e.at
				}
				continue
			}
			if len(page.Items) == limit {
				page.HasMore, page.Next = true, cursor("messages", int64(now.opened), last)
				return nil
			}
			page.Items = append(page.Items, message(now, e, event))
			last = e.at
		}
		return nil
	})
	return page, err
}

// message is how an entry reads among the messages of its conversation.
func message(of *record, e entry, event thread.Event) Message {
	p, _ := placed(e.at)
	m := Message{Conversation: of.id(), Actor: e.actor, Via: e.via, At: projections.Millis(e.time), Position: p}
	switch x := event.(type) {
	case thread.MessageReceived:
		m.ID, m.Direction, m.Sender = x.Message, "inbound", string(domain.ActorContact)
		m.content(x.Content)
		if x.SentAt != nil {
			m.SentAt = &projections.Time{Time: *x.SentAt}
		}
	case thread.MessageSent:
		m.ID, m.Direction, m.Sender = x.Message, "outbound", string(x.Sender)
		m.content(x.Content)
	case thread.Noted:
		m.ID, m.Direction, m.Sender, m.Kind, m.Text, m.Note = x.Note, "internal", string(thread.SenderHuman), "note", string(x.Text), true
	}
	return m
}

func (m *Message) content(c thread.Content) {
	m.Kind, m.Text, m.ReplyTo, m.Choice = string(c.Kind), string(c.Text), c.ReplyTo, c.Choice
	for _, choice := range c.Choices {
		m.Choices = append(m.Choices, Choice{ID: choice.ID, Title: string(choice.Title)})
	}
	for _, a := range c.Attachments {
		m.Attachments = append(m.Attachments, Attachment{URL: string(a.URL), Name: string(a.Name), Type: a.Type, Size: a.Size})
	}
	if c.Location != nil {
		m.Location = &Location{Latitude: string(c.Location.Latitude), Longitude: string(c.Location.Longitude), Label: string(c.Location.Label)}
	}
	if c.ContactCard != nil {
		m.ContactCard = &ContactCard{Name: string(c.ContactCard.Name), Phone: string(c.ContactCard.Phone)}
	}
}
