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
	Extra  string // a second line of what happened, in somebody's words
	Files  []file
	At     time.Time
	Joined bool // said right after another of the same author
}

// file is something sent along, to be opened elsewhere.
type file struct{ Name, Link, About string }

// entries makes the events of a conversation readable. Those that say nothing new beside the one before are left out.
func (v *visit) entries(events []history.Entry, img *setting.Image) ([]entry, error) {
	var list []entry
	for i := range events {
		e, err := v.entry(&events[i], img)
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

func (v *visit) entry(e *history.Entry, img *setting.Image) (*entry, error) {
	actor := v.actor(e.Actor, img)
	happened := func(icon, key string, pairs ...string) *entry {
		return &entry{Form: entrySystem, Icon: icon, Text: v.T("event."+key, append(pairs, "actor", actor)...)}
	}
	name := func(id string) string { return operatorName(img, id) }
	switch e.Type {
	case "message_received":
		m, err := read[thread.MessageReceived](e)
		return v.said(entryIn, "", m.Content), err
	case "message_sent":
		m, err := read[thread.MessageSent](e)
		if m.Sender == thread.SenderMachine {
			return v.said(entryBot, actor, m.Content), err
		}
		return v.said(entryOut, actor, m.Content), err
	case "noted":
		n, err := read[thread.Noted](e)
		return &entry{Form: entryNote, Author: actor, Text: v.erased(n.Text)}, err
	case "opened":
		o, err := read[thread.Opened](e)
		if o.Direction == thread.Outbound {
			return happened("open", "opened_outbound", "department", departmentName(img, o.Department)), err
		}
		return happened("open", "opened", "department", departmentName(img, o.Department)), err
	case "queued":
		q, err := read[thread.Queued](e)
		if q.List == thread.StateOutOfHours {
			return happened("out_of_hours", "out_of_hours", "department", departmentName(img, q.Department)), err
		}
		return nil, err // the opening, the release, the transfer or the reopening before it says so
	case "taken":
		t, err := read[thread.Taken](e)
		switch t.How {
		case thread.TakenTransfer, thread.TakenOutbound, thread.TakenByReopener:
			return nil, err
		case thread.TakenAssigned, thread.TakenByRule, thread.TakenDedicated, thread.TakenSticky:
			return happened("take", "assigned", "operator", name(t.Operator)), err
		case thread.TakenOver:
			return happened("take", "taken_over", "operator", name(t.Operator)), err
		}
		return happened("take", "taken", "operator", name(t.Operator)), err
	case "released":
		r, err := read[thread.Released](e)
		switch r.Cause {
		case "taken_over", "assigned", "transferred":
			return nil, err
		case "manual":
			return v.because(happened("release", "released", "operator", name(r.Operator)), r.Reason), err
		}
		return v.because(happened("release", "released_by", "operator", name(r.Operator)), r.Reason), err
	case "transferred":
		t, err := read[thread.Transferred](e)
		if t.Operator != "" {
			return v.because(happened("transfer", "transferred_to", "department", departmentName(img, t.Department), "operator", name(t.Operator)), t.Reason), err
		}
		return v.because(happened("transfer", "transferred", "department", departmentName(img, t.Department)), t.Reason), err
	case "paused":
		p, err := read[thread.Paused](e)
		return v.because(happened("pause", "paused"), p.Reason), err
	case "resumed":
		r, err := read[thread.Resumed](e)
		if r.Cause == "inbound" {
			return happened("resume", "resumed_inbound"), err
		}
		return happened("resume", "resumed"), err
	case "tagged":
		t, err := read[thread.Tagged](e)
		return happened("tag", "tagged", "tags", strings.Join(t.Tags, ", ")), err
	case "untagged":
		t, err := read[thread.Untagged](e)
		return happened("tag", "untagged", "tags", strings.Join(t.Tags, ", ")), err
	case "mentioned":
		m, err := read[thread.Mentioned](e)
		names := make([]string, len(m.Operators))
		for i, id := range m.Operators {
			names[i] = name(id)
		}
		return happened("note", "mentioned", "operators", strings.Join(names, ", ")), err
	case "closed":
		c, err := read[thread.Closed](e)
		h := happened("close", "closed."+string(c.Reason))
		if c.Category != "" {
			h.Text += " · " + c.Category
		}
		return v.because(h, c.Summary), err
	case "reopened":
		r, err := read[thread.Reopened](e)
		return v.because(happened("open", "reopened"), r.Reason), err
	case "rated":
		r, err := read[thread.Rated](e)
		switch {
		case r.Satisfied != nil && *r.Satisfied:
			return v.because(happened("star", "rated_yes"), r.Comment), err
		case r.Satisfied != nil:
			return v.because(happened("star", "rated_no"), r.Comment), err
		}
		return v.because(happened("star", "rated", "score", strconv.Itoa(r.Score)), r.Comment), err
	case "classified", "hidden", "erased":
		return happened("note", e.Type), nil
	}
	return nil, nil // archived, unarchived, read: they change a list, not the conversation
}

// because adds somebody's words to what happened.
func (v *visit) because(e *entry, reason domain.Personal) *entry {
	e.Extra = v.erased(reason)
	return e
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

func (v *visit) said(form, author string, c thread.Content) *entry {
	e := &entry{Form: form, Author: author, Text: v.erased(c.Text)}
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
	if e.Text == "" && len(e.Files) == 0 {
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
