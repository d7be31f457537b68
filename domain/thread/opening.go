package thread

import (
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
)

// opening carries over what later decisions need of the thread.
func (d decision) opening(dir Direction, ch setting.Channel, identity, contact string, ticket int64) Opened {
	o := Opened{
		Number: d.s.Latest + 1, Ticket: ticket, Direction: dir, Channel: ch.ID, Department: ch.Department,
		Contact: contact, Identity: identity, Hashed: d.s.Hashed, Blocked: d.s.Blocked,
		BotOff: d.s.BotOff && ch.BotStaysOff,
	}
	if asked := d.s.Asked; asked != nil && d.f.Now.Before(asked.Expires) {
		o.Survey = asked
	}
	if last := d.s.Current(); last != nil {
		o.LastClose = &LastClose{
			Conversation: last.ID, At: last.ClosedAt, Owner: last.OwnerAtClose, Reason: string(last.CloseReason),
		}
	}
	return o
}

func (d decision) channel(id string) (setting.Channel, *domain.Refusal) {
	ch, ok := d.f.Image.Channels[id]
	if !ok {
		return ch, unknownSetting("channel", id)
	}
	if ch.Retired {
		return ch, retired("channel", id)
	}
	return ch, nil
}
