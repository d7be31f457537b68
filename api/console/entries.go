package console

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections/history"
)

// The forms of an entry.
const (
	entryIn     = "in"     // of the contact
	entryOut    = "out"    // to the contact, of a person
	entryBot    = "bot"    // to the contact, of a machine
	entryNote   = "note"   // among colleagues
	entrySystem = "system" // what happened
)

// entry is one line of a conversation, oldest first: something said, or something that happened.
type entry struct {
	Key    string // the same whenever it is shown
	Form   string
	Icon   string // of what happened
	Author string
	Text   string
	Extra  string    // a second line of what happened, in somebody's words
	Until  time.Time // of what happened: when it is over
	Files  []file
	At     time.Time

	Message string   // id of what was said
	Choices []choice // what the bot let the contact choose from
	Pressed string   // id of the choice that the contact pressed
	Chosen  string   // what the bot took it for
	Missed  bool     // it was none of the bot's choices
	Joined  bool     // said right after another of the same author
}

// file is something sent along, to be opened elsewhere.
type file struct{ Name, Link, About string }

// entries makes the events of a conversation readable. Those that say nothing new beside the one before are left out.
func (v *visit) entries(events []history.Entry, img *setting.Image) ([]entry, error) {
	var list []entry
	menu := v.choosing()
	for i := range events {
		e, err := v.entry(&events[i], img)
		if err == nil && events[i].Type == "menu_answered" {
			err = menu.understood(&events[i], list)
		}
		if err != nil {
			return nil, fmt.Errorf("show %s at %d: %w", events[i].Type, events[i].Position, err)
		}
		if e == nil {
			continue
		}
		e.Key = "e" + strconv.FormatUint(uint64(events[i].Position), 10) + "-" + strconv.Itoa(events[i].Index)
		e.At = events[i].Time.Time
		if n := len(list); n > 0 && e.Form != entrySystem {
			last := list[n-1]
			e.Joined = last.Form == e.Form && last.Author == e.Author && e.At.Sub(last.At) < 5*time.Minute
		}
		menu.shown(e.Choices)
		if e.Pressed != "" && e.Text == "" {
			e.Text = menu.title(e.Pressed)
		}
		list = append(list, *e)
	}
	return list, nil
}

// read is the data of an event.
func read[E thread.Event](e *history.Entry) (E, error) {
	var event E
	err := json.Unmarshal(e.Data, &event)
	return event, err
}

// entry is what one event shows, nil when it shows nothing.
func (v *visit) entry(e *history.Entry, img *setting.Image) (*entry, error) {
	actor := v.actor(e.Actor, img)
	switch e.Type {
	case "message_received":
		m, err := read[thread.MessageReceived](e)
		return v.said(entryIn, "", m.Message, m.Content), err
	case "message_sent":
		m, err := read[thread.MessageSent](e)
		if m.Sender == thread.SenderMachine {
			return v.said(entryBot, actor, m.Message, m.Content), err
		}
		return v.said(entryOut, actor, m.Message, m.Content), err
	case "noted":
		n, err := read[thread.Noted](e)
		return &entry{Form: entryNote, Author: actor, Text: v.erased(n.Text)}, err
	}
	return v.happened(e, actor, img)
}

// actor is who did it, by name.
func (v *visit) actor(a string, img *setting.Image) string {
	kind, id, _ := strings.Cut(a, ":")
	switch domain.ActorKind(kind) {
	case domain.ActorOperator:
		return operatorName(img, id)
	case domain.ActorService:
		return id
	}
	return v.T("actor." + kind)
}

func (v *visit) said(form, author, message string, c thread.Content) *entry {
	e := &entry{Form: form, Author: author, Message: message, Text: v.erased(c.Text), Pressed: c.Choice}
	for _, o := range c.Choices {
		e.Choices = append(e.Choices, choice{ID: o.ID, Name: v.erased(o.Title)})
	}
	for _, a := range c.Attachments {
		f := file{Name: v.erased(a.Name), Link: linkOf(string(a.URL)), About: a.Type}
		if f.Name == "" {
			f.Name = v.T("file")
		}
		if a.Size > 0 {
			f.About += " · " + size(a.Size)
		}
		e.Files = append(e.Files, f)
	}
	if l := c.Location; l != nil {
		f := file{Name: v.erased(l.Label), About: string(l.Latitude) + ", " + string(l.Longitude)}
		if f.Name == "" {
			f.Name = v.T("location")
		}
		e.Files = append(e.Files, f)
	}
	if k := c.ContactCard; k != nil {
		e.Files = append(e.Files, file{Name: v.erased(k.Name), About: v.erased(k.Phone)})
	}
	if e.Text == "" && len(e.Files) == 0 && e.Pressed == "" {
		e.Text = v.T("kind." + string(c.Kind))
	}
	return e
}

// linkOf is an address that may be opened: http or https, else none.
func linkOf(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	return s
}

func size(n int64) string {
	switch {
	case n >= 1<<20:
		return strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64) + " MB"
	case n >= 1<<10:
		return strconv.FormatInt(n>>10, 10) + " KB"
	}
	return strconv.FormatInt(n, 10) + " B"
}
