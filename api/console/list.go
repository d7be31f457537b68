package console

import (
	"hash/fnv"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections/queue"
)

// list is one part of the conversations in a state, in the order of the queue.
type list struct {
	State string
	Rows  []row
	Asked []row  // offered to the visitor, whichever list is shown
	First string // address of the beginning, when this is not it
	Next  string // address of what follows, when something does
}

// row is one conversation in a list.
type row struct {
	ID         string
	Link       string
	Chosen     bool
	Contact    contact
	Ticket     int64
	Department string
	Channel    channel
	Offer      *offer
	Alerts     []alert
	Owner      string // name, when somebody else's
	Unread     int
	Waiting    bool
	Since      time.Time // of the wait, or of the newest message
	Last       *queue.Line
}

// contact is whom a conversation is with, as a face: initials and one of eight hues, the same each time.
type contact struct {
	Name     string
	Address  string // when it is not the name
	Initials string
	Hue      string
}

// channel is where a conversation is, with the sort of channel that its icon shows.
type channel struct{ Name, Type string }

func channelOf(img *setting.Image, id string) channel {
	return channel{channelName(img, id), img.Channels[id].Type}
}

// Drawing is the icon of the channel's sort; empty where there is none.
func (c channel) Drawing() string {
	switch c.Type {
	case "": // among colleagues, or of a channel that is not known
		return ""
	case "webchat":
		return "channel-webchat"
	}
	return "channel-generic"
}

// Word is the key of what the icon says.
func (c channel) Word() string {
	if c.Type == "webchat" {
		return "channel.webchat"
	}
	return "channel.generic"
}

// listLength is how many rows a part of a list has.
const listLength = 100

func (v *visit) list(at place, img *setting.Image) (*list, error) {
	page, err := v.c.Queue.List(v.ctx(), v.c.workspace, v.viewer, queue.Filter{States: []string{at.list}, Cursor: at.cursor, Limit: listLength})
	if err != nil {
		return nil, err
	}
	l := &list{State: at.list}
	if l.Asked, err = v.asked(at, img); err != nil {
		return nil, err
	}
	for i := range page.Items {
		l.Rows = append(l.Rows, v.row(&page.Items[i], at, img))
	}
	if at.cursor != "" {
		l.First = at.turned("").link()
	}
	if page.HasMore {
		l.Next = at.turned(page.Next).link()
	}
	return l, nil
}

func (v *visit) row(q *queue.Row, at place, img *setting.Image) row {
	r := row{
		ID: q.ID, Link: at.opened(q.ID).link(), Chosen: q.ID == at.open, Contact: contactOf(q.Contact), Ticket: q.Ticket,
		Department: departmentName(img, q.Department), Channel: channelOf(img, q.Channel), Unread: q.Unread, Since: q.Since.Time, Last: q.LastLine,
		Offer: v.offered(q, img), Alerts: v.alerts(q),
	}
	if q.Operator != "" && q.Operator != v.who.Operator {
		r.Owner = operatorName(img, q.Operator)
	}
	switch {
	case q.WaitingSince != nil && q.State != thread.StateBot: // for a person nobody waits before the bot hands over
		r.Waiting, r.Since = true, q.WaitingSince.Time
	case q.LastLine != nil && q.LastLine.At.After(r.Since):
		r.Since = q.LastLine.At.Time
	}
	return r
}

func contactOf(q queue.Contact) contact {
	c := contact{Name: q.Name, Address: q.Address}
	if c.Name == "" {
		c.Name, c.Address = q.Address, ""
	}
	if c.Name == "" {
		c.Name = q.ID
	}
	c.Initials = initials(c.Name)
	h := fnv.New32a()
	_, _ = h.Write([]byte(q.ID))
	c.Hue = "hue-" + strconv.Itoa(int(h.Sum32()%8))
	return c
}

// initials are the first letters of the first and the last word; a number keeps its last two digits.
func initials(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("@.-_", r) })
	if len(words) == 0 {
		return "?"
	}
	first, _ := utf8.DecodeRuneInString(words[0])
	if last := words[len(words)-1]; !unicode.IsLetter(first) && len(last) >= 2 && last[len(last)-1] < utf8.RuneSelf && last[len(last)-2] < utf8.RuneSelf {
		return last[len(last)-2:]
	}
	if len(words) == 1 {
		return string(unicode.ToUpper(first))
	}
	second, _ := utf8.DecodeRuneInString(words[len(words)-1])
	return string(unicode.ToUpper(first)) + string(unicode.ToUpper(second))
}
