package console

import (
	"hash/fnv"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/projections/queue"
)

// list is one part of the conversations in a state, in the order of the queue.
type list struct {
	State string
	Rows  []row
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
	Channel    string
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

// listLength is how many rows a part of a list has.
const listLength = 100

func (v *visit) list(at place, img *setting.Image) (*list, error) {
	page, err := v.c.Queue.List(v.ctx(), v.c.workspace, v.viewer, queue.Filter{States: []string{at.list}, Cursor: at.cursor, Limit: listLength})
	if err != nil {
		return nil, err
	}
	l := &list{State: at.list}
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
		Department: departmentName(img, q.Department), Channel: channelName(img, q.Channel), Unread: q.Unread, Since: q.Since.Time, Last: q.LastLine,
	}
	if q.Operator != "" && q.Operator != v.who.Operator {
		r.Owner = operatorName(img, q.Operator)
	}
	switch {
	case q.WaitingSince != nil:
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
